"""Doing one job: claim, perform, and record the result with the end of the job in one
transaction, so that work delivered twice or killed anywhere has its effect once."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from catalogue.ground import clock, jobs
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Lease, Wanted
from catalogue.ground.lifecycle import rules
from catalogue.ground.lifecycle.door import advance
from catalogue.ground.lifecycle.world import World
from catalogue.ground.models import Job, Recorded, Thing
from catalogue.ground.outcome import Cancelled, PortError, Transient
from catalogue.ground.refusal import Refused

log = logging.getLogger(__name__)

# A deadlock, a lock that was waited for too long, a connection that broke: it may work later.
DatabaseUnready = (OperationalError, InterfaceError)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker function brings back: `record` is called in the transaction that ends the
    job (it makes the next moves), `result` is kept on the job."""

    record: Callable[[], object] = lambda: None
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Work:
    """A job being done: its row as claimed, and the way to tell progress and hear of an end."""

    job: Job
    lease: Lease
    stop: threading.Event = field(default_factory=threading.Event)

    def subject(self, model: type[Recorded]) -> Any:
        """The row that the job is about."""
        return model._base_manager.get(pk=self.job.subject_id)

    def progress(self, fraction: float, text: str = "") -> None:
        """Tell how far the work is; notices when it was called off."""
        if not jobs.extend(self.lease, progress=fraction, text=text):
            self.stop.set()

    def cancelled(self) -> bool:
        """Whether to stop: called off by a person, or the lease is lost."""
        return self.stop.is_set()


Performer = Callable[[Work], Outcome | None]
_performers: dict[str, Performer] = {}
_who: dict[str, str] = {}


def performs(
    name: str, *, plan: rules.Plan | None = None, who: str = "data manager"
) -> Callable[[Performer], Performer]:
    """Name the function that does the job `name`.

    `plan` says which rows of work a move means: (thing, world) -> Wanted …; without one it is one
    job about the thing that moved. `who` must act when the job is held.
    """

    def declare(function: Performer) -> Performer:
        def one_job(thing: Thing, _: World) -> Iterable[Wanted]:
            return (Wanted(name, thing),)

        _performers[name] = function
        _who[name] = who
        rules.plan_of(name, plan or one_job)
        return function

    return declare


def performers() -> Mapping[str, Performer]:
    """All job names with the functions that do them."""
    return _performers


def perform(job_id: int) -> bool:
    """Do the job, if it is due and nobody else has it. Returns whether it was done by this call,
    whatever came of it."""
    lease = jobs.claim(job_id)
    if lease is None:
        return False
    work = Work(job=Job.objects.get(pk=job_id), lease=lease)
    with _Heartbeat(work):
        _record(work, _attempt(work))
    jobs.dispatch(jobs.due(clock.now()).filter(lane=work.job.lane).values_list("pk", flat=True)[:1])
    return True


def perform_due(limit: int = 10_000) -> int:
    """Do all due jobs here, one after the other, until none is left; for tests and consoles."""
    done = 0
    while done < limit:
        job_id = jobs.due(clock.now()).values_list("pk", flat=True).first()
        if job_id is None or not perform(job_id):
            return done
        done += 1
    raise RuntimeError(f"more than {limit} jobs: do they start each other?")


Close = Callable[[Job], object]


@dataclass(frozen=True, slots=True)
class End:
    """How a job is to end: `record` what came of it, then `close` its row, which is locked."""

    close: Close
    record: Callable[[], object] = lambda: None


def _attempt(work: Work) -> End:
    """Run the worker function outside any transaction; how the job is to end."""
    performer = _performers.get(work.job.name)
    if performer is None:
        return End(lambda job: _hold(job, f"Nobody here performs {job.name}.", {}))
    try:
        outcome = performer(work) or Outcome()
    except Exception as problem:  # noqa: BLE001 - whatever it is, it must not lose the job
        return _ended_by(problem, work.job)
    result = dict(outcome.result)
    return End(
        lambda job: advance(job.finish, by=WORKER, result=result, at=clock.now()), outcome.record
    )


class _LeaseLost(Exception):
    """Somebody else does the job by now, or did it."""


def _record(work: Work, end: End) -> None:
    """Record the result and end the job, both or neither; where that fails, the failure."""
    try:
        if not jobs.is_held(work.lease):
            raise _LeaseLost
        try:
            _end(work, end)
        except _LeaseLost:
            raise
        except Exception as problem:  # noqa: BLE001 - as in `_attempt`
            _end(work, _ended_by(problem, work.job))
    except _LeaseLost:
        log.warning("job %s: the lease was lost, nothing is recorded", work.job.pk)


@transaction.atomic
def _end(work: Work, end: End) -> None:
    """The rows of the result are locked before the job's: who calls a job off has theirs already,
    and the two must not wait for each other."""
    end.record()
    job = jobs.holds(work.lease)
    if job is None:
        raise _LeaseLost
    end.close(job)
    jobs.tell_end(work.lease, job, clock.now())


def _ended_by(problem: Exception, job: Job) -> End:
    """The end of a job whose work or record raised `problem`."""
    if isinstance(problem, Cancelled):
        problem = Transient(problem.reason)
    if isinstance(problem, DatabaseUnready):
        problem = Transient(f"The database gave way: {str(problem).strip()}")
    if isinstance(problem, Transient):
        return End(_later(problem))
    if isinstance(problem, PortError | Refused):
        reason, details = str(problem), _details(problem)
        return End(lambda job: _hold(job, reason, details))
    # A bug must not lose the job: it is held with a reference to the log.
    reference = uuid.uuid4().hex[:8]
    log.error("job %s (%s) failed, reference %s", job.pk, job.name, reference, exc_info=problem)
    reason = f"Unexpected error: {type(problem).__name__}: {problem}. Reference {reference}."
    return End(lambda job: _hold(job, reason, {"reference": reference}))


def _called_off(job: Job, instead: str) -> bool:
    """Cancel a job that was called off while it ran; whether it was."""
    if job.cancel_asked:
        advance(job.cancel, by=WORKER, reason=job.reason or instead, at=clock.now())
        return True
    return False


def _later(problem: Transient) -> Close:
    def end(job: Job) -> None:
        if _called_off(job, problem.reason):
            return
        if job.attempts >= settings.JOB_ATTEMPTS:
            reason = f"{problem.reason} (after {job.attempts} attempts)"
            _hold(job, reason, dict(problem.evidence))
            return
        seconds = problem.retry_after or backoff(job.attempts)
        advance(
            job.back_off,
            by=WORKER,
            reason=problem.reason,
            after=clock.now() + timedelta(seconds=seconds),
            evidence=dict(problem.evidence),
        )

    return end


def backoff(attempts: int) -> float:
    """Seconds to wait after the n-th attempt: doubling from the base, at most one hour."""
    base: float = settings.JOB_BACKOFF_SECONDS
    return min(base * 2.0 ** max(attempts - 1, 0), 3600.0)


def _hold(job: Job, reason: str, evidence: dict[str, Any]) -> None:
    if _called_off(job, reason):
        return
    who = _who.get(job.name, "data manager")
    advance(job.hold, by=WORKER, reason=reason, who=who, evidence=evidence)


def lapse(now: datetime) -> int:
    """End the leases of workers that fell silent: their jobs wait again. What was called off is
    cancelled, and a job that silenced its workers at every attempt is held. Returns how many."""
    done = jobs.lapse_expired(now)
    with transaction.atomic():
        for job in jobs.spent(now):
            times = f"The worker fell silent {job.attempts} times at this job."
            jobs.tell_silence([job.pk], now, times)
            _hold(job, times, {})
            done += 1
    return done


def _details(problem: PortError | Refused) -> dict[str, Any]:
    return dict(problem.evidence if isinstance(problem, PortError) else problem.details)


class _Heartbeat:
    """Keeps the lease alive from a thread of its own, so that a long call cannot lose it."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._end.wait(settings.JOB_LEASE_SECONDS / 3):
                try:
                    if not jobs.extend(self._work.lease):
                        self._work.stop.set()
                except DatabaseError as problem:  # the next beat is in time too
                    log.warning("job %s: no heartbeat: %s", self._work.job.pk, problem)
                    connection.close()
        finally:
            connection.close()


def subject_of(job: Job) -> Recorded | None:
    """The row that `job` is about, if it still exists."""
    model = apps.get_model(job.subject_type)
    found: Recorded | None = model._base_manager.filter(pk=job.subject_id).first()
    return found
