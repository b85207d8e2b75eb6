"""The DAQ as a program that uses `metadata_client`: it counts its runs itself, and tells of files
as the field's programs do.

It is told what to record on standard input, a JSON object a line, e.g. `{"do": "write", "run":
"first"}`, and answers each with one. Of some runs it registers every file, with an adler32; of the
others it hands in a list in its own words, so that the catalogue looks into their folders once they
are closed. It may be stopped anywhere: what it wrote and said is found again by the run's alias.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from catalogue.demo import facility
from catalogue.demo.beamtime import plan
from catalogue.demo.beamtime.plan import PlannedRun
from catalogue.demo.daq import TRAINS, RunSpec, RunWriter, WrittenFile
from catalogue.demo.programs.connecting import (
    FailedError,
    answered,
    arguments,
    client_for,
    listed,
    raw_folder,
    runs_of,
    told,
)

OPEN, RAW = 1, "RAW"
FILE_BY_FILE = (plan.DARK, plan.FIRST, plan.FLIPPED, plan.SAVED)
"""The runs whose files are registered one by one; the files of the others are found by the
catalogue."""
STORE = "online"
PROPOSAL = facility.PLAYED
_TRAIN = timedelta(milliseconds=100)
_FIRST_TRAIN_EVER = datetime(2017, 1, 1, tzinfo=UTC)


class Daq:
    """Records the runs of the plan below `stores`, and tells the catalogue of them."""

    def __init__(self, client: Any, stores: Path) -> None:
        self._client = client
        self._stores = stores
        self._registered: set[tuple[str, int]] = set()

    def begin(self, planned: PlannedRun) -> dict[str, Any]:
        """Register the run and write its first sequence."""
        run = self._find(planned) or self._register(planned)
        if run["flg_status"] == OPEN:
            self._write(planned, run, [0])
        return run

    def write(self, planned: PlannedRun) -> dict[str, Any]:
        """Write all sequences of a run that has begun."""
        run = self._there(planned)
        if run["flg_status"] == OPEN:
            self._write(planned, run, list(range(self._spec(run).sequences)))
        return run

    def close(self, planned: PlannedRun) -> dict[str, Any]:
        """Write what is missing, tell what there is, and close."""
        run = self.write(planned)
        if run["flg_status"] != OPEN:
            return run
        spec, group = self._spec(run), self._group(run)
        ids = (run["experiment_id"], run["sample_id"] or "", run["id"], group)
        if planned not in FILE_BY_FILE:
            self._hand_in_a_list(group, ids, spec)
        ended = {"end_at": spec.ended_at.isoformat(), "last_train": spec.last_train}
        told(self._client.close_run(*ids, ended))
        return self._there(planned)

    # ------------------------------------------------------------ runs

    def _find(self, planned: PlannedRun) -> dict[str, Any] | None:
        runs = runs_of(self._client, PROPOSAL)
        return next((run for run in runs if run["run_alias"] == planned.alias), None)

    def _there(self, planned: PlannedRun) -> dict[str, Any]:
        run = self._find(planned)
        if run is None:
            raise FailedError(f"The run “{planned.alias}” is not registered.")
        return run

    def _register(self, planned: PlannedRun) -> dict[str, Any]:
        """Register a run under the number after the last one, with the group of its raw data."""
        number = max((run["run_number"] for run in runs_of(self._client, PROPOSAL)), default=0) + 1
        # The trains are recorded faster here than they passed; the catalogue keeps milliseconds.
        began = datetime.now(UTC) - TRAINS[planned.kind] * _TRAIN - timedelta(seconds=1)
        began = began.replace(microsecond=began.microsecond // 1000 * 1000)
        (technique,) = answered(self._client.get_technique_by_identifier_api(facility.SFX))
        run = {
            "run_number": number,
            "run_alias": planned.alias,
            "begin_at": began.isoformat(timespec="milliseconds"),
            "first_train": (began - _FIRST_TRAIN_EVER) // _TRAIN,
            "runs_techniques_attributes": [{"technique_id": technique["id"]}],
        }
        group = {
            "data_group_type_id": self._raw,
            "creator_id": answered(self._client.get_current_user())["id"],
            "prefix_path": f"{self._folder(number)}/",
        }
        experiments = told(self._client.get_proposal_experiments(PROPOSAL))
        samples = listed(self._client.get_proposal_samples(PROPOSAL)) if planned.sample else []
        told(
            self._client.register_run(
                _named(planned.type.name, experiments),
                _named(planned.sample, samples) if planned.sample else None,
                run,
                group,
            )
        )
        return self._there(planned)

    @cached_property
    def _raw(self) -> int:
        """The id of the kind of data that a DAQ writes."""
        kinds = told(self._client.get_all_data_group_types())
        found: int = next(kind["id"] for kind in kinds if kind["identifier"] == RAW)
        return found

    def _folder(self, number: int) -> Path:
        return self._home / f"r{number:04d}"

    @cached_property
    def _home(self) -> Path:
        """Where the raw data of the proposal lie."""
        return self._stores / STORE / raw_folder(self._client, PROPOSAL)

    def _spec(self, run: Mapping[str, Any]) -> RunSpec:
        return plan.spec(
            folder=self._folder(run["run_number"]),
            run=run["run_number"],
            alias=run["run_alias"],
            begin_at=datetime.fromisoformat(run["begin_at"]),
            first_train=run["first_train"],
        )

    # ------------------------------------------------------------ files

    def _write(self, planned: PlannedRun, run: Mapping[str, Any], sequences: list[int]) -> None:
        writer = RunWriter(self._spec(run))
        for sequence in sequences:
            if (planned.alias, sequence) in self._registered:
                continue
            files = writer.write_sequence(sequence)
            if planned in FILE_BY_FILE:
                self._register_files(self._group(run), files)
            self._registered.add((planned.alias, sequence))

    def _group(self, run: Mapping[str, Any]) -> int:
        """The group of the raw data of a run."""
        ids = answered(
            self._client.get_run_all_raw_data_groups_ids_api(run["run_number"], PROPOSAL)
        )
        return int(ids[0])

    def _register_files(self, group: int, files: list[WrittenFile]) -> None:
        """Register those files that are not registered yet."""
        kind = self._raw
        now = datetime.now(UTC)
        rows = [
            {
                "filename": file.path.name,
                "flg_available": True,
                "flg_immutable": True,
                "file_creation_at": now.isoformat(timespec="milliseconds"),
                "data_group_id": group,
                "data_group_type_id": kind,
                "byte_size": file.bytes,
                "checksum": file.adler32,
                "format": "hdf5",
                "year": now.year,
            }
            for file in files
        ]
        known = {
            row["filename"] for row in answered(self._client.check_bulk_dataset_file_api(rows))
        }
        missing = [row for row in rows if row["filename"] not in known]
        if missing:
            answered(self._client.create_bulk_dataset_file_api(missing))

    def _hand_in_a_list(self, group: int, ids: tuple[Any, ...], spec: RunSpec) -> None:
        """The files of a run in our own words; once."""
        if answered(self._client.get_all_data_files_by_data_group_id_api(group)):
            return
        files = [
            {
                "filename": path.name,
                "relative_path": f"r{spec.run:04d}/",
                "size": path.stat().st_size,
            }
            for path in sorted(spec.folder.glob(f"{RAW}-*.h5"))
        ]
        told(self._client.register_run_data(*ids, {}, files))


def _named(name: str, rows: list[dict[str, Any]]) -> int:
    for row in rows:
        if row["name"] == name:
            return int(row["id"])
    raise FailedError(f"The proposal has no “{name}”.")


def main() -> int:
    """Do what standard input says, until it ends."""
    given = arguments(__doc__)
    daq = Daq(client_for(facility.DAQ.login, given.site, given.secrets), given.stores)
    does: Mapping[str, Callable[[PlannedRun], dict[str, Any]]] = {
        "begin": daq.begin, "write": daq.write, "close": daq.close,
    }  # fmt: skip
    planned = {run.alias: run for run in plan.RUNS}
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            run = does[asked["do"]](planned[asked["run"]])
            answer: dict[str, Any] = {"run": run["run_number"]}
        # The client answers what is not JSON with ValueError.
        except (FailedError, requests.RequestException, OSError, ValueError) as failure:
            answer = {"failed": f"{type(failure).__name__}: {failure}"}
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
