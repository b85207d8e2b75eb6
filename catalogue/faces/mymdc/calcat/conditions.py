"""Operating conditions: found by what is asked for, or made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import URLPattern

from catalogue.constants.conditions import Stored
from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.calcat import columns as c
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import BLANK, EXISTS, checked, shown
from catalogue.faces.mymdc.errors import TAKEN, Missing, Wrong
from catalogue.faces.mymdc.resource import Resource, at
from catalogue.ground import clock
from catalogue.ground.actor import Actor
from catalogue.ground.models import CalibrationParameter, Condition, ConditionParameter
from runs.constants import choosing, entering, reading

LIST = "parameters_conditions_attributes"
MOST = 1000


@dataclass(frozen=True)
class Asked:
    """The values of a request, and what it says of each beside; `unknown`: it names a parameter
    that there is not."""

    values: Mapping[CalibrationParameter, Stored]
    said: Mapping[CalibrationParameter, Mapping[str, Any]]
    unknown: bool = False

    @property
    def plain(self) -> dict[int, Any]:
        """Values by the ids of their parameters."""
        return {parameter.pk: one.value for parameter, one in self.values.items()}

    @property
    def whole(self) -> dict[int, Stored]:
        """The same with deviations."""
        return {parameter.pk: one for parameter, one in self.values.items()}


def asked(call: Call) -> Asked:
    """The parameters in the body, also that of a GET. Raises `Wrong`."""
    items = call.attributes("condition").get(LIST)
    if not isinstance(items, list) or len(items) > MOST:
        raise Wrong({LIST: [f"must be a list of at most {MOST} parameters"]})
    known = _Parameters(items)
    values: dict[CalibrationParameter, Stored] = {}
    said: dict[CalibrationParameter, dict[str, Any]] = {}
    unknown = False
    for item in items:
        parameter = known.of(item)
        if parameter is None:
            unknown = True
            continue
        if parameter in values:
            raise Wrong({LIST: [f"{parameter} {TAKEN}"]})
        values[parameter] = _stored(parameter, item)
        said[parameter] = _beside(item)
    return Asked(values, said, unknown)


class _Parameters:
    """The parameters that a request names, by id or by name, whatever the name's case."""

    def __init__(self, items: list[Any]) -> None:
        if not all(isinstance(item, dict) for item in items):
            raise Wrong({LIST: ["must be a list of objects"]})
        rows = list(reading.parameters())
        self._by_id = {row.pk: row for row in rows}
        self._by_name = {row.name.lower(): row for row in rows}

    def of(self, item: Mapping[str, Any]) -> CalibrationParameter | None:
        try:
            number = wire.integer(item.get("parameter_id"))
            name = wire.text(item.get("parameter_name"))
        except wire.Unreadable:
            return None
        if number is not None:
            return self._by_id.get(number)
        return self._by_name.get((name or "").lower())


def _stored(parameter: CalibrationParameter, item: Mapping[str, Any]) -> Stored:
    if parameter.text:
        return Stored(str(_needed(wire.text, item, "value")))
    return Stored(
        float(_needed(wire.real, item, "value")),
        _read(wire.real, item, "lower_deviation_value") or 0.0,
        _read(wire.real, item, "upper_deviation_value") or 0.0,
    )


def _beside(item: Mapping[str, Any]) -> dict[str, Any]:
    available = _read(wire.flag, item, "flg_available")
    return {
        "available": True if available is None else available,
        "description": _read(wire.text, item, "description"),
    }


def _needed(parse: Any, item: Mapping[str, Any], name: str) -> Any:
    value = _read(parse, item, name)
    if value is None:
        raise Wrong({f"parameters_conditions.{name}": [BLANK]})
    return value


def _read(parse: Any, item: Mapping[str, Any], name: str) -> Any:
    try:
        return parse(item.get(name))
    except wire.Unreadable as error:
        raise Wrong({f"parameters_conditions.{name}": [str(error)]}) from None


def _values(condition: Condition) -> list[dict[str, Any]]:
    return [_value(row) for row in condition.parameters.all()]


def _value(row: ConditionParameter) -> dict[str, Any]:
    return {
        "id": row.pk,
        "parameter_id": row.parameter_id,
        "parameter_name": row.parameter.name,
        "condition_id": row.condition_id,
        "value": c.finite(row.value),
        "txt_value": row.text_value,
        "lower_deviation_value": row.lower_deviation,
        "upper_deviation_value": row.upper_deviation,
        "flg_available": row.available,
        "description": row.description,
        "created_at": wire.shown(row.created_at),
    }


class Conditions(Resource):
    path, wrapper = "conditions", "condition"
    columns = (
        c.name(),
        c.available(),
        c.description(),
        shown("created_at", "created_at"),
        shown("num_parameters", lambda row: len(row.parameters.all())),
        shown("parameters_conditions", _values),
    )
    verbs = frozenset({"index", "show"})

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return reading.conditions()

    def more(self) -> list[URLPattern]:
        return [
            at(f"{self.path}/get_expected_condition", get=self.expected),
            at(f"{self.path}/set_expected_condition", post=self.set_expected),
            at(f"{self.path}/get_possible_conditions", get=self.possible),
        ]

    def expected(self, call: Call) -> Answer:
        """The condition with exactly these parameters, values and deviations."""
        wanted = asked(call)
        found = None if wanted.unknown else choosing.expected(wanted.whole)
        if found is None:
            raise Missing
        return Answer(self.one(call, found.pk))

    def set_expected(self, call: Call) -> Answer:
        """The same, made if there is none."""
        wanted = asked(call)
        if wanted.unknown:
            raise Wrong({"parameters_conditions.parameter": [EXISTS]})
        found = choosing.expected(wanted.whole)
        if found is not None:
            return Answer(self.one(call, found.pk))
        facts = checked(self.columns, call.attributes(self.wrapper), None, call.actor)
        if reading.all_of(Condition).filter(name=facts["name"]).exists():
            raise Wrong({"name": [TAKEN]})
        made, new = entering.enter_condition(
            by=call.actor, values=wanted.values, said=wanted.said, **facts
        )
        return Answer(self.one(call, made.pk), 201 if new else 200)

    def possible(self, call: Call) -> Answer:
        """Every condition that holds for these values, from the one made nearest `event_at` on."""
        wanted = asked(call)
        found = [] if wanted.unknown else choosing.possible(wanted.plain)
        if not found:
            raise Missing
        try:
            event_at = wire.moment(call.attributes(self.wrapper).get("event_at"))
        except wire.Unreadable as error:
            raise Wrong({"event_at": [str(error)]}) from None
        about = event_at or clock.now()
        found.sort(key=lambda row: (abs(row.created_at - about), row.pk))
        rows = {row.pk: row for row in self.rows(call.actor).filter(pk__in=[r.pk for r in found])}
        return Answer(self.shown([rows[row.pk] for row in found]))
