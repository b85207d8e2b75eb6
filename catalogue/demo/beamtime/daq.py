"""The DAQ program: asks for numbers, writes runs, tells of files and trains, closes.

It may be stopped anywhere and started again: what it wrote and said is found again by the run's
alias, and said again it is the same. Where the facility's DAQ uses `metadata_client` it is a
process of its own, which is told here what to do.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from catalogue.demo import facility
from catalogue.demo.beamtime import plan
from catalogue.demo.beamtime.plan import PlannedRun
from catalogue.demo.beamtime.stage import Stage
from catalogue.demo.daq import TRAINS, RunSpec, RunWriter, WrittenFile

_TRAIN = timedelta(milliseconds=100)
_FIRST_TRAIN_EVER = datetime(2017, 1, 1, tzinfo=UTC)


def begin(stage: Stage, planned: PlannedRun) -> dict[str, Any]:
    """Register the run and write its first sequence; the run as the site has it."""
    if stage.daq_program is not None:
        stage.daq_program.do("begin", planned)
        return stage.there(planned)
    run = stage.run(planned) or _register(stage, planned)
    if run["status"] == "open":
        _write(stage, run, [0])
    return run


def write(stage: Stage, planned: PlannedRun) -> dict[str, Any]:
    """Write all sequences of a run that has begun."""
    if stage.daq_program is not None:
        stage.daq_program.do("write", planned)
        return stage.there(planned)
    run = stage.there(planned)
    if run["status"] == "open":
        writer = RunWriter(spec_of(stage, run))
        _write(stage, run, list(range(writer.sequences)))
    return run


def close(stage: Stage, planned: PlannedRun) -> dict[str, Any]:
    """Write what is missing, and close; the run as the site has it then."""
    if stage.daq_program is not None:
        stage.daq_program.do("close", planned)
        return _known(stage, planned)
    run = write(stage, planned)
    if run["status"] != "open":
        return run
    spec = spec_of(stage, run)
    closed: dict[str, Any] = stage.daq.post(
        f"{stage.api_of(run)}/close",
        key=f"{stage.number}-close-{planned.alias}",
        end_at=spec.ended_at.isoformat(),
        last_train=spec.last_train,
    )
    return closed


def _known(stage: Stage, planned: PlannedRun) -> dict[str, Any]:
    """The run once its files are known: where the DAQ registered none, its folder is looked into
    after the close."""
    run = stage.there(planned)
    return stage.wait(
        f"the files of run {run['number']:04d} to be found",
        lambda: next((r for r in [stage.there(planned)] if r["file_count"]), None),
        jobs=lambda: [(j["state"], j["reason"]) for j in stage.jobs("runs.scan", run)],
    )


def spec_of(stage: Stage, run: dict[str, Any]) -> RunSpec:
    """What is written for a run, from what is registered of it."""
    return plan.spec(
        folder=stage.folder("online", "raw", run),
        run=run["number"],
        alias=run["alias"],
        begin_at=datetime.fromisoformat(run["begin_at"]),
        first_train=run["first_train"],
    )


def _register(stage: Stage, planned: PlannedRun) -> dict[str, Any]:
    number = stage.daq.post(
        f"{stage.own}/runs/next-number", key=f"{stage.number}-number-{planned.alias}"
    )["number"]
    # The trains are recorded faster here than they passed, so the run has begun a little earlier.
    began = datetime.now(UTC) - TRAINS[planned.kind] * _TRAIN - timedelta(seconds=1)
    made: dict[str, Any] = stage.daq.post(
        f"{stage.own}/runs",
        number=number,
        begin_at=began.isoformat(),
        experiment=planned.type.name,
        sample=planned.sample or None,
        techniques=[facility.SFX],
        first_train=(began - _FIRST_TRAIN_EVER) // _TRAIN,
        alias=planned.alias,
    )
    return made


def _write(stage: Stage, run: dict[str, Any], sequences: list[int]) -> None:
    """Write sequences, register their files as they are closed, and tell how far the run is."""
    spec = spec_of(stage, run)
    writer = RunWriter(spec)
    api = stage.api_of(run)
    for sequence in sequences:
        if (spec.run, sequence) in stage.written:
            continue
        files = writer.write_sequence(sequence)
        stage.daq.post(f"{api}/files", kind="RAW", files=[_told(file) for file in files])
        stage.daq.post(
            f"{api}/heartbeat",
            bytes=sum(f.bytes for f in files) * (sequence + 1),
            last_train=spec.first_train + spec.span(sequence).stop - 1,
        )
        stage.written.add((spec.run, sequence))


def _told(file: WrittenFile) -> dict[str, Any]:
    told = {"name": file.path.name, "bytes": file.bytes, "sha256": file.sha256}
    return told | ({"adler32": file.adler32} if file.adler32 else {})
