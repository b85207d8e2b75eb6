"""What people and other moves may do to a job: hold it, retry a held one, call one off."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.jobs import cancel_waiting, dispatch
from catalogue.ground.lifecycle.door import advance, first_refusal, lock
from catalogue.ground.lifecycle.moves import Move
from catalogue.ground.lifecycle.world import World
from catalogue.ground.models import Job, Thing
from catalogue.ground.refusal import Refused


def hold(job: Job, *, by: Actor, reason: str) -> Job:
    """Keep a job that waits from being done, until somebody retries it. Raises `Refused`; one that
    runs is called off instead."""
    with transaction.atomic():
        row = lock(job)
        assert isinstance(row, Job)
        if row.state == Job.State.CLAIMED:
            raise Refused(f"{job.label.capitalize()} runs; it can be cancelled.", kind="state")
        advance(job.hold, by=by, reason=reason, who=by.name, evidence={})
    return job


def retry(job: Job, *, by: Actor, reason: str = "") -> Job:
    """Let a held job go again, from its first attempt. Raises `Refused`."""
    advance(job.retry, by=by, reason=reason, at=clock.now())
    transaction.on_commit(lambda: dispatch([job.pk]))
    return job


def call_off(job: Job, *, by: Actor, reason: str) -> Job:
    """Cancel a job. One that runs is asked to stop and takes back what it has half done; one that
    waits or is held is cancelled here. Raises `Refused`."""
    with transaction.atomic():
        row = lock(job)
        assert isinstance(row, Job)
        if row.state != Job.State.CLAIMED:
            advance(job.cancel, by=by, reason=reason, at=clock.now())
            return job
        refusal = first_refusal(Move.of(row.cancel), row, World(by=by, reason=reason))
        if refusal is not None:
            raise refusal
        Job.objects.filter(pk=row.pk).update(cancel_asked=True, reason=reason)
        journal.write(row, "ask to stop", by=by, before=row.state, after=row.state, reason=reason)
    return job


def call_off_all(subject: Thing, names: Sequence[str], *, by: Actor, reason: str) -> int:
    """Call off every open job of these names on `subject`; how many there were."""
    found = list(cancel_waiting(subject, names))
    for job in found:
        call_off(job, by=by, reason=reason)
    return len(found)
