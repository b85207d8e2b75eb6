"""What the run table may be narrowed by: everything in its columns, one choice each, in the URL."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import OuterRef, Q, QuerySet, Subquery

from catalogue.ground import clock, inputs
from catalogue.ground.filters import ParsedFilter
from catalogue.ground.models.facility import TIERS
from runs import queries
from runs.filters import QUALITIES, UNMARKED, in_ranges
from runs.models import Calibration, Replica, Run
from runs.tabled import CHOSEN, Choices

GB = 10**9
BROKEN, LEAVING = "broken", "leaving"
SILENT = "silent"
_HELD_TIERS = [(tier, word) for tier, word in TIERS if tier not in ("elsewhere", "export")]
WHERE = [
    *((tier, f"{word}: yes") for tier, word in _HELD_TIERS),
    *((f"not_{tier}", f"{word}: no") for tier, word in _HELD_TIERS),
    (LEAVING, "Announced to go"),
    (BROKEN, "Lost or corrupt"),
]
CALIBRATIONS = [(UNMARKED, "None"), *Calibration.State.choices]
DAY = forms.DateInput(attrs={"type": "date"})


class RunTableFilter(filters.FilterSet):  # type: ignore[misc]
    """Those in `FIRST` are always in sight, the others behind "More filters"."""

    FIRST = ("q", "runs", "experiment", "quality", "status")

    q = filters.CharFilter(label="Sample, comment, cause", method="search", max_length=120)
    runs = ParsedFilter(method="in_ranges", parse=inputs.run_ranges, label="Runs")
    experiment = filters.ChoiceFilter(label="Type", empty_label="Any")
    quality = filters.ChoiceFilter(
        label="Assessment", choices=QUALITIES, method="marked", empty_label="Any"
    )
    status = filters.ChoiceFilter(
        label="Status", choices=[*Run.Status.choices, (SILENT, "Silent")], method="standing",
        empty_label="Any",
    )  # fmt: skip
    sample = filters.ChoiceFilter(label="Sample", empty_label="Any")
    technique = filters.ChoiceFilter(label="Technique", field_name="techniques", empty_label="Any")
    cause = filters.ChoiceFilter(label="Cause", field_name="causes", empty_label="Any")
    calibration = filters.ChoiceFilter(
        label="Calibration", choices=CALIBRATIONS, method="calibrated", empty_label="Any"
    )
    where = filters.ChoiceFilter(
        label="Where the data are", choices=WHERE, method="lying", empty_label="Any"
    )
    since = filters.DateFilter(label="Started from", method="begun_since", widget=DAY)
    until = filters.DateFilter(label="Started up to", method="begun_until", widget=DAY)
    size = filters.NumberFilter(
        label="At least, GB", method="at_least", min_value=0, max_value=10**9
    )
    files = filters.NumberFilter(
        label="Files, at least", field_name="file_count", lookup_expr="gte", min_value=0,
        max_value=10**9,
    )  # fmt: skip
    by = filters.CharFilter(
        label="Marked by", field_name="assessed_by", lookup_expr="icontains", max_length=120
    )

    class Meta:
        model = Run
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, choices: Choices, **named: Any) -> None:
        super().__init__(*args, **named)
        for name in CHOSEN:
            self.filters[name].extra["choices"] = choices[name]

    @property
    def more_are_set(self) -> bool:
        """Whether one is used that is not in sight."""
        return any(
            name in self.form.changed_data for name in self.filters if name not in self.FIRST
        )

    def search(self, rows: QuerySet[Run], name: str, value: str) -> QuerySet[Run]:
        tagged = Run.causes.through.objects.filter(causetag__name__icontains=value)
        return rows.filter(
            Q(sample__name__icontains=value)
            | Q(comment__icontains=value)
            | Q(alias__icontains=value)
            | Q(experiment__name__icontains=value)
            | Q(pk__in=tagged.values("run"))
        )

    def in_ranges(
        self, rows: QuerySet[Run], name: str, value: tuple[tuple[int, int], ...]
    ) -> QuerySet[Run]:
        return rows.filter(in_ranges("number", value))

    def marked(self, rows: QuerySet[Run], name: str, value: str) -> QuerySet[Run]:
        return rows.filter(quality="" if value == UNMARKED else value)

    def standing(self, rows: QuerySet[Run], name: str, value: str) -> QuerySet[Run]:
        if value == SILENT:
            return rows.filter(pk__in=queries.silent_runs(clock.now()).values("pk"))
        return rows.filter(status=value)

    def calibrated(self, rows: QuerySet[Run], name: str, value: str) -> QuerySet[Run]:
        newest = Calibration.objects.filter(run=OuterRef("pk")).order_by("-id").values("state")
        found = rows.alias(calibrated=Subquery(newest[:1]))
        if value == UNMARKED:
            return found.filter(calibrated__isnull=True)
        return found.filter(calibrated=value)

    def lying(self, rows: QuerySet[Run], name: str, value: str) -> QuerySet[Run]:
        if value in (LEAVING, BROKEN):
            states = ["scheduled", "trashed"] if value == LEAVING else ["lost", "corrupt"]
            return rows.filter(pk__in=_with(state__in=states))
        there = _with(state__in=queries.THERE, store__tier=value.removeprefix("not_"))
        return rows.exclude(pk__in=there) if value.startswith("not_") else rows.filter(pk__in=there)

    def begun_since(self, rows: QuerySet[Run], name: str, value: date) -> QuerySet[Run]:
        return rows.filter(begin_at__gte=_midnight(value))

    def begun_until(self, rows: QuerySet[Run], name: str, value: date) -> QuerySet[Run]:
        return rows.filter(begin_at__lt=_midnight(min(value, date(9998, 1, 1)) + timedelta(days=1)))

    def at_least(self, rows: QuerySet[Run], name: str, value: Any) -> QuerySet[Run]:
        return rows.filter(bytes__gte=int(value * GB))


def _with(**replica: Any) -> QuerySet[Replica, Any]:
    """The ids of the runs that have such a replica."""
    found = Replica.objects.filter(data_group__run__isnull=False, **replica)
    return found.order_by().values("data_group__run")


def _midnight(day: date) -> datetime:
    """When a day of the facility begins."""
    return datetime.combine(max(day, date(1970, 1, 1)), time.min, clock.facility_zone())
