"""Jobs: claimed once, in the order of their lane, recorded once, held with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import clock, jobs, lifecycle
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.lifecycle import Outcome, Refused, Work, work
from catalogue.ground.models import Entry, Job
from catalogue.ground.outcome import Cancelled, Permanent, Transient
from proposals.models import Proposal
from tests.factories import BEGIN, Facility

NOW = BEGIN + timedelta(hours=1)


@pytest.fixture
def performer(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A job "test.work" whose function is whatever the test puts under "do"."""
    box: dict[str, object] = {"do": lambda work: None}

    def do(work: Work) -> object:
        return box["do"](work)  # type: ignore[operator]

    functions = {**work.performers(), "test.work": do}
    monkeypatch.setattr(work, "_performers", functions)
    return box


@pytest.fixture
def held_clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def subject(facility: Facility, held_clock) -> Proposal:
    return facility.proposal()


def ask(subject: Proposal, **params: object) -> Job:
    (job,) = enqueue([Wanted("test.work", subject, params=params)], by=WORKER)
    return job


def test_a_job_is_claimed_once(subject: Proposal) -> None:
    job = ask(subject)
    assert jobs.claim(job.pk) is not None
    assert jobs.claim(job.pk) is None


def test_a_lane_is_worked_in_order_and_lanes_in_parallel(subject: Proposal) -> None:
    first, second = ask(subject, n=1), ask(subject, n=2)
    (other,) = enqueue([Wanted("test.work", subject, lane="elsewhere")], by=WORKER)
    assert jobs.claim(second.pk) is None, "the lane's first comes first"
    assert jobs.claim(other.pk) is not None
    lease = jobs.claim(first.pk)
    assert jobs.claim(second.pk) is None, "while the first runs"
    assert lease is not None


def test_a_held_job_blocks_its_lane_only(subject: Proposal, performer) -> None:
    def refuse(work: Work) -> None:
        raise Permanent("the disk is write-protected", disk="d1")

    performer["do"] = refuse
    first, second = ask(subject, n=1), ask(subject, n=2)
    assert lifecycle.perform(first.pk)
    first.refresh_from_db()
    assert (first.state, first.reason) == ("held", "the disk is write-protected")
    assert first.evidence == {"disk": "d1"}
    assert first.who
    assert not lifecycle.perform(second.pk)
    assert Entry.objects.get(move="hold").reason == "the disk is write-protected"


def test_the_same_work_is_not_asked_for_twice(subject: Proposal) -> None:
    ask(subject, n=1)
    assert enqueue([Wanted("test.work", subject, params={"n": 1})], by=WORKER) == []
    assert enqueue([Wanted("test.work", subject, params={"n": 2})], by=WORKER) != []


def test_what_is_due_already_is_not_asked_for_again_a_moment_later(
    subject: Proposal, held_clock
) -> None:
    ask(subject, n=1)
    held_clock.shift(1)
    assert enqueue([Wanted("test.work", subject, params={"n": 1})], by=WORKER) == []
    later = [Wanted("test.work", subject, params={"n": 1}, after=clock.now() + timedelta(hours=1))]
    assert enqueue(later, by=WORKER) != [], "another time is another job"
    assert enqueue([Wanted("test.work", subject, params={"n": 1})], by=WORKER) == []


def test_a_transient_failure_backs_off_and_gives_up_with_a_reason(
    subject: Proposal, performer, held_clock, settings
) -> None:
    settings.JOB_ATTEMPTS = 3

    def fail(work: Work) -> None:
        raise Transient("the store does not answer")

    performer["do"] = fail
    job = ask(subject)
    waits = []
    for _ in range(3):
        assert lifecycle.perform(job.pk)
        job.refresh_from_db()
        waits.append((job.after - clock.now()).total_seconds())
        assert not lifecycle.perform(job.pk) or job.state == "held"
        held_clock.shift(timedelta(seconds=max(waits[-1], 0)))
    assert waits[:2] == [5, 10]
    assert job.state == "held"
    assert "after 3 attempts" in job.reason


def test_what_the_other_side_asks_for_is_kept_to(subject: Proposal, performer) -> None:
    def fail(work: Work) -> None:
        raise Transient("too many requests", retry_after=90)

    performer["do"] = fail
    job = ask(subject)
    lifecycle.perform(job.pk)
    job.refresh_from_db()
    assert job.after == NOW + timedelta(seconds=90)


def test_a_bug_holds_the_job_with_a_reference(subject: Proposal, performer, caplog) -> None:
    def crash(work: Work) -> None:
        raise ZeroDivisionError("oh")

    performer["do"] = crash
    job = ask(subject)
    lifecycle.perform(job.pk)
    job.refresh_from_db()
    assert job.state == "held"
    assert job.evidence["reference"] in caplog.text


def test_a_worker_that_fell_silent_is_replaced_and_records_nothing(
    subject: Proposal, performer, held_clock, settings
) -> None:
    recorded: list[str] = []
    job = ask(subject)

    def slow(work: Work) -> Outcome:
        held_clock.shift(timedelta(seconds=settings.JOB_LEASE_SECONDS + 1))
        assert lifecycle.sweep()["leases lapsed"] == 1
        performer["do"] = lambda w: Outcome(lambda: recorded.append("the second"))
        assert lifecycle.perform(job.pk), "somebody else takes it up"
        return Outcome(lambda: recorded.append("the first"))

    performer["do"] = slow
    lifecycle.perform(job.pk)
    job.refresh_from_db()
    assert recorded == ["the second"]
    assert (job.state, job.attempts) == ("done", 2)


def test_the_record_and_the_end_of_the_job_are_one(subject: Proposal, performer) -> None:
    job = ask(subject)

    def record() -> None:
        Proposal.objects.filter(pk=subject.pk).update(title="half-written")
        raise Refused("Somebody was faster.")

    performer["do"] = lambda w: Outcome(record)
    lifecycle.perform(job.pk)
    job.refresh_from_db()
    subject.refresh_from_db()
    assert subject.title != "half-written"
    assert (job.state, job.reason) == ("held", "Somebody was faster.")


def test_a_running_job_is_asked_to_stop(facility: Facility, subject: Proposal, performer) -> None:
    job = ask(subject)

    def stoppable(work: Work) -> None:
        lifecycle.call_off(Job.objects.get(pk=job.pk), by=facility.staff, reason="not needed")
        work.progress(0.5)
        assert work.cancelled()
        raise Cancelled("stopped half-way, nothing left")

    performer["do"] = stoppable
    lifecycle.perform(job.pk)
    job.refresh_from_db()
    assert (job.state, job.reason) == ("cancelled", "not needed")


def test_a_dead_broker_loses_nothing(
    subject: Proposal, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    from kombu.exceptions import OperationalError

    def dead(*args: object, **kwargs: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("catalogue.ground.jobs.outbox.current_app.send_task", dead)
    with django_capture_on_commit_callbacks(execute=True):
        job = ask(subject)
    sent: list[int] = []
    monkeypatch.setattr(
        "catalogue.ground.jobs.outbox.current_app.send_task",
        lambda name, args, **_: sent.extend(args),
    )
    lifecycle.sweep()
    assert job.pk in sent


def test_a_scheduled_function_that_fails_does_not_stop_the_others(db, monkeypatch, caplog) -> None:
    from catalogue.ground.lifecycle import schedule

    monkeypatch.setattr(schedule, "_timed", ["tests.nowhere.nothing", *schedule.timed()])
    monkeypatch.setattr(
        schedule, "import_string", lambda name: (_ for _ in ()).throw(ImportError(name))
        if name.startswith("tests.nowhere") else (lambda now: 7)
    )  # fmt: skip
    done = lifecycle.sweep()
    assert done["runs.commands.close_silent"] == 7


def test_no_job_before_its_time(subject: Proposal, held_clock) -> None:
    (job,) = enqueue([Wanted("test.work", subject, after=NOW + timedelta(days=7))], by=WORKER)
    assert not lifecycle.perform(job.pk)
    held_clock.shift(timedelta(days=7))
    assert jobs.claim(job.pk) is not None
