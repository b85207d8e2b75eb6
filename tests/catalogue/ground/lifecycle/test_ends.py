"""How jobs end when something goes wrong at the worst moment: in the record, in the database, in a
worker that dies at the same job again and again, after they were called off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, OperationalError, connection, transaction

from catalogue.ground import clock, jobs, lifecycle
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.lifecycle import Outcome, Work, work
from catalogue.ground.lifecycle.control import call_off_all
from catalogue.ground.models import Job
from catalogue.ground.outcome import Permanent, Transient
from proposals.models import Proposal
from tests.factories import BEGIN, Facility

NOW = BEGIN + timedelta(hours=1)


@pytest.fixture
def performer(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
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
def job(facility: Facility, held_clock) -> Job:
    (made,) = enqueue([Wanted("test.work", facility.proposal())], by=WORKER)
    return made


def failing(problem: Exception):
    def fail(*_: object) -> None:
        raise problem

    return fail


@pytest.mark.parametrize("problem", [IntegrityError("there already"), KeyError("size")])
def test_a_bug_in_the_record_holds_the_job(job: Job, performer, problem, caplog) -> None:
    performer["do"] = lambda w: Outcome(failing(problem))
    assert lifecycle.perform(job.pk)
    job.refresh_from_db()
    assert job.state == "held"
    assert job.evidence["reference"] in caplog.text


def test_a_result_that_cannot_be_kept_leaves_no_half_record(job: Job, performer) -> None:
    subject = Proposal.objects.get()

    def record() -> None:
        Proposal.objects.filter(pk=subject.pk).update(title="half-written")

    performer["do"] = lambda w: Outcome(record, {"what": object()})
    assert lifecycle.perform(job.pk)
    job.refresh_from_db()
    subject.refresh_from_db()
    assert job.state == "held"
    assert subject.title != "half-written"


@pytest.mark.parametrize("where", ["work", "record"])
@pytest.mark.parametrize(
    "problem", [OperationalError("deadlock detected"), Transient("files came meanwhile")]
)
def test_what_may_work_later_is_tried_again(job: Job, performer, problem, where: str) -> None:
    fail = failing(problem)
    performer["do"] = fail if where == "work" else lambda w: Outcome(fail)
    assert lifecycle.perform(job.pk)
    job.refresh_from_db()
    assert (job.state, job.after) == ("waiting", NOW + timedelta(seconds=5))


@pytest.mark.parametrize("problem", [Transient("busy"), Permanent("full"), ValueError("a bug")])
def test_what_was_called_off_does_not_come_back(
    facility: Facility, job: Job, performer, problem
) -> None:
    def fail(w: Work) -> None:
        lifecycle.call_off(Job.objects.get(pk=job.pk), by=facility.staff, reason="not needed")
        raise problem

    performer["do"] = fail
    lifecycle.perform(job.pk)
    job.refresh_from_db()
    assert (job.state, job.reason) == ("cancelled", "not needed")


def test_what_was_called_off_does_not_come_back_after_its_worker_died(
    facility: Facility, job: Job, held_clock, settings
) -> None:
    assert jobs.claim(job.pk)
    lifecycle.call_off(job, by=facility.staff, reason="not needed")
    held_clock.shift(settings.JOB_LEASE_SECONDS + 1)
    assert lifecycle.sweep()["leases lapsed"] == 1
    job.refresh_from_db()
    assert (job.state, job.reason) == ("cancelled", "not needed")


def test_a_job_that_kills_its_workers_is_held_in_the_end(
    job: Job, performer, held_clock, settings
) -> None:
    settings.JOB_ATTEMPTS = 3
    performer["do"] = failing_hard
    for _ in range(3):
        with pytest.raises(SystemExit):
            lifecycle.perform(job.pk)
        held_clock.shift(settings.JOB_LEASE_SECONDS + 1)
        lifecycle.sweep()
    job.refresh_from_db()
    assert job.state == "held"
    assert "3 times" in job.reason


def test_a_lower_number_that_is_seen_late_waits_for_what_runs(job: Job) -> None:
    """Rows are numbered when they are written and seen when they are committed."""
    (later,) = enqueue([Wanted("test.work", Proposal.objects.get(), lane="aside")], by=WORKER)
    assert jobs.claim(later.pk)
    Job.objects.filter(pk=later.pk).update(lane=job.lane)
    assert jobs.claim(job.pk) is None


def failing_hard(_: Work) -> None:
    raise SystemExit(137)


def test_a_heartbeat_that_the_database_refused_is_not_the_last(
    job: Job, performer, settings, monkeypatch, caplog
) -> None:
    settings.JOB_LEASE_SECONDS = 0.03
    beats: list[int] = []
    again = threading.Event()

    def extend(lease: jobs.Lease) -> bool:
        beats.append(1)
        if len(beats) == 1:
            raise OperationalError("database is locked")
        again.set()
        return True

    monkeypatch.setattr(work.jobs, "extend", extend)
    performer["do"] = lambda w: Outcome(result={"again": again.wait(5)})
    lifecycle.perform(job.pk)
    job.refresh_from_db()
    assert job.result == {"again": True}
    assert "no heartbeat" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_calling_off_and_recording_do_not_wait_for_each_other(tmp_path, performer) -> None:
    """Who marks a run has its row and asks for the job's; the worker that ends the job must ask in
    the same order. On PostgreSQL the other order is a deadlock."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no row locks to order")
    subject = Facility(tmp_path / "stores").proposal()
    (job,) = enqueue([Wanted("test.work", subject)], by=WORKER)
    has_subject, recording = threading.Event(), threading.Event()
    faults: list[Exception] = []

    def mark() -> None:
        try:
            with transaction.atomic():
                Proposal.objects.select_for_update().get(pk=subject.pk)
                has_subject.set()
                recording.wait(5)
                recording.clear()
                recording.wait(0.5)  # time for the other to wait for the subject
                call_off_all(subject, ["test.work"], by=WORKER, reason="not needed")
        except Exception as fault:  # noqa: BLE001 - looked at by the test
            faults.append(fault)
        finally:
            connection.close()

    def record() -> None:
        recording.set()
        Proposal.objects.select_for_update().get(pk=subject.pk)

    def do(w: Work) -> Outcome:
        thread.start()
        has_subject.wait(5)
        return Outcome(record)

    thread = threading.Thread(target=mark)
    performer["do"] = do
    began = clock.now()
    lifecycle.perform(job.pk)
    thread.join()
    job.refresh_from_db()
    assert faults == []
    assert job.state == "done"
    assert clock.now() - began < timedelta(seconds=5)
