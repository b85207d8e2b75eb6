"""What the facility's programs send is legal here, though no schema says so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.catalogue.faces.mymdc.bodies import METADATA, WHEN
from tests.catalogue.faces.mymdc.conftest import PROGRAM
from tests.legacy import Legacy

BIGGEST = 2**63 - 1


@pytest.fixture
def call(suite_rows: None, db: None) -> Legacy:
    return Legacy.of(*PROGRAM)


@pytest.fixture
def calcat(suite_rows: None, db: None) -> Legacy:
    return Legacy.of(*PROGRAM, tree="calibration")


def read(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return answer.json()


def run(**more: Any) -> dict[str, Any]:
    return {**METADATA["runs"], **more}


@pytest.mark.parametrize("path", ["runs/-1", "/metadata/api/runs/-1/", "runs?id=-1", "runs/?id=-1"])
def test_ids_may_be_negative(call: Legacy, path: str) -> None:
    found = read(call.get(path))
    assert (found[0] if isinstance(found, list) else found)["id"] == -1


@pytest.mark.parametrize(
    "path",
    [
        "/metadata/api//proposals//by_number///900061",
        "/metadata//api/proposals/by_number/900061",
        "/metadata/api/proposals/by_number/900061//",
    ],
)
def test_slashes_may_be_doubled(call: Legacy, path: str) -> None:
    assert read(call.get(path))["id"] == -2


def test_a_post_is_never_redirected(call: Legacy) -> None:
    for path in ("topics", "topics/", "/metadata//api//topics//"):
        name = f"Topic at {path}"
        assert read(call.post(path, {"topic": {"name": name}}), 201)["name"] == name


def test_a_get_may_have_a_body(calcat: Legacy, call: Legacy) -> None:
    values = [{"parameter_id": -1, "value": "2.5"}, {"parameter_id": "-2", "value": 1.5}]
    body = {"condition": {"name": "", "parameters_conditions_attributes": values}}
    found = read(calcat.get("conditions/get_possible_conditions", body))
    assert -1 in [one["id"] for one in found]
    assert read(call.get("runs/-1", b""))["id"] == -1
    assert read(call.get("runs/-1", {"ignored": True}))["id"] == -1


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("true", True), ("True", True), ("1", True), (1, True), (True, True), ("t", True),
        ("false", False), ("False", False), ("0", False), (0, False), (False, False),
        ("Error: Value true is of type <class 'str'>", True),
    ],
)  # fmt: skip
def test_flags_may_be_texts(call: Legacy, sent: object, kept: bool) -> None:
    made = read(call.post("runs/", {"run": run(flg_available=sent)}), 201)
    assert made["flg_available"] is kept


@pytest.mark.parametrize("sent", [BIGGEST, str(BIGGEST), f" {BIGGEST} "])
def test_numbers_have_64_bits(call: Legacy, sent: object) -> None:
    made = read(call.post("runs/", {"run": run(first_train=sent, last_train=sent)}), 201)
    assert (made["first_train"], made["last_train"]) == (BIGGEST, BIGGEST)


@pytest.mark.parametrize("sent", [BIGGEST + 1, str(BIGGEST + 1), "12a", [1], {}])
def test_what_is_no_such_number_is_told(call: Legacy, sent: object) -> None:
    told = read(call.post("runs/", {"run": run(first_train=sent)}), 422)
    assert told["info"]["first_train"] == ["is not a number"]


def test_an_id_that_no_row_can_have_is_not_found(call: Legacy) -> None:
    for big in (BIGGEST, 10**18, -(10**17), "9" * 40):
        assert read(call.get(f"runs/{big}"), 404) == {"info": "Resource not found!"}
        assert call.get("runs/", None).status_code == 200
        assert read(call.get(f"runs/?id={big}")) == []


def test_an_empty_text_stands_for_nothing(call: Legacy) -> None:
    made = read(
        call.post("runs/", {"run": run(sample_id="", last_train="", end_at="", run_alias="",
                                       runs_techniques_attributes="")}),
        201,
    )  # fmt: skip
    assert (made["sample_id"], made["last_train"], made["end_at"]) == (None, None, None)
    assert made["techniques"] == []
    given = read(call.put(f"runs/{made['id']}", {"sample_id": "-1", "last_train": "9"}))
    assert (given["sample_id"], given["last_train"]) == (-1, 9)
    taken = read(call.put(f"runs/{made['id']}", {"sample_id": "", "last_train": None}))
    assert (taken["sample_id"], taken["last_train"]) == (None, None)


def test_empty_and_unsaid_differ_in_the_constants(calcat: Legacy) -> None:
    made = read(calcat.post("detector_types/", {"name": "One", "description": ""}), 201)
    assert made["description"] == ""
    none = read(calcat.put(f"detector_types/{made['id']}", {"description": None}))
    assert none["description"] is None


def test_bodies_may_be_wrapped_or_bare(call: Legacy) -> None:
    wrapped = read(call.post("runs/", {"run": run(run_number="71")}), 201)
    bare = read(call.post("runs/", run(run_number=72)), 201)
    assert (wrapped["run_number"], bare["run_number"]) == (71, 72)
    for body in ({"original_format": "hdf5"}, {"run": {"original_format": "hdf5"}}):
        assert read(call.put(f"runs/{bare['id']}", body))["original_format"] == "hdf5"


def test_unknown_attributes_are_ignored(call: Legacy) -> None:
    made = read(call.post("runs/", {"run": run(creator_id=5, nonsense={"a": 1})}), 201)
    assert "nonsense" not in made


@pytest.mark.parametrize("body", [b"{", b"[1]", b"3", b'"text"', b"null", b"NaN", b"\xff", b"{}"])
def test_a_body_that_is_none_is_refused_in_words(call: Legacy, body: bytes) -> None:
    answer = call.post("runs/", body)
    assert answer.status_code in (400, 422)
    assert answer.json()["info"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2013-10-17T00:52:41+03:00", "2013-10-16T23:52:41.000+02:00"),
        ("2025-05-27 13:52:41 +0200", "2025-05-27T13:52:41.000+02:00"),
        ("2022-09-01 13:26:48.00", "2022-09-01T13:26:48.000+02:00"),
        (WHEN, WHEN),
    ],
)
def test_moments_come_in_many_forms(call: Legacy, sent: str, kept: str) -> None:
    assert read(call.post("runs/", {"run": run(begin_at=sent)}), 201)["begin_at"] == kept


def test_an_empty_list_is_two_bytes(call: Legacy) -> None:
    assert call.get("samples/?proposal_id=-1&page=100&page_size=3").content == b"[]"


def test_a_body_that_is_too_large_is_refused_with_the_limit(call: Legacy, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    answer = call.post("units", {"unit": {"name": "n" * 3000}})
    assert (answer.status_code, answer.json()) == (
        413, {"info": "The body must be at most 2000 bytes long; send it in parts"},
    )  # fmt: skip
