"""What people see when something goes wrong: what happened, what is safe, a reference for staff."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from catalogue.faces.website.views import storage
from catalogue.ground import pages
from catalogue.ground.refusal import Refused
from tests.factories import Facility
from tests.visiting import Visitor, sound


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/nothing", "/proposals/1234567", "/data/1", "/jobs/x", "/static/../etc/passwd"]
)
def test_what_is_not_there_is_told_with_a_way_on(path: str) -> None:
    seen = sound(Visitor().get(path, 404))
    assert "There is nothing here" in seen.text
    assert "/data" in seen.links


def test_an_error_of_ours_has_a_reference_that_stands_in_the_log(
    facility: Facility, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(actor: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(storage.stores, "overview", broken)
    client = Client(raise_request_exception=False)
    client.force_login(facility.staff.user)
    answer = client.get("/storage")
    assert answer.status_code == 500
    text = sound(answer.content.decode()).text
    assert "secret of the house" not in text
    found = re.search(r"in the log: ([0-9a-f]{8})", " ".join(text.split()))
    assert found is not None
    [line] = [r for r in caplog.records if found.group(1) in r.getMessage()]
    assert line.exc_info is not None
    assert "secret of the house" in str(line.exc_info[1])


def test_an_error_page_needs_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the mark `django_db` a query fails the test."""
    from django.test import RequestFactory  # why: only here

    from catalogue.faces.website.views.errors import server_error  # why: only here

    assert server_error(RequestFactory().get("/")).status_code == 500


def _reference(text: str) -> str:
    found = re.search(r"in the log by ([0-9a-f]{8})", " ".join(text.split()))
    assert found is not None, text
    return found.group(1)


def test_every_refusal_has_a_reference_that_stands_in_the_log_and_a_way_on(
    facility: Facility, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    proposal = facility.proposal(state="A")
    staff, leader = Visitor(facility.staff.user), Visitor(facility.leader)
    one = f"/proposals/{proposal.number}"
    answers = {
        404: staff.get(f"{one}/runs/9999", 404),
        403: Visitor(facility.leader, enforcing=True).post("/scheme", 403).content.decode(),
        422: leader.client.post("/notices/choose", {"kinds": "nonsense"}).content.decode(),
    }
    for status, html in answers.items():
        seen = sound(html)
        reference = _reference(seen.text)
        lines = [r.getMessage() for r in caplog.records if reference in r.getMessage()]
        assert len(lines) == 1, status
        assert "/" in seen.links, status


def test_a_refusal_by_state_says_that_somebody_may_have_gone_before(
    rf: RequestFactory, db: None
) -> None:
    request = rf.post("/somewhere")
    request.user = AnonymousUser()
    answer = pages.refused(request, Refused("It is closed.", kind="state", who="the user office"))
    assert answer.status_code == 409
    text = sound(answer.content.decode()).text
    assert "It is closed." in text
    assert "Things are not as they were" in text
    assert _reference(text)


def test_a_line_end_in_an_address_makes_no_line_in_the_log(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    sound(Visitor().get("/nothing%0a%0dERROR forged", 404))
    assert all("\n" not in r.getMessage() for r in caplog.records if "forged" in r.getMessage())


def test_a_form_that_was_overtaken_shows_both_versions(rf: RequestFactory, db: None) -> None:
    request = rf.post("/somewhere")
    request.user = AnonymousUser()
    differences = [pages.Difference("Title", "<b>theirs</b>", "mine\u202e")]
    answer = pages.stale(request, differences, by="Ada Person", back="/proposals/900100")
    assert answer.status_code == 409
    seen = sound(answer.content.decode())
    assert "<b>theirs</b>" in seen.text
    assert "mine" in seen.text
    assert "Ada Person changed this" in seen.text
    assert "/proposals/900100" in seen.links
    assert _reference(seen.text)


def test_a_request_that_breaks_the_rules_is_told_so(db: None) -> None:
    answer = Client(raise_request_exception=False).get("/", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 400
    assert _reference(sound(answer.content.decode()).text)
