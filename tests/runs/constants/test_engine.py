"""What our own engine takes from the catalogue of constants, and what it adds to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import journal
from catalogue.ground.actor import COMMAND
from catalogue.ground.models import (
    CalibrationParameter,
    Condition,
    ConstantVersion,
    Detector,
    DetectorUnit,
)
from catalogue.ports.engines.contract import MadeConstant, ProducedFile
from catalogue.ports.movers import Entry
from runs import calibrating, constants
from runs.constants import choosing, entering
from runs.models import DarkRequest, Run
from tests.constant_rows import Catalogue
from tests.factories import BEGIN, Facility

pytestmark = pytest.mark.django_db

NOW = BEGIN + timedelta(hours=1)
BIAS = {"Sensor Bias Voltage": 300.0, "Memory cells": 352.0}


@pytest.fixture
def detector(facility: Facility) -> Detector:
    return facility.detector(modules=2)


@pytest.fixture
def dark(facility: Facility, detector: Detector) -> Iterator[Run]:
    with time_machine.travel(NOW, tick=False):
        yield facility.run(facility.proposal(state="A"), type_name="Dark")


def request_of(facility: Facility, dark: Run) -> DarkRequest:
    """A request for constants; it is not left open, so that another may follow."""
    made = calibrating.request_dark(dark, by=facility.staff)
    DarkRequest.objects.filter(pk=made.pk).update(state="failed")
    return made


def add(
    facility: Facility, request: DarkRequest, *kinds: str, content: str = "ab", bias: float = 300.0
) -> list[ConstantVersion]:
    """What the engine made of a dark run for the first unit."""
    file = ProducedFile("AGIPD00.h5", 10, content * 32)
    made = [
        MadeConstant(
            "AGIPD00", "", kind, file, f"AGIPD00/{kind}/0", {**BIAS, "Sensor Bias Voltage": bias},
            (1, 2), 2,
        )
        for kind in kinds
    ]  # fmt: skip
    kept = {file.path: Entry(file.path, 10, file.sha256)}
    folder = f"dark-{request.pk}"
    return constants.add(request, made, facility.stores["constants"], folder, kept)


def unit(detector: Detector) -> DetectorUnit:
    return detector.units.get(module_number=0)


def test_what_a_dark_run_gives_is_taken_for_later_runs(
    facility: Facility, dark: Run, detector: Detector
) -> None:
    (version,) = add(facility, request_of(facility, dark), "Offset")
    units = list(detector.units.all())
    chosen, missing = constants.select(detector, units, ["Offset", "Noise"], at=NOW)
    assert chosen == [version]
    assert missing == (("AGIPD00", "Noise"), ("AGIPD01", "Offset"), ("AGIPD01", "Noise"))
    given = constants.as_input(chosen[0])
    assert (given.unit, given.kind, given.sha256) == ("AGIPD00", "Offset", "ab" * 32)
    assert given.path.endswith("/AGIPD00.h5")
    assert (version.file_name, version.data_set_name) == ("AGIPD00.h5", "AGIPD00/Offset/0")
    assert constants.select(detector, units[:1], ["Offset"], at=BEGIN - NOW.resolution)[0] == []
    told = journal.of(version).get()
    assert (told.move, told.actor_name) == ("create", "Catalogue worker")


def test_the_same_request_again_gives_the_same_rows(facility: Facility, dark: Run) -> None:
    request = request_of(facility, dark)
    first = add(facility, request, "Offset", "Noise")
    assert add(facility, request, "Offset", "Noise") == first
    assert ConstantVersion.objects.count() == 2
    assert Condition.objects.count() == 1


def test_a_version_of_somebody_else_is_not_taken_for_our_own(
    facility: Facility, dark: Run, detector: Detector
) -> None:
    """Names are no secret, and programs enter versions too."""
    request = request_of(facility, dark)
    (expected,) = add(facility, request, "Offset")
    name, constant = expected.name, expected.constant
    expected.delete()
    other = entering.enter_version(
        by=COMMAND, name=name, constant=constant, unit=unit(detector), begin_at=BEGIN,
        file_name="theirs.h5", path_to_file="/elsewhere", data_set_name="/Offset",
    )  # fmt: skip
    (made,) = add(facility, request, "Offset")
    assert made != other
    assert made.store == facility.stores["constants"]
    assert made.name.startswith(name)
    assert add(facility, request, "Offset") == [made]


def test_of_one_dark_run_the_constants_made_last_are_taken(
    facility: Facility, dark: Run, detector: Detector
) -> None:
    (first,) = add(facility, request_of(facility, dark), "Offset")
    (again,) = add(facility, request_of(facility, dark), "Offset", content="cd")
    assert again != first
    assert again.begin_at - first.begin_at == timedelta(microseconds=1)
    assert constants.select(detector, [unit(detector)], ["Offset"], at=NOW)[0] == [again]


def test_the_condition_of_the_last_measurement_stands_for_that_of_a_run(
    facility: Facility, dark: Run, detector: Detector
) -> None:
    add(facility, request_of(facility, dark), "Offset", "Noise")
    other = facility.run(facility.proposal(kind="commissioning", state="A"), type_name="Dark")
    Run.objects.filter(pk=other.pk).update(begin_at=BEGIN + timedelta(minutes=30), end_at=NOW)
    other.refresh_from_db()
    (newest,) = add(facility, request_of(facility, other), "Offset", bias=200.0)
    chosen, missing = constants.select(
        detector, [unit(detector)], ["Offset", "Noise"], at=BEGIN + timedelta(days=1)
    )
    assert chosen == [newest]
    assert missing == (("AGIPD00", "Noise"),)
    # What was measured later says nothing of runs before.
    chosen, missing = constants.select(
        detector, [unit(detector)], ["Offset", "Noise"], at=BEGIN + timedelta(minutes=29)
    )
    assert [version.constant.kind.name for version in chosen] == ["Offset", "Noise"]
    assert missing == ()


def test_parameters_bring_their_usual_deviations(facility: Facility, dark: Run) -> None:
    entering.enter(
        CalibrationParameter, by=COMMAND, name="Sensor Bias Voltage",
        default_lower_deviation=5.0, default_upper_deviation=10.0,
    )  # fmt: skip
    (version,) = add(facility, request_of(facility, dark), "Offset")
    rows = version.constant.condition.parameters.filter(parameter__name="Sensor Bias Voltage")
    assert rows.values_list("lower_deviation", "upper_deviation").get() == (5.0, 10.0)
    (again,) = add(facility, request_of(facility, dark), "Offset")
    assert again.constant == version.constant


@pytest.mark.parametrize(
    "facts",
    [{"deployed": False}, {"good_quality": False}, {"end_validity_at": BEGIN + timedelta(hours=1)}],
)
def test_what_was_withdrawn_or_has_ended_is_not_taken(
    facility: Facility, dark: Run, detector: Detector, facts: dict[str, object]
) -> None:
    (version,) = add(facility, request_of(facility, dark), "Offset")
    (noise,) = add(facility, request_of(facility, dark), "Noise")
    entering.edit(version, by=COMMAND, **facts)
    chosen, missing = constants.select(detector, [unit(detector)], ["Offset", "Noise"], at=NOW)
    assert (chosen, missing) == ([noise], (("AGIPD00", "Offset"),))


def test_a_version_whose_file_is_elsewhere_is_missed(detector: Detector) -> None:
    """An older one of ours is not taken in its place: that would be a silent error."""
    catalogue = Catalogue()
    catalogue.version(unit(detector), catalogue.condition())
    chosen, missing = constants.select(detector, [unit(detector)], ["Offset"], at=NOW)
    assert (chosen, missing) == ([], (("AGIPD00", "Offset"),))


def test_constants_bound_to_a_unit_are_taken_for_it(facility: Facility, detector: Detector) -> None:
    catalogue = Catalogue()
    mine = unit(detector)
    mine.uuid = 1000
    mine.save()
    binding = catalogue.parameter(choosing.BINDING)
    bound = catalogue.condition((binding, mine.float_uuid or 0.0))
    kept = {"store": facility.stores["constants"], "path": "a/b.h5", "bytes": 1, "sha256": "0" * 64}
    version = catalogue.version(mine, bound, **kept)
    chosen, _ = constants.select(detector, [mine], ["Offset"], at=NOW)
    assert chosen == [version]
