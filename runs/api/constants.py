"""Endpoints of the catalogue of calibration constants, read only: detectors with their units, the
versions of constants, and which runs used them. Constants come from dark runs, or are reported by
the facility's calibration pipeline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground import inputs
from catalogue.ground.endpoints import (
    ORDERED,
    Endpoint,
    Moment,
    Order,
    filtered,
    page,
    page_answer,
    pages_by,
    refuse_unknown,
    tagged,
)
from catalogue.ground.models import ConditionParameter, Detector
from runs.api.views import RunEndpoint
from runs.constants import reading
from runs.filters import ConstantFilter, DetectorFilter


class DetectorAnswer(serializers.Serializer[Any]):
    identifier = serializers.CharField()
    name = serializers.CharField()
    instruments = serializers.SerializerMethodField()
    modules = serializers.IntegerField(source="number_of_modules", allow_null=True)
    available = serializers.BooleanField()

    def get_instruments(self, row: Detector) -> list[str]:
        return [at.instrument.identifier for at in row.detectors_instruments.all()]


class UnitAnswer(serializers.Serializer[Any]):
    """A physical unit, and the place in which it was at the moment that was asked about."""

    name = serializers.CharField(source="unit.physical_name")
    type = serializers.CharField(source="unit.detector_type.name")
    aggregator = serializers.CharField(source="place.aggregator", allow_null=True)
    module_number = serializers.IntegerField(source="place.module_number", allow_null=True)
    position = serializers.CharField(
        source="place.virtual_device_name", allow_null=True, help_text="E.g. Q1M1."
    )


class ConstantAnswer(serializers.Serializer[Any]):
    """One measured version of a constant."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    calibration = serializers.CharField(
        source="constant.kind.name", help_text="What it is: Offset, Noise …"
    )
    detector_type = serializers.CharField(source="constant.detector_type.name")
    detector = serializers.CharField(
        source="unit.detector.identifier", default=None, allow_null=True,
        help_text="In which the unit is now.",
    )  # fmt: skip
    unit = serializers.CharField(source="unit.physical_name")
    condition = serializers.CharField(source="constant.condition.name")
    begin_at = Moment(help_text="When it was measured; it holds from then.")
    deployed = serializers.BooleanField(help_text="Taken into account by selections.")
    good = serializers.BooleanField(source="good_quality")
    store = serializers.CharField(source="store.identifier", default=None, allow_null=True)
    path = serializers.CharField()
    data_set = serializers.CharField(source="data_set_name")
    bytes = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField()


class ParameterAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    text = serializers.CharField(
        allow_null=True, help_text="A value that is no number, or none that JSON can tell."
    )
    lower_deviation = serializers.FloatField()
    upper_deviation = serializers.FloatField()


class ConditionedConstantAnswer(ConstantAnswer):
    """One measured version, with the condition under which it was measured."""

    parameters = ParameterAnswer(many=True)


class UsedConstantAnswer(ConstantAnswer):
    runs = serializers.ListField(
        child=serializers.IntegerField(), help_text="Runs of the proposal that used it."
    )


class UsingRunAnswer(serializers.Serializer[Any]):
    proposal = serializers.IntegerField(source="proposal.number")
    run = serializers.IntegerField(source="number")


BY_IDENTIFIER = Order("identifier", identifier=("identifier",))
NEWEST = Order("-id", id=("id",), begin_at=("begin_at", "id"), name=("name",))
AT = OpenApiParameter(
    "at", {"type": "string", "format": "date-time"}, description="As it was then; otherwise now."
)


class Detectors(Endpoint):
    @extend_schema(
        parameters=pages_by(DetectorFilter, BY_IDENTIFIER), responses=page_answer(DetectorAnswer)
    )
    def get(self, request: Request) -> Response:
        """The detectors."""
        found = filtered(request, DetectorFilter, reading.detectors(), beside=ORDERED)
        return page(
            request, found, order=BY_IDENTIFIER,
            show=lambda rows: DetectorAnswer(rows, many=True).data,
        )  # fmt: skip


class OneDetector(Endpoint):
    @extend_schema(responses=DetectorAnswer)
    @tagged
    def get(self, request: Request, identifier: str) -> Response:
        """One detector."""
        refuse_unknown(request, ())
        return Response(DetectorAnswer(self.find(reading.detector, identifier)).data)


class Units(Endpoint):
    @extend_schema(parameters=[AT], responses=UnitAnswer(many=True))
    def get(self, request: Request, identifier: str) -> Response:
        """The units of a detector, by aggregator; units are exchanged, so ask for the time of the
        run."""
        refuse_unknown(request, ("at",))
        asked = request.query_params.get("at")
        at = None if asked is None else inputs.aware_time(asked, "at")
        found = reading.mounted(self.find(reading.detector, identifier), at=at)
        return Response(UnitAnswer(found, many=True).data)


class Constants(Endpoint):
    @extend_schema(
        parameters=pages_by(ConstantFilter, NEWEST), responses=page_answer(ConstantAnswer)
    )
    def get(self, request: Request) -> Response:
        """The measured versions of constants, newest first."""
        found = filtered(request, ConstantFilter, reading.versions(), beside=ORDERED)
        return page(
            request, found, order=NEWEST, show=lambda rows: ConstantAnswer(rows, many=True).data
        )


class OneConstant(Endpoint):
    @extend_schema(responses=ConditionedConstantAnswer)
    @tagged
    def get(self, request: Request, id: int) -> Response:
        """One version of a constant, with the condition under which it was measured."""
        refuse_unknown(request, ())
        return self.now(id)

    def now(self, id: int) -> Response:
        """The version as it is now."""
        row = self.find(reading.versions().get, pk=id)
        condition = self.find(reading.conditions().get, pk=row.constant.condition_id)
        told = [told_parameter(one) for one in condition.parameters.all()]
        return Response({**ConstantAnswer(row).data, "parameters": told})


class ConstantRuns(Endpoint):
    @extend_schema(parameters=pages_by(), responses=page_answer(UsingRunAnswer))
    def get(self, request: Request, id: int) -> Response:
        """The runs that were corrected with this version, of those that you may know of."""
        refuse_unknown(request)
        version = self.find(reading.versions().get, pk=id)
        found = reading.runs_using(version, self.actor)
        return page(
            request, found, "-proposal__number", "-number",
            show=lambda rows: UsingRunAnswer(rows, many=True).data,
        )  # fmt: skip


class ProposalConstants(RunEndpoint):
    @extend_schema(
        parameters=pages_by(ConstantFilter, NEWEST), responses=page_answer(UsedConstantAnswer)
    )
    def get(self, request: Request, number: int) -> Response:
        """The versions of constants with which runs of the proposal were corrected."""
        proposal = self.inside(number)

        def show(rows: Sequence[Any]) -> list[dict[str, Any]]:
            used = reading.runs_by_version(proposal, rows)
            return [{**ConstantAnswer(row).data, "runs": used.get(row.pk, [])} for row in rows]

        found = filtered(request, ConstantFilter, reading.used_by(proposal), beside=ORDERED)
        return page(request, found, order=NEWEST, show=show)


def told_parameter(row: ConditionParameter) -> dict[str, Any]:
    """Some values are bit patterns of numbers, infinities and NaN among them: told as text."""
    finite = row.value is None or math.isfinite(row.value)
    return {
        "name": row.parameter.name,
        "value": row.value if finite else None,
        "text": row.text_value if finite else repr(row.value),
        "lower_deviation": row.lower_deviation,
        "upper_deviation": row.upper_deviation,
    }
