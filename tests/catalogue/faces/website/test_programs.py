"""The pages of programs and of one's own tokens: who comes in, what is shown once, what is kept."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.hashers import check_password
from django.contrib.sessions.models import Session
from django.test import Client

from catalogue.ground import programs, tokens
from catalogue.ground.models import Entry, Program, Token, User
from tests.calling import Caller, done, refused
from tests.factories import BEGIN, Facility, UserFactory
from tests.visiting import Visitor, queries_of, sound

NEW = {"name": "DAQ SPB", "scopes": ["daq", "read"], "emails": "", "account": ""}
PAGES = ("/programs", "/programs/{n}")
FORMS = ("create", "{n}/scopes", "{n}/people", "{n}/rotate", "{n}/revoke")


@pytest.fixture
def staff(facility: Facility) -> Visitor:
    return Visitor(facility.staff.user)


@pytest.fixture
def program(facility: Facility) -> Program:
    return programs.create(name="Transfer", scopes=["transfer"], by=facility.staff)[0]


def secret_in(html: str) -> str:
    """The secret that a page shows."""
    sound(html)
    found = re.findall(r'<p class="cite"><code>([^<]+)</code>', html)
    assert len(found) == 1
    return str(found[0])


def kept_by_the_site() -> str:
    """All that is kept of sessions."""
    return str([session.get_decoded() for session in Session.objects.all()])


# ---------------------------------------------------------------- programs


def test_only_those_who_administer_come_in(facility: Facility, program: Program) -> None:
    others = [facility.person("user_office"), facility.person(),
              facility.person("instrument_leader", instrument=True)]  # fmt: skip
    for user in others:
        visitor = Visitor(user)
        for page in PAGES:
            sound(visitor.get(page.format(n=program.pk), 403))
        for form in FORMS:
            visitor.post(f"/programs/{form.format(n=program.pk)}", 403, **NEW)
    stranger = Visitor()
    for page in PAGES:
        answer = stranger.client.get(page.format(n=program.pk))
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in")
    for form in FORMS:
        stranger.post(f"/programs/{form.format(n=program.pk)}", 302, **NEW)
    program.refresh_from_db()
    assert (Program.objects.count(), program.scopes, program.revoked_at) == (1, ["transfer"], None)


def test_forms_need_their_mark(facility: Facility, program: Program) -> None:
    forger = Visitor(facility.staff.user, enforcing=True)
    for form in FORMS:
        forger.post(f"/programs/{form.format(n=program.pk)}", 403, **NEW)
    forger.post("/tokens/create", 403, name="x", scopes=["read"], days="7")
    assert Program.objects.count() == 1
    assert not Token.objects.exists()


def test_a_program_is_made_and_its_secret_shown_once(facility: Facility, staff: Visitor) -> None:
    person = facility.person()
    fields = {**NEW, "emails": f"\r\n {person.email.upper()}\r\n", "account": "daq"}
    answer = staff.post("/programs/create", 200, **fields)
    assert "no-store" in answer["Cache-Control"]
    secret = secret_in(answer.content.decode())
    made = Program.objects.get()
    assert check_password(secret, made.client_secret)
    assert (made.name, made.scopes, list(made.acts_for.all()), made.user) == (
        "DAQ SPB", ["daq", "read"], [person], facility.daq.user,
    )  # fmt: skip
    assert made.created_by == facility.staff.user
    assert secret not in kept_by_the_site()
    for page in PAGES:
        html = staff.get(page.format(n=made.pk))
        assert secret not in html
        assert made.client_secret not in html
        sound(html)
    html = staff.get(f"/programs/{made.pk}")
    assert person.email in html
    assert "Created" in html  # the story


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "transfer"}, "differ"),
        ({"name": ""}, "required"),
        ({"emails": "nobody@example.org"}, "nobody with an open account"),
        ({"emails": "a\x00b"}, "Null characters"),
        ({"account": "nobody"}, "open service account"),
        ({"scopes": ["everything"]}, "everything"),
    ],
)
def test_what_breaks_a_rule_is_said_at_its_field(
    staff: Visitor, program: Program, fields: dict[str, str], said: str
) -> None:
    answer = staff.post("/programs/create", 422, **{**NEW, **fields})
    assert said in sound(answer.content.decode()).text
    assert Program.objects.count() == 1


def test_a_new_secret_is_shown_once_and_the_old_one_gone(staff: Visitor, program: Program) -> None:
    answer = staff.post(f"/programs/{program.pk}/rotate", 200, end_tokens="on")
    assert "no-store" in answer["Cache-Control"]
    secret = secret_in(answer.content.decode())
    program.refresh_from_db()
    assert check_password(secret, program.client_secret)
    assert secret not in staff.get(f"/programs/{program.pk}")
    assert secret not in kept_by_the_site()
    assert Entry.objects.filter(move="rotate secret", face="page").exists()


def test_scopes_and_people_are_set(facility: Facility, staff: Visitor, program: Program) -> None:
    one, other = facility.person(), facility.person()
    at = f"/programs/{program.pk}"
    assert "are set" in staff.said(f"{at}/scopes", scopes=["read", "adopt"])
    assert "is set" in staff.said(f"{at}/people", emails=f"{one.email}; {other.email}")
    program.refresh_from_db()
    assert program.scopes == ["adopt", "read"]
    assert set(program.acts_for.all()) == {one, other}
    html = staff.post(f"{at}/people", 422, emails="nobody@example.org").content.decode()
    assert "nobody@example.org" in html
    sound(html)
    staff.post(f"{at}/scopes", 422, scopes=["everything"])
    assert program.acts_for.count() == 2
    staff.said(f"{at}/people", emails=other.email)
    assert list(program.acts_for.all()) == [other]


def test_a_revoked_program_is_shown_and_left_alone(staff: Visitor, program: Program) -> None:
    at = f"/programs/{program.pk}"
    staff.post(f"{at}/revoke", 422, named="DAQ", reason="Another one")
    staff.post(f"{at}/revoke", 422)
    program.refresh_from_db()
    assert program.revoked_at is None
    assert "is revoked" in staff.said(f"{at}/revoke", named="Transfer", reason="Replaced <b>")
    html = staff.get(at)
    assert "Replaced &lt;b&gt;" in html
    assert "Make a new secret" not in html
    for form in ("scopes", "people", "rotate", "revoke"):
        answer = staff.post(f"{at}/{form}", 409, named="Transfer")
        assert "was revoked" in answer.content.decode()
    assert "Revoked" in staff.get("/programs")
    staff.get("/programs/999999", 404)


def test_the_list_asks_as_often_for_many_as_for_one(
    facility: Facility, staff: Visitor, program: Program
) -> None:
    few = queries_of(staff, "/programs")
    for n in range(5):
        programs.create(name=f"P{n}", scopes=[], acts_for=[facility.person()], by=facility.staff)
    assert queries_of(staff, "/programs") == few


def test_staff_find_them(facility: Facility) -> None:
    facility.staff.user.is_staff = True
    facility.staff.user.save()
    visitor = Visitor(facility.staff.user)
    assert "/programs" in sound(visitor.get("/")).links
    assert "/programs" in sound(visitor.get("/tokens")).links
    other = Visitor(facility.person())
    assert "/programs" not in sound(other.get("/tokens")).links
    assert "/tokens" in sound(other.get("/")).links


def test_the_reference_tables_have_neither_programs_nor_their_tokens(facility: Facility) -> None:
    boss: User = UserFactory(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(boss)
    html = client.get("/admin/").content.decode()
    for word in ("oauth2_provider", "ground/program", "Access token"):
        assert word not in html


# ---------------------------------------------------------------- tokens of one's own


def test_a_token_is_made_shown_once_and_works(facility: Facility) -> None:
    person = facility.person()
    visitor = Visitor(person)
    with time_machine.travel(BEGIN, tick=False):
        answer = visitor.post("/tokens/create", 200, name="laptop", scopes=["read"], days="7")
    assert "no-store" in answer["Cache-Control"]
    text = secret_in(answer.content.decode())
    made = Token.objects.get()
    assert (made.user, made.name, made.scopes) == (person, "laptop", ["read"])
    assert made.expiry == BEGIN + timedelta(days=7)
    entry = Entry.objects.get(move="make token")
    assert (entry.actor, entry.facts["token"], entry.facts["scopes"]) == (
        person, "laptop", ["read"],
    )  # fmt: skip
    assert text not in visitor.get("/tokens")
    assert text not in kept_by_the_site()
    caller = Caller()
    caller.headers["authorization"] = f"Bearer {text}"
    with time_machine.travel(BEGIN + timedelta(days=1), tick=False):
        assert done(caller.get("me"))["login"] == person.username
    made.refresh_from_db()
    assert made.last_used_at == BEGIN + timedelta(days=1)
    with time_machine.travel(BEGIN + timedelta(days=7), tick=False):
        refused(caller.get("me"), 401)
        assert "expired" in visitor.get("/tokens")


def test_a_revoked_token_is_of_no_use_at_once(facility: Facility) -> None:
    person = facility.person()
    caller = Caller(person)
    done(caller.get("me"))
    said = Visitor(person).said("/tokens/revoke", token=caller.token.digest)
    assert "of no use" in sound(said).text
    assert Entry.objects.get(move="revoke token").actor == person
    refused(caller.get("me"), 401)


def test_tokens_are_one_s_own(facility: Facility) -> None:
    mine, _ = tokens.issue(facility.person(), name="mine", scopes=["read"])
    other = Visitor(facility.person())
    assert "mine" not in sound(other.get("/tokens")).text
    other.post("/tokens/revoke", 404, token=mine.digest)
    other.post("/tokens/revoke", 404)
    assert Token.objects.filter(pk=mine.pk).exists()
    Visitor().post("/tokens/revoke", 302, token=mine.digest)
    assert Visitor().client.get("/tokens").status_code == 302


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"scopes": []},
        {"scopes": ["daq"]},
        {"days": "100000"},
        {"name": "x" * 81},
    ],
)
def test_what_is_not_offered_is_not_made(facility: Facility, fields: dict[str, object]) -> None:
    visitor = Visitor(facility.person())
    answer = visitor.post(
        "/tokens/create", 422, **{"name": "x", "scopes": ["read"], "days": "7", **fields}
    )
    sound(answer.content.decode())
    assert not Token.objects.exists()
