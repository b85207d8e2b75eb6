"""Filters of lists whose values are read by our own parsers; for pages and API alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_filters
from django import forms

from catalogue.ground import inputs
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Job


class ParsedField(forms.CharField):
    """A form field whose value `parse(text)` makes."""

    def __init__(self, *, parse: Callable[[object], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parse = parse

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return self.parse(text)
        except Invalid as fault:
            raise forms.ValidationError(fault.rule) from None


class ParsedFilter(django_filters.Filter):  # type: ignore[misc]
    """Narrows by a value that `parse` reads; raises nothing, the form tells what is wrong."""

    field_class = ParsedField


class JobFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What a list of jobs may be narrowed by."""

    state = django_filters.MultipleChoiceFilter(choices=Job.State.choices)
    name = django_filters.CharFilter(max_length=64)
    who = django_filters.CharFilter(max_length=80, label="Who must act.")
    proposal = ParsedFilter(parse=inputs.proposal_number)

    class Meta:
        model = Job
        fields: tuple[str, ...] = ()
