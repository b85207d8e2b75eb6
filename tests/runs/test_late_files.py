"""Files that are registered again, late, or while a copy runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import lifecycle
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.lifecycle import Refused
from catalogue.ground.models import Job
from catalogue.ports.movers import PosixMover
from proposals.models import Proposal
from runs import commands, registration
from runs.models import Replica, Run
from tests.factories import BEGIN, Facility

NOW = BEGIN + timedelta(hours=1)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def proposal(facility: Facility, clock) -> Proposal:
    return facility.proposal(state="A", calibrates_by_itself=False)


def register(facility: Facility, run: Run, files: int) -> registration.Registered:
    rows = facility.write(run, files)
    return registration.register(run, kind="RAW", files=rows, by=facility.daq)


def replicas(run: Run) -> dict[str, tuple[str, int]]:
    found = Replica.objects.filter(data_group__run=run).select_related("store")
    return {r.store.identifier: (r.state, r.file_count) for r in found}


def test_the_same_call_again_is_accepted_when_the_data_were_copied(
    facility: Facility, proposal: Proposal
) -> None:
    """The answer to the first was lost; the DAQ asks again after the migration."""
    run = facility.run(proposal)
    commands.assess(run, quality="good", by=facility.staff)
    lifecycle.perform_due()
    again = register(facility, run, 3)
    assert (again.created, again.known) == (0, 3)
    with pytest.raises(Refused, match="in no copy"):
        register(facility, run, 4)
    run.refresh_from_db()
    assert run.file_count == 3


@pytest.mark.parametrize("mark", ["good", "not_interesting"])
def test_files_registered_after_the_close_follow_the_mark(
    facility: Facility, proposal: Proposal, mark: str
) -> None:
    """They come just before the scan that would have found them."""
    facility.policy()
    run = facility.run(proposal, files=0, closed=False)
    commands.assess(run, quality=mark, by=facility.staff)
    commands.close(run, end_at=NOW, by=facility.daq)
    register(facility, run, 3)
    lifecycle.perform_due()
    if mark == "good":
        assert replicas(run)["mass_storage"] == ("verified", 3)
    else:
        assert replicas(run)["online"] == ("scheduled", 3)


def test_scanned_files_of_an_uninteresting_run_are_judged(
    facility: Facility, proposal: Proposal
) -> None:
    facility.policy()
    run = facility.run(proposal, files=0, closed=False)
    facility.write(run)
    commands.assess(run, quality="not_interesting", by=facility.staff)
    commands.close(run, end_at=NOW, by=facility.daq)
    lifecycle.perform_due()
    assert replicas(run) == {"online": ("scheduled", 3)}


def test_files_that_come_while_the_copy_runs_are_copied_too(
    facility: Facility, proposal: Proposal, clock, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    run = facility.run(proposal)
    commands.assess(run, quality="good", by=facility.staff)
    real = PosixMover.copy

    def more_come(mover, source, destination, entries, **more: object):
        monkeypatch.undo()
        receipt = real(mover, source, destination, entries, **more)
        register(facility, run, 5)
        return receipt

    monkeypatch.setattr(PosixMover, "copy", more_come)
    lifecycle.perform_due()
    assert replicas(run)["offline"][0] == "copying"
    clock.shift(settings.JOB_BACKOFF_SECONDS)
    lifecycle.perform_due()
    assert replicas(run)["offline"] == replicas(run)["mass_storage"] == ("verified", 5)
    assert not Job.objects.filter(state="held").exists()


def test_a_replica_with_unread_files_is_not_verified(
    facility: Facility, proposal: Proposal
) -> None:
    run = facility.run(proposal)
    online = Replica.objects.get(data_group__run=run)
    enqueue([Wanted("runs.verify_replica", online)], by=WORKER)
    lifecycle.perform_due()
    assert replicas(run)["online"] == ("verified", 3)
    register(facility, run, 5)
    assert replicas(run)["online"] == ("copied", 5)


def test_a_closed_proposal_takes_no_files(facility: Facility, proposal: Proposal) -> None:
    run = facility.run(proposal)
    Proposal.objects.filter(pk=proposal.pk).update(state="CLO")
    assert register(facility, run, 3).known == 3
    with pytest.raises(Refused, match="closed"):
        register(facility, run, 4)
