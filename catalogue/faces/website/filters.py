"""How the list of jobs and the list of published data are narrowed."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django_filters import CharFilter, ChoiceFilter, FilterSet, ModelChoiceFilter, NumberFilter

from catalogue.ground.models import Job
from catalogue.ground.telling import JOBS
from proposals.filters import instruments
from proposals.models import Proposal

OPEN = "open"
_STATES = [(OPEN, "Waiting, running or held"), *Job.State.choices]


class JobFilter(FilterSet):  # type: ignore[misc] # django-filter has no types
    """By what they do, how they stand, and the proposal."""

    state = ChoiceFilter(label="State", method="in_state", choices=_STATES, empty_label="Any")
    name = ChoiceFilter(label="What", choices=sorted(JOBS.items(), key=lambda kind: kind[1]),
                        empty_label="Any")  # fmt: skip
    who = CharFilter(label="Who must act", lookup_expr="iexact")
    proposal = NumberFilter(label="Proposal", min_value=0, max_value=999_999)
    q = CharFilter(label="About, or reason", method="search")

    class Meta:
        model = Job
        fields: tuple[str, ...] = ()

    def in_state(self, rows: QuerySet[Job], name: str, value: str) -> QuerySet[Job]:
        if value == OPEN:
            return rows.filter(state__in=["waiting", "claimed", "held"])
        return rows.filter(state=value)

    def search(self, rows: QuerySet[Job], name: str, value: str) -> QuerySet[Job]:
        return rows.filter(Q(subject_label__icontains=value) | Q(reason__icontains=value))


class DataFilter(FilterSet):  # type: ignore[misc] # django-filter has no types
    """By words of the title or abstract, instrument, and whether the data are open."""

    q = CharFilter(label="Title, abstract or number", method="search")
    instrument = ModelChoiceFilter(queryset=lambda _: instruments(), empty_label="Any")
    access = ChoiceFilter(label="Data", choices=Proposal.Access.choices, empty_label="Any")

    class Meta:
        model = Proposal
        fields: tuple[str, ...] = ()

    def search(self, rows: QuerySet[Proposal], name: str, value: str) -> QuerySet[Proposal]:
        found = Q(title__icontains=value) | Q(abstract__icontains=value)
        if value.isascii() and value.isdigit() and len(value) <= 6:
            found |= Q(number=int(value))
        return rows.filter(found)
