"""Moves of a proposal that follow from others in the same transaction."""

from __future__ import annotations

from catalogue.ground import clock, journal
from catalogue.ground.actor import WORKER, Actor
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.lifecycle import World, advance
from catalogue.ground.models import Approval
from proposals import queries, upkeep
from proposals.models import Proposal


def go_on_preparing(proposal: Proposal, world: World) -> None:
    """When one preparation step is done the next one is asked for."""
    if proposal.state == Proposal.State.DIRECTORY_DONE:
        advance(proposal.request_folders, by=WORKER, at=world.now)
    elif proposal.state == Proposal.State.FOLDERS_DONE:
        advance(proposal.request_daq, by=WORKER, at=world.now)


def withdraw_published(approval: Approval, world: World) -> None:
    """Two data managers agreed that what was published is withdrawn: nothing is offered any more,
    the DOI's page becomes a tombstone, and the registrar is told so."""
    if approval.act != queries.WITHDRAW_DOI:
        return
    proposal = Proposal.objects.select_for_update(of=("self",)).get(pk=approval.subject_id)
    mark_withdrawn(proposal, by=world.by, reason=approval.reason)
    enqueue([Wanted("proposals.register_doi", proposal)], by=world.by)


def mark_withdrawn(proposal: Proposal, *, by: Actor, reason: str) -> None:
    """Say of a proposal, locked by the caller, that it is withdrawn; nothing is deleted, and nobody
    has access by its groups any more."""
    if proposal.withdrawn_at is None:
        proposal.withdrawn_at = clock.now()
        proposal.save(update_fields=["withdrawn_at"])
    journal.write(proposal, "withdraw", by=by, reason=reason)
    upkeep.team_changed(proposal, by=by)
