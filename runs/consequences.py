"""Moves that follow from others in the same transaction: what a changed mark takes back, what a
verified copy makes possible, what arriving constants set free."""

from __future__ import annotations

from typing import Any

from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.jobs.outbox import OPEN
from catalogue.ground.lifecycle import Move, World, advance
from catalogue.ground.lifecycle.control import call_off_all
from catalogue.ground.models import Job
from catalogue.ground.refusal import Refused
from runs import calibrating, guards, plans, queries
from runs.models import Calibration, DarkRequest, Package, Replica, Run

COPIES = ("runs.migrate", "runs.archive")
WAITED_FOR: dict[str, Any] = {
    "runs.calibrate": Calibration,
    "runs.characterise": DarkRequest,
    "runs.package": Package,
}


def take_back_copies(run: Run, world: World) -> None:
    """A run that is Not interesting is not copied: waiting copies are cancelled, a running one
    takes back what it has begun."""
    if run.quality == Run.Quality.NOT_INTERESTING:
        call_off_all(run, COPIES, by=WORKER, reason="The run was marked Not interesting.")


def take_back_copy(job: Job, world: World) -> None:
    """A copy that was called off leaves nothing: what it had begun is taken back in its lane, where
    nobody else works on the same files."""
    if job.name in COPIES and job.attempts:
        run = Run.objects.select_related("proposal").get(pk=job.subject_id)
        again = Wanted("runs.take_back_copy", run, params=job.params, lane=job.lane)
        enqueue([again], by=world.by)


def fail_what_was_called_off(job: Job, world: World) -> None:
    """What waits for a job that was called off would wait for ever, and could not be asked for
    again."""
    model = WAITED_FOR.get(job.name)
    thing = model._base_manager.filter(pk=job.subject_id).first() if model else None
    if thing is not None and Move.of(thing.fail).starts_from(thing.state):
        advance(thing.fail, by=WORKER, at=world.now, reason=f"It was called off: {job.reason}")


def migrate_what_came(replica: Replica, world: World) -> None:
    """What came back from the trash, was found whole after all, or was registered only when its run
    was closed and marked, is copied on as the mark asks for."""
    if replica.data_group.run_id is None:
        return
    run = replica.data_group.run
    enqueue(list(plans.migration(run, World(by=WORKER, now=world.now))), by=WORKER)


def calibrate_good_run(run: Run, world: World) -> None:
    """A run marked Good whose raw data have been migrated is calibrated by itself."""
    _calibrate(run)


def calibrate_migrated(replica: Replica, world: World) -> None:
    """Raw data that have been verified offline make calibration possible."""
    if replica.data_group.kind == "RAW" and replica.data_group.run_id is not None:
        _calibrate(replica.data_group.run)


def alarm_if_it_was_the_last(replica: Replica, world: World) -> None:
    """Data that somebody wants, and of which no copy is left that was read back, are an alarm: a
    job that is held until a data manager has seen to it. Copies that were only reported so far are
    read at once."""
    if replica.verified_at is None or (loss := queries.loss_of(replica.data_group)) is None:
        return
    for left in replica.data_group.replicas.filter(state=Replica.State.COPIED):
        enqueue(list(plans.verification(left, world)), by=WORKER)
    lane = f"runs.datagroup:{replica.data_group_id}:runs.last_copy"
    if Job.objects.filter(lane=lane, state__in=OPEN).exists():
        return
    for job in enqueue([Wanted("runs.last_copy", replica, lane=lane)], by=WORKER):
        advance(job.hold, by=WORKER, reason=loss, who="data manager", evidence={})


def _calibrate(run: Run) -> None:
    if run.quality != Run.Quality.GOOD or run.status != Run.Status.CLOSED:
        return
    if guards.why_not_calibrated_by_itself(run) or run.calibrations.exists():
        return
    if queries.migrated(run) and queries.detector_of(run.proposal) is not None:
        try:
            calibrating.request_calibration(run, by=WORKER, automatic=True)
        except Refused:
            return  # nothing to correct in this run


def release_held_calibrations(request: DarkRequest, world: World) -> None:
    """New constants have arrived: calibrations that waited for them go on by themselves. They may
    be another team's, who need not know whose dark run it was."""
    for calibration in queries.waiting_for_constants(request.detector):
        reason = f"There are new constants for {request.detector.identifier}."
        advance(calibration.ask_again, by=WORKER, reason=reason)
