"""Work that is called off, wherever it has got to: nothing half-made stays, nothing waits on."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import lifecycle
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.models import Job
from catalogue.ports.movers import PosixMover
from runs import calibrating, commands
from runs.models import Replica, Run
from tests.factories import BEGIN, Facility

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
