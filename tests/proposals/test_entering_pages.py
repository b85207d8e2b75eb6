"""The form of a new proposal with its check, and the import of many: nothing twice, nothing half
entered."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalogue.ground import clock
from proposals.models import Proposal
from tests.factories import BEGIN, Facility
from tests.visiting import People, Visitor, sound

FORM = {
    "number": "900300", "title": "A <b>study</b> \u202eof 🔬", "instrument": "SPB",
    "cycle": "202601", "kind": "user", "calibrates_by_itself": "on",
}  # fmt: skip
SHEET = "number;title;instrument;cycle\r\n900300;Eins;SPB;202601\r\n900301;Zwei;SPB;202601\r\n"


@pytest.fixture
def office(facility: Facility) -> Visitor:
    return Visitor(facility.person("user_office"))


def local(days: float) -> str:
    """As a browser's field for a moment gives it."""
    return (
        (BEGIN + timedelta(days=days)).astimezone(clock.facility_zone()).strftime("%Y-%m-%dT%H:%M")
    )


def wrong(html: str) -> dict[str, str]:
    """What is said at which field."""
    found = re.findall(r'<p class="error" id="wrong-(\w+)"[^>]*>(.*?)</p>', html, re.DOTALL)
    return {name: said.strip() for name, said in found if said.strip()}


def test_a_proposal_is_made_by_the_form(office: Visitor, facility: Facility) -> None:
    html = office.get("/proposals/new?instrument=SPB&number=900300")
    assert 'value="900300"' in sound(html).text or 'value="900300"' in html
    said = office.said("/proposals/new", **FORM, beamtime_begin=local(0), beamtime_end=local(2))
    seen = sound(said)
    assert "Proposal 900300 is made: at SPB, cycle 202601, beamtime from" in seen.text
    made = Proposal.objects.get(number=900300)
    assert (made.title, made.metadata_public, made.calibrates_by_itself) == (
        FORM["title"], False, True,
    )  # fmt: skip
    assert made.beamtimes.get().begin_at == BEGIN


def test_sent_twice_it_makes_one(office: Visitor) -> None:
    office.post("/proposals/new", **FORM)
    said = office.said("/proposals/new", **FORM)
    assert "Proposal 900300 is there already, as it is said here." in sound(said).text
    assert Proposal.objects.count() == 1


def test_a_mistake_is_said_at_its_field_and_what_was_typed_stays(office: Visitor) -> None:
    given = FORM | {"number": "12345678", "leader": 'x"><script>', "abstract": "kept & <i>"}
    html = office.post("/proposals/new", 422, **given).content.decode()
    seen = sound(html)
    assert "must be a whole number from 0 to 999999".lower() in wrong(html)["number"].lower()
    assert "Nothing was made" in seen.text
    assert "#id_number" in seen.links
    assert 'value="12345678"' in html
    assert "kept &amp; &lt;i&gt;" in html
    assert 'aria-invalid="true"' in html
    assert not Proposal.objects.exists()


def test_somebody_elses_number_shows_what_is_there(office: Visitor) -> None:
    office.post("/proposals/new", **FORM)
    html = office.post("/proposals/new", 422, **FORM | {"title": "Mine"}).content.decode()
    assert "There is already p900300, with: A &lt;b&gt;study" in wrong(html)["title"]


def test_the_check_says_what_the_verbs_would_and_makes_nothing(
    office: Visitor, facility: Facility
) -> None:
    facility.proposal(number=900100)

    def check(**fields: Any) -> str:
        html = office.post("/proposals/new/check", 200, htmx=True, **fields).content.decode()
        sound(html)
        return html

    empty = check(number="", title="", instrument="", cycle="", kind="user")
    assert wrong(empty) == {}
    assert "Still needed: number, title, instrument, cycle." in sound(empty).text
    clash = FORM | {"beamtime_begin": local(1), "beamtime_end": local(2)}
    assert "is given to proposal 900100" in wrong(check(**clash))["beamtime_begin"]
    assert "leader" in wrong(check(**FORM, leader="nobody"))
    assert "title" in wrong(check(**FORM | {"number": "900100"}))
    fine = sound(check(**FORM)).text
    assert "Can be made" in fine
    assert (
        "Proposal 900300 is new: at SPB, cycle 202601, no beamtime yet, nobody leads it yet."
        in fine
    )
    assert Proposal.objects.count() == 1


def sheet(text: str | bytes, name: str = "round.csv") -> dict[str, Any]:
    content = text.encode() if isinstance(text, str) else text
    return {"file": SimpleUploadedFile(name, content, "text/csv")}


def test_a_sheet_is_tried_then_entered_then_there(office: Visitor) -> None:
    sound(office.get("/proposals/import"))
    tried = office.post("/proposals/import", 200, act="try", **sheet(SHEET)).content.decode()
    seen = sound(tried)
    assert "Proposal 900300 is new" in seen.text
    assert "Enter 2 proposals" in seen.text
    assert not Proposal.objects.exists()
    match = re.search(r'<textarea name="text"[^>]*>\n(.*?)</textarea>', tried, re.DOTALL)
    assert match is not None
    again = {"act": "enter", "text": match[1], "name": "round.csv"}
    done = office.post("/proposals/import", 200, **again).content.decode()
    assert "/proposals/900301" in sound(done).links
    assert Proposal.objects.count() == 2
    resent = sound(office.post("/proposals/import", 200, **again).content.decode())
    assert resent.text.count("is there already, as it is said here.") == 2
    nothing = office.post("/proposals/import", 200, act="try", **sheet(SHEET)).content.decode()
    assert "All of it is there already." in sound(nothing).text
    assert Proposal.objects.count() == 2


def test_one_bad_line_refuses_the_sheet_and_says_which(office: Visitor) -> None:
    bad = SHEET + "x;<script>;SPB;202601\r\n"
    tried = office.post("/proposals/import", 200, act="try", **sheet(bad)).content.decode()
    seen = sound(tried)
    assert "1 line cannot be entered, so nothing can." in seen.text
    assert "must be a whole number from 0 to 999999" in seen.text
    assert "Enter 2 proposals" not in seen.text
    refused = office.post("/proposals/import", 409, act="enter", text=bad).content.decode()
    assert "Nothing was entered" in sound(refused).text
    assert not Proposal.objects.exists()


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "must have a line of column names"),
        (b"PK\x03\x04\x00\x00", "holds a NUL"),
        (b"number,title\n1,x", "must have the columns"),
        (b"x" * 1_000_001, "must be at most 1 MB"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused_with_the_rule(
    office: Visitor, content: bytes, rule: str
) -> None:
    html = office.post("/proposals/import", 422, act="try", **sheet(content)).content.decode()
    assert rule in sound(html).text


def test_an_encoding_that_was_guessed_is_said(office: Visitor) -> None:
    content = SHEET.replace("Eins", "Größe").encode("cp1252")
    html = office.post("/proposals/import", 200, act="try", **sheet(content)).content.decode()
    assert "It was read as Windows-1252" in sound(html).text


def test_the_template_is_downloaded_and_read(office: Visitor) -> None:
    answer = office.client.get("/proposals/import/template.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    office.post("/proposals/import", 200, act="try", **sheet(answer.content))


PATHS = ("/proposals/new", "/proposals/import")


def test_who_may_make_proposals_by_a_page(facility: Facility) -> None:
    people = People(facility, facility.proposal())
    for who in (people.data_manager, people.local_contact, people.user_office):
        visitor = Visitor(who)
        for path in PATHS:
            sound(visitor.get(path))
        assert "/proposals/new" in sound(visitor.get("/proposals")).links
    for who in (people.principal, people.worker, people.reader, people.auditor, people.stranger):
        visitor = Visitor(who)
        for path in PATHS:
            assert "Proposals are made by the user office" in sound(visitor.get(path, 403)).text
        visitor.post("/proposals/new/check", 403, **FORM)
        visitor.post("/proposals/new", 403, **FORM)
        visitor.post("/proposals/import", 403, act="enter", text=SHEET)
        assert "/proposals/new" not in sound(visitor.get("/proposals")).links
    for path in (*PATHS, "/proposals/board"):
        assert Visitor().get(path, 302) == ""
    assert Proposal.objects.count() == 1


def test_forms_are_not_taken_from_other_sites(facility: Facility) -> None:
    visitor = Visitor(facility.person("user_office"), enforcing=True)
    for path in (*PATHS, "/proposals/new/check"):
        visitor.post(path, 403, **FORM)
