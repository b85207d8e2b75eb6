"""Endpoints of what takes two people."""

from __future__ import annotations

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground.endpoints import (
    Endpoint,
    Moment,
    Reason,
    filtered,
    once,
    page,
    page_answer,
    pages_by,
    refuse_unknown,
    tagged,
)
from catalogue.ground.models import Approval
from proposals import access, approvals, queries, withdrawing
from proposals.api.views import ProposalEndpoint


class ApprovalAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    act = serializers.CharField()
    subject = serializers.CharField(source="subject_label")
    proposal = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=Approval.State.choices)
    needs = serializers.CharField(source="permission", help_text="The permission both need.")
    reason = serializers.CharField()
    asked_by = serializers.CharField(source="asked_by.full_name")
    asked_at = Moment()
    decided_by = serializers.CharField(source="decided_by.full_name", default=None, allow_null=True)
    decided_at = Moment(allow_null=True)
    answer = serializers.CharField()


class ApprovalFilter(django_filters.FilterSet):  # type: ignore[misc] # it has no types
    """What the list may be narrowed by."""

    state = django_filters.MultipleChoiceFilter(choices=Approval.State.choices)

    class Meta:
        model = Approval
        fields: tuple[str, ...] = ()


class Approvals(Endpoint):
    @extend_schema(parameters=pages_by(ApprovalFilter), responses=page_answer(ApprovalAnswer))
    def get(self, request: Request) -> Response:
        """What was asked for that takes two people, as far as you may read the journal; the newest
        first."""
        found = filtered(request, ApprovalFilter, approvals.visible(self.actor))
        return page(request, found, "-id", show=lambda r: ApprovalAnswer(r, many=True).data)


class ApprovalEndpoint(Endpoint):
    def row(self, id: int) -> Approval:
        """The request, if the caller may read of it."""
        return self.find(approvals.visible(self.actor).get, pk=id)

    def standing(self, **where: Any) -> frozenset[str]:
        """What the caller may do with what it is about."""
        row = self.row(where["id"])
        if row.proposal is None:
            return super().standing(**where)
        return access.allowed_on(self.actor, self.find(queries.one, self.actor, row.proposal))


class OneApproval(ApprovalEndpoint):
    @extend_schema(responses=ApprovalAnswer)
    @tagged
    def get(self, request: Request, id: int) -> Response:
        """One request: who asked, for what, and what was said to it."""
        refuse_unknown(request, ())
        return Response(ApprovalAnswer(self.row(id)).data)


class Decide(ApprovalEndpoint):
    @extend_schema(request=Reason, responses=ApprovalAnswer)
    @once
    def post(self, request: Request, id: int, name: str) -> Response:
        """`agree`, and it is done; `decline`, with a reason; or `take-back` what you asked for
        yourself. Whoever asked cannot agree."""
        row = self.row(id)
        if name not in approvals.VERBS:
            raise NotFound(f"There are {', '.join(approvals.VERBS)}.")
        given = self.given(Reason)
        facts = {"reason": given.get("reason", "")} if name == "decline" else {}
        approvals.VERBS[name](row, by=self.actor, **facts)
        return Response(ApprovalAnswer(self.row(id)).data)


class AskToWithdraw(ProposalEndpoint):
    @extend_schema(request=Reason, responses={201: ApprovalAnswer})
    @once
    def post(self, request: Request, number: int) -> Response:
        """Ask that what was published of the proposal is withdrawn: a second data manager agrees
        (`approvals`), its page becomes a tombstone, and the registrar is told."""
        made = withdrawing.ask_to_withdraw(
            self.own(number), by=self.actor, **{"reason": "", **self.given(Reason)}
        )
        return Response(ApprovalAnswer(made).data, status=201)
