from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.publication import rocrate
from catalogue.publication.resource import Access, Organization, Person, Related
from tests.catalogue.publication.examples import (
    CREATED,
    FILES,
    PROPOSER,
    RESOURCE,
    RUNS,
    content_of,
    fact,
    write,
)
from tests.catalogue.publication.judges import issues_by_severity, parse_html


def crate(files=FILES, runs=RUNS, resource=RESOURCE, created=CREATED):
    """The graph, by identifier."""
    document = rocrate.metadata(resource, files, runs, created=created)
    return {entity["@id"]: entity for entity in document["@graph"]}


def lay_down(folder, files, resource=RESOURCE):
    """A crate on disk, files included."""
    write(folder, {it.place: content_of(it) for it in files})
    document = rocrate.metadata(resource, files, RUNS, created=CREATED)
    preview = rocrate.preview_html(resource, files, RUNS, created=CREATED)
    (folder / rocrate.METADATA_FILE).write_text(json.dumps(document, ensure_ascii=False))
    (folder / rocrate.PREVIEW_FILE).write_text(preview)


def test_the_validator_finds_nothing_even_with_odd_names(tmp_path, crate_cache):
    odd = tuple(fact(name) for name in ("a b#c?.h5", "50%.h5", "é–Ω.h5", "[x]{y}|'\"&<z>.h5"))
    lay_down(tmp_path, (*FILES, *odd, fact("sub/deep.h5", run=None, kind="")))
    assert issues_by_severity(tmp_path, crate_cache) == ([], [])


def test_the_validator_sees_a_lost_file_and_recommends_identifiers_of_people(tmp_path, crate_cache):
    """The judge can fail; people without identifiers break recommendations, not requirements."""
    nobody = Person("N. N.", "Nobody", None, (Organization("Elsewhere"),))
    lay_down(tmp_path, FILES, replace(RESOURCE, creators=(PROPOSER, nobody)))
    (tmp_path / FILES[0].place).unlink()
    required, recommended = issues_by_severity(tmp_path, crate_cache)
    assert [FILES[0].place in issue for issue in required] == [True]
    assert any("ORCID" in issue for issue in recommended)
    assert any("ROR" in issue for issue in recommended)


def test_the_root_names_what_a_reader_needs():
    graph = crate()
    root = graph["./"]
    assert graph["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert root["name"] == RESOURCE.title
    assert root["datePublished"] == "2018-06-04"
    assert graph[root["identifier"]["@id"]]["value"] == f"doi:{RESOURCE.doi}"
    assert [graph[it["@id"]]["name"] for it in root["author"]] == [
        *("Josiah Carberry", "Zoë Müller-Ångström"),
    ]
    assert graph[root["license"]["@id"]]["identifier"] == "CC-BY-4.0"
    publisher = graph[root["publisher"]["@id"]]
    assert graph[publisher["contactPoint"]["@id"]]["email"] == "data@xfel.example"


def test_a_crate_made_before_publication_is_dated_by_its_making():
    assert crate(created=date(2018, 1, 1))["./"]["datePublished"] == "2018-01-01"


def test_every_file_lies_in_its_run_and_every_run_says_how_it_was_taken():
    graph = crate()
    assert [it["@id"] for it in graph["./"]["hasPart"]] == [
        *("proc/r0001/", "raw/r0001/", "raw/r0002/"),
    ]
    raw = graph["raw/r0001/"]
    assert [it["@id"] for it in raw["hasPart"]] == [
        *("raw/r0001/RAW-R0001-AGIPD00-S00000.h5", "raw/r0001/RAW-R0001-DA01-S00000.h5"),
    ]
    assert graph["proc/r0001/"]["isBasedOn"] == {"@id": "raw/r0001/"}
    run = graph["#run-0001"]
    assert run["result"] == {"@id": "raw/r0001/"}
    assert run["startTime"] == "2017-09-14T20:00:00+00:00"
    assert graph[run["instrument"]["@id"]]["name"] == "SPB/SFX"
    assert graph[run["object"]["@id"]]["name"] == "lysozyme"
    assert graph[raw["additionalProperty"]["@id"]]["value"] == "Good"
    for it in FILES:
        entity = graph[it.place]
        assert (entity["contentSize"], entity["sha256"]) == (str(it.bytes), it.sha256)


def test_a_file_of_an_undescribed_run_is_an_error():
    with pytest.raises(ValueError, match=r"\[2\]"):
        crate(runs=RUNS[:1])


def test_earlier_data_are_a_basis_and_articles_a_citation():
    related = (Related("10.5072/older", "IsDerivedFrom"), Related("10.1/x", "IsCitedBy"))
    root = crate(resource=replace(RESOURCE, related=related))["./"]
    assert root["isBasedOn"] == {"@id": "https://doi.org/10.5072/older"}
    assert root["citation"] == {"@id": "https://doi.org/10.1/x"}


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1), max_size=4
    )
)
def test_the_graph_is_flat_and_closed_whatever_the_names(names):
    """Each identifier once, nothing nested, each reference described (but the specification)."""
    resource = replace(RESOURCE, keywords=tuple(names), title=f"T{''.join(names)}")
    files = (*FILES, *(fact(f"{at}{name}.h5") for at, name in enumerate(names)))
    document = rocrate.metadata(resource, files, RUNS, created=CREATED)
    identifiers = [entity["@id"] for entity in document["@graph"]]
    assert len(identifiers) == len(set(identifiers))
    for entity in document["@graph"]:
        for value in entity.values():
            for member in value if isinstance(value, list) else [value]:
                if isinstance(member, dict):
                    assert list(member) == ["@id"]
                    assert member["@id"] in {*identifiers, rocrate.VERSION}
                assert not (isinstance(value, list) and len(value) == 1)


@given(st.text(), st.text(min_size=1))
def test_the_preview_is_html_and_carries_no_script_of_others(title, name):
    hostile = replace(
        RESOURCE,
        title=f"<script>alert(1)</script>{title}",
        abstract=f"</p>{title}",
        access=Access.EMBARGOED,
    )
    files = (fact(f'"><script>{name.replace("/", "")}'),)
    page = rocrate.preview_html(hostile, files, RUNS, created=CREATED)
    tree = parse_html(page)
    assert tree.findall(".//script") == []
    assert page.startswith("<!DOCTYPE html>")


def test_the_preview_links_to_every_file():
    page = parse_html(rocrate.preview_html(RESOURCE, FILES, RUNS, created=CREATED))
    links = {link.get("href") for link in page.findall(".//a")}
    assert {it.place for it in FILES} <= links
    assert RESOURCE.doi_url in links
