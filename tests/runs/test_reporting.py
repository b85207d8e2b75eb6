"""What programs outside report of copies: a fact, from whoever may report, told once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue.ground import jobs, lifecycle
from catalogue.ground.actor import WORKER, Actor
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.models import Entry, Job, Store
from catalogue.ground.refusal import Refused
from proposals.models import Proposal
from runs import commands, deleting, reporting
from runs.models import DataGroup, Replica, Run
from tests.factories import BEGIN, Facility, UserFactory

pytestmark = pytest.mark.django_db
NOW = BEGIN + timedelta(hours=1)


@pytest.fixture
def transfer(facility: Facility) -> Actor:
    """A program that may report transfers, and nothing else."""
    program = UserFactory(username="transfer", is_service=True)
    return Actor.of(program, face="api", scopes=frozenset({"transfer"}))


@pytest.fixture
def group(facility: Facility) -> DataGroup:
    with time_machine.travel(NOW, tick=False):
        return facility.run(facility.proposal(state="A")).data_groups.get()


def read_back(replica: Replica) -> None:
    """Our worker reads a replica, and finds it whole."""
    (job,) = enqueue([Wanted("runs.verify_replica", replica)], by=WORKER)
    lifecycle.perform(job.pk)
    replica.refresh_from_db()
    assert replica.state == "verified"


def test_who_may_report_and_who_may_not(
    facility: Facility, transfer: Actor, group: DataGroup
) -> None:
    offline = facility.stores["offline"]
    for report in (reporting.report_copied, reporting.report_lost):
        for other in (facility.daq, Actor.of(facility.leader, face="page")):
            with pytest.raises(Refused):
                report(group, offline, by=other)
        report(group, offline, by=transfer)
    with pytest.raises(Refused):
        reporting.correct(group.run, to={"first_train": 5}, by=transfer)
    with pytest.raises(Refused):
        deleting.delete_run(group.run, by=transfer)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reports=st.lists(st.booleans(), max_size=8))
def test_the_last_report_stands_and_each_change_is_told_once(
    facility: Facility, transfer: Actor, group: DataGroup, reports: list[bool]
) -> None:
    offline = facility.stores["offline"]
    Replica.objects.filter(store=offline).delete()
    before = Entry.objects.count()
    for there in reports:
        report = reporting.report_copied if there else reporting.report_lost
        report(group, offline, by=transfer)
    rows = list(Replica.objects.filter(store=offline))
    assert [row.state for row in rows] == (["copied" if reports[-1] else "lost"] if reports else [])
    changes = sum(now != then for then, now in zip([None, *reports], reports, strict=False))
    assert Entry.objects.filter(subject_type="runs.replica").count() - _moves(before) == changes


def _moves(before: int) -> int:
    """Entries about replicas among the first `before`."""
    first = Entry.objects.order_by("pk").values("pk")[:before]
    return Entry.objects.filter(pk__in=first, subject_type="runs.replica").count()


@pytest.mark.parametrize("quality", ["", "good", "unclear", "not_interesting"])
def test_the_last_verified_copy_lost_is_an_alarm_unless_nobody_wants_the_data(
    facility: Facility, transfer: Actor, group: DataGroup, quality: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        online = group.replicas.get()
        read_back(online)
        if quality:
            commands.assess(group.run, quality=quality, by=facility.staff)
            jobs_before = Job.objects.filter(state="waiting")
            for job in jobs_before:
                lifecycle.call_off(job, by=WORKER, reason="not in this test")
        reporting.report_lost(group, online.store, by=transfer)
    alarms = Job.objects.filter(name="runs.last_copy")
    assert [job.state for job in alarms] == ([] if quality == "not_interesting" else ["held"])


def test_no_alarm_while_another_verified_copy_is_left(
    facility: Facility, transfer: Actor, group: DataGroup
) -> None:
    with time_machine.travel(NOW, tick=False):
        commands.assess(group.run, quality="good", by=facility.staff)
        lifecycle.perform_due()
        assert Replica.objects.get(store=facility.stores["offline"]).state == "verified"
        reporting.report_lost(group, facility.stores["mass_storage"], by=transfer)
        assert not Job.objects.filter(name="runs.last_copy").exists()
        reporting.report_lost(group, facility.stores["offline"], by=transfer, reason="a disk died")
    (alarm,) = Job.objects.filter(name="runs.last_copy")
    assert (alarm.state, "online (copied)" in alarm.reason) == ("held", True)
    told = Entry.objects.get(move="report_lost", subject_label__endswith="in offline")
    assert told.reason == "a disk died"
    read = Job.objects.filter(name="runs.verify_replica", state="waiting")
    assert [job.subject_id for job in read] == [group.replicas.get(store__tier="online").pk]


def test_our_worker_does_not_copy_into_the_store_of_an_external_agent(
    facility: Facility, transfer: Actor, group: DataGroup
) -> None:
    """There the agent copies; what it brought is read back, and what it removes it reports."""
    Store.objects.filter(identifier="offline").update(agent=Store.EXTERNAL)
    with time_machine.travel(NOW, tick=False):
        commands.assess(group.run, quality="good", by=facility.staff)
        assert not Job.objects.filter(name="runs.migrate").exists()
        there = facility.raw_folder(group.run, "offline")
        there.mkdir(parents=True)
        for file in facility.raw_folder(group.run).iterdir():
            (there / file.name).write_bytes(file.read_bytes())
        offline = Store.objects.get(identifier="offline")
        replica = reporting.report_copied(group, offline, by=transfer)
        lifecycle.perform_due()
        replica.refresh_from_db()
        assert replica.state == "verified"
        assert Replica.objects.get(store__identifier="mass_storage").state == "verified"


def test_what_was_removed_may_be_brought_again(
    facility: Facility, transfer: Actor, group: DataGroup
) -> None:
    online = group.replicas.get()
    with time_machine.travel(NOW, tick=False):
        read_back(online)
    Replica.objects.filter(pk=online.pk).update(state="removed")
    again = reporting.report_copied(group, online.store, by=transfer)
    assert (again.pk, again.state, again.verified_at) == (online.pk, "copied", None)


def test_a_program_adopts_only_with_the_scope_for_it(
    facility: Facility, transfer: Actor, group: DataGroup
) -> None:
    run: Run = group.run
    with pytest.raises(Refused):
        reporting.report_status(run, to="open", by=facility.daq)
    adopting = Actor.of(UserFactory(is_service=True), face="api", scopes=frozenset({"adopt"}))
    reporting.report_status(run, to="open", by=adopting)
    assert run.status == "open"
    commands.assess(run, quality="good", by=facility.staff)
    with pytest.raises(Refused):
        reporting.report_no_mark(run, by=facility.daq)
    reporting.report_no_mark(run, by=adopting)
    assert (run.quality, run.assessed_at) == ("", None)


def test_a_run_that_has_no_mark_any_more_keeps_its_data(facility: Facility) -> None:
    """What was announced for removal because of the mark is taken back with it."""
    facility.policy()
    adopting = Actor.of(UserFactory(is_service=True), face="api", scopes=frozenset({"adopt"}))
    with time_machine.travel(NOW, tick=False):
        run = facility.run(facility.proposal(state="A"))
        commands.assess(run, quality="not_interesting", by=facility.staff)
        lifecycle.perform_due()
        online = Replica.objects.get()
        assert online.state == "scheduled"
        reporting.report_no_mark(run, by=adopting)
    online.refresh_from_db()
    assert online.state == "verified"


def test_a_run_that_has_no_run_type_keeps_its_data(facility: Facility) -> None:
    proposal: Proposal = facility.proposal(state="A")
    run = commands.register(proposal, number=5, begin_at=BEGIN, by=facility.daq)
    deleting.delete_run(run, by=facility.daq)
    run = commands.register(proposal, number=5, begin_at=BEGIN, by=facility.daq)
    DataGroup.objects.create(run=run, kind="RAW", created_at=BEGIN)
    with pytest.raises(Refused, match="no run type"):
        deleting.delete_run(run, by=facility.daq)
    assert Run.objects.filter(pk=run.pk).exists()
    assert jobs.due(NOW).count() == 0
