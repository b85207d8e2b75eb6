"""What a list of runs may be narrowed by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from catalogue.ground import inputs
from catalogue.ground.filters import ParsedFilter
from catalogue.ground.models import ConstantVersion, Detector
from catalogue.ground.models.facility import KINDS, TIERS
from runs.models import Calibration, DarkRequest, DataGroup, File, Replica, Run

UNMARKED = "none"
QUALITIES = [(UNMARKED, "No mark"), *((v, w) for v, w in Run.Quality.choices if v)]


def _time(value: object) -> datetime:
    return inputs.aware_time(value, "time")


def in_ranges(number: str, ranges: tuple[tuple[int, int], ...]) -> Q:
    wanted = Q(pk__in=[])
    for first, last in ranges:
        wanted |= Q(**{f"{number}__gte": first, f"{number}__lte": last})
    return wanted


class RunFilter(django_filters.FilterSet):  # type: ignore[misc]
    """`runs` takes numbers and ranges ("12-40, 55"), `since` and `until` the time of begin."""

    runs = ParsedFilter(method="in_ranges", parse=inputs.run_ranges, label="Runs")
    status = django_filters.MultipleChoiceFilter(choices=Run.Status.choices)
    quality = django_filters.MultipleChoiceFilter(choices=QUALITIES, method="marked")
    experiment = django_filters.CharFilter(field_name="experiment__name", max_length=120)
    type = django_filters.CharFilter(field_name="experiment__type__name", max_length=120)
    sample = django_filters.CharFilter(field_name="sample__name", max_length=127)
    cause = django_filters.CharFilter(field_name="causes__name", max_length=64)
    alias = django_filters.CharFilter(max_length=64)
    since = ParsedFilter(field_name="begin_at", lookup_expr="gte", parse=_time)
    until = ParsedFilter(field_name="begin_at", lookup_expr="lt", parse=_time)

    class Meta:
        model = Run
        fields: tuple[str, ...] = ()

    def in_ranges(
        self, rows: QuerySet[Run], name: str, value: tuple[tuple[int, int], ...]
    ) -> QuerySet[Run]:
        return rows.filter(in_ranges("number", value))

    def marked(self, rows: QuerySet[Run], name: str, value: list[str]) -> QuerySet[Run]:
        if not value:
            return rows
        return rows.filter(quality__in=["" if v == UNMARKED else v for v in value])


class OpenRunFilter(RunFilter):
    """The same for those who read open data only: nothing that they are not told can be asked
    for, or a list would answer by what it leaves out."""

    alias = None
    cause = None


class OfRuns(django_filters.FilterSet):  # type: ignore[misc]
    """What belongs to runs, by their numbers and ranges ("12-40, 55")."""

    RUN = "run__number"

    runs = ParsedFilter(method="in_ranges", parse=inputs.run_ranges, label="Runs")

    def in_ranges(
        self, rows: QuerySet[Any], name: str, value: tuple[tuple[int, int], ...]
    ) -> QuerySet[Any]:
        return rows.filter(in_ranges(self.RUN, value))


class ReplicaFilter(OfRuns):
    RUN = "data_group__run__number"

    kind = django_filters.MultipleChoiceFilter(field_name="data_group__kind", choices=KINDS)
    store = django_filters.CharFilter(field_name="store__identifier", max_length=120)
    tier = django_filters.MultipleChoiceFilter(field_name="store__tier", choices=TIERS)
    state = django_filters.MultipleChoiceFilter(choices=Replica.State.choices)

    class Meta:
        model = Replica
        fields: tuple[str, ...] = ()


class GroupFilter(OfRuns):
    kind = django_filters.MultipleChoiceFilter(choices=KINDS)
    store = django_filters.CharFilter(method="stored", max_length=120, label="Where they are.")

    class Meta:
        model = DataGroup
        fields: tuple[str, ...] = ()

    def stored(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        there = Replica.objects.exclude(state__in=Replica.GONE).filter(store__identifier=value)
        return rows.filter(pk__in=there.values("data_group"))


class FileFilter(django_filters.FilterSet):  # type: ignore[misc]
    kind = django_filters.ChoiceFilter(field_name="data_group__kind", choices=KINDS)
    name = django_filters.CharFilter(max_length=255)
    q = django_filters.CharFilter(field_name="name", lookup_expr="contains", max_length=255)
    sha256 = ParsedFilter(parse=inputs.sha256)

    class Meta:
        model = File
        fields: tuple[str, ...] = ()


class CalibrationFilter(OfRuns):
    state = django_filters.MultipleChoiceFilter(choices=Calibration.State.choices)
    detector = django_filters.CharFilter(field_name="detector__identifier", max_length=120)

    class Meta:
        model = Calibration
        fields: tuple[str, ...] = ()


class DarkRequestFilter(OfRuns):
    state = django_filters.MultipleChoiceFilter(choices=DarkRequest.State.choices)
    detector = django_filters.CharFilter(field_name="detector__identifier", max_length=120)

    class Meta:
        model = DarkRequest
        fields: tuple[str, ...] = ()


class DetectorFilter(django_filters.FilterSet):  # type: ignore[misc]
    instrument = django_filters.CharFilter(
        field_name="detectors_instruments__instrument__identifier", max_length=60
    )
    available = django_filters.BooleanFilter()

    class Meta:
        model = Detector
        fields: tuple[str, ...] = ()


class ConstantFilter(django_filters.FilterSet):  # type: ignore[misc]
    """`since` and `until` are about when a version was measured."""

    detector = django_filters.CharFilter(field_name="unit__detector__identifier", max_length=255)
    unit = django_filters.CharFilter(field_name="unit__physical_name", max_length=255)
    calibration = django_filters.CharFilter(field_name="constant__kind__name", max_length=255)
    condition = django_filters.CharFilter(field_name="constant__condition__name", max_length=255)
    deployed = django_filters.BooleanFilter()
    good = django_filters.BooleanFilter(field_name="good_quality")
    since = ParsedFilter(field_name="begin_at", lookup_expr="gte", parse=_time)
    until = ParsedFilter(field_name="begin_at", lookup_expr="lt", parse=_time)

    class Meta:
        model = ConstantVersion
        fields: tuple[str, ...] = ()
