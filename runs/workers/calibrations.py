"""Correcting runs and making constants, by an engine that knows neither database nor signal."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings

from catalogue.ground import clock
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import enqueue
from catalogue.ground.lifecycle import Outcome, Work, World, advance, performs
from catalogue.ground.models import Detector, DetectorUnit, Store
from catalogue.ports.engines import contract, engine_for
from catalogue.ports.movers import Entry, Place, Receipt
from catalogue.ports.outcome import Permanent, Transient
from runs import bulk, constants, plans, queries, registration
from runs.models import Artifact, Calibration, DarkRequest, DataGroup, Replica, Run
from runs.workers import places

KINDS = ("Offset", "Noise", "BadPixels")


def _raw(run: Run) -> tuple[DataGroup, Replica, tuple[contract.RawFile, ...]]:
    """The raw files of a run and the replica to read them from."""
    group = run.data_groups.filter(kind="RAW").first()
    replica = queries.readable_replica(group) if group is not None else None
    if group is None or replica is None:
        raise Permanent(f"There is no copy of the raw data of {run.label} to read from.")
    entries = queries.entries(group)
    if any(entry.sha256 is None for entry in entries):
        enqueue(list(plans.verification(replica, World(by=WORKER))), by=WORKER)
        raise Transient(f"{_capital(group.label)} was not read yet: its writer gave no sha256.")
    files = tuple(contract.RawFile(e.path, e.bytes, e.sha256 or "") for e in entries)
    return group, replica, files


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]


@performs("runs.characterise", plan=plans.dark, who="instrument scientist")
def characterise(work: Work) -> Outcome | None:
    """New constants from a dark run, with their report."""
    request: DarkRequest = work.subject(DarkRequest)
    if request.state == DarkRequest.State.REQUESTED:
        advance(request.begin, by=WORKER)
    if request.state != DarkRequest.State.RUNNING:
        return None
    try:
        return _characterise(work, request)
    except Permanent as problem:
        why = problem.reason
        return Outcome(lambda: advance(request.fail, by=WORKER, reason=why, at=clock.now()))


def _characterise(work: Work, request: DarkRequest) -> Outcome:
    run, detector = request.run, request.detector
    units = constants.behind(detector)
    _, replica, files = _raw(run)
    store = Store.objects.get(identifier=settings.CONSTANTS_STORE)
    output = places.work_folder(store, f"dark-{request.pk}")
    receipt = engine_for(settings.ENGINE).characterise(
        contract.DarkRequest(
            raw_folder=places.folder(places.of_replica(replica)),
            files=files,
            output_folder=places.folder(output),
            detector=detector.identifier,
            units=tuple(units),
            configuration={},
            label=f"{run.label}, {detector.identifier}",
            physical_units={a: u.physical_name for a, u in units.items()},
        ),
        progress=work.progress,
        cancelled=work.cancelled,
    )
    home = f"{detector.identifier}/dark-{request.pk:06d}"
    moved = _keep(store, output, store, home, [c.file for c in receipt.constants])
    report = _keep_report(output, store, receipt.report, f"dark-{request.pk:06d}.pdf")

    def record() -> None:
        _locked(detector)
        versions = constants.add(
            request, receipt.constants, store, home, {e.path: e for e in moved.entries}
        )
        request.versions.set(versions)
        advance(
            request.finish,
            by=WORKER,
            at=clock.now(),
            feedback=f"{len(versions)} constant versions made.",
            configuration=dict(receipt.configuration),
            software=dict(receipt.software),
            report=_artifact(run, report),
        )

    places.maker(store).discard(output)
    return Outcome(record, {"constants": len(receipt.constants)})


@performs("runs.calibrate", plan=plans.calibration, who="instrument scientist")
def calibrate(work: Work) -> Outcome | None:
    """RAW to PROC. Where constants are missing the calibration is held, not the job: it goes on by
    itself when they arrive."""
    calibration: Calibration = work.subject(Calibration)
    if calibration.state not in (Calibration.State.REQUESTED, Calibration.State.RUNNING):
        return None
    try:
        return _correct(work, calibration)
    except Permanent as problem:
        why = problem.reason
        return Outcome(lambda: advance(calibration.fail, by=WORKER, reason=why, at=clock.now()))


def _correct(work: Work, calibration: Calibration) -> Outcome:
    run, detector = calibration.run, calibration.detector
    units = list(calibration.units.all()) or list(constants.behind(detector).values())
    chosen, missing = constants.select(detector, units, KINDS, at=run.begin_at)
    if missing:
        names = ", ".join(sorted({unit for unit, _ in missing}))
        return Outcome(lambda: _wait_for_constants(calibration, units, names))
    engine = engine_for(settings.ENGINE)
    advance(calibration.begin, by=WORKER, engine=f"{engine.name} {engine.version}")
    _, replica, files = _raw(run)
    store = replica.store if replica.store.tier == "offline" else _offline()
    group = DataGroup(run=run, kind="PROC")
    _not_on_its_way_out(group, store)
    output = places.work_folder(store, f"calibration-{calibration.pk}")
    receipt = engine.correct(
        contract.CorrectionRequest(
            raw_folder=places.folder(places.of_replica(replica)),
            files=files,
            output_folder=places.folder(output),
            constants=tuple(constants.as_input(v) for v in chosen),
            configuration=dict(calibration.configuration),
            detector=detector.identifier,
            units=tuple(u.aggregator or "" for u in units),
            label=f"{run.label}, {detector.identifier}",
        ),
        progress=work.progress,
        cancelled=work.cancelled,
    )
    moved = _keep(store, output, store, group.path, list(receipt.files))
    report = _keep_report(output, store, receipt.report, f"calibration-{calibration.pk:06d}.pdf")

    def record() -> None:
        calibration.constants.set(chosen)
        _record_files(run, moved, store)
        advance(
            calibration.available,
            by=WORKER,
            at=clock.now(),
            configuration=dict(receipt.configuration),
            software=dict(receipt.software),
            report=_artifact(run, report),
        )

    places.maker(store).discard(output)
    return Outcome(record, {"files": moved.files, "bytes": moved.bytes})


def _wait_for_constants(calibration: Calibration, units: list[DetectorUnit], names: str) -> None:
    """Hold the calibration, unless what it misses has arrived since it was looked for. The detector
    is locked, so that new constants come either before this look or after the hold."""
    detector = _locked(calibration.detector)
    if not constants.select(detector, units, KINDS, at=calibration.run.begin_at)[1]:
        raise Transient("The constants have arrived meanwhile.")
    advance(calibration.hold, by=WORKER, reason=f"No constants for {names}.")


def _locked(detector: Detector) -> Detector:
    return Detector.objects.select_for_update().get(pk=detector.pk)


def _not_on_its_way_out(group: DataGroup, store: Store) -> None:
    """What is put beside files that are being removed would go with them."""
    leaving = (Replica.State.SCHEDULED, Replica.State.TRASHED)
    found = Replica.objects.filter(
        data_group__run=group.run, data_group__kind=group.kind, store=store, state__in=leaving
    )
    if found.exists():
        raise Permanent(f"{group} in {store} is on its way out; mark the run anew to keep it.")


def _offline() -> Store:
    return Store.objects.filter(tier="offline", prepares_folders=True).order_by("rank")[:1].get()


def _keep(
    source: Store, folder: Place, store: Store, path: str, files: list[contract.ProducedFile]
) -> Receipt:
    """Copy what an engine made to where it stays, read back."""
    entries = [Entry(path=f.path, bytes=f.bytes, sha256=f.sha256) for f in files]
    return places.maker(store).copy(folder, places.place(store, path), entries)


def _record_files(run: Run, moved: Receipt, store: Store) -> None:
    """Register the corrected files; their copy was read back when it was made."""
    row = Run.objects.select_for_update(of=("self",)).select_related("proposal").get(pk=run.pk)
    rows = [bulk.Row(e.path, e.bytes, e.sha256 or "", "") for e in moved.entries]
    before = set(row.data_groups.filter(kind="PROC").values_list("file_count", flat=True))
    group = registration.record(row, "PROC", rows, store)
    replica = queries.live_replica(group, store) or Replica.objects.create(
        data_group=group, store=store, created_at=clock.now()
    )  # an earlier one was removed, and these are its files made again
    if before - {0, group.file_count}:
        _grown(group, replica)
    elif replica.state != Replica.State.VERIFIED:
        advance(
            replica.verify,
            by=WORKER,
            at=clock.now(),
            checksum=queries.manifest_checksum(moved.entries),
            files=moved.files,
            size=moved.bytes,
        )


def _grown(group: DataGroup, here: Replica) -> None:
    """Files of another detector module were added: `here` is whole again, since all of them were
    read back; the copies elsewhere lack the new ones and are filled up."""
    for replica in group.replicas.filter(state__in=queries.THERE).exclude(pk=here.pk):
        why = f"Files were added to {group}."
        if replica.state == Replica.State.SCHEDULED:
            advance(replica.keep, by=WORKER, reason=why)
        advance(replica.outgrow, by=WORKER, reason=why)
    advance(
        here.verify,
        by=WORKER,
        at=here.verified_at or clock.now(),
        checksum=queries.manifest_checksum(queries.entries(group)),
        files=group.file_count,
        size=group.bytes,
    )


def _keep_report(
    folder: Place, source: Store, report: contract.ProducedFile, name: str
) -> dict[str, Any]:
    """Keep a report beside the artifacts, under a name of its own."""
    store = Store.objects.get(identifier=settings.ARTIFACT_STORE)
    with places.reader(source).open_read(folder, report.path) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != report.sha256:
        raise Permanent("The engine's report is not what the engine said.", file=report.path)
    places.maker(store).write(places.place(store, "reports"), {name: content})
    return {
        "store": store, "path": f"reports/{name}", "bytes": len(content), "sha256": report.sha256,
    }  # fmt: skip


def _artifact(run: Run, report: dict[str, Any]) -> Artifact:
    made: Artifact = Artifact.objects.create(
        run=run,
        proposal=run.proposal,
        kind="report",
        content_type="application/pdf",
        created_at=clock.now(),
        **report,
    )
    return made
