"""The verbs on the catalogue of constants: who may, what is refused, what is told and kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.constants.conditions import Stored
from catalogue.ground import journal
from catalogue.ground.actor import COMMAND, WORKER, Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import (
    CalibrationKind,
    Condition,
    ConstantReport,
    Detector,
    DetectorType,
    DetectorUnit,
)
from catalogue.ground.refusal import Refused
from runs import calibrating
from runs.constants import entering, reading
from tests.constant_rows import Catalogue
from tests.factories import BEGIN, Facility, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture
def unit(facility: Facility) -> DetectorUnit:
    return facility.detector(modules=1).units.get()


def test_who_keeps_the_catalogue(facility: Facility) -> None:
    program = UserFactory(is_service=True)
    for may, who in (
        (True, COMMAND),
        (True, WORKER),
        (True, facility.staff),
        (True, Actor.of(facility.person("instrument_scientist", True), face="page")),
        (True, Actor.of(program, face="api", scopes=frozenset({"calibrate"}))),
        (False, Actor.of(program, face="api", scopes=frozenset({"daq", "read"}))),
        (False, Actor.of(facility.staff.user, face="api", scopes=frozenset({"read"}))),
        (False, Actor.of(facility.person("user_office"), face="page")),
        (False, Actor.of(facility.person(), face="page")),
    ):
        assert entering.may_keep(who) is may, who
        if not may:
            with pytest.raises(Refused) as refused:
                entering.enter(CalibrationKind, by=who, name="Offset")
            assert refused.value.kind == "permission"
    assert not CalibrationKind.objects.exists()


def test_what_is_entered_and_edited_is_told(facility: Facility) -> None:
    kind = entering.enter(DetectorType, by=facility.staff, name="AGIPD-Type")
    entering.edit(kind, by=facility.staff, description="Adaptive Gain")
    entering.edit(kind, by=facility.staff, description="Adaptive Gain")  # nothing changes
    told = list(journal.of(kind).order_by("id").values_list("move", "actor_name"))
    assert told == [("create", facility.staff.name), ("edit", facility.staff.name)]
    assert journal.of(kind).filter(move="edit").get().facts["description"] == "Adaptive Gain"
    entering.remove(kind, by=facility.staff)
    assert not DetectorType.objects.exists()


def test_what_other_rows_know_a_row_by_is_not_changed(
    catalogue: Catalogue, unit: DetectorUnit
) -> None:
    with pytest.raises(Invalid, match="identifier"):
        entering.edit(unit.detector, by=COMMAND, identifier="other")
    with pytest.raises(Invalid, match="physical_name"):
        entering.edit_unit(unit, by=COMMAND, physical_name="other")
    with pytest.raises(Invalid, match="text"):
        entering.edit(catalogue.bias, by=COMMAND, text=True)
    with pytest.raises(Refused, match="Other rows refer"):
        entering.remove(unit.detector_type, by=COMMAND)


def test_names_and_numbers_are_had_once(unit: DetectorUnit) -> None:
    entering.edit_unit(unit, by=COMMAND, uuid=7)
    facts = {"detector_type": unit.detector_type, "physical_name": "another"}
    with pytest.raises(Invalid):
        entering.enter_unit(by=COMMAND, **{**facts, "uuid": 7})
    with pytest.raises(Invalid):
        entering.enter_unit(by=COMMAND, **facts, detector=unit.detector, aggregator=unit.aggregator)
    with pytest.raises(Invalid, match="module_number"):
        entering.enter_unit(by=COMMAND, **facts, module_number=2**64)
    with pytest.raises(Invalid, match="physical_name"):
        entering.enter_unit(by=COMMAND, **{**facts, "physical_name": "x" * 300})
    assert not DetectorUnit.objects.filter(physical_name="another").exists()
    entering.enter_unit(by=COMMAND, **facts, detector=unit.detector, aggregator="")
    facts["physical_name"] = "a third"
    entering.enter_unit(by=COMMAND, **facts, detector=unit.detector, aggregator="")


def test_where_a_unit_was_is_kept(facility: Facility, unit: DetectorUnit) -> None:
    spb = Detector.objects.get()
    mid = entering.enter(Detector, by=COMMAND, identifier="MID", name="MID", karabo_name="MID")
    day = timedelta(days=1)
    with time_machine.travel(BEGIN, tick=False):
        entering.edit_unit(unit, by=COMMAND, description="polished")  # where it is stays
    assert not unit.placements.exists()
    with time_machine.travel(BEGIN + day, tick=False):
        entering.edit_unit(unit, by=COMMAND, detector=None, aggregator=None)
    with time_machine.travel(BEGIN + 2 * day, tick=False):
        entering.edit_unit(unit, by=COMMAND, detector=mid, aggregator="AGIPD05")
        added = entering.enter_unit(
            by=COMMAND, physical_name="new", detector_type=unit.detector_type, detector=spb,
            aggregator="AGIPD00",
        )  # fmt: skip

    def there(detector: Detector, at=None, aggregators=()) -> list[tuple[str, str | None]]:
        found = reading.mounted(detector, at=at, aggregators=aggregators)
        return [(one.unit.physical_name, one.place.aggregator) for one in found]

    assert there(spb, BEGIN - 99 * day) == [(unit.physical_name, "AGIPD00")]
    assert there(spb, BEGIN + day) == []
    assert there(mid, BEGIN + day) == []
    assert there(spb, BEGIN + 2 * day) == there(spb) == [(added.physical_name, "AGIPD00")]
    assert there(mid) == [(unit.physical_name, "AGIPD05")]
    assert there(mid, aggregators=["AGIPD00"]) == []
    assert reading.place_of(added, BEGIN) is None
    first = reading.place_of(added, BEGIN, or_first=True)
    assert first is not None
    assert first.aggregator == "AGIPD00"


def test_a_condition_is_entered_once(catalogue: Catalogue) -> None:
    values = {catalogue.bias: Stored(300.0, 5.0, 5.0), catalogue.cells: Stored("0,1,2,")}
    first, new = entering.enter_condition(by=COMMAND, name="cold", values=values)
    again, also_new = entering.enter_condition(by=COMMAND, name="the same", values=values)
    assert (first, new) == (again, True)
    assert not also_new
    assert Condition.objects.count() == 1
    with pytest.raises(Invalid, match="name"):
        entering.enter_condition(
            by=COMMAND, name="cold", values={**values, catalogue.bias: Stored(1.0)}
        )
    with pytest.raises(Invalid, match="must be a text"):
        entering.enter_condition(by=COMMAND, name="x", values={catalogue.cells: Stored(1.0)})


def test_a_report_is_set_once() -> None:
    first, new = entering.set_report(by=COMMAND, name="a", file_path="/reports/a.pdf")
    again, also_new = entering.set_report(by=COMMAND, name="b", file_path="/reports/a.pdf")
    assert (new, also_new, again) == (True, False, first)
    assert ConstantReport.objects.get().name == "a"


def test_versions_stay_and_say_what_was_used(
    facility: Facility, catalogue: Catalogue, unit: DetectorUnit
) -> None:
    """What our own results say they were made with is not changed afterwards."""
    version = catalogue.version(unit, catalogue.condition())
    with pytest.raises(Refused, match="not deleted"):
        entering.remove(version, by=COMMAND)
    entering.edit(version, by=COMMAND, file_name="moved.h5")
    with time_machine.travel(BEGIN + timedelta(hours=1), tick=False):
        run = facility.run(facility.proposal(state="A"))
        calibration = calibrating.request_calibration(run, by=facility.staff)
    calibration.constants.add(version)
    with pytest.raises(Invalid, match="file_name"):
        entering.edit(version, by=COMMAND, file_name="other.h5")
    entering.edit(version, by=COMMAND, deployed=False)
    version.refresh_from_db()
    assert (version.file_name, version.deployed) == ("moved.h5", False)
    assert list(reading.runs_using(version, facility.staff)) == [run]
    stranger = Actor.of(facility.person(), face="page")
    assert not reading.runs_using(version, stranger).exists()
    assert list(reading.used_by(run.proposal)) == [version]
    assert reading.runs_by_version(run.proposal, [version]) == {version.pk: [run.number]}


def test_a_version_is_of_a_unit_of_its_constants_type(
    catalogue: Catalogue, unit: DetectorUnit
) -> None:
    other = entering.enter(DetectorType, by=COMMAND, name="LPD-Type")
    constant = entering.constant_of(catalogue.offset, other, catalogue.condition(), by=COMMAND)
    with pytest.raises(Invalid, match="unit"):
        entering.enter_version(
            by=COMMAND, constant=constant, unit=unit, begin_at=BEGIN, name="x", file_name="x",
            path_to_file="x", data_set_name="x",
        )  # fmt: skip


def test_null_and_nothing_are_told_apart(catalogue: Catalogue, unit: DetectorUnit) -> None:
    condition = catalogue.condition()
    unsaid = catalogue.version(unit, condition)
    empty = catalogue.version(unit, condition, hours=1, description="", raw_data_location="")
    for version, said in ((unsaid, None), (empty, "")):
        version.refresh_from_db()
        assert version.description == version.raw_data_location == said
