"""What was announced or lies in the trash, and the world changes: nothing goes that is wanted."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import jobs, lifecycle
from catalogue.ground.actor import WORKER, Actor
from catalogue.ground.lifecycle import Refused, Work, advance
from catalogue.ground.models import Job
from catalogue.ports.movers import mover_for
from policies import commands
from runs import commands as runs
from runs import reporting
from runs.models import Replica
from runs.workers import removals
from tests.factories import BEGIN, Facility, UserFactory

NOW = BEGIN + timedelta(hours=1)
WEEK = timedelta(days=7, minutes=1)


@pytest.fixture
def travel(facility: Facility):
    facility.policy()
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def good(facility: Facility, travel):
    """A Good run, copied and archived, whose online replica is scheduled for removal."""
    run = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
    runs.assess(run, quality="good", by=facility.staff)
    lifecycle.perform_due()
    assert replica(run, "online").state == "scheduled"
    return run


@pytest.fixture
def trashed(good, travel):
    """The same run a week later: its online replica lies in the store's trash."""
    travel.shift(WEEK)
    lifecycle.perform_due()
    assert replica(good, "online").state == "trashed"
    return good


def replica(run, store: str) -> Replica:
    return Replica.objects.get(data_group__run=run, store__identifier=store)


def claimed(name: str) -> Work:
    """The job of that name as a worker has it that has just begun."""
    job = Job.objects.get(name=name, state="waiting")
    lease = jobs.claim(job.pk)
    assert lease is not None
    return Work(job=job, lease=lease)


@pytest.mark.parametrize("store", ["offline", "mass_storage"])
@pytest.mark.parametrize("fault", ["corrupt", "lost"])
def test_what_lies_in_the_trash_comes_back_when_another_copy_fails(
    trashed, travel, facility: Facility, store: str, fault: str
) -> None:
    other = replica(trashed, store)
    if fault == "corrupt":
        advance(other.found_corrupt, by=WORKER, reason="bit rot")
    else:
        advance(other.report_lost, by=WORKER, reason="tape broken", at=NOW + WEEK)
    travel.shift(timedelta(days=8))
    lifecycle.perform_due()
    assert replica(trashed, "online").state in ("verified", "scheduled")
    assert len(list(facility.raw_folder(trashed).iterdir())) == 3


def test_the_trash_is_emptied_only_if_the_policy_still_allows_it(
    trashed, travel, facility: Facility
) -> None:
    """No move tells of it: the policy itself has changed meanwhile."""
    stricter = facility.policy()
    stricter.clauses.filter(order=2).update(minimum_replicas=3)
    travel.shift(timedelta(days=8))
    lifecycle.perform_due()
    assert replica(trashed, "online").state == "verified"
    assert len(list(facility.raw_folder(trashed).iterdir())) == 3


def test_an_announcement_that_the_policy_no_longer_carries_is_taken_back(
    good, travel, facility: Facility
) -> None:
    stricter = facility.policy()
    stricter.clauses.filter(order=2).update(minimum_replicas=3)
    travel.shift(WEEK)
    lifecycle.perform_due()
    assert replica(good, "online").state == "verified"
    assert not Job.objects.filter(state="held").exists()
    assert facility.raw_folder(good).exists()


def test_a_purge_killed_after_its_decision_is_finished(
    trashed, travel, facility: Facility, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    travel.shift(timedelta(days=8))

    def dies(*args: object, **kwargs: object) -> None:
        assert replica(trashed, "online").state == "removed", "decided before the first byte goes"
        raise SystemExit

    monkeypatch.setattr("catalogue.ports.movers.PosixMover.purge", dies)
    with pytest.raises(SystemExit):
        lifecycle.perform_due()
    monkeypatch.undo()
    trash = facility.folder / "online" / ".trash"
    assert any(trash.rglob("*.h5"))
    travel.shift(settings.JOB_LEASE_SECONDS + 1)
    lifecycle.sweep()
    lifecycle.perform_due()
    assert not any(trash.rglob("*.h5"))
    assert Job.objects.get(name="runs.purge_replica").state == "done"


def transfer() -> Actor:
    program = UserFactory(username="transfer", is_service=True)
    return Actor.of(program, face="api", scopes=frozenset({"transfer"}))


def test_what_is_reported_gone_while_it_lies_in_the_trash_goes_when_its_time_is_over(
    trashed, travel, facility: Facility
) -> None:
    """A transfer program looks where the files were, and finds none."""
    online = replica(trashed, "online")
    told = reporting.report_lost(online.data_group, online.store, by=transfer())
    assert told.state == "trashed"
    assert any((facility.folder / "online" / ".trash").rglob("*.h5"))
    travel.shift(timedelta(days=8))
    lifecycle.perform_due()
    assert replica(trashed, "online").state == "removed"
    assert not any((facility.folder / "online" / ".trash").rglob("*.h5"))


def test_what_is_reported_gone_while_it_lies_in_the_trash_comes_back_when_it_is_wanted(
    trashed, facility: Facility
) -> None:
    online = replica(trashed, "online")
    reporting.report_lost(online.data_group, online.store, by=transfer())
    for store in ("offline", "mass_storage"):
        advance(replica(trashed, store).found_corrupt, by=WORKER, reason="bit rot")
    lifecycle.perform_due()
    assert replica(trashed, "online").state == "verified"
    assert len(list(facility.raw_folder(trashed).iterdir())) == 3


def test_what_has_gone_from_the_trash_does_not_hold_up_its_end(
    trashed, travel, facility: Facility
) -> None:
    next((facility.folder / "online" / ".trash").rglob("*.h5")).unlink()
    travel.shift(timedelta(days=8))
    lifecycle.perform_due()
    assert replica(trashed, "online").state == "removed"
    assert not any((facility.folder / "online" / ".trash").rglob("*.h5"))


def test_the_trash_is_emptied_also_where_a_new_copy_was_reported_meanwhile(
    trashed, travel, facility: Facility, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    """Else what lies there would be in the way when the new copy is to go."""
    travel.shift(timedelta(days=8))

    def dies(*args: object, **kwargs: object) -> None:
        raise SystemExit

    monkeypatch.setattr("catalogue.ports.movers.PosixMover.purge", dies)
    with pytest.raises(SystemExit):
        lifecycle.perform_due()
    monkeypatch.undo()
    online = replica(trashed, "online")
    shutil.copytree(facility.raw_folder(trashed, "offline"), facility.raw_folder(trashed))
    reporting.report_copied(online.data_group, online.store, by=transfer())
    travel.shift(settings.JOB_LEASE_SECONDS + 1)
    lifecycle.sweep()
    lifecycle.perform_due()
    assert not any((facility.folder / "online" / ".trash").rglob("*.h5"))
    assert len(list(facility.raw_folder(trashed).iterdir())) == 3
    assert replica(trashed, "online").state in ("verified", "scheduled")


def test_nothing_is_promised_once_the_purge_is_decided(
    facility: Facility, travel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mark that would bring data back is refused from the moment at which they go for good."""
    run = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
    runs.assess(run, quality="not_interesting", by=facility.staff)
    lifecycle.perform_due()
    travel.shift(WEEK)
    lifecycle.perform_due()
    travel.shift(timedelta(days=8))
    purge = mover_for("posix").purge

    def mark_meanwhile(self, *args: object, **kwargs: object):
        with pytest.raises(Refused, match="have been removed"):
            runs.assess(run, quality="good", by=facility.staff)
        return purge(*args, **kwargs)

    monkeypatch.setattr("catalogue.ports.movers.PosixMover.purge", mark_meanwhile)
    lifecycle.perform_due()
    assert replica(run, "online").state == "removed"


def test_a_mark_while_the_files_go_waits_for_them_and_brings_them_back(
    facility: Facility, travel
) -> None:
    """The removal is under way in one worker when another is told to bring the files back."""
    run = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
    runs.assess(run, quality="not_interesting", by=facility.staff)
    lifecycle.perform_due()
    travel.shift(WEEK)
    removing = claimed("runs.remove_replica")
    online = replica(run, "online")
    advance(online.remove, by=WORKER, reason=online.verdict, at=NOW + WEEK)
    runs.assess(run, quality="good", by=facility.staff)
    lifecycle.perform_due()
    assert replica(run, "online").state == "trashed", "the other worker has not finished"
    removals.remove_replica(removing)
    travel.shift(timedelta(hours=1))
    lifecycle.sweep()
    lifecycle.perform_due()
    assert replica(run, "online").state in ("verified", "scheduled")
    assert len(list(facility.raw_folder(run).iterdir())) == 3
    assert not Job.objects.filter(state="held").exists()


def test_what_came_back_is_announced_with_a_new_grace(trashed, travel, facility: Facility) -> None:
    hold = commands.hold(trashed.proposal, reason="look again", by=facility.staff)
    lifecycle.perform_due()
    assert replica(trashed, "online").state == "verified"
    commands.lift(hold, by=facility.staff, reason="seen")
    lifecycle.perform_due()
    online = replica(trashed, "online")
    assert online.state == "scheduled"
    assert online.remove_at == online.notice_at + timedelta(days=7)


def test_a_hold_that_ends_by_itself_is_followed_by_a_judgement(
    good, travel, facility: Facility
) -> None:
    until = NOW + timedelta(days=3)
    commands.hold(good.proposal, reason="three days", by=facility.staff, until=until)
    lifecycle.perform_due()
    assert replica(good, "online").state == "verified"
    travel.shift(timedelta(days=3, minutes=1))
    lifecycle.perform_due()
    assert replica(good, "online").state == "scheduled"
