"""Endpoints of proposals: the list, one of them, its moves and its journal."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from django.db import transaction
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground import access as words
from catalogue.ground.actor import Actor
from catalogue.ground.endpoints import (
    ORDERED,
    Endpoint,
    Faults,
    Foretold,
    Order,
    Reason,
    filtered,
    foretold,
    named,
    once,
    page,
    page_answer,
    pages_by,
    refuse_unknown,
    tagged,
    unless_changed,
)
from catalogue.ground.inputs import Invalid
from catalogue.ground.lifecycle import moves_of
from proposals import access, commands, content, delegating, queries, withdrawing
from proposals.api import serializers as shapes
from proposals.api.filters import ProposalApiFilter
from proposals.models import Proposal

ORDER = Order(
    "-number", number=("number",), title=("title", "number"), created_at=("created_at", "number"),
    state_since=("state_since", "number"),
)  # fmt: skip


class ProposalEndpoint(Endpoint):
    """An endpoint below one proposal."""

    def proposal(self, number: int) -> Proposal:
        """The proposal, if the caller may know of it."""
        return self.find(queries.one, self.actor, number)

    def own(self, number: int) -> Proposal:
        """The proposal, if the caller may read more of it than everybody may."""
        found = self.proposal(number)
        access.require(self.actor, words.SEE_METADATA, found)
        return found

    def standing(self, **where: Any) -> frozenset[str]:
        """What the caller may do with the proposal; where none is named, what they may at all."""
        if "number" not in where:
            return super().standing(**where)
        return access.allowed_on(self.actor, self.proposal(where["number"]))

    def created(self, request: Request, shown: Any, name: object) -> Response:
        """The answer to a call that made something, with its address."""
        where = f"{request.path}/{quote(str(name))}"
        return Response(shown, status=201, headers={"Location": where})

    def origin(self, number: int) -> Proposal:
        """The proposal that another is derived from, as a body names it."""
        return named(partial(queries.one, self.actor), number, "derived_from", "a proposal")

    def answer(self, number: int, status: int = 200, **headers: str) -> Response:
        """The proposal as it is now."""
        row = self.find(queries.shown, self.actor, number)
        return Response(show(self.actor, [row])[0], status=status, headers=headers)


def show(actor: Actor, rows: Sequence[Proposal]) -> list[dict[str, Any]]:
    """Proposals as answers, each with as much as `actor` may read of it."""
    inside = queries.inside(actor, rows)
    known = queries.known(actor, [r.derived_from_id for r in rows if r.derived_from_id])
    context = {"known": known}
    return [
        dict(
            shapes.ProposalAnswer(row, context=context).data
            if row.pk in inside
            else shapes.PublicAnswer(row).data
        )
        for row in rows
    ]


class Proposals(ProposalEndpoint):
    @extend_schema(
        parameters=pages_by(ProposalApiFilter, ORDER, q="A number, or words of the title."),
        responses=page_answer(shapes.ProposalAnswer),
    )
    def get(self, request: Request) -> Response:
        """The proposals you may know of, by number from the highest.

        Of those that you know only because they are public, the answer has fewer members.
        """
        rows = queries.told(self.actor)
        found = filtered(request, ProposalApiFilter, rows, beside=ORDERED)
        return page(request, found, order=ORDER, show=lambda rows: show(self.actor, rows))

    @extend_schema(request=shapes.NewProposal, responses={201: shapes.ProposalAnswer})
    @once
    def post(self, request: Request) -> Response:
        """A new proposal, in state N."""
        given = self.given(shapes.NewProposal)
        given["instrument"] = named(
            queries.instrument, given["instrument"], "instrument", "an instrument"
        )
        given["cycle"] = named(
            lambda identifier: queries.cycle(identifier, given["instrument"]),
            given["cycle"],
            "cycle",
            "a cycle",
        )
        origin = given.pop("derived_from", None)
        if origin is not None:
            given["derived_from"] = self.origin(origin)
        made = commands.create(by=self.actor, **given)
        return self.answer(made.number, 201, Location=f"{request.path}/{made.number}")


class OneProposal(ProposalEndpoint):
    visitors = True

    def held(self, number: int) -> Proposal:
        """Under whose lock it changes."""
        return self.proposal(number)

    def now(self, number: int) -> Response:
        """The proposal as it is now."""
        return self.answer(number)

    @extend_schema(responses=shapes.ProposalAnswer)
    @tagged
    def get(self, request: Request, number: int) -> Response:
        """One proposal. Of one that you know only because it is public, fewer members."""
        refuse_unknown(request, ())
        return self.answer(number)

    @extend_schema(request=shapes.ProposalChanges, responses=shapes.ProposalAnswer)
    @unless_changed
    def patch(self, request: Request, number: int) -> Response:
        """Change what is said of the proposal, or switch its automatic steps; what is not given
        stays."""
        proposal = self.own(number)
        given = self.given(shapes.ProposalChanges)
        switches = {name: given.pop(name) for name in SWITCHES if name in given}
        if "techniques" in given:
            given["techniques"] = named(
                queries.techniques, given["techniques"], "techniques", "techniques (PaNET ids)"
            )
        if given.get("derived_from") is not None:
            given["derived_from"] = self.origin(given["derived_from"])
        with transaction.atomic():
            if switches or not given:
                commands.switch(proposal, by=self.actor, **switches)
            if given:
                content.amend(proposal, to=given, by=self.actor)
        return self.answer(number)


class WithdrawProposal(ProposalEndpoint):
    @extend_schema(request=Reason, responses=shapes.ProposalAnswer)
    @once
    def post(self, request: Request, number: int) -> Response:
        """Mark a proposal that was made by mistake, with a reason; nothing is deleted."""
        proposal = self.own(number)
        withdrawing.withdraw(proposal, by=self.actor, **{"reason": "", **self.given(Reason)})
        return self.answer(number)


class ProlongAccess(ProposalEndpoint):
    @extend_schema(request=shapes.Prolongation, responses=shapes.ProposalAnswer)
    @once
    def post(self, request: Request, number: int) -> Response:
        """Let the team keep its access beyond the year after its last beamtime, with a reason."""
        proposal = self.own(number)
        facts = {"reason": "", **self.given(shapes.Prolongation)}
        delegating.prolong_access(proposal, by=self.actor, **facts)
        return self.answer(number)


SWITCHES = ("assesses_by_itself", "calibrates_by_itself")

# A move of the model that people know by another name.
_NAMES = {"daq_configured": "confirm-daq"}


def facts_of(verb: Callable[..., None]) -> Mapping[str, bool]:
    """What a verb of `commands.MOVES` takes from the body: name to whether it must be given."""
    found = inspect.signature(verb).parameters.values()
    return {
        p.name: p.default is p.empty for p in found if p.kind is p.KEYWORD_ONLY and p.name != "by"
    }


class Moves(ProposalEndpoint):
    @extend_schema(
        responses=inline_serializer(
            "MoveForetold",
            many=True,
            fields={
                "name": serializers.CharField(),
                "label": serializers.CharField(),
                "takes": serializers.ListField(child=serializers.CharField()),
                "needs": serializers.ListField(child=serializers.CharField()),
                **Foretold().fields,
            },
        )
    )
    def get(self, request: Request, number: int) -> Response:
        """The moves from where the proposal stands, each with what it would bring about, or why
        you may not make it."""
        refuse_unknown(request, ())
        proposal = self.own(number)
        answer = []
        for move, said in moves_of(proposal, self.actor):
            name = _NAMES.get(move.name, move.name.replace("_", "-"))
            if name in commands.MOVES:
                takes = facts_of(commands.MOVES[name])
                needs = [fact for fact, must in takes.items() if must]
                answer.append(
                    {"name": name, "label": move.spec.label, "takes": list(takes), "needs": needs}
                    | foretold(said)
                )
        return Response(answer)


class OneMove(ProposalEndpoint):
    @extend_schema(request=shapes.MoveFacts, responses=shapes.ProposalAnswer)
    @once
    def post(self, request: Request, number: int, name: str) -> Response:
        """Make a move; its name and the facts it takes are told by the list of moves."""
        verb = commands.MOVES.get(name)
        proposal = self.own(number)
        if verb is None:
            raise NotFound(f"No move is called so; there are {', '.join(commands.MOVES)}.")
        verb(proposal, by=self.actor, **self._facts(verb, name))
        return self.answer(number)

    def _facts(self, verb: Callable[..., None], name: str) -> dict[str, Any]:
        given = self.given(shapes.MoveFacts)
        takes = facts_of(verb)
        faults = [
            Invalid(fact, f"is not taken by {name}", None) for fact in given if fact not in takes
        ]
        faults += [
            Invalid(fact, "is required", None)
            for fact, must in takes.items()
            if must and fact not in given and fact != "reason"
        ]
        if faults:
            raise Faults(faults)
        # The door itself refuses a missing reason, and says for what.
        return {"reason": "", **given} if "reason" in takes else given


class Journal(ProposalEndpoint):
    @extend_schema(parameters=pages_by(), responses=page_answer(shapes.EntryAnswer))
    def get(self, request: Request, number: int) -> Response:
        """What happened to the proposal and to all that belongs to it, newest first."""
        refuse_unknown(request)
        proposal = self.proposal(number)
        access.require(self.actor, words.SEE_JOURNAL, proposal)
        found = queries.story(self.actor, proposal)
        return page(
            request, found, "-id", show=lambda rows: shapes.EntryAnswer(rows, many=True).data
        )
