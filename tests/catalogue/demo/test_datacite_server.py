from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from lxml import etree

from catalogue.demo.datacite_server import PASSWORD, USERNAME, DataCiteServer
from catalogue.publication import datacite
from tests.catalogue.publication.examples import RESOURCE

DOI = "10.5072/xfel.eu-data-002012-00"
OWNER = (USERNAME, PASSWORD)
METADATA = datacite.metadata(RESOURCE)
READY = METADATA | {"url": RESOURCE.url}


@pytest.fixture
def server(tmp_path):
    with DataCiteServer(tmp_path / "dois.json") as running:
        yield running


def call(server, method, path, attributes=None, auth=OWNER, **more):
    document = {"data": {"type": "dois", "attributes": attributes}}
    return requests.request(
        method,
        server.url + path,
        json=document if attributes is not None else None,
        auth=auth,
        timeout=10,
        **more,
    )


def put(server, attributes, doi=DOI):
    return call(server, "PUT", f"/dois/{doi}", attributes)


def state(server, doi=DOI):
    return server.records.get(doi)["state"]


def test_a_doi_is_created_as_a_draft_that_may_be_incomplete(server):
    answer = call(server, "POST", "/dois", {"doi": RESOURCE.doi, "titles": "not a list"})
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert (data["id"], data["type"]) == (DOI, "dois")
    assert data["attributes"]["state"] == "draft"
    assert data["attributes"]["prefix"] == "10.5072"
    assert data["attributes"]["suffix"] == "xfel.eu-data-002012-00"


def test_a_prefix_alone_gets_an_invented_suffix(server):
    answer = call(server, "POST", "/dois", {"prefix": "10.5072"})
    assert answer.status_code == 201
    assert answer.json()["data"]["id"].startswith("10.5072/")


def test_a_doi_can_be_created_once_in_any_case(server):
    call(server, "POST", "/dois", {"doi": DOI})
    answer = call(server, "POST", "/dois", {"doi": DOI.upper()})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["source"] == "doi"


@pytest.mark.parametrize(
    ("events", "states"),
    [
        (
            ["register", "publish", "hide", "publish"],
            ["registered", "findable", "registered", "findable"],
        ),
        (["publish", "register"], ["findable", "findable"]),
        ([None, "hide", "register"], ["draft", "draft", "registered"]),
        (["register", "hide", None], ["registered", "registered", "registered"]),
    ],
)
def test_events_lead_from_state_to_state(server, events, states):
    found = []
    for event in events:
        answer = put(server, READY | ({"event": event} if event else {}))
        found.append(answer.json()["data"]["attributes"]["state"])
    assert found == states


def test_put_creates_with_201_and_changes_with_200(server):
    assert put(server, {}).status_code == 201
    answer = put(server, {"url": "https://catalogue.example/new"})
    assert answer.status_code == 200
    assert answer.json()["data"]["attributes"]["url"] == "https://catalogue.example/new"
    assert answer.json()["data"]["attributes"]["metadataVersion"] == 1


def test_a_doi_in_the_path_may_be_encoded_or_not(server):
    assert put(server, {}, doi=RESOURCE.doi.replace("/", "%2F")).status_code == 201
    assert put(server, {}, doi=RESOURCE.doi).status_code == 200
    assert len(server.records.all()) == 1


@pytest.mark.parametrize(
    ("change", "source"),
    [
        ({"creators": []}, "creators"),
        ({"titles": None}, "titles"),
        ({"publicationYear": "20"}, "publicationYear"),
        ({"types": {"resourceTypeGeneral": "Thing"}}, "types"),
        ({"url": None}, "url"),
    ],
)
@pytest.mark.parametrize("event", ["register", "publish"])
def test_what_becomes_public_is_validated_and_the_fault_named(server, change, source, event):
    answer = put(server, READY | change | {"event": event})
    assert answer.status_code == 422
    assert source in {error["source"] for error in answer.json()["errors"]}
    assert server.records.get(DOI) is None


def test_a_public_doi_cannot_be_made_invalid(server):
    put(server, READY | {"event": "publish"})
    assert put(server, {"titles": []}).status_code == 422
    assert server.records.get(DOI)["titles"] == METADATA["titles"]


def test_a_registered_doi_carries_its_xml(server):
    answer = put(server, READY | {"event": "register"})
    attributes = answer.json()["data"]["attributes"]
    tree = etree.fromstring(base64.b64decode(attributes["xml"]))
    assert tree.findtext("{http://datacite.org/schema/kernel-4}identifier") == DOI
    assert attributes["publicationYear"] == 2021


def test_only_drafts_can_be_deleted(server):
    put(server, {})
    assert call(server, "DELETE", f"/dois/{DOI}").status_code == 204
    assert call(server, "DELETE", f"/dois/{DOI}").status_code == 404
    put(server, READY | {"event": "register"})
    assert call(server, "DELETE", f"/dois/{DOI}").status_code == 405
    assert state(server) == "registered"


def test_nobody_else_may_write(server):
    for auth in (None, (USERNAME, "guess"), ("OTHER", PASSWORD)):
        for method, path in (("POST", "/dois"), ("PUT", f"/dois/{DOI}")):
            answer = call(server, method, path, {"doi": DOI}, auth=auth)
            assert answer.status_code == 401
            assert answer.json() == {"errors": [{"status": "401", "title": "Bad credentials."}]}
        assert call(server, "DELETE", f"/dois/{DOI}", auth=auth).status_code == 401
    assert server.records.all() == []


def test_another_prefix_belongs_to_somebody_else(server):
    assert put(server, {}, doi="10.1000/1").status_code == 403


def test_outsiders_see_findable_dois_only(server):
    put(server, READY | {"event": "register"})

    def seen(auth):
        listed = call(server, "GET", "/dois", auth=auth).json()
        shown = call(server, "GET", f"/dois/{DOI}", auth=auth)
        return listed["meta"]["total"], shown.status_code

    assert seen(None) == (0, 404)
    assert seen(OWNER) == (1, 200)
    assert (
        RESOURCE.title
        not in call(server, "GET", f"/dois/{DOI}", auth=None, headers={"Accept": "text/html"}).text
    )
    put(server, {"event": "publish"})
    assert seen(None) == (1, 200)


def test_a_doi_is_shown_in_the_form_that_is_asked_for(server):
    put(server, READY | {"event": "publish"})

    def shown(accept):
        return call(server, "GET", f"/dois/{DOI}", auth=None, headers={"Accept": accept})

    as_json = shown("application/vnd.datacite.datacite+json").json()
    assert datacite.problems(as_json) == []
    assert as_json["titles"] == METADATA["titles"]
    assert etree.fromstring(shown("application/vnd.datacite.datacite+xml").content).tag.endswith(
        "resource"
    )
    assert RESOURCE.title in shown("text/html,application/xhtml+xml").text
    assert shown("*/*").json()["data"]["id"] == DOI
    assert "Accept" in shown("*/*").headers["Vary"]


def test_the_first_page_says_what_this_is_and_lists_every_doi(server):
    put(server, READY | {"event": "publish"})
    put(server, {}, doi="10.5072/<b>")
    page = call(server, "GET", "/", auth=None)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "not DataCite" in page.text
    assert f'<a href="/dois/{DOI}">' in page.text
    assert "<b>" not in page.text
    assert requests.get(server.url + "/dois/10.5072/%3Cb%3E", timeout=10).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b'{"data": []}',
        b'{"data": {"type": "dois"}}',
        b'{"data": {"attributes": {}}}',
    ],
)
def test_a_body_that_is_no_document_of_a_doi_is_refused(server, body):
    answer = requests.put(f"{server.url}/dois/{DOI}", data=body, auth=OWNER, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["title"]


def test_what_is_not_there_is_404_and_what_does_not_apply_is_405(server):
    assert call(server, "GET", "/members").status_code == 404
    assert call(server, "GET", f"/dois/{DOI}").status_code == 404
    assert call(server, "PATCH", f"/dois/{DOI}", {}).status_code == 405
    assert call(server, "DELETE", "/dois").status_code == 405
    assert call(server, "PUT", f"/dois/{DOI}", {"event": "explode"}).status_code == 422
    assert call(server, "GET", "/heartbeat", auth=None).text == "OK"


def test_a_body_beyond_all_measure_is_not_read(server):
    host = server.url.removeprefix("http://")
    headers = {"Content-Length": "99999999999", "Host": host}
    answer = requests.put(f"{server.url}/dois/{DOI}", data=b"", headers=headers, timeout=10)
    assert answer.status_code == 413


def test_trouble_comes_as_often_as_it_is_asked_for(server):
    server.control.answer(2, 429, retry_after="7")
    first, second, third = (call(server, "GET", "/dois") for _ in range(3))
    assert (first.status_code, first.headers["Retry-After"]) == (429, "7")
    assert (second.status_code, third.status_code) == (429, 200)
    with pytest.raises(ValueError, match="Expecting"):
        first.json()


def test_a_lost_answer_was_done(server):
    server.control.lose_answer(1)
    with pytest.raises(requests.ConnectionError):
        put(server, READY | {"event": "publish"})
    assert state(server) == "findable"


def test_a_held_answer_comes_when_it_is_let_go(server):
    server.control.hold(1)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(put, server, {})
        assert server.control.holding.wait(10)
        assert state(server) == "draft"  # done, though not answered
        assert not waiting.done()
        server.control.release()
        assert waiting.result().status_code == 201


def test_no_route_leads_to_the_switches(server):
    for path in ("/control", "/control/answer", "/dois/control"):
        assert call(server, "POST", path, {}).status_code in (404, 405)
    assert [path for _, path in server.control.seen] == [
        *("/control", "/control/answer", "/dois/control"),
    ]


def test_what_was_answered_survives_a_restart(tmp_path):
    file = tmp_path / "dois.json"
    with DataCiteServer(file) as first:
        put(first, READY | {"event": "publish"})
    with DataCiteServer(file) as second:
        assert state(second) == "findable"
        assert call(second, "GET", f"/dois/{DOI}", auth=None).status_code == 200


def test_many_writers_lose_nothing(server):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda at: put(server, {}, f"10.5072/{at % 20}"), range(60)))
    assert sum(answer.status_code == 201 for answer in answers) == 20
    assert len(json.loads(Path(server.records._file).read_text())["dois"]) == 20


def test_as_a_program_it_names_its_address_and_ends_when_told(tmp_path):
    file = tmp_path / "dois.json"
    command = [sys.executable, "-m", "catalogue.demo.datacite_server"]
    for number in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(
            [*command, "--port", "0", "--state", str(file)], stdout=subprocess.PIPE, text=True
        ) as program:
            url = program.stdout.readline().split()[-1]
            made = requests.put(
                f"{url}/dois/{DOI}",
                json={"data": {"type": "dois", "attributes": {}}},
                auth=OWNER,
                timeout=10,
            )
            assert made.status_code == (201 if number is signal.SIGTERM else 200)
            program.send_signal(number)
            assert program.wait(10) == 0
            assert program.stdout.read() == ""


def test_dois_with_odd_letters_keep_them(server):
    odd = "10.5072/a b"
    assert put(server, {}, doi=odd).status_code == 422
    assert put(server, {}, doi="10.5072/é%23").json()["data"]["id"] == "10.5072/é#"
    document = datacite.metadata(replace(RESOURCE, title="Ω — “quoted”"))
    put(server, document | {"url": RESOURCE.url, "event": "publish"})
    assert server.records.get(DOI)["titles"] == [{"title": "Ω — “quoted”"}]
