"""What the leaders of a team decide about it: who stands in for them, and how long it has access.

Deputies do what a leader does, but name no further leaders. The team's access ends a year after
its last beamtime unless a leader, or the office, prolongs it, with a reason.
"""

from __future__ import annotations

from datetime import date

from django.db import transaction

from catalogue.ground import access as words
from catalogue.ground import calendar, clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import User
from catalogue.ground.refusal import Refused
from proposals import access, commands, queries, upkeep
from proposals.models import Membership, Proposal


@transaction.atomic
def name_deputy(
    proposal: Proposal, *, user: User, by: Actor, until: date | None = None
) -> Membership:
    """Let somebody act for the leaders of the team, until a day or for as long as the team has
    access."""
    access.require(by, words.DELEGATE, proposal)
    queries.lock(proposal)
    there = proposal.memberships.filter(user=user).first()
    if there is not None and there.role in (Membership.Role.PI, Membership.Role.PROPOSER):
        raise Invalid("login", f"{user.full_name} leads the team already", user.username)
    if until is not None and until < access.today():
        raise Invalid("until", "must not lie in the past", until)
    commands.require_for_end(by, proposal, until)
    facts = {
        "role": Membership.Role.DEPUTY,
        "data_access": Membership.DataAccess.WORK,
        "until": until,
    }
    member, _ = Membership.objects.update_or_create(
        proposal=proposal,
        user=user,
        defaults=facts,
        create_defaults={**facts, "added_at": clock.now()},
    )
    told = {"person": user.full_name, "until": until}
    journal.write(proposal, "name deputy", by=by, facts=told)
    upkeep.team_changed(proposal, by=by)
    return member


@transaction.atomic
def end_deputy(member: Membership, *, by: Actor) -> Membership:
    """A deputy is a member of the team like others again."""
    proposal = member.proposal
    access.require(by, words.DELEGATE, proposal)
    queries.lock(proposal)
    row = proposal.memberships.select_related("user").filter(pk=member.pk).first()
    if row is None or row.role != Membership.Role.DEPUTY:
        raise Refused("They are no deputy any more.", kind="state")
    row.role = Membership.Role.MEMBER
    row.save(update_fields=["role"])
    journal.write(proposal, "end deputy", by=by, facts={"person": row.user.full_name})
    upkeep.team_changed(proposal, by=by)
    return row


@transaction.atomic
def prolong_access(proposal: Proposal, *, until: date, by: Actor, reason: str) -> None:
    """Let the team keep its access until a later day than the rule gives it."""
    access.require(by, words.PROLONG, proposal)
    if not reason.strip():
        raise Refused("Prolonging the team's access needs a reason.", kind="reason")
    queries.lock(proposal)
    row = Proposal.objects.get(pk=proposal.pk)
    if row.team_until is None:
        raise Refused("The team's access has no end: there is no beamtime yet.", kind="state")
    today = access.today()
    if until <= row.team_until or until < today:
        day = calendar.say_day(max(row.team_until, today))
        raise Invalid("until", f"must be later than {day}", until)
    latest = calendar.add(today, commands.LONGEST_ACCESS)
    if until > latest:
        raise Invalid("until", f"must not be later than {calendar.say_day(latest)}", until)
    facts = {"until": until, "before": row.team_until}
    for thing in (row, proposal):
        thing.team_until = thing.team_prolonged_until = until
    row.save(update_fields=["team_until", "team_prolonged_until"])
    journal.write(row, "prolong access", by=by, reason=reason.strip(), facts=facts)
    upkeep.team_changed(proposal, by=by)
