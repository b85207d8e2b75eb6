"""Constants over the native REST API, what is entered and what is chosen; and their page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from catalogue.ground.models import ConstantVersion, Detector
from proposals.models import Proposal
from runs import calibrating
from runs.models import Run
from tests.calling import Caller, refused
from tests.constant_rows import Catalogue
from tests.factories import BEGIN, Facility, UserFactory
from tests.visiting import Visitor, queries_of, sound

pytestmark = pytest.mark.django_db


@pytest.fixture
def pipeline() -> Caller:
    return Caller(UserFactory(is_service=True), ["calibrate", "read"])


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture
def detector(facility: Facility) -> Detector:
    return facility.detector(modules=2)


def given(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return answer.json()


PARAMETERS = [
    {"parameter": "Sensor Bias Voltage", "value": 300, "upper_deviation": 5},
    {"parameter": "Memory cells", "value": "0,1,2,"},
]


def condition(name: str = "cold") -> dict[str, Any]:
    return {"name": name, "parameters": PARAMETERS}


def version(unit: str, **facts: Any) -> dict[str, Any]:
    return {
        "name": f"offset of {unit}", "calibration": "Offset", "condition": "cold", "unit": unit,
        "file": "cal.h5", "folder": "agipd", "data_set": "AGIPD/Offset/0",
        "begin_at": BEGIN.isoformat(), **facts,
    }  # fmt: skip


def wanted(**facts: Any) -> dict[str, Any]:
    return {
        "detector": "SPB_DET_AGIPD1M-1", "calibrations": ["Offset"],
        "parameters": [
            {"parameter": "Sensor Bias Voltage", "value": 304.5},
            {"parameter": "Memory cells", "value": "0,1,"},
        ],
        **facts,
    }  # fmt: skip


def test_a_pipeline_enters_constants_and_they_are_chosen(
    pipeline: Caller, catalogue: Catalogue, detector: Detector
) -> None:
    made = given(pipeline.post("conditions", condition()), 201)
    assert {p["name"]: p["upper_deviation"] for p in made["parameters"]} == {
        "Sensor Bias Voltage": 5.0, "Memory cells": 0.0,
    }  # fmt: skip
    again = given(pipeline.post("conditions", condition("the same")))
    assert (again["id"], again["name"]) == (made["id"], "cold")
    assert given(pipeline.get(f"conditions/{made['id']}")) == made
    first, second = detector.units.all()
    row = given(pipeline.post("constants", version(first.physical_name)), 201)
    assert (row["calibration"], row["unit"], row["store"]) == ("Offset", first.physical_name, None)
    chosen = given(pipeline.post("constants/select", wanted()))
    assert [(one["aggregator"], one["calibration"]) for one in chosen] == [
        ("AGIPD00", "Offset"), ("AGIPD01", "Offset"),
    ]  # fmt: skip
    assert chosen[0]["constant"]["id"] == row["id"]
    assert chosen[1] == {
        "aggregator": "AGIPD01", "unit": second.physical_name, "calibration": "Offset",
        "constant": None,
    }  # fmt: skip
    before = (BEGIN - timedelta(days=1)).isoformat()
    for facts, found in (
        ({"at": before}, None),
        ({"at": before, "strategy": "closest"}, row["id"]),
        ({"known_at": before}, None),
        ({"parameters": wanted()["parameters"][:1]}, None),
    ):
        one = given(pipeline.post("constants/select", wanted(**facts)))[0]
        assert (one["constant"] or {}).get("id") == found, facts
    assert given(pipeline.post("constants/select", wanted(aggregators=["AGIPD07"]))) == []


def test_a_version_is_withdrawn_by_not_deploying_it(
    pipeline: Caller, catalogue: Catalogue, detector: Detector
) -> None:
    row = catalogue.version(detector.units.all()[0], catalogue.condition())
    path = f"constants/{row.pk}"
    etag = pipeline.get(path)["ETag"]
    changed = pipeline.patch(path, {"deployed": False, "good": False}, if_match=etag)
    assert (given(changed)["deployed"], given(changed)["good"]) == (False, False)
    refused(pipeline.patch(path, {"deployed": True}, if_match=etag), 412)
    assert given(pipeline.post("constants/select", wanted()))[0]["constant"] is None


def test_a_unit_is_mounted_elsewhere_and_its_history_is_kept(
    pipeline: Caller, detector: Detector
) -> None:
    facts = {"name": "M/7", "type": "AGIPD-Type", "uuid": 7}
    with time_machine.travel(BEGIN, tick=False):
        made = given(pipeline.post("detector-units", facts), 201)
    assert (made["detector"], made["uuid"]) == (None, 7)
    with time_machine.travel(BEGIN + timedelta(days=9), tick=False):
        moved = pipeline.patch(
            "detector-units/M/7",
            {"detector": detector.identifier, "aggregator": "AGIPD07", "position": "Q2M4"},
        )
    assert (given(moved)["aggregator"], given(moved)["position"]) == ("AGIPD07", "Q2M4")
    history = given(pipeline.get("detector-units/M/7"))["history"]
    assert [h["aggregator"] for h in history] == [None, "AGIPD07"]
    refused(pipeline.post("detector-units", facts), 422, "physical_name")
    refused(pipeline.patch("detector-units/M/7", {"detector": "none"}), 422, "detector")
    refused(pipeline.patch("detector-units/M/7", {"name": "M/8"}), 422, "name")
    names = [row["name"] for row in given(pipeline.get("detector-units"))["results"]]
    assert names == sorted(names)
    assert "M/7" in names


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"detector": "none"}, "detector"),
        ({"calibrations": ["none"]}, "calibrations"),
        ({"strategy": "nearest"}, "strategy"),
        ({"parameters": [{"parameter": "none", "value": 1}]}, "parameters"),
        ({"parameters": [{"parameter": "Memory cells", "value": 1}]}, "parameters"),
        ({"parameters": [{"parameter": "Sensor Bias Voltage", "value": "1"}]}, "parameters"),
        ({"parameters": [{"parameter": "Sensor Bias Voltage"}]}, "parameters[0]"),
        ({"parameters": [PARAMETERS[0]]}, "parameters[0]"),
        ({"parameters": [{"parameter": "Memory cells", "value": True}]}, "parameters[0].value"),
        ({"parameters": 1}, "parameters"),
        ({"parameters": wanted()["parameters"] * 2}, "parameters[2]"),
        ({"more": 1}, "more"),
    ],
)
def test_what_cannot_be_asked_for(
    pipeline: Caller, catalogue: Catalogue, detector: Detector, facts: Any, field: str
) -> None:
    refused(pipeline.post("constants/select", wanted(**facts)), 422, field)


def test_who_may_not_keep_constants(
    facility: Facility, catalogue: Catalogue, detector: Detector
) -> None:
    person = Caller(facility.person())
    given(person.post("constants/select", wanted()))
    refused(person.post("conditions", condition()), 403)
    catalogue.condition()
    unit = detector.units.all()[0].physical_name
    name = given(person.get("conditions"))["results"][0]["name"]
    refused(person.post("constants", version(unit, condition=name)), 403)
    refused(person.patch(f"detector-units/{unit}", {"available": False}), 403)
    for path in ("calibration-kinds", "calibration-parameters", "conditions", "detector-units"):
        refused(Caller().get(path), 401)


def test_a_wrong_version_is_refused_whole(
    pipeline: Caller, catalogue: Catalogue, detector: Detector
) -> None:
    given(pipeline.post("conditions", condition()), 201)
    unit = detector.units.all()[0].physical_name
    for field in ("unit", "calibration", "condition"):
        refused(pipeline.post("constants", {**version(unit), field: "none"}), 422, field)
    given(pipeline.post("constants", version(unit)), 201)
    refused(pipeline.post("constants", version(unit)), 422, "name")
    answer = pipeline.post("constants", version(unit, name="another"))
    assert answer.status_code == 422
    assert ConstantVersion.objects.count() == 1


def test_reference_lists(pipeline: Caller, catalogue: Catalogue) -> None:
    kinds = given(pipeline.get("calibration-kinds"))["results"]
    assert [kind["name"] for kind in kinds] == ["Noise", "Offset"]
    rows = given(pipeline.get("calibration-parameters"))["results"]
    assert {row["name"]: row["text"] for row in rows} == {
        "Memory cells": True, "Sensor Bias Voltage": False,
    }  # fmt: skip


# ---------------------------------------------------------------- the page


@pytest.fixture
def corrected(facility: Facility, catalogue: Catalogue, detector: Detector, run: Run) -> Run:
    """A run that was corrected with a version of each unit."""
    made = calibrating.request_calibration(run, by=facility.staff)
    cold = catalogue.condition()
    made.constants.set(catalogue.version(unit, cold) for unit in detector.units.all())
    return run


def test_the_page_says_with_which_constants_runs_were_corrected(
    facility: Facility, proposal: Proposal, corrected: Run
) -> None:
    seen = sound(Visitor(facility.staff.user).get(f"/proposals/{proposal.number:06d}/constants"))
    assert "Calibration Constants" in seen.text
    assert "version 1" in seen.text
    assert "version 2" in seen.text
    assert f"/proposals/{proposal.number:06d}/runs/{corrected.number:04d}" in seen.links
    Visitor(facility.person()).get(f"/proposals/{proposal.number:06d}/constants", 404)


def test_the_page_of_a_proposal_without_calibrations(
    facility: Facility, proposal: Proposal
) -> None:
    seen = sound(Visitor(facility.staff.user).get(f"/proposals/{proposal.number:06d}/constants"))
    assert "No run has been calibrated here yet" in seen.text


def test_more_versions_take_no_more_queries(
    facility: Facility, catalogue: Catalogue, detector: Detector, proposal: Proposal, corrected: Run
) -> None:
    staff, path = Visitor(facility.staff.user), f"/proposals/{proposal.number:06d}/constants"
    few = queries_of(staff, path)
    cold = catalogue.condition()
    for hours in range(1, 5):
        for unit in detector.units.all():
            version = catalogue.version(unit, cold, hours=hours)
            corrected.calibrations.get().constants.add(version)
    assert queries_of(staff, path) == few
