"""How the journal is narrowed: a proposal's history, the facility's journal, and its exports."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache

from django import forms
from django.apps import apps
from django.db.models import Q, QuerySet
from django_filters import (
    BooleanFilter,
    CharFilter,
    ChoiceFilter,
    DateFilter,
    FilterSet,
)

from catalogue.ground import clock, inputs
from catalogue.ground.filters import ParsedFilter
from catalogue.ground.lifecycle.moves import all_moves, lifecycles
from catalogue.ground.models import Entry, Job, Recorded
from catalogue.ground.telling import ACTS

FACES = [
    ("page", "The pages"), ("api", "The API"), ("mymdc", "The myMdC API"),
    ("admin", "The reference tables"), ("directory", "LDAP"), ("openid", "The OpenID provider"),
    ("mail", "A link in a letter"), ("worker", "A worker"), ("schedule", "The schedule"),
    ("command", "The console"),
]  # fmt: skip


@cache
def acts() -> list[tuple[str, str]]:
    """The names of all that can happen, with the words that people read."""
    words: dict[str, set[str]] = {}
    for model in lifecycles():
        for move in all_moves(model):
            words.setdefault(move.name, set()).add(move.spec.label)
    said = {name: " / ".join(sorted(labels)) for name, labels in words.items()}
    for name, text in ACTS.items():
        said.setdefault(name, text[:1].upper() + text[1:])
    return sorted(said.items(), key=lambda act: act[1].lower())


@cache
def kinds() -> list[tuple[str, str]]:
    """The kinds of things that the journal tells of, with the words that people read."""
    found = (m for m in apps.get_models() if issubclass(m, Recorded))
    named = [(m._meta.label_lower, str(m._meta.verbose_name)) for m in found]
    return sorted(((k, w[:1].upper() + w[1:]) for k, w in named), key=lambda kind: kind[1])


def _date() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class HistoryFilter(FilterSet):  # type: ignore[misc] # django-filter has no types
    """By who, what, which run, when, through which face, and words of the reasons."""

    who = CharFilter(label="Who", max_length=160, method="by_whom")
    move = ChoiceFilter(label="What", choices=acts, empty_label="Anything")
    kind = ChoiceFilter(
        label="About", field_name="subject_type", choices=kinds, empty_label="Anything"
    )
    run = ParsedFilter(label="Runs", parse=inputs.run_ranges, method="of_runs")
    since = DateFilter(label="From", method="from_day", widget=_date())
    until = DateFilter(label="To", method="to_day", widget=_date())
    face = ChoiceFilter(label="Through", choices=FACES, empty_label="Anything")
    q = CharFilter(label="Words of the reason", max_length=200, method="in_reason")
    everything = BooleanFilter(
        label="Also what workers finished", method="with_chores", widget=forms.CheckboxInput
    )

    class Meta:
        model = Entry
        fields: tuple[str, ...] = ()

    def by_whom(self, rows: QuerySet[Entry], name: str, value: str) -> QuerySet[Entry]:
        named = Q(actor_name__icontains=value) | Q(program_name__icontains=value)
        return rows.filter(named | Q(actor__username=value) | Q(on_behalf__username=value))

    def of_runs(
        self, rows: QuerySet[Entry], name: str, value: tuple[tuple[int, int], ...]
    ) -> QuerySet[Entry]:
        """Of these runs and what belongs to them: 12-40, 55."""
        among = Q(pk__in=[])
        for first, last in value:
            among |= Q(run__gte=first, run__lte=last)
        return rows.filter(among)

    def from_day(self, rows: QuerySet[Entry], name: str, value: date) -> QuerySet[Entry]:
        return rows.filter(at__gte=_begin(value))

    def to_day(self, rows: QuerySet[Entry], name: str, value: date) -> QuerySet[Entry]:
        """The day named is in it."""
        return rows.filter(at__lt=_begin(min(value, date(9998, 1, 1)) + timedelta(days=1)))

    def in_reason(self, rows: QuerySet[Entry], name: str, value: str) -> QuerySet[Entry]:
        return rows.filter(reason__icontains=value)

    def with_chores(self, rows: QuerySet[Entry], name: str, value: bool | None) -> QuerySet[Entry]:
        """The ends of jobs that were done are told on request: what they brought about has entries
        of its own."""
        if value:
            return rows
        return rows.exclude(subject_type=Job._meta.label_lower, move="finish")


class JournalFilter(HistoryFilter):
    """The same for all of the facility; there nothing is left out unless it is asked for."""

    proposal = ParsedFilter(label="Proposal", parse=inputs.proposal_number)
    everything = None

    class Meta:
        model = Entry
        fields: tuple[str, ...] = ()


def _begin(day: date) -> datetime:
    """When a day begins at the facility."""
    return datetime.combine(max(day, date(1970, 1, 1)), time(), clock.facility_zone())


def said(found: FilterSet) -> dict[str, str]:
    """What the list is narrowed by, as it stands in the address."""
    given = {name: str(found.data.get(name, "")).strip() for name in found.filters}
    return {name: value for name, value in given.items() if value}
