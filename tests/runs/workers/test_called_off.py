"""Work that is called off, wherever it has got to: nothing half-made stays, nothing waits on."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import lifecycle
from catalogue.ground.actor import WORKER, Actor
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.models import Job, Store
from catalogue.ports.movers import PosixMover
from catalogue.ports.outcome import Permanent
from runs import calibrating, commands, reporting
from runs.models import Replica, Run
from tests.factories import BEGIN, Facility, UserFactory

NOW = BEGIN + timedelta(hours=1)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def run(facility: Facility, clock) -> Run:
    made = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
    commands.assess(made, quality="good", by=facility.staff)
    return made


def offline(facility: Facility, run: Run) -> tuple[str, list[str]]:
    """The state of the offline replica, and the names of the files that lie there."""
    folder = facility.raw_folder(run, "offline")
    files = sorted(p.name for p in folder.iterdir()) if folder.exists() else []
    return Replica.objects.get(data_group__run=run, store__identifier="offline").state, files


def flip(facility: Facility, run: Run) -> None:
    victim = sorted(facility.raw_folder(run).iterdir())[1]
    victim.chmod(0o640)
    victim.write_bytes(b"x" * victim.stat().st_size)


def test_a_copy_that_was_held_half_way_is_taken_back(facility: Facility, run: Run) -> None:
    flip(facility, run)
    lifecycle.perform_due()
    assert offline(facility, run)[0] == "copying"
    commands.assess(run, quality="not_interesting", by=facility.staff)
    lifecycle.perform_due()
    assert offline(facility, run) == ("expected", [])


def test_a_copy_whose_worker_died_is_taken_back(
    facility: Facility, run: Run, clock, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    real = PosixMover.copy

    def dies(mover, source, destination, entries, **more: object) -> None:
        real(mover, source, destination, entries[:2])
        commands.assess(run, quality="not_interesting", by=facility.staff)
        raise SystemExit

    monkeypatch.setattr(PosixMover, "copy", dies)
    with pytest.raises(SystemExit):
        lifecycle.perform_due()
    monkeypatch.undo()
    clock.shift(settings.JOB_LEASE_SECONDS + 1)
    lifecycle.sweep()
    lifecycle.perform_due()
    assert offline(facility, run) == ("expected", [])


def test_a_mark_that_changes_twice_is_copied_after_all(facility: Facility, run: Run) -> None:
    flip(facility, run)
    lifecycle.perform_due()
    commands.assess(run, quality="not_interesting", by=facility.staff)
    facility.write(run)
    commands.assess(run, quality="good", by=facility.staff)
    lifecycle.perform_due()
    state, files = offline(facility, run)
    assert (state, len(files)) == ("verified", 3)


@pytest.fixture
def job(facility: Facility, run: Run, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A copy that is held after two of three files."""
    real = PosixMover.copy

    def breaks_off(mover, source, destination, entries, **more: object) -> None:
        real(mover, source, destination, entries[:2])
        raise Permanent("The third file cannot be read.")

    with monkeypatch.context() as patch:
        patch.setattr(PosixMover, "copy", breaks_off)
        lifecycle.perform_due()
    state, files = offline(facility, run)
    assert (state, len(files)) == ("copying", 2)
    return Job.objects.get(name="runs.migrate", state="held")


@pytest.mark.parametrize("by", ["a person", "a mark"])
def test_what_may_be_all_that_is_left_is_not_taken_back(
    facility: Facility, run: Run, job: Job, by: str
) -> None:
    """The disk that was copied from goes on dying, and somebody gives up the copy."""
    flip(facility, run)
    if by == "a person":
        lifecycle.call_off(job, by=facility.staff, reason="the disk is broken")
    else:
        commands.assess(run, quality="not_interesting", by=facility.staff)
    lifecycle.perform_due()
    state, files = offline(facility, run)
    assert (state, len(files)) == ("copying", 2)
    held = Job.objects.get(name="runs.take_back_copy")
    assert (held.state, held.who) == ("held", "data manager")
    assert "S00001.h5" in held.reason
    facility.write(run)
    lifecycle.retry(held, by=facility.staff, reason="it can be read again")
    lifecycle.perform_due()
    assert offline(facility, run) == ("expected", [])
    assert not any((facility.folder / "offline" / ".trash").rglob("*.h5"))


def test_a_file_that_the_copy_did_not_bring_is_not_taken_back(facility: Facility, run: Run) -> None:
    stray = facility.raw_folder(run, "offline") / min(facility.raw_folder(run).iterdir()).name
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"s" * 1000)
    lifecycle.perform_due()
    job = Job.objects.get(name="runs.migrate", state="held")
    lifecycle.call_off(job, by=facility.staff, reason="something lies there")
    lifecycle.perform_due()
    assert stray.read_bytes() == b"s" * 1000
    assert Job.objects.get(name="runs.take_back_copy").state == "held"


def test_a_copy_into_the_place_it_comes_from_takes_nothing_back(
    facility: Facility, run: Run
) -> None:
    """The store offline turns out to be the online store under another name."""
    second = facility.folder / "second"
    second.symlink_to(facility.folder / "online")
    Store.objects.filter(identifier="offline").update(mount=str(second))
    lifecycle.perform_due()
    job = Job.objects.get(name="runs.migrate", state="held")
    assert "one and the same file" in job.reason
    lifecycle.call_off(job, by=facility.staff, reason="it is the same place")
    lifecycle.perform_due()
    assert len(list(facility.raw_folder(run).iterdir())) == 3
    assert Job.objects.get(name="runs.take_back_copy").state == "held"


def test_a_copy_half_taken_back_by_a_worker_that_died_is_taken_back(
    facility: Facility, run: Run, job: Job, clock, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    lifecycle.call_off(job, by=facility.staff, reason="not now")

    def dies(*args: object, **kwargs: object) -> None:
        assert offline(facility, run)[0] == "expected", "decided before the first byte goes"
        raise SystemExit

    monkeypatch.setattr(PosixMover, "purge", dies)
    with pytest.raises(SystemExit):
        lifecycle.perform_due()
    monkeypatch.undo()
    trash = facility.folder / "offline" / ".trash"
    assert any(trash.rglob("*.h5"))
    clock.shift(settings.JOB_LEASE_SECONDS + 1)
    lifecycle.sweep()
    lifecycle.perform_due()
    assert offline(facility, run) == ("expected", [])
    assert not any(trash.rglob("*.h5"))


def test_what_is_reported_while_it_is_taken_back_does_not_count(
    facility: Facility, run: Run, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy whose files have gone is never one of those that the policy relies on."""
    lifecycle.call_off(job, by=facility.staff, reason="not now")
    transfer = UserFactory(username="transfer", is_service=True)
    by = Actor.of(transfer, face="api", scopes=frozenset({"transfer"}))
    purge = PosixMover.purge

    def report_first(*args, **kwargs):
        group = run.data_groups.get()
        reporting.report_copied(group, facility.stores["offline"], by=by)
        return purge(*args, **kwargs)

    monkeypatch.setattr(PosixMover, "purge", report_first)
    work = Job.objects.get(name="runs.take_back_copy")
    lifecycle.perform(work.pk)
    assert offline(facility, run)[0] == "corrupt"


def test_a_calibration_that_was_called_off_can_be_asked_for_again(
    facility: Facility, run: Run
) -> None:
    facility.detector()
    first = calibrating.request_calibration(run, by=facility.staff)
    job = Job.objects.get(name="runs.calibrate")
    lifecycle.call_off(job, by=facility.staff, reason="wrong detector")
    first.refresh_from_db()
    assert (first.state, first.reason) == ("failed", "It was called off: wrong detector")
    assert calibrating.request_calibration(run, by=facility.staff).pk != first.pk


def test_two_works_of_one_lane_are_two_jobs(facility: Facility, run: Run) -> None:
    wanted = [Wanted(name, run, lane="one") for name in ("runs.migrate", "runs.take_back_copy")]
    assert len(enqueue(wanted[:1], by=WORKER) + enqueue(wanted[1:], by=WORKER)) == 2
