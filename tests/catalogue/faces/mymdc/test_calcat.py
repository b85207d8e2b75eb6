"""The constants catalogue as the field's calibration clients speak to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from catalogue.ground.actor import COMMAND
from catalogue.ground.models import ConstantVersion, Detector, DetectorUnit, Unit
from runs.constants import entering
from tests.constant_rows import Catalogue
from tests.factories import BEGIN, Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db

TAKEN = ["has already been taken"]
PARAMETERS = "parameters_conditions_attributes"


@pytest.fixture
def calcat(facility: Facility) -> Legacy:
    return Legacy(facility, tree="calibration")


@pytest.fixture
def number() -> Unit:
    return Unit.objects.create(name="Number", identifier="NUMBER", symbol="#", origin="Other")


def made(answer: Any, status: int = 201) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    body: dict[str, Any] = answer.json()
    return body


def refused(answer: Any) -> Any:
    assert answer.status_code == 422, answer.content
    assert list(answer.json()) == ["info"]
    return answer.json()["info"]


def test_what_is_taken_is_told_on_each_member(
    calcat: Legacy, number: Unit, facility: Facility
) -> None:
    unit = facility.detector(modules=1).units.get()
    condition = Catalogue().condition()
    calibration = {"name": "Gain", "unit_id": number.pk}
    kind = made(calcat.post("calibrations/", {"calibration": calibration}))
    constant = {
        "name": "Gain of AGIPD", "detector_type_id": unit.detector_type_id,
        "calibration_id": kind["id"], "condition_id": condition.pk,
    }  # fmt: skip
    constant_id = made(calcat.post("calibration_constants", constant))["id"]
    cases: list[tuple[str, dict[str, Any], list[str]]] = [
        ("detector_types", {"name": "LPD-Type"}, ["name"]),
        (
            "detectors",
            {"name": "LPD", "identifier": "FXE_DET_LPD1M-1", "karabo_name": "FXE_LPD"},
            ["name", "identifier", "karabo_name"],
        ),
        ("parameters", {"name": "Exposure", "unit_id": number.pk, "flg_text": "false"}, ["name"]),
        ("reports", {"name": "r", "file_path": "/r.pdf", "user_id": ""}, ["file_path"]),
        (
            "physical_detector_units",
            {
                "physical_name": "M7", "karabo_da": "DA7", "uuid": "77",
                "detector_type_id": unit.detector_type_id, "detector_id": unit.detector_id,
            },
            ["physical_name", "karabo_da", "uuid"],
        ),
        (
            "calibration_constant_versions",
            {
                "name": "v", "file_name": "f", "path_to_file": "p", "data_set_name": "d",
                "begin_at": "2024-01-31T13:30:27+01:00", "calibration_constant_id": constant_id,
                "physical_detector_unit_id": unit.pk,
            },
            ["name", "calibration_constant_id", "physical_detector_unit_id", "begin_at"],
        ),
    ]  # fmt: skip
    for path, body, taken in cases:
        made(calcat.post(path, {path.removesuffix("s"): body}))
        assert refused(calcat.post(path, body)) == dict.fromkeys(taken, TAKEN), path
    assert refused(calcat.post("calibrations", calibration)) == {"name": TAKEN, "unit": TAKEN}
    told = dict.fromkeys(("name", "detector_type", "calibration", "condition"), TAKEN)
    assert refused(calcat.post("calibration_constants", constant)) == told


def test_what_is_missing_too_long_or_fixed(calcat: Legacy, facility: Facility) -> None:
    unit = facility.detector(modules=1).units.get()
    info = refused(calcat.post("detectors", {"detector": {"name": "x" * 65}}))
    assert info == {
        "name": ["is too long (maximum is 64 characters)"],
        "identifier": ["can't be blank"],
        "karabo_name": ["can't be blank"],
    }
    path = f"physical_detector_units/{unit.pk}"
    assert refused(calcat.put(path, {"physical_name": "other", "uuid": "x"})) == {
        "physical_name": ["cannot be updated"],
        "uuid": ["is not a number"],
    }
    missing = {"physical_name": "M8", "detector_type_id": 4711}
    assert refused(calcat.post("physical_detector_units", missing)) == {
        "detector_type": ["must exist"]
    }
    assert calcat.get("detectors/-666").json() == {"info": "Resource not found!"}
    assert refused(calcat.delete(f"detectors/{unit.detector_id}")).startswith("Other rows refer")


def test_units_of_a_detector_as_they_were(calcat: Legacy, facility: Facility) -> None:
    detector = facility.detector(modules=2)
    first = detector.units.get(module_number=0)
    with time_machine.travel(BEGIN + timedelta(days=1), tick=False):
        made(calcat.put(f"physical_detector_units/{first.pk}", {"detector_id": None}), 200)
    path = f"physical_detector_units//get_all_by_detector?detector_id={detector.pk}"
    with time_machine.travel(BEGIN + timedelta(days=2), tick=False):
        now = calcat.get(f"{path}&pdu_snapshot_at=").json()
        then = calcat.get(f"{path}&pdu_snapshot_at={BEGIN:%Y-%m-%d}").json()
    assert [row["karabo_da"] for row in now] == ["AGIPD01"]
    assert [row["karabo_da"] for row in then] == ["AGIPD00", "AGIPD01"]
    assert then[0]["detector"]["identifier"] == detector.identifier
    assert then[0]["detector_type"]["name"] == "AGIPD-Type"
    assert then[0]["detector_id"] == detector.pk
    assert calcat.get("physical_detector_units/get_all_by_detector?detector_id=").status_code == 404


def test_a_number_of_64_bits_read_as_a_float(calcat: Legacy, facility: Facility) -> None:
    unit = facility.detector(modules=1).units.get()
    path = f"physical_detector_units/{unit.pk}"
    assert made(calcat.put(path, {"uuid": "1000"}), 200)["float_uuid"] == 4.94e-321
    for uuid in (2**63 - 1, -(2**63), 0x7FF0000000000000):
        row = made(calcat.put(path, {"uuid": uuid}), 200)
        assert row["uuid"] == uuid
    assert row["float_uuid"] is None  # an infinity, which JSON does not know
    assert refused(calcat.put(path, {"uuid": 2**63})) == {"uuid": ["is not a number"]}


def asked(catalogue: Catalogue, bias: Any = 302.0, **more: Any) -> dict[str, Any]:
    return {
        "name": "new one",
        PARAMETERS: [
            {"parameter_id": catalogue.bias.pk, "value": bias, **more},
            {"parameter_name": "memory CELLS", "value": "0,1,"},
        ],
    }


def test_conditions_are_found_and_made(calcat: Legacy) -> None:
    catalogue = Catalogue()
    older, newer = catalogue.condition(), catalogue.condition(bias=303.0)
    older.created_at, newer.created_at = BEGIN, BEGIN + timedelta(days=9)
    older.save()
    newer.save()
    body = {**asked(catalogue), "event_at": "2026-12-01"}
    found = calcat.get("conditions/get_possible_conditions", {"condition": body})
    assert [row["id"] for row in found.json()] == [newer.pk, older.pk]
    body = {**asked(catalogue), "event_at": f"{BEGIN:%Y-%m-%d}"}
    found = calcat.get("conditions/get_possible_conditions", {"condition": body})
    assert [row["id"] for row in found.json()] == [older.pk, newer.pk]
    values = found.json()[0]["parameters_conditions"]
    assert {v["parameter_name"]: v["value"] for v in values}["Sensor Bias Voltage"] == 300.0
    assert found.json()[0]["num_parameters"] == 2
    body = asked(catalogue, bias="7")
    for action in ("get_possible_conditions", "get_expected_condition"):
        assert calcat.get(f"conditions/{action}", body).status_code == 404
    made(calcat.post("conditions/set_expected_condition", {"condition": body}))
    made(calcat.post("conditions/set_expected_condition", {"condition": body}), 200)
    made(calcat.get("conditions/get_expected_condition", body), 200)
    info = refused(calcat.post("conditions/set_expected_condition", asked(catalogue, bias=8)))
    assert info == {"name": TAKEN}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"condition": {}},
        {PARAMETERS: 5},
        {PARAMETERS: [5]},
        {PARAMETERS: [{"parameter_name": "Sensor Bias Voltage"}]},
        {PARAMETERS: [{"parameter_name": "Sensor Bias Voltage", "value": "much"}]},
        {PARAMETERS: [{"parameter_name": "Sensor Bias Voltage", "value": 1e999}]},
        {PARAMETERS: [{"parameter_name": "Sensor Bias Voltage", "value": 1}] * 2},
        {
            PARAMETERS: [
                {"parameter_name": "Sensor Bias Voltage", "value": 1, "description": {"a": 1}}
            ]
        },
    ],
)
def test_a_condition_that_cannot_be_read(calcat: Legacy, body: Any) -> None:
    Catalogue()
    for answer in (
        calcat.get("conditions/get_possible_conditions", body),
        calcat.post("conditions/set_expected_condition", body),
        calcat.get("calibration_constant_versions/get_by_detector_conditions", body),
    ):
        assert answer.status_code in (400, 422), answer.content


def test_who_may_not_keep_constants_reads_them(facility: Facility) -> None:
    reader = Legacy(facility, facility.person(), scopes=["read"], tree="calibration")
    assert reader.get("detectors/").content == b"[]"
    assert reader.get("me").json()["roles"] == []
    answer = reader.post("detector_types/", {"detector_type": {"name": "LPD-Type"}})
    assert answer.status_code == 403
    assert "may not change" in answer.json()["info"]


def test_instruments_lead_to_their_detectors(calcat: Legacy, facility: Facility) -> None:
    detector = facility.detector(modules=1)
    spb = calcat.get("instruments?identifier=SPB").json()[0]
    found = calcat.get(f"detectors/get_all_by_instrument?instrument_id={spb['id']}").json()
    assert [row["identifier"] for row in found] == [detector.identifier]
    one = found[0]["detectors_instruments"][0]
    assert (one["instrument_id"], one["detector_id"]) == (spb["id"], detector.pk)
    for value in ("", "x", "99"):
        path = f"detectors/get_all_by_instrument?instrument_id={value}"
        assert calcat.get(path).json() == []


def test_reports_are_set_once(calcat: Legacy) -> None:
    report = {"report": {"name": "a", "file_path": "/a.pdf"}}
    first = made(calcat.post("reports/set", report))
    again = made(calcat.post("reports/set", {"name": "b", "file_path": "/a.pdf"}), 200)
    assert again == first
    assert [r["id"] for r in calcat.get("reports/?file_path=/a.pdf").json()] == [first["id"]]


class TestVersions:
    """Versions and how one is chosen."""

    @pytest.fixture
    def catalogue(self) -> Catalogue:
        return Catalogue()

    @pytest.fixture
    def detector(self, facility: Facility) -> Detector:
        return facility.detector(modules=2)

    @pytest.fixture
    def unit(self, detector: Detector) -> DetectorUnit:
        return detector.units.get(module_number=0)

    @pytest.fixture
    def versions(self, catalogue: Catalogue, unit: DetectorUnit) -> list[ConstantVersion]:
        """At hours 0, 10 and 20."""
        condition = catalogue.condition()
        return [catalogue.version(unit, condition, hours=n, name=f"at {n}") for n in (0, 10, 20)]

    def path(self, action: str, version: ConstantVersion, hours: float, **more: Any) -> str:
        facts = {
            "calibration_constant_ids": f"[{version.constant_id}]",
            "physical_detector_unit_id": version.unit_id,
            "event_at": f"{BEGIN + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}Z",
            "snapshot_at": "",
            **more,
        }
        query = "&".join(f"{name}={value}" for name, value in facts.items())
        return f"calibration_constants/{version.constant_id}/{action}?{query}"

    def test_by_time(self, calcat: Legacy, versions: list[ConstantVersion]) -> None:
        def name(action: str, hours: float, **more: Any) -> Any:
            answer = calcat.get(self.path(action, versions[0], hours, **more))
            return answer.json()["name"] if answer.status_code == 200 else answer.status_code

        for action in ("get_version", "get_prior_in_time_version"):
            assert [name(action, hours) for hours in (-1, 0, 16, 99)] == [
                *(404, "at 0", "at 10", "at 20"),
            ]
        assert [name("get_closest_version", hours) for hours in (-9, 16, 99)] == [
            *("at 0", "at 20", "at 20"),
        ]
        then = f"{BEGIN:%Y-%m-%dT%H:%M:%S}Z"
        assert name("get_version", 99, snapshot_at=then) == "at 0"
        assert name("get_version", 99, physical_detector_unit_id="") == 404
        everything = calcat.get(self.path("get_all_versions", versions[0], 9)).json()
        assert [row["name"] for row in everything] == ["at 10", "at 0", "at 20"]

    def test_by_detector(
        self, calcat: Legacy, catalogue: Catalogue, versions: list[ConstantVersion]
    ) -> None:
        detector = versions[0].unit.detector
        second = detector.units.get(module_number=1)
        catalogue.version(second, catalogue.condition(), name="second")
        path = self.path(
            "get_closest_version_by_detector", versions[0], 19, detector_id=detector.pk
        )
        found = calcat.get(path).json()
        assert [row["name"] for row in found] == ["at 20", "second"]
        assert [row["name"] for row in calcat.get(f"{path}&karabo_da=AGIPD01").json()] == ["second"]
        assert calcat.get(f"{path}&karabo_da=AGIPD07").status_code == 404

    def test_by_detector_and_condition(
        self, calcat: Legacy, catalogue: Catalogue, versions: list[ConstantVersion]
    ) -> None:
        unit = versions[0].unit
        catalogue.version(unit, catalogue.condition(), kind=catalogue.noise, name="noise")

        def names(hours: float, **more: Any) -> list[str]:
            facts = {
                "detector_identifier": unit.detector.identifier,
                "calibration_id": f"[{catalogue.noise.pk}, {catalogue.offset.pk}]",
                "event_at": f"{BEGIN + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}Z",
                "begin_strategy_at": "",
                **more,
            }
            query = "&".join(f"{name}={value}" for name, value in facts.items())
            path = f"calibration_constant_versions/get_by_detector_conditions?{query}"
            answer = calcat.get(path, {PARAMETERS: asked(catalogue)[PARAMETERS]})
            assert answer.status_code == 200, answer.content
            return [row["name"] for row in answer.json()]

        assert names(16) == ["noise", "at 20"]
        assert names(16, begin_at_strategy="prior") == ["noise", "at 10"]
        assert names(16, calibration_id=catalogue.offset.pk) == ["at 20"]
        assert names(16, karabo_da="AGIPD01") == []
        assert names(16, detector_identifier="none") == []

    def test_what_is_told_of_one(
        self, calcat: Legacy, versions: list[ConstantVersion], unit: DetectorUnit
    ) -> None:
        """The clients give every member that is no object to a constructor."""
        with time_machine.travel(BEGIN + timedelta(days=1), tick=False):
            entering.edit_unit(unit, by=COMMAND, aggregator="AGIPD09")
        row = calcat.get(f"calibration_constant_versions/{versions[0].pk}").json()
        assert set(row) == {
            *("id", "name", "file_name", "path_to_file", "data_set_name", "flg_deployed"),
            *("flg_good_quality", "begin_validity_at", "end_validity_at", "begin_at"),
            *("start_idx", "end_idx", "raw_data_location", "report_id", "description"),
            *("created_at", "view_url", "calibration_constant", "physical_detector_unit"),
        }
        assert row["begin_at"] == "2026-11-20T09:00:00.000+01:00"
        assert row["physical_detector_unit"]["karabo_da"] == "AGIPD09"
        assert row["physical_detector_unit"]["karabo_da_at_ccv_begin_at"] == "AGIPD00"
        assert calcat.delete(f"calibration_constant_versions/{row['id']}").status_code == 405

    def test_null_and_nothing_come_back_as_they_went(
        self, calcat: Legacy, versions: list[ConstantVersion]
    ) -> None:
        path = f"calibration_constant_versions/{versions[0].pk}"
        for said in ("", None, "text"):
            body = {"description": said, "raw_data_location": said, "start_idx": None}
            row = made(calcat.put(path, {"calibration_constant_version": body}), 200)
            assert (row["description"], row["raw_data_location"]) == (said, said)
        assert refused(calcat.put(path, {"calibration_constant_id": "-7"})) == {
            "calibration_constant_id": ["cannot be updated"]
        }

    def test_by_their_report(self, calcat: Legacy, versions: list[ConstantVersion]) -> None:
        report = made(calcat.post("reports", {"name": "a", "file_path": "/a.pdf"}))
        path = f"calibration_constant_versions/{versions[1].pk}"
        made(calcat.put(path, {"report_id": report["id"]}), 200)
        for query in (f"report_id={report['id']}", "report.file_path=/a.pdf", "name=at 10"):
            found = calcat.get(f"calibration_constant_versions/?{query}").json()
            assert [row["name"] for row in found] == ["at 10"], query
        told = calcat.get(f"reports/{report['id']}").json()["calibration_constant_versions"]
        assert [row["name"] for row in told] == ["at 10"]
        made(calcat.put(path, {"report_id": ""}), 200)
        assert calcat.get("calibration_constant_versions?report.file_path=/a.pdf").json() == []
