"""The verbs on the catalogue of calibration constants: entering, editing, taking out.

It is one catalogue for the whole facility, so the right to keep it is had by everybody who has an
office with it, wherever they hold it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import ProtectedError

from catalogue.constants.conditions import Stored
from catalogue.ground import access, clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import (
    PLACE,
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
    Entered,
    Instrument,
    UnitPlacement,
)
from catalogue.ground.refusal import Refused
from proposals.access import today
from runs.constants import choosing

R = TypeVar("R", bound=Entered)

_IDENTITY: Final[Mapping[type[Entered], Collection[str]]] = {
    Detector: ("identifier",),
    DetectorUnit: ("physical_name",),
    CalibrationParameter: ("name", "unit", "text"),
    CalibrationKind: ("name", "unit"),
    ConstantVersion: ("constant", "unit"),
}
"""What never changes: other rows and other programs know these by it."""

_KEPT: Final = ("file_name", "path_to_file", "data_set_name", "begin_at")
"""What says where a constant is and from when it holds."""


def may_keep(actor: Actor) -> bool:
    """Whether `actor` may enter and edit rows of this catalogue."""
    if actor.system:
        return True
    roles = access.offices(actor, today()).values_list("role", flat=True)
    return access.CONSTANTS in access.allowed(actor, roles)


def _require(actor: Actor) -> None:
    if not may_keep(actor):
        raise Refused(
            "You may not change the catalogue of calibration constants.",
            kind="permission",
            who="the instrument's staff or a data manager",
        )


@transaction.atomic
def enter(kind: type[R], /, *, by: Actor, **facts: Any) -> R:
    """A new row of one of the tables. Raises `Invalid` or `Refused`."""
    _require(by)
    row = kind(**facts)
    _check(row)
    row.save()
    journal.write(row, "create", by=by, facts=_told(facts))
    return row


@transaction.atomic
def edit(row: R, /, *, by: Actor, **facts: Any) -> R:
    """Change columns of a row. Raises `Invalid` or `Refused`."""
    _require(by)
    kind = type(row)
    # without joins: a nullable one could not be locked
    fresh = kind._base_manager.select_for_update().get(pk=row.pk)
    changes = {name: value for name, value in facts.items() if getattr(fresh, name) != value}
    for name in _fixed(fresh):
        if name in changes:
            raise Invalid(name, "cannot be changed", str(changes[name]))
    before = {name: getattr(fresh, name) for name in changes}
    for name, value in changes.items():
        setattr(fresh, name, value)
    if changes:
        _check(fresh)
        fresh.save()
        told = {"before": _told(before), **_told(changes)}
        journal.write(fresh, "edit", by=by, facts=told)
    return fresh


def _fixed(row: Entered) -> tuple[str, ...]:
    fixed = tuple(_IDENTITY.get(type(row), ()))
    if isinstance(row, ConstantVersion) and (row.store_id or row.calibrations.exists()):
        return (*fixed, *_KEPT)  # what our own results say they were made with
    return fixed


@transaction.atomic
def remove(row: Entered, *, by: Actor) -> None:
    """Take out a row that nothing refers to. Versions stay for good. Raises `Refused`."""
    _require(by)
    if isinstance(row, ConstantVersion):
        raise Refused("Versions of constants are not deleted; set them to not deployed.")
    journal.write(row, "remove", by=by)
    try:
        with transaction.atomic():
            row.delete()
    except ProtectedError:
        raise Refused(f"Other rows refer to {row.label}; it stays.") from None


# ---------------------------------------------------------------- units and where they are


@transaction.atomic
def enter_unit(*, by: Actor, since: datetime | None = None, **facts: Any) -> DetectorUnit:
    """A new detector unit; where it is mounted holds from now, or from `since`."""
    unit = enter(DetectorUnit, by=by, **facts)
    _place(unit, since or clock.now())
    return unit


@transaction.atomic
def edit_unit(unit: DetectorUnit, /, *, by: Actor, **facts: Any) -> DetectorUnit:
    """Change a unit; where it was before is kept."""
    before = DetectorUnit.objects.select_for_update().get(pk=unit.pk)
    edited = edit(unit, by=by, **facts)
    if any(getattr(before, name) != getattr(edited, name) for name in PLACE):
        if not edited.placements.exists():
            _place(before, None)
        _place(edited, clock.now())
    return edited


def _place(unit: DetectorUnit, from_at: datetime | None) -> None:
    facts = {name: getattr(unit, name) for name in PLACE}
    UnitPlacement.objects.update_or_create(unit=unit, from_at=from_at, defaults=facts)


@transaction.atomic
def set_instruments(detector: Detector, *, instruments: Iterable[Instrument], by: Actor) -> None:
    """Name all the instruments at which a detector is used."""
    _require(by)
    named = list(instruments)
    before = sorted(map(str, detector.instruments.all()))
    detector.instruments.set(named)
    after = sorted(map(str, named))
    if before != after:
        journal.write(detector, "edit", by=by, facts={"instruments": after, "before": before})


# ---------------------------------------------------------------- conditions, reports


@transaction.atomic
def enter_condition(
    *,
    by: Actor,
    name: str,
    values: Mapping[CalibrationParameter, Stored],
    available: bool = True,
    description: str | None = None,
    said: Mapping[CalibrationParameter, Mapping[str, Any]] | None = None,
) -> tuple[Condition, bool]:
    """The condition with exactly these values, and whether it is new; `name` and what is `said`
    of single values beside (`available`, `description`) count for a new one only."""
    _require(by)
    for parameter, one in values.items():
        if parameter.text is not isinstance(one.value, str):
            kind = "text" if parameter.text else "number"
            raise Invalid(parameter.name, f"must be a {kind}", one.value)
    _one_at_a_time(values)
    found = choosing.expected({parameter.pk: one for parameter, one in values.items()})
    if found is not None:
        return found, False
    made = enter(Condition, by=by, name=name, available=available, description=description)
    ConditionParameter.objects.bulk_create(
        _row(made, parameter, one, (said or {}).get(parameter, {}))
        for parameter, one in values.items()
    )
    return made, True


def _one_at_a_time(parameters: Iterable[CalibrationParameter]) -> None:
    """Whoever else enters a condition with one of these parameters waits: two that ask for the
    same one get one."""
    rows = CalibrationParameter.objects.filter(pk__in=[p.pk for p in parameters])
    list(rows.order_by("pk").select_for_update().values_list("pk"))


def _row(
    condition: Condition,
    parameter: CalibrationParameter,
    one: Stored,
    said: Mapping[str, Any],
) -> ConditionParameter:
    text = one.value if isinstance(one.value, str) else None
    return ConditionParameter(
        condition=condition,
        parameter=parameter,
        value=None if isinstance(one.value, str) else one.value,
        text_value=text,
        lower_deviation=one.lower,
        upper_deviation=one.upper,
        **said,
    )


@transaction.atomic
def set_report(*, by: Actor, file_path: str, **facts: Any) -> tuple[ConstantReport, bool]:
    """The report with this address, as it is if there is one, else new; and whether it is new."""
    _require(by)
    if found := ConstantReport.objects.filter(file_path=file_path).first():
        return found, False
    return enter(ConstantReport, by=by, file_path=file_path, **facts), True


def unlike(text: str, facts: str) -> str:
    """A name that people can read and that differs wherever the facts do."""
    return f"{text[:200]} #{hashlib.sha256(facts.encode()).hexdigest()[:8]}"


@transaction.atomic
def constant_of(
    kind: CalibrationKind, detector_type: DetectorType, condition: Condition, *, by: Actor
) -> Constant:
    """The constant of these three, made if there is none yet."""
    _require(by)
    name = unlike(
        f"{detector_type} {kind} {condition}", f"{detector_type.pk} {kind.pk} {condition.pk}"
    )
    found, new = Constant.objects.get_or_create(
        kind=kind, detector_type=detector_type, condition=condition, defaults={"name": name}
    )
    if new:
        journal.write(found, "create", by=by)
    return found


@transaction.atomic
def enter_version(
    *, by: Actor, constant: Constant, unit: DetectorUnit, begin_at: datetime, **facts: Any
) -> ConstantVersion:
    """A new version of a constant, measured for a unit of the constant's detector type."""
    if constant.detector_type_id != unit.detector_type_id:
        raise Invalid("unit", f"must be of type {constant.detector_type}", unit.physical_name)
    return enter(ConstantVersion, by=by, constant=constant, unit=unit, begin_at=begin_at, **facts)


# ---------------------------------------------------------------- what a row must keep to


def _check(row: Entered) -> None:
    """Refuse what the table could not hold or has already. Foreign keys were read from tables."""
    keys = {field.name for field in row._meta.concrete_fields if field.is_relation}
    try:
        row.clean_fields(exclude=keys)
        row.validate_unique()
        row.validate_constraints()
    except ValidationError as error:
        raise _invalid(row, error) from None


def _invalid(row: models.Model, error: ValidationError) -> Invalid:
    told = error.message_dict if hasattr(error, "error_dict") else {"row": error.messages}
    name, messages = next(iter(told.items()))
    return Invalid(name, messages[0].rstrip(".").lower(), _short(getattr(row, name, None)))


def _told(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _short(value) for name, value in facts.items() if value not in (None, "")}


def _short(value: Any) -> Any:
    return f"{value[:200]}…" if isinstance(value, str) and len(value) > 200 else value
