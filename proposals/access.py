"""Who may see and do what with a proposal, and with all that belongs to it.

Rights come from roles: offices, and memberships in force (`held_on`); what a role gives stands in
`catalogue.ground.access`. Beside that, what is `public` everybody may read about, and of what is
`open_to_all` the data. `holding` and `visible` narrow lists, `allowed_on` answers for one
proposal; a property test holds them against each other, and `reasons` tells them piece by piece.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Model, Q, QuerySet

from catalogue.ground import access, clock
from catalogue.ground.actor import Actor
from catalogue.ground.lifecycle import World
from catalogue.ground.models import Appointment, Approval, Doi
from catalogue.ground.refusal import Refused
from proposals.models import REVIEWED, Membership, Proposal

TEAM_ROLES = {
    Membership.Role.PI: "principal investigator",
    Membership.Role.PROPOSER: "main proposer",
    Membership.Role.DEPUTY: "deputy",
}
WORDS = {
    "principal investigator": "the principal investigator",
    "main proposer": "the main proposer",
    "deputy": "their deputies",
    "team work": "team members who work on the data",
    "team read": "the team",
    "local_contact": "the local contact",
    "instrument_scientist": "instrument scientists",
    "instrument_leader": "the instrument leader",
    "deputy_leader": "the deputy leader",
    "user_office": "the user office",
    "data_manager": "data managers",
    "auditor": "auditors",
}


def today() -> date:
    """The facility's date."""
    return clock.now().astimezone(clock.facility_zone()).date()


def _current(day: date, prefix: str = "") -> Q:
    """Memberships in force: prolonged by hand, else until the team's access ends."""
    own = f"{prefix}until"
    team = f"{prefix}proposal__team_until"
    return Q(**{f"{own}__gte": day}) | Q(**{f"{own}__isnull": True}) & (
        Q(**{f"{team}__isnull": True}) | Q(**{f"{team}__gte": day})
    )


def _team_roles_with(permission: str, actor: Actor) -> Q:
    """Which memberships give `actor` this permission, as a condition."""

    def gives(role: str) -> bool:
        return permission in access.allowed(actor, [role])

    named = Q(role__in=[r for r, words in TEAM_ROLES.items() if gives(words)])
    levels = [n for n, words in ((1, "team read"), (2, "team work")) if gives(words)]
    return named | Q(data_access__gte=min(levels)) if levels else named


def holding(actor: Actor, permission: str, held: Iterable[Appointment] | None = None) -> Q:
    """A condition on `Proposal`: those on which `actor` holds `permission` by role or scope.

    What everybody may see of published proposals is not in it; see `visible`. `held` are their
    offices of today, where the caller has read them already.
    """
    day = today()
    held = list(access.offices(actor, day)) if held is None else held
    if permission in access.facility_wide(actor, day, held):
        return Q(pk__isnull=False)  # not Q(): an empty one would vanish beside others
    if actor.user is None or not actor.user.is_active:
        return Q(pk__in=[])
    roles = {role for role in access.GRANTS if permission in access.allowed(actor, [role])}
    here = {o.instrument_id for o in held if o.role in roles and o.instrument_id is not None}
    team = _team_roles_with(permission, actor)
    mine = Membership.objects.filter(_current(day), team, user=actor.user)
    return Q(instrument__in=sorted(here)) | Q(pk__in=mine.values("proposal"))


def public() -> Q:
    """A condition on `Proposal`: those of which everybody may read what they are."""
    return ~Q(kind=Proposal.Kind.TEST) & Q(
        state__in=REVIEWED, doi__state=Doi.State.FINDABLE, withdrawn_at__isnull=True
    )


def open_to_all() -> Q:
    """A condition on `Proposal`: those whose embargo is over, so that everybody may read the data
    of their open runs."""
    return Q(access=Proposal.Access.OPEN) & public()


def visible(actor: Actor, held: Iterable[Appointment] | None = None) -> QuerySet[Proposal]:
    """The proposals of which `actor` may read what they are. `held` are their offices of today,
    where the caller has read them already."""
    held = list(access.offices(actor, today())) if held is None else held
    if access.SEE_METADATA in access.facility_wide(actor, today(), held):
        return Proposal.objects.all()
    mine = Proposal.objects.filter(holding(actor, access.SEE_METADATA, held)).order_by()
    others = Proposal.objects.filter(public()).order_by()
    # A union, not an "or": with that, every proposal of the facility would be looked at.
    return Proposal.objects.filter(pk__in=mine.values("pk").union(others.values("pk"), all=True))


@dataclass(frozen=True, slots=True)
class Held:
    """A role on a proposal, as a word of `access.GRANTS`, and what gives it."""

    role: str
    by: Appointment | Membership


def held_on(
    actor: Actor, proposal: Proposal, held: Iterable[Appointment] | None = None
) -> list[Held]:
    """The roles of `actor` on `proposal`. `held` are their offices of today, where the caller has
    read them already."""
    if actor.user is None or not actor.user.is_active:
        return []
    known = access.offices(actor, today()) if held is None else held
    roles = [Held(o.role, o) for o in known if o.instrument_id in (None, proposal.instrument_id)]
    mine = proposal.memberships.filter(_current(today()), user=actor.user).first()
    return roles + ([Held(role, mine) for role in team_roles(mine)] if mine is not None else [])


def team_roles(member: Membership) -> list[str]:
    """What somebody is who has this place in a team."""
    roles = [TEAM_ROLES[r] for r in TEAM_ROLES if r == member.role]
    levels = ((Membership.DataAccess.READ, "team read"), (Membership.DataAccess.WORK, "team work"))
    return roles + [role for level, role in levels if member.data_access >= level]


def _roles_on(actor: Actor, proposal: Proposal, held: Iterable[Appointment]) -> list[str]:
    return [h.role for h in held_on(actor, proposal, held)]


def allowed_on(
    actor: Actor, proposal: Proposal, held: Iterable[Appointment] | None = None
) -> frozenset[str]:
    """Everything that `actor` may do with `proposal`. `held` are their offices of today, where the
    caller has read them already."""
    if actor.system:
        return access.facility_wide(actor, today())
    held = list(access.offices(actor, today())) if held is None else held
    everywhere = access.facility_wide(actor, today(), held)
    return everywhere | access.allowed(actor, _roles_on(actor, proposal, held))


def refusal(actor: Actor, permission: str, proposal: Proposal) -> Refused | None:
    """Why `actor` lacks `permission` on `proposal`, or None."""
    return None if permission in allowed_on(actor, proposal) else _refused(permission, proposal)


def _refused(permission: str, proposal: Proposal) -> Refused:
    roles = [WORDS[r] for r, granted in access.GRANTS.items() if permission in granted]
    who = ", ".join(roles) or "programs with the scope for it"
    return Refused(
        f"You may not {permission} of {proposal.label}."
        if permission.startswith("see")
        else f"To {permission} is for {who}.",
        kind="permission",
        who=who,
    )


def why_not(allowed: Collection[str], permission: str, proposal: Proposal) -> Refused | None:
    """The same for somebody of whom it is known already what they may do."""
    return None if permission in allowed else _refused(permission, proposal)


def require(actor: Actor, permission: str, proposal: Proposal) -> None:
    """Raise `Refused` where `actor` lacks `permission` on `proposal`."""
    problem = refusal(actor, permission, proposal)
    if problem is not None:
        raise problem


def rule(world: World, permission: str, thing: Model) -> Refused | None:
    """The door's access rule for a proposal and for all that belongs to one; what the actor may do
    is asked once for all rows that are looked at together."""
    by, day = world.by, today()
    held = world.memo("offices", lambda: list(access.offices(by, day)))
    if permission in access.facility_wide(by, day, held):
        return None
    proposal = _proposal_of(thing, world)
    if proposal is None:
        return Refused("Only data managers may do this.", kind="permission", who="data managers")
    found = proposal
    roles = world.memo(("roles", found.pk), lambda: _roles_on(by, found, held))
    return None if permission in access.allowed(by, roles) else _refused(permission, found)


def rule_for_two(world: World, permission: str, thing: Model) -> Refused | None:
    """The door's access rule for what takes two people: both need the permission of the act."""
    assert isinstance(thing, Approval)
    return rule(world, thing.permission, thing)


def _proposal_of(thing: Model, world: World) -> Proposal | None:
    """The proposal of a row, along the relations that rows of proposals have."""
    at: object = thing
    for step in ("data_group", "run", "proposal"):
        at = getattr(at, step, at)
    if isinstance(at, Proposal):
        return at
    number = getattr(thing, "proposal_number", None)
    if number is None:
        return None
    return world.memo(("number", number), lambda: Proposal.objects.filter(number=number).first())
