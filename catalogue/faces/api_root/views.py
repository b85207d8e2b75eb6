"""Endpoints about the catalogue itself: jobs, stores, who you are, health, kinds of problems."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.faces.api_root import problems
from catalogue.faces.api_root import serializers as shapes
from catalogue.ground import access, health, lifecycle
from catalogue.ground.endpoints import (
    ORDERED,
    Endpoint,
    Order,
    Reason,
    filtered,
    once,
    page,
    page_answer,
    pages_by,
    refuse_unknown,
    tagged,
)
from catalogue.ground.filters import JobFilter
from catalogue.ground.models import Job, Token
from proposals import queries
from proposals.access import allowed_on, today

JOB_ORDER = Order("-id", id=("id",), after=("after", "id"))


class JobEndpoint(Endpoint):
    def job(self, id: int) -> Job:
        """The job, if the caller may read of it."""
        return self.find(queries.jobs(self.actor).get, pk=id)

    def standing(self, **where: Any) -> frozenset[str]:
        """What the caller may do with the proposal that the job is about."""
        job = self.job(where["id"])
        if job.proposal is None:
            return super().standing(**where)
        return allowed_on(self.actor, self.find(queries.one, self.actor, job.proposal))


class Jobs(Endpoint):
    @extend_schema(
        parameters=pages_by(JobFilter, JOB_ORDER, name="E.g. runs.migrate."),
        responses=page_answer(shapes.JobAnswer),
    )
    def get(self, request: Request) -> Response:
        """The jobs of the proposals whose journal you may read, newest first."""
        found = filtered(request, JobFilter, queries.jobs(self.actor), beside=ORDERED)
        return page(
            request, found, order=JOB_ORDER,
            show=lambda rows: shapes.JobAnswer(rows, many=True).data,
        )  # fmt: skip


class OneJob(JobEndpoint):
    @extend_schema(responses=shapes.JobAnswer)
    @tagged
    def get(self, request: Request, id: int) -> Response:
        """One job: how far it is, or why it stopped and who must act."""
        refuse_unknown(request, ())
        return Response(shapes.JobAnswer(self.job(id)).data)


class Retry(JobEndpoint):
    @extend_schema(request=Reason, responses=shapes.JobAnswer)
    @once
    def post(self, request: Request, id: int) -> Response:
        """Let a held job go again, from its first attempt."""
        job = self.job(id)
        given = self.given(Reason)
        lifecycle.retry(job, by=self.actor, reason=given.get("reason", ""))
        return Response(shapes.JobAnswer(self.job(id)).data)


class Hold(JobEndpoint):
    @extend_schema(request=Reason, responses=shapes.JobAnswer)
    @once
    def post(self, request: Request, id: int) -> Response:
        """Hold a job that waits, with a reason, until somebody retries it."""
        job = self.job(id)
        given = self.given(Reason)
        lifecycle.hold(job, by=self.actor, reason=given.get("reason", ""))
        return Response(shapes.JobAnswer(self.job(id)).data)


class Cancel(JobEndpoint):
    @extend_schema(request=Reason, responses=shapes.JobAnswer)
    @once
    def post(self, request: Request, id: int) -> Response:
        """Cancel a job, with a reason. One that runs is asked to stop and takes back what it has
        half done."""
        job = self.job(id)
        given = self.given(Reason)
        lifecycle.call_off(job, by=self.actor, reason=given.get("reason", ""))
        return Response(shapes.JobAnswer(self.job(id)).data)


class Stores(Endpoint):
    @extend_schema(responses=shapes.StaffStoreAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The stores, by rank. Where they are mounted is told to staff and to programs."""
        refuse_unknown(request, ())
        user = self.actor.user
        inside = user is not None and (
            user.is_service
            or self.actor.through is not None
            or access.offices(self.actor, today()).exists()
        )
        shape = shapes.StaffStoreAnswer if inside else shapes.StoreAnswer
        return Response(shape(queries.stores(), many=True).data)


class Me(Endpoint):
    @extend_schema(responses=shapes.MeAnswer)
    def get(self, request: Request) -> Response:
        """Who you are here, and what your token may do."""
        refuse_unknown(request, ())
        user: Any = request.user
        token = request.auth if isinstance(request.auth, Token) else None
        offices = access.offices(self.actor, today()).select_related("instrument").order_by("id")
        told = {
            **{name: getattr(user, name) for name in _SHOWN},
            "offices": offices,
            "token": token,
            "program": self.actor if self.actor.through is not None else None,
        }
        return Response(shapes.MeAnswer(told).data)


_SHOWN = ("username", "full_name", "orcid", "affiliation", "is_service")


class Open(Endpoint):
    """An endpoint for everybody, who is not asked for an account."""

    visitors = True
    authentication_classes: list[Any] = []


class Health(Open):
    @extend_schema(auth=[], responses={200: shapes.HealthAnswer, 503: shapes.HealthAnswer})
    def get(self, request: Request) -> Response:
        """Whether the site can answer: the database is needed, the broker is not (the sweep finds
        what it could not tell)."""
        refuse_unknown(request, ())
        failing = health.database()
        told = {"status": "failing" if failing else "ok", "database": "down" if failing else "ok"}
        return Response(told, status=503 if failing else 200)


class ProblemKind(Open):
    @extend_schema(auth=[], responses=shapes.ProblemKindAnswer)
    def get(self, request: Request, slug: str) -> Response:
        """What a kind of problem means, and what to do."""
        refuse_unknown(request, ())
        if slug not in problems.KINDS:
            raise Http404
        status, title, meaning = problems.KINDS[slug]
        told = {"type": problems.WHERE + slug, "title": title, "status": status, "meaning": meaning}
        return Response(told)


class Nowhere(Open):
    """All other addresses below /api/v1/."""

    schema = None  # type: ignore[assignment] # DRF's way to leave it out of the document

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        problem = problems.Problem("not-found", "There is nothing at this address.")
        return problems.answer(problem, request.path)
