"""A package holds what is open when it is ready, and nothing besides."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from catalogue.ground import lifecycle
from catalogue.ground.actor import Actor
from catalogue.ground.models import Job
from catalogue.ports.movers import PosixMover
from catalogue.ports.outcome import Permanent
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


def copied(facility: Facility) -> list[Path]:
    """The data files below the export store, those in its trash too."""
    return sorted((facility.folder / "export").rglob("*.h5"))


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
    assert copied(facility) == []
    again = package(first, facility)
    lifecycle.perform_due()
    again.refresh_from_db()
    assert (again.state, again.file_count > 0) == ("ready", True)
    assert len(copied(facility)) == 3


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
    assert copied(facility) == []


def test_of_a_package_that_failed_no_data_stay_but_what_is_not_ours(
    runs, facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was copied is open perhaps no more; a file that somebody put there is theirs."""
    (first, _), _ = runs
    made = package(first, facility)
    stray = facility.folder / f"export/packages/{made.proposal.folder}-{made.pk}/data/notes.h5"

    def breaks_off(*_: object, **more: object) -> None:
        stray.write_bytes(b"mine")
        raise Permanent("The store refuses.")

    monkeypatch.setattr(PosixMover, "write", breaks_off)
    lifecycle.perform_due()
    made.refresh_from_db()
    assert made.state == "failed"
    assert copied(facility) == [stray]
    assert not Job.objects.filter(state="held").exists()
    assert all(len(list(facility.raw_folder(run).iterdir())) == 3 for run in runs[0])
