"""The page of a run: its pictures and who sees them, its files by the page, sources, parameters,
the story, its neighbours."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue.ground import clock, lifecycle
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import enqueue
from catalogue.ground.lifecycle import World
from catalogue.ground.models import DataType, Job, ParameterType, Unit
from proposals import commands as proposals
from proposals.models import Proposal
from runs import about_run, commands, plans, queries, slow_control
from runs.models import Artifact, DataGroup, File, Replica, Run
from runs.workers import contents as worker
from tests.detector_runs import Here, take
from tests.factories import Facility
from tests.visiting import HTMX, People, Visitor, queries_of, sound


@pytest.fixture
def people(facility: Facility, proposal: Proposal) -> People:
    return People(facility, proposal)


@pytest.fixture
def visitor(people: People) -> Visitor:
    """A member of the team who works on the data."""
    return Visitor(people.worker)


@pytest.fixture
def looked_at(facility: Facility, proposal: Proposal, settings, monkeypatch) -> Run:
    """A Good run with pictures."""
    settings.FILE_VIEWER = "embedded"
    monkeypatch.setattr(worker, "viewer_for", lambda name: Here())
    facility.policy()
    run = take(facility, proposal)
    commands.assess(
        run, quality="good", by=facility.staff, comment="rings <b>everywhere</b> \u202e"
    )
    lifecycle.perform_due()
    return run


def page(run: Run, part: str = "") -> str:
    return f"/proposals/{run.proposal.number:06d}/runs/{run.number:04d}{part}"


def fragment(visitor: Visitor, run: Run, part: str, query: str = "") -> str:
    """What htmx gets for the element of that id."""
    answer = visitor.client.get(page(run, query), headers={**HTMX, "HX-Target": part})
    assert answer.status_code == 200
    html = answer.content.decode()
    assert f'id="{part}"' in html
    assert "<html" not in html
    sound(html)
    return html


def test_no_part_is_another_page_for_whoever_was_signed_out(looked_at: Run) -> None:
    job = Job.objects.filter(proposal=looked_at.proposal.number).latest("pk")
    table = f"/proposals/{looked_at.proposal.number}/runs"
    paths = [page(looked_at), page(looked_at, "/kept"), f"{table}/foretold?run=1"]
    paths += [f"{table}/edit?run=1", f"{table}/changes?after=x", f"/jobs/{job.pk}"]
    for path in paths:
        assert Visitor().client.get(path).status_code == 302
        told = Visitor().get(path, 403, htmx=True)
        assert "You have been signed out" in told
        assert "<form" not in told
    Visitor().post(f"{table}/assess", 403, htmx=True, run="1", quality="good")


# ------------------------------------------------------------------ pictures


def test_pictures_are_shown_with_scale_unit_and_numbers(looked_at: Run, visitor: Visitor) -> None:
    html = visitor.get(page(looked_at))
    seen = sound(html)
    images = re.findall(r'<img src="([^"]*/pictures/[^"]+)"', html)
    assert len(images) == 2
    for address, kind in zip(images, ("image/png", "image/svg+xml"), strict=True):
        answer = visitor.client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (200, kind)
        assert answer["Cache-Control"] == "private, no-cache"
        assert len(answer.getvalue()) == int(answer["Content-Length"])
        again = visitor.client.get(address, headers={"If-None-Match": answer["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    tables = [link for link in seen.links if link.endswith(".csv")]
    assert len(tables) == 2
    answer = visitor.client.get(tables[0])
    assert "attachment" in answer["Content-Disposition"]
    assert answer.getvalue().startswith(b"train,")
    assert "Raw values: the offset of each pixel is in them." in seen.text
    assert "Numbers of 2 modules" in seen.text


def test_who_may_not_read_the_data_gets_no_picture(
    looked_at: Run, people: People, facility: Facility
) -> None:
    artifacts = list(Artifact.objects.filter(kind="preview"))
    addresses = [page(looked_at, f"/pictures/{a.path.rpartition('/')[2]}") for a in artifacts]
    assert len(addresses) == 4
    for user in (people.user_office, people.auditor):
        office = Visitor(user)
        html = office.get(page(looked_at))
        assert "/pictures/" not in html
        assert "30 trains" in sound(html).text, "sources and trains are no secret of the data"
        for address in addresses:
            office.get(address, 403)
    for address in addresses:
        assert Visitor(people.reader).client.get(address).getvalue()
        Visitor(people.stranger).get(address, 404)
        assert Visitor().client.get(address).status_code == 302


@pytest.mark.parametrize("name", ["nothing.png", "..", "%00", "a%2Fb.png"])
def test_a_picture_that_is_none_is_not_there(looked_at: Run, visitor: Visitor, name: str) -> None:
    assert visitor.client.get(page(looked_at, f"/pictures/{name}")).status_code == 404


def test_a_report_is_no_picture_and_another_runs_is_not_there(
    facility: Facility, proposal: Proposal, looked_at: Run, visitor: Visitor
) -> None:
    other = facility.run(proposal)
    one = Artifact.objects.filter(kind="preview").first()
    assert one is not None
    name = one.path.rpartition("/")[2]
    visitor.get(page(other, f"/pictures/{name}"), 404)
    Artifact.objects.filter(pk=one.pk).update(kind="report")
    visitor.get(page(looked_at, f"/pictures/{name}"), 404)


def test_a_run_without_pictures_says_why(
    facility: Facility, proposal: Proposal, looked_at: Run, visitor: Visitor
) -> None:
    plain = facility.run(proposal)
    assert "The files are being looked into" in fragment(visitor, plain, "pictures")
    assert 'hx-trigger="every 3s"' in fragment(visitor, plain, "pictures")
    lifecycle.perform_due()
    html = fragment(visitor, plain, "pictures")
    assert "the files hold no images of a detector" in html
    assert "hx-trigger" not in html
    assert "3 files could not be read" in sound(visitor.get(page(plain))).text
    open_run = facility.run(proposal, closed=False)
    assert "Once the run is closed" in sound(visitor.get(page(open_run))).text


def test_pictures_are_made_again_by_who_may(
    looked_at: Run, visitor: Visitor, people: People
) -> None:
    assert "Look into the files again" in visitor.get(page(looked_at))
    answer = visitor.post(page(looked_at, "/pictures/again"))
    assert answer["Location"] == page(looked_at) + "#pictures"
    assert "The files are being looked into" in visitor.get(page(looked_at))
    reader = Visitor(people.reader)
    assert "Look into the files again" not in reader.get(page(looked_at))
    reader.post(page(looked_at, "/pictures/again"), 403)


# ------------------------------------------------------------------ sources


def test_sources_are_listed_and_narrowed(looked_at: Run, visitor: Visitor) -> None:
    html = fragment(visitor, looked_at, "sources", "?source=xgm")
    assert html.count("<tr") == 1 + 4
    assert "SPB_XTD9_XGM" in html
    assert "image.data" in fragment(visitor, looked_at, "sources", "?source=1CH0")
    assert "No source has that" in fragment(
        visitor, looked_at, "sources", "?source=%00%F0%9F%90%99"
    )


def test_gaps_in_the_trains_are_said(looked_at: Run, visitor: Visitor) -> None:
    found = looked_at.data_groups.get().contents
    found.missing, found.gaps = 3, [[10_004, 10_004], [10_007, 10_008]]
    found.save()
    text = sound(visitor.get(page(looked_at))).text
    assert "3 trains between them are in no file." in text
    assert "10007 to 10008" in text


# ------------------------------------------------------------------ files


@pytest.fixture
def many(facility: Facility, proposal: Proposal) -> Run:
    """A run with 60 files, as they are registered."""
    run = facility.run(proposal, files=0)
    group = DataGroup.objects.create(run=run, kind="RAW", created_at=clock.now())
    File.objects.bulk_create(
        File(data_group=group, name=f"RAW-R0001-AGIPD{n % 16:02d}-S{n:05d}.h5", bytes=n,
             sha256=f"{n:064x}", registered_at=clock.now())
        for n in range(60)
    )  # fmt: skip
    DataGroup.objects.filter(pk=group.pk).update(file_count=60, bytes=1770)
    Replica.objects.create(
        data_group=group, store=facility.stores["online"], created_at=clock.now()
    )
    return run


def names(html: str) -> list[str]:
    return re.findall(r"<code>(RAW-[^<]*\.h5)</code>", html)


def follow(visitor: Visitor, run: Run, html: str, word: str) -> str | None:
    """The page that a link of the files leads to, by its word."""
    match = re.search(rf'href="(\?of=[^"#]*)#files"[^>]*>{word}<', html)
    return fragment(visitor, run, "files", match[1].replace("&amp;", "&")) if match else None


def test_files_go_from_page_to_page_and_back(many: Run, visitor: Visitor) -> None:
    pages = [fragment(visitor, many, "files")]
    while (after := follow(visitor, many, pages[-1], "After")) is not None:
        pages.append(after)
    there = [name for html in pages for name in names(html)]
    every = list(many.data_groups.get().files.order_by("name").values_list("name", flat=True))
    assert [len(names(html)) for html in pages] == [25, 25, 10]
    assert there == every
    back = follow(visitor, many, pages[2], "Before")
    assert back is not None
    assert names(back) == names(pages[1])
    first = follow(visitor, many, back, "Before")
    assert first is not None
    assert names(first) == names(pages[0])
    assert follow(visitor, many, first, "Before") is None


def test_files_are_narrowed_by_name(many: Run, visitor: Visitor) -> None:
    html = fragment(visitor, many, "files", "?named=agipd03")
    assert len(names(html)) == 4
    assert all("AGIPD03" in name for name in names(html))
    assert "No file has that in its name." in fragment(visitor, many, "files", "?named=<b>%00")
    assert names(fragment(visitor, many, "files", "?of=nonsense&after=%00")) != []


def test_no_page_of_files_counts_them(many: Run, visitor: Visitor) -> None:
    """A run may have a million: what is asked of their table ends after one page."""
    for query in ("", "?named=h5", "?after=RAW-R0001-AGIPD03", "?before=RAW-R0001-AGIPD09"):
        with CaptureQueriesContext(connection) as asked:
            fragment(visitor, many, "files", query)
        about = [q["sql"] for q in asked.captured_queries if '"runs_file"' in q["sql"]]
        assert len(about) == 1, about
        assert "COUNT" not in about[0]
        assert f"LIMIT {about_run.FILES + 1}" in about[0]
        assert '"data_group_id" = ' in about[0]


def test_a_file_says_in_which_copy_it_is(
    facility: Facility, proposal: Proposal, run: Run, visitor: Visitor
) -> None:
    commands.assess(run, quality="good", by=facility.staff)
    lifecycle.perform_due()
    html = fragment(visitor, run, "files")
    assert html.count("Verified") == 3 * 2
    assert html.count("Copied") == 3
    File.objects.filter(data_group__run=run, name__endswith="S00001.h5").update(
        registered_at=clock.now() + timedelta(hours=1)
    )
    html = fragment(visitor, run, "files")
    assert (html.count("Verified"), html.count("Not in it yet")) == (2 * 2, 2)


def test_of_a_corrupt_copy_the_file_that_differs_is_named(
    facility: Facility, proposal: Proposal, run: Run, visitor: Visitor
) -> None:
    (facility.raw_folder(run) / "RAW-R0001-DA01-S00001.h5").write_bytes(b"x" * 1000)
    replica = run.data_groups.get().replicas.get()
    enqueue(list(plans.verification(replica, World(by=WORKER))), by=WORKER)
    lifecycle.perform_due()
    html = fragment(visitor, run, "files")
    assert (html.count("Differs"), html.count("Corrupt")) == (1, 2)


def test_checksums_are_given_as_sha256sum_reads_them(many: Run, visitor: Visitor) -> None:
    answer = visitor.client.get(page(many, "/checksums"))
    lines = answer.getvalue().decode().splitlines()
    assert len(lines) == 60
    assert lines[0] == f"{0:064x}  raw/r0001/RAW-R0001-AGIPD00-S00000.h5"
    assert "attachment" in answer["Content-Disposition"]


# ------------------------------------------------------------------ story, parameters, neighbours


def test_the_story_says_what_was_why_and_what_is_to_come(
    facility: Facility, looked_at: Run, visitor: Visitor
) -> None:
    text = re.sub(r"\s+", " ", sound(fragment(visitor, looked_at, "story")).text)
    order = [
        "Data taken", "RAW files registered", "Marked Good", "RAW copied to offline storage",
        "RAW copied to mass storage", "Removal of RAW from online storage announced",
        "Still to come", "Remove a copy: RAW, online storage",
    ]  # fmt: skip
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "“rings <b>everywhere</b> \u202e”" in text
    assert "30 trains, 10000 to 10029" in text


def test_a_story_of_many_entries_is_cut_and_the_journal_has_them_all(
    facility: Facility, run: Run, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(6):
        commands.edit(run, by=facility.staff, comment=f"number {n}")
    before = queries_of(visitor, page(run))
    monkeypatch.setattr(about_run, "STORY", 4)
    html = visitor.get(page(run))
    assert "Only what happened last is told here" in html
    assert "Data taken" in html, "how it was taken is known without its entries"
    assert queries_of(visitor, page(run)) == before
    journal = sound(visitor.get(page(run, "/journal"))).text
    assert journal.count("Edited") == 6
    assert "Register" in journal


def test_who_may_not_read_the_journal_has_no_story(
    facility: Facility, run: Run, people: People
) -> None:
    """All who see the page today may read it; an office that may not is told so."""
    assert "Every entry of the journal" in Visitor(people.reader).get(page(run))
    Visitor(people.stranger).get(page(run, "/journal"), 404)


def test_parameters_are_shown_and_narrowed(facility: Facility, run: Run, visitor: Visitor) -> None:
    assert 'id="parameters"' not in visitor.get(page(run))
    kinds = {
        "data_type": DataType.objects.get_or_create(name="float")[0],
        "type": ParameterType.objects.get_or_create(name="slow")[0],
        "unit": Unit.objects.get_or_create(name="metre", defaults={"symbol": "m"})[0],
    }
    slow_control.enter(
        [
            {"data_source": f"SPB/MOTOR/{n}", "name": "<b>position</b>", "value": n * 1.5,
             "minimum": 0.0, "maximum": 2.0, "mean": 1.0, "standard_deviation": 0.1,
             "unit_prefix": "m", "runs": [run], **kinds}
            for n in range(15)
        ],
        by=facility.daq,
    )  # fmt: skip
    html = visitor.get(page(run))
    assert "&lt;b&gt;position&lt;/b&gt;" in html
    assert sound(html).text.count("SPB/MOTOR/") == 15
    assert fragment(visitor, run, "parameters", "?parameter=motor/14").count("<tr") == 2


def test_neighbours_lead_on_and_the_ends_say_so(
    facility: Facility, proposal: Proposal, run: Run, visitor: Visitor
) -> None:
    dark = facility.run(proposal, type_name="Dark")
    last = facility.run(proposal)
    html = visitor.get(page(run))
    assert "This is the first run" in html
    assert f'rel="next" href="{page(dark)}"' in html
    assert f'rel="prev" href="{page(dark)}"' in visitor.get(page(last))
    narrowed = visitor.get(page(run, "?within=q%3DLCP%26status%3Dclosed"))
    assert f'rel="next" href="{page(last)}?within=q%3DLCP%26status%3Dclosed"' in narrowed
    assert f"{page(run).rpartition('/')[0]}?q=LCP&amp;status=closed#run-r0001" in narrowed
    for nonsense in ("?within=status%3Dnonsense", "?within=%00", "?within=<script>"):
        sound(visitor.get(page(run, nonsense)))


def test_the_mark_says_which_was_seen_last(facility: Facility, run: Run, visitor: Visitor) -> None:
    assert 'name="seen" value="0"' in visitor.get(page(run))
    commands.assess(run, quality="good", by=facility.staff)
    newest = run.assessments.get().pk
    assert f'name="seen" value="{newest}"' in visitor.get(page(run))


def test_a_mark_of_the_page_that_is_sent_twice_marks_once(
    facility: Facility, run: Run, visitor: Visitor
) -> None:
    for _ in range(2):
        visitor.post(f"{page(run)}/assess", quality="good", seen="0")
    assert run.assessments.count() == 1
    commands.assess(run, quality="unclear", by=facility.staff)
    seen = run.assessments.get(quality="good").pk
    late = visitor.post(f"{page(run)}/assess", 409, quality="not_interesting", seen=seen)
    assert "marked it Unclear on" in late.content.decode()
    assert run.assessments.count() == 2


def test_a_comment_that_comes_second_shows_both(
    facility: Facility, run: Run, visitor: Visitor
) -> None:
    html = visitor.get(page(run))
    seen = html.split('name="seen" value="')[1].split('"')[0]
    assert len(seen) == 16, "of the comment's form, which comes first"
    commands.assess(run, quality="good", by=facility.staff)  # a mark is no other comment
    commands.edit(run, by=facility.staff, comment="theirs <b>")
    late = visitor.post(f"{page(run)}/comment", 409, comment="mine", seen=seen).content.decode()
    sound(late)
    for text in ("theirs &lt;b&gt;", "mine</textarea>", "Keep mine over it"):
        assert text in late
    run.refresh_from_db()
    assert run.comment == "theirs <b>"
    seen = late.split('name="seen" value="')[1].split('"')[0]
    for _ in range(2):
        visitor.post(f"{page(run)}/comment", comment="mine", seen=seen)
    run.refresh_from_db()
    assert run.comment == "mine"


def test_an_open_run_is_followed_while_it_lasts(
    facility: Facility, proposal: Proposal, visitor: Visitor
) -> None:
    run = facility.run(proposal, closed=False)
    commands.heartbeat(run, by=facility.daq, size=7_000_000, last_train=50)
    html = fragment(visitor, run, "facts")
    assert 'hx-trigger="every 5s"' in html
    assert "7.0 MB" in html
    commands.close(run, end_at=clock.now(), by=facility.daq)
    assert "hx-trigger" not in fragment(visitor, run, "facts")


def test_names_with_html_are_text(facility: Facility, proposal: Proposal, visitor: Visitor) -> None:
    run = facility.run(proposal, files=0, closed=False)
    Run.objects.filter(pk=run.pk).update(alias="<i>x</i>\u202e🐙", comment="<script>1</script>")
    html = visitor.get(page(run))
    sound(html)
    assert "<i>x</i>" not in html
    assert "&lt;i&gt;x&lt;/i&gt;" in html


FULL = 47
"""Of a run with pictures, sources and files, for staff; frozen: one that grows is looked at."""


def test_a_run_of_much_takes_as_many_queries_as_one_of_little(
    facility: Facility, proposal: Proposal, looked_at: Run
) -> None:
    facility.detector()
    staff = Visitor(facility.staff.user)
    assert queries_of(staff, page(looked_at)) == FULL
    group = looked_at.data_groups.get()
    File.objects.bulk_create(
        File(data_group=group, name=f"Z{n:05d}.h5", bytes=1, registered_at=clock.now())
        for n in range(300)
    )
    for n in range(30):
        commands.edit(looked_at, by=facility.staff, comment=f"number {n}")
    proposals.add_sample(proposal, name="KR2", by=facility.staff)
    assert queries_of(staff, page(looked_at)) == FULL
    assert queries.story(looked_at).count() > 30
