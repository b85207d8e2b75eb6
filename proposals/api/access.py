"""Endpoints of the rules: the table of who may do what, and why somebody may."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground import access as words
from catalogue.ground import inputs
from catalogue.ground.endpoints import Endpoint, refuse_unknown
from catalogue.ground.inputs import Invalid
from proposals import queries, reasons


class RoleAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    where = serializers.CharField()
    gives = serializers.SerializerMethodField()

    def get_gives(self, role: reasons.Role) -> list[str]:
        return sorted(role.gives)


class TableAnswer(serializers.Serializer[Any]):
    permissions = serializers.ListField(child=serializers.CharField())
    roles = RoleAnswer(many=True)
    scopes = RoleAnswer(many=True)


class ReasonAnswer(serializers.Serializer[Any]):
    rule = serializers.CharField(help_text="A role or a scope of the table.")
    says = serializers.CharField()
    until = serializers.DateField(allow_null=True)
    here = serializers.BooleanField(help_text="False for what gives it in other places only.")


class PermissionAnswer(serializers.Serializer[Any]):
    permission = serializers.CharField()
    allowed = serializers.BooleanField()
    reasons = ReasonAnswer(many=True)
    who = serializers.CharField(help_text="Who may, where this person may not.")


class WhyAnswer(serializers.Serializer[Any]):
    person = serializers.CharField()
    proposal = serializers.IntegerField(allow_null=True)
    permissions = PermissionAnswer(many=True)
    everybody = serializers.ListField(child=serializers.CharField())
    ended = serializers.ListField(child=serializers.CharField())


class Table(Endpoint):
    @extend_schema(responses=TableAnswer)
    def get(self, request: Request) -> Response:
        """Who may do what: roles and scopes with the permissions they give."""
        refuse_unknown(request, ())
        told = {
            "permissions": reasons.PERMISSIONS,
            "roles": reasons.roles(),
            "scopes": reasons.scopes(),
        }
        return Response(TableAnswer(told).data)


PARAMETERS = [
    OpenApiParameter("person", str, description="A login or e-mail address; without it, you."),
    OpenApiParameter(
        "proposal",
        {"type": "integer", "minimum": 0, "maximum": 999_999},
        description="Its number; without it, everywhere.",
    ),
    OpenApiParameter(
        "scopes", str, description="Scopes of a token, with commas; without, in the browser."
    ),
]


class Why(Endpoint):
    @extend_schema(parameters=PARAMETERS, responses=WhyAnswer)
    def get(self, request: Request) -> Response:
        """What somebody may do, and the rule that gives it to them.

        Everybody may ask about themselves; about others the user office, data managers and
        auditors.
        """
        refuse_unknown(request, ("person", "proposal", "scopes"))
        asked = request.query_params
        person = self.find(reasons.asked_about, self.actor, asked.get("person", ""))
        proposal = None
        if "proposal" in asked:
            number = inputs.proposal_number(asked["proposal"], "proposal")
            proposal = self.find(queries.one, self.actor, number)
        story = reasons.why(reasons.asked(person, _scopes(asked.get("scopes"))), proposal)
        told = {
            "person": person.username,
            "proposal": proposal.number if proposal is not None else None,
            "permissions": story.answers,
            "everybody": story.everybody,
            "ended": story.ended,
        }
        return Response(WhyAnswer(told).data)


def _scopes(given: str | None) -> frozenset[str] | None:
    if given is None:
        return None
    found = frozenset(part.strip() for part in given.split(",") if part.strip())
    for scope in sorted(found - words.SCOPES.keys()):
        raise Invalid("scopes", "each must be one of " + ", ".join(words.SCOPES), scope)
    return found
