from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st
from requests.utils import parse_header_links

from catalogue.publication import landing
from catalogue.publication.landing import Document, Download, Link
from catalogue.publication.resource import Access, Organization
from tests.catalogue.publication.examples import RESOURCE

SITE = Organization("Lightkeeper", url="https://catalogue.example")
XML = Document(
    "https://catalogue.example/data/002012.xml",
    "application/xml",
    "http://datacite.org/schema/kernel-4",
)
CRATE = Document(
    "https://catalogue.example/data/002012/ro-crate-metadata.json",
    "application/ld+json",
    "https://w3id.org/ro/crate",
)
BAG = Download("https://catalogue.example/data/002012/bag.zip", "application/zip", "bag", 12, "ab")


def dataset(resource=RESOURCE, **more):
    return landing.jsonld(resource, catalogue=SITE, **more)


def test_the_dataset_says_what_search_engines_ask_for():
    found = dataset(documents=[XML], downloads=[BAG])
    assert found["@id"] == found["identifier"] == RESOURCE.doi_url
    assert found["creator"][0]["@id"] == "https://orcid.org/0000-0002-1825-0097"
    assert found["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert found["temporalCoverage"] == "2017-09-14/2018-04-02"
    assert found["isAccessibleForFree"] is True
    assert found["includedInDataCatalog"]["name"] == "Lightkeeper"
    assert found["distribution"]["contentUrl"] == BAG.url
    assert found["distribution"]["contentSize"] == "12 B"
    assert found["funder"]["@id"] == "https://ror.org/01js2sh04"
    assert found["measurementTechnique"].endswith("PaNET01168")
    assert found["subjectOf"]["url"] == XML.url


@pytest.mark.parametrize("access", [Access.EMBARGOED, Access.METADATA_ONLY, Access.WITHDRAWN])
def test_data_that_are_not_open_are_offered_nowhere(access):
    closed = replace(RESOURCE, access=access)
    found = dataset(closed, downloads=[BAG])
    assert found["isAccessibleForFree"] is False
    assert "distribution" not in found
    assert BAG.url not in str(found)
    signposts = landing.links(closed, downloads=[BAG], linkset_url="https://c.example/linkset")
    assert BAG.url not in str(signposts)
    assert BAG.url not in str(landing.linkset(closed, downloads=[BAG]))


def test_an_embargo_says_when_the_data_open():
    assert dataset(replace(RESOURCE, access=Access.EMBARGOED))["conditionsOfAccess"] == (
        "Opens on 2021-04-02."
    )


@given(st.text(max_size=6000))
def test_the_description_has_a_length_that_search_engines_take(abstract):
    found = dataset(replace(RESOURCE, abstract=abstract))["description"]
    assert 50 <= len(found) <= 5000


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # within rdflib
def test_the_json_ld_is_linked_data():
    """Read with schema.org's context replaced by its effect, since tests have no network."""
    found = dataset(downloads=[BAG]) | {"@context": {"@vocab": "https://schema.org/"}}
    graph = rdflib.Graph().parse(data=json.dumps(found), format="json-ld")
    schema = rdflib.Namespace("https://schema.org/")
    root = rdflib.URIRef(RESOURCE.doi_url)
    assert graph.value(root, rdflib.RDF.type) == schema.Dataset
    assert graph.value(graph.value(root, schema.distribution), schema.contentUrl)


def test_the_signposts_are_those_of_fair_signposting():
    found = landing.links(RESOURCE, documents=[XML, CRATE], downloads=[BAG])
    assert found == (
        Link("cite-as", "https://doi.org/10.5072/XFEL.EU-DATA-002012-00"),
        Link("type", "https://schema.org/Dataset"),
        Link("type", "https://schema.org/AboutPage"),
        Link("author", "https://orcid.org/0000-0002-1825-0097"),
        Link("author", "https://orcid.org/0000-0001-5109-3700"),
        Link("license", "https://creativecommons.org/licenses/by/4.0/"),
        Link("describedby", XML.url, XML.type, XML.profile),
        Link("describedby", CRATE.url, CRATE.type, CRATE.profile),
        Link("item", BAG.url, "application/zip"),
    )


def test_a_header_is_read_back_by_another_parser():
    signposts = landing.links(RESOURCE, documents=[XML], downloads=[BAG])
    read = parse_header_links(landing.header(signposts))
    assert [(it["rel"], it["url"], it.get("type"), it.get("profile")) for it in read] == [
        (it.rel, it.href, it.type, it.profile) for it in signposts
    ]


@given(st.text(min_size=1))
def test_a_header_stays_one_header_whatever_the_address(rest):
    header = landing.header([Link("item", f"https://catalogue.example/{rest}", "text/plain")])
    assert re.fullmatch(r'<https://[!-;=?-~]+>; rel="item"; type="text/plain"', header)


def test_many_items_move_into_the_link_set():
    few = [replace(BAG, url=f"https://c.example/{at}") for at in range(landing.ITEMS_IN_HEADER)]
    many = [*few, BAG]
    url = "https://c.example/linkset"

    def items(downloads, linkset_url):
        found = landing.links(RESOURCE, downloads=downloads, linkset_url=linkset_url)
        return [link.rel for link in found].count("item"), found[-1].rel

    assert items(few, url) == (50, "linkset")
    assert items(many, url) == (0, "linkset")
    assert items(many, None) == (51, "item")


def test_the_link_set_tells_both_directions():
    document = landing.linkset(RESOURCE, documents=[XML], downloads=[BAG])
    page, described, collected = document["linkset"]
    assert page["anchor"] == RESOURCE.url
    assert page["item"] == [{"href": BAG.url, "type": "application/zip"}]
    assert page["describedby"] == [{"href": XML.url, "type": XML.type, "profile": [XML.profile]}]
    assert len(page["author"]) == 2
    back = [{"href": RESOURCE.url, "type": "text/html"}]
    assert described == {"anchor": XML.url, "describes": back}
    assert collected == {"anchor": BAG.url, "collection": back}
    assert landing.links_of_document(RESOURCE) == (Link("describes", RESOURCE.url, "text/html"),)
    assert landing.links_of_download(RESOURCE) == (Link("collection", RESOURCE.url, "text/html"),)
