"""Signing in and out, the demo's logins, and the choice of colours."""

from __future__ import annotations

import pytest

from catalogue.ground.models import User
from tests.visiting import Visitor, sound

PASSWORD = "a long enough password"
LOGINS = [{"login": "marie", "password": PASSWORD, "name": "Marie <b>", "role": "on shift"}]


@pytest.fixture
def person(db: None) -> User:
    return User.objects.create_user("marie", "marie@example.org", PASSWORD, first_name="Marie")


def test_signing_in_leads_to_where_one_wanted_to_go(person: User) -> None:
    visitor = Visitor()
    page = visitor.client.get("/jobs?state=held")["Location"]
    assert "next=/jobs%3Fstate%3Dheld" in sound(visitor.get(page)).text or "next" in page
    fields = {"username": "marie", "password": PASSWORD, "next": "/jobs?state=held"}
    assert visitor.post("/sign-in", 302, **fields)["Location"] == "/jobs?state=held"
    assert "Marie" in visitor.get("/jobs?state=held")
    assert visitor.client.get("/sign-in")["Location"] == "/", "already signed in"


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example/x"])
def test_signing_in_never_leads_elsewhere(person: User, target: str) -> None:
    fields = {"username": "marie", "password": PASSWORD, "next": target}
    assert Visitor().post("/sign-in", 302, **fields)["Location"] == "/"


def test_the_session_of_before_is_not_the_one_of_whoever_signs_in(person: User) -> None:
    """Whoever planted a session in somebody's browser is not signed in with them."""
    client = Visitor().client
    session = client.session
    session["planted"] = "by another"
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = planted
    client.post("/sign-in", {"username": "marie", "password": PASSWORD})
    assert client.session.session_key != planted
    thief = Visitor().client
    thief.cookies["sessionid"] = planted
    assert thief.get("/tokens").status_code == 302
    assert client.get("/tokens").status_code == 200


@pytest.mark.parametrize("login", ["marie", "nobody", "", "mar\x00ie"])
def test_a_wrong_password_and_an_unknown_login_are_answered_alike(person: User, login: str) -> None:
    answer = Visitor().post("/sign-in", 200, username=login, password="wrong")
    seen = sound(answer.content.decode())
    assert "errorlist" in answer.content.decode()
    assert "nobody" not in seen.text


def test_a_closed_account_cannot_sign_in(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)
    Visitor().post("/sign-in", 200, username="marie", password=PASSWORD)


def test_signing_out_takes_a_form(person: User) -> None:
    visitor = Visitor(person)
    assert visitor.client.get("/sign-out").status_code == 405
    visitor.post("/sign-out", 302)
    assert "Sign in" in visitor.get("/")


def test_a_demo_shows_its_logins_and_says_that_it_is_one(person: User, settings) -> None:
    settings.DEMO_LOGINS = LOGINS
    settings.DEMO = True
    html = Visitor().get("/sign-in")
    seen = sound(html)
    assert "Logins of this demo" in seen.text
    assert "These people are invented" in seen.text
    assert "Sign in as Marie <b>" in seen.text
    assert "Marie <b>, on shift" in seen.text
    assert "Demo." in sound(Visitor().get("/")).text


def test_without_a_demo_no_login_is_shown_whatever_is_set(person: User, settings) -> None:
    settings.DEMO_LOGINS = LOGINS
    settings.DEMO = False
    html = Visitor().get("/sign-in")
    assert PASSWORD not in html
    assert "demo" not in html.lower()


def test_colours_are_kept_and_given_back_to_the_system(person: User) -> None:
    visitor = Visitor(person)
    assert "data-scheme" not in visitor.get("/")
    assert visitor.post("/scheme", scheme="dark", next="/data")["Location"] == "/data"
    assert '<html lang="en-GB" data-scheme="dark">' in visitor.get("/")
    visitor.post("/scheme", scheme='"><script>')
    assert "data-scheme" not in visitor.get("/")
    visitor.client.cookies["scheme"] = '"><script>'
    assert "data-scheme" not in visitor.get("/")
