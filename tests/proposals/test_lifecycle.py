"""A proposal whose world changes while its jobs wait, and the ways around its embargo."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import lifecycle
from catalogue.ground.actor import COMMAND, Actor
from catalogue.ground.lifecycle import Refused
from catalogue.ground.models import Job
from proposals import commands, publishing, withdrawing
from proposals.models import Proposal
from tests.factories import BEGIN, Facility

NOW = BEGIN + timedelta(days=5)
YEAR = timedelta(days=366)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a registrar that accepts everything was told."""
    said: list[str] = []

    class Registrar:
        def publish(self, name: str, *_: object) -> None:
            said.append(f"publish {name}")

        register = publish

    monkeypatch.setattr(publishing, "registrar", Registrar)
    return said


def state(proposal: Proposal) -> str:
    return Proposal.objects.get(pk=proposal.pk).state


def jobs_held() -> list[str]:
    return list(Job.objects.filter(state="held").values_list("reason", flat=True))


def test_folders_stay_when_the_proposal_was_taken_up_again(
    facility: Facility, clock, told: list[str]
) -> None:
    proposal = facility.proposal(state="FR", prepared=True)
    lifecycle.perform_due()
    folder = facility.folder / "online" / proposal.path
    commands.close(proposal, by=facility.staff)
    commands.adopt(proposal, state="A", by=COMMAND, reason="beam is back")
    lifecycle.perform_due()
    assert folder.exists()
    assert (state(proposal), jobs_held()) == ("A", [])


def test_a_preparation_that_was_cancelled_leaves_no_held_job(facility: Facility, clock) -> None:
    proposal = facility.proposal()
    commands.prepare(proposal, by=facility.staff)
    commands.cancel(proposal, by=facility.staff, reason="withdrawn by the users")
    lifecycle.perform_due()
    assert (state(proposal), jobs_held()) == ("C", [])
    assert not (facility.folder / "online" / proposal.path).exists()


@pytest.mark.parametrize("how", ["withdrawn", "reopened"])
def test_no_doi_for_what_is_not_reviewed_any_more(
    facility: Facility, clock, told: list[str], how: str
) -> None:
    proposal = facility.proposal(state="FR", prepared=True)
    if how == "withdrawn":
        withdrawing.withdraw(proposal, by=facility.staff, reason="entered twice")
    else:
        commands.adopt(proposal, state="F", by=COMMAND, reason="reported")
    lifecycle.perform_due()
    assert told == []
    assert Proposal.objects.get(pk=proposal.pk).doi is None


def test_what_was_withdrawn_is_neither_reviewed_nor_released(
    facility: Facility, clock, told: list[str]
) -> None:
    proposal = facility.proposal(state="F", prepared=True)
    withdrawing.withdraw(proposal, by=facility.staff, reason="entered twice")
    with pytest.raises(Refused, match="withdrawn"):
        commands.review(proposal, by=facility.staff)
    other = facility.proposal(state="FR", prepared=True)
    commands.consent(other, by=Actor.of(facility.leader, face="page"))
    withdrawing.withdraw(other, by=facility.staff, reason="entered twice")
    with pytest.raises(Refused, match="withdrawn"):
        commands.release_early(other, by=facility.staff)


def test_a_release_is_not_postponed_to_an_earlier_day(
    facility: Facility, clock, told: list[str]
) -> None:
    """That would be an early release by one account and without consent."""
    proposal = facility.proposal(state="FR", prepared=True)
    opens = proposal.release_at
    with pytest.raises(Refused, match="must be later"):
        commands.postpone(
            proposal, until=NOW + timedelta(days=1), by=facility.staff, reason="quick"
        )
    commands.postpone(proposal, until=opens + YEAR, by=facility.staff, reason="a patent")
    assert Proposal.objects.get(pk=proposal.pk).release_at == opens + YEAR


def test_a_release_postponed_before_the_review_stays_so(
    facility: Facility, clock, told: list[str]
) -> None:
    proposal = facility.proposal(state="F", prepared=True)
    until = NOW + 10 * YEAR
    with pytest.raises(Refused, match="must be later"):
        commands.postpone(proposal, until=NOW + YEAR, by=facility.staff, reason="soon")
    commands.postpone(proposal, until=until, by=facility.staff, reason="a patent")
    commands.review(proposal, by=facility.staff)
    assert Proposal.objects.get(pk=proposal.pk).release_at == until


def test_a_release_postponed_while_it_is_reviewed_stays_so(
    facility: Facility, clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reviewer's call has begun: its day, from before, would open the data."""
    proposal = facility.proposal(state="F")
    until = NOW + 10 * YEAR
    advance = lifecycle.advance

    def postponed_first(method, /, **facts: object):
        monkeypatch.undo()
        row = Proposal.objects.get(pk=proposal.pk)
        commands.postpone(row, until=until, by=facility.staff, reason="a patent")
        return advance(method, **facts)

    monkeypatch.setattr(commands, "advance", postponed_first)
    commands.review(proposal, by=facility.staff)
    assert Proposal.objects.get(pk=proposal.pk).release_at == until


def test_a_reported_state_cannot_make_two_proposals_active(facility: Facility, clock) -> None:
    facility.proposal(state="A")
    other = facility.proposal(state="R")
    with pytest.raises(Refused, match="in use"):
        commands.adopt(other, state="A", by=COMMAND)
    commands.adopt(other, state="F", by=COMMAND)
    assert state(other) == "F"


@pytest.mark.django_db(transaction=True)
def test_who_asks_what_would_happen_waits_for_nobody(facility: Facility) -> None:
    """Outside any transaction, as a page asks: no lock is taken for it."""
    proposal = facility.proposal(state="R")
    told = {m.name: said for m, said in lifecycle.moves_of(proposal, facility.staff)}
    assert [a.text for a in told["activate"]] == ["The DAQ registers runs from now on."]
