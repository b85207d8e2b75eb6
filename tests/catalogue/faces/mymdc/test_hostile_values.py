"""Values that no client sends: each is answered, none breaks the server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalogue.faces.mymdc.calcat import RESOURCES as CALCAT
from catalogue.faces.mymdc.metadata import RESOURCES as METADATA
from catalogue.faces.mymdc.resource import Resource
from proposals.models import Proposal
from tests.catalogue.faces.mymdc.facts import file_of, register
from tests.factories import Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db

ODD: tuple[bytes, ...] = (
    b'"a\\u0000b"', b'"\\ud800"', b"1e400", b"9223372036854775808", b"2147483648", b"[]", b"{}",
    b'[{"id":1e400}]', b'[{"run_id":{}}]', b'{"logbook_url":"https://a.de/\\ud800"}',
    b'{"logbook_url":"https://a.de/\\u0000"}', b'"9999-12-31T23:59:59-14:00"', b'"nan"', b"-0",
    b'"--5"', b'["--5"]', b"[%d]" % 10**30, b'"%s"' % (b"9" * 5000), b"[" * 800 + b"]" * 800,
)  # fmt: skip


@pytest.fixture
def legacy(facility: Facility) -> Legacy:
    client = Legacy(facility)
    client._client.raise_request_exception = False
    return client


def _body(resource: Any, column: str, value: bytes) -> bytes:
    return b'{"%s":{"%s":%s}}' % (resource.wrapper.encode(), column.encode(), value)


RESOURCES = [("metadata", r) for r in METADATA] + [("calibration", r) for r in CALCAT]


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    return facility.proposal(state="A")


NEEDED = {
    "create": ("make",), "update": ("change",), "destroy": ("remove",), "index": ("rows",),
    "show": ("rows",),
}  # fmt: skip


@pytest.mark.parametrize(("tree", "resource"), RESOURCES, ids=lambda r: getattr(r, "path", r))
def test_every_verb_that_is_served_is_there(tree: str, resource: type[Resource]) -> None:
    """What a subclass must give raises NotImplementedError in `Resource`: no request gets there."""
    needed = {name for verb in resource.verbs for name in NEEDED[verb]}
    if resource.unique and resource.verbs & {"create", "update"}:
        needed.add("everywhere")
    missing = {name for name in needed if getattr(resource, name) is getattr(Resource, name)}
    assert not missing


@pytest.mark.fuzz
@pytest.mark.parametrize(("tree", "resource"), RESOURCES, ids=lambda r: getattr(r, "path", r))
def test_odd_values_in_every_member(
    facility: Facility, proposal: Proposal, tree: str, resource: type[Resource]
) -> None:
    legacy = Legacy(facility, tree=tree)
    legacy._client.raise_request_exception = False
    broken = []
    some = legacy.get(f"{resource.path}?page_size=1")
    first = some.json()[0] if some.status_code == 200 and some.json() else None
    for column in resource.columns:
        for value in ODD:
            body = _body(resource, column.name, value)
            method, path = "POST", resource.path
            if first is not None:
                method, path = "PUT", f"{resource.path}/{first['id']}"
            if legacy.send(method, path, body).status_code >= 500:
                broken.append((column.name, value))
    assert not broken


@pytest.mark.parametrize(("tree", "resource"), RESOURCES, ids=lambda r: getattr(r, "path", r))
def test_odd_filters(facility: Facility, tree: str, resource: type[Resource]) -> None:
    legacy = Legacy(facility, tree=tree)
    legacy._client.raise_request_exception = False
    broken = []
    for name in ("id", "page", "page_size", *(c.name for c in resource.columns)):
        for value in ("%00", "%ED%A0%80", "9" * 400, "1e400", "32768", "9223372036854775807"):
            answer = legacy.get(f"{resource.path}?{name}={value}")
            if answer.status_code >= 500:
                broken.append((name, value))
    assert not broken


BODIES: tuple[bytes, ...] = (
    b"[" * 100000, b"1" * 10000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"NaN", b"\xff\xfe", b"null",
    b"[]", b'"x"', b"\xef\xbb\xbf{}", b"\x00", b'{"run":[]}', b'{"run":null}', b"{\"run\":1e400}",
    b'{"dataset_files":1e400}', b'{"dataset_files":[1e400]}', b'{"dataset_files":[{"id":1e400}]}',
    b'{"dataset_files":[{"data_group_id":true,"filename":[]}]}',
    b'{"dataset_files":{"ids":[true,1e400]}}', b'{"dataset_files":{"ids":"a"}}',
    b'{"dataset_files":{"data_group_id":[1]}}', b'{"dataset_files":{"data_group_id":false}}',
    b'{"dataset_files":[{"filename":"\\ud800","data_group_id":1}]}',
    b'{"dataset_files":[{"filename":"a\\u0000","data_group_id":1}]}',
    b'{"parameters":[{"name":"\\ud800"}]}', b'{"parameter":{"ids":[1e400]}}',
    b'{"parameter":{"ids":{"a":1}}}', b'{"parameter":{"data_group_id":"x"}}',
    b'{"proposal":{"proposals_users_attributes":{"a":1}}}',
    b'{"proposal":{"flg_auto_run_quality":1e400}}', b'{"technique":{"instrument_ids":"a"}}',
    b'{"technique":{"instrument_ids":[[1]]}}', b'{"user":{"email":[1]}}', b'{"email":"\\ud800"}',
    b'{"condition":{"parameters_conditions_attributes":[{"parameter_id":1e400}]}}',
    b'{"condition":{"parameters_conditions_attributes":{"a":1}}}',
    b'{"condition":{"event_at":"\\u0000","parameters_conditions_attributes":[]}}',
)  # fmt: skip
PATHS = (
    "dataset_files/bulk_create", "dataset_files/bulk_update", "dataset_files/bulk_delete",
    "dataset_files/bulk_check", "parameters/bulk_create", "parameters/bulk_delete", "runs",
    "techniques/1/add_instruments", "ldap_import", "sessions",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_odd_bodies(legacy: Legacy, path: str) -> None:
    assert [b[:60] for b in BODIES if legacy.post(path, b).status_code >= 500] == []


@pytest.mark.parametrize("odd", ["--5", "9" * 5000, 10**30, [1, "--5"], [None], [{}], "1,2"])
def test_ids_in_a_list_that_are_none(legacy: Legacy, odd: object) -> None:
    body = {"technique": {"identifier": "T1", "name": "T1", "flg_available": True}}
    path = f"techniques/{legacy.post('techniques', body).json()['id']}"
    named = {"technique": {"instrument_ids": odd}}
    for told in (legacy.put(path, named), legacy.post(f"{path}/add_instruments", named)):
        assert told.status_code == 422
        assert told.json() == {"info": {"instrument_ids": ["must exist"]}}


def test_json_that_is_kept_has_a_depth(legacy: Legacy, facility: Facility) -> None:
    """As deep as could be read, it could not be written down."""
    known = facility.proposal(), facility.detector()
    body = (
        b'{"dark_run":{"proposal_id":%d,"detector_id":%d,"pdu_physical_names":"x",'
        b'"operation_mode_id":1,"runs_info":"[1]","pdu_karabo_das":%s}}'
    )
    for depth, status in ((50, 201), (850, 422)):
        deep = b"[" * depth + b"]" * depth
        told = legacy.post("dark_runs", body % (known[0].pk, known[1].pk, deep))
        assert told.status_code == status, told.content[:200]


MANY = "9" * 18


@pytest.mark.parametrize(
    "path",
    ["users/%00/proposals", "users/%ED%A0%80/proposals", "users/%FF/proposals", "users/-0", "%00",
     f"runs/{MANY}", f"runs/-{MANY}", f"proposals/by_number/{MANY}", f"proposals/{MANY}/statistics",
     f"proposals/by_number/-1/runs/{MANY}", "runs/runs_by_proposal?proposal_number=99999999999",
     "runs/1%0A", f"data_source_groups/{MANY}/last_deployed", "proposals/update_special",
     f"runs?page=1{MANY}&page_size=-5", f"instruments/{MANY}/active_proposal"],
)  # fmt: skip
def test_odd_addresses(legacy: Legacy, path: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST", "TRACE", "FOO"):
        assert legacy.send(method, path).status_code < 500, method


@pytest.mark.fuzz
def test_odd_values_in_files_one_by_one_and_many(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    _, group = register(legacy, facility, proposal)
    whole = file_of(group, "a.h5")
    broken = []
    for name in whole:
        for value in ODD:
            rest = {k: v for k, v in whole.items() if k != name}
            record = json.dumps(rest)[:-1].encode() + b',"%s":%s}' % (name.encode(), value)
            for path, wrapped in (
                ("dataset_files", b'{"dataset_file":%s}' % record),
                *((f"dataset_files/bulk_{v}", b'{"dataset_files":[%s]}' % record)
                  for v in ("create", "update", "check", "delete")),
            ):  # fmt: skip
                if legacy.post(path, wrapped).status_code >= 500:
                    broken.append((path, name, value[:40]))
    assert not broken


HEADERS: tuple[dict[str, str], ...] = (
    {"authorization": "Bearer"}, {"authorization": "Bearer \x7f"}, {"authorization": "Bearer é"},
    {"authorization": "Basic !!!"}, {"authorization": "Bearer " + "a" * 100000},
    {"x-user-email": "a\x00b"}, {"x-user-email": "é@x"}, {"x-user-email": "a" * 10000},
    {"x-user-email": ""}, {"x-user-email": "%"}, {"accept": "\x00"}, {"content-length": "-1"},
    {"content-length": "x"}, {"content-type": "multipart/form-data; boundary=\xff"},
)  # fmt: skip


@pytest.mark.parametrize("odd", HEADERS, ids=str)
def test_odd_headers(legacy: Legacy, odd: dict[str, str]) -> None:
    legacy.headers |= odd
    for answer in (legacy.get("me"), legacy.post("runs", {"run": {}})):
        assert answer.status_code < 500
