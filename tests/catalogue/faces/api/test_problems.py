"""Problem documents: every error is told as one, and each kind has its page."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from catalogue.faces.api_root import problems
from catalogue.ground.inputs import Invalid
from catalogue.ground.outcome import Transient
from proposals import queries
from proposals.models import Proposal
from runs.models import Run
from tests.calling import Caller, Callers, done, refused
from tests.factories import Facility


@pytest.fixture
def me(facility: Facility) -> Caller:
    return Caller(facility.staff.user)


@pytest.mark.parametrize(
    "path",
    [
        "nothing", "", "proposals/", "proposals/abc", "proposals/1234567", "proposals/-1",
        "proposals/1/runs/0", "proposals/1/runs/12345", "jobs/x", "jobs/9999999999999999999",
        "/api/", "/api/v2/proposals", "proposals/%00", "proposals/1/runs/1/files/%00", "%ff%fe",
        "proposals/٢٠١٢",
    ],
)  # fmt: skip
def test_what_is_not_there_is_told_as_a_problem(me: Caller, path: str) -> None:
    refused(me.get(path), 404)


def test_a_wrong_method_names_the_right_ones(me: Caller) -> None:
    answer = me.send("delete", "proposals")
    refused(answer, 405)
    assert "GET" in answer["Allow"]


def test_what_cannot_be_given_is_not_acceptable(me: Caller) -> None:
    refused(me.get("proposals", accept="text/turtle"), 406)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", "x"])
def test_another_content_type_is_refused(me: Caller, kind: str) -> None:
    refused(me.post("proposals", b"number=1", content_type=kind), 415)


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"number=1", b"\xff\xfe", b"{}{}", b'{"number": NaN}', b'{"title": "\\ud800"}',
        b'{"number": 1, "number": 2}', b"[" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900,
        b"\xef\xbb\xbf{}", b"'a'", b'{"a": 1e999}', b"1" * 5000, b"\x00",
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused(me: Caller, body: bytes) -> None:
    answer = me.post("proposals", body)
    assert answer.status_code in (400, 422)
    refused(answer, answer.status_code)
    if body not in (b"1" * 5000, b'{"a":' * 900 + b"1" + b"}" * 900):
        assert answer.status_code == 400


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"null", b"true", b"1" * 30])
def test_json_that_is_no_object_is_refused(me: Caller, body: bytes) -> None:
    refused(me.post("proposals", body), 422, "body")


def test_a_body_beyond_the_limit_is_refused(me: Caller, settings: object) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    refused(me.post("proposals", {"title": "x" * 2000}), 413)


@pytest.mark.parametrize("path", ["health", "proposals", "proposals/1/runs", "openapi.json"])
def test_too_many_parameters_are_no_bug(me: Caller, path: str) -> None:
    refused(me.get(f"{path}?" + "&".join(f"a{n}=1" for n in range(1100))), 413)


def test_a_body_of_nothing_but_unknown_fields_gets_a_short_answer(me: Caller) -> None:
    answer = me.post("proposals", {f"a{n}": n for n in range(5000)})
    refused(answer, 422, "a0", "title", "number")
    assert len(answer.content) < 10_000


def test_all_faults_are_told_at_once(me: Caller) -> None:
    body = {
        "number": "two thousand", "title": "", "instrument": None, "colour": "blue",
        "kind": "holiday", "metadata_public": 1,
    }  # fmt: skip
    problem = refused(
        me.post("proposals", body), 422,
        "number", "title", "instrument", "cycle", "colour", "kind", "metadata_public",
    )  # fmt: skip
    told = {e["field"]: e for e in problem["errors"]}
    assert told["cycle"]["rule"] == "is required"
    assert told["number"]["value"] == "two thousand"
    assert told["colour"]["rule"] == "is not a field of this call"


def test_a_refusal_carries_who_and_details(callers: Callers, proposal: Proposal, run: object,
                                           facility: Facility) -> None:  # fmt: skip
    facility.run(proposal, closed=False)
    problem = refused(callers.staff.post(f"proposals/{proposal.number}/moves/finish"), 409)
    assert problem["type"] == "/api/v1/problems/refused"
    assert problem["details"]["open"] == [2]
    assert problem["who"]


def test_each_kind_of_problem_has_its_page(db: None) -> None:
    for slug, (status, title, _) in problems.KINDS.items():
        page = done(Caller().get(f"problems/{slug}"))
        assert (page["status"], page["title"]) == (status, title)
    refused(Caller().get("problems/unheard-of"), 404)


def test_a_bug_is_told_by_reference_only(
    facility: Facility, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(queries, "stores", broken)
    caller = Caller(facility.staff.user)
    caller._client = Client(raise_request_exception=False)
    problem = refused(caller.get("stores"), 500)
    assert "secret" not in json.dumps(problem)
    reference = problem["detail"].split()[-1].rstrip(".")
    assert reference in caplog.text
    assert "the secret of the house" in caplog.text


def test_a_store_out_of_reach_is_no_bug(
    facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise Transient("/secret/path is not mounted.", mount="/secret/path")

    monkeypatch.setattr(queries, "stores", away)
    problem = refused(Caller(facility.staff.user).get("stores"), 503)
    assert "secret" not in json.dumps(problem)


@pytest.mark.parametrize(
    "value", [10**400, float("inf"), float("nan"), "x" * 5000, "\ud800", ["a"], {}, None, "\x00"]
)
def test_any_value_can_be_told(value: object) -> None:
    answer = problems.answer(problems._faults([Invalid("f", "must be better", value)]), "/api/v1/x")
    assert json.loads(answer.content)["errors"][0]["field"] == "f"


def test_health_needs_no_account(db: None) -> None:
    assert done(Caller().get("health")) == {"status": "ok", "database": "ok"}


def test_health_says_when_the_database_is_gone(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalogue.ground.health.database", lambda: "gone, with its password")
    answer = Caller().get("health")
    assert answer.status_code == 503
    assert answer.json() == {"status": "failing", "database": "down"}


@pytest.mark.parametrize(
    "path",
    ["detectors/{}", "detectors/{}/units", "detector-units/{}", "instruments/{}",
     "proposals/{n}/runs/1/files/{}"],
)  # fmt: skip
@pytest.mark.parametrize(
    "name", ["%00", "a%00b", "%ed%a0%80", "%ff", "%7f", "x" * 3000, "%e2%80%ae"]
)
def test_nothing_is_called_by_what_no_database_holds(
    callers: Callers, proposal: Proposal, run: Run, path: str, name: str
) -> None:
    refused(callers.staff.get(path.replace("{n}", str(proposal.number)).format(name)), 404)
