"""The policies' guards on real replicas: whoever asks, nothing goes that must stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import lifecycle
from catalogue.ground.actor import WORKER, Actor
from catalogue.ground.lifecycle import Refused, advance
from catalogue.ground.models import Entry, Job
from policies import commands
from runs import commands as runs
from runs.models import Replica
from tests.factories import BEGIN, Facility

NOW = BEGIN + timedelta(hours=1)
WEEK = timedelta(days=7, minutes=1)


@pytest.fixture
def marked(facility: Facility):
    """A Good run, copied and archived, whose online replica is scheduled for removal."""
    facility.policy()
    with time_machine.travel(NOW, tick=False) as clock:
        run = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
        runs.assess(run, quality="good", by=facility.staff)
        lifecycle.perform_due()
        yield run, clock


def replica(run, store: str) -> Replica:
    return Replica.objects.get(data_group__run=run, store__identifier=store)


@pytest.mark.parametrize("store", ["offline", "mass_storage"])
def test_a_good_copy_that_the_policy_does_not_name_stays(marked, store: str) -> None:
    run, _ = marked
    with pytest.raises(Refused):
        advance(replica(run, store).schedule_removal, by=WORKER, reason="a bug", at=NOW,
                remove_at=NOW)  # fmt: skip


def test_the_last_good_copies_are_needed_at_the_last_moment_too(marked, facility: Facility) -> None:
    """Announced while there were enough copies; on the day one of them turns out corrupt."""
    run, clock = marked
    assert replica(run, "online").state == "scheduled"
    clock.shift(WEEK)
    advance(replica(run, "mass_storage").found_corrupt, by=WORKER, reason="bit rot")
    lifecycle.perform_due()
    job = Job.objects.get(name="runs.remove_replica")
    assert job.state == "cancelled"
    assert "corrupt" in job.reason
    assert replica(run, "online").state == "verified"
    assert facility.raw_folder(run).exists()


def test_a_hold_takes_the_removal_back_and_its_end_judges_anew(marked, facility: Facility) -> None:
    run, clock = marked
    leader = Actor.of(facility.leader, face="page")
    hold = commands.hold(run.proposal, run=run, reason="we look at it again", by=leader)
    assert replica(run, "online").state == "verified"
    assert Job.objects.get(name="runs.remove_replica").state == "cancelled"
    clock.shift(WEEK)
    lifecycle.perform_due()
    assert replica(run, "online").state == "verified"
    assert facility.raw_folder(run).exists()
    commands.lift(hold, by=leader, reason="seen")
    lifecycle.perform_due()
    assert replica(run, "online").state == "scheduled"
    assert replica(run, "online").remove_at > NOW + WEEK, "a new notice, a new grace"


def test_a_hold_between_decision_and_removal_is_in_time(marked, facility: Facility) -> None:
    """The job is already due when the hold comes; the guard at the first byte sees it."""
    run, clock = marked
    clock.shift(WEEK)
    commands.hold(run.proposal, reason="stop", by=facility.staff)
    lifecycle.perform_due()
    assert replica(run, "online").state == "verified"
    assert facility.raw_folder(run).exists()


def test_the_decision_is_told_with_its_reasons_before_the_first_byte_goes(
    marked, facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, clock = marked
    clock.shift(WEEK)

    def dies(*args: object, **kwargs: object) -> None:
        told = Entry.objects.get(move="remove")
        assert "policy 'Standard', version 1" in told.reason
        raise KeyboardInterrupt

    monkeypatch.setattr("catalogue.ports.movers.PosixMover.trash", dies)
    with pytest.raises(KeyboardInterrupt):
        lifecycle.perform_due()
    assert replica(run, "online").state == "trashed"
    assert facility.raw_folder(run).exists(), "killed before the first byte"
    monkeypatch.undo()
    clock.shift(timedelta(minutes=2))
    lifecycle.sweep()
    lifecycle.perform_due()
    assert not facility.raw_folder(run).exists()
    assert Entry.objects.filter(move="remove").count() == 1


def test_files_that_nobody_registered_stay(marked, facility: Facility) -> None:
    run, clock = marked
    note = facility.raw_folder(run) / "shift-notes.txt"
    note.write_text("detector was warm")
    clock.shift(WEEK)
    lifecycle.perform_due()
    assert [p.name for p in facility.raw_folder(run).iterdir()] == ["shift-notes.txt"]


def test_without_a_policy_nothing_is_ever_removed(facility: Facility) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        run = facility.run(facility.proposal(state="A"))
        runs.assess(run, quality="not_interesting", by=facility.staff)
        lifecycle.perform_due()
        clock.shift(timedelta(days=10_000))
        lifecycle.perform_due()
    assert replica(run, "online").state == "copied"


def test_an_unmarked_run_is_not_removed(facility: Facility) -> None:
    facility.policy()
    with time_machine.travel(NOW, tick=False) as clock:
        run = facility.run(facility.proposal(state="A"))
        lifecycle.perform_due()
        clock.shift(timedelta(days=10_000))
        lifecycle.perform_due()
    assert replica(run, "online").state == "copied"


def test_what_lies_in_the_trash_comes_back_when_it_is_wanted(facility: Facility) -> None:
    facility.policy()
    with time_machine.travel(NOW, tick=False) as clock:
        run = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
        runs.assess(run, quality="not_interesting", by=facility.staff)
        lifecycle.perform_due()
        clock.shift(WEEK)
        lifecycle.perform_due()
        assert replica(run, "online").state == "trashed"
        runs.assess(run, quality="good", by=facility.staff)
        lifecycle.perform_due()
        assert replica(run, "online").state in ("verified", "scheduled")
        assert len(list(facility.raw_folder(run).iterdir())) == 3
        assert replica(run, "offline").state == "verified", "and then it is copied after all"


def test_a_run_is_judged_again_on_the_day_its_clause_ends(facility: Facility) -> None:
    """Online data of a Good run are kept for a time; nothing but the clock moves then."""
    policy = facility.policy()
    policy.clauses.filter(order=2).update(keep_count=30)
    with time_machine.travel(NOW, tick=False) as clock:
        run = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
        runs.assess(run, quality="good", by=facility.staff)
        lifecycle.perform_due()
        assert replica(run, "online").state == "copied"
        clock.shift(timedelta(days=29))
        lifecycle.perform_due()
        assert replica(run, "online").state == "copied"
        clock.shift(timedelta(days=1, hours=1))
        lifecycle.perform_due()
        assert replica(run, "online").state == "scheduled"


def test_removal_is_announced_while_the_clock_runs(facility: Facility) -> None:
    """The verdict is made a moment before the door asks for it again; the grace is not shorter."""
    facility.policy()
    with time_machine.travel(NOW, tick=True):
        run = facility.run(facility.proposal(state="A"))
        runs.assess(run, quality="not_interesting", by=facility.staff)
        lifecycle.perform_due()
    online = replica(run, "online")
    assert online.state == "scheduled"
    assert online.remove_at == online.notice_at + timedelta(days=7)


@pytest.mark.parametrize("given", [NOW + timedelta(seconds=1), NOW - timedelta(hours=1)])
def test_a_notice_is_not_dated_otherwise(facility: Facility, given) -> None:
    facility.policy()
    with time_machine.travel(NOW, tick=False):
        run = facility.run(facility.proposal(state="A"))
        runs.assess(run, quality="not_interesting", by=facility.staff)
        lifecycle.perform_due()
        online = replica(run, "online")
        advance(online.keep, by=WORKER, reason="to announce it again")
        with pytest.raises(Refused, match="at the moment"):
            advance(
                online.schedule_removal, by=WORKER, reason="backdated", at=given,
                remove_at=given + timedelta(days=7),
            )  # fmt: skip
