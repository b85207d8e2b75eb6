"""The run table: what it shows, narrows and sorts; marks for one run or many, by two people at
once; what people say of runs; what a page is told of while it is open."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue.ground import clock, jobs, journal, lifecycle
from catalogue.ground.models import Entry, Job, Technique
from proposals import commands as proposals
from proposals.models import Proposal
from runs import calibrating, commands
from runs.models import Assessment, CauseTag, Replica, Run
from tests.factories import Facility
from tests.visiting import HTMX, People, Visitor, queries_of, sound


@pytest.fixture
def people(facility: Facility, proposal: Proposal) -> People:
    return People(facility, proposal)


@pytest.fixture
def worker(people: People) -> Visitor:
    """A member of the team who works on the data."""
    return Visitor(people.worker)


@pytest.fixture
def runs(facility: Facility, proposal: Proposal, run: Run) -> list[Run]:
    """Three closed runs, 1 to 3."""
    return [run, facility.run(proposal), facility.run(proposal)]


@pytest.fixture
def causes() -> list[CauseTag]:
    return [CauseTag.objects.create(name=name) for name in ("beam lost", "wrong sample")]


def at(proposal: Proposal, part: str = "") -> str:
    return f"/proposals/{proposal.number:06d}/runs{part}"


def shown(html: str) -> list[int]:
    """The runs in the table, in its order."""
    return [int(n) for n in re.findall(r'<tr id="run-r(\d+)"(?! data-gone)', html)]


def cursor_in(html: str) -> str:
    return html.split('data-cursor="')[1].split('"', maxsplit=1)[0]


class Live:
    """The script of a page that is open."""

    def __init__(self, visitor: Visitor, proposal: Proposal, query: str = "") -> None:
        html = visitor.get(at(proposal, f"?{query}"))
        self.visitor, self.proposal, self.query = visitor, proposal, query
        self.cursor = cursor_in(html)
        self.shown = shown(html)

    def address(self) -> str:
        numbers = ",".join(map(str, self.shown))
        return at(self.proposal, f"/changes?{self.query}&after={self.cursor}&shown={numbers}")

    def ask(self) -> tuple[int, str]:
        answer = self.visitor.client.get(self.address(), headers=HTMX)
        self.cursor = answer.headers.get("X-Cursor", self.cursor)
        return answer.status_code, answer.content.decode()

    def settle(self) -> None:
        """Until there is nothing new."""
        while self.ask()[0] != 204:
            pass
        assert self.ask()[0] == 204


# ---------------------------------------------------------------- what it shows

NOT_UNDERSTOOD = (
    *("?runs=3-1", "?status=nonsense", "?experiment=99999", "?since=today", "?size=-1"),
    "?q=%00",
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [4, 3, 2, 1]),
        ("?runs=2-3", [3, 2]),
        ("?runs=1,3", [3, 1]),
        ("?runs=3-1", []),
        ("?quality=none", [4, 3, 2]),
        ("?quality=good", [1]),
        ("?status=open", [3]),
        ("?status=silent", []),
        ("?q=noise", [2]),
        ("?q=beam", [4]),
        ("?q=LCP", [4, 3, 1]),
        ("?q=%00", []),
        ("?status=nonsense", []),
        ("?experiment=99999", []),
        ("?cause={beam}", [4]),
        ("?technique={technique}", [4]),
        ("?sample={sample}", [4]),
        ("?calibration=none", [4, 3, 2, 1]),
        ("?where=online", [4, 3, 2, 1]),
        ("?where=not_tape", [4, 3, 2, 1]),
        ("?where=not_online", []),
        ("?where=broken", []),
        ("?since=2026-11-20", [4, 3, 2, 1]),
        ("?until=2026-11-19", []),
        ("?since=0001-01-01&until=9999-12-31", [4, 3, 2, 1]),
        ("?since=today", []),
        ("?size=1", []),
        ("?size=-1", []),
        ("?files=2", [4, 3, 2, 1]),
        ("?by=ada", [1]),
        ("?sort=run", [1, 2, 3, 4]),
        ("?sort=-type", [4, 3, 1, 2]),
        ("?sort=start;drop", [4, 3, 2, 1]),
        ("?page=99999", [4, 3, 2, 1]),
        ("?quality=none&sort=run", [2, 3, 4]),
    ],
)
def test_the_table_is_narrowed_and_sorted_by_its_address(
    facility: Facility,
    proposal: Proposal,
    run: Run,
    causes: list[CauseTag],
    query: str,
    found: list[int],
) -> None:
    dark = facility.run(proposal, type_name="Dark")
    facility.run(proposal, closed=False)
    last = facility.run(proposal)
    commands.assess(run, quality="good", by=facility.staff)
    commands.edit(dark, by=facility.staff, comment="much noise")
    sample = proposals.add_sample(proposal, name="<b>KR2</b>", by=facility.staff)
    technique = Technique.objects.create(identifier="X1", name="scattering")
    commands.edit(last, by=facility.staff, sample=sample, techniques=[technique])
    commands.set_causes(last, causes=causes[:1], by=facility.staff)
    where = query.format(beam=causes[0].pk, technique=technique.pk, sample=sample.pk)
    html = Visitor(facility.staff.user).get(at(proposal, where))
    sound(html)
    assert "<b>KR2" not in html
    assert shown(html) == found
    assert ("errorlist" in html) == (query in NOT_UNDERSTOOD)
    plain = Visitor(facility.staff.user).client.get(at(proposal, f"/file{where}"))
    if "errorlist" not in html:
        lines = list(csv.reader(io.StringIO(b"".join(plain.streaming_content).decode("utf-8-sig"))))
        assert [int(line[0]) for line in lines[1:]] == shown(html), "the file is what is shown"


def test_where_the_data_are_is_said_in_words_too(
    facility: Facility, proposal: Proposal, run: Run, worker: Visitor
) -> None:
    facility.policy()
    commands.assess(run, quality="good", by=facility.staff)
    lifecycle.perform_due()
    text = sound(worker.get(at(proposal))).text
    assert text.count("RAW verified") == 2
    assert "RAW scheduled for removal" in text
    going = Replica.objects.get(data_group__run=run, state="scheduled")
    assert going.remove_at is not None
    day = going.remove_at.astimezone(clock.facility_zone())
    assert f"{day.day} {day:%b}" in text, "the day on which the online copy goes"
    assert shown(worker.get(at(proposal, "?where=leaving"))) == [1]
    assert shown(worker.get(at(proposal, "?where=offline"))) == [1]
    assert shown(worker.get(at(proposal, "?where=not_offline"))) == []


def test_the_links_to_runs_carry_the_filter(
    facility: Facility, proposal: Proposal, runs: list[Run], worker: Visitor
) -> None:
    query = "q=LCP&status=closed"
    link = f'href="{at(proposal)}/0002?within=q%3DLCP%26status%3Dclosed"'
    assert link in worker.get(at(proposal, f"?{query}&sort=size&page=1"))
    assert f'href="{at(proposal)}/0002"' in worker.get(at(proposal, "?sort=size&page=1"))
    page = Live(worker, proposal, query)
    page.settle()
    commands.edit(runs[1], by=facility.staff, comment="x")
    assert link in page.ask()[1]
    there = at(proposal, f"?{query}")
    said = worker.post(at(proposal, "/0002/assess"), 200, htmx=True, quality="good", next=there)
    assert link in said.content.decode()
    long = f"?runs={'1,' * 450}2"
    assert "within=" not in worker.get(at(proposal, long)), "what is too long is not cut in two"


def test_without_scripts_each_page_leads_back_to_the_filtered_table(
    proposal: Proposal, runs: list[Run], worker: Visitor
) -> None:
    query = "q=LCP&status=closed"
    back = at(proposal, f"?{query}")
    edit = at(proposal, "/edit?run=2&within=q%3DLCP%26status%3Dclosed")
    assert edit in sound(worker.get(back)).links
    page = worker.get(edit)
    assert back in sound(page).links
    assert f'name="next" value="{at(proposal)}?q=LCP&amp;status=closed"' in page
    for act in ("/edit", "/calibrate", "/foretold"):
        asked = worker.post(at(proposal, act), 200, run=["1.0"], next=back).content.decode()
        assert back in sound(asked).links, act
        assert 'name="next"' in asked
        other = worker.post(at(proposal, act), 200, run=["1.0"], next="https://evil.example/runs")
        assert "evil.example" not in other.content.decode()
    refused = worker.post(at(proposal, "/undo"), 409, run=["2.7"], next=back).content.decode()
    assert back in sound(refused).links


def test_the_columns_are_those_of_the_facilitys_own_table(
    proposal: Proposal, run: Run, worker: Visitor
) -> None:
    html = worker.get(at(proposal))
    head = html.partition("<thead>")[2].partition("</thead>")[0]
    assert [sound_fragment(th).strip() for th in re.findall(r"<th.*?</th>", head)] == [
        *("Select", "Run", "Type", "Sample", "Techniques", "Start (dur.)", "Status"),
        *("Assessment", "Calibration", "Size", "Files", "on", "off", "mas", "tap"),
        *("Comment", "Edit"),
    ]


def test_columns_are_hidden_and_the_choice_is_kept(
    proposal: Proposal, run: Run, worker: Visitor
) -> None:
    assert 'data-label="Files"' in worker.get(at(proposal))
    worker.post(at(proposal, "/columns"), column=["type", "where", "nonsense"])
    html = worker.get(at(proposal))
    sound(html)
    assert 'data-label="Files"' not in html
    assert 'data-label="Edit"' not in html
    assert 'data-label="Assessment"' in html, "without it there is no table"
    text = worker.client.get(at(proposal, "/file")).getvalue().decode()
    head = next(csv.reader(io.StringIO(text)))
    assert "Files" not in head
    assert "Online" in head


def test_the_switches_say_for_what_calibration_never_starts(
    facility: Facility, proposal: Proposal, people: People, worker: Visitor
) -> None:
    path = at(proposal, "/switch")
    worker.post(path, 403, name="assesses_by_itself", on="yes")
    leader = Visitor(people.principal)
    leader.post(path, name="assesses_by_itself", on="yes")
    leader.post(path, 422, name="state", on="yes")
    leader.post(path, 422, name="calibrates_by_itself", on="perhaps")
    proposal.refresh_from_db()
    assert (proposal.assesses_by_itself, proposal.calibrates_by_itself) == (True, True)
    assert facility.run(proposal).quality == "good"
    assert "Switch off" in leader.get(at(proposal))
    for who in (people.reader, people.worker):
        html = Visitor(who).get(at(proposal))
        assert "Switch off" not in html
        assert "never for Dark and Test DAQ" in html


# ---------------------------------------------------------------- marks


def test_what_each_mark_brings_about_is_said_before(
    facility: Facility, proposal: Proposal, run: Run, worker: Visitor
) -> None:
    facility.policy()
    html = worker.client.get(at(proposal, "/foretold?run=1"), headers=HTMX).content.decode()
    assert "<html" not in html
    foretold = [
        lifecycle.explain(
            run.assess, run, facility.staff, mark=mark, at=clock.now(), name="somebody"
        )
        for mark in ("good", "unclear", "not_interesting")
    ]
    assert all(a.text in html for answers in foretold for a in answers)
    for said in (
        "RAW (3.0 kB) is copied to offline storage.",
        "RAW is not copied to offline storage.",
        "RAW (3.0 kB) is removed from online storage on",
    ):
        assert said in html
    whole = worker.get(at(proposal, "/foretold?run=1"))
    assert "Mark Good" in sound(whole).text
    worker.get(at(proposal, "/foretold"), 422)
    worker.get(at(proposal, "/foretold?run=9"), 422)
    worker.get(at(proposal, "/foretold?run=1%00"), 422)


def test_a_mark_by_script_gives_the_row_anew_and_the_undo(
    proposal: Proposal, run: Run, worker: Visitor
) -> None:
    worker.post(at(proposal, "/0001/assess"), quality="unclear")
    answer = worker.post(at(proposal, "/0001/assess"), 200, htmx=True, quality="good")
    html = answer.content.decode()
    assert shown(html) == [1]
    assert "<html" not in html
    for text in (
        "is marked Good.", "RAW (3.0 kB) is copied to offline storage.", "Undo: mark Unclear again",
    ):  # fmt: skip
        assert text in html
    name = html.split('name="run" value="')[1].split('"')[0]
    worker.post(at(proposal, "/undo"), 200, htmx=True, run=name)
    again = worker.post(at(proposal, "/undo"), 409, htmx=True, run=name).content.decode()
    assert "marked it Unclear" in again
    assert [a.quality for a in run.assessments.order_by("id")] == ["unclear", "good", "unclear"]


def test_the_first_mark_cannot_be_taken_back(proposal: Proposal, run: Run, worker: Visitor) -> None:
    html = worker.post(at(proposal, "/0001/assess"), 200, htmx=True, quality="good")
    assert "Undo" not in html.content.decode()
    mark = run.assessments.get().pk
    said = worker.post(at(proposal, f"/0001/undo?seen={mark}"), 409, htmx=True).content.decode()
    assert "It had no mark before" in said


def test_a_mark_that_is_sent_twice_marks_once(
    proposal: Proposal, run: Run, worker: Visitor
) -> None:
    for _ in range(2):
        worker.post(at(proposal, "/0001/assess?seen=0"), quality="good")
    assert run.assessments.count() == 1
    html = worker.post(at(proposal, "/0001/assess?seen=0"), 200, htmx=True, quality="good")
    assert "is marked Good already." in html.content.decode()


def test_who_marks_second_sees_whose_mark_came_first(
    facility: Facility, proposal: Proposal, run: Run, people: People, worker: Visitor
) -> None:
    other = Visitor(people.principal)
    other.post(at(proposal, "/0001/assess?seen=0"), quality="unclear")
    answer = worker.post(at(proposal, "/0001/assess?seen=0"), 409, htmx=True, quality="good")
    html = answer.content.decode()
    assert f"{people.principal.full_name} marked it Unclear on" in html
    assert "Mark Good all the same" in html
    page = worker.post(at(proposal, "/0001/assess?seen=0"), 409, quality="good").content.decode()
    assert "Mark Good all the same" in sound(page).text
    assert run.assessments.count() == 1, "nothing is lost"
    despite = html.split('action="')[1].split('"')[0]
    worker.post(despite, quality="good")
    assert [a.quality for a in run.assessments.order_by("id")] == ["unclear", "good"]


def test_a_refused_mark_says_why_where_the_consequence_stood(
    facility: Facility, proposal: Proposal, run: Run, worker: Visitor
) -> None:
    commands.withdraw(run, by=facility.staff, reason="made by mistake")
    html = worker.post(at(proposal, "/0001/assess"), 409, htmx=True, quality="good")
    assert "Run 0001 of p900100 was withdrawn." in html.content.decode()
    assert (
        'name="quality"'
        not in worker.get(at(proposal)).split('id="run-rows"')[1].split("</tbody>")[0]
    )


def test_a_selection_is_marked_each_for_itself_and_undone(
    facility: Facility, proposal: Proposal, runs: list[Run], worker: Visitor
) -> None:
    for run in runs:
        commands.assess(run, quality="good", by=facility.staff)
    commands.withdraw(runs[1], by=facility.staff, reason="made by mistake")
    seen = [f"{run.number}.{run.assessments.get().pk}" for run in runs]
    assert "2 runs" in worker.get(at(proposal, "/foretold?run=1&run=2&run=3"))
    answer = worker.post(
        at(proposal, "/assess"), 200, htmx=True, run=seen, quality="unclear", comment="all of them"
    )
    html = answer.content.decode()
    assert "2 runs are marked Unclear." in sound_fragment(html)
    assert "Run 0002 was not marked." in html
    assert "was withdrawn" in html
    assert shown(html) == [3, 2, 1]
    marks = Assessment.objects.filter(quality="unclear")
    assert {(a.run.number, a.comment) for a in marks} == {(1, "all of them"), (3, "all of them")}
    names = re.findall(r'name="run" value="([^"]+)">(?=<input|\s*<button)', html)
    worker.post(at(proposal, "/undo"), 200, htmx=True, run=names)
    assert [Run.objects.get(number=n).quality for n in (1, 2, 3)] == ["good"] * 3


def sound_fragment(html: str) -> str:
    """The text of a fragment, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


def test_a_selection_without_javascript_leads_back(
    proposal: Proposal, runs: list[Run], worker: Visitor
) -> None:
    back = at(proposal, "?quality=none")
    answer = worker.post(at(proposal, "/assess"), run=["1.0", "2.0"], quality="good", next=back)
    assert answer["Location"] == back
    assert "2 runs are marked Good." in sound(worker.get(back)).text
    worker.post(at(proposal, "/assess"), 422, quality="good")
    worker.post(at(proposal, "/assess"), 422, run=["x"], quality="good")
    worker.post(at(proposal, "/assess"), 422, run=["1"] * 501, quality="good")
    worker.post(at(proposal, "/assess"), 422, run=["1"], quality="best")


def test_who_may_not_mark_changes_nothing(
    proposal: Proposal, runs: list[Run], people: People
) -> None:
    for who in (people.reader, people.auditor):
        visitor = Visitor(who)
        html = visitor.get(at(proposal))
        assert 'name="quality" value="good"' not in html
        assert "/edit?run=" not in html
        visitor.post(at(proposal, "/assess"), 403, run=["1", "2"], quality="good")
        visitor.post(at(proposal, "/undo"), 409, run=["1.0"])
        visitor.post(at(proposal, "/edit"), 403, run=["1"], save="yes", comment="x")
        visitor.post(at(proposal, "/calibrate"), 403, run=["1"], save="yes")
    Visitor(people.stranger).get(at(proposal, "/foretold?run=1"), 404)
    Visitor().get(at(proposal, "/changes?after=x"), 302)
    assert not Assessment.objects.exists()


# ---------------------------------------------------------------- what people say of runs


def test_causes_are_said_apart_from_the_mark_searched_and_counted(
    facility: Facility, proposal: Proposal, runs: list[Run], causes: list[CauseTag], worker: Visitor
) -> None:
    lost, wrong = causes
    for name in ("causes", "techniques"):
        worker.post(at(proposal, "/edit"), 422, run=["1"], save="yes", **{name: [str(2**63)]})
    worker.post(at(proposal, "/edit"), run=["1"], save="yes", causes=[lost.pk], comment="07:12")
    worker.post(at(proposal, "/edit"), run=["1", "2"], save="yes", causes=[wrong.pk])
    run = runs[0]
    run.refresh_from_db()
    assert run.comment == "07:12", "left empty, each keeps its own"
    assert {c.name for c in run.causes.all()} == {"beam lost", "wrong sample"}
    assert run.quality == ""
    text = sound(worker.get(at(proposal))).text
    assert "wrong sample 2" in text
    assert "beam lost 1" in text
    assert shown(worker.get(at(proposal, "?q=wrong"))) == [2, 1]
    told = Entry.objects.filter(move="set causes").order_by("id")
    assert [e.facts["causes"] for e in told if e.run == 1] == [
        ["beam lost"], ["beam lost", "wrong sample"],
    ]  # fmt: skip
    worker.post(at(proposal, "/edit"), run=["1"], save="yes", comment="07:12")
    assert not run.causes.exists(), "of one run, what is unchecked is taken away"


def test_an_edit_that_comes_second_shows_both_versions(
    facility: Facility, proposal: Proposal, run: Run, causes: list[CauseTag], worker: Visitor
) -> None:
    html = worker.client.get(at(proposal, "/edit?run=1"), headers=HTMX).content.decode()
    edition = html.split('name="edition" value="')[1].split('"')[0]
    commands.edit(run, by=facility.staff, comment="theirs <b>")
    commands.set_causes(run, causes=causes, by=facility.staff)
    mine = {"run": ["1"], "save": "yes", "comment": "mine", "edition": edition}
    said = worker.post(at(proposal, "/edit"), 409, htmx=True, **mine).content.decode()
    for text in ("theirs &lt;b&gt;", "beam lost, wrong sample", "mine</textarea>", "Keep mine"):
        assert text in said
    run.refresh_from_db()
    assert run.comment == "theirs <b>"
    mine["edition"] = said.split('name="edition" value="')[1].split('"')[0]
    worker.post(at(proposal, "/edit"), **mine)
    run.refresh_from_db()
    assert run.comment == "mine"


def test_a_comment_that_is_too_long_is_given_back(
    proposal: Proposal, run: Run, worker: Visitor
) -> None:
    long = "x" * 5001
    said = worker.post(at(proposal, "/edit"), 422, run=["1"], save="yes", comment=long)
    html = said.content.decode()
    assert long in html
    assert "at most 5000 characters" in sound(html).text
    worker.post(at(proposal, "/edit"), 422, run=["1"], save="yes", sample="99")


def test_an_edit_that_changes_nothing_is_not_told(
    proposal: Proposal, run: Run, worker: Visitor
) -> None:
    before = Entry.objects.count()
    kind = run.experiment_id
    worker.post(at(proposal, "/edit"), run=["1"], save="yes", experiment=kind, comment="")
    assert Entry.objects.count() == before


def test_a_selection_is_calibrated_for_the_detectors_chosen(
    facility: Facility, proposal: Proposal, runs: list[Run], worker: Visitor
) -> None:
    detector = facility.detector()
    dark = facility.run(proposal, type_name="Dark")
    html = worker.post(at(proposal, "/calibrate"), 200, run=["1", "2", "4"]).content.decode()
    assert "is a dark run" in sound(html).text
    for odd in ([], [str(2**63)], ["9" * 30], [str(detector.pk), "one"]):
        worker.post(at(proposal, "/calibrate"), 422, run=["1"], save="yes", detectors=odd)
    answer = worker.post(
        at(proposal, "/calibrate"), 200, htmx=True, run=["1", "2", "4"], save="yes",
        detectors=[detector.pk],
    )  # fmt: skip
    said = sound_fragment(answer.content.decode())
    assert "2 runs are asked to be calibrated." in said
    assert "Run 0004 is not calibrated." in said
    assert dark.calibrations.count() == 0
    assert "Requested" in said
    lifecycle.perform_due()
    text = sound(worker.get(at(proposal))).text
    assert "No constants for AGIPD00" in text, "why it is held stands in the row"
    assert shown(worker.get(at(proposal, "?calibration=held"))) == [2, 1]


# ---------------------------------------------------------------- files


NASTY = '=HYPERLINK("http://evil.example","x")'


def test_what_people_typed_is_no_formula_in_any_file(
    facility: Facility, proposal: Proposal, run: Run, worker: Visitor
) -> None:
    commands.edit(run, by=facility.staff, comment=NASTY, alias="-1+1")
    text = worker.client.get(at(proposal, "/file?format=csv")).getvalue().decode("utf-8-sig")
    head, line = csv.reader(io.StringIO(text))
    assert dict(zip(head, line, strict=True))["Comment"] == f"'{NASTY}"
    assert dict(zip(head, line, strict=True))["Alias"] == "'-1+1"
    answer = worker.client.get(at(proposal, "/file?format=xlsx"))
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "=HYPERLINK(" in sheet
    assert "attachment" in answer["Content-Disposition"]


def test_a_file_of_a_filter_that_is_not_understood_is_refused(
    proposal: Proposal, run: Run, worker: Visitor
) -> None:
    assert "runs:" in worker.get(at(proposal, "/file?runs=3-1"), 422)


# ---------------------------------------------------------------- live


def test_while_nothing_happens_three_queries_answer_nothing(
    facility: Facility, proposal: Proposal, runs: list[Run], worker: Visitor
) -> None:
    page = Live(worker, proposal)
    page.settle()
    assert queries_of(worker, page.address(), status=204, htmx=True) == 3
    commands.assess(runs[0], quality="good", by=facility.staff)
    status, html = page.ask()
    assert (status, shown(html)) == (200, [1])
    assert len(html.encode()) <= 5000, "an update of one run"
    page.settle()


def test_an_entry_that_is_committed_late_is_told(
    facility: Facility, proposal: Proposal, runs: list[Run], worker: Visitor
) -> None:
    """Its id was drawn before that of another which the page has seen already."""
    page = Live(worker, proposal)
    page.settle()
    commands.edit(runs[0], by=facility.staff, comment="slow")
    late = Entry.objects.latest("id")
    content = {f.attname: getattr(late, f.attname) for f in Entry._meta.concrete_fields}
    Entry.objects.filter(pk=late.pk).delete()
    commands.assess(runs[2], quality="good", by=facility.staff)
    assert shown(page.ask()[1]) == [3]
    Entry.objects.create(**content)
    assert Entry.objects.latest("id").pk > late.pk
    assert shown(page.ask()[1]) == [1]


def test_heartbeats_and_silence_and_progress_are_told_though_nobody_journals_them(
    facility: Facility, proposal: Proposal, runs: list[Run], worker: Visitor
) -> None:
    facility.detector()
    run = facility.run(proposal, closed=False)
    page = Live(worker, proposal)
    page.settle()
    commands.heartbeat(run, by=facility.daq, size=5_000_000_000_000)
    status, html = page.ask()
    assert (status, shown(html)) == (200, [4])
    assert "5.0 TB" in html
    page.settle()
    Run.objects.filter(pk=run.pk).update(heartbeat_at="2026-01-01T00:00Z")
    assert "Silent" in page.ask()[1]
    calibrating.request_calibration(runs[0], by=facility.staff)
    lease = jobs.claim(Job.objects.get(name="runs.calibrate").pk)
    assert lease is not None
    page.settle()
    jobs.extend(lease, progress=0.62, text="module 10")
    status, html = page.ask()
    assert 1 in shown(html)
    assert "62 %" in html


def test_a_new_run_comes_to_the_top_unless_it_is_filtered_out(
    facility: Facility, proposal: Proposal, run: Run, worker: Visitor
) -> None:
    here, good = Live(worker, proposal), Live(worker, proposal, "quality=good")
    second, oldest = Live(worker, proposal, "page=2"), Live(worker, proposal, "sort=run")
    for page in (here, good, second, oldest):
        page.settle()
    facility.run(proposal, closed=False)
    status, html = here.ask()
    assert (status, shown(html)) == (200, [2])
    assert "data-new" in html
    for page in (good, second, oldest):
        assert shown(page.ask()[1]) == []


def test_a_run_that_is_marked_stays_in_the_filtered_page(
    facility: Facility, proposal: Proposal, run: Run, worker: Visitor
) -> None:
    page = Live(worker, proposal, "quality=none")
    page.settle()
    commands.assess(run, quality="good", by=facility.staff)
    assert shown(page.ask()[1]) == [1]


def test_a_switch_is_told_to_open_pages(
    facility: Facility, proposal: Proposal, run: Run, worker: Visitor
) -> None:
    page = Live(worker, proposal)
    page.settle()
    proposals.switch(proposal, by=facility.staff, assesses_by_itself=True)
    assert 'id="switches"' in page.ask()[1]


def test_a_cursor_is_one_readers_and_one_proposals(
    facility: Facility, proposal: Proposal, run: Run, people: People, worker: Visitor
) -> None:
    page = Live(worker, proposal)
    page.settle()
    other = Visitor(people.principal)
    other.get(page.address(), 409, htmx=True)
    Visitor(people.stranger).get(page.address(), 404, htmx=True)
    for wrong in ("", "x", page.cursor[:-1], page.cursor.replace(".", ":", 1), "%00"):
        worker.get(at(proposal, f"/changes?after={wrong}"), 409, htmx=True)
    commands.edit(run, by=facility.staff, comment="x")
    worker.get(at(proposal, f"/changes?after={page.cursor}&shown=3-1"), 422, htmx=True)


def test_who_is_no_longer_in_the_team_is_told_nothing(
    facility: Facility, proposal: Proposal, run: Run, people: People
) -> None:
    visitor = Visitor(people.worker)
    page = Live(visitor, proposal)
    page.settle()
    proposal.memberships.filter(user=people.worker).delete()
    commands.assess(run, quality="good", by=facility.staff)
    assert page.ask()[0] == 404


# ---------------------------------------------------------------- many runs


@pytest.mark.parametrize("who", ["data_manager", "worker", "leader_of_instrument", "reader"])
def test_the_table_takes_twelve_queries_however_many_rows(
    facility: Facility, proposal: Proposal, people: People, causes: list[CauseTag], who: str
) -> None:
    """The number is frozen: one that grows is looked at, not raised."""
    facility.policy()
    facility.detector()
    visitor = Visitor(getattr(people, who))

    def grow(times: int) -> None:
        for n in range(times):
            run = facility.run(proposal, files=2 + n, type_name="LCP SFX" if n % 2 else "Dark")
            commands.assess(run, quality=("good", "unclear")[n % 2], by=facility.staff)
            commands.set_causes(run, causes=causes[: n % 3], by=facility.staff)
            (calibrating.request_calibration if n % 2 else calibrating.request_dark)(
                run, by=facility.staff
            )
        lifecycle.perform_due()
        journal.number_all(clock.now())

    grow(2)
    few = queries_of(visitor, at(proposal))
    grow(6)
    assert queries_of(visitor, at(proposal)) == few == 12
    with CaptureQueriesContext(connection) as asked:
        visitor.client.get(at(proposal, "/file")).getvalue()
    assert len(asked) <= 12
