"""Reading a replica while something else happens to it."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import clock, jobs, lifecycle
from catalogue.ground.actor import WORKER, Actor
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.lifecycle import Work, advance
from catalogue.ground.models import Store
from runs import commands, reporting
from runs.models import DataGroup, Replica
from runs.workers import copies
from tests.factories import BEGIN, Facility

NOW = BEGIN + timedelta(hours=1)


@pytest.fixture
def reading(facility: Facility):
    """A verified online replica whose removal the policy allows, and the job of reading it anew."""
    facility.policy()
    with time_machine.travel(NOW, tick=False):
        run = facility.run(facility.proposal(state="A"))
        commands.assess(run, quality="not_interesting", by=facility.staff)
        lifecycle.perform_due()
        online = Replica.objects.get(data_group__run=run)
        advance(online.keep, by=WORKER, reason="to be announced while it is read")
        (job,) = enqueue([Wanted("runs.verify_replica", online)], by=WORKER)
        lease = jobs.claim(job.pk)
        assert lease is not None
        yield online, Work(job=job, lease=lease), facility.raw_folder(run)


def announce(replica: Replica) -> None:
    week = clock.now() + timedelta(days=7)
    advance(
        replica.schedule_removal, by=WORKER, reason="the policy", at=clock.now(), remove_at=week
    )


def test_a_removal_that_is_announced_while_the_data_are_read_stands(reading) -> None:
    online, work, _ = reading
    outcome = copies.verify_replica(work)
    announce(Replica.objects.get(pk=online.pk))
    outcome.record()
    online.refresh_from_db()
    assert online.state == "scheduled"


def test_data_that_go_while_they_are_read_are_not_corrupt(reading, monkeypatch) -> None:
    online, work, folder = reading
    replica = Replica.objects.get(pk=online.pk)
    looked = work.subject

    def look_first(model: object) -> Replica:
        """The performer looks at the replica; then its data go to the trash."""
        monkeypatch.undo()
        seen: Replica = looked(model)
        announce(replica)
        with time_machine.travel(clock.now() + timedelta(days=7, minutes=1), tick=False):
            lifecycle.perform_due()
        assert not folder.exists()
        return seen

    monkeypatch.setattr(Work, "subject", lambda self, model: look_first(model))
    assert copies.verify_replica(work) is None
    online.refresh_from_db()
    assert online.state == "trashed"


def test_a_reported_copy_is_read_once_it_is_known_what_it_should_hold(facility: Facility) -> None:
    """The transfer program was faster than the look into the folder of a run without files."""
    proposal = facility.proposal(state="A")
    offline = facility.stores["offline"]
    Store.objects.filter(pk=offline.pk).update(agent=Store.EXTERNAL)
    offline.refresh_from_db()
    account = facility.daq.user
    transfer = Actor(account, "Transfer service", "api", scopes=frozenset({"transfer"}))
    with time_machine.travel(NOW, tick=False):
        run = facility.run(proposal, files=0, closed=False)
        group, _ = DataGroup.objects.get_or_create(
            run=run, kind="RAW", edition=1, defaults={"created_at": NOW}
        )
        source = facility.raw_folder(run)
        source.mkdir(parents=True, exist_ok=True)
        (source / f"RAW-{run.number}.h5").write_bytes(b"data")
        shutil.copytree(source, facility.raw_folder(run, "offline"))
        replica = reporting.report_copied(group, offline, by=transfer)
        lifecycle.perform_due()
        replica.refresh_from_db()
        assert (replica.state, replica.verified_at) == ("copied", None), "nothing was read"
        commands.close(run, end_at=NOW, by=facility.daq)
        lifecycle.perform_due()
    replica.refresh_from_db()
    assert (replica.state, replica.file_count, replica.bytes) == ("verified", 1, 4)
