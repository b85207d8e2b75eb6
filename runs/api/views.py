"""Endpoints of runs: the list, one of them, its marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground import access as words
from catalogue.ground import clock, lifecycle
from catalogue.ground.endpoints import (
    ORDERED,
    Endpoint,
    Foretold,
    Nothing,
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
from proposals import access as proposals
from proposals import queries as proposal_queries
from proposals.models import Proposal
from runs import commands, queries
from runs.api import serializers as shapes
from runs.filters import OpenRunFilter, RunFilter
from runs.models import Run

ORDER = Order(
    "-number", number=("number",), begin_at=("begin_at", "number"), bytes=("bytes", "number"),
    file_count=("file_count", "number"),
)  # fmt: skip


class RunEndpoint(Endpoint):
    """An endpoint below one proposal or one of its runs."""

    def proposal(self, number: int) -> Proposal:
        """The proposal, if the caller may know of it."""
        return self.find(proposal_queries.one, self.actor, number)

    def inside(self, number: int) -> Proposal:
        """The proposal, if the caller may read more of it than everybody may."""
        found = self.proposal(number)
        proposals.require(self.actor, words.SEE_METADATA, found)
        return found

    def standing(self, **where: Any) -> frozenset[str]:
        """What the caller may do with the proposal."""
        return proposals.allowed_on(self.actor, self.proposal(where["number"]))

    def run(self, number: int, run: int) -> Run:
        """The run, if the caller may know of it."""
        return self.find(queries.one, self.actor, number, run)

    def own(self, number: int, run: int) -> Run:
        """The run, if the caller may read more of it than everybody may."""
        found = self.run(number, run)
        proposals.require(self.actor, words.SEE_METADATA, found.proposal)
        return found

    def knows(self, proposal: Proposal) -> bool:
        """Whether the caller may read more of the proposal than everybody may."""
        return words.SEE_METADATA in proposals.allowed_on(self.actor, proposal)

    def show(self, rows: Sequence[Run], *, inside: bool) -> list[dict[str, Any]]:
        """Runs as answers, with as much as is told inside of their proposal or to everybody."""
        shape = shapes.RunAnswer if inside else shapes.PublicRunAnswer
        return [dict(shape(run).data) for run in rows]

    def answer(self, number: int, run: int, status: int = 200, **headers: str) -> Response:
        """The run as it is now."""
        row = self.find(queries.shown, self.actor, number, run)
        shown = self.show([row], inside=self.knows(row.proposal))[0]
        return Response(shown, status=status, headers=headers)


class NextNumber(RunEndpoint):
    @extend_schema(request=None, responses={201: shapes.NextNumberAnswer})
    @once
    def post(self, request: Request, number: int) -> Response:
        """The next run number, for you alone."""
        self.given(Nothing)
        proposal = self.proposal(number)
        return Response({"number": commands.next_number(proposal, by=self.actor)}, status=201)


class Runs(RunEndpoint):
    visitors = True

    @extend_schema(
        parameters=pages_by(RunFilter, ORDER, runs="Numbers and ranges, e.g. 12-40, 55."),
        responses=page_answer(shapes.RunAnswer),
    )
    def get(self, request: Request, number: int) -> Response:
        """The runs of the proposal, by number from the highest."""
        proposal = self.proposal(number)
        rows = queries.listed(self.actor, proposal)
        inside = self.knows(proposal)
        filters = RunFilter if inside else OpenRunFilter
        found = filtered(request, filters, rows, beside=ORDERED)
        return page(request, found, order=ORDER, show=lambda rows: self.show(rows, inside=inside))

    @extend_schema(request=shapes.NewRun, responses={201: shapes.RunAnswer})
    @once
    def post(self, request: Request, number: int) -> Response:
        """A new run, open. Experiment and sample are named as the proposal knows them."""
        proposal = self.proposal(number)
        proposals.require(self.actor, words.DAQ, proposal)
        given = self.given(shapes.NewRun)
        _name_parts(proposal, given)
        if "techniques" in given:
            given["techniques"] = named(
                proposal_queries.techniques,
                given["techniques"], "techniques", "techniques (PaNET ids)",
            )  # fmt: skip
        run = commands.register(proposal, by=self.actor, **given)
        return self.answer(number, run.number, 201, Location=f"{request.path}/{run.number}")


def _name_parts(proposal: Proposal, given: dict[str, Any]) -> None:
    """Put the rows in the place of the names of run type and sample."""
    finders: dict[str, Callable[[Proposal, str], Any]] = {
        "experiment": proposal_queries.experiment,
        "sample": proposal_queries.sample,
    }
    for field, one in finders.items():
        if given.get(field) is not None:
            what = f"a run type or sample of {proposal.label}"
            given[field] = named(
                lambda name, one=one: one(proposal, name),
                given[field], field, what,
            )  # fmt: skip


class OneRun(RunEndpoint):
    visitors = True

    def held(self, number: int, run: int) -> Run:
        """Under whose lock it changes."""
        return self.own(number, run)

    def now(self, number: int, run: int) -> Response:
        """The run as it is now."""
        return self.answer(number, run)

    @extend_schema(responses=shapes.RunAnswer)
    @tagged
    def get(self, request: Request, number: int, run: int) -> Response:
        """One run."""
        refuse_unknown(request, ())
        return self.now(number, run)

    @extend_schema(request=shapes.RunChanges, responses=shapes.RunAnswer)
    @unless_changed
    def patch(self, request: Request, number: int, run: int) -> Response:
        """Change alias, run type, sample, techniques, causes or comment; what is not given stays,
        null takes run type or sample away."""
        found = self.own(number, run)
        given = self.given(shapes.RunChanges)
        _name_parts(found.proposal, given)
        if "techniques" in given:
            given["techniques"] = named(
                proposal_queries.techniques,
                given["techniques"], "techniques", "techniques (PaNET ids)",
            )  # fmt: skip
        clear = [name for name in ("experiment", "sample") if given.get(name, "") is None]
        causes = given.pop("causes", None)
        if causes is not None:
            causes = named(queries.named_causes, causes, "causes", "cause tags of the facility")
        with transaction.atomic():
            if given:
                commands.edit(found, by=self.actor, clear=clear, **given)
            if causes is not None:
                commands.set_causes(found, by=self.actor, causes=causes)
        return self.now(number, run)


class WithdrawRun(RunEndpoint):
    @extend_schema(request=Reason, responses=shapes.RunAnswer)
    @once
    def post(self, request: Request, number: int, run: int) -> Response:
        """Mark a run that was made by mistake, with a reason; nothing is deleted."""
        found = self.own(number, run)
        commands.withdraw(found, by=self.actor, **{"reason": "", **self.given(Reason)})
        return self.answer(number, run)


class Heartbeat(RunEndpoint):
    @extend_schema(request=shapes.Heartbeat, responses=shapes.RunAnswer)
    def post(self, request: Request, number: int, run: int) -> Response:
        """How far an open run is: trains and bytes so far."""
        found = self.own(number, run)
        given = self.given(shapes.Heartbeat)
        last_train = given.get("last_train")
        commands.heartbeat(found, by=self.actor, size=given["bytes"], last_train=last_train)
        return self.answer(number, run)


class Close(RunEndpoint):
    @extend_schema(request=shapes.RunEnd, responses=shapes.RunAnswer)
    @once
    def post(self, request: Request, number: int, run: int) -> Response:
        """No more data come for this run; its mark takes effect."""
        found = self.own(number, run)
        commands.close(found, by=self.actor, **self.given(shapes.RunEnd))
        return self.answer(number, run)


class Abort(RunEndpoint):
    @extend_schema(request=shapes.Abortion, responses=shapes.RunAnswer)
    @once
    def post(self, request: Request, number: int, run: int) -> Response:
        """The run ended without being of use; needs a reason."""
        found = self.own(number, run)
        commands.abort(found, by=self.actor, **{"reason": "", **self.given(shapes.Abortion)})
        return self.answer(number, run)


class Assess(RunEndpoint):
    @extend_schema(
        responses=inline_serializer(
            "MarkForetold",
            many=True,
            fields={
                "quality": serializers.ChoiceField(choices=shapes.MARKS),
                **Foretold().fields,
            },
        )
    )
    def get(self, request: Request, number: int, run: int) -> Response:
        """What each mark would bring about, or why you may not set it."""
        refuse_unknown(request, ())
        found = self.own(number, run)
        facts: dict[str, Any] = {"at": clock.now(), "name": self.actor.name}
        return Response(
            [
                {"quality": mark}
                | foretold(lifecycle.explain(found.assess, by=self.actor, mark=mark, **facts))
                for mark in shapes.MARKS
            ]
        )

    @extend_schema(request=shapes.Mark, responses=shapes.RunAnswer)
    @once
    def post(self, request: Request, number: int, run: int) -> Response:
        """Mark the run; the new mark replaces the old one, which stays in the history."""
        found = self.own(number, run)
        commands.assess(found, by=self.actor, **self.given(shapes.Mark))
        return self.answer(number, run)


class Assessments(RunEndpoint):
    @extend_schema(parameters=pages_by(), responses=page_answer(shapes.AssessmentAnswer))
    def get(self, request: Request, number: int, run: int) -> Response:
        """All marks ever set on the run, newest first."""
        refuse_unknown(request)
        found = self.own(number, run).assessments.all()
        return page(
            request, found, "-id", show=lambda rows: shapes.AssessmentAnswer(rows, many=True).data
        )
