"""The client of the API, against the site itself."""

from __future__ import annotations

import pytest
import requests

from catalogue.demo.client import Caller, ProblemError
from catalogue.ground.models import User
from tests.factories import Facility

PASSWORD = "a long and quiet password"


@pytest.fixture
def manager(live_server, transactional_db, tmp_path) -> Caller:
    """A data manager, signed in by the page."""
    facility = Facility(tmp_path / "stores")
    user: User = facility.person("data_manager")
    user.set_password(PASSWORD)
    user.save()
    return Caller.signed_in(live_server.url, user.username, PASSWORD)


def propose(caller: Caller, number: int, **more: object) -> dict[str, object]:
    facts = {"title": "A study", "instrument": "SPB", "cycle": "202601", **more}
    made: dict[str, object] = caller.post("proposals", number=number, **facts)
    return made


def test_a_person_signs_in_and_acts(manager: Caller) -> None:
    assert manager.get("me")["token"] is None, "a session, no token"
    assert propose(manager, 900101)["state"] == "N"
    changed = manager.patch("proposals/900101", assesses_by_itself=True)
    assert changed["assesses_by_itself"] is True


def test_a_wrong_password_is_told(manager: Caller) -> None:
    with pytest.raises(ProblemError):
        Caller.signed_in(manager.site, manager.name, "another one")


def test_a_refusal_carries_the_problem_document(manager: Caller) -> None:
    with pytest.raises(ProblemError, match="is required") as problem:
        manager.post("proposals", number=900101)
    assert problem.value.status == 422
    assert {error["field"] for error in problem.value.document["errors"]} >= {"title"}


def test_a_list_is_read_to_its_end(manager: Caller, monkeypatch) -> None:
    for number in range(900101, 900106):
        propose(manager, number)
    whole = manager.get
    monkeypatch.setattr(
        manager, "get", lambda path, **query: whole(path, **{**query, "page_size": 2})
    )
    assert [p["number"] for p in manager.all("proposals")] == list(range(900105, 900100, -1))


def test_a_call_whose_answer_was_lost_is_done_once(manager: Caller, monkeypatch) -> None:
    """The first answer breaks off on its way back; the call is sent again with its key."""
    send = requests.Session.request
    calls = []

    def lossy(session: requests.Session, method: str, url: str, **more: object):
        answer = send(session, method, url, **more)
        calls.append(more["headers"]["Idempotency-Key"])
        if len(calls) == 1:
            raise requests.ConnectionError("the cable was pulled")
        return answer

    monkeypatch.setattr(requests.Session, "request", lossy)
    assert propose(manager, 900101)["number"] == 900101
    assert len(calls) == 2
    assert len(set(calls)) == 1


def test_it_does_not_try_for_ever(monkeypatch) -> None:
    nobody = Caller("http://127.0.0.1:9")
    monkeypatch.setattr("catalogue.demo.client.time.sleep", lambda seconds: None)
    with pytest.raises(requests.ConnectionError):
        nobody.get("health")
