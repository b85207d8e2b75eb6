"""Endpoints of what constants are told apart by: kinds of calibration, parameters, operating
conditions; and the choice of the constants that are to be taken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.constants import selection
from catalogue.constants.conditions import Stored
from catalogue.ground import clock, inputs
from catalogue.ground.endpoints import (
    Choice,
    Endpoint,
    Input,
    Moment,
    Names,
    Parsed,
    Text,
    Time,
    named,
    once,
    page,
    page_answer,
    pages_by,
    refuse_unknown,
    tagged,
)
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import CalibrationParameter, Condition
from runs.api.constants import ConstantAnswer, ParameterAnswer, told_parameter
from runs.constants import choosing, entering, reading

LONGEST = 255
LONGEST_TEXT = 20_000
MOST_VALUES = 100
_NUMBER = {"type": "number"}
_VALUE = {
    "type": "object",
    "properties": {
        "parameter": {"type": "string", "maxLength": LONGEST, "minLength": 1},
        "value": {"oneOf": [_NUMBER, {"type": "string", "maxLength": LONGEST_TEXT}]},
        "lower_deviation": {"type": "number", "minimum": 0},
        "upper_deviation": {"type": "number", "minimum": 0},
    },
    "required": ["parameter", "value"],
    "additionalProperties": False,
}
_VALUES = {"type": "array", "items": _VALUE, "maxItems": MOST_VALUES}
_ASKED = {
    "type": "array",
    "items": {
        **_VALUE,
        "properties": {k: v for k, v in _VALUE["properties"].items() if "deviation" not in k},  # type: ignore[attr-defined]
    },
    "maxItems": MOST_VALUES,
}


def _number(value: object, field: str, least: float = -math.inf) -> float:
    rule = "must be a number" if math.isinf(least) else f"must be a number from {least:g}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(field, rule, value)
    try:
        number = float(value)
    except OverflowError:
        raise Invalid(field, rule, value) from None
    if not math.isfinite(number) or number < least:
        raise Invalid(field, rule, value)
    return number


Values = dict[str, tuple[float | str, dict[str, float]]]
"""By the name of a parameter: its value, and the deviations that were given."""


def _values(value: object, field: str, *, deviations: bool) -> Values:
    if not isinstance(value, list) or len(value) > MOST_VALUES:
        raise Invalid(field, f"must be a list of at most {MOST_VALUES} objects", value)
    known = {"parameter", "value"}
    limits = {"lower_deviation", "upper_deviation"} if deviations else set()
    found: Values = {}
    for n, one in enumerate(value):
        where = f"{field}[{n}]"
        if not isinstance(one, dict) or not known <= set(one) <= known | limits:
            names = ", ".join(sorted(known))
            raise Invalid(where, f"must be an object with {names}", one)
        name = inputs.free_text(one["parameter"], LONGEST, f"{where}.parameter")
        if name in found:
            raise Invalid(where, "must name each parameter only once", name)
        given = {k: _number(one[k], f"{where}.{k}", 0.0) for k in sorted(limits & set(one))}
        found[name] = _one(one["value"], f"{where}.value"), given
    return found


def _one(value: object, field: str) -> float | str:
    if isinstance(value, str):
        return inputs.free_text(value, LONGEST_TEXT, field)
    return _number(value, field)


class NewCondition(Input):
    name = Text(LONGEST, line=True)
    description = Text(LONGEST_TEXT, blank=True, required=False)
    parameters = Parsed(lambda v, f: _values(v, f, deviations=True), _VALUES)


class Wanted(Input):
    """What constants are asked for."""

    detector = Text(LONGEST, line=True)
    aggregators = Names(LONGEST, required=False)
    calibrations = Names(LONGEST)
    parameters = Parsed(lambda v, f: _values(v, f, deviations=False), _ASKED)
    at = Time(required=False)
    strategy = Choice(list(selection.STRATEGIES), required=False)
    units_at = Time(required=False, help_text="Where units were then; otherwise now.")
    known_at = Time(required=False, help_text="With what was known then; otherwise now.")


class KindAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    unit = serializers.CharField(source="unit.symbol", default=None, allow_null=True)
    min_value = serializers.FloatField(allow_null=True)
    max_value = serializers.FloatField(allow_null=True)
    allowed_deviation = serializers.FloatField(allow_null=True)
    description = serializers.CharField(allow_null=True)


class QuantityAnswer(serializers.Serializer[Any]):
    """A quantity of operating conditions."""

    name = serializers.CharField()
    unit = serializers.CharField(source="unit.symbol", default=None, allow_null=True)
    text = serializers.BooleanField(help_text="Its values are texts.")
    logarithmic = serializers.BooleanField()
    default_lower_deviation = serializers.FloatField(allow_null=True)
    default_upper_deviation = serializers.FloatField(allow_null=True)
    available = serializers.BooleanField()
    description = serializers.CharField(allow_null=True)


class ConditionAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    available = serializers.BooleanField()
    description = serializers.CharField(allow_null=True)
    created_at = Moment()
    parameters = ParameterAnswer(many=True)


class ChosenAnswer(serializers.Serializer[Any]):
    """For one unit and one calibration the version that is taken, or none."""

    aggregator = serializers.CharField(allow_null=True)
    unit = serializers.CharField()
    calibration = serializers.CharField()
    constant = ConstantAnswer(allow_null=True)


class Kinds(Endpoint):
    @extend_schema(parameters=pages_by(), responses=page_answer(KindAnswer))
    def get(self, request: Request) -> Response:
        """What is measured of detectors: Offset, Noise …"""
        refuse_unknown(request)
        return page(
            request, reading.kinds(), "name", show=lambda rows: KindAnswer(rows, many=True).data
        )


class Quantities(Endpoint):
    @extend_schema(parameters=pages_by(), responses=page_answer(QuantityAnswer))
    def get(self, request: Request) -> Response:
        """The parameters of which operating conditions consist."""
        refuse_unknown(request)
        return page(
            request, reading.parameters(), "name",
            show=lambda rows: QuantityAnswer(rows, many=True).data,
        )  # fmt: skip


def _told(condition: Condition) -> dict[str, Any]:
    return {
        "id": condition.pk,
        "name": condition.name,
        "available": condition.available,
        "description": condition.description,
        "created_at": Moment().to_representation(condition.created_at),
        "parameters": [told_parameter(one) for one in condition.parameters.all()],
    }


class Conditions(Endpoint):
    @extend_schema(parameters=pages_by(), responses=page_answer(ConditionAnswer))
    def get(self, request: Request) -> Response:
        """Operating conditions, newest first."""
        refuse_unknown(request)
        return page(
            request, reading.conditions(), "-id", show=lambda rows: [_told(row) for row in rows]
        )

    @extend_schema(request=NewCondition, responses={200: ConditionAnswer, 201: ConditionAnswer})
    @once
    def post(self, request: Request) -> Response:
        """The condition with exactly these values and deviations: that which there is (200, as it
        is), or a new one."""
        given = self.given(NewCondition)
        wanted = {
            parameter: _stored(parameter, *one)
            for parameter, one in _parameters(given.pop("parameters")).items()
        }
        row, new = entering.enter_condition(by=self.actor, values=wanted, **given)
        shown = _told(reading.conditions().get(pk=row.pk))
        where = {"Location": f"{request.path}/{row.pk}"}
        return Response(shown, status=201 if new else 200, headers=where)


class OneCondition(Endpoint):
    @extend_schema(responses=ConditionAnswer)
    @tagged
    def get(self, request: Request, id: int) -> Response:
        """One operating condition."""
        refuse_unknown(request, ())
        return Response(_told(self.find(reading.conditions().get, pk=id)))


class Selection(Endpoint):
    @extend_schema(request=Wanted, responses=ChosenAnswer(many=True))
    def post(self, request: Request) -> Response:
        """Which version of each calibration is taken for each unit of a detector, under a
        condition and at a time. Nothing is changed.

        A condition holds if it has exactly these parameters and each value lies within its stored
        deviations; conditions bound to one unit go before those of all. `prior` (unless said
        otherwise) takes what began last before, `closest` what began nearest.
        """
        given = self.given(Wanted)
        detector = named(reading.detector, given["detector"], "detector", "a detector")
        mounted = reading.mounted(
            detector, at=given.get("units_at"), aggregators=given.get("aggregators", ())
        )
        kinds = [
            named(lambda name: reading.kinds().get(name=name), name, "calibrations", "calibrations")
            for name in given["calibrations"]
        ]
        asked = _parameters(given["parameters"])
        found = choosing.by_condition(
            {parameter.pk: value for parameter, (value, _) in asked.items()},
            kinds,
            [one.unit for one in mounted],
            strategy=selection.STRATEGIES[given.get("strategy", "prior")],
            at=given.get("at") or clock.now(),
            snapshot_at=given.get("known_at"),
        )
        rows = {row.pk: ConstantAnswer(row).data for row in choosing.told(found.values())}
        return Response(
            [
                {
                    "aggregator": one.place.aggregator,
                    "unit": one.unit.physical_name,
                    "calibration": kind.name,
                    "constant": rows.get(found.get((one.unit.pk, kind.pk), 0)),
                }
                for one in mounted
                for kind in kinds
            ]
        )


def _parameters(
    values: Values,
) -> Mapping[CalibrationParameter, tuple[float | str, dict[str, float]]]:
    """The rows in the place of the names. Raises `Invalid` for one that there is not, or that has
    values of the other sort."""
    rows = {row.name: row for row in reading.parameters().filter(name__in=list(values))}
    found = {}
    for name, (value, given) in values.items():
        if name not in rows:
            raise Invalid("parameters", "must name parameters of the catalogue", name)
        if rows[name].text is not isinstance(value, str):
            kind = "a text" if rows[name].text else "a number"
            raise Invalid("parameters", f"{name} must be {kind}", value)
        found[rows[name]] = value, given
    return found


def _stored(
    parameter: CalibrationParameter, value: float | str, given: Mapping[str, float]
) -> Stored:
    """A value with the deviations given, else with those that the parameter usually has."""
    if isinstance(value, str):
        return Stored(value)
    return Stored(
        value,
        given.get("lower_deviation", parameter.default_lower_deviation or 0.0),
        given.get("upper_deviation", parameter.default_upper_deviation or 0.0),
    )
