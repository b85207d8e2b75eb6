"""The facility's own lists, and the catalogue of constants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from catalogue.ground.models import (
    CalibrationKind,
    CalibrationParameter,
    Condition,
    ConditionParameter,
    Constant,
    ConstantVersion,
    Cycle,
    Technique,
)
from runs import calibrating
from runs.api.constants import told_parameter
from runs.models import Calibration, Run
from tests.calling import Callers, done, refused
from tests.factories import Facility, InstrumentFactory


def _of(told: Any, member: str) -> list[Any]:
    return [row[member] for row in told["results"]]


def test_the_facility_s_lists(facility: Facility, run: Run, callers: Callers) -> None:
    other = InstrumentFactory(identifier="FXE")
    saxs = Technique.objects.create(identifier="PaNET01188", name="SAXS", practised=True)
    Technique.objects.create(identifier="PaNET01168", name="SFX")
    other.techniques.add(saxs)
    Cycle.objects.create(identifier="202602", instrument=other)
    who = callers.stranger  # everybody with an account
    assert _of(done(who.get("instruments")), "identifier") == ["FXE", "SPB"]
    assert (
        _of(done(who.get("instruments?order=-identifier&q=instrument")), "identifier")[0] == "SPB"
    )
    assert done(who.get("instruments/FXE"))["techniques"] == ["PaNET01188"]
    refused(who.get("instruments/XYZ"), 404)
    assert _of(done(who.get("techniques?practised=true")), "identifier") == ["PaNET01188"]
    assert _of(done(who.get("techniques?instrument=FXE")), "identifier") == ["PaNET01188"]
    assert _of(done(who.get("techniques?q=sf")), "name") == ["SFX"]
    assert _of(done(who.get("cycles?instrument=FXE")), "identifier") == ["202602"]
    assert _of(done(who.get("cycles")), "instrument") == [None, "FXE"]
    assert _of(done(who.get("experiment-types?is_dark=true")), "name") == ["Dark"]
    refused(who.get("techniques?practiced=true"), 422, "practiced")


@pytest.fixture
def version(facility: Facility) -> ConstantVersion:
    """A constant of the detector's first unit, under a condition of a number and a text."""
    unit = facility.detector().units.get(aggregator="AGIPD00")
    kind = CalibrationKind.objects.create(name="Offset")
    condition = Condition.objects.create(name="bias 300")
    for name, value, text in (("Sensor Bias Voltage", 300.0, None), ("Pattern", None, "by name")):
        parameter = CalibrationParameter.objects.create(name=name)
        ConditionParameter.objects.create(
            condition=condition, parameter=parameter, value=value, text_value=text
        )
    constant = Constant.objects.create(
        name="c", kind=kind, detector_type=unit.detector_type, condition=condition
    )
    return ConstantVersion.objects.create(
        constant=constant, unit=unit, name="20261120_080000_sA", file_name="a.h5",
        path_to_file="xfel/cal", data_set_name="/Offset/0/data",
        begin_at=datetime(2026, 11, 20, 8, tzinfo=UTC),
    )  # fmt: skip


class TestConstants:
    def test_detectors_with_their_units(self, version: ConstantVersion, callers: Callers) -> None:
        told = done(callers.stranger.get("detectors?instrument=SPB"))["results"]
        assert told[0]["identifier"] == "SPB_DET_AGIPD1M-1"
        assert told[0]["instruments"] == ["SPB"]
        assert done(callers.stranger.get("detectors?instrument=FXE"))["results"] == []
        path = "detectors/SPB_DET_AGIPD1M-1"
        assert done(callers.stranger.get(path)) == told[0]
        units = done(callers.stranger.get(f"{path}/units"))
        assert [u["aggregator"] for u in units] == ["AGIPD00", "AGIPD01"]
        done(callers.stranger.get(f"{path}/units?at=2026-11-20T08:00:00Z"))
        refused(callers.stranger.get(f"{path}/units?at=then"), 422, "at")
        refused(callers.stranger.get("detectors/none/units"), 404)

    def test_versions_with_their_condition(
        self, version: ConstantVersion, callers: Callers
    ) -> None:
        told = done(callers.stranger.get("constants?calibration=Offset&good=true"))["results"]
        assert _names(told) == [version.name]
        one = done(callers.stranger.get(f"constants/{version.pk}"))
        assert one["condition"] == "bias 300"
        assert [(p["value"], p["text"]) for p in one["parameters"]] == [
            (300.0, None), (None, "by name"),
        ]  # fmt: skip
        for query in ("detector=none", "unit=x", "until=2026-11-20T08:00:00Z", "deployed=false"):
            assert done(callers.stranger.get(f"constants?{query}"))["results"] == []
        assert done(callers.stranger.get("constants?since=2026-11-20T08:00:00Z"))["results"]

    def test_which_runs_used_a_version_is_told_to_who_may_know_of_them(
        self, facility: Facility, run: Run, version: ConstantVersion, callers: Callers
    ) -> None:
        made: Calibration = calibrating.request_calibration(run, by=facility.staff)
        made.constants.add(version)
        used = done(callers.leader.get(f"constants/{version.pk}/runs"))["results"]
        assert used == [{"proposal": run.proposal.number, "run": 1}]
        assert done(callers.stranger.get(f"constants/{version.pk}/runs"))["results"] == []
        path = f"proposals/{run.proposal.number}/constants"
        told = done(callers.leader.get(path))["results"]
        assert [(v["name"], v["runs"]) for v in told] == [(version.name, [1])]
        refused(callers.stranger.get(path), 404)


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows]


def test_a_value_that_json_cannot_tell_is_told_as_text() -> None:
    row = ConditionParameter(
        parameter=CalibrationParameter(name="Detector UUID"), value=float("inf")
    )
    assert (told_parameter(row)["value"], told_parameter(row)["text"]) == (None, "inf")
