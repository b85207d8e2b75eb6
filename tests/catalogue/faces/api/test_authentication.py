"""Tokens and sessions: who is let in, with what, and what is written meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalogue.ground import tokens
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Token
from proposals.models import Proposal
from tests.calling import Caller, Callers, done, refused
from tests.factories import Facility

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _with(header: str) -> Caller:
    caller = Caller()
    caller.headers["authorization"] = header
    return caller


def test_without_a_token_the_way_in_is_told(db: None) -> None:
    answer = Caller().get("me")
    refused(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer lk-unknown",
        "Bearer two words",
        f"Bearer lk-{'a' * 5000}",
        "Bearer lk-\u00e4",
        "Basic dXNlcjpwYXNz",
        "lk-abc",
    ],
)
def test_what_is_no_token_is_refused_alike(db: None, header: str) -> None:
    answer = _with(header).get("me")
    refused(answer, 401)
    assert "WWW-Authenticate" in answer


def test_an_expired_token_is_refused_and_kept(facility: Facility) -> None:
    user = facility.person()
    with time_machine.travel(NOON, tick=False):
        _, text = tokens.issue(user, name="t", scopes=["read"], lifetime=timedelta(hours=1))
    caller = _with(f"Bearer {text}")
    with time_machine.travel(NOON + timedelta(minutes=59), tick=False):
        done(caller.get("me"))
    with time_machine.travel(NOON + timedelta(minutes=60), tick=False):
        refused(caller.get("me"), 401)
    assert Token.objects.filter(user=user).exists()


def test_a_closed_account_is_refused(facility: Facility) -> None:
    user = facility.person()
    caller = Caller(user)
    done(caller.get("me"))
    user.is_active = False
    user.save()
    refused(caller.get("me"), 401)


def test_the_use_is_noted_once_a_minute(facility: Facility) -> None:
    caller = Caller(facility.person())

    def used(after: timedelta) -> datetime | None:
        with time_machine.travel(NOON + after, tick=False):
            done(caller.get("me"))
        caller.token.refresh_from_db()
        return caller.token.last_used_at

    assert used(timedelta(0)) == NOON
    assert used(timedelta(seconds=59)) == NOON
    assert used(timedelta(seconds=60)) == NOON + timedelta(seconds=60)


def test_a_request_that_is_refused_writes_nothing(facility: Facility) -> None:
    _, text = tokens.issue(facility.person(), name="t", scopes=["read"])
    with CaptureQueriesContext(
        connection,
    ) as asked:
        refused(_with(f"Bearer {text[:-1]}x").get("me"), 401)
    assert [q["sql"] for q in asked if not q["sql"].startswith("SELECT")] == []


def test_scopes_narrow_what_a_person_may_do(facility: Facility, proposal: Proposal) -> None:
    reading = Caller(facility.staff.user, scopes=["read"])
    done(reading.get(f"proposals/{proposal.number}"))
    problem = refused(reading.post(f"proposals/{proposal.number}/moves/pause"), 403)
    assert problem["who"]
    nothing = Caller(facility.staff.user, scopes=[])
    refused(nothing.get(f"proposals/{proposal.number}"), 404)
    writing = Caller(facility.staff.user, scopes=["write"])
    done(writing.post(f"proposals/{proposal.number}/moves/pause"))


def test_a_program_may_only_what_its_scopes_say(callers: Callers, proposal: Proposal) -> None:
    refused(callers.daq.post(f"proposals/{proposal.number}/moves/pause"), 403)
    done(callers.daq.post(f"proposals/{proposal.number}/runs/next-number"), 201)


def test_unknown_scopes_are_not_given_out(facility: Facility) -> None:
    with pytest.raises(Invalid):
        tokens.issue(facility.person(), name="t", scopes=["everything"])


def test_me_tells_the_token_and_the_offices(facility: Facility) -> None:
    me = done(Caller(facility.staff.user, scopes=["read"]).get("me"))
    assert me["login"] == facility.staff.user.username
    assert me["token"]["scopes"] == ["read"]
    assert me["offices"] == [{"role": "data_manager", "instrument": None, "until": None}]
    assert "password" not in str(me)


def test_the_browser_s_session_needs_the_csrf_token(facility: Facility, proposal: Proposal) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(facility.staff.user)
    path = f"/api/v1/proposals/{proposal.number}/moves/pause"
    done(client.get("/api/v1/me"))
    refused(client.post(path, data=b"", content_type="application/json"), 403)
    client.cookies["csrftoken"] = "a" * 32
    done(
        client.post(
            path, data=b"", content_type="application/json", headers={"X-CSRFToken": "a" * 32}
        )
    )
