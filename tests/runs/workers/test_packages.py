"""A package holds what is open when it is ready, and nothing besides."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import lifecycle
from catalogue.ground.actor import Actor
from catalogue.ports.movers import PosixMover
from proposals import commands as proposals
from proposals import publishing
from proposals.models import Proposal
from runs import commands, packaging
from runs.models import Run
from tests.factories import BEGIN, Facility

NOW = BEGIN + timedelta(hours=1)


class Registrar:
    def publish(self, *_: object) -> None: ...

    register = publish


@pytest.fixture
def runs(facility: Facility, monkeypatch: pytest.MonkeyPatch):
    """Two Good runs of a proposal whose data are open."""
    monkeypatch.setattr(publishing, "registrar", Registrar)
    with time_machine.travel(NOW, tick=False) as travel:
        proposal = facility.proposal(state="A", calibrates_by_itself=False)
        made = [facility.run(proposal) for _ in range(2)]
        for run in made:
            commands.assess(run, quality="good", by=facility.staff)
        proposals.finish(proposal, by=facility.staff)
        proposals.review(proposal, by=facility.staff)
        lifecycle.perform_due()
        proposals.consent(proposal, by=Actor.of(facility.leader, face="page"))
        proposals.release_early(proposal, by=facility.staff)
        lifecycle.perform_due()
        yield made, travel


def package(run: Run, facility: Facility):
    return packaging.request_package(Proposal.objects.get(pk=run.proposal_id), by=facility.staff)


def spoil(facility: Facility, run: Run) -> None:
    commands.assess(run, quality="not_interesting", by=facility.staff)


def test_a_package_is_made(runs, facility: Facility) -> None:
    (first, _), _ = runs
    made = package(first, facility)
    lifecycle.perform_due()
    made.refresh_from_db()
    assert (made.state, made.reason) == ("ready", "")


def test_a_mark_that_changes_meanwhile_ends_the_package(
    runs, facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, second), _ = runs
    made = package(first, facility)
    write = PosixMover.write

    def meanwhile(mover, place, files, **more: object):
        monkeypatch.undo()
        monkeypatch.setattr(publishing, "registrar", Registrar)
        spoil(facility, second)
        return write(mover, place, files, **more)

    monkeypatch.setattr(PosixMover, "write", meanwhile)
    lifecycle.perform_due()
    made.refresh_from_db()
    assert made.state == "failed"
    assert "changed while" in made.reason
    again = package(first, facility)
    lifecycle.perform_due()
    again.refresh_from_db()
    assert (again.state, again.file_count > 0) == ("ready", True)


def test_what_a_killed_attempt_copied_does_not_slip_into_the_bag(
    runs, facility: Facility, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    """Between the attempts a run has ceased to be open."""
    (first, second), travel = runs
    made = package(first, facility)

    def dies(*_: object, **more: object) -> None:
        raise SystemExit

    monkeypatch.setattr(PosixMover, "write", dies)
    with pytest.raises(SystemExit):
        lifecycle.perform_due()
    monkeypatch.undo()
    monkeypatch.setattr(publishing, "registrar", Registrar)
    spoil(facility, second)
    travel.shift(settings.JOB_LEASE_SECONDS + 1)
    lifecycle.sweep()
    lifecycle.perform_due()
    made.refresh_from_db()
    assert made.state == "failed"
    assert "changed while" in made.reason
