"""Calling the native REST API as a program does: JSON bodies, a token, answers as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from django.test import Client

from catalogue.ground import tokens
from catalogue.ground.models import User
from proposals.models import Proposal
from runs.models import Run
from tests.factories import Facility

ROOT = "/api/v1/"
EVERYTHING = ("read", "write")


class Caller:
    """Somebody with a token; without a user, a visitor."""

    def __init__(self, user: User | None = None, scopes: Iterable[str] = EVERYTHING) -> None:
        self.headers: dict[str, str] = {}
        if user is not None:
            token, text = tokens.issue(user, name="test", scopes=scopes)
            self.token = token
            self.headers["authorization"] = f"Bearer {text}"
        self._client = Client()

    def get(self, path: str, **headers: str) -> Any:
        return self._client.get(_url(path), headers=self.headers | _headers(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("post", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("patch", path, body, **headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`body` as JSON; bytes as they are; None sends none."""
        if body is None:
            data = b""
        else:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = headers.pop("content_type", "application/json")
        return getattr(self._client, method)(
            _url(path), data=data, content_type=kind, headers=self.headers | _headers(headers)
        )


def _url(path: str) -> str:
    return path if path.startswith(("/", "http")) else ROOT + path


def _headers(named: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in named.items()}


def refused(answer: Any, status: int, *fields: str) -> dict[str, Any]:
    """Assert that `answer` is a problem document of this status, naming `fields`; the problem."""
    assert answer.status_code == status, (answer.status_code, answer.content[:2000])
    assert answer["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.content)
    assert problem["status"] == status
    assert problem["type"].startswith("/api/v1/problems/")
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"].startswith("/api/")
    named = [e["field"] for e in problem.get("errors", [])]
    for field in fields:
        assert field in named, problem
    return problem


def done(answer: Any, status: int = 200) -> Any:
    """Assert that `answer` has this status; its JSON."""
    assert answer.status_code == status, (answer.status_code, answer.content[:2000])
    return answer.json()


class Callers:
    """Who calls about one proposal: staff, the DAQ's program, the leader, somebody of another
    team, and a visitor."""

    def __init__(self, facility: Facility, proposal: Proposal) -> None:
        self.staff = Caller(facility.staff.user)
        self.daq = Caller(facility.daq.user, scopes=["daq", "read"])
        self.leader = Caller(proposal.memberships.get(role="pi").user)
        self.stranger = Caller(facility.person())
        self.visitor = Caller()


# Fixtures for the conftest.py of whoever tests endpoints.


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    """An active proposal."""
    return facility.proposal(state="A")


@pytest.fixture
def run(facility: Facility, proposal: Proposal) -> Run:
    """Its closed run 1, with three raw files."""
    return facility.run(proposal)


@pytest.fixture
def callers(facility: Facility, proposal: Proposal) -> Callers:
    return Callers(facility, proposal)
