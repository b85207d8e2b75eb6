"""The real client against a real server (the stand-in), and all that can go wrong between."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue.demo.datacite_server import PASSWORD, PREFIX, USERNAME, DataCiteServer
from catalogue.ports.outcome import Permanent, PortError, Transient
from catalogue.ports.registrar import DataCiteRegistrar, DoiState, Registrar, registrar_from
from catalogue.publication import datacite
from tests.catalogue.publication.examples import RESOURCE
from tests.conftest import free_port

DOI = RESOURCE.doi
METADATA = datacite.metadata(RESOURCE)
URL = RESOURCE.url


@pytest.fixture
def server(tmp_path) -> Iterator[DataCiteServer]:
    with DataCiteServer(tmp_path / "dois.json") as running:
        yield running


def connect(server: DataCiteServer, **more) -> Registrar:
    arguments = {"username": USERNAME, "password": PASSWORD, "prefix": PREFIX, "url": server.url}
    return registrar_from(**arguments | more)


@pytest.fixture
def registrar(server) -> Registrar:
    return connect(server)


def writes(server: DataCiteServer) -> list[str]:
    return [path for method, path in server.control.seen if method != "GET"]


def test_a_doi_goes_from_internal_to_findable_and_back(server, registrar):
    assert registrar.state(DOI) is None
    receipt = registrar.register(DOI, METADATA, URL)
    assert (receipt.doi, receipt.state, receipt.url) == (DOI, DoiState.REGISTERED, URL)
    assert registrar.publish(DOI, METADATA, URL).state is DoiState.FINDABLE
    assert registrar.state(DOI) is DoiState.FINDABLE
    assert registrar.hide(DOI).state is DoiState.REGISTERED
    held = server.records.get(DOI)
    assert held["titles"] == METADATA["titles"]
    assert held["url"] == URL


def test_the_doi_is_one_encoded_segment_of_the_path(server, registrar):
    registrar.publish(DOI, METADATA, URL)
    assert server.control.seen == [("PUT", "/dois/10.5072%2FXFEL.EU-DATA-002012-00")]


@pytest.mark.parametrize("suffix", ["a/b", "a?b=c", "a#b", "a%2Fb", "..", "../../dois", "é"])
def test_any_suffix_reaches_the_doi_that_was_meant(server, registrar, suffix):
    doi = f"{PREFIX}/{suffix}"
    registrar.publish(doi, METADATA | {"doi": doi}, URL)
    assert [record["doi"] for record in server.records.all()] == [doi.lower()]
    assert registrar.state(doi) is DoiState.FINDABLE


def test_new_metadata_and_address_keep_the_state(server, registrar):
    registrar.register(DOI, METADATA, URL)
    changed = datacite.metadata(replace(RESOURCE, title="Another title"))
    receipt = registrar.update(DOI, changed, "https://catalogue.example/moved")
    assert receipt.state is DoiState.REGISTERED
    assert receipt.url == "https://catalogue.example/moved"
    assert server.records.get(DOI)["titles"] == [{"title": "Another title"}]


def test_registering_a_findable_doi_makes_it_internal(registrar):
    registrar.publish(DOI, METADATA, URL)
    assert registrar.register(DOI, METADATA, URL).state is DoiState.REGISTERED
    assert registrar.state(DOI) is DoiState.REGISTERED


def test_a_draft_made_elsewhere_is_taken_up(server, registrar):
    server.records.put(DOI, {"titles": []})
    assert registrar.state(DOI) is DoiState.DRAFT
    with pytest.raises(Permanent, match="draft"):
        registrar.hide(DOI)
    assert registrar.publish(DOI, METADATA, URL).state is DoiState.FINDABLE


def test_what_does_not_exist_is_neither_updated_nor_hidden(server, registrar):
    for verb in (
        lambda: registrar.update(DOI, METADATA, URL),
        lambda: registrar.hide(DOI),
    ):
        with pytest.raises(Permanent, match="does not know"):
            verb()
    assert server.records.all() == []


# ---------------------------------------------------------------- what is not sent


@pytest.mark.parametrize(
    ("doi", "metadata", "url"),
    [
        (DOI, METADATA | {"creators": []}, URL),
        (DOI, {key: value for key, value in METADATA.items() if key != "titles"}, URL),
        (DOI, METADATA | {"unheard": "of"}, URL),
        (DOI, METADATA | {"doi": "10.5072/another"}, URL),
        (DOI, METADATA, "ftp://catalogue.example/"),
        ("10.1000/1", METADATA | {"doi": "10.1000/1"}, URL),
        ("10.5072", METADATA, URL),
        ("10.5072/", METADATA, URL),
    ],
)
def test_what_would_be_refused_is_not_sent(server, registrar, doi, metadata, url):
    for verb in (registrar.register, registrar.publish, registrar.update):
        with pytest.raises(Permanent) as refusal:
            verb(doi, metadata, url)
        assert refusal.value.evidence["doi"] == doi
    assert server.control.seen == []


def test_the_problems_of_a_document_are_told(registrar):
    with pytest.raises(Permanent) as refusal:
        registrar.publish(DOI, METADATA | {"publicationYear": "soon"}, URL)
    (problem,) = refusal.value.evidence["problems"]
    assert problem.startswith("$.publicationYear: 'soon'")


# ---------------------------------------------------------------- what goes wrong on the way


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_passes_is_transient(server, registrar, status):
    server.control.answer(1, status)
    with pytest.raises(Transient) as trouble:
        registrar.publish(DOI, METADATA, URL)
    assert trouble.value.evidence["status"] == status
    assert trouble.value.retry_after is None
    assert registrar.publish(DOI, METADATA, URL).state is DoiState.FINDABLE


@pytest.mark.parametrize("status", [429, 503])
def test_the_wish_of_the_server_is_passed_on(server, registrar, status):
    server.control.answer(1, status, retry_after="120")
    with pytest.raises(Transient) as trouble:
        registrar.state(DOI)
    assert trouble.value.retry_after == 120


def test_a_time_of_day_becomes_seconds(server, registrar):
    server.control.answer(1, 429, retry_after="Wed, 21 Oct 2099 07:28:00 GMT")
    with pytest.raises(Transient) as trouble:
        registrar.state(DOI)
    assert trouble.value.retry_after > 10**9


@pytest.mark.parametrize("wish", ["soon", "-5", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_wish_that_makes_no_sense_does_no_harm(server, registrar, wish):
    server.control.answer(1, 503, retry_after=wish)
    with pytest.raises(Transient) as trouble:
        registrar.state(DOI)
    assert trouble.value.retry_after in (None, 0.0)


@pytest.mark.parametrize("status", [400, 403, 405, 410, 412, 422])
def test_what_a_person_must_see_is_permanent_with_the_servers_text(server, registrar, status):
    errors = [{"source": "creators", "title": "can't be blank"}, {"title": "and more"}]
    server.control.answer(1, status, errors=errors)
    with pytest.raises(
        Permanent, match=rf"{status}.*creators: can't be blank; and more"
    ) as refusal:
        registrar.publish(DOI, METADATA, URL)
    assert refusal.value.evidence["status"] == status
    assert "can't be blank" in refusal.value.evidence["answer"]


def test_wrong_credentials_are_permanent_and_not_told(server):
    wrong = connect(server, password="a secret guess")
    for verb in (lambda: wrong.publish(DOI, METADATA, URL), lambda: wrong.state(DOI)):
        with pytest.raises(Permanent, match=r"401.*Bad credentials") as refusal:
            verb()
        assert "a secret guess" not in f"{refusal.value}{refusal.value.evidence}{wrong!r}"


def test_a_404_on_writing_is_permanent(server, registrar):
    server.control.answer(1, 404)
    with pytest.raises(Permanent, match="404"):
        registrar.publish(DOI, METADATA, URL)


@pytest.mark.parametrize("status", [200, 204])
def test_an_answer_that_is_not_datacites_is_no_success(server, registrar, status):
    server.control.answer(1, status)
    with pytest.raises(PortError):
        registrar.publish(DOI, METADATA, URL)
    assert server.records.all() == []


def test_a_server_that_ignores_what_was_asked_is_found_out(server, registrar):
    """For instance one that accepts the call but leaves the DOI a draft."""
    answered = server.records.put(DOI, {})[0]
    server.records.put = lambda doi, attributes: (answered, False)
    with pytest.raises(Permanent, match="left the DOI draft"):
        registrar.publish(DOI, METADATA, URL)


def test_nobody_there_is_transient():
    nowhere = DataCiteRegistrar(f"http://127.0.0.1:{free_port()}", "u", "p", PREFIX)
    for verb in (lambda: nowhere.state(DOI), lambda: nowhere.publish(DOI, METADATA, URL)):
        with pytest.raises(Transient, match="cannot be reached"):
            verb()


@pytest.mark.parametrize(
    "url", ["nowhere", "gopher://127.0.0.1/", "http://", "http:///dois", "http://[::1"]
)
def test_an_address_that_is_none_is_permanent(url):
    with pytest.raises(Permanent, match="address"):
        DataCiteRegistrar(url, "u", "p", PREFIX).state(DOI)


def test_silence_ends_at_the_time_out_and_what_was_done_is_found(server):
    impatient = connect(server, timeout=(5.0, 0.2))
    server.control.hold(1)
    with pytest.raises(Transient, match="did not answer in time"):
        impatient.publish(DOI, METADATA, URL)
    server.control.release()
    assert impatient.publish(DOI, METADATA, URL).state is DoiState.FINDABLE
    assert len(server.records.all()) == 1


# ---------------------------------------------------------------- again and again

VERBS = {
    "register": lambda registrar: registrar.register(DOI, METADATA, URL),
    "publish": lambda registrar: registrar.publish(DOI, METADATA, URL),
    "update": lambda registrar: registrar.update(DOI, METADATA, URL),
    "hide": lambda registrar: registrar.hide(DOI),
}
ENDS = {
    "register": lambda state: DoiState.REGISTERED,
    "publish": lambda state: DoiState.FINDABLE,
    "update": lambda state: state,
    "hide": lambda state: state and DoiState.REGISTERED,
}
TROUBLES = {
    "none": lambda control: None,
    "lost": lambda control: control.lose_answer(1),
    "lost twice": lambda control: control.lose_answer(2),
    "busy": lambda control: control.answer(1, 503),
}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(VERBS)), st.sampled_from(sorted(TROUBLES)), st.booleans()),
        max_size=6,
    )
)
def test_every_verb_ends_where_it_says_whatever_happens_on_the_way(server, registrar, steps):
    """Each step is tried until answered, some are done once more: it ends as after one call."""
    for record in server.records.all():
        server.records._records.pop(record["doi"])
    expected: DoiState | None = None
    for verb, trouble, once_more in steps:
        expected = ENDS[verb](expected)
        TROUBLES[trouble](server.control)
        for _ in range(2 if once_more else 1):
            if expected is None:
                with pytest.raises(Permanent, match="does not know"):
                    insist(VERBS[verb], registrar)
            else:
                assert insist(VERBS[verb], registrar).state is expected
    assert insist(lambda it: it.state(DOI), registrar) is expected


def insist(verb, registrar):
    """Again until it is answered, as a job does."""
    for _ in range(5):
        try:
            return verb(registrar)
        except Transient:
            continue
    raise AssertionError("five troubles in a row")


def test_two_workers_at_once_end_as_one(server, registrar):
    with ThreadPoolExecutor(4) as pool:
        receipts = list(pool.map(lambda _: registrar.publish(DOI, METADATA, URL), range(8)))
    assert {receipt.state for receipt in receipts} == {DoiState.FINDABLE}
    assert len(server.records.all()) == 1
    assert len(writes(server)) == 8
