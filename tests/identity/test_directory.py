"""Signing in by a real slapd, what its groups give, and what becomes of who leaves it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalogue.ground import clock
from catalogue.ground.identity import checks, config, sync
from catalogue.ground.identity import directory as verbs
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Appointment, DirectorySync, Entry, User
from catalogue.ground.refusal import Refused
from tests.calling import Caller
from tests.factories import Facility, InstrumentFactory
from tests.identity.conftest import configured
from tests.identity.slapd import GROUPS, PASSWORD, PEOPLE, READER, Slapd
from tests.legacy import Legacy

pytestmark = [pytest.mark.identity, pytest.mark.django_db]


def attempt(login: str, password: str = PASSWORD, **named: Any) -> Any:
    client = Client(**named)
    answer = client.post("/sign-in", {"username": login, "password": password})
    answer.visitor = client
    return answer


def sign_in(login: str, password: str = PASSWORD) -> User | None:
    """Who is signed in after it."""
    answer = attempt(login, password)
    pk = answer.visitor.session.get("_auth_user_id")
    assert answer.status_code == (302 if pk else 200)
    return User.objects.get(pk=pk) if pk else None


def held(user: User) -> set[tuple[str, str]]:
    rows = user.appointments.values_list("role", "instrument__identifier")
    return {(role, place or "") for role, place in rows}


# ---------------------------------------------------------------- signing in


def test_search_bind(directory: Slapd) -> None:
    directory.person("ada")
    user = sign_in("ada")
    assert user is not None
    assert (user.username, user.first_name, user.email) == ("ada", "Ada", "ada@facility.example")
    assert (user.provider, user.uid, user.has_usable_password()) == ("ldap", "ada", False)
    assert user.identities.get().issuer == "ldap"
    assert sign_in("ADA ") == user
    assert sign_in("ada", "wrong") is None
    assert User.objects.count() == 1


def test_direct_bind(directory: Slapd, settings: Any) -> None:
    """Without any account of the catalogue's own there."""
    configured(
        settings, directory, user_dn=f"uid=%(user)s,{PEOPLE}", user_base="", bind_dn="",
        bind_password="", roles={"dm": "data_manager"},
    )  # fmt: skip
    directory.group("dm", directory.person("ada"))
    directory.person("out", employeeType="gone")
    user = sign_in("ada")
    assert user is not None
    assert user.email == "ada@facility.example"
    assert held(user) == {("data_manager", "")}
    assert sign_in("ada", "wrong") is None
    assert sign_in("nobody") is None
    configured(settings, directory, user_filter="(&(objectClass=person)(!(employeeType=gone)))")
    assert sign_in("out") is None


def test_who_falls_out_of_the_filter_cannot_sign_in(directory: Slapd, settings: Any) -> None:
    configured(settings, directory, user_filter="(&(objectClass=person)(!(employeeType=100%)))")
    dn = directory.person("ada")
    user = sign_in("ada")
    assert user is not None
    directory.change(dn, employeeType="100%")
    assert sign_in("ada") is None
    sync.sync()
    user.refresh_from_db()
    assert not user.is_active


def test_an_entry_of_the_same_person_keeps_its_account(directory: Slapd) -> None:
    """Married, with another login and address: the entry's id says that it is she."""
    dn = directory.person("ada")
    user = sign_in("ada")
    directory.rename(dn, "uid=aking")
    directory.change(f"uid=aking,{PEOPLE}", sn="King", mail="king@facility.example")
    again = sign_in("aking")
    assert again == user
    assert again is not None
    assert (again.username, again.last_name, again.uid) == ("aking", "King", "aking")
    assert sign_in("ada") is None


def test_a_login_that_is_given_to_somebody_else_is_not_the_account_of_before(
    directory: Slapd,
) -> None:
    dn = directory.person("ada")
    user = sign_in("ada")
    directory.remove(dn)
    directory.person("ada", sn="Stranger")
    page = attempt("ada").content.decode()
    assert "belonged to somebody else before" in page
    user.refresh_from_db()  # type: ignore[union-attr]
    assert user.last_name == "Lovelace"  # type: ignore[union-attr]


def test_a_local_account_is_not_ldaps(directory: Slapd, facility: Facility) -> None:
    """Neither does LDAP see its password, nor does an entry of its name come into it."""
    person = facility.person()
    person.set_password("a-long-password-1")
    person.save()
    directory.person(person.username)
    assert sign_in(person.username) is None
    assert sign_in(person.username, "a-long-password-1") == person
    assert sign_in(person.username.upper()) is None
    assert person.identities.count() == 0


def test_an_address_of_another_account_is_left_to_it(directory: Slapd, facility: Facility) -> None:
    person = facility.person()
    directory.person("ada", mail=person.email.upper())
    user = sign_in("ada")
    assert user is not None
    assert user != person
    assert user.email == ""


def test_wrong_passwords_are_counted(directory: Slapd) -> None:
    directory.person("ada")
    for _ in range(5):
        last = attempt("ada", "wrong")
    assert last.status_code == 429
    assert attempt("ada").status_code == 429


# ---------------------------------------------------------------- attacks


def test_an_empty_password_is_no_password(directory: Slapd, settings: Any) -> None:
    """This slapd answers it with success."""
    dn = directory.person("ada")
    connection = directory.connection()
    connection.simple_bind_s(dn, "")  # it does
    for more in ({}, {"user_dn": f"uid=%(user)s,{PEOPLE}"}):
        configured(settings, directory, **more)
        for empty in ("", "\0", "\0x"):
            assert sign_in("ada", empty) is None
    from catalogue.ground.identity.ldap_backend import DirectoryBackend

    assert DirectoryBackend().authenticate(None, username="ada", password="") is None


INJECTIONS = [
    "*", "a*", "*)(uid=*", "ada)(|(uid=*", "ada)(objectClass=*", "ada*", "ad?", "(ada)", "a&b",
    f"ada,{PEOPLE}", "ada,ou=people", "cn=ada", "ada\\2a", "\\61da", "ada\\", "ada#", "+ada",
    '"ada"', "<ada>", "ada;", "uid=ada", "%s", "%(user)s", "ada\u200b", "ada\u202e",
]  # fmt: skip


@pytest.mark.parametrize("login", INJECTIONS)
@pytest.mark.parametrize("direct", [False, True])
def test_what_is_typed_as_a_login_is_a_login(
    directory: Slapd, settings: Any, login: str, direct: bool
) -> None:
    settings.SIGN_IN_ATTEMPTS_OF_ADDRESS = 10**6
    if direct:
        configured(settings, directory, user_dn=f"uid=%(user)s,{PEOPLE}")
    directory.person("ada")
    assert sign_in(login) is None
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "login",
    [
        'o"brien',
        "a, b",
        "a+b",
        "#a",
        "a<b>",
        "a;b",
        "a=b",
        "a\\b",
        "(a)",
        "a*b",
        "Åsa Ö",
        "日本",
        "%s",
    ],
)
@pytest.mark.parametrize("direct", [False, True])
def test_entries_with_odd_names_sign_in_and_are_in_their_groups(
    directory: Slapd, settings: Any, login: str, direct: bool
) -> None:
    more = {"user_dn": f"uid=%(user)s,{PEOPLE}"} if direct else {}
    configured(settings, directory, roles={'it, "all"+(x)': "data_manager"}, **more)
    dn = directory.person(login)
    directory.group('it, "all"+(x)', dn)
    user = sign_in(login)
    assert user is not None
    assert user.username == login.lower() or user.username == login
    assert held(user) == {("data_manager", "")}
    Appointment.objects.all().delete()
    sync.sync()
    assert held(user) == {("data_manager", "")}
    user.refresh_from_db()
    assert user.is_active


@hypothesis_settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(login=st.text(min_size=1, max_size=40).filter(lambda text: text.strip().casefold() != "ada"))
def test_no_login_but_hers_is_hers(directory: Slapd, settings: Any, login: str) -> None:
    from catalogue.ground.identity.ldap_backend import DirectoryBackend

    if not User.objects.filter(username="ada").exists():
        directory.fill()
        directory.person("ada")
        assert sign_in("ada")
    assert DirectoryBackend().authenticate(None, username=login, password=PASSWORD) is None


# ---------------------------------------------------------------- TLS, and a server in trouble


def test_a_server_that_nobody_vouches_for_gets_no_password(directory: Slapd, settings: Any) -> None:
    directory.person("ada")
    configured(settings, directory, ca_file=str(directory.folder / "other.pem"))
    assert "does not answer" in attempt("ada").content.decode()
    assert not User.objects.exists()


def test_passwords_in_the_clear_are_complained_of(settings: Any) -> None:
    settings.PRODUCTION = True
    settings.LDAP = settings.LDAP | {
        "url": "ldap://ldap.facility.example", "user_base": "dc=x", "start_tls": False,
    }  # fmt: skip
    assert [c.id for c in checks.identity_is_configured()] == ["identity.E003"]


class Trouble:
    """A server that accepts connections and then: says nothing, closes, or talks nonsense."""

    def __init__(self, does: str) -> None:
        self.does = does
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"ldap://127.0.0.1:{self._socket.getsockname()[1]}"
        self._kept: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._kept.append(connection)
            if self.does == "closes":
                connection.close()
            elif self.does == "nonsense":
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"\xff" * 500)

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._kept:
            connection.close()
        self._thread.join(2)


@pytest.fixture(params=["silent", "closes", "nonsense"])
def trouble(request: pytest.FixtureRequest) -> Iterator[Trouble]:
    made = Trouble(request.param)
    yield made
    made.stop()


@pytest.mark.parametrize("start_tls", [True, False])
@pytest.mark.parametrize("direct", [True, False])
def test_a_server_in_trouble_is_told_and_signs_nobody_in(
    directory: Slapd, trouble: Trouble, settings: Any, start_tls: bool, direct: bool
) -> None:
    directory.person("ada")
    user = sign_in("ada")
    more = {"user_dn": f"uid=%(user)s,{PEOPLE}"} if direct else {}
    configured(settings, directory, url=trouble.url, start_tls=start_tls, seconds=0.5, **more)
    began = time.monotonic()
    answer = attempt("ada")
    assert time.monotonic() - began < 5
    assert answer.status_code == 200
    assert "_auth_user_id" not in answer.visitor.session
    assert "does not answer" in answer.content.decode()
    assert sync.recorded(clock.now()).closed == ()
    user.refresh_from_db()  # type: ignore[union-attr]
    assert user.is_active  # type: ignore[union-attr]
    assert DirectorySync.objects.get().problem


def test_a_dead_server_keeps_no_local_account_out(
    directory: Slapd, settings: Any, facility: Facility
) -> None:
    configured(settings, directory, url="ldap://127.0.0.1:9", seconds=0.5)
    person = facility.person()
    person.set_password("a-long-password-1")
    person.save()
    assert sign_in(person.username, "a-long-password-1") == person


def test_a_wrong_password_of_our_own_is_trouble_not_a_refusal(
    directory: Slapd, settings: Any
) -> None:
    directory.person("ada")
    configured(settings, directory, bind_password="wrong")
    assert "does not answer" in attempt("ada").content.decode()
    with pytest.raises(Refused):
        sync.sync()


# ---------------------------------------------------------------- groups


def test_groups_give_offices_and_take_them_away(directory: Slapd, settings: Any) -> None:
    InstrumentFactory(identifier="SPB")
    configured(
        settings, directory,
        roles={f"CN=SPB, {GROUPS.upper()}": "instrument_scientist@SPB", "it": "data_manager"},
    )  # fmt: skip
    dn = directory.person("ada")
    spb, it = directory.group("spb", dn), directory.group("it", dn)
    directory.group("elsewhere", dn)
    user = sign_in("ada")
    assert user is not None
    assert held(user) == {("instrument_scientist", "SPB"), ("data_manager", "")}
    Appointment.objects.create(user=user, role="auditor")
    directory.change(it, member=[READER])
    sync.sync()
    assert held(user) == {("instrument_scientist", "SPB"), ("auditor", "")}
    directory.rename(spb, "cn=spb-old")
    sync.sync()
    assert held(user) == {("auditor", "")}, "a group of another name is another group"
    told = Entry.objects.filter(move="set offices").latest("pk")
    assert "SPB" in told.facts["offices taken away"][0]
    assert (told.actor, told.actor_name) == (None, "LDAP directory")
    directory.group("spb", dn)
    assert sign_in("ada") == user
    assert held(user) == {("instrument_scientist", "SPB"), ("auditor", "")}


def test_posix_groups_name_logins(directory: Slapd, settings: Any) -> None:
    configured(settings, directory, member="description", roles={"it": "data_manager"})
    directory.person("ada")
    dn = directory.group("it")
    directory.change(dn, description=["ada", "bob"])
    user = sign_in("ada")
    assert user is not None
    assert held(user) == {("data_manager", "")}
    sync.sync()
    assert held(user) == {("data_manager", "")}


# ---------------------------------------------------------------- who leaves


def test_who_vanishes_is_shut_out_at_the_next_sync_and_comes_back(directory: Slapd) -> None:
    dn = directory.person("ada")
    directory.person("bob")
    bob, ada = sign_in("bob"), attempt("ada").visitor
    user = User.objects.get(username="ada")
    caller = Caller(user)
    assert ada.get("/tokens").status_code == 200
    directory.remove(dn)
    assert sync.sync() == sync.Report(1, ("ada",), ())
    user.refresh_from_db()
    assert not user.is_active
    assert user.directory_missed_at is not None
    assert ada.get("/tokens").status_code == 302
    assert caller.get("proposals").status_code == 401
    assert Entry.objects.get(move="close account").reason == verbs.GONE
    assert bob is not None
    bob.refresh_from_db()
    assert bob.is_active
    assert sync.sync().closed == ()


def test_who_is_found_again_has_the_account_again(directory: Slapd, settings: Any) -> None:
    dn = directory.person("ada", employeeType="staff")
    directory.person("bob")
    sign_in("bob")
    user = sign_in("ada")
    configured(settings, directory, user_filter="(|(uid=bob)(employeeType=staff))")
    directory.change(dn, employeeType="leave")
    assert sync.sync().closed == ("ada",)
    assert sign_in("ada") is None
    directory.change(dn, employeeType="staff")
    assert sync.sync().reopened == ("ada",)
    assert sign_in("ada") == user


def test_who_was_closed_by_staff_stays_closed(directory: Slapd, facility: Facility) -> None:
    directory.person("ada")
    user = sign_in("ada")
    from catalogue.ground.identity import accounts

    accounts.close(user, by=facility.staff, reason="misuse")  # type: ignore[arg-type]
    assert sync.sync().reopened == ()
    assert "closed by staff" in attempt("ada").content.decode()


def test_so_many_do_not_leave_at_once(directory: Slapd) -> None:
    dns = [directory.person(f"p{n}") for n in range(12)]
    for n in range(12):
        assert sign_in(f"p{n}")
    for dn in dns[:7]:
        directory.remove(dn)
    with pytest.raises(Refused, match="7 of 12"):
        sync.sync()
    with pytest.raises(CommandError, match="despite-many"):
        call_command("sync_directory")
    assert not User.objects.filter(is_active=False).exists()
    call_command("sync_directory", "--despite-many")
    assert User.objects.filter(is_active=False).count() == 7


def test_an_empty_directory_is_taken_for_a_fault(directory: Slapd, settings: Any) -> None:
    for name in ("ada", "bob"):
        directory.person(name)
        assert sign_in(name)
    configured(settings, directory, user_base=GROUPS)
    with pytest.raises(Refused):
        sync.sync()
    configured(settings, directory, user_base="ou=nowhere,dc=facility,dc=example")
    with pytest.raises(Refused):
        sync.sync()
    assert not User.objects.filter(is_active=False).exists()


def test_more_people_than_the_server_gives_at_once(directory: Slapd) -> None:
    for n in range(320):
        directory.person(f"p{n:03d}")
    User.objects.bulk_create(
        User(username=f"p{n:03d}", provider="ldap", uid=f"p{n:03d}") for n in range(320)
    )
    assert sync.sync() == sync.Report(320, (), ())
    began = time.monotonic()
    assert sync.sync().found == 320
    assert time.monotonic() - began < 10, "nothing has changed, so nothing is written"
    assert User.objects.filter(identities__issuer="ldap").count() == 320


def test_the_schedule_compares_when_it_is_time(directory: Slapd) -> None:
    dn = directory.person("ada")
    sign_in("ada")
    now = clock.now()
    assert sync.sync_when_due(now) == 0
    directory.remove(dn)
    assert sync.sync_when_due(now) == 0, "not yet"
    DirectorySync.objects.update(started_at=None)
    assert sync.sync_when_due(now) == 1
    assert not User.objects.get().is_active


# ---------------------------------------------------------------- import by staff


def test_staff_take_one_person_over(directory: Slapd, facility: Facility, settings: Any) -> None:
    configured(settings, directory, roles={"it": "data_manager"})
    directory.group("it", directory.person("ada"), directory.person("bob"))
    client = Client()
    client.force_login(facility.person("user_office"))
    assert client.post("/people/import", {"who": "ada"}).status_code == 303
    user = User.objects.get(username="ada")
    assert held(user) == {("data_manager", "")}
    assert Entry.objects.get(move="import from LDAP").actor is not None
    assert client.post("/people/import", {"who": "bob@facility.example"}).status_code == 303
    answer = client.post("/people/import", {"who": "no*body"})
    assert answer.status_code == 422
    assert "nobody in LDAP has it" in answer.content.decode()
    assert 'value="no*body"' in answer.content.decode()
    assert sign_in("ada") == user


def test_nobody_else_takes_people_over(directory: Slapd, facility: Facility) -> None:
    directory.person("ada")
    client = Client()
    client.force_login(facility.person("instrument_scientist", instrument=True))
    assert client.get("/people/import").status_code == 403
    assert client.post("/people/import", {"who": "ada"}).status_code == 403
    assert not User.objects.filter(username="ada").exists()


def test_an_address_of_two_is_nobodys(directory: Slapd, facility: Facility) -> None:
    for uid in ("ada", "bob"):
        directory.person(uid, mail="shared@facility.example")
    with pytest.raises(Invalid, match="2 people"):
        verbs.import_person(by=facility.staff, email="shared@facility.example")


def test_the_legacy_api_takes_a_person_over(directory: Slapd, facility: Facility) -> None:
    directory.person("ada")
    office = Legacy(facility)
    answer = office.post("ldap_import", {"user": {"email": "ADA@facility.example"}})
    assert answer.status_code == 201, answer.content
    assert (answer.json()["uid"], answer.json()["provider"]) == ("ada", "ldap")
    assert office.post("ldap_import", {"email": "", "uid": "ada"}).status_code == 201
    missing = office.post("ldap_import", {"uid": "nobody"})
    assert (missing.status_code, missing.json()["info"]) == (
        422,
        {"uid": ["nobody in LDAP has it"]},
    )
    stranger = Legacy(facility, facility.person(), scopes=["read", "write"])
    assert stranger.post("ldap_import", {"uid": "ada"}).status_code == 403


def test_a_person_is_taken_over_at_the_console(directory: Slapd, capsys: Any) -> None:
    directory.person("ada")
    call_command("ldap_import", "ada")
    assert "ada: Ada Lovelace" in capsys.readouterr().out
    with pytest.raises(CommandError, match="nobody in LDAP"):
        call_command("ldap_import", "no@body.example")


def test_the_settings_are_complained_of(settings: Any) -> None:
    settings.LDAP = settings.LDAP | {"url": "http://x", "roles": {"it": "data_manager"}}
    said = " ".join(c.msg for c in checks.identity_is_configured())
    for name in ("LDAP_URL", "LDAP_USER_BASE", "LDAP_GROUP_BASE"):
        assert name in said
    assert config.ldap() is not None
