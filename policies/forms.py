"""What people type about holds and policies, checked for its form; every rule is the verbs'."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms

from catalogue.ground import clock, strict_json
from catalogue.ground.models.facility import KINDS
from proposals.forms import DayField


class HoldForm(forms.Form):
    """A stop on removal, of a run or of the whole proposal."""

    run = forms.IntegerField(
        label="Run",
        required=False,
        min_value=1,
        max_value=9999,
        help_text="Empty: all runs of the proposal.",
    )
    kinds = forms.MultipleChoiceField(
        label="Which data",
        required=False,
        choices=[k for k in KINDS if k[0] in ("RAW", "PROC", "REDU")],
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all of them.",
    )
    until = DayField(label="Last day", required=False, help_text="Empty: until somebody lifts it.")
    reason = forms.CharField(
        label="Reason", max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def moment(self) -> datetime | None:
        """The end of the last day in the facility's zone."""
        day: date | None = self.cleaned_data["until"]
        if day is None:
            return None
        return datetime.combine(day + timedelta(days=1), time(), clock.facility_zone())


class JsonField(forms.CharField):
    """JSON as the API reads it; in the form it stands as it was typed."""

    def clean(self, value: Any) -> Any:
        try:
            return strict_json.loads(super().clean(value).encode())
        except strict_json.NotJson:
            raise forms.ValidationError("Enter a valid JSON.") from None


class DraftForm(forms.Form):
    """A new version of a policy."""

    name = forms.CharField(label="Name", max_length=80)
    valid_from = DayField(label="Binds from", help_text="And not before somebody else agrees.")
    description = forms.CharField(label="What it is for", required=False, max_length=2000)
    clauses = JsonField(
        label="Clauses",
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false"}),
        help_text="In their order, as the API has them: the first that speaks of a copy decides.",
    )
    reason = forms.CharField(
        label="Why it is changed", max_length=2000, help_text="For whoever has to agree."
    )

    def moment(self) -> datetime:
        """The beginning of the day in the facility's zone."""
        day: date = self.cleaned_data["valid_from"]
        return datetime.combine(day, time(), clock.facility_zone())


class LiftForm(forms.Form):
    """Why a hold ends."""

    reason = forms.CharField(label="Why it may end", max_length=2000)
