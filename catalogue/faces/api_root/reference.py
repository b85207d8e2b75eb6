"""The facility's own lists: instruments, cycles, run types, techniques. Read only; staff keep them
in the site's administration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import django_filters
from django.db.models import Model, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

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
from catalogue.ground.models import Cycle, ExperimentType, Instrument, Technique
from proposals import queries


class TermAnswer(serializers.Serializer[Any]):
    identifier = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    available = serializers.BooleanField(help_text="Offered for new things.")


class TechniqueAnswer(TermAnswer):
    identifier = serializers.CharField(help_text="The PaNET id, if it has one.")
    url = serializers.CharField()
    practised = serializers.BooleanField(help_text="Possible at this facility.")


class InstrumentAnswer(TermAnswer):
    type = serializers.CharField(source="type.name", default=None, allow_null=True)
    topic = serializers.CharField(source="topic.name", default=None, allow_null=True)
    techniques = serializers.SerializerMethodField()
    url = serializers.CharField()
    doi = serializers.CharField()

    def get_techniques(self, row: Instrument) -> list[str]:
        """PaNET ids."""
        return sorted(t.identifier for t in row.techniques.all())


class CycleAnswer(serializers.Serializer[Any]):
    identifier = serializers.CharField()
    instrument = serializers.CharField(
        source="instrument.identifier", default=None, allow_null=True,
        help_text="Null: of all instruments.",
    )  # fmt: skip
    begin_at = Moment(allow_null=True)
    end_at = Moment(allow_null=True)
    available = serializers.BooleanField()
    description = serializers.CharField()


class ExperimentTypeAnswer(TermAnswer):
    is_dark = serializers.BooleanField()
    calibrates_by_itself = serializers.BooleanField()


class TermFilter(django_filters.FilterSet):  # type: ignore[misc] # django-filter has no types
    q = django_filters.CharFilter(method="search", label="Words of name or identifier.")
    available = django_filters.BooleanFilter()

    def search(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        return rows.filter(Q(name__icontains=value) | Q(identifier__icontains=value))


class TechniqueFilter(TermFilter):
    practised = django_filters.BooleanFilter()
    instrument = django_filters.CharFilter(field_name="instruments__identifier", max_length=60)

    class Meta:
        model = Technique
        fields: tuple[str, ...] = ()


class InstrumentFilter(TermFilter):
    class Meta:
        model = Instrument
        fields: tuple[str, ...] = ()


class ExperimentTypeFilter(TermFilter):
    is_dark = django_filters.BooleanFilter()

    class Meta:
        model = ExperimentType
        fields: tuple[str, ...] = ()


class CycleFilter(django_filters.FilterSet):  # type: ignore[misc]
    instrument = django_filters.CharFilter(field_name="instrument__identifier", max_length=60)
    available = django_filters.BooleanFilter()

    class Meta:
        model = Cycle
        fields: tuple[str, ...] = ()


BY_IDENTIFIER = Order("identifier", identifier=("identifier",), name=("name", "identifier"))
BY_CYCLE = Order("identifier", "id", identifier=("identifier", "id"))


class Listed(Endpoint):
    """A list of the facility, for everybody with an account."""

    answers: ClassVar[type[serializers.Serializer[Any]]]
    narrowed_by: ClassVar[Any]
    order: ClassVar[Order] = BY_IDENTIFIER

    def listed(self, request: Request, rows: QuerySet[Any]) -> Response:
        """One page of the rows, filtered and ordered as asked."""
        found = filtered(request, self.narrowed_by, rows, beside=ORDERED)
        return page(request, found, order=self.order, show=self._show)

    def _show(self, rows: Sequence[Any]) -> list[Any]:
        return list(self.answers(rows, many=True).data)


class Instruments(Listed):
    answers, narrowed_by = InstrumentAnswer, InstrumentFilter

    @extend_schema(
        parameters=pages_by(InstrumentFilter, BY_IDENTIFIER),
        responses=page_answer(InstrumentAnswer),
    )
    def get(self, request: Request) -> Response:
        """The instruments of the facility."""
        return self.listed(request, queries.instruments())


class OneInstrument(Endpoint):
    @extend_schema(responses=InstrumentAnswer)
    @tagged
    def get(self, request: Request, identifier: str) -> Response:
        """One instrument."""
        refuse_unknown(request, ())
        row = self.find(queries.instruments().get, identifier=identifier)
        return Response(InstrumentAnswer(row).data)


class Cycles(Listed):
    answers, narrowed_by, order = CycleAnswer, CycleFilter, BY_CYCLE

    @extend_schema(parameters=pages_by(CycleFilter, BY_CYCLE), responses=page_answer(CycleAnswer))
    def get(self, request: Request) -> Response:
        """The cycles: rounds of proposals, of one instrument or of all."""
        return self.listed(request, queries.cycles())


class ExperimentTypes(Listed):
    answers, narrowed_by = ExperimentTypeAnswer, ExperimentTypeFilter

    @extend_schema(
        parameters=pages_by(ExperimentTypeFilter, BY_IDENTIFIER),
        responses=page_answer(ExperimentTypeAnswer),
    )
    def get(self, request: Request) -> Response:
        """The run types of the facility, of which proposals make their own."""
        return self.listed(request, queries.experiment_types())


class Techniques(Listed):
    answers, narrowed_by = TechniqueAnswer, TechniqueFilter

    @extend_schema(
        parameters=pages_by(TechniqueFilter, BY_IDENTIFIER),
        responses=page_answer(TechniqueAnswer),
    )
    def get(self, request: Request) -> Response:
        """The techniques, by their PaNET ids."""
        return self.listed(request, queries.all_techniques())
