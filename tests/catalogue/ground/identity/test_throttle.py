"""Who guesses passwords has to wait, and nobody else because of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client, RequestFactory

from catalogue.ground import clock, programs
from catalogue.ground.identity import throttle
from catalogue.ground.models import User
from tests.factories import Facility

PASSWORD = "a-long-password-1"
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def person(facility: Facility) -> User:
    person = facility.person()
    person.set_password(PASSWORD)
    person.save()
    return person


def attempt(login: str, password: str = "wrong", address: str = HERE, **headers: str) -> Any:
    client = Client(REMOTE_ADDR=address, headers=headers)
    return client.post("/sign-in", {"username": login, "password": password})


def test_after_some_wrong_passwords_one_has_to_wait(person: User) -> None:
    login = person.username
    statuses = [attempt(name).status_code for name in [login, login.upper(), f" {login} "]]
    assert statuses == [200] * 3
    assert attempt(login, user_agent="another").status_code == 200
    with time_machine.travel(clock.now(), tick=False) as traveller:
        fifth = attempt(login)
        assert fifth.status_code == 429
        right = attempt(login, PASSWORD)
        assert right.status_code == 429, "the right one too"
        assert right["Retry-After"] == "900"
        assert right["Cache-Control"] == "no-store"
        again = clock.now().astimezone(clock.facility_zone()) + timedelta(minutes=16)
        page = right.content.decode()
        assert f"Try again after {again:%H:%M}" in page
        assert "not guess" in page
        assert 'name="password"' not in page
        traveller.shift(timedelta(minutes=14))
        attempt(login)  # waiting is not prolonged by it
        traveller.shift(timedelta(minutes=1, seconds=1))
        assert attempt(login, PASSWORD).status_code == 302
        assert attempt(login).status_code == 200, "and it is counted anew"


def test_a_stranger_keeps_nobody_out(person: User) -> None:
    for _ in range(7):
        attempt(person.username, address=ELSEWHERE)
    assert attempt(person.username, PASSWORD, ELSEWHERE).status_code == 429
    assert attempt(person.username, PASSWORD, HERE).status_code == 302


def test_one_password_on_many_logins_is_counted_by_the_address(person: User, settings: Any) -> None:
    settings.SIGN_IN_ATTEMPTS_OF_ADDRESS = 20
    statuses = [attempt(f"nobody-{n}").status_code for n in range(20)]
    assert statuses == [200] * 19 + [429]
    assert attempt(person.username, PASSWORD).status_code == 429
    assert attempt(person.username, PASSWORD, ELSEWHERE).status_code == 302


def test_an_account_of_ones_own_does_not_buy_more_guesses(
    person: User, facility: Facility, settings: Any
) -> None:
    settings.SIGN_IN_ATTEMPTS_OF_ADDRESS = 10
    victims = [facility.person().username for _ in range(5)]
    for victim in victims:
        attempt(victim)
        attempt(victim)
        last = attempt(person.username, PASSWORD)
    assert last.status_code == 429


def test_a_wrong_login_is_answered_as_a_wrong_password(person: User) -> None:
    known = [attempt(person.username) for _ in range(6)]
    unknown = [attempt("nobody", address=ELSEWHERE) for _ in range(6)]
    assert [a.status_code for a in known] == [a.status_code for a in unknown]


@pytest.mark.parametrize("login", ["", "x" * 151, "a\x00b", "\u202e", "é" * 150, "*)(uid=*"])
def test_odd_logins_are_refused_and_nothing_breaks(db: None, login: str) -> None:
    for _ in range(7):
        assert attempt(login).status_code in {200, 429}


def test_a_very_long_password_is_not_looked_at(person: User) -> None:
    assert "at most 1024" in attempt(person.username, "x" * 1025).content.decode()


def test_the_sign_in_of_the_tables_is_the_one_of_the_site(person: User) -> None:
    answer = Client().get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0] == "/sign-in?next=%2Fadmin%2F"
    assert Client().post("/admin/login/", {"username": "a"}).status_code == 405
    client = Client()
    client.force_login(person)
    assert client.get("/admin/login/").status_code == 403


# ---------------------------------------------------------------- whence it comes


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1, 203.0.113.9", "203.0.113.9"),
        (1, "203.0.113.9, not an address", "192.0.2.1"),
        (2, "10.9.9.9, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_the_address_is_what_our_own_proxy_saw(
    settings: Any, proxies: int, forwarded: str, address: str
) -> None:
    settings.PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory(headers=headers).get("/", REMOTE_ADDR="192.0.2.1")
    assert throttle.address_of(request) == address


def test_without_any_address_there_is_none() -> None:
    assert throttle.address_of(RequestFactory().get("/", REMOTE_ADDR="")) is None


def test_a_forged_header_does_not_open_another_count(person: User, settings: Any) -> None:
    settings.PROXIES = 1
    for n in range(5):
        last = attempt(person.username, **{"X-Forwarded-For": f"10.0.0.{n}, {ELSEWHERE}"})
    assert last.status_code == 429


# ---------------------------------------------------------------- programs


def ask(client_id: str, secret: str) -> Any:
    body = {
        "grant_type": "client_credentials", "client_id": client_id, "client_secret": secret,
    }  # fmt: skip
    return Client(REMOTE_ADDR=HERE).post("/api/oauth/token", body)


def test_wrong_secrets_are_slowed_down_and_right_ones_taken(
    facility: Facility, person: User, settings: Any
) -> None:
    settings.SIGN_IN_ATTEMPTS_OF_ADDRESS = 8
    program, secret = programs.create(name="DAQ", scopes=["read"], by=facility.staff)
    statuses = [ask(program.client_id, "wrong").status_code for _ in range(9)]
    assert statuses == [401] * 8 + [429]
    assert ask(program.client_id, "wrong")["Retry-After"] == "900"
    assert ask(program.client_id, secret).status_code == 200
    assert attempt(person.username, PASSWORD).status_code == 302, "nor are people kept out by it"
