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
from proposals import access, approvals, consequences, guards, queries, upkeep
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


def explain_withdrawal(proposal: Proposal, allowed: Collection[str]) -> list[Answer]:
    """What `withdraw` would bring about, or why it is refused to somebody who may do `allowed`."""
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
    problem = _why_not_by_two(row)
    if problem is not None:
        raise problem
    return approvals.ask(row, queries.WITHDRAW_DOI, permission=words.WITHDRAW, by=by, reason=reason)


def takes_two(proposal: Proposal) -> bool:
    """Whether it is published, so that one person alone does not withdraw it any more."""
    return queries.is_published(proposal) and proposal.withdrawn_at is None


def asked(proposal: Proposal) -> Approval | None:
    """The request to withdraw what was published of it that waits for somebody to agree."""
    return approvals.asked_of([proposal]).get(proposal.pk) if takes_two(proposal) else None


def explain_asking(proposal: Proposal, allowed: Collection[str]) -> list[Answer]:
    """What `ask_to_withdraw` would bring about, or why it is refused."""
    problem = access.why_not(allowed, words.WITHDRAW, proposal) or _why_not_by_two(proposal)
    if problem is not None:
        return [problem]
    return [
        Consequence("Nothing changes until a second data manager agrees."),
        guards.TOMBSTONE,
        Consequence("Once agreed, this cannot be undone."),
    ]


def _why_not_by_two(proposal: Proposal) -> Refused | None:
    if not queries.is_published(proposal):
        return Refused("It has no DOI that the registrar knows: it is withdrawn without a second.")
    if proposal.withdrawn_at is not None:
        return Refused("It is withdrawn already.")
    return None
