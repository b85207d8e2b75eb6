"""`oauth/token` as oauthlib and requests-oauthlib use it, and what is made of all else."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from oauth2_provider.models import AccessToken
from oauthlib.oauth2 import BackendApplicationClient

from catalogue.faces.mymdc import call
from catalogue.ground import programs
from catalogue.ground.models import Program, User
from tests.factories import Facility

PATH = "/metadata/oauth/token"
GRANT = "grant_type=client_credentials"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def person(facility: Facility) -> User:
    return facility.person()


@pytest.fixture
def known(facility: Facility, person: User) -> tuple[Program, str]:
    """A program that may act for `person`, and its secret."""
    return programs.create(name="DAQ", scopes=["daq", "read"], acts_for=[person], by=facility.staff)


def basic(client_id: str, secret: str) -> dict[str, str]:
    both = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"authorization": f"Basic {both}"}


def ask(
    known: tuple[Program, str] | None, body: str = GRANT, *, path: str = PATH, kind: str = FORM
) -> Any:
    headers = basic(known[0].client_id, known[1]) if known else {}
    return Client().post(path, data=body, content_type=kind, headers=headers)


# ---------------------------------------------------------------- what is answered


@pytest.mark.parametrize(
    "path",
    [
        PATH,
        PATH + "/",
        "/api/oauth/token",
        "/calibration/oauth/token",
        "/calibration/oauth/token/",
        "/metadata//oauth/token",
    ],
)
def test_a_program_gets_a_token(known: tuple[Program, str], path: str) -> None:
    before = int(time.time())
    answer = ask(known, path=path)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert set(told) == {"access_token", "token_type", "expires_in", "created_at"}
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 7200)
    assert before <= told["created_at"] <= int(time.time())
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Type"] == "application/json; charset=utf-8"


def test_it_is_what_oauthlib_sends_and_takes(known: tuple[Program, str]) -> None:
    """As requests-oauthlib does it: the body by oauthlib, the client in the header, the answer read
    by oauthlib, which complains of a scope that it has not asked for."""
    client = BackendApplicationClient(client_id=known[0].client_id, scope="")
    body = client.prepare_request_body(include_client_id=False, scope="")
    answer = ask(known, body)
    client.parse_request_body_response(answer.content.decode(), scope="")
    assert client.access_token == answer.json()["access_token"]


def test_with_a_scope_it_is_told_as_asked(known: tuple[Program, str]) -> None:
    client = BackendApplicationClient(client_id=known[0].client_id)
    body = client.prepare_request_body(include_client_id=False, scope="read daq")
    answer = ask(known, body)
    assert answer.json()["scope"] == "read daq"
    client.parse_request_body_response(answer.content.decode(), scope="read daq")
    assert "scope" not in ask(known, GRANT + "&scope=").json()


def test_a_token_of_fewer_scopes_has_fewer(known: tuple[Program, str], person: User) -> None:
    token = ask(known, GRANT + "&scope=read").json()["access_token"]
    status, told = called(token, person.email)
    assert (status, told["scopes"]) == (200, ["read"])


@pytest.mark.parametrize("scope", ["write", "public", "read+write"])
def test_a_scope_that_the_program_has_not_is_refused(
    known: tuple[Program, str], scope: str
) -> None:
    answer = ask(known, f"{GRANT}&scope={scope}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_tokens_differ_and_are_kept_as_checksums(known: tuple[Program, str]) -> None:
    tokens = {ask(known).json()["access_token"] for _ in range(20)}
    assert len(tokens) == 20
    kept = AccessToken.objects.values_list("token", "token_checksum")
    assert len(kept) == 20
    assert all(text == "" and checksum not in tokens for text, checksum in kept)


def test_a_token_costs_two_statements(known: tuple[Program, str]) -> None:
    ask(known)  # notes the use, which is done once a minute
    with CaptureQueriesContext(connection) as asked:
        assert ask(known).status_code == 200
    assert len(asked) == 2, [q["sql"] for q in asked]


# ---------------------------------------------------------------- how the client may say who it is


@pytest.mark.parametrize("as_json", [False, True])
def test_the_client_may_stand_in_the_body(known: tuple[Program, str], as_json: bool) -> None:
    given = {
        "grant_type": "client_credentials",
        "client_id": known[0].client_id,
        "client_secret": known[1],
    }
    body = json.dumps(given) if as_json else "&".join(f"{k}={quote(v)}" for k, v in given.items())
    answer = ask(None, body, kind="application/json" if as_json else FORM)
    assert answer.status_code == 200, answer.content
    wrong = body.replace(known[1], known[1] + "x")
    assert ask(None, wrong, kind="application/json" if as_json else FORM).status_code == 401


def test_the_header_may_be_encoded_for_a_form(known: tuple[Program, str]) -> None:
    headers = basic(quote(known[0].client_id, safe=""), quote(known[1], safe=""))
    answer = Client().post(PATH, data=GRANT, content_type=FORM, headers=headers)
    assert answer.status_code == 200


def test_a_secret_of_any_characters_is_taken_raw(known: tuple[Program, str]) -> None:
    """What was brought from elsewhere may have characters that encoding would change."""
    program = known[0]
    program.client_secret = "a%41+b:c&d=e"
    program.save()
    assert ask((program, "a%41+b:c&d=e")).status_code == 200
    assert ask((program, "aA b:c&d=e")).status_code == 401


# ---------------------------------------------------------------- what is refused


def unknown(answer: Any) -> None:
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client"}
    assert "WWW-Authenticate" in answer
    assert answer["Cache-Control"] == "no-store"


def test_who_is_not_known_is_refused_alike(facility: Facility, known: tuple[Program, str]) -> None:
    program, secret = known
    unknown(ask((program, "wrong")))
    unknown(ask((program, "")))
    unknown(ask((Program(client_id="nobody"), secret)))
    unknown(ask(None))
    for header in (
        "Basic",
        "Basic !!!",
        "Basic aaa",
        "Basic /w==",
        "Bearer x",
        "Basic " + "A" * 9000,
    ):
        headers = {"authorization": header}
        unknown(Client().post(PATH, data=GRANT, content_type=FORM, headers=headers))
    for odd in ("a\x00b", "\u00e4", "x" * 5000):
        unknown(ask((Program(client_id=odd), secret)))
        unknown(ask((program, odd)))
    programs.revoke(program, by=facility.staff)
    unknown(ask(known))
    assert not AccessToken.objects.exists()


def test_the_secret_of_before_is_refused(facility: Facility, known: tuple[Program, str]) -> None:
    newer = programs.rotate(known[0], by=facility.staff)
    unknown(ask(known))
    assert ask((known[0], newer)).status_code == 200


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "x%00y"])
def test_there_is_one_grant(known: tuple[Program, str], grant: str) -> None:
    answer = ask(known, f"grant_type={grant}&username=a&password=b&code=c")
    assert answer.status_code == 400
    assert answer.json() == {"error": "unsupported_grant_type"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", FORM),
        ("scope=read", FORM),
        ("{", "application/json"),
        ("[]", "application/json"),
        ("[" * 9000, "application/json"),
        ('{"grant_type": 7}', "application/json"),
        ('{"grant_type": ["client_credentials"]}', "application/json"),
        (GRANT + "&scope=" + "r" * 2000, FORM),
        (GRANT + "&x=" + "y" * 20000, FORM),
        ("&".join(f"a{n}=1" for n in range(1500)), FORM),
        ("--x\r\n", "multipart/form-data"),
        ("\xff\xfe", "application/json"),
        ('{"grant_type": "\\ud800"}', "application/json"),
        ('{"grant_type": "client_credentials", "scope": "read \\udfff"}', "application/json"),
    ],
)
def test_what_cannot_be_read_is_a_bad_request(
    known: tuple[Program, str], body: str, kind: str
) -> None:
    answer = ask(known, body, kind=kind)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("length", ["abc", "-5", "1" * 5000, "\u00b2"])
def test_a_length_that_is_none_is_a_bad_request(known: tuple[Program, str], length: str) -> None:
    headers = {**basic(known[0].client_id, known[1]), "content-length": length}
    answer = Client().post(PATH, data=GRANT, content_type=FORM, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_only_posts_are_answered(known: tuple[Program, str]) -> None:
    headers = basic(known[0].client_id, known[1])
    answer = Client().get(PATH, headers=headers)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    query = ask(known, "", path=f"{PATH}?{GRANT}")
    assert query.status_code == 400


def test_no_mark_against_forgery_is_wanted(known: tuple[Program, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    headers = basic(known[0].client_id, known[1])
    assert client.post(PATH, data=GRANT, content_type=FORM, headers=headers).status_code == 200


# ---------------------------------------------------------------- what the token is good for


def called(token: str | None, email: str | None) -> tuple[int, dict[str, Any]]:
    """What a handler of the legacy API is told of its caller, or what refuses them."""

    def tell(seen: call.Call) -> call.Answer:
        actor = seen.actor
        assert actor.user is not None
        assert actor.through is not None
        return call.Answer(
            {
                "user": actor.user.pk,
                "program": actor.through.name,
                "scopes": sorted(actor.scopes or ()),
            }
        )

    headers = {"authorization": f"Bearer {token}"} if token is not None else {}
    if email is not None:
        headers["x-user-email"] = email
    answer = call.serves(get=tell)(RequestFactory().get("/metadata/api/me", headers=headers))
    told: dict[str, Any] = json.loads(answer.content)
    if answer.status_code == 401 and "X-User-Email" not in told["info"]:
        assert answer["WWW-Authenticate"].startswith("Bearer")
    return answer.status_code, told


WRONG_EMAIL = (401, {"info": "Incorrect request header: 'X-User-Email'!"})


def test_the_person_is_named_by_the_header(
    facility: Facility, known: tuple[Program, str], person: User
) -> None:
    token = ask(known).json()["access_token"]
    both = {"user": person.pk, "program": "DAQ", "scopes": ["daq", "read"]}
    assert called(token, person.email) == (200, both)
    assert called(token, person.email.upper()) == (200, both)
    for wrong in (None, "", "xxxxxxxxxxxxxx", facility.person().email):
        assert called(token, wrong) == WRONG_EMAIL
    person.is_active = False
    person.save()
    assert called(token, person.email) == WRONG_EMAIL


def test_a_token_must_be_there_and_valid(
    facility: Facility, known: tuple[Program, str], person: User
) -> None:
    token = ask(known).json()["access_token"]
    for wrong in (None, "", "unknown", token[:-1], token + "x", "two words"):
        assert called(wrong, person.email)[0] == 401
    AccessToken.objects.update(expires="2020-01-01T00:00:00Z")
    assert called(token, person.email)[0] == 401
    token = ask(known).json()["access_token"]
    assert called(token, person.email)[0] == 200
    programs.revoke(known[0], by=facility.staff)
    assert called(token, person.email)[0] == 401
