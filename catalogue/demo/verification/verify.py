"""The checks, what each is about, and the table they are told in."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalogue.demo import facility
from catalogue.demo.beamtime import plan
from catalogue.demo.layout import Layout
from catalogue.demo.verification import checking, kept, packages, registered, science
from catalogue.demo.verification.checking import Check, Found, Verdict
from catalogue.demo.verification.records import THERE, KeptFile, Records, Replica, Run
from catalogue.ports.movers import Place, mover_for

# What became of the DOI of each proposal.
DOIS = {2012: "findable", 3493: "findable", 3492: "registered", facility.PLAYED: "findable"}
_PIECE = 64  # files that one process hashes at a time
_NEVER = frozenset({facility.DARK.name, facility.TEST_DAQ.name})


def verify(layout: Layout, *, with_story: bool = False) -> int:
    """Do all checks on what `layout` holds, one line for each; 0 if all hold."""
    began = time.monotonic()
    try:
        records = Records(layout)
    except FileNotFoundError as missing:
        print(missing)
        return 1
    with closing(records), _scratch(layout) as scratch:
        verdicts = _told(_quick(layout, records))
        if any(v.faults for v in verdicts):
            print("The slower checks, by the field's own tools, wait until these hold.")
        else:
            verdicts += _told(_slow(layout, records, scratch))
    failed = sum(bool(v.faults) for v in verdicts)
    if with_story:
        _tell_story(layout)
    print(
        f"{len(verdicts) - failed} of {len(verdicts)} checks hold, in"
        f" {time.monotonic() - began:.0f} s."
    )
    return 1 if failed else 0


@contextmanager
def _scratch(layout: Layout) -> Iterator[Path]:
    """A folder for what the tools write; a mover takes it away again."""
    place = Place(mount=layout.temporary, path=f".work/verify-{os.getpid()}")
    folder = layout.temporary / place.path
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        mover_for("posix").discard(place)


def _told(checks: Iterator[Check]) -> list[Verdict]:
    verdicts = []
    for verdict in checking.do(checks):
        print(verdict)
        verdicts.append(verdict)
    return verdicts


def _quick(layout: Layout, records: Records) -> Iterator[Check]:
    """Every byte read again, and the records held against each other: a few seconds."""
    replicas, runs = records.replicas(), records.runs()
    yield from _of_files(records, replicas)
    yield from _of_stores(layout, records, replicas)
    if layout.way == facility.METADATA_CLIENT:
        yield from _of_programs(records, replicas, runs)
    yield from _of_bags(records, replicas, runs)
    yield from _of_words(layout, records, replicas, runs)


def _slow(layout: Layout, records: Records, scratch: Path) -> Iterator[Check]:
    """What the field's own tools say of it, and the corrected pixels."""
    yield Check(
        "package: RO-Crate 1.2, required and recommended (rocrate-validator)",
        packages.is_a_crate,
        [(package.folder, scratch) for package in records.packages()],
    )
    yield from _of_science(layout, records, records.replicas(), records.runs(), scratch)


def _of_files(records: Records, replicas: list[Replica]) -> Iterator[Check]:
    for store in facility.STORES:
        found = [f for r in replicas if r.state in THERE and r.store == store.identifier
                 for f in r.kept()]  # fmt: skip
        if found:
            yield Check(f"files in {store.identifier}, hashed again", kept.files, _pieces(found))
    yield Check("calibration constants, hashed again", kept.files, _pieces(records.constants()))
    yield Check("reports, hashed again", kept.files, _pieces(records.artifacts()))
    verified = [r for r in replicas if r.state in ("verified", "scheduled")]
    yield Check("checksums of verified replicas", kept.replica_checksum, [(r,) for r in verified])


def _pieces(files: list[KeptFile]) -> list[tuple[list[KeptFile]]]:
    return [(files[at : at + _PIECE],) for at in range(0, len(files), _PIECE)]


def _of_stores(layout: Layout, records: Records, replicas: list[Replica]) -> Iterator[Check]:
    removed = [r for r in replicas if r.state in ("removed", "trashed")]
    yield Check("removed data are gone", kept.gone, [(removed,)])
    known = {f.path for r in replicas if r.state in THERE for f in r.kept()}
    known |= {f.path for f in (*records.constants(), *records.artifacts())}
    for replica in replicas:
        if replica.state == "trashed":
            known |= {f.path for f in kept.trashed(replica, layout.stores / replica.store)}
    bags = {package.folder for package in records.packages()}
    yield Check(
        "nothing unknown in the stores, trash as recorded",
        kept.nothing_unknown,
        [(layout.stores / s.identifier, known, bags) for s in facility.STORES],
    )
    yield Check("folders have the facility's modes", kept.modes, [(records.prepared(),)])


def _of_programs(records: Records, replicas: list[Replica], runs: list[Run]) -> Iterator[Check]:
    """What the facility's own programs did, and the catalogue added."""
    theirs = [
        replica
        for replica in replicas
        if (replica.store, replica.kind) == (facility.BROUGHT_BY_TRANSFER, "RAW")
    ]
    yield Check(
        "RAW in offline: brought and reported by the transfer service",
        kept.brought,
        [(theirs, records.reporters(), facility.TRANSFER.name)],
    )
    played = [run for run in runs if run.proposal == facility.PLAYED]
    yield Check(
        "files without sha256 from the DAQ: the checksums are marked as ours",
        kept.added_checksums,
        [(played,)],
    )


def _of_bags(records: Records, replicas: list[Replica], runs: list[Run]) -> Iterator[Check]:
    made = records.packages()
    folders = [(package.folder,) for package in made]
    yield Check("package: a valid bag (bagit)", packages.is_a_bag, folders)
    yield Check(
        "package: sums agree (sha256sum -c)",
        packages.sums_agree,
        [(p.folder, f"{m}manifest-sha256.txt") for p in made for m in ("", "tag")],
    )
    yield Check(
        "package: DataCrate 1.0 profile (bagit_profile)", packages.keeps_the_profile, folders
    )
    yield Check(
        "package: its manifest is the recorded one",
        packages.manifest_is_the_catalogues,
        [(p.folder, p.manifest_sha256) for p in made],
    )
    yield Check(
        "package: exactly the open part",
        packages.holds_the_open_part,
        [(p.folder, _open_part(p.proposal, replicas, runs)) for p in made],
    )


def _open_part(proposal: int, replicas: list[Replica], runs: list[Run]) -> dict[str, str]:
    """Path in the bag to checksum: RAW and PROC of Good and Unclear runs."""
    open_runs = {
        r.number for r in runs if r.proposal == proposal and r.quality in ("good", "unclear")
    }
    return {
        f"data/{r.kind.lower()}/r{r.run:04d}/{f.name}": f.sha256
        for r in replicas
        if r.proposal == proposal and r.run in open_runs and r.kind in ("RAW", "PROC")
        for f in r.files
    }


def _of_science(
    layout: Layout, records: Records, replicas: list[Replica], runs: list[Run], scratch: Path
) -> Iterator[Check]:
    reports = records.reports()
    raw = {(r.proposal, r.run): r for r in _at_hand(replicas, "RAW")}
    proc = _at_hand(replicas, "PROC")
    known = {(r.proposal, r.number): r for r in runs}
    constants = layout.stores / "constants"
    yield Check(
        "reports: made again, the same bytes",
        science.reproduces,
        [
            (report, raw[report.proposal, report.run].folder, constants, scratch / f"again-{n}")
            for n, report in enumerate(reports)
        ],
    )
    for kind, found in (("RAW", list(raw.values())), ("PROC", proc)):
        yield Check(
            f"{kind}: extra_data opens it, extra-data-validate accepts it",
            science.opens,
            [(r, scratch / "linked", _trains(known[r.proposal, r.run])) for r in found],
        )
    yield Check(
        "PROC: |mean - signal| <= 4 sigma / sqrt(N) for 99.9 % of the pixels",
        science.is_corrected,
        [
            (r.folder, _spec(known[r.proposal, r.run], layout))
            for r in proc
            if r.proposal == facility.PLAYED
        ],
    )


def _at_hand(replicas: list[Replica], kind: str) -> list[Replica]:
    """Of each run the copy that a reader would take: offline before online."""
    best: dict[tuple[int, int], Replica] = {}
    for tier in ("online", "offline"):
        for replica in replicas:
            if replica.kind == kind and replica.tier == tier and replica.state in THERE:
                best[replica.proposal, replica.run] = replica
    return list(best.values())


def _trains(run: Run) -> int:
    if run.first_train is None or run.last_train is None:
        raise ValueError(f"run {run.number:04d} of p{run.proposal:06d} has no trains")
    return run.last_train - run.first_train + 1


def _spec(run: Run, layout: Layout) -> object:
    return plan.spec(
        folder=layout.stores,
        run=run.number,
        alias=run.alias,
        begin_at=datetime.fromisoformat(run.begin_at).replace(tzinfo=UTC),
        first_train=run.first_train or 0,
    )


def _of_words(
    layout: Layout, records: Records, replicas: list[Replica], runs: list[Run]
) -> Iterator[Check]:
    by_run = {
        (r.proposal, r.number): [f for r_ in _groups(replicas, r) for f in r_.files] for r in runs
    }
    yield Check(
        "runs claim the files and bytes that are registered",
        kept.run_totals,
        [
            ((r.files, r.bytes), by_run[r.proposal, r.number], f"p{r.proposal:06d} r{r.number:04d}")
            for r in runs
        ],
    )
    never = [
        (f"p{r.proposal:06d} r{r.number:04d}", r.type, len(r.calibrations))
        for r in runs
        if r.type in _NEVER
    ]
    yield Check("dark and test runs are not calibrated", science.never_calibrated, [(never,)])
    dois = records.dois()
    yield Check("DOIs: DataCite schema 4.5", registered.dois_agree, [(layout.registrar, dois)])
    yield Check("DOIs: findable or internal as due", registered.as_expected, [(dois, DOIS)])
    yield Check("no job is held or half done", _none, [(records.unfinished_jobs(),)])


def _groups(replicas: list[Replica], run: Run) -> list[Replica]:
    """One replica, of whatever state, for each kind of data of a run: they have the same files."""
    found = {r.kind: r for r in replicas if (r.proposal, r.run) == (run.proposal, run.number)}
    return list(found.values())


def _none(faults: list[str]) -> Found:
    return Found(tuple(faults))


def _by_whom(layout: Layout) -> str:
    if layout.way == facility.NATIVE:
        return ""
    return f"; DAQ and transfer service were programs with {layout.way}"


def _tell_story(layout: Layout) -> None:
    """The steps of the beamtime by chapter: how many, and how long they took."""
    # why: the steps' own module needs a client of HTTP, which `verify` alone does without
    from catalogue.demo.beamtime.play import POINTS, told_before

    told: dict[int, dict[str, Any]] = {}
    for entry in told_before(layout):
        # A step that was looked at again later took its time when it was played.
        told.setdefault(entry["step"], entry)
    print(f"\nThe beamtime, each step seen from outside while it was played{_by_whom(layout)}:")
    for point, name in POINTS.items():
        steps = [entry for entry in told.values() if entry["point"] == point]
        seconds = sum(entry["seconds"] for entry in steps)
        print(f"  {point}  {name:<20} {len(steps):>3} steps  {seconds:6.1f} s")
