"""What is read of the catalogue of calibration constants. Everybody who is signed in may read it;
which runs used a version is narrowed to the runs that the reader may see."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db.models import Model, Prefetch, Q, QuerySet

from catalogue.constants import places
from catalogue.ground.actor import Actor
from catalogue.ground.models import (
    CalibrationKind,
    CalibrationParameter,
    Condition,
    ConditionParameter,
    Constant,
    ConstantReport,
    ConstantVersion,
    Detector,
    DetectorType,
    DetectorUnit,
    UnitPlacement,
)
from proposals.models import Proposal
from runs import access
from runs.models import Calibration, Run

T = TypeVar("T", bound=Model)


def all_of(kind: type[T]) -> QuerySet[T]:
    """Every row of a table, plainly."""
    return kind._base_manager.all()


def detector_types() -> QuerySet[DetectorType]:
    return DetectorType.objects.all()


def detectors() -> QuerySet[Detector]:
    """Detectors with the instruments at which they are used."""
    return Detector.objects.prefetch_related("detectors_instruments__instrument")


def detector(identifier: str) -> Detector:
    """The detector of that identifier. Raises `Detector.DoesNotExist`."""
    return detectors().get(identifier=identifier)


def units() -> QuerySet[DetectorUnit]:
    """Physical detector units with their detector and their type."""
    return DetectorUnit.objects.select_related("detector", "detector_type")


def units_told() -> QuerySet[DetectorUnit]:
    """Units with their history."""
    return units().prefetch_related("placements__detector")


def parameters() -> QuerySet[CalibrationParameter]:
    return CalibrationParameter.objects.select_related("unit")


def kinds() -> QuerySet[CalibrationKind]:
    return CalibrationKind.objects.select_related("unit")


def conditions() -> QuerySet[Condition]:
    """Conditions with their values."""
    values = ConditionParameter.objects.select_related("parameter__unit")
    return Condition.objects.prefetch_related(Prefetch("parameters", values))


def constants() -> QuerySet[Constant]:
    return Constant.objects.select_related("kind", "detector_type", "condition")


def reports() -> QuerySet[ConstantReport]:
    return ConstantReport.objects.select_related("user")


def versions() -> QuerySet[ConstantVersion]:
    """Versions with all that is told of them, and where their units were."""
    return ConstantVersion.objects.select_related(
        "constant__kind", "constant__detector_type", "constant__condition",
        "unit__detector", "unit__detector_type", "report", "store",
    ).prefetch_related("unit__placements")  # fmt: skip


# ---------------------------------------------------------------- where units are, and were


@dataclass(frozen=True, slots=True)
class Mounted:
    """A unit and its place at the moment that was asked about."""

    unit: DetectorUnit
    place: places.Place


def place_of(
    unit: DetectorUnit, at: datetime | None, *, or_first: bool = False
) -> places.Place | None:
    """Where a unit was at `at` (None: now); its placements may have been read beforehand."""
    history = [] if at is None else [_place(row.from_at, row) for row in unit.placements.all()]
    return places.as_of(history, _place(None, unit), at, or_first=or_first)


def _place(from_at: datetime | None, row: DetectorUnit | UnitPlacement) -> places.Place:
    return places.Place(
        from_at,
        row.detector_id,
        row.aggregator,
        row.virtual_device_name,
        row.module_number,
    )


def mounted(
    detector: Detector, *, at: datetime | None = None, aggregators: Collection[str] = ()
) -> list[Mounted]:
    """The units of a detector as of `at` (None: now) by aggregator; only those behind
    `aggregators`, if any are named."""
    somewhen = Q(detector=detector)
    if at is not None:
        somewhen |= Q(pk__in=detector.unitplacements.values("unit"))
    found = []
    for unit in units().filter(somewhen).prefetch_related("placements"):
        place = place_of(unit, at)
        if place is None or place.detector != detector.pk:
            continue
        if not aggregators or place.aggregator in aggregators:
            found.append(Mounted(unit, place))
    return sorted(found, key=lambda m: (m.place.aggregator or "", m.unit.pk))


# ---------------------------------------------------------------- what they were used for


def runs_using(version: ConstantVersion, actor: Actor) -> QuerySet[Run]:
    """The runs that were corrected with a version, as far as `actor` may know of them."""
    used = Calibration.objects.filter(constants=version).values("run")
    return (
        access.visible(actor)
        .filter(pk__in=used)
        .select_related("proposal__instrument", "proposal__cycle")
    )


def used_by(proposal: Proposal) -> QuerySet[ConstantVersion]:
    """The versions that calibrations of a proposal's runs used."""
    used = Calibration.constants.through.objects.filter(calibration__run__proposal=proposal)
    return versions().filter(pk__in=used.values("constantversion"))


def runs_by_version(
    proposal: Proposal, wanted: Collection[ConstantVersion]
) -> dict[int, list[int]]:
    """By the id of a version the numbers of the proposal's runs that used it."""
    rows = (
        Calibration.constants.through.objects.filter(
            calibration__run__proposal=proposal, constantversion__in=[v.pk for v in wanted]
        )
        .values_list("constantversion", "calibration__run__number")
        .distinct()
        .order_by("calibration__run__number")
    )
    found: dict[int, list[int]] = {}
    for version, number in rows:
        found.setdefault(version, []).append(number)
    return found
