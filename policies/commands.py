"""The verbs on holds and policies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.lifecycle import World
from catalogue.ground.models import Approval
from catalogue.ground.refusal import Refused
from policies import consequences, guards, queries
from policies.models import Clause, Hold, Policy
from proposals import access, approvals
from proposals.models import Proposal
from runs.models import DataGroup, Run


@transaction.atomic
def hold(
    proposal: Proposal,
    *,
    reason: str,
    by: Actor,
    run: Run | None = None,
    kinds: Sequence[str] = (),
    until: datetime | None = None,
) -> Hold:
    """Stop all removal of a run's data, or of all runs of a proposal, from now on. Removals that
    were announced are taken back."""
    access.require(by, words.HOLD, proposal)
    if not reason.strip():
        raise Refused("A hold needs a reason.", kind="reason")
    if run is not None and run.proposal_id != proposal.pk:
        raise Invalid("run", f"must belong to {proposal.label}", run.number)
    known = [k for k, _ in DataGroup._meta.get_field("kind").flatchoices]
    if unknown := [kind for kind in kinds if kind not in known]:
        raise Invalid("kinds", "must be of " + ", ".join(known), unknown[0])
    now = clock.now()
    if until is not None and until <= now:
        raise Invalid("until", "must lie in the future", until)
    rows = Run.objects.select_for_update().filter(proposal=proposal).order_by("pk")
    covered = list(rows.filter(pk=run.pk) if run is not None else rows)
    made = Hold.objects.create(
        proposal=proposal, run=run, reason=reason, by=by.user, by_name=by.name, until=until,
        kinds=list(kinds), created_at=now,
    )  # fmt: skip
    journal.write(made, "hold", by=by, after=made.state, reason=reason)
    world = World(by=by, now=now)
    for one in covered:
        consequences.take_back(one, f"Held by {by.name}: {reason}", world)
    return made


@transaction.atomic
def lift(hold: Hold, *, by: Actor, reason: str) -> Hold:
    """End a hold of one's own; what it covered is judged anew. One that somebody else placed takes
    two people: see `ask_to_lift`."""
    consequences.end_hold(hold, by=by, reason=reason)
    return hold


@transaction.atomic
def ask_to_lift(hold: Hold, *, by: Actor, reason: str) -> Approval:
    """Ask that a hold which somebody else placed is lifted; a second person agrees."""
    access.require(by, words.HOLD, hold.proposal)
    if hold.state != Hold.State.ACTIVE:
        raise Refused("It is lifted already.", kind="state")
    if guards.is_own(hold, by):
        raise Refused("You placed it yourself: lift it.")
    return approvals.ask(hold, queries.LIFT, permission=words.HOLD, by=by, reason=reason)


@transaction.atomic
def draft_policy(
    *, name: str, clauses: Sequence[dict[str, Any]], by: Actor, valid_from: datetime,
    reason: str, description: str = "",
) -> Policy:  # fmt: skip
    """A new version of a policy that binds once somebody else agrees: not before `valid_from`, and
    not before that agreement."""
    if not queries.may_draft(by):
        raise Refused(
            "Policies are drafted by data managers.", kind="permission", who="data managers"
        )
    policy = _enter(name, clauses, by, valid_from, description)
    journal.write(policy, "draft", by=by, after=policy.state, reason=reason)
    approvals.ask(policy, queries.ADOPT, permission=words.POLICY, by=by, reason=reason)
    return policy


@transaction.atomic
def adopt_policy(
    *, name: str, clauses: Sequence[dict[str, Any]], by: Actor, valid_from: datetime,
    description: str = "",
) -> Policy:  # fmt: skip
    """A new version of a policy, in force from `valid_from`, by the console: a new installation has
    nobody yet who could draft one, let alone two. Every run that has data is judged anew: now, and
    again on the day, where that is still to come."""
    if not by.system:
        raise Refused("A policy takes two people: one drafts it, another agrees to it.")
    policy = _enter(name, clauses, by, valid_from, description)
    consequences.adopt(policy, by=by, valid_from=valid_from)
    return policy


def _enter(
    name: str, clauses: Sequence[dict[str, Any]], by: Actor, valid_from: datetime, description: str
) -> Policy:
    last = Policy.objects.filter(name=name).order_by("-version").first()
    policy = Policy.objects.create(
        name=name, version=last.version + 1 if last else 1, valid_from=valid_from,
        description=description, created_by=by.name,
    )  # fmt: skip
    Clause.objects.bulk_create(Clause(policy=policy, **clause) for clause in clauses)
    return policy
