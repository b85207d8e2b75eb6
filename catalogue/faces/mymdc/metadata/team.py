"""The team of a proposal and its beamtimes."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.call import Call
from catalogue.faces.mymdc.columns import Column, checked, flag, integer, moment, refers, text
from catalogue.faces.mymdc.errors import Wrong
from catalogue.faces.mymdc.metadata import rules
from catalogue.faces.mymdc.resource import Resource, Unique
from catalogue.ground.actor import Actor
from catalogue.ground.models import User
from proposals import commands, content, listings
from proposals.models import Beamtime, Membership, Proposal


def _switch(name: str, attribute: str) -> Column:
    return flag(name, read=attribute, write=attribute, lookup=attribute, default=False, empty=False)


MEMBER: tuple[Column, ...] = (
    refers("user_id", listings.nameable, write="user", lookup="user", required=True, fixed=True),
    integer(
        "data_access_role", read="data_access", write="data_access", lookup="data_access",
        default=Membership.DataAccess.WORK.value, empty=Membership.DataAccess.WORK.value,
        rules=(rules.one_of(Membership.DataAccess.values),),
    ),
    _switch("flg_lab_access", "lab_access"),
    _switch("flg_support", "supports"),
    _switch("flg_deputy_local_contact", "deputises_local_contact"),
    text("role_description", read="description", write="description", lookup="description"),
)  # fmt: skip


def members(proposal: Proposal) -> list[dict[str, Any]]:
    """The team, as it stands inside of a proposal."""
    return [
        {"id": m.pk, **{column.name: column.of(m) for column in MEMBER}}
        for m in proposal.memberships.all()
    ]


def users_ids(proposal: Proposal) -> list[list[Any]]:
    return [[m.user_id, m.user.uid or None, m.user.provider] for m in proposal.memberships.all()]


def users_info(proposal: Proposal) -> list[dict[str, Any]]:
    """The team with names and addresses."""
    return [
        {
            **{column.name: column.of(m) for column in MEMBER},
            "uid": m.user.uid or None,
            "provider": m.user.provider,
            "name": m.user.full_name,
            "email": m.user.email,
        }
        for m in proposal.memberships.all()
    ]


def beamtime(block: Beamtime) -> dict[str, Any]:
    """A beamtime, as it stands inside of a proposal."""
    return {
        "id": block.pk,
        "begin_at": wire.shown(block.begin_at),
        "end_at": wire.shown(block.end_at),
        "flg_available": block.available,
        "description": block.description,
    }


def first_id(rows: Any) -> int | None:
    return rows[0].pk if rows else None


def enter_all(proposal: Proposal, given: Any, call: Call) -> None:
    """Add, change and take out members as `proposals_users_attributes` says, in its order."""
    if given in (None, "", []):
        return
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise Wrong({"proposals_users": ["is invalid"]})
    for each in given:
        if each.get("id") in (None, ""):
            _set(proposal, each, call)
            continue
        member = _member(proposal, each["id"], call)
        if wire.flag(each.get("_destroy")):
            content.remove_member(member, by=call.actor)
        else:
            content.change_member(
                member, to=checked(MEMBER, each, member, call.actor), by=call.actor
            )


def _member(proposal: Proposal, given: Any, call: Call) -> Membership:
    try:
        pk = wire.integer(given)
    except wire.Unreadable:
        pk = None
    team = listings.memberships(call.actor).filter(proposal=proposal)
    found = team.filter(pk=pk).first() if pk is not None else None
    if found is None:
        raise Wrong({"proposals_users": ["must exist"]})
    return found


def _set(proposal: Proposal, given: dict[str, Any], call: Call) -> None:
    """Somebody becomes a member, or is one in another way from now on."""
    values = checked(MEMBER, given, None, call.actor)
    mine = listings.memberships(call.actor).filter(proposal=proposal, user=values["user"])
    member = mine.first()
    if member is None:
        add(proposal, values, by=call.actor)
    else:
        content.change_member(member, to=checked(MEMBER, given, member, call.actor), by=call.actor)


def add(proposal: Proposal, values: dict[str, Any], *, by: Actor) -> Membership:
    """A new member with all that is told of them."""
    user: User = values["user"]
    member = commands.add_member(proposal, user=user, data_access=values["data_access"], by=by)
    rest = {name: value for name, value in values.items() if name not in ("user", "proposal")}
    return content.change_member(member, to=rest, by=by)


def proposal_id(**more: Any) -> Column:
    return refers(
        "proposal_id", listings.inside,
        **{"write": "proposal", "lookup": "proposal", "required": True, "fixed": True, **more},
    )  # fmt: skip


class ProposalsUsers(Resource):
    path, wrapper = "proposals_users", "proposal_user"
    columns = (proposal_id(), *MEMBER)
    unique = (Unique(("proposal_id", "user_id")),)

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return listings.memberships(actor)

    def everywhere(self) -> QuerySet[Any]:
        return listings.everything(Membership)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return add(values["proposal"], values, by=call.actor)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        content.change_member(row, to=values, by=call.actor)

    def remove(self, call: Call, row: Any) -> None:
        content.remove_member(row, by=call.actor)


class Beamtimes(Resource):
    """Blocks of beam. A user proposal's never overlaps another's; for the others the program that
    enters it has the word that people would confirm."""

    path, wrapper = "beamtimes", "beamtime"
    columns = (
        proposal_id(),
        moment("begin_at", required=True),
        moment("end_at", required=True),
        rules.available(),
        rules.description(),
    )

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return listings.beamtimes(actor)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        proposal = values.pop("proposal")
        block = commands.add_beamtime(
            proposal, begin_at=values["begin_at"], end_at=values["end_at"], by=call.actor,
            despite_overlap=proposal.kind != Proposal.Kind.USER,
        )  # fmt: skip
        return content.change_beamtime(block, to=values, by=call.actor)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        confirmed = row.proposal.kind != Proposal.Kind.USER
        content.change_beamtime(row, to=values, by=call.actor, despite_overlap=confirmed)

    def remove(self, call: Call, row: Any) -> None:
        content.remove_beamtime(row, by=call.actor)


RESOURCES: tuple[type[Resource], ...] = (ProposalsUsers, Beamtimes)
