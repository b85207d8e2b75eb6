"""Endpoints of a proposal that speak of all its runs: the reviewer's checklist, packages."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground import access as words
from catalogue.ground.endpoints import (
    Nothing,
    once,
    page,
    page_answer,
    pages_by,
    refuse_unknown,
)
from proposals import access
from runs import packaging, queries
from runs.api import serializers as shapes
from runs.api.views import RunEndpoint


class Checklist(RunEndpoint):
    @extend_schema(responses=shapes.CheckAnswer(many=True))
    def get(self, request: Request, number: int) -> Response:
        """What a reviewer has to look at, counted."""
        refuse_unknown(request, ())
        proposal = self.proposal(number)
        access.require(self.actor, words.SEE_METADATA, proposal)
        found = queries.checklist(proposal)
        return Response([{"what": what, "count": count} for what, count in found.items()])


class Packages(RunEndpoint):
    @extend_schema(parameters=pages_by(), responses=page_answer(shapes.PackageAnswer))
    def get(self, request: Request, number: int) -> Response:
        """The packages of the proposal's open part, newest first."""
        refuse_unknown(request)
        proposal = self.proposal(number)
        access.require(self.actor, words.SEE_METADATA, proposal)
        found = queries.packages(proposal)
        return page(
            request, found, "-id", show=lambda rows: shapes.PackageAnswer(rows, many=True).data
        )

    @extend_schema(request=Nothing, responses={201: shapes.PackageAnswer})
    @once
    def post(self, request: Request, number: int) -> Response:
        """Ask for a package of the open part. While one is being made, asking again gives that."""
        proposal = self.proposal(number)
        self.given(Nothing)
        made = packaging.request_package(proposal, by=self.actor)
        return Response(shapes.PackageAnswer(made).data, status=201)
