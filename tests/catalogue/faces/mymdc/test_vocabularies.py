"""Plain reference tables over the legacy API: envelope, messages, filters, pages."""

from __future__ import annotations

import pytest

from tests.factories import Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db


@pytest.fixture
def legacy(facility: Facility) -> Legacy:
    return Legacy(facility)


def term(name: str = "Chemistry", identifier: str = "CHEM") -> dict[str, object]:
    return {"name": name, "identifier": identifier, "flg_available": "true", "description": ""}


def test_the_life_of_a_row(legacy: Legacy) -> None:
    made = legacy.post("experiment_types/", {"experiment_type": term()})
    assert made.status_code == 201
    row = made.json()
    assert row == {"id": row["id"], **term(), "flg_available": True}
    assert legacy.get(f"experiment_types/{row['id']}").json() == row
    found = legacy.get("experiment_types/?name=Chemistry&page=1&page_size=10")
    assert (found.json(), found["X-Total-Count"]) == ([row], "1")
    bare = legacy.put(f"experiment_types/{row['id']}", {"flg_available": 0, "unknown": 1})
    assert bare.json() == {**row, "flg_available": False}
    gone = legacy.delete(f"experiment_types/{row['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert legacy.get(f"experiment_types/{row['id']}").json() == {"info": "Resource not found!"}


def test_what_is_taken_is_told_on_each_name(legacy: Legacy) -> None:
    legacy.post("experiment_types", {"experiment_type": term()})
    again = legacy.post("experiment_types", {"experiment_type": term()})
    taken = ["has already been taken"]
    assert (again.status_code, again.json()) == (
        422, {"info": {"identifier": taken, "name": taken}},
    )  # fmt: skip


def test_what_is_wrong_with_a_name(legacy: Legacy) -> None:
    long = legacy.post("data_types", {"data_type": term("n" * 61)}).json()
    assert long == {"info": {"name": ["is too long (maximum is 60 characters)"]}}
    blank = legacy.post("data_types", {"data_type": term("")}).json()
    assert blank == {"info": {"name": ["can't be blank"]}}


def test_a_page_past_the_end_is_empty(legacy: Legacy) -> None:
    past = legacy.get("units//?page=7&page_size=5")
    assert (past.status_code, past.content) == (200, b"[]")


def test_the_kinds_of_data_are_there_from_the_start(legacy: Legacy) -> None:
    kinds = [kind["identifier"] for kind in legacy.get("data_group_types").json()]
    assert kinds == ["RAW", "CAL", "PROC", "REDU", "SIM", "UNK"]


def test_who_may_not_administer_changes_nothing(facility: Facility) -> None:
    someone = Legacy(facility, facility.person())
    refused = someone.post("topics", {"topic": {"name": "SA1"}})
    assert refused.status_code == 403
    assert someone.get("topics").content == b"[]"
