"""What somebody else does to a run between the moment a program's call looks at it and its verb."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from proposals.models import Proposal
from runs import commands, reporting
from runs.models import Run
from tests.catalogue.faces.mymdc.facts import made, run_of
from tests.factories import BEGIN, Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db
END = BEGIN + timedelta(minutes=5)


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    return facility.proposal(state="A")


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Have `act(run)` done when a call has looked at the run, before its first verb."""
    correct = reporting.correct

    def first(run: Run, **given: Any) -> Run:
        monkeypatch.undo()
        act(Run.objects.get(pk=run.pk))
        return correct(run, **given)

    monkeypatch.setattr(reporting, "correct", first)


def test_a_mark_stands_that_was_set_while_the_daq_closed_the_run(
    facility: Facility, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    daq = Legacy(facility, scopes=["daq"])
    run = made(daq.post("runs/", {"run": run_of(facility, proposal)}))
    meanwhile(monkeypatch, lambda row: commands.assess(row, quality="good", by=facility.staff))
    ended = {"end_at": END.isoformat(), "last_train": 2000, "flg_status": 2}
    answer = daq.put(f"runs/{run['id']}", ended)
    assert answer.status_code == 200, answer.content
    row = Run.objects.get(pk=run["id"])
    assert (row.status, row.quality) == ("closed", "good")


def test_a_run_stays_closed_that_was_closed_while_a_program_described_it(
    facility: Facility, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    daq = Legacy(facility, scopes=["daq"])
    run = made(daq.post("runs/", {"run": run_of(facility, proposal)}))
    meanwhile(monkeypatch, lambda row: commands.close(row, end_at=END, by=facility.daq))
    answer = daq.put(f"runs/{run['id']}", {"description": "the jet was stable"})
    assert answer.status_code == 200, answer.content
    row = Run.objects.get(pk=run["id"])
    assert (row.status, row.comment) == ("closed", "the jet was stable")
