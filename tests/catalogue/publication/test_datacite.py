from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from datacite import schema45
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from catalogue.publication import datacite
from catalogue.publication.resource import (
    Access,
    Dates,
    Instrument,
    License,
    Organization,
    Person,
    Related,
)
from tests.catalogue.publication.examples import RESOURCE

SCHEMAS = os.environ.get("DATACITE_SCHEMAS")
needs_schema = pytest.mark.skipif(
    SCHEMAS is None, reason="DATACITE_SCHEMAS does not name a folder with kernel-4.5 in it"
)
IN_XML = {"d": "http://datacite.org/schema/kernel-4"}

texts = st.text(max_size=40)
people = st.builds(Person, given=texts, family=texts.map(lambda text: f"F{text}"))
resources = st.builds(
    replace,
    st.just(RESOURCE),
    title=texts.map(lambda text: f"T{text}"),
    abstract=texts,
    creators=st.lists(people, min_size=1, max_size=3).map(tuple),
    keywords=st.lists(texts, max_size=4).map(tuple),
    sizes=st.lists(texts, max_size=2).map(tuple),
    version=texts,
    access=st.sampled_from(Access),
    publication_year=st.integers(1000, 9999),
    instruments=st.lists(
        st.builds(
            Instrument,
            name=texts.map(lambda text: f"I{text}"),
            pid=st.none() | st.just("https://doi.org/10.5072/instrument"),
        ),
        max_size=2,
    ).map(tuple),
)


@pytest.fixture(scope="module")
def xml_schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(Path(SCHEMAS or "") / "kernel-4.5" / "metadata.xsd")))


def test_the_example_is_valid_and_says_what_it_must():
    document = datacite.metadata(RESOURCE)
    assert schema45.validate(document)
    assert datacite.problems(document) == []
    assert document["types"]["resourceTypeGeneral"] == "Dataset"
    assert document["publicationYear"] == "2021"
    assert document["publisher"]["publisherIdentifier"] == "https://ror.org/01wp2jz98"
    assert document["creators"][0]["nameIdentifiers"][0]["nameIdentifierScheme"] == "ORCID"
    assert [(it["dateType"], it["date"]) for it in document["dates"]] == [
        ("Collected", "2017-09-14/2017-09-19"),
        ("Collected", "2018-03-29/2018-04-02"),
        ("Submitted", "2018-06-01"),
        ("Issued", "2018-06-04"),
        ("Available", "2021-04-02"),
    ]
    assert {it["contributorType"] for it in document["contributors"]} == {
        *("HostingInstitution", "ContactPerson", "ProjectLeader"),
    }


@pytest.mark.parametrize(
    ("access", "term"),
    [
        (Access.OPEN, "c_abf2"),
        (Access.EMBARGOED, "c_f1cf"),
        (Access.METADATA_ONLY, "c_14cb"),
        (Access.WITHDRAWN, "c_14cb"),
    ],
)
def test_access_is_said_in_the_terms_of_coar(access, term):
    first, licence = datacite.metadata(replace(RESOURCE, access=access))["rightsList"]
    assert first["rightsUri"] == f"http://purl.org/coar/access_right/{term}"
    assert licence["rightsIdentifier"] == "CC-BY-4.0"


def test_an_embargo_names_the_day_it_ends():
    embargoed = replace(RESOURCE, access=Access.EMBARGOED, dates=Dates(available=date(2029, 2, 28)))
    document = datacite.metadata(embargoed)
    assert document["dates"] == [{"date": "2029-02-28", "dateType": "Available"}]


def test_a_withdrawal_is_dated():
    withdrawn = replace(RESOURCE, access=Access.WITHDRAWN, dates=Dates(withdrawn=date(2026, 1, 2)))
    assert {"date": "2026-01-02", "dateType": "Withdrawn"} in datacite.metadata(withdrawn)["dates"]


def test_an_instrument_with_an_identifier_is_linked_and_one_without_is_named():
    document = datacite.metadata(
        replace(
            RESOURCE,
            instruments=(Instrument("SPB", pid="https://doi.org/10.5072/spb"), Instrument("FXE")),
            related=(Related("10.5072/older", "IsDerivedFrom"),),
        )
    )
    assert document["relatedIdentifiers"] == [
        {
            "relatedIdentifier": "https://doi.org/10.5072/spb",
            "relatedIdentifierType": "URL",
            "relationType": "IsCollectedBy",
            "resourceTypeGeneral": "Instrument",
        },
        {
            "relatedIdentifier": "10.5072/older",
            "relatedIdentifierType": "DOI",
            "relationType": "IsDerivedFrom",
        },
    ]
    assert [it["titles"][0]["title"] for it in document["relatedItems"]] == ["FXE"]
    assert schema45.validate(document)


def test_a_wrong_relation_is_told_with_its_place():
    wrong = replace(RESOURCE, related=(Related("10.5072/x", "LooksLike"),))
    problems = datacite.problems(datacite.metadata(wrong))
    assert all(problem.startswith("$.relatedIdentifiers[0]") for problem in problems)
    assert any("'LooksLike' is not one of" in problem for problem in problems)


def test_xml_needs_a_doi():
    with pytest.raises(ValueError, match="DOI"):
        datacite.xml(replace(RESOURCE, doi=None))


def test_xml_says_what_json_says():
    tree = etree.fromstring(datacite.xml(RESOURCE))
    assert tree.findtext("d:identifier", namespaces=IN_XML) == RESOURCE.doi
    assert tree.findtext("d:titles/d:title", namespaces=IN_XML) == RESOURCE.title
    assert "kernel-4.5" in tree.get("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation")
    rights = tree.findall("d:rightsList/d:rights", namespaces=IN_XML)
    assert [it.get("rightsIdentifier") for it in rights] == ["c_abf2", "CC-BY-4.0"]
    assert tree.find("d:publisher", namespaces=IN_XML).get("publisherIdentifierScheme") == "ROR"


@given(resources)
def test_whatever_people_write_the_json_is_valid(resource):
    assert datacite.problems(datacite.metadata(resource)) == []


@needs_schema
@given(resources)
def test_whatever_people_write_the_xml_is_valid(xml_schema, resource):
    xml_schema.assertValid(etree.fromstring(datacite.xml(resource)))


@needs_schema
def test_the_least_a_resource_can_say_is_valid_xml(xml_schema):
    least = replace(
        RESOURCE,
        abstract="",
        creators=(Person("", "Curie"),),
        publisher=Organization("Facility"),
        facility=Organization("Facility"),
        dates=Dates(),
        license=License("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/", "CC0", ""),
        **dict.fromkeys(
            ("instruments", "techniques", "related", "grants", "keywords", "sizes", "formats"), ()
        ),
    )
    assert datacite.problems(datacite.metadata(least)) == []
    xml_schema.assertValid(etree.fromstring(datacite.xml(least)))
