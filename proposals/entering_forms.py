"""The form of a new proposal and that of an import. They keep what was typed and show what is wrong
with it; every rule is that of `entering`, and so of the verbs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from catalogue.ground import clock
from catalogue.ground.models import Cycle, Instrument
from proposals.entering.wish import Problem
from proposals.models import Proposal

_TIME = {"type": "datetime-local"}
_FLAGS = ("metadata_public", "assesses_by_itself", "calibrates_by_itself")


class NewProposalForm(forms.Form):
    """A proposal as somebody types it. All fields are texts here, whatever they mean."""

    number = forms.CharField(
        label="Number", required=False, help_text="Up to six digits, as the user portal gave it.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 8}),
    )  # fmt: skip
    title = forms.CharField(label="Title", required=False)
    instrument = forms.CharField(label="Instrument", required=False, widget=forms.Select)
    cycle = forms.CharField(label="Cycle", required=False, widget=forms.Select)
    kind = forms.CharField(
        label="Kind", required=False, initial=Proposal.Kind.USER,
        widget=forms.Select(choices=Proposal.Kind.choices),
    )  # fmt: skip
    leader = forms.CharField(
        label="Principal investigator", required=False,
        help_text="Login or e-mail. May be named later in the team.",
    )  # fmt: skip
    beamtime_begin = forms.CharField(
        label="Beamtime begins", required=False, widget=forms.TextInput(attrs=_TIME),
        help_text="On the facility's clock. Further blocks are added on its page.",
    )  # fmt: skip
    beamtime_end = forms.CharField(
        label="Beamtime ends", required=False, widget=forms.TextInput(attrs=_TIME)
    )
    despite_overlap = forms.BooleanField(
        label="It may share beam with others", required=False,
        help_text="Commissioning and test proposals only.",
    )  # fmt: skip
    derived_from = forms.CharField(
        label="Derived from", required=False, help_text="The number of another proposal.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 8}),
    )  # fmt: skip
    abstract = forms.CharField(
        label="Abstract", required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    metadata_public = forms.BooleanField(
        label="Its DOI is public once it is reviewed", required=False, initial=True
    )
    assesses_by_itself = forms.BooleanField(label="New runs are marked Good", required=False)
    calibrates_by_itself = forms.BooleanField(
        label="Calibration starts by itself", required=False, initial=True
    )

    def __init__(
        self, *args: Any, instruments: Iterable[Instrument], cycles: Iterable[Cycle], **named: Any
    ) -> None:
        super().__init__(*args, **named)
        rounds = list(cycles)
        self._choose(
            "instrument", {i.identifier: f"{i.identifier} · {i.name}" for i in instruments}
        )
        self._choose("cycle", {c.identifier: c.identifier for c in rounds})
        self.fields["cycle"].initial = _current(rounds)
        for name, field in self.fields.items():
            described = f"id_{name}_helptext wrong-{name}" if field.help_text else f"wrong-{name}"
            field.widget.attrs["aria-describedby"] = described

    def _choose(self, name: str, words: Mapping[str, str]) -> None:
        widget = self.fields[name].widget
        assert isinstance(widget, forms.Select)
        widget.choices = [("", "Choose …"), *words.items()] if len(words) != 1 else [*words.items()]

    def texts(self) -> dict[str, str]:
        """What was typed, as the cells of a row."""
        given = self.cleaned_data
        return {
            name: ("yes" if value else "no") if name in _FLAGS else str(value)
            for name, value in given.items()
            if name != "despite_overlap"
        }

    def blame(self, problems: Iterable[Problem]) -> None:
        """Show each problem at its field."""
        for problem in problems:
            self.add_error(problem.column if problem.column in self.fields else None, said(problem))


def said(problem: Problem) -> str:
    """A problem as a sentence at its field."""
    rule = f"{problem.rule[:1].upper()}{problem.rule[1:].rstrip('.')}."
    return f"{rule} Can be changed by {problem.who}." if problem.who else rule


def _current(cycles: Iterable[Cycle]) -> str:
    """The cycle of today, else the newest one."""
    now = clock.now()
    for cycle in cycles:
        if cycle.begin_at and cycle.end_at and cycle.begin_at <= now < cycle.end_at:
            return cycle.identifier
    return next((c.identifier for c in cycles), "")


class SheetForm(forms.Form):
    """A sheet of proposals: a file, or its text."""

    file = forms.FileField(
        label="CSV file", required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )  # fmt: skip
    text = forms.CharField(
        label="or its text", required=False, strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "code"}),
    )  # fmt: skip
    despite_overlap = forms.BooleanField(
        label="Commissioning and test proposals may share beam with others", required=False
    )
    name = forms.CharField(required=False, max_length=255, widget=forms.HiddenInput)
