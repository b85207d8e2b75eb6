"""The search box: everything is found by number, name, DOI and words, by whoever may read it, and
nothing of it by anybody else, not even that it is there."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue.faces.website import searching
from catalogue.ground import clock, fulltext, lifecycle
from catalogue.ground.actor import VISITOR, WORKER, Actor
from catalogue.ground.models import Doi, User
from catalogue.ground.question import understood
from proposals import search
from proposals.models import Proposal, Sample
from runs import commands as run_commands
from runs.models import Run
from tests.factories import Facility
from tests.visiting import People, Visitor, queries_of, sound

HOSTILE = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>&amp;"
QUERIES = 28
"""Of a search that finds something of every kind, however much: frozen."""


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    """Under embargo, with a run of which much is said, and a DOI that is not public."""
    made = facility.proposal(state="A", abstract="Photocycles of halorhodopsin", number=900123)
    run = facility.run(made)
    sample = Sample.objects.create(proposal=made, name="Zirconolite-7", description="a ceramic")
    Run.objects.filter(pk=run.pk).update(
        comment="beam lost, twice", alias="nightjar", sample=sample
    )
    doi = Doi.objects.create(name="10.5072/XFEL.EU-DATA-900123-00", url="https://x.example",
                             proposal=made.number)  # fmt: skip
    Proposal.objects.filter(pk=made.pk).update(doi=doi)
    made.refresh_from_db()
    return made


@pytest.fixture
def people(facility: Facility, proposal: Proposal) -> People:
    made = People(facility, proposal)
    User.objects.filter(pk=made.worker.pk).update(first_name="Wilhelmina", last_name="van Quux")
    return made


FOUND = [
    ("900123", "proposals"),
    ("p900123", "proposals"),
    ("halorhod", "proposals"),
    ("photocycles HALORHODOPSIN", "proposals"),
    ("10.5072/xfel.eu-data-900123-00", "proposals"),
    ("https://doi.org/10.5072/XFEL.EU-DATA-900123-00", "proposals"),
    ("900123 r1", "runs"),
    ("p900123/r0001", "runs"),
    ("r0001", "runs"),
    ("twice", "runs"),
    ("beam lost", "runs"),
    ("nightjar", "runs"),
    ("zirconolite", "runs"),
    ("zirconolite", "samples"),
    ("Zirconolite-7", "samples"),
    ("ceramic", "samples"),
    ("wilhelmina", "people"),
    ("Quux", "people"),
    ("RAW-R0001-DA01-S0000", "files"),
    ("raw-r0001", "files"),
]


def counts(user: User | None, text: str) -> dict[str, int]:
    actor = VISITOR if user is None else Actor.of(user, face="page")
    return {g.kind.name: g.count for g in searching.groups(actor, understood(text))}


@pytest.mark.parametrize(("text", "kind"), FOUND)
def test_everything_is_found_by_those_who_may_read_it_and_by_nobody_else(
    people: People, text: str, kind: str
) -> None:
    for who in (people.reader, people.data_manager, people.auditor, people.local_contact):
        assert counts(who, text)[kind] >= 1, who
    for outsider in (people.stranger, None):
        assert set(counts(outsider, text).values()) == {0}, "counts tell nothing either"


def test_what_a_stranger_sees_is_the_same_whether_it_is_there_or_not(people: People) -> None:
    stranger = Visitor(people.stranger)
    for text, _ in FOUND:
        there = sound(stranger.get("/search", 200)).text  # the page without a question
        assert "Zirconolite" not in there
        seen = sound(stranger.client.get("/search", {"q": text}).content.decode())
        missing = sound(
            stranger.client.get("/search", {"q": "nothing-of-the-kind"}).content.decode()
        )
        shown = text.replace("  ", " ")
        assert seen.text.replace(shown, "…") == missing.text.replace("nothing-of-the-kind", "…")


def test_a_published_proposal_is_found_by_everybody_its_inside_is_not(
    facility: Facility, people: People, proposal: Proposal
) -> None:
    for run in Run.objects.filter(proposal=proposal):
        run_commands.assess(run, quality="good", by=facility.staff)
    Proposal.objects.filter(pk=proposal.pk).update(state="FR")
    lifecycle.advance(proposal.doi.publish, by=WORKER, metadata={}, at=clock.now())
    for outsider in (people.stranger, None):
        assert counts(outsider, "halorhodopsin")["proposals"] == 1
        assert counts(outsider, "900123")["proposals"] == 1
        assert counts(outsider, people.principal.last_name)["people"] == 1
        for text in ("twice", "zirconolite", "quux", "r0001", "raw-r0001"):
            assert set(counts(outsider, text).values()) == {0}, text
    Proposal.objects.filter(pk=proposal.pk).update(access="open", released_at=clock.now())
    for outsider in (people.stranger, None):
        assert counts(outsider, "900123 r1")["runs"] == 1
        assert counts(outsider, "raw-r0001")["files"] == 3
        assert set(counts(outsider, "twice").values()) == {0}, "comments stay with the team"
        links = sound(Visitor(outsider).get("/search?q=900123+r1")).links
        assert "/data/900123/files" in links
        assert "/proposals/900123/runs/0001" not in links


def test_results_lead_to_the_thing(people: People) -> None:
    visitor = Visitor(people.reader)
    for text, link in (
        ("halorhodopsin", "/proposals/900123"),
        ("twice", "/proposals/900123/runs/0001"),
        ("ceramic", "/proposals/900123/runs?q=Zirconolite-7"),
        ("quux", "/proposals/900123"),
        ("raw-r0001", "/proposals/900123/runs/0001"),
    ):
        assert link in sound(visitor.get(f"/search?q={text}")).links, text


@pytest.mark.parametrize(
    "text",
    [
        "%", "_", "%%%", "a%b", "\\", "'", "''", "\\'", ":*", "a & b | !c", "<->", "(", "\x00",
        "a\x00b", "\ud800", "🦊", "\u202egnp.exe", "x" * 100_000, "1" * 50_000, "10.5072/%",
        HOSTILE, "'; DROP TABLE runs_run; --", "r99999", "p9999999", "-1", "1e400", "12-40",
    ],
)  # fmt: skip
def test_whatever_is_asked_is_answered_and_nothing_is_a_pattern(people: People, text: str) -> None:
    for who in (people.data_manager, people.stranger, None):
        assert sum(counts(who, text).values()) == 0
    if text == "\ud800":
        return  # no address can hold it
    html = Visitor(people.data_manager).client.get("/search", {"q": text}).content.decode()
    assert "<script>alert" not in html
    sound(html)


def test_names_are_shown_as_they_are_written(people: People, proposal: Proposal) -> None:
    Proposal.objects.filter(pk=proposal.pk).update(title=f"halo {HOSTILE}")
    Run.objects.update(comment=f"halo {HOSTILE}")
    User.objects.filter(pk=people.worker.pk).update(affiliation=HOSTILE)
    for text in ("halo", "quux"):
        html = Visitor(people.reader).get(f"/search?q={text}")
        assert HOSTILE in sound(html).text
        assert "<script>alert" not in html


def test_closed_accounts_and_programs_are_not_people(people: People) -> None:
    User.objects.filter(pk=people.worker.pk).update(is_active=False)
    assert counts(people.data_manager, "quux")["people"] == 0
    assert counts(people.data_manager, "daq")["people"] == 0


def test_a_kind_is_shown_by_the_page_and_its_count_ends_somewhere(
    people: People, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    Sample.objects.bulk_create(Sample(proposal=proposal, name=f"kaolin {n:03d}") for n in range(70))
    visitor = Visitor(people.reader)
    first = sound(visitor.get("/search?q=kaolin"))
    assert first.text.count("kaolin ") - 1 == searching.FIRST
    assert "/search?q=kaolin&kind=samples" in first.links
    page = sound(visitor.get("/search?q=kaolin&kind=samples&page=2"))
    assert "51–70 of 70" in page.text
    assert "kaolin 069" in page.text
    assert "51–70 of 70" in sound(visitor.get("/search?q=kaolin&kind=samples&page=99")).text
    visitor.get("/search?q=kaolin&kind=nonsense&page=-1")
    monkeypatch.setattr(searching, "MOST", 10)
    assert "more than 10" in sound(visitor.get("/search?q=kaolin")).text


def test_queries_do_not_grow_with_what_is_found(
    facility: Facility, people: People, proposal: Proposal
) -> None:
    Proposal.objects.update(title="raw r0001")
    few = queries_of(Visitor(people.reader), "/search?q=raw")
    for _ in range(3):
        run = facility.run(proposal)
        Run.objects.filter(pk=run.pk).update(comment="raw")
        Sample.objects.create(proposal=proposal, name=f"raw {run.number}")
    many = queries_of(Visitor(people.reader), "/search?q=raw")
    assert many <= QUERIES
    assert many <= few + 6, "kinds that were empty before are shown now"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="asks PostgreSQL for its plan")
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("proposal_words", lambda: fulltext.with_words(
            Proposal.objects.order_by(), search.PROPOSAL_TEXT, ["halo"])),
        ("sample_words", lambda: fulltext.with_words(
            Sample.objects.order_by(), search.SAMPLE_TEXT, ["halo"])),
        ("run_words", lambda: fulltext.with_words(
            Run.objects.order_by(), ("comment", "alias"), ["halo"])),
    ],
)  # fmt: skip
def test_postgresql_has_an_index_for_what_is_asked(db: None, name: str, rows) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert name in rows().explain()


def test_without_a_question_it_says_what_can_be_asked(db: None) -> None:
    with CaptureQueriesContext(connection) as asked:
        text = sound(Visitor().get("/search")).text
    assert "One box for proposals, runs, samples, people and files" in text
    assert len(asked) == 0
    for path in ("/search?q=", "/search?q=%00", "/search?q=+"):
        assert re.search("What|One box", sound(Visitor().get(path)).text)
