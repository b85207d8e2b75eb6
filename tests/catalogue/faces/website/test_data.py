"""Public pages: what is said before, during and after the embargo, to people and to programs; and
what is fetched from there checked by tools that are not ours."""

from __future__ import annotations

import hashlib
import json
import subprocess
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import bagit
import pytest
import time_machine

from catalogue.ground import clock, lifecycle
from catalogue.ground.actor import WORKER, Actor
from catalogue.ground.lifecycle import advance
from catalogue.ground.models import Doi
from catalogue.ground.refusal import Refused
from catalogue.publication import datacite
from proposals import approvals, commands, describe, withdrawing
from proposals.api.views import ORDER as PROPOSALS
from proposals.models import Proposal
from runs import commands as run_commands
from runs import packaging
from runs.models import File, Replica
from tests.calling import Caller, done, refused
from tests.factories import BEGIN, Facility
from tests.visiting import People, Visitor, queries_of, sound

NOW = BEGIN + timedelta(days=10)
TITLE = 'Crystals <b>&</b> "light" </script><script>alert(1)</script>'


def reviewed(facility: Facility, *, findable: bool = True, **facts: object) -> Proposal:
    """A reviewed proposal with a Good, an Unclear and a Not interesting run, and its DOI."""
    proposal = facility.proposal(state="A", calibrates_by_itself=False, **facts)
    for quality in ("good", "unclear", "not_interesting"):
        run_commands.assess(facility.run(proposal), quality=quality, by=facility.staff)
    lifecycle.perform_due()
    proposal.refresh_from_db()
    commands.finish(proposal, by=facility.staff)
    commands.review(proposal, by=facility.staff)
    doi = Doi.objects.create(
        name=describe.doi_name(proposal.number), url=describe.landing_url(proposal.number),
        proposal=proposal.number,
    )  # fmt: skip
    Proposal.objects.filter(pk=proposal.pk).update(doi=doi, title=TITLE)
    move = doi.publish if findable else doi.register
    advance(move, by=WORKER, metadata={"told": "it"}, at=clock.now())
    proposal.refresh_from_db()
    return proposal


def opened(facility: Facility) -> Proposal:
    """The same, released early."""
    proposal = reviewed(facility)
    leader = Visitor(facility.leader)
    leader.post(f"/proposals/{proposal.number}/moves/consent")
    proposal.refresh_from_db()
    commands.release_early(proposal, by=facility.staff)
    return proposal


class JsonLd(HTMLParser):
    """The data block of a page, read as a search engine does."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script" and dict(attrs).get("type") == "application/ld+json"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


@pytest.fixture
def visitor(db: None) -> Visitor:
    return Visitor()


def test_under_embargo_the_page_says_what_it_is_and_when_it_opens(
    facility: Facility, visitor: Visitor
) -> None:
    with time_machine.travel(NOW, tick=False):
        proposal = reviewed(facility)
        html = visitor.get(f"/data/{proposal.number:06d}")
        seen = sound(html)
        assert "Opens on 24 November 2029." in seen.text
        assert TITLE in seen.text
        assert facility.leader.full_name in seen.text
        assert f"10.5072/XFEL.EU-DATA-{proposal.number:06d}-00" in seen.text
        assert "Creative Commons Attribution 4.0" in seen.text
        assert "Download" not in seen.text
        assert not [link for link in seen.links if "/files" in link or "/package" in link]
        for part in ("files", "package", "files/raw/r0001/RAW-R0001-DA01-S00000.h5"):
            visitor.get(f"/data/{proposal.number}/{part}", 404)
            Visitor(facility.staff.user).get(f"/data/{proposal.number}/{part}", 404)


def test_programs_read_the_page_without_running_anything(
    facility: Facility, visitor: Visitor
) -> None:
    with time_machine.travel(NOW, tick=False):
        proposal = reviewed(facility)
        html = visitor.get(f"/data/{proposal.number}")
        [block] = JsonLd(html).found
        record = json.loads(block)
        assert record["@type"] == "Dataset"
        assert record["name"] == TITLE, "whole, and yet it did not end the element"
        assert record["isAccessibleForFree"] is False
        path = f"/data/{proposal.number:06d}"
        assert record == json.loads(visitor.get(f"{path}/schema.json"))
        document = json.loads(visitor.get(f"{path}/datacite.json"))
        assert datacite.problems(document) == []
        links = visitor.client.get(path)["Link"]
        for rel in ("cite-as", "describedby", "license", "linkset"):
            assert f'rel="{rel}"' in links
        assert 'rel="item"' not in links, "nothing to fetch yet"
        linkset = json.loads(visitor.get(f"{path}/linkset.json"))
        assert linkset["linkset"][0]["anchor"].endswith(path)


@pytest.mark.parametrize(
    ("media_type", "leads"),
    [
        ("application/vnd.datacite.datacite+json", "datacite.json"),
        ("application/ld+json", "schema.json"),
        ("application/linkset+json", "linkset.json"),
    ],
)
def test_a_program_that_asks_for_its_format_is_led_there(
    facility: Facility, visitor: Visitor, media_type: str, leads: str
) -> None:
    proposal = reviewed(facility)
    path = f"/data/{proposal.number:06d}"
    answer = visitor.client.get(path, headers={"accept": media_type})
    assert answer["Location"] == f"{path}/{leads}"
    assert visitor.client.get(answer["Location"])["Content-Type"].startswith(media_type)


def test_an_open_package_is_valid_for_other_peoples_tools(
    facility: Facility, visitor: Visitor, tmp_path: Path
) -> None:
    with time_machine.travel(NOW, tick=False):
        proposal = opened(facility)
        path = f"/data/{proposal.number:06d}"
        assert "A package of all files is not made yet" in visitor.get(path)
        visitor.get(f"{path}/package", 404)
        packaging.request_package(proposal, by=facility.staff)
        lifecycle.perform_due()
        html = visitor.get(path)
        assert "Open since 30 November 2026" in " ".join(sound(html).text.split())
        assert f"{path}/package" in sound(html).links
        answer = visitor.client.get(f"{path}/package")
        content = b"".join(answer.streaming_content)
        assert int(answer["Content-Length"]) == len(content)
        assert b"".join(visitor.client.get(f"{path}/package").streaming_content) == content
        assert json.loads(JsonLd(html).found[0])["distribution"]
        assert 'rel="item"' in visitor.client.get(path)["Link"]
    subprocess.run(["tar", "-xf", "-", "-C", str(tmp_path)], input=content, check=True)
    bag = bagit.Bag(str(tmp_path / proposal.folder))
    assert bag.is_valid()
    assert len(list((tmp_path / proposal.folder / "data").rglob("*.h5"))) == 6, "not run 0003's"


def test_an_open_file_is_what_its_checksum_says(facility: Facility, visitor: Visitor) -> None:
    proposal = opened(facility)
    path = f"/data/{proposal.number:06d}/files"
    text = sound(visitor.get(path)).text
    file = File.objects.filter(data_group__run__number=1).order_by("name").first()
    assert file is not None
    assert file.sha256 in text
    answer = visitor.client.get(f"{path}/raw/r0001/{file.name}")
    content = b"".join(answer.streaming_content)
    assert hashlib.sha256(content).hexdigest() == file.sha256
    assert answer["Repr-Digest"].startswith("sha-256=:")
    assert "r0003" not in text, "Not interesting runs are not in the open part"
    for other in ("raw/r0003/RAW-R0003-DA01-S00000.h5", "raw/r0001/nothing.h5", "raw/../x/y",
                  "..%2F..%2Fsecret-key/x", "proc/r0001/RAW-R0001-DA01-S00000.h5"):  # fmt: skip
        visitor.get(f"{path}/{other}", 404)


def test_a_store_that_cannot_be_read_is_said_to_be_so(facility: Facility, visitor: Visitor) -> None:
    proposal = opened(facility)
    file = File.objects.filter(data_group__run__number=1).order_by("name").first()
    assert file is not None
    for store in facility.stores:
        stored = facility.raw_folder(file.data_group.run, store) / file.name
        if stored.exists():
            stored.chmod(0o640)
            stored.write_bytes(b"short")
    html = visitor.get(f"/data/{proposal.number}/files/raw/r0001/{file.name}", 503)
    assert "cannot be read just now" in sound(html).text


def test_what_is_internal_is_shown_to_insiders_only(facility: Facility, visitor: Visitor) -> None:
    proposal = reviewed(facility, findable=False, metadata_public=False)
    path = f"/data/{proposal.number:06d}"
    visitor.get(path, 404)
    Visitor(People(facility, proposal).stranger).get(path, 404)
    for part in ("datacite.json", "schema.json", "linkset.json"):
        visitor.get(f"{path}/{part}", 404)
    assert "This page is not public" in sound(Visitor(facility.staff.user).get(path)).text
    assert proposal.folder[1:] not in visitor.get("/data")


def test_what_is_internal_is_not_told_by_what_is_derived_from_it(
    facility: Facility, visitor: Visitor
) -> None:
    source = reviewed(facility, findable=False, metadata_public=False)
    Proposal.objects.filter(pk=source.pk).update(title="Crystals nobody knows")
    derived = reviewed(facility, derived_from=source)
    path = f"/data/{derived.number:06d}"
    for part in ("", "/datacite.json", "/schema.json"):
        told = visitor.get(path + part)
        assert "Crystals nobody knows" not in told
        assert describe.doi_name(source.number) not in told
    Doi.objects.filter(pk=source.doi_id).update(state="findable")
    assert "Crystals nobody knows" in visitor.get(path)


def test_a_withdrawn_record_keeps_its_page(facility: Facility, visitor: Visitor) -> None:
    proposal = reviewed(facility)
    with pytest.raises(Refused, match="takes two"):
        withdrawing.withdraw(proposal, by=facility.staff, reason="wrong sample")
    visitor.get(f"/data/{proposal.number}")
    request = withdrawing.ask_to_withdraw(proposal, by=facility.staff, reason="wrong sample")
    second = Actor.of(facility.person("data_manager"), face="page")
    approvals.agree(request, by=second)
    text = sound(visitor.get(f"/data/{proposal.number}", 410)).text
    assert "Withdrawn" in text
    assert "wrong sample" not in text, "the reason is the journal's"


def test_public_readers_of_a_proposal_are_led_to_its_public_page(
    facility: Facility, visitor: Visitor
) -> None:
    proposal = reviewed(facility)
    for reader in (visitor, Visitor(facility.person())):
        for part in ("", "/runs", "/runs/1", "/team", "/holds"):
            answer = reader.client.get(f"/proposals/{proposal.number}{part}")
            assert answer["Location"] == f"/data/{proposal.number:06d}"


def test_the_list_is_narrowed_and_the_same_for_everybody(
    facility: Facility, visitor: Visitor
) -> None:
    first, second = reviewed(facility), opened(facility)
    facility.proposal(state="R")
    for reader in (visitor, Visitor(facility.staff.user)):
        for query, found in (
            ("", {first, second}),
            ("?access=open", {second}),
            ("?access=embargoed", {first}),
            (f"?q={second.number}", {second}),
            ("?q=Crystals", {first, second}),
            ("?q=nothing+like+it", set()),
            ("?access=secret", set()),
        ):
            links = sound(reader.get(f"/data{query}")).links
            assert {p for p in (first, second) if f"/data/{p.number:06d}" in links} == found


# path (n: an open proposal) -> queries of a visitor
FROZEN = {"/data": 5, "/data/{n}": 18, "/data/{n}/files": 3, "/data/{n}/linkset.json": 8}


def test_many_rows_take_as_many_queries_as_few(facility: Facility, visitor: Visitor) -> None:
    """The numbers are frozen: one that grows is looked at, not raised."""
    proposal = opened(facility)
    paths = {path: path.format(n=proposal.number) for path in FROZEN}
    few = {path: queries_of(visitor, real) for path, real in paths.items()}
    for _ in range(3):
        reviewed(facility)
    Proposal.objects.filter(pk=proposal.pk).update(keywords="many, words")
    assert {path: queries_of(visitor, real) for path, real in paths.items()} == few
    assert few == FROZEN


def test_how_open_data_are_kept_is_for_insiders(facility: Facility) -> None:
    proposal = opened(facility)
    kept = Replica.objects.filter(data_group__run__proposal=proposal, state="verified")
    assert kept.update(state="scheduled", remove_at=NOW, notice_at=NOW)
    assert proposal.folder in Visitor(facility.staff.user).get("/storage")
    assert proposal.folder not in Visitor(facility.person()).get("/storage")


def test_programs_cannot_ask_for_what_everybody_is_not_told(facility: Facility) -> None:
    """A list that could be narrowed by it would answer by what it leaves out."""
    proposal = opened(facility)
    proposal.runs.update(alias="secret", comment="secret", heartbeat_bytes=7)
    path = f"/api/v1/proposals/{proposal.number}/runs"
    for reader in (Caller(), Caller(facility.person())):
        shown = done(reader.get(path))["results"]
        assert len(shown) == 2
        assert "secret" not in str(shown)
        refused(reader.get(f"{path}?alias=secret"), 422, "alias")
        assert len(done(reader.get(f"{path}?status=closed&order=-bytes"))["results"]) == 2
    assert len(done(Caller(facility.leader).get(f"{path}?alias=secret"))["results"]) == 3


def test_a_list_is_ordered_by_what_is_told_of_its_rows(facility: Facility) -> None:
    """The cursor holds it, for everybody who can read it."""
    opened(facility)
    names = [order.removeprefix("-") for order in PROPOSALS.names]
    shown = done(Caller(facility.person()).get("proposals"))["results"]
    assert shown
    assert all(set(names) <= set(row) for row in shown)
