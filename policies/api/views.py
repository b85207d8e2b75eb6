"""Endpoints of holds, and of what the policy says of the copies of a run."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground import access as words
from catalogue.ground.endpoints import (
    Endpoint,
    Reason,
    named,
    once,
    page,
    page_answer,
    pages_by,
    refuse_unknown,
    tagged,
)
from catalogue.ground.lifecycle import World
from policies import commands, queries, verdicts
from policies.api import serializers as shapes
from proposals import access
from proposals import queries as proposals
from proposals.api.approvals import ApprovalAnswer
from proposals.models import Proposal
from runs import queries as runs


class HoldEndpoint(Endpoint):
    def own(self, number: int) -> Proposal:
        """The proposal, if the caller may read more of it than everybody may."""
        found = self.find(proposals.one, self.actor, number)
        access.require(self.actor, words.SEE_METADATA, found)
        return found

    def standing(self, **where: Any) -> frozenset[str]:
        """What the caller may do with the proposal."""
        return access.allowed_on(self.actor, self.own(where["number"]))


class Holds(HoldEndpoint):
    @extend_schema(parameters=pages_by(), responses=page_answer(shapes.HoldAnswer))
    def get(self, request: Request, number: int) -> Response:
        """The holds on the proposal and its runs, newest first; lifted ones too."""
        refuse_unknown(request)
        found = queries.holds(self.actor, self.own(number)).select_related("run")
        return page(
            request, found, "-id", show=lambda rows: shapes.HoldAnswer(rows, many=True).data
        )

    @extend_schema(request=shapes.NewHold, responses={201: shapes.HoldAnswer})
    @once
    def post(self, request: Request, number: int) -> Response:
        """Stop all removal, from now on; needs a reason. Announced removals are taken back."""
        proposal = self.own(number)
        given = {"reason": "", **self.given(shapes.NewHold)}
        if given.get("run") is not None:
            given["run"] = named(
                lambda run: runs.one(self.actor, number, run),
                given["run"], "run", "a run of the proposal",
            )  # fmt: skip
        made = commands.hold(proposal, by=self.actor, **given)
        return Response(shapes.HoldAnswer(made).data, status=201)


class OneHold(HoldEndpoint):
    @extend_schema(responses=shapes.HoldAnswer)
    @tagged
    def get(self, request: Request, number: int, id: int) -> Response:
        """One hold."""
        refuse_unknown(request, ())
        found = queries.holds(self.actor, self.own(number)).select_related("run")
        return Response(shapes.HoldAnswer(self.find(found.get, pk=id)).data)


class Lift(HoldEndpoint):
    @extend_schema(request=Reason, responses=shapes.HoldAnswer)
    @once
    def post(self, request: Request, number: int, id: int) -> Response:
        """End a hold of yours, with a reason; what it covered is judged anew. One that somebody
        else placed takes two: ask for it."""
        found = queries.holds(self.actor, self.own(number)).select_related("run", "proposal")
        hold = self.find(found.get, pk=id)
        commands.lift(hold, by=self.actor, **{"reason": "", **self.given(Reason)})
        return Response(shapes.HoldAnswer(hold).data)


class AskToLift(HoldEndpoint):
    @extend_schema(request=Reason, responses={201: ApprovalAnswer})
    @once
    def post(self, request: Request, number: int, id: int) -> Response:
        """Ask that a hold which somebody else placed is lifted; it is when a second person agrees
        (`approvals`)."""
        found = queries.holds(self.actor, self.own(number)).select_related("run", "proposal")
        hold = self.find(found.get, pk=id)
        made = commands.ask_to_lift(hold, by=self.actor, **{"reason": "", **self.given(Reason)})
        return Response(ApprovalAnswer(made).data, status=201)


class Verdicts(Endpoint):
    @extend_schema(responses=shapes.VerdictAnswer(many=True))
    def get(self, request: Request, number: int, run: int) -> Response:
        """Of each copy of the run's data: how long it is kept, and why."""
        refuse_unknown(request, ())
        found = self.find(runs.one, self.actor, number, run)
        access.require(self.actor, words.SEE_METADATA, found.proposal)
        judged = queries.run_to_judge(found.pk)
        said = verdicts.of_run(judged, World(by=self.actor))
        told = []
        for group in judged.data_groups.all():
            for replica in group.replicas.all():
                verdict = said[replica.pk]
                told.append(
                    {
                        "kind": group.kind,
                        "store": replica.store.identifier,
                        "tier": replica.store.tier,
                        "state": replica.state,
                        "sentence": verdicts.sentence(replica, verdict),
                        "removable": verdict.removable,
                        "keep_until": verdict.keep_until,
                        "remove_at": verdict.remove_at,
                        "noticed": verdict.noticed,
                        "policy": verdict.policy,
                        "clause": verdict.clause,
                    }
                )
        return Response(shapes.VerdictAnswer(told, many=True).data)
