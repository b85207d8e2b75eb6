"""Endpoints by which programs keep the catalogue of constants: units where they are, and versions
that were made elsewhere."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground import inputs
from catalogue.ground.endpoints import (
    Endpoint,
    Flag,
    Input,
    Moment,
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
    unless_changed,
)
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import ConstantVersion, DetectorUnit
from runs.api import constants
from runs.constants import entering, reading

LONGEST = 255
LONGEST_TEXT = 20_000
LONGEST_MODULE = 2**31 - 1


def _whole(value: object, field: str, most: int) -> int:
    if type(value) is not int or not -most - 1 <= value <= most:
        raise Invalid(field, f"must be a whole number from {-most - 1} to {most}", value)
    return value


def _uuid(value: object, field: str) -> int:
    return _whole(value, field, inputs.BIGGEST)


def _module(value: object, field: str) -> int:
    return _whole(value, field, LONGEST_MODULE)


_INTEGER = {"type": "integer", "minimum": -LONGEST_MODULE - 1, "maximum": LONGEST_MODULE}
_UUID = {"type": "integer", "minimum": -inputs.BIGGEST - 1, "maximum": inputs.BIGGEST}


class UnitChanges(Input):
    """What is not given stays; the place that a unit had is kept in its history."""

    detector = Text(LONGEST, line=True, required=False, allow_null=True)
    aggregator = Text(LONGEST, line=True, required=False, allow_null=True)
    position = Text(LONGEST, line=True, required=False, allow_null=True)
    module_number = Parsed(_module, _INTEGER, required=False, allow_null=True)
    available = Flag(required=False)
    description = Text(LONGEST_TEXT, blank=True, required=False, allow_null=True)


class NewUnit(UnitChanges):
    name = Text(LONGEST, line=True)
    type = Text(60, line=True)
    uuid = Parsed(_uuid, _UUID, required=False, allow_null=True)
    since = Time(required=False, help_text="Where it is has held since then; otherwise from now.")


class VersionChanges(Input):
    deployed = Flag(required=False)
    good = Flag(required=False)
    end_validity_at = Time(required=False, allow_null=True)
    description = Text(LONGEST_TEXT, blank=True, required=False, allow_null=True)


class NewVersion(VersionChanges):
    """A version that was made elsewhere: what we keep ourselves is entered by dark runs."""

    name = Text(160, line=True)
    calibration = Text(LONGEST, line=True)
    condition = Text(LONGEST, line=True, help_text="The name of the condition.")
    unit = Text(LONGEST, line=True)
    file = Text(LONGEST, line=True)
    folder = Text(1024, line=True)
    data_set = Text(512, line=True)
    begin_at = Time()
    begin_validity_at = Time(required=False, allow_null=True)
    raw_data_location = Text(LONGEST_TEXT, blank=True, required=False, allow_null=True)


class PlacementAnswer(serializers.Serializer[Any]):
    since = Moment(source="from_at", allow_null=True)
    detector = serializers.CharField(source="detector.identifier", default=None, allow_null=True)
    aggregator = serializers.CharField(allow_null=True)
    position = serializers.CharField(source="virtual_device_name", allow_null=True)
    module_number = serializers.IntegerField(allow_null=True)


class WholeUnitAnswer(serializers.Serializer[Any]):
    """A physical unit, where it is, and where it was since when."""

    name = serializers.CharField(source="physical_name")
    type = serializers.CharField(source="detector_type.name")
    uuid = serializers.IntegerField(allow_null=True)
    detector = serializers.CharField(source="detector.identifier", default=None, allow_null=True)
    aggregator = serializers.CharField(allow_null=True)
    position = serializers.CharField(source="virtual_device_name", allow_null=True)
    module_number = serializers.IntegerField(allow_null=True)
    available = serializers.BooleanField()
    description = serializers.CharField(allow_null=True)
    history = PlacementAnswer(source="placements", many=True)


def _unit_facts(given: dict[str, Any]) -> dict[str, Any]:
    """The columns in the place of the words of this API."""
    if "position" in given:
        given["virtual_device_name"] = given.pop("position")
    if given.get("detector") is not None:
        given["detector"] = named(reading.detector, given["detector"], "detector", "a detector")
    return given


class DetectorUnits(Endpoint):
    @extend_schema(parameters=pages_by(), responses=page_answer(WholeUnitAnswer))
    def get(self, request: Request) -> Response:
        """All physical detector units, mounted or not."""
        refuse_unknown(request)
        return page(
            request, reading.units_told(), "physical_name",
            show=lambda rows: WholeUnitAnswer(rows, many=True).data,
        )  # fmt: skip

    @extend_schema(request=NewUnit, responses={201: WholeUnitAnswer})
    @once
    def post(self, request: Request) -> Response:
        """Enter a unit."""
        given = _unit_facts(self.given(NewUnit))
        given["physical_name"] = given.pop("name")
        given["detector_type"] = named(
            lambda name: reading.detector_types().get(name=name),
            given.pop("type"), "type", "a detector type",
        )  # fmt: skip
        row = entering.enter_unit(by=self.actor, **given)
        shown = WholeUnitAnswer(reading.units_told().get(pk=row.pk)).data
        return Response(shown, status=201)


class OneUnit(Endpoint):
    def held(self, name: str) -> DetectorUnit:
        """Under whose lock it changes."""
        return self.find(reading.units_told().get, physical_name=name)

    def now(self, name: str) -> Response:
        """The unit as it is now."""
        return Response(WholeUnitAnswer(self.held(name)).data)

    @extend_schema(responses=WholeUnitAnswer)
    @tagged
    def get(self, request: Request, name: str) -> Response:
        """One physical detector unit with its history."""
        refuse_unknown(request, ())
        return self.now(name)

    @extend_schema(request=UnitChanges, responses=WholeUnitAnswer)
    @unless_changed
    def patch(self, request: Request, name: str) -> Response:
        """Change a unit: mount it elsewhere (`detector` null: nowhere), describe it."""
        row = self.held(name)
        entering.edit_unit(row, by=self.actor, **_unit_facts(self.given(UnitChanges)))
        return self.now(name)


class Constants(constants.Constants):
    @extend_schema(request=NewVersion, responses={201: constants.ConstantAnswer})
    @once
    def post(self, request: Request) -> Response:
        """Enter a version that was made elsewhere."""
        given = _version_facts(self.given(NewVersion))
        unit = named(
            lambda name: reading.units().get(physical_name=name),
            given.pop("unit"),
            "unit",
            "a unit",
        )
        kind = named(
            lambda name: reading.kinds().get(name=name),
            given.pop("calibration"), "calibration", "a calibration",
        )  # fmt: skip
        condition = named(
            lambda name: reading.conditions().get(name=name),
            given.pop("condition"), "condition", "a condition",
        )  # fmt: skip
        row = entering.enter_version(
            by=self.actor,
            constant=entering.constant_of(kind, unit.detector_type, condition, by=self.actor),
            unit=unit,
            **given,
        )
        shown = constants.ConstantAnswer(reading.versions().get(pk=row.pk)).data
        where = {"Location": f"{request.path}/{row.pk}"}
        return Response(shown, status=201, headers=where)


def _version_facts(given: dict[str, Any]) -> dict[str, Any]:
    words = {
        "good": "good_quality",
        "file": "file_name",
        "folder": "path_to_file",
        "data_set": "data_set_name",
    }
    return {words.get(name, name): value for name, value in given.items()}


class OneConstant(constants.OneConstant):
    def held(self, id: int) -> ConstantVersion:
        """Under whose lock it changes."""
        return self.find(reading.versions().get, pk=id)

    @extend_schema(request=VersionChanges, responses=constants.ConditionedConstantAnswer)
    @unless_changed
    def patch(self, request: Request, id: int) -> Response:
        """Deploy a version or not, say whether it is good and until when it holds."""
        row = self.held(id)
        entering.edit(row, by=self.actor, **_version_facts(self.given(VersionChanges)))
        return self.now(id)
