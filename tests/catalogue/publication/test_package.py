from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st

from catalogue.publication import datacrate
from catalogue.publication.bagit import UnsafePathError
from catalogue.publication.package import plan
from catalogue.publication.resource import FileFact
from tests.catalogue.publication.examples import (
    CREATED,
    FILES,
    RESOURCE,
    RUNS,
    content_of,
    fact,
    write,
)
from tests.catalogue.publication.judges import (
    check_sums,
    issues_by_severity,
    issues_of_profile,
    parse_html,
    validate_bag,
)

SCHEMA = rdflib.Namespace("http://schema.org/")
ODD = (*FILES, fact("50% é.h5"), fact("report #1.pdf", run=None, kind="CAL"))


def lay_down(folder, files=ODD, **more):
    """A whole package on disk, copied by us in the mover's place."""
    planned = plan(RESOURCE, files, RUNS, created=CREATED, **more)
    copied = {path: content_of(it) for it, path in planned.payload}
    write(folder, copied | dict(planned.generated))
    return planned


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    lay_down(folder)
    return folder


def test_the_package_is_a_bag(package):
    bag = validate_bag(package)
    assert bag.version_info == (0, 97)
    assert bag.info["External-Identifier"] == RESOURCE.doi_url
    assert bag.info["Source-Organization"] == "European XFEL"
    assert bag.info["Bagging-Date"] == "2026-11-22"
    assert bag.info["BagIt-Profile-Identifier"] == datacrate.PROFILE
    assert bag.info["DataCrate-Specification-Identifier"] == datacrate.SPECIFICATION
    assert {"data/ro-crate-metadata.json", "data/raw/r0001/50% é.h5"} <= set(bag.payload_entries())
    check_sums(package, "manifest-sha256.txt")
    check_sums(package, "tagmanifest-sha256.txt")


def test_the_package_keeps_the_profile_of_datacrate(package):
    assert issues_of_profile(package) == []


def test_the_payload_is_an_ro_crate(package, crate_cache):
    assert issues_by_severity(package / "data", crate_cache) == ([], [])


def test_the_profile_refuses_the_newer_bag(tmp_path):
    planned = lay_down(tmp_path, datacrate_too=False)
    assert planned.version == "1.0"
    assert "CATALOG.json" not in planned.generated
    check = tmp_path / "data" / "raw" / "r0001"
    assert (check / "50% é.h5").exists()
    assert any("BagIt-Profile-Identifier" in issue for issue in issues_of_profile(tmp_path))


def test_the_newer_bag_is_valid_for_others(tmp_path):
    lay_down(tmp_path, FILES, datacrate_too=False)
    assert validate_bag(tmp_path).version_info == (1, 0)


def test_datacite_metadata_lie_in_the_package_of_what_has_a_doi(package):
    assert b"10.5072/XFEL" in (package / "metadata" / "datacite.xml").read_bytes()
    without = plan(replace(RESOURCE, doi=None), FILES, RUNS, created=CREATED)
    assert "metadata/datacite.xml" not in without.generated


# ---------------------------------------------------------------- the DataCrate in it


@pytest.fixture(scope="module")
def catalog(package):
    return json.loads((package / "CATALOG.json").read_text())


def test_the_context_goes_straight_from_each_term_that_is_used_to_a_uri(catalog):
    context = catalog["@context"]
    used = {key for entity in catalog["@graph"] for key in entity if not key.startswith("@")}
    used |= {entity["@type"] for entity in catalog["@graph"]}
    assert set(context) == used
    assert all(uri.startswith("http://schema.org/") for uri in context.values())
    assert context["path"] == "http://schema.org/contentUrl"
    assert context["File"] == "http://schema.org/MediaObject"


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # within rdflib
def test_the_catalogue_is_linked_data_that_another_reader_understands(package):
    graph = rdflib.Graph().parse(package / "CATALOG.json", format="json-ld")
    root = graph.value(predicate=SCHEMA.contentUrl, object=rdflib.Literal("data/"))
    assert str(root) == RESOURCE.doi_url
    assert str(graph.value(root, SCHEMA.dateModified)) == "2026-11-22"
    assert str(graph.value(root, SCHEMA.description)) == RESOURCE.description
    point = graph.value(root, SCHEMA.contactPoint)
    assert str(graph.value(point, SCHEMA.contactType)) == "customer service"
    assert str(graph.value(point, SCHEMA.url)).startswith("https://")


def test_every_described_file_is_in_the_manifest_with_its_checksum(package, catalog):
    described = {
        entity["path"]: entity["sha256"]
        for entity in catalog["@graph"]
        if entity["@type"] == "File"
    }
    assert described == {
        path: sums["sha256"] for path, sums in validate_bag(package).payload_entries().items()
    }


def test_the_pages_are_html_their_links_lead_somewhere_and_all_is_said(package, catalog):
    pages = [package / "CATALOG.html", *package.glob("CATALOG_files/**/*.html")]
    everything = ""
    for page in pages:
        text = page.read_text()
        tree = parse_html(text)
        everything += "".join(tree.find("body").itertext())
        for link in tree.findall(".//a"):
            address = urlsplit(link.get("href"))
            if not address.scheme:
                target = (page.parent / unquote(address.path)).resolve()
                assert target.is_relative_to(package.resolve())
                assert target.exists(), f"{page} links to {target}"
    for entity in catalog["@graph"]:
        for key, value in entity.items():
            if key == "@id" and entity["@type"] == "File":
                continue  # a relative reference; the path is said
            for member in value if isinstance(value, list) else [value]:
                if isinstance(member, str):
                    assert member in everything
    assert len(pages) == sum(entity["@type"] != "File" for entity in catalog["@graph"])


def test_the_first_page_carries_the_whole_catalogue_and_no_other_script(package, catalog):
    head = parse_html((package / "CATALOG.html").read_text()).find("head")
    (script,) = head.findall("script")
    assert script.get("type") == "application/ld+json"
    assert json.loads(script.text) == catalog


def test_text_cannot_end_the_script_it_stands_in():
    hostile = replace(RESOURCE, abstract="</script><script>alert(1)</script>")
    planned = plan(hostile, FILES, RUNS, created=CREATED)
    tree = parse_html(planned.generated["CATALOG.html"].decode())
    assert len(tree.findall(".//script")) == 1


@pytest.mark.parametrize(
    ("identifier", "path"),
    [
        ("ark:/13030/xt12t3", "ar/k+/=1/30/30/=x/t1/2t/3"),
        (
            "http://n2t.info/urn:nbn:se:kb:repos-1",
            "ht/tp/+=/=n/2t/,i/nf/o=/ur/n+/nb/n+/se/+k/b+/re/po/s-/1",
        ),
        ("what-the-*@?#!^!?", "wh/at/-t/he/-^/2a/@^/3f/#!/^5/e!/^3/f"),
    ],
)
def test_pages_lie_where_pairtree_puts_them(identifier, path):
    """The examples of the Pairtree specification."""
    assert datacrate.page_path(identifier) == f"CATALOG_files/pairtree_root/{path}/index.html"


# ---------------------------------------------------------------- the plan itself


@given(st.permutations(ODD), st.permutations(RUNS))
def test_the_same_facts_in_any_order_make_the_same_package(files, runs):
    one, other = (
        plan(RESOURCE, it, them, created=CREATED) for it, them in ((ODD, RUNS), (files, runs))
    )
    assert one.payload == other.payload
    assert dict(one.generated) == dict(other.generated)


def test_the_plan_knows_its_size(package):
    planned = plan(RESOURCE, ODD, RUNS, created=CREATED)
    found = [path for path in package.rglob("*") if path.is_file()]
    assert planned.files == len(found)
    assert planned.bytes == sum(path.stat().st_size for path in found)


def test_what_is_copied_is_what_the_manifest_names(package):
    planned = plan(RESOURCE, ODD, RUNS, created=CREATED)
    manifest = planned.generated["manifest-sha256.txt"].decode()
    for it, path in planned.payload:
        assert f"{it.sha256}  {path}\n" in manifest
    for path, content in planned.generated.items():
        if path.startswith("data/"):
            assert f"{hashlib.sha256(content).hexdigest()}  {path}\n" in manifest


@pytest.mark.parametrize(
    "files",
    [
        (),
        (fact("a.h5", run=7),),
        (fact("../../../etc/passwd"),),
        (fact("a\x00.h5"),),
        (fact("a.h5"), fact("a.h5")),
        (fact("ro-crate-metadata.json", run=None, kind=""),),
    ],
)
def test_what_cannot_be_packaged_is_refused_before_anything_is_written(files):
    with pytest.raises(ValueError, match=r"nothing|described|cannot be in a bag"):
        plan(RESOURCE, files, RUNS, created=CREATED)


def test_a_refusal_names_the_file():
    with pytest.raises(UnsafePathError) as refusal:
        plan(RESOURCE, (fact("a\\b.h5"),), RUNS, created=CREATED)
    assert refusal.value.path == "data/raw/r0001/a\\b.h5"


def test_a_large_package_is_planned_in_good_time():
    """20,000 files in one plan; the time is printed by --durations, the size is what must hold."""
    digest = "0" * 64
    many = [
        FileFact(f"RAW-R0001-DA{at:05d}.h5", 1, digest, "RAW", "application/x-hdf5", 1, "RAW")
        for at in range(20_000)
    ]
    planned = plan(RESOURCE, many, RUNS, created=CREATED)
    assert planned.generated["manifest-sha256.txt"].count(b"\n") == 20_002
    assert len(planned.payload) == 20_000
