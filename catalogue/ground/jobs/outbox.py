"""Asking for work: a row first, then a hint to the workers once the row is committed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from celery import current_app
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from kombu.exceptions import OperationalError

from catalogue.ground import clock
from catalogue.ground.actor import Actor
from catalogue.ground.models import Job, Recorded, Thing

log = logging.getLogger(__name__)

PERFORM = "catalogue.perform"
OPEN = (Job.State.WAITING, Job.State.CLAIMED, Job.State.HELD)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job that somebody wants: `name` of the work, the row it is about, not before `after`.

    `says` and `bytes` foretell it to people. Jobs of one `lane` are done one after the other;
    unless said otherwise a lane is one work on one subject.
    """

    name: str
    subject: Recorded
    says: str = ""
    after: datetime | None = None
    bytes: int | None = None
    params: dict[str, Any] = field(default_factory=dict)
    lane: str = ""


def enqueue(wanted: Sequence[Wanted], *, by: Actor) -> list[Job]:
    """Write the rows; hints go out when the surrounding transaction has committed.

    A job that is already waiting for the same subject with the same parameters is not asked for
    twice, unless one of the two is due only later, at another time.
    """
    now = clock.now()
    rows = [_row(w, by, now) for w in wanted]
    if not rows:
        return []
    with transaction.atomic(savepoint=False):
        waiting = {_same(j, now) for j in _waiting(rows)}
        fresh = [r for r in rows if _same(r, now) not in waiting]
        made = Job.objects.bulk_create(fresh)
    due_now = [j.pk for j in made if j.after <= now]
    if due_now:
        transaction.on_commit(lambda: dispatch(due_now))
    return made


def _waiting(rows: Sequence[Job]) -> models.QuerySet[Job]:
    """Jobs in the lanes of `rows` that wait, kept from beginning until this transaction is done.
    One that is about to be claimed is not among them: it may not see what we have done."""
    there = Job.objects.filter(lane__in=[r.lane for r in rows], state=Job.State.WAITING)
    return there.select_for_update(skip_locked=True).only("name", "lane", "params", "after")


def _same(job: Job, now: datetime) -> tuple[str, str, str, datetime]:
    """What makes two jobs one: all that are due by now are due at the same time. A database may
    give the keys of `params` back in an order of its own."""
    return job.name, job.lane, json.dumps(job.params, sort_keys=True), max(job.after, now)


def _row(wanted: Wanted, by: Actor, now: datetime) -> Job:
    subject = wanted.subject
    kind = subject._meta.label_lower
    return Job(
        name=wanted.name,
        lane=wanted.lane or f"{kind}:{subject.pk}:{wanted.name}",
        subject_type=kind,
        subject_id=subject.pk,
        subject_label=subject.label[:200],
        proposal=subject.proposal_number,
        params=wanted.params,
        after=wanted.after or now,
        asked_by=by.name,
        created_at=now,
    )


def dispatch(job_ids: Iterable[int]) -> None:
    """Hint to the workers that these jobs are due. A dead broker loses nothing but time: the
    sweep finds the rows."""
    for job_id in job_ids:
        try:
            current_app.send_task(PERFORM, args=[job_id], ignore_result=True, retry=False)
        except (OperationalError, OSError) as problem:
            log.warning("No broker for job %s, the sweep will find it: %s", job_id, problem)
            return


def due(now: datetime) -> models.QuerySet[Job]:
    """Jobs that may be claimed now: waiting, due, and at the head of their lane, in which nothing
    runs (of two that are written at once the later number may be seen first)."""
    first = Q(id__lt=OuterRef("id")) | Q(state=Job.State.CLAIMED)
    before = Job.objects.filter(first, lane=OuterRef("lane"), state__in=OPEN)
    return Job.objects.filter(~Exists(before), state=Job.State.WAITING, after__lte=now).order_by(
        "after", "id"
    )


def cancel_waiting(subject: Thing, names: Sequence[str]) -> models.QuerySet[Job]:
    """The jobs on `subject` that have not begun, and those that run: what a change of mind must
    take back. The caller makes the moves."""
    return Job.objects.filter(
        subject_type=subject._meta.label_lower,
        subject_id=subject.pk,
        name__in=names,
        state__in=OPEN,
    )
