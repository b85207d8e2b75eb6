"""What the catalogue says it keeps, read from its database by plain SQL and nothing of ours.

Paths are put together here from the facility's rule, `<INSTRUMENT>/<CYCLE>/p%06d/raw/r%04d`, and
not by the catalogue's code, so that a mistake there does not repeat itself here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalogue.demo.layout import Layout

THERE = frozenset({"copied", "verified", "scheduled", "corrupt"})
_FOLDERS = {"RAW": "raw", "PROC": "proc", "REDU": "red"}


@dataclass(frozen=True, slots=True)
class Registered:
    """A file as it is registered: its name within the folder of its group, size and sha256."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that has to be where `path` says, with this size and checksum."""

    path: Path
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Replica:
    """The files of one kind of one run in one store. `checksum` is the catalogue's over all."""

    id: int
    state: str
    store: str
    tier: str
    kind: str
    proposal: int
    run: int
    folder: Path
    checksum: str
    files: tuple[Registered, ...]

    def kept(self) -> Iterator[KeptFile]:
        return (KeptFile(self.folder / f.name, f.bytes, f.sha256) for f in self.files)

    def __str__(self) -> str:
        return f"{self.kind} of p{self.proposal:06d} r{self.run:04d} in {self.store}"


@dataclass(frozen=True, slots=True)
class Run:
    """A run with what its writer told of it, and its calibrations' states."""

    proposal: int
    number: int
    alias: str
    type: str
    sample: str
    quality: str
    status: str
    begin_at: str
    first_train: int | None
    last_train: int | None
    files: int
    bytes: int
    calibrations: tuple[str, ...]
    checksums_are_ours: bool


@dataclass(frozen=True, slots=True)
class Report:
    """A report on a calibration (of `run`) or on new constants from it."""

    task: str
    proposal: int
    run: int
    path: Path


@dataclass(frozen=True, slots=True)
class Package:
    proposal: int
    folder: Path
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class Doi:
    name: str
    state: str
    proposal: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A proposal's folder in a store that has them, with the proposal's state."""

    folder: Path
    state: str


class Records:
    """The catalogue's database, opened for reading only."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        if not layout.database.is_file():
            raise FileNotFoundError(f"There is no catalogue in {layout.data}.")
        self._database = sqlite3.connect(f"{layout.database.as_uri()}?mode=ro", uri=True)
        self._database.row_factory = sqlite3.Row

    def close(self) -> None:
        self._database.close()

    def replicas(self) -> list[Replica]:
        """Every replica that there is or was."""
        files: dict[int, list[Registered]] = {}
        for row in self._rows("SELECT data_group_id, name, bytes, sha256 FROM runs_file"):
            known = files.setdefault(row["data_group_id"], [])
            known.append(Registered(row["name"], row["bytes"], row["sha256"]))
        rows = self._rows(
            "SELECT replica.id, replica.state, replica.checksum, store.identifier AS store,"
            " store.tier, groups.id AS group_id, groups.kind, run.number AS run,"
            " proposal.number AS proposal, instrument.identifier AS instrument,"
            " cycle.identifier AS cycle"
            " FROM runs_replica replica"
            " JOIN ground_store store ON store.id = replica.store_id"
            " JOIN runs_datagroup groups ON groups.id = replica.data_group_id"
            " JOIN runs_run run ON run.id = groups.run_id"
            " JOIN proposals_proposal proposal ON proposal.id = run.proposal_id"
            " JOIN ground_instrument instrument ON instrument.id = proposal.instrument_id"
            " JOIN ground_cycle cycle ON cycle.id = proposal.cycle_id"
            " ORDER BY replica.id"
        )
        return [
            Replica(
                id=row["id"],
                state=row["state"],
                store=row["store"],
                tier=row["tier"],
                kind=row["kind"],
                proposal=row["proposal"],
                run=row["run"],
                folder=self._proposal_folder(row, row["store"])
                / _FOLDERS.get(row["kind"], "usr")
                / f"r{row['run']:04d}",
                checksum=row["checksum"],
                files=tuple(files.get(row["group_id"], ())),
            )
            for row in rows
        ]

    def runs(self) -> list[Run]:
        rows = self._rows(
            "SELECT run.*, proposal.number AS proposal, type.name AS type, sample.name AS sample"
            " FROM runs_run run"
            " JOIN proposals_proposal proposal ON proposal.id = run.proposal_id"
            " LEFT JOIN proposals_experiment experiment ON experiment.id = run.experiment_id"
            " LEFT JOIN ground_experimenttype type ON type.id = experiment.type_id"
            " LEFT JOIN proposals_sample sample ON sample.id = run.sample_id"
            " ORDER BY proposal.number, run.number"
        )
        states: dict[int, list[str]] = {}
        for row in self._rows("SELECT run_id, state FROM runs_calibration"):
            states.setdefault(row["run_id"], []).append(row["state"])
        return [
            Run(
                proposal=row["proposal"],
                number=row["number"],
                alias=row["alias"],
                type=row["type"] or "",
                sample=row["sample"] or "",
                quality=row["quality"],
                status=row["status"],
                begin_at=row["begin_at"],
                first_train=row["first_train"],
                last_train=row["last_train"],
                files=row["file_count"],
                bytes=row["bytes"],
                calibrations=tuple(states.get(row["id"], ())),
                checksums_are_ours=bool(row["checksums_are_ours"]),
            )
            for row in rows
        ]

    def constants(self) -> list[KeptFile]:
        return self._files("ground_constantversion")

    def artifacts(self) -> list[KeptFile]:
        return self._files("runs_artifact")

    def reports(self) -> list[Report]:
        """The reports of all finished calibrations and dark run requests."""
        found = []
        for task, table in (("correct", "runs_calibration"), ("characterise", "runs_darkrequest")):
            rows = self._rows(
                "SELECT proposal.number AS proposal, run.number AS run, artifact.path,"  # noqa: S608 - names of ours
                f" store.identifier AS store FROM {table} asked"
                " JOIN runs_artifact artifact ON artifact.id = asked.report_id"
                " JOIN ground_store store ON store.id = artifact.store_id"
                " JOIN runs_run run ON run.id = asked.run_id"
                " JOIN proposals_proposal proposal ON proposal.id = run.proposal_id"
            )
            found += [
                Report(task, r["proposal"], r["run"], self._store(r["store"]) / r["path"])
                for r in rows
            ]
        return found

    def packages(self) -> list[Package]:
        rows = self._rows(
            "SELECT package.path, package.manifest_sha256, store.identifier AS store,"
            " proposal.number AS proposal FROM runs_package package"
            " JOIN ground_store store ON store.id = package.store_id"
            " JOIN proposals_proposal proposal ON proposal.id = package.proposal_id"
            " WHERE package.state = 'ready'"
        )
        return [
            Package(r["proposal"], self._store(r["store"]) / r["path"], r["manifest_sha256"])
            for r in rows
        ]

    def dois(self) -> list[Doi]:
        rows = self._rows("SELECT name, state, proposal FROM ground_doi ORDER BY name")
        return [Doi(row["name"], row["state"], row["proposal"]) for row in rows]

    def prepared(self) -> list[Prepared]:
        """The folder of each proposal that came so far, in each store that has folders."""
        rows = self._rows(
            "SELECT proposal.number AS proposal, proposal.state, store.identifier AS store,"
            " instrument.identifier AS instrument, cycle.identifier AS cycle"
            " FROM proposals_proposal proposal"
            " JOIN ground_instrument instrument ON instrument.id = proposal.instrument_id"
            " JOIN ground_cycle cycle ON cycle.id = proposal.cycle_id"
            " CROSS JOIN ground_store store WHERE store.prepares_folders"
            " AND proposal.state NOT IN ('N', 'WLC', 'LDC', 'WFC')"
        )
        return [Prepared(self._proposal_folder(r, r["store"]), r["state"]) for r in rows]

    def unfinished_jobs(self) -> list[str]:
        """Jobs that are due and not done, each with its reason."""
        rows = self._rows(
            "SELECT id, name, subject_label, state, reason FROM ground_job"
            " WHERE state IN ('held', 'claimed')"
        )
        return [f"job {r['id']} {r['name']} {r['subject_label']}: {r['reason']}" for r in rows]

    def reporters(self) -> dict[int, str]:
        """Replica -> the program that reported it last, of those that one reported."""
        rows = self._rows(
            "SELECT subject_id, program_name FROM ground_entry"
            " WHERE subject_type = 'runs.replica' AND move = 'report_copied' ORDER BY id"
        )
        return {row["subject_id"]: row["program_name"] for row in rows}

    def _files(self, table: str) -> list[KeptFile]:
        rows = self._rows(
            "SELECT kept.path, kept.bytes, kept.sha256, store.identifier AS store"  # noqa: S608 - names of ours
            f" FROM {table} kept"
            " JOIN ground_store store ON store.id = kept.store_id"
        )
        return [
            KeptFile(self._store(row["store"]) / row["path"], row["bytes"], row["sha256"])
            for row in rows
        ]

    def _store(self, identifier: str) -> Path:
        return self._layout.stores / identifier

    def _proposal_folder(self, row: sqlite3.Row, store: str) -> Path:
        inside = f"{row['instrument']}/{row['cycle']}/p{row['proposal']:06d}"
        return self._store(store) / inside

    def _rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with closing(self._database.execute(statement, values)) as found:
            return found.fetchall()
