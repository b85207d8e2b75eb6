"""Programs on the native API: with the token of `oauth/token`, for a person or for themselves."""

from __future__ import annotations

import pytest
from django.test import Client

from catalogue.ground import programs
from catalogue.ground.models import Entry, Program, User
from proposals.models import Proposal
from tests.calling import Caller, done, refused
from tests.factories import Facility
from tests.visiting import Visitor


@pytest.fixture
def person(facility: Facility) -> User:
    return facility.person()


@pytest.fixture
def program(facility: Facility, person: User) -> tuple[Program, str]:
    return programs.create(
        name="DAQ SPB", scopes=["daq", "read"], acts_for=[person], by=facility.staff
    )


def caller(program: tuple[Program, str], email: str | None = None) -> Caller:
    """The program with a token of its own, acting for whoever has this address."""
    answer = Client().post(
        "/api/oauth/token",
        {
            "grant_type": "client_credentials",
            "client_id": program[0].client_id,
            "client_secret": program[1],
        },
    )
    calling = Caller()
    calling.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
    if email is not None:
        calling.headers["x-user-email"] = email
    return calling


def test_me_names_the_person_and_the_program(program: tuple[Program, str], person: User) -> None:
    me = done(caller(program, person.email.upper()).get("me"))
    assert me["login"] == person.username
    assert me["program"] == {"name": "DAQ SPB", "scopes": ["daq", "read"]}
    assert me["token"] is None


def test_for_whom_it_may_not_act_is_refused(
    facility: Facility, program: tuple[Program, str], person: User
) -> None:
    for wrong in ("", "nobody@example.org", facility.person().email, "a\x00b"):
        answer = caller(program, wrong).get("me")
        assert "e-mail" in refused(answer, 401)["detail"]
        assert answer["WWW-Authenticate"].startswith("Bearer")
    calling = caller(program, person.email)
    programs.revoke(program[0], by=facility.staff)
    refused(calling.get("me"), 401)


def test_naming_nobody_it_is_itself_if_it_has_an_account(
    facility: Facility, program: tuple[Program, str]
) -> None:
    assert "X-User-Email" in refused(caller(program).get("me"), 401)["detail"]
    own = programs.create(name="Own", scopes=["daq"], account=facility.daq.user, by=facility.staff)
    me = done(caller(own).get("me"))
    assert (me["login"], me["program"]["name"]) == ("daq", "Own")


def test_what_it_reports_is_told_of_both(
    facility: Facility, program: tuple[Program, str], person: User
) -> None:
    proposal = facility.proposal(state="A")
    calling = caller(program, person.email)
    number = done(calling.post(f"proposals/{proposal.number}/runs/next-number"), 201)["number"]
    body = {"number": number, "begin_at": "2026-11-22T12:00:00Z"}
    done(calling.post(f"proposals/{proposal.number}/runs", body), 201)
    told = Entry.objects.get(move="register", proposal=proposal.number)
    assert (told.actor, told.program) == (person, program[0])
    history = done(Caller(facility.staff.user).get(f"proposals/{proposal.number}/journal"))
    last = history["results"][0]
    assert (last["actor"], last["program"]) == (person.full_name, "DAQ SPB")
    event = done(Caller(facility.staff.user).get("events"))["events"][-1]
    assert (event["actor"], event["program"]) == (person.full_name, "DAQ SPB")
    page = Visitor(facility.staff.user).get(f"/proposals/{proposal.number}/history")
    assert f"by {person.full_name} through DAQ SPB" in page


def test_it_may_not_what_the_person_may_not(
    facility: Facility, program: tuple[Program, str], person: User
) -> None:
    hidden: Proposal = facility.proposal(state="A")
    reading = programs.create(
        name="Scripts", scopes=["read", "write"], acts_for=[person, hidden_leader(hidden)],
        by=facility.staff,
    )  # fmt: skip
    refused(caller(reading, person.email).get(f"proposals/{hidden.number}"), 404)
    leader = hidden_leader(hidden)
    done(caller(reading, leader.email).get(f"proposals/{hidden.number}"))
    refused(caller(reading, leader.email).post(f"proposals/{hidden.number}/moves/pause"), 403)


def hidden_leader(proposal: Proposal) -> User:
    leader: User = proposal.memberships.get(role="pi").user
    return leader


def test_nobody_is_told_what_another_program_was_answered(
    facility: Facility, proposal: Proposal
) -> None:
    """Whoever acts for somebody has keys of their own: they neither get an answer that was not
    theirs, nor stand in each other's way."""
    leader = proposal.memberships.get(role="pi").user
    facts = {"acts_for": [leader], "by": facility.staff}
    first = programs.create(name="First", scopes=["daq"], **facts)
    second = programs.create(name="Second", scopes=["daq"], **facts)
    reader = programs.create(name="Reader", scopes=["read"], **facts)
    path = f"proposals/{proposal.number}/runs/next-number"
    by_first, by_second = caller(first, leader.email), caller(second, leader.email)
    assert done(by_first.post(path, {}, idempotency_key="1"), 201) == {"number": 1}
    assert done(by_second.post(path, {}, idempotency_key="1"), 201) == {"number": 2}
    assert done(by_first.post(path, {}, idempotency_key="1"), 201) == {"number": 1}
    refused(caller(reader, leader.email).post(path, {}, idempotency_key="1"), 403)
    refused(Caller(leader).post(path, {}, idempotency_key="1"), 403)
