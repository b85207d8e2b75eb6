"""The diagram of a proposal's way, for every state it can be in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from proposals.models import Proposal
from proposals.steps import WAY, steps

T0 = datetime(2026, 11, 20, tzinfo=UTC)


def _proposal(state: str) -> Proposal:
    proposal = Proposal(number=1, state_since=T0)
    proposal.__dict__["state"] = state
    return proposal


@pytest.mark.parametrize("state", [s for s in Proposal.State.values if s != "C"])
def test_it_stands_at_one_step_with_all_before_it_done(state: str) -> None:
    found = steps(_proposal(state), {})
    places = [s.place for s in found]
    here = places.index("here")
    assert places == ["done"] * here + ["here"] + ["ahead"] * (len(WAY) - here - 1)
    assert state in dict(WAY)[found[here].name]
    assert found[here].word == Proposal.State(state).label
    assert found[here].at == T0


def test_a_cancelled_one_ends_where_it_was() -> None:
    reached = {"N": T0, "WLC": T0 + timedelta(hours=1), "C": T0 + timedelta(hours=2)}
    found = steps(_proposal("C"), reached)
    assert [s.name for s in found] == ["New", "Accounts", "Cancelled"]
    assert [s.place for s in found] == ["done", "done", "here"]
    assert found[-1].at == reached["C"]


def test_every_state_belongs_to_a_step() -> None:
    assert {s for _, states in WAY for s in states} | {"C"} == set(Proposal.State.values)
