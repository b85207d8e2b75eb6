"""Every operation of the legacy API, once: it does what it is for, or refuses with the reason.

`docs/legacy-api.md` lists them with the test here that proves it (`coverage.py` makes it).
"""

from __future__ import annotations

from typing import Any

import pytest

from catalogue.faces.mymdc.described.document import Operation, operations
from tests.catalogue.faces.mymdc import coverage
from tests.catalogue.faces.mymdc.bodies import BODIES
from tests.catalogue.faces.mymdc.conftest import PROGRAM
from tests.legacy import Legacy

ALL = [one for tree in BODIES for one in operations(tree)]
FIVE = [one for one in ALL if one.verb and one.key not in coverage.REFUSED]
ACTIONS = [one for one in ALL if not one.verb and one.key not in coverage.REFUSED]
REFUSED = [one for one in ALL if one.key in coverage.REFUSED]
# Rows of these are not made through their tree, or not like others.
SHOWN_ONLY = {
    "metadata": {"users": 1},
    "calibration": {"instruments": 1, "units": 1, "conditions": -1},
}
# What is changed where there is no description.
CHANGED = {
    "remote_devices": ("name", "Changed"),
    "data_files": ("files", "[{'filename':'RAW-R0001-DA02-S00001.h5'}]"),
    "dataset_files": ("byte_size", 5),
    "proposals_users": ("role_description", "Changed"),
    "proposals_techniques": ("technique_id", -2),
    "data_groups_repositories": ("flg_available", False),
    "parameters": ("flg_available", False),
}
# The suites' run has no file lists and no files; who is in no team has no proposals.
MAY_BE_EMPTY = {
    "metadata GET /data_files/search_data_files",
    "metadata GET /dataset_files/search_dataset_files",
    "metadata GET /users/{uid}/proposals",
    "metadata POST /parameters/bulk_delete",
    "metadata POST /dataset_files/bulk_delete",
    "calibration GET /detectors/get_all_by_instrument",
}


def keys(found: list[Operation]) -> list[str]:
    return [one.key for one in found]


@pytest.fixture
def call(suite_rows: None, db: None, request: pytest.FixtureRequest) -> Any:
    """The suites' program, on the tree of the operation."""
    operation: Operation = request.getfixturevalue("operation")
    return Legacy.of(*PROGRAM, tree=operation.tree)


def read(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return answer.json()


def made(call: Legacy, operation: Operation) -> Any:
    """A new row of the operation's resource."""
    body = dict(BODIES[operation.tree][operation.resource])
    if operation.resource == "data_source_group_versions":
        group = {"data_source_group": BODIES["metadata"]["data_source_groups"]}
        body["data_source_group_id"] = read(call.post("data_source_groups/", group), 201)["id"]
    row = read(call.post(f"{operation.resource}/", {operation.wrapper: body}), 201)
    assert {name: row[name] for name in body if name in row} == {
        name: value for name, value in body.items() if name in row
    }
    return row


@pytest.mark.parametrize("operation", FIVE, ids=keys(FIVE))
def test_of_a_resource(operation: Operation, call: Legacy) -> None:
    known = SHOWN_ONLY[operation.tree].get(operation.resource)
    row = {"id": known} if known else made(call, operation)
    one = f"{operation.resource}/{row['id']}"
    match operation.verb:
        case "index":
            found = read(call.get(f"{operation.resource}/?id={row['id']}"))
            assert [each["id"] for each in found] == [row["id"]]
        case "show":
            assert row.items() <= read(call.get(one)).items()
        case "update":
            name, value = CHANGED.get(operation.resource, ("description", "Changed"))
            assert read(call.put(one, {name: value}))[name] == value
            assert read(call.get(one))[name] == value
        case "destroy":
            assert call.delete(one).status_code == 204
            assert read(call.get(one), 404) == {"info": "Resource not found!"}


@pytest.mark.parametrize("operation", ACTIONS, ids=keys(ACTIONS))
def test_of_an_action(operation: Operation, call: Legacy) -> None:
    previous = None
    for path, body in coverage.BEFORE.get(operation.key, []):
        sent = {name: previous if v is coverage.PREVIOUS else v for name, v in body.items()}
        previous = read(call.post(path, sent), 201)["id"]
    path, asked, status = coverage.ASKED[operation.key]
    found = read(call.send(operation.method, path, asked), status)
    assert found or operation.key in MAY_BE_EMPTY


@pytest.mark.parametrize("operation", REFUSED, ids=keys(REFUSED))
def test_of_what_is_refused(operation: Operation, call: Legacy) -> None:
    path, body, status = coverage.ASKED[operation.key]
    told = read(call.send(operation.method, path, body), status)
    assert told == [] if status == 200 else told["info"]


def test_the_page_tells_of_every_operation() -> None:
    assert coverage.PAGE.read_text(encoding="utf-8") == coverage.page(), (
        "make it anew: python -m tests.catalogue.faces.mymdc.coverage"
    )
