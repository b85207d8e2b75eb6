"""The History tab and the facility's journal: narrowed by the address, paged, exported."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from catalogue.ground import chain, clock, journal, sealing
from catalogue.ground.actor import Actor
from catalogue.ground.models import Entry
from proposals.models import Proposal
from runs import commands as runs
from tests.factories import Facility
from tests.visiting import People, Visitor, queries_of, sound


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    proposal = facility.proposal(state="A", calibrates_by_itself=False)
    for _ in range(3):
        facility.run(proposal)
    return proposal


def history(proposal: Proposal, query: str = "") -> str:
    return f"/proposals/{proposal.number:06d}/history{query}"


def tell(proposal: Proposal, facility: Facility, reason: str) -> None:
    journal.write(proposal, "withdraw", by=facility.staff, reason=reason)


def test_a_history_is_narrowed_by_who_what_run_when_and_why(
    facility: Facility, proposal: Proposal
) -> None:
    run = proposal.runs.get(number=2)
    worker = facility.person("local_contact", instrument=True)
    runs.assess(run, quality="good", by=Actor.of(worker, face="page"))
    tell(proposal, facility, "<b>beam</b> lost \u202eהיי 🜂")
    staff = Visitor(facility.staff.user)
    everything = staff.get(history(proposal))
    sound(everything)
    assert "Mark" in everything
    for query, inside, outside in (
        (f"?who={worker.last_name}", "run 0002", "Withdrew"),
        ("?move=assess", "run 0002", "Withdrew"),
        ("?kind=runs.run&run=1,3", "run 0001", "run 0002"),
        ("?run=2-3", "run 0003", "run 0001"),
        ("?q=beam", "Withdrew", "run 0002"),
        ("?face=api", "run 0001", "Withdrew"),
    ):
        html = staff.get(history(proposal, query))
        sound(html)
        story = html[html.index('class="story"') : html.index("sealed")]
        assert inside in story, query
        assert outside not in story, query
    assert "<b>beam</b>" not in everything
    assert "&lt;b&gt;beam&lt;/b&gt;" in everything
    today = clock.now().astimezone(clock.facility_zone()).date()
    assert "Withdrew" in staff.get(history(proposal, f"?since={today}&until={today}"))
    assert "Nothing that happened is like this" in staff.get(history(proposal, "?until=2001-01-01"))
    for path in (history(proposal), "/journal"):
        assert "Withdrew" in staff.get(f"{path}?since=0001-01-01&until=9999-12-31")


@pytest.mark.parametrize("query", ["run=x", "since=soon", "move=explode", "kind=x", "run=5-2"])
def test_a_filter_that_is_not_understood_is_told_at_its_field(
    facility: Facility, proposal: Proposal, query: str
) -> None:
    html = Visitor(facility.staff.user).get(history(proposal, f"?{query}"))
    sound(html)
    assert 'class="errorlist"' in html
    assert query.partition("=")[2] in html, "what was typed is kept"
    assert "run 0001" not in html


def test_many_entries_take_as_many_queries_as_few(facility: Facility, proposal: Proposal) -> None:
    staff = Visitor(facility.staff.user)
    tell(proposal, facility, "why")
    journal.reach()
    sealing.seal_all(clock.now())
    pages = [history(proposal), history(proposal, "?q=why"), "/journal", "/journal?q=why"]
    few = [queries_of(staff, page) for page in pages]
    for n in range(60):
        tell(proposal, facility, f"why {n}")
    assert [queries_of(staff, page) for page in pages] == few
    assert few == [12, 12, 6, 6]


def test_the_journal_of_the_facility_is_for_those_who_may_read_all(
    facility: Facility, proposal: Proposal
) -> None:
    people = People(facility, proposal)
    for reader in (people.auditor, people.data_manager, people.user_office):
        sound(Visitor(reader).get("/journal"))
        assert "/journal?proposal=" in Visitor(reader).get(history(proposal))
    for other in (people.principal, people.local_contact, people.stranger):
        for page in ("/journal", "/journal/export.csv", "/journal/export.ndjson"):
            assert "auditors" in Visitor(other).get(page, 403)
    assert "/journal?proposal=" not in Visitor(people.principal).get(history(proposal))
    for page in ("/journal", "/journal/export.csv"):
        assert Visitor().client.get(page).status_code == 302


def test_the_rail_leads_to_what_one_may_open(facility: Facility, proposal: Proposal) -> None:
    """Whoever is led somewhere is let in there; the flag "staff" leads to the tables alone."""
    people = People(facility, proposal)
    flagged = facility.person()
    flagged.is_staff = True
    flagged.save()
    every = {"/programs", "/people/import", "/proposals/drift", "/journal"}
    for user, led in (
        (people.data_manager, every),
        (people.user_office, every - {"/programs"}),
        (people.auditor, {"/journal"}),
        (people.local_contact, {"/proposals/drift"}),
        (people.principal, set()),
        (flagged, set()),
    ):
        visitor = Visitor(user)
        links = set(sound(visitor.get("/help")).links)
        assert links & every == led, user
        assert ("/admin/" in links) == user.is_staff
        for page in led:
            visitor.get(page)
    assert not every & set(sound(Visitor().get("/help")).links)


def test_it_goes_on_behind_the_last_entry_shown(facility: Facility, proposal: Proposal) -> None:
    for n in range(60):
        tell(proposal, facility, f"why {n:02d}")
    auditor = Visitor(facility.person("auditor"))
    first = auditor.get("/journal?move=withdraw")
    assert "why 59" in first
    assert "why 09" not in first
    older = first[first.index("before=") + 7 :].split('"', maxsplit=1)[0].split("&")[0]
    second = auditor.get(f"/journal?move=withdraw&before={older}")
    assert "why 09" in second
    assert "why 10" not in second
    auditor.get("/journal?before=x", 422)
    auditor.get("/journal/export.exe", 404)
    assert 'class="errorlist"' in auditor.get("/journal/export.csv?proposal=x", 422)


def test_how_far_it_is_sealed_is_shown(facility: Facility, proposal: Proposal) -> None:
    auditor = Visitor(facility.person("auditor"))
    assert "not sealed yet" in auditor.get("/journal")
    journal.reach()
    sealing.seal_all(clock.now())
    html = auditor.get("/journal")
    assert sealing.status().anchor in html
    assert "not sealed yet" not in html
    tell(proposal, facility, "more")
    assert "1 entry not sealed yet" in auditor.get("/journal")


def test_what_is_shown_can_be_exported_and_checked(facility: Facility, proposal: Proposal) -> None:
    tell(proposal, facility, "=2+2")
    journal.reach()
    sealing.seal_all(clock.now())
    auditor = Visitor(facility.person("auditor"))

    def export(query: str = "", form: str = "ndjson") -> str:
        answer = auditor.client.get(f"/journal/export.{form}{query}")
        assert answer.status_code == 200
        assert "attachment" in answer["Content-Disposition"]
        return b"".join(answer.streaming_content).decode()

    found, whole = chain.check(map(json.loads, export().splitlines()), {})
    assert (found.faults, whole, found.entries) == ([], True, Entry.objects.count())
    lines = [json.loads(line) for line in export(f"?q={quote('=2')}").splitlines()]
    assert lines[0]["narrowed"] == {"q": "=2"}
    assert [line["move"] for line in lines[1:]] == ["withdraw"]
    found, whole = chain.check(iter(lines), {})
    assert (found.faults, whole) == ([], False)
    assert "'=2+2" in export("?move=withdraw", "csv")
