"""Endpoints of what belongs to a proposal: team, beamtimes, run types, samples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground.endpoints import (
    ORDERED,
    Order,
    filtered,
    named,
    once,
    page,
    page_answer,
    pages_by,
    refuse_unknown,
    tagged,
    unless_changed,
)
from proposals import commands, content, delegating, queries
from proposals.api import serializers as shapes
from proposals.api.filters import ExperimentFilter, SampleFilter
from proposals.api.views import ProposalEndpoint
from proposals.models import Beamtime, Experiment, Membership, Proposal, Sample

BY_NAME = Order("name", name=("name",), id=("id",))


class PartEndpoint(ProposalEndpoint):
    """An endpoint of one thing that belongs to a proposal, and changes under its lock."""

    def held(self, number: int, **_: Any) -> Proposal:
        """Under whose lock it changes."""
        return self.own(number)


class Beamtimes(ProposalEndpoint):
    @extend_schema(responses=shapes.BeamtimeAnswer(many=True))
    def get(self, request: Request, number: int) -> Response:
        """The blocks of beam, in the order of time."""
        refuse_unknown(request, ())
        rows = self.proposal(number).beamtimes.all()
        return Response(shapes.BeamtimeAnswer(rows, many=True).data)

    @extend_schema(request=shapes.NewBeamtime, responses={201: shapes.BeamtimeAnswer})
    @once
    def post(self, request: Request, number: int) -> Response:
        """Give the proposal a block of beam.

        User proposals on one instrument never overlap; for others `despite_overlap` confirms it.
        """
        proposal = self.proposal(number)
        given = self.given(shapes.NewBeamtime)
        made = commands.add_beamtime(proposal, by=self.actor, **given)
        return self.created(request, shapes.BeamtimeAnswer(made).data, made.pk)


class OneBeamtime(PartEndpoint):
    def row(self, number: int, id: int) -> Beamtime:
        """The beamtime, if the caller may know of it."""
        found = self.proposal(number).beamtimes.select_related("proposal__instrument")
        return self.find(found.get, pk=id)

    def now(self, number: int, id: int) -> Response:
        """The beamtime as it is now."""
        return Response(shapes.BeamtimeAnswer(self.row(number, id)).data)

    @extend_schema(responses=shapes.BeamtimeAnswer)
    @tagged
    def get(self, request: Request, number: int, id: int) -> Response:
        """One block of beam."""
        refuse_unknown(request, ())
        return self.now(number, id)

    @extend_schema(request=shapes.BeamtimeChanges, responses=shapes.BeamtimeAnswer)
    @unless_changed
    def patch(self, request: Request, number: int, id: int) -> Response:
        """Move a block of beam, by the same rules as a new one."""
        row = self.row(number, id)
        given = self.given(shapes.BeamtimeChanges)
        despite = given.pop("despite_overlap", False)
        content.change_beamtime(row, to=given, by=self.actor, despite_overlap=despite)
        return self.now(number, id)

    @extend_schema(request=None, responses={204: None})
    @unless_changed
    def delete(self, request: Request, number: int, id: int) -> Response:
        """Give a block of beam back, unless data may have been taken in it."""
        refuse_unknown(request, ())
        content.remove_beamtime(self.row(number, id), by=self.actor)
        return Response(status=204)


class Members(ProposalEndpoint):
    @extend_schema(responses=shapes.MemberAnswer(many=True))
    def get(self, request: Request, number: int) -> Response:
        """The team, leaders first."""
        refuse_unknown(request, ())
        rows = queries.team(self.own(number))
        return Response(shapes.MemberAnswer(rows, many=True).data)

    @extend_schema(request=shapes.NewMember, responses={201: shapes.MemberAnswer})
    @once
    def post(self, request: Request, number: int) -> Response:
        """Put somebody into the team, or change what they are there."""
        proposal = self.own(number)
        given = self.given(shapes.NewMember)
        user = named(queries.person, given.pop("login"), "login", "a person with an open account")
        made = commands.add_member(proposal, user=user, by=self.actor, **given)
        return self.created(request, shapes.MemberAnswer(made).data, user.username)


class OneMember(PartEndpoint):
    def row(self, number: int, login: str) -> Membership:
        """The member, if the caller may know of the team."""
        found = queries.team(self.own(number)).select_related("proposal__instrument", "user")
        return self.find(found.get, user__username=login)

    def now(self, number: int, login: str) -> Response:
        """The member as they are now."""
        return Response(shapes.MemberAnswer(self.row(number, login)).data)

    @extend_schema(responses=shapes.MemberAnswer)
    @tagged
    def get(self, request: Request, number: int, login: str) -> Response:
        """One member of the team."""
        refuse_unknown(request, ())
        return self.now(number, login)

    @extend_schema(request=shapes.MemberChanges, responses=shapes.MemberAnswer)
    @unless_changed
    def patch(self, request: Request, number: int, login: str) -> Response:
        """Change the role of a member, what they may touch, or until when."""
        row = self.row(number, login)
        content.change_member(row, to=self.given(shapes.MemberChanges), by=self.actor)
        return self.now(number, login)

    @extend_schema(request=None, responses={204: None})
    @unless_changed
    def delete(self, request: Request, number: int, login: str) -> Response:
        """Take somebody out of the team; the principal investigator hands over first."""
        refuse_unknown(request, ())
        content.remove_member(self.row(number, login), by=self.actor)
        return Response(status=204)


class Deputies(ProposalEndpoint):
    @extend_schema(request=shapes.NewDeputy, responses={201: shapes.MemberAnswer})
    @once
    def post(self, request: Request, number: int) -> Response:
        """Name somebody who stands in for the leaders of the team.

        For the principal investigator, the main proposer and staff; a deputy names no deputies.
        """
        proposal = self.own(number)
        given = self.given(shapes.NewDeputy)
        user = named(queries.person, given.pop("login"), "login", "a person with an open account")
        made = delegating.name_deputy(proposal, user=user, by=self.actor, **given)
        return self.created(request, shapes.MemberAnswer(made).data, user.username)


class OneDeputy(OneMember):
    http_method_names = ("delete", "head", "options")

    @extend_schema(request=None, responses={204: None})
    @unless_changed
    def delete(self, request: Request, number: int, login: str) -> Response:
        """End a deputy's office; they stay in the team."""
        refuse_unknown(request, ())
        delegating.end_deputy(self.row(number, login), by=self.actor)
        return Response(status=204)


class Experiments(ProposalEndpoint):
    @extend_schema(
        parameters=pages_by(ExperimentFilter, BY_NAME),
        responses=page_answer(shapes.ExperimentAnswer),
    )
    def get(self, request: Request, number: int) -> Response:
        """The run types of the proposal, by name."""
        rows = queries.experiments(self.own(number))
        found = filtered(request, ExperimentFilter, rows, beside=ORDERED)
        return page(
            request, found, order=BY_NAME,
            show=lambda some: shapes.ExperimentAnswer(some, many=True).data,
        )  # fmt: skip

    @extend_schema(request=shapes.NewExperiment, responses={201: shapes.ExperimentAnswer})
    @once
    def post(self, request: Request, number: int) -> Response:
        """A run type for this proposal; asked for twice it is the same one."""
        proposal = self.own(number)
        given = self.given(shapes.NewExperiment)
        kind = named(queries.experiment_type, given["type"], "type", "a run type")
        made = commands.add_experiment(proposal, name=given["name"], type=kind, by=self.actor)
        return self.created(request, shapes.ExperimentAnswer(made).data, made.pk)


class OneExperiment(PartEndpoint):
    def row(self, number: int, id: int) -> Experiment:
        """The run type, if the caller may know of it."""
        found = queries.experiments(self.own(number)).select_related("proposal__instrument")
        return self.find(found.get, pk=id)

    def now(self, number: int, id: int) -> Response:
        """The run type as it is now."""
        return Response(shapes.ExperimentAnswer(self.row(number, id)).data)

    @extend_schema(responses=shapes.ExperimentAnswer)
    @tagged
    def get(self, request: Request, number: int, id: int) -> Response:
        """One run type of the proposal."""
        refuse_unknown(request, ())
        return self.now(number, id)

    @extend_schema(request=shapes.ExperimentChanges, responses=shapes.ExperimentAnswer)
    @unless_changed
    def patch(self, request: Request, number: int, id: int) -> Response:
        """Rename a run type, or say of which type of the facility it is."""
        row = self.row(number, id)
        given = self.given(shapes.ExperimentChanges)
        if "type" in given:
            given["type"] = named(queries.experiment_type, given["type"], "type", "a run type")
        content.change_experiment(row, to=given, by=self.actor)
        return self.now(number, id)

    @extend_schema(request=None, responses={204: None})
    @unless_changed
    def delete(self, request: Request, number: int, id: int) -> Response:
        """Take away a run type that no run is of."""
        refuse_unknown(request, ())
        content.remove_experiment(self.row(number, id), by=self.actor)
        return Response(status=204)


class Samples(ProposalEndpoint):
    @extend_schema(
        parameters=pages_by(SampleFilter, BY_NAME), responses=page_answer(shapes.SampleAnswer)
    )
    def get(self, request: Request, number: int) -> Response:
        """The samples of the proposal, by name."""
        rows = queries.samples(self.own(number))
        found = filtered(request, SampleFilter, rows, beside=ORDERED)
        return page(
            request, found, order=BY_NAME,
            show=lambda some: shapes.SampleAnswer(some, many=True).data,
        )  # fmt: skip

    @extend_schema(request=shapes.NewSample, responses={201: shapes.SampleAnswer})
    @once
    def post(self, request: Request, number: int) -> Response:
        """A sample of this proposal; asked for twice it is the same one."""
        proposal = self.own(number)
        made = commands.add_sample(proposal, by=self.actor, **self.given(shapes.NewSample))
        return self.created(request, shapes.SampleAnswer(made).data, made.pk)


class OneSample(PartEndpoint):
    def row(self, number: int, id: int) -> Sample:
        """The sample, if the caller may know of it."""
        found = queries.samples(self.own(number)).select_related("proposal__instrument")
        return self.find(found.get, pk=id)

    def now(self, number: int, id: int) -> Response:
        """The sample as it is now."""
        return Response(shapes.SampleAnswer(self.row(number, id)).data)

    @extend_schema(responses=shapes.SampleAnswer)
    @tagged
    def get(self, request: Request, number: int, id: int) -> Response:
        """One sample."""
        refuse_unknown(request, ())
        return self.now(number, id)

    @extend_schema(request=shapes.SampleChanges, responses=shapes.SampleAnswer)
    @unless_changed
    def patch(self, request: Request, number: int, id: int) -> Response:
        """Rename a sample, or describe it otherwise."""
        row = self.row(number, id)
        content.change_sample(row, to=self.given(shapes.SampleChanges), by=self.actor)
        return self.now(number, id)

    @extend_schema(request=None, responses={204: None})
    @unless_changed
    def delete(self, request: Request, number: int, id: int) -> Response:
        """Take away a sample that no run is of."""
        refuse_unknown(request, ())
        content.remove_sample(self.row(number, id), by=self.actor)
        return Response(status=204)
