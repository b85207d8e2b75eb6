"""DOIs as the registrar has them, against the catalogue's word and DataCite's schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from datacite import schema45

from catalogue.demo import datacite_records
from catalogue.demo.verification.checking import Found
from catalogue.demo.verification.records import Doi


def dois_agree(state: Path, dois: Sequence[Doi]) -> Found:
    """Every DOI of the catalogue is at the registrar in the same state, and keeps the schema."""
    there = json.loads(state.read_text())["dois"]
    faults = []
    for doi in dois:
        record = there.get(doi.name.lower())
        if record is None:
            faults.append(f"{doi.name}: the registrar does not know it")
            continue
        if record["state"] != doi.state:
            faults.append(f"{doi.name}: {record['state']} at the registrar, not {doi.state}")
        metadata = datacite_records.metadata(record)
        for error in schema45.validator.iter_errors(metadata):
            where = "/".join(map(str, error.absolute_path))
            faults.append(f"{doi.name}: {where}: {error.message}")
    return Found(tuple(faults), {"DOIs": len(dois)})


def as_expected(dois: Sequence[Doi], expected: dict[int, str]) -> Found:
    """What became of each proposal's DOI: findable, registered (internal only)."""
    states = {doi.proposal: doi.state for doi in dois}
    faults = tuple(
        f"proposal {number:06d}: its DOI is {states.get(number, 'missing')}, not {state}"
        for number, state in expected.items()
        if states.get(number) != state
    )
    return Found(faults, {"DOIs": len(expected)})
