"""Endpoints of data groups and replicas: what lies where, across all runs of a proposal and of one
run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground import access as words
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
)
from catalogue.ground.endpoints.fields import moment
from proposals import access
from proposals.models import Proposal
from runs import queries, reporting
from runs.api import serializers as shapes
from runs.api.views import RunEndpoint
from runs.filters import GroupFilter, ReplicaFilter
from runs.models import DataGroup, Replica

ORDER = Order("-id", id=("id",), bytes=("bytes", "id"), created_at=("created_at", "id"))
GROUP_ORDER = Order("-id", id=("id",), bytes=("bytes", "id"), file_count=("file_count", "id"))
LISTED = {
    "parameters": pages_by(ReplicaFilter, ORDER, runs="Numbers and ranges, e.g. 12-40, 55."),
    "responses": page_answer(shapes.PlacedReplicaAnswer),
}


class ReplicaEndpoint(RunEndpoint):
    def listed(self, request: Request, proposal: Proposal, rows: QuerySet[Replica]) -> Response:
        """One page of the replicas of a proposal."""
        found = filtered(request, ReplicaFilter, rows, beside=ORDERED)
        return page(request, found, order=ORDER, show=lambda some: show(proposal, some))


class Replicas(ReplicaEndpoint):
    @extend_schema(**LISTED)
    def get(self, request: Request, number: int) -> Response:
        """All copies of the proposal's data, newest first, those that are gone too."""
        proposal = self.inside(number)
        return self.listed(request, proposal, queries.replicas(proposal))


class RunReplicas(ReplicaEndpoint):
    @extend_schema(**LISTED)
    def get(self, request: Request, number: int, run: int) -> Response:
        """All copies of the run's data, newest first, those that are gone too."""
        found = self.own(number, run)
        return self.listed(request, found.proposal, queries.replicas_of(found))

    @extend_schema(
        request=shapes.ReportedReplica,
        responses={200: shapes.PlacedReplicaAnswer, 201: shapes.PlacedReplicaAnswer},
    )
    @once
    def post(self, request: Request, number: int, run: int) -> Response:
        """A transfer program reports where a copy lies now, or that it is gone.

        A copy counts once it was read back here. That one is gone is a fact and never refused.
        """
        found = self.own(number, run)
        access.require(self.actor, words.TRANSFER, found.proposal)
        given = self.given(shapes.ReportedReplica)
        group = named(partial(queries.group, found), given["kind"], "kind", "data that the run has")
        store = named(queries.store, given["store"], "store", "a store")
        known = queries.replicas_of(found).filter(store=store, data_group=group).exists()
        if given["state"] == Replica.State.LOST:
            reason = given.get("reason", "")
            made = reporting.report_lost(group, store, by=self.actor, reason=reason)
        else:
            made = reporting.report_copied(group, store, by=self.actor)
        row = queries.replicas_of(found).get(pk=made.pk)
        return Response(show(found.proposal, [row])[0], status=200 if known else 201)


class OneReplica(RunEndpoint):
    @extend_schema(responses=shapes.PlacedReplicaAnswer)
    @tagged
    def get(self, request: Request, number: int, run: int, id: int) -> Response:
        """One copy of the run's data."""
        refuse_unknown(request, ())
        found = self.own(number, run)
        row = self.find(queries.replicas_of(found).get, pk=id)
        return Response(show(found.proposal, [row])[0])


class Groups(RunEndpoint):
    @extend_schema(
        parameters=pages_by(GroupFilter, GROUP_ORDER, runs="Numbers and ranges, e.g. 12-40, 55."),
        responses=page_answer(shapes.PlacedGroupAnswer),
    )
    def get(self, request: Request, number: int) -> Response:
        """The data of all runs of the proposal by kind, newest first, and in which stores they
        are. All of each copy is told by `replicas`."""
        proposal = self.inside(number)
        rows = queries.groups_of(proposal)
        found = filtered(request, GroupFilter, rows, beside=ORDERED)
        return page(request, found, order=GROUP_ORDER, show=lambda some: map(_group, some))


def _group(group: DataGroup) -> dict[str, Any]:
    run = group.run if group.run_id is not None else None
    return {
        "id": group.pk,
        "run": run.number if run is not None else None,
        "kind": group.kind,
        "edition": group.edition,
        "folder": group.folder if run is not None else None,
        "file_count": group.file_count,
        "bytes": group.bytes,
        "created_at": moment(group.created_at),
        "stores": [
            {"store": replica.store.identifier, "state": replica.state}
            for replica in group.replicas.all()
            if replica.state not in Replica.GONE
        ],
    }


def show(proposal: Proposal, rows: Sequence[Replica]) -> list[dict[str, Any]]:
    """Replicas as answers; made by hand, for a page has up to a thousand of them."""
    # One address is looked up for all; each further one would cost as much as the rest of its row.
    runs = reverse("api-runs", args=[proposal.number])
    return [_shown(proposal, row, runs) for row in rows]


def _shown(proposal: Proposal, row: Replica, runs: str) -> dict[str, Any]:
    group = row.data_group
    number = group.run.number if group.run_id is not None else None
    return {
        "id": row.pk,
        "url": f"{runs}/{number}/replicas/{row.pk}" if number is not None else None,
        "proposal": proposal.number,
        "run": number,
        "kind": group.kind,
        "folder": group.folder if number is not None else None,
        "store": row.store.identifier,
        "tier": row.store.tier,
        "state": row.state,
        "state_text": _STATES[row.state],
        "file_count": row.file_count,
        "bytes": row.bytes,
        "checksum": row.checksum,
        "verdict": row.verdict,
        **{name: moment(getattr(row, name)) for name in _MOMENTS},
    }


_STATES = {str(value): str(text) for value, text in Replica.State.choices}
_MOMENTS = ("created_at", "verified_at", "first_verified_at", "notice_at", "remove_at",
            "trashed_at", "removed_at")  # fmt: skip
