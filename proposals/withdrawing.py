"""Withdrawing a proposal: by one while nothing is published, by two afterwards; nothing is lost."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from catalogue.ground import access as words
from catalogue.ground.actor import Actor
from catalogue.ground.lifecycle import Consequence
from catalogue.ground.lifecycle.foresight import Answer
from catalogue.ground.models import Approval
from catalogue.ground.refusal import Refused
from proposals import access, approvals, consequences, queries, upkeep
from proposals.models import Proposal


@transaction.atomic
def withdraw(proposal: Proposal, *, by: Actor, reason: str) -> None:
    """Mark a proposal that was made by mistake; nothing is deleted."""
    access.require(by, words.CANCEL, proposal)
    if not reason.strip():
        raise Refused("Withdrawing a proposal needs a reason.", kind="reason")
    row = Proposal.objects.select_for_update().get(pk=proposal.pk)
    problem = _why_it_stands(row)
    if problem is not None:
        raise problem
    consequences.mark_withdrawn(row, by=by, reason=reason)
    proposal.withdrawn_at = row.withdrawn_at


def explain_withdrawal(proposal: Proposal, by: Actor) -> list[Answer]:
    """What `withdraw` would bring about, or why it is refused."""
    return explain_withdrawal_for(access.allowed_on(by, proposal), proposal)


def explain_withdrawal_for(allowed: Collection[str], proposal: Proposal) -> list[Answer]:
    """The same for somebody of whom it is known already what they may do."""
    problem = access.why_not(allowed, words.CANCEL, proposal) or _why_it_stands(proposal)
    if problem is not None:
        return [problem]
    emptied = [Consequence(upkeep.EMPTIED)] if upkeep.written(proposal) else []
    return [
        Consequence("Nothing is deleted: runs, data and journal stay, for those who see them now."),
        Consequence("It is neither prepared, activated, reviewed nor released any more."),
        *emptied,
        Consequence("This cannot be undone."),
    ]


def _why_it_stands(proposal: Proposal) -> Refused | None:
    if proposal.withdrawn_at is not None:
        return Refused(f"{proposal.label} is withdrawn already.", kind="state")
    if queries.is_published(proposal):
        return Refused(
            "It has a DOI: withdrawing what was published takes two data managers. One asks for "
            "it, another agrees.",
            who="data managers",
        )
    if proposal.state == Proposal.State.ACTIVE:
        return Refused(
            f"{proposal.label} is active: the DAQ writes into it. Pause or finish it first.",
            kind="state",
            who="the local contact",
        )
    return None


@transaction.atomic
def ask_to_withdraw(proposal: Proposal, *, by: Actor, reason: str) -> Approval:
    """Ask that what was published of a proposal is withdrawn; a second data manager agrees."""
    access.require(by, words.WITHDRAW, proposal)
    row = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if not queries.is_published(row):
        raise Refused("It has no DOI that the registrar knows: it is withdrawn without a second.")
    if row.withdrawn_at is not None:
        raise Refused("It is withdrawn already.")
    return approvals.ask(row, queries.WITHDRAW_DOI, permission=words.WITHDRAW, by=by, reason=reason)
