"""A new policy reaches runs of which nothing else would tell it; a hold names what there is."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import lifecycle
from catalogue.ground.actor import COMMAND
from catalogue.ground.inputs import Invalid
from policies import commands
from runs import commands as runs
from runs.models import Replica
from tests.factories import BEGIN, CLAUSES, Facility

NOW = BEGIN + timedelta(hours=1)
WEEK = timedelta(days=7)


@pytest.mark.parametrize("ahead", [timedelta(0), WEEK])
def test_a_new_policy_judges_the_runs_that_are_there(facility: Facility, ahead: timedelta) -> None:
    """So far nothing spoke of this run, so no judgement of it was to come."""
    with time_machine.travel(NOW, tick=False) as clock:
        run = facility.run(facility.proposal(state="A"))
        runs.assess(run, quality="not_interesting", by=facility.staff)
        lifecycle.perform_due()
        online = Replica.objects.get(data_group__run=run)
        assert online.state == "copied"
        commands.adopt_policy(name="Standard", clauses=CLAUSES, by=COMMAND, valid_from=NOW + ahead)
        clock.shift(ahead)
        lifecycle.perform_due()
        online.refresh_from_db()
    assert online.state == "scheduled"
    assert online.remove_at == NOW + ahead + WEEK


def test_a_hold_on_a_kind_that_is_none_is_refused(facility: Facility) -> None:
    """It would hold nothing, and say that it does."""
    proposal = facility.proposal()
    with pytest.raises(Invalid, match="kinds"):
        commands.hold(proposal, reason="stop", by=facility.staff, kinds=["raw"])
    assert commands.hold(proposal, reason="stop", by=facility.staff, kinds=["RAW"]).pk
