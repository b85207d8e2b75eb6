"""Runs whose heartbeat stopped: after a time the clock closes them, and no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import clock, lifecycle
from catalogue.ground.actor import SCHEDULE, Actor
from catalogue.ground.models import Entry, Job
from runs import commands, queries, reporting
from runs.models import Run
from tests.factories import BEGIN, Facility, UserFactory

NOW = BEGIN + timedelta(hours=1)


@pytest.fixture
def travel(facility: Facility):
    with time_machine.travel(NOW, tick=False) as moving:
        yield moving


@pytest.fixture
def run(facility: Facility, travel) -> Run:
    """An open run, marked Good, heard of at `NOW`."""
    made = facility.run(facility.proposal(state="A"), closed=False)
    commands.assess(made, quality="good", by=facility.staff)
    return commands.heartbeat(made, size=3000, last_train=90, by=facility.daq)


def test_a_run_silent_for_long_is_closed_and_marked_so(run: Run, travel, settings) -> None:
    travel.shift(settings.CLOSE_SILENT_RUN_SECONDS)
    lifecycle.sweep()
    run.refresh_from_db()
    assert run.status == "open", "not before its time"
    travel.shift(1)
    lifecycle.sweep()
    lifecycle.sweep()
    run.refresh_from_db()
    assert (run.status, run.ended_by_timeout, run.end_at) == ("closed", True, NOW)
    (told,) = Entry.objects.filter(move="close")
    assert told.actor_name == SCHEDULE.name
    assert Job.objects.filter(name="runs.migrate").exists(), "from now on its mark takes effect"


def test_a_run_that_is_heard_of_meanwhile_stays_open(
    run: Run, facility: Facility, travel, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the clock and the close."""
    travel.shift(settings.CLOSE_SILENT_RUN_SECONDS + 1)
    close = commands.close

    def heard_first(silent: Run, **facts):
        commands.heartbeat(silent, size=6000, last_train=180, by=facility.daq)
        return close(silent, **facts)

    monkeypatch.setattr(commands, "close", heard_first)
    assert commands.close_silent(clock.now()) == 0
    run.refresh_from_db()
    assert (run.status, run.last_train) == ("open", 180)


def test_a_close_takes_back_nothing_that_a_heartbeat_said_meanwhile(
    run: Run, facility: Facility
) -> None:
    commands.heartbeat(Run.objects.get(pk=run.pk), size=6000, last_train=180, by=facility.daq)
    assert run.last_train == 90, "as the caller of the close knows it"
    commands.close(run, end_at=NOW, by=facility.daq)
    assert Run.objects.get(pk=run.pk).last_train == 180


def test_a_run_that_is_reported_open_again_is_not_closed_for_its_silence_of_before(
    run: Run, facility: Facility, travel, settings
) -> None:
    commands.close(run, end_at=NOW, by=facility.daq)
    travel.shift(settings.CLOSE_SILENT_RUN_SECONDS + 1)
    record = UserFactory(username="record", is_service=True)
    by = Actor.of(record, face="api", scopes=frozenset({"adopt"}))
    reporting.report_status(run, to="open", by=by)
    lifecycle.sweep()
    run.refresh_from_db()
    assert run.status == "open"
    assert not queries.runs_to_close(clock.now()).exists()
