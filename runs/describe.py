"""The runs and files of a proposal's open part, as a publication needs them."""

from __future__ import annotations

from catalogue.publication.resource import FileFact, Instrument, RunFact, Technique
from proposals.models import Proposal
from runs import queries
from runs.models import DataGroup, Run

KIND_WORDS = {"RAW": "Raw data", "PROC": "Corrected data"}


def open_part(proposal: Proposal) -> tuple[list[DataGroup], list[FileFact], list[RunFact]]:
    """RAW and PROC of the Good and Unclear runs: groups, files and runs."""
    groups = list(queries.open_part(proposal))
    files = [fact for group in groups for fact in _files(group)]
    runs = {group.run_id: group.run for group in groups}
    instrument = (Instrument(name=proposal.instrument.name),)
    return groups, files, [_run(run, instrument) for run in runs.values()]


def _files(group: DataGroup) -> list[FileFact]:
    words = KIND_WORDS.get(group.kind, group.kind)
    return [
        FileFact(
            path=file.name,
            bytes=file.bytes,
            sha256=file.sha256,
            description=f"{words} of run {group.run.number:04d}",
            encoding_format="application/x-hdf5",
            run=group.run.number,
            kind=group.kind,
        )
        for file in group.files.order_by("name")
    ]


def _run(run: Run, instruments: tuple[Instrument, ...]) -> RunFact:
    return RunFact(
        number=run.number,
        kind=run.experiment.type.name if run.experiment else "",
        sample=run.sample.name if run.sample else "",
        techniques=tuple(Technique(t.identifier, t.name) for t in run.techniques.all()),
        quality=run.get_quality_display(),
        began_at=run.begin_at,
        ended_at=run.end_at,
        instruments=instruments,
    )
