"""What may this person do here, and why: on the page and for programs."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import access as words
from proposals import access, commands, reasons
from tests.calling import Caller, done, refused
from tests.factories import BEGIN, Facility
from tests.visiting import Visitor, sound

NOW = BEGIN + timedelta(hours=1)


@pytest.mark.django_db
def test_staff_are_told_the_rule_and_what_is_missing(facility: Facility) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        proposal = facility.proposal()
        member = facility.person()
        last = access.today() + timedelta(days=9)
        commands.add_member(proposal, user=member, data_access=1, until=last, by=facility.staff)
        path = f"/access/why?person={member.username}&proposal={proposal.number}"
        for role in ("user_office", "data_manager", "auditor"):
            staff = Visitor(facility.person(role))
            text = sound(staff.get(path)).text
            assert "Member in the team, data access: read" in text
            assert "29 November 2026" in text
            assert "team members who work on the data" in text, "who may assess"
        clock.shift(timedelta(days=30))
        text = sound(Visitor(facility.person("auditor")).get(path)).text
        assert "Member in the team, data access: read: ended with 29 November 2026." in text


@pytest.mark.django_db
def test_others_ask_about_themselves_and_are_told_of_nobody(facility: Facility) -> None:
    proposal = facility.proposal()
    somebody, leader = facility.person(), facility.leader
    me, program = Visitor(somebody), Caller(somebody)
    assert "What may I do, and why?" in sound(me.get("/access")).text
    assert "stranger" not in me.get("/access/why")
    for login in (leader.username, "nobody-has-this-login"):
        me.get(f"/access/why?person={login}", 403)
        refused(program.get(f"access/why?person={login}"), 403)
    me.get(f"/access/why?proposal={proposal.number}", 422)
    refused(program.get(f"access/why?proposal={proposal.number}"), 404)
    Visitor().get("/access", 302)


@pytest.mark.django_db
def test_programs_are_told_the_same(facility: Facility) -> None:
    proposal = facility.proposal()
    staff = Caller(facility.staff.user)
    table = done(staff.get("access"))
    assert {r["name"] for r in table["roles"]} == set(words.GRANTS)
    assert {r["name"]: set(r["gives"]) for r in table["scopes"]} == {
        name: set(gives) for name, gives in words.SCOPES.items()
    }
    told = done(staff.get(f"access/why?person={facility.leader.email}&proposal={proposal.number}"))
    may = {p["permission"]: p for p in told["permissions"]}
    assert may["consent to early release"]["allowed"]
    assert may["release data"]["who"] == "data managers"
    narrowed = done(staff.get(f"access/why?person={facility.leader.username}&scopes=read"))
    assert not any(p["allowed"] for p in narrowed["permissions"])
    refused(staff.get("access/why?person=nobody"), 404)
    refused(staff.get("access/why?scopes=all"), 422, "scopes")
    refused(staff.get("access/why?proposal=x"), 422, "proposal")
    refused(staff.get("access/why?who=x"), 422, "who")


@pytest.mark.django_db
def test_a_program_has_its_scopes_and_an_account_that_is_closed_nothing(
    facility: Facility,
) -> None:
    proposal = facility.proposal()
    daq = reasons.asked(facility.daq.user, frozenset({"daq"}))
    told = {a.permission: a for a in reasons.why(daq, proposal).answers}
    assert told[words.DAQ].reasons[0].says.startswith("Scope daq: Report for the DAQ")
    leader = facility.leader
    leader.is_active = False
    leader.save()
    story = reasons.why(reasons.asked(leader, None), proposal)
    assert not any(a.allowed for a in story.answers)
    assert story.ended == ("The account is closed, so nothing that it was given counts.",)
