"""Every time a worker took a job up is kept, with what came of it, whatever the job does later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import clock, jobs, lifecycle
from catalogue.ground.jobs import Wanted
from catalogue.ground.lifecycle import work
from catalogue.ground.models import Job, JobAttempt
from catalogue.ground.outcome import Permanent, Transient
from tests.factories import Facility

NAME = "tests.attempted"


@pytest.fixture
def said() -> Iterator[list[Exception | None]]:
    """What the worker function brings, one after the other."""
    answers: list[Exception | None] = []

    @lifecycle.performs(NAME, who="beamline operator")
    def attempted(_: lifecycle.Work) -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    yield answers
    del work._performers[NAME]


@pytest.fixture
def job(facility: Facility) -> Job:
    (made,) = jobs.enqueue([Wanted(NAME, facility.proposal())], by=facility.staff)
    return made


def ends(job: Job) -> list[tuple[str, str]]:
    return [(t.end, t.reason) for t in job.tries.order_by("id")]


def test_attempts_tell_their_reasons_and_a_retry_forgets_none(
    facility: Facility, job: Job, said: list[Exception | None]
) -> None:
    said += [
        Transient("No network.", host="online"),
        Permanent("A byte differs.", at=7),
        None,
    ]
    start = clock.now()
    with time_machine.travel(start, tick=False) as time:
        lifecycle.perform(job.pk)
        time.shift(timedelta(hours=1))
        lifecycle.perform(job.pk)
        job.refresh_from_db()
        lifecycle.retry(job, by=facility.staff)
        lifecycle.perform(job.pk)
    assert ends(job) == [("waiting", "No network."), ("held", "A byte differs."), ("done", "")]
    first, second, _ = job.tries.order_by("id")
    assert (first.evidence, second.evidence) == ({"host": "online"}, {"at": 7})
    assert (first.began_at, first.took) == (start, timedelta())
    assert first.worker
    assert {t.claim for t in job.tries.all()} != {""}


def test_one_that_is_worked_on_has_no_end_yet(facility: Facility, job: Job) -> None:
    assert jobs.claim(job.pk) is not None
    assert jobs.claim(job.pk) is None
    (attempt,) = job.tries.all()
    assert (attempt.end, attempt.ended_at, attempt.took) == ("", None, None)


def test_a_worker_that_fell_silent_is_told_and_cannot_change_it(
    facility: Facility, job: Job, said: list[Exception | None]
) -> None:
    lease = jobs.claim(job.pk)
    assert lease is not None
    later = clock.now() + timedelta(hours=2)
    assert work.lapse(later) == 1
    assert ends(job) == [("silent", "The worker fell silent; the job is taken up again.")]
    said.append(None)
    with time_machine.travel(later, tick=False):
        assert lifecycle.perform(job.pk)
    assert [end for end, _ in ends(job)] == ["silent", "done"]


def test_the_last_silence_is_told_too(facility: Facility, job: Job, settings: object) -> None:
    Job.objects.filter(pk=job.pk).update(attempts=7)
    assert jobs.claim(job.pk) is not None
    assert work.lapse(clock.now() + timedelta(hours=2)) == 1
    job.refresh_from_db()
    assert job.state == "held"
    assert [end for end, _ in ends(job)] == ["silent"]


def test_one_that_was_called_off_while_it_ran_says_so(
    facility: Facility, job: Job, said: list[Exception | None]
) -> None:
    lease = jobs.claim(job.pk)
    assert lease is not None
    lifecycle.call_off(job, by=facility.staff, reason="not wanted")
    row = Job.objects.get(pk=job.pk)
    work._record(work.Work(row, lease), work._ended_by(Transient("stopped"), row))
    assert ends(job) == [("cancelled", "not wanted")]


def test_an_attempt_and_its_job_end_together_or_not_at_all(
    facility: Facility, job: Job, said: list[Exception | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    said.append(None)

    def broken(*_: object) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(jobs, "tell_end", broken)
    with pytest.raises(RuntimeError):
        lifecycle.perform(job.pk)
    job.refresh_from_db()
    assert job.state == "claimed"
    assert JobAttempt.objects.get().end == ""
