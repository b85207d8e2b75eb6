"""Closing an account ends everything that acts in the person's name; offices from outside."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from oauth2_provider.models import AccessToken

from catalogue.ground import offices, programs
from catalogue.ground.actor import COMMAND
from catalogue.ground.identity import accounts, checks, entitlements, roles
from catalogue.ground.identity import person as people
from catalogue.ground.identity.roles import Rule
from catalogue.ground.models import Appointment, Entry, Instrument, User
from tests.calling import Caller
from tests.factories import Facility, InstrumentFactory

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password-1"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    assert client.get("/tokens").status_code == 200
    return client


def token_of(program: Any, secret: str) -> str:
    body = {"grant_type": "client_credentials", "client_id": program.client_id,
            "client_secret": secret}  # fmt: skip
    return str(Client().post("/api/oauth/token", body).json()["access_token"])


def as_program(bearer: str, email: str) -> int:
    headers = {"Authorization": f"Bearer {bearer}", "X-User-Email": email}
    native = Client().get("/api/v1/proposals", headers=headers).status_code
    legacy = Client().get("/metadata/api/me", headers=headers).status_code
    assert native == legacy
    return int(native)


def test_closing_ends_sessions_tokens_and_what_programs_do_at_once(facility: Facility) -> None:
    person, other = facility.person(), facility.person()
    client, caller = signed_in(person), Caller(person)
    program, secret = programs.create(
        name="DAQ", scopes=["read"], acts_for=[person, other], by=facility.staff
    )
    bearer = token_of(program, secret)
    assert caller.get("proposals").status_code == 200
    assert as_program(bearer, person.email) == 200
    accounts.close(person, by=facility.staff, reason="left the facility")
    assert client.get("/tokens").status_code == 302
    assert caller.get("proposals").status_code == 401
    assert as_program(bearer, person.email) == 401
    assert as_program(bearer, other.email) == 200
    entry = Entry.objects.get(move="close account")
    assert (entry.reason, entry.facts["tokens ended"]) == ("left the facility", 1)
    accounts.reopen(person, by=facility.staff, reason="came back")
    assert client.get("/tokens").status_code == 302, "sessions of before stay ended"
    assert caller.get("proposals").status_code == 401, "and tokens"
    assert signed_in(person)


def test_revoking_a_program_ends_it_everywhere_at_once(facility: Facility) -> None:
    person = facility.person()
    program, secret = programs.create(
        name="DAQ", scopes=["read"], acts_for=[person], by=facility.staff
    )
    bearers = [token_of(program, secret) for _ in range(3)]
    programs.revoke(program, by=facility.staff)
    assert [as_program(b, person.email) for b in bearers] == [401] * 3
    assert not AccessToken.objects.exists()
    body = {"grant_type": "client_credentials", "client_id": program.client_id,
            "client_secret": secret}  # fmt: skip
    assert Client().post("/api/oauth/token", body).status_code == 401


def test_a_program_ends_with_its_own_account(facility: Facility) -> None:
    account = facility.person()
    User.objects.filter(pk=account.pk).update(is_service=True)
    account.refresh_from_db()
    program, secret = programs.create(
        name="DAQ", scopes=["read"], account=account, by=facility.staff
    )
    headers = {"Authorization": f"Bearer {token_of(program, secret)}"}
    assert Client().get("/api/v1/proposals", headers=headers).status_code == 200
    accounts.close(account, by=facility.staff, reason="replaced")
    assert Client().get("/api/v1/proposals", headers=headers).status_code == 401


def test_in_the_tables_an_account_is_closed_for_good(facility: Facility) -> None:
    person = facility.person()
    client, caller = signed_in(person), Caller(person)
    root = facility.person()
    User.objects.filter(pk=root.pk).update(is_staff=True, is_superuser=True)
    root.refresh_from_db()
    admin = signed_in(root)
    form = {"username": person.username, "first_name": "Ada", "last_name": "L",
            "email": person.email}  # fmt: skip
    path = f"/admin/ground/user/{person.pk}/change/"
    assert admin.post(path, form).status_code == 302
    person.refresh_from_db()
    assert not person.is_active
    assert Entry.objects.get(move="close account").actor == root
    assert admin.post(path, form | {"is_active": "on"}).status_code == 302
    assert client.get("/tokens").status_code == 302
    assert caller.get("proposals").status_code == 401


def test_whom_others_vouch_for_has_no_password_here(facility: Facility) -> None:
    person = facility.person()
    person.set_password(PASSWORD)
    person.save()
    fields = {"username": person.username, "password": PASSWORD}
    assert Client().post("/sign-in", fields).status_code == 302
    for provider in ("ldap", "oidc"):
        User.objects.filter(pk=person.pk).update(provider=provider)
        assert Client().post("/sign-in", fields).status_code == 200


def test_local_accounts_can_be_kept_out(facility: Facility, settings: Any) -> None:
    person = facility.person()
    person.set_password(PASSWORD)
    person.save()
    settings.LOCAL_SIGN_IN = False
    assert [c.id for c in checks.identity_is_configured()] == ["identity.E004"]
    fields = {"username": person.username, "password": PASSWORD}
    assert Client().post("/sign-in", fields).status_code == 200
    assert 'name="password"' not in Client().get("/sign-in").content.decode()


# ---------------------------------------------------------------- offices


def held(user: User) -> set[tuple[str, str, str]]:
    rows = user.appointments.values_list("role", "instrument__identifier", "given_by")
    return {(role, place or "", by) for role, place, by in rows}


@pytest.mark.parametrize(
    ("uri", "start_tls", "said"),
    [
        ("ldap://ldap.facility.example", False, ["identity.E005"]),
        ("ldap://ldap.facility.example", True, []),
        ("ldaps://ldap.facility.example", False, []),
        ("ldap://127.0.0.1:3890", False, []),
    ],
)
def test_the_password_that_writes_groups_is_not_sent_in_the_clear(
    settings: Any, uri: str, start_tls: bool, said: list[str]
) -> None:
    settings.DIRECTORY, settings.DIRECTORY_LDAP_URI = "ldap", uri
    settings.DIRECTORY_LDAP_START_TLS = start_tls
    assert checks.identity_is_configured() == []
    settings.PRODUCTION = True
    assert [c.id for c in checks.identity_is_configured()] == said
    settings.DIRECTORY = "command"
    assert checks.identity_is_configured() == []


def test_a_source_takes_away_what_it_gave_and_nothing_else(facility: Facility) -> None:
    person = facility.person("data_manager")
    spb: Instrument = InstrumentFactory(identifier="SPB9")
    Appointment.objects.create(user=person, role="local_contact", instrument=spb, given_by="oidc")
    given = [
        Rule("dm", "data_manager"), Rule("spb", "local_contact", "SPB9"),
        Rule("nowhere", "local_contact", "XXX"),
    ]  # fmt: skip
    assert roles.mirror(person, "ldap", given, by=COMMAND)
    assert not roles.mirror(person, "ldap", given, by=COMMAND), "nothing new"
    assert held(person) == {
        ("data_manager", "", ""), ("data_manager", "", "ldap"),
        ("local_contact", "SPB9", "oidc"), ("local_contact", "SPB9", "ldap"),
    }  # fmt: skip
    roles.mirror(person, "ldap", given[1:2], by=COMMAND)
    roles.mirror(person, "ldap", [], by=COMMAND)
    assert held(person) == {("data_manager", "", ""), ("local_contact", "SPB9", "oidc")}
    assert Entry.objects.filter(move="set offices").count() == 3


def test_an_office_that_was_given_from_outside_too_is_given_by_staff(facility: Facility) -> None:
    person = facility.person()
    place = facility.instrument
    roles.mirror(person, "ldap", [Rule("l", "instrument_leader", place.identifier)], by=COMMAND)
    offices.appoint(place, "instrument_leader", person, by=facility.staff)
    roles.mirror(person, "ldap", [], by=COMMAND)
    assert held(person) == {("instrument_leader", place.identifier, "")}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "must be a JSON object"),
        ({"g": "superuser"}, "is none of"),
        ({"g": "data_manager@SPB"}, "for all instruments"),
        ({"g": "local_contact"}, "at an instrument"),
        ({"g": ["data_manager", ""]}, "is none of"),
    ],
)
def test_rules_that_make_no_sense_are_named(given: Any, said: str, settings: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        roles.rules(given, "LDAP_ROLES")
    settings.LDAP = settings.LDAP | {
        "url": "ldap://x", "user_base": "dc=x", "group_base": "dc=x", "roles": given or [],
    }  # fmt: skip
    assert said in str(checks.identity_is_configured())


# ---------------------------------------------------------------- entitlements

ROOT = "urn:geant:example.org:group:spb"


@pytest.mark.parametrize(
    ("held_one", "wanted", "given"),
    [
        (ROOT, ROOT, True),
        (f"{ROOT}:beamline:shift", ROOT, True),
        (ROOT, f"{ROOT}:beamline", False),
        (f"{ROOT}:role=scientist", ROOT, True),
        (f"{ROOT}:role=scientist", f"{ROOT}:role=scientist", True),
        (f"{ROOT}:beamline:role=scientist", f"{ROOT}:role=scientist", False),
        (f"{ROOT}:role=guest", f"{ROOT}:role=scientist", False),
        (f"{ROOT}x", ROOT, False),
        ("urn:geant:evil.org:group:spb", ROOT, False),
        (f"{ROOT}#aai.example.org", ROOT, True),
        (f"{ROOT}#aai.evil.org", f"{ROOT}#aai.example.org", False),
        (f"{ROOT}#aai.example.org", f"{ROOT}#aai.example.org", True),
        ("URN:GEANT:Example.org:group:spb", ROOT, True),
        ("urn:geant:example.org:group:SPB", ROOT, False),
    ],
)
def test_an_entitlement_gives_what_it_satisfies(held_one: str, wanted: str, given: bool) -> None:
    rule = Rule(wanted, "data_manager")
    assert entitlements.given([held_one], [rule]) == ([rule] if given else [])


@pytest.mark.parametrize(
    "odd", ["", "urn:", "x" * 501, ROOT + "\n", ROOT + "\x00", None, 7, {}, ["x"], "urn:a:b:group:"]
)
def test_what_is_no_entitlement_gives_nothing(odd: object) -> None:
    assert entitlements.given([odd], [Rule(ROOT, "data_manager")]) == []


def test_very_many_and_very_long_entitlements_cost_little() -> None:
    many = [f"{ROOT}:{'a:' * 200}b"] * 100_000
    assert entitlements.given(many, [Rule("urn:x:y:group:z", "auditor")]) == []


# ---------------------------------------------------------------- fields


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("first_name", "Ada", "Ada"),
        ("first_name", " A\x00d\na\u202e ", "A d a"),
        ("first_name", "x" * 500, "x" * 150),
        ("first_name", ["Ada", "Eve"], "Ada"),
        ("first_name", {"a": 1}, None),
        ("email", "ada@example.org", "ada@example.org"),
        ("email", "no address", None),
        ("email", "a@b.example\r\nBcc: x@y.example", None),
        ("email", f"{'x' * 300}@example.org", None),
        ("orcid", "https://orcid.org/0000-0002-1825-0097", "0000-0002-1825-0097"),
        ("orcid", "0000-0002-1694-233x", "0000-0002-1694-233X"),
        ("orcid", "0000-0002-1825-0098", None),
        ("orcid", "0" * 1000, None),
        ("affiliation_ror", "https://ror.org/01wp2jz98", "https://ror.org/01wp2jz98"),
        ("affiliation_ror", "javascript:alert(1)", None),
    ],
)
def test_what_is_kept_of_a_person(name: str, value: object, kept: str | None) -> None:
    assert people.cleaned({name: value}) == ({name: kept} if kept else {})
