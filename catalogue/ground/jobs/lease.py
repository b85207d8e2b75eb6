"""Claiming a job: one conditional UPDATE, and a lease that must be kept alive.

A worker that dies leaves a lease behind; when it has run out, the job waits again. The claim's
random name fences the dead off: whoever records a result must still hold the lease.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from catalogue.ground import clock
from catalogue.ground.jobs.outbox import due
from catalogue.ground.models import Job, JobAttempt


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do one job, until it runs out. `claim` tells it from every other one."""

    job_id: int
    claim: str


def _until(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.JOB_LEASE_SECONDS)


@transaction.atomic
def claim(job_id: int) -> Lease | None:
    """Take the job, if it is due, at the head of its lane and nobody else has it."""
    now = clock.now()
    lease = Lease(job_id=job_id, claim=uuid.uuid4().hex)
    taken = (
        Job.objects.filter(pk__in=due(now).filter(pk=job_id).values("pk"), state=Job.State.WAITING)
        .order_by()
        .update(
            state=Job.State.CLAIMED,
            claim=lease.claim,
            lease_until=_until(now),
            started_at=now,
            attempts=F("attempts") + 1,
            cancel_asked=False,
            progress=0,
            progress_text="",
        )
    )
    if not taken:
        return None
    worker = f"{socket.gethostname()[:100]}:{os.getpid()}"
    JobAttempt.objects.create(job_id=job_id, claim=lease.claim, worker=worker, began_at=now)
    return lease


def tell_end(lease: Lease, job: Job, now: datetime) -> None:
    """Keep what came of an attempt, in the transaction in which `job` ended or was put back."""
    done = job.state == Job.State.DONE
    JobAttempt.objects.filter(claim=lease.claim).update(
        ended_at=now,
        end=job.state,
        reason="" if done else job.reason,
        evidence={} if done else job.evidence,
    )


def extend(lease: Lease, *, progress: float | None = None, text: str | None = None) -> bool:
    """Keep the lease alive and tell how far the work is. False when it is lost or the work was
    called off: then the worker stops."""
    changes: dict[str, object] = {"lease_until": _until(clock.now())}
    if progress is not None:
        changes["progress"] = min(max(progress, 0.0), 1.0)
    if text is not None:
        changes["progress_text"] = text[:160]
    return bool(_of(lease).filter(cancel_asked=False).update(**changes))


def is_held(lease: Lease) -> bool:
    """Whether this lease still holds its job, at this moment."""
    return _of(lease).exists()


def holds(lease: Lease) -> Job | None:
    """The job, locked, if this lease still holds it; to be asked inside the transaction that
    records the result."""
    return _of(lease).select_for_update().first()


def _of(lease: Lease) -> QuerySet[Job]:
    return Job.objects.filter(pk=lease.job_id, claim=lease.claim, state=Job.State.CLAIMED)


def lapse_expired(now: datetime) -> int:
    """Put jobs whose worker fell silent back to waiting. Returns how many."""
    silent = _silent(now).filter(cancel_asked=False, attempts__lt=settings.JOB_ATTEMPTS)
    why = "The worker fell silent; the job is taken up again."
    with transaction.atomic():
        found = list(
            silent.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True)
        )
        if not found:
            return 0
        tell_silence(found, now, why)
        return Job.objects.filter(pk__in=found).update(
            state=Job.State.WAITING, claim="", lease_until=None, reason=why
        )


def tell_silence(job_ids: Sequence[int], now: datetime, why: str) -> None:
    """Keep that the workers of these jobs fell silent."""
    JobAttempt.objects.filter(job__in=job_ids, ended_at__isnull=True).update(
        ended_at=now, end=JobAttempt.End.SILENT, reason=why
    )


def spent(now: datetime) -> QuerySet[Job]:
    """Jobs whose worker fell silent and that do not wait again, locked: they were called off, or
    have had all their attempts."""
    return _silent(now).exclude(cancel_asked=False, attempts__lt=settings.JOB_ATTEMPTS).order_by(
        "pk"
    ).select_for_update(skip_locked=True)  # fmt: skip


def _silent(now: datetime) -> QuerySet[Job]:
    return Job.objects.filter(state=Job.State.CLAIMED, lease_until__lt=now)
