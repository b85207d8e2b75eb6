"""The filters of the list of proposals, with what programs ask for besides: single states, and
everything by its own name, never by an id of ours."""

from __future__ import annotations

from django_filters import CharFilter, FilterSet, ModelChoiceFilter, MultipleChoiceFilter

from proposals.filters import ProposalFilter, instruments
from proposals.models import Experiment, Proposal, Sample


class ProposalApiFilter(ProposalFilter):
    instrument = ModelChoiceFilter(queryset=lambda _: instruments(), to_field_name="identifier")
    cycle = CharFilter(field_name="cycle__identifier")
    state = MultipleChoiceFilter(choices=Proposal.State.choices)


class ExperimentFilter(FilterSet):  # type: ignore[misc] # django-filter has no types
    name = CharFilter(max_length=120)
    type = CharFilter(field_name="type__name", max_length=120)

    class Meta:
        model = Experiment
        fields: tuple[str, ...] = ()


class SampleFilter(FilterSet):  # type: ignore[misc]
    name = CharFilter(max_length=127)
    q = CharFilter(field_name="name", lookup_expr="icontains", max_length=127)

    class Meta:
        model = Sample
        fields: tuple[str, ...] = ()
