"""Endpoints of policies: those in force, drafts, and drafting a new version."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground.endpoints import (
    Endpoint,
    Input,
    Moment,
    Parsed,
    Text,
    Time,
    once,
    page,
    page_answer,
    pages_by,
    refuse_unknown,
    tagged,
)
from policies import commands, drafting, queries
from policies.models import Policy


class NewPolicy(Input):
    """A draft: it binds from `valid_from`, and not before somebody else agrees."""

    name = Text(80, line=True)
    valid_from = Time()
    description = Text(2000, blank=True, required=False)
    reason = Text(2000, blank=True, required=False)
    clauses = Parsed(
        lambda value, field: drafting.clauses_from(value),
        {"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": drafting.MOST},
    )


class PolicyAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Policy.State.choices)
    valid_from = Moment()
    description = serializers.CharField()
    drafted_by = serializers.CharField(source="created_by")
    adopted_by = serializers.CharField()
    adopted_at = Moment(allow_null=True)
    clauses = serializers.SerializerMethodField()

    def get_clauses(self, policy: Policy) -> list[dict[str, Any]]:
        return drafting.as_given(policy)


class Policies(Endpoint):
    @extend_schema(parameters=pages_by(), responses=page_answer(PolicyAnswer))
    def get(self, request: Request) -> Response:
        """All versions of policies, the newest first; drafts too."""
        refuse_unknown(request)
        return page(
            request, queries.versions(), "-id", show=lambda r: PolicyAnswer(r, many=True).data
        )

    @extend_schema(request=NewPolicy, responses={201: PolicyAnswer})
    @once
    def post(self, request: Request) -> Response:
        """Draft a new version. It judges nothing until another data manager agrees
        (`approvals`)."""
        given = {"reason": "", **self.given(NewPolicy)}
        made = commands.draft_policy(by=self.actor, **given)
        where = f"{request.path}/{made.pk}"
        return Response(PolicyAnswer(made).data, status=201, headers={"Location": where})


class OnePolicy(Endpoint):
    @extend_schema(responses=PolicyAnswer)
    @tagged
    def get(self, request: Request, id: int) -> Response:
        """One version with its clauses."""
        refuse_unknown(request, ())
        return Response(PolicyAnswer(self.find(queries.versions().get, pk=id)).data)
