"""What people type about proposals, checked for its form; every rule is the verbs'."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, ClassVar

from django import forms
from django.core.validators import URLValidator

from catalogue.ground import clock, inputs
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import ExperimentType, SampleType, Technique
from catalogue.ground.typed import EditForm
from proposals import queries
from proposals.models import Membership

LONG = 20_000


def _day(label: str, **named: Any) -> DayField:
    return DayField(label=label, **named)


def _lines(label: str, longest: int, rows: int = 3, **named: Any) -> TextField:
    return TextField(
        label=label, max_length=longest, widget=forms.Textarea(attrs={"rows": rows}), **named
    )


class TextField(forms.CharField):
    """A text that a database, a log line and an XML document can hold."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return inputs.free_text(text, self.max_length or LONG)
        except Invalid as problem:
            raise forms.ValidationError(f"It {problem.rule}.") from problem


def _refuse_far(year: int) -> None:
    """The same years everywhere; beyond them no calendar has a next day, and no clock another
    zone."""
    if not inputs.EARLIEST_YEAR <= year <= inputs.LATEST_YEAR:
        raise forms.ValidationError(
            f"The year lies between {inputs.EARLIEST_YEAR} and {inputs.LATEST_YEAR}."
        )


class DayField(forms.DateField):
    """A day of the facility's calendar."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def to_python(self, value: Any) -> date | None:
        day = super().to_python(value)
        if day is not None:
            _refuse_far(day.year)
        return day


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg] # no generic at run time
    """Several rows, each by its id. An id that no column holds is no choice; the database would
    not say so, but break."""

    def clean(self, value: Any) -> Any:
        for pk in value if isinstance(value, list | tuple) else ():
            if not (str(pk).isascii() and str(pk).isdigit() and len(str(pk)) <= 18):
                wrong = self.error_messages["invalid_pk_value"]
                raise forms.ValidationError(wrong, code="invalid_pk_value", params={"pk": pk})
        return super().clean(value)


class MomentField(forms.DateTimeField):
    """A time on the facility's clock. One that the change to summer time skips is refused; of one
    that comes twice the first is meant."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(clock.facility_zone()).replace(tzinfo=None)
        return value

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            naive = datetime.fromisoformat(str(value).strip())
        except ValueError:
            rule = "Enter a date and a time like 2026-11-22 14:00."
            raise forms.ValidationError(rule, code="invalid") from None
        local = naive.replace(tzinfo=naive.tzinfo or clock.facility_zone())
        _refuse_far(local.year)
        back = local.astimezone(UTC).astimezone(local.tzinfo)
        if back.replace(tzinfo=None) != local.replace(tzinfo=None):
            raise forms.ValidationError("The change to summer time skips this time.")
        return local.astimezone(UTC)


class ReasonForm(forms.Form):
    """A move that needs a reason."""

    reason = _lines("Reason", 2000, 2)


class PostponeForm(ReasonForm):
    """A later day of release. The data open when that day begins."""

    field_order = ("until", "reason")
    until = _day("Opens on")

    def moment(self) -> datetime:
        """The day's beginning in the facility's zone."""
        day: date = self.cleaned_data["until"]
        return datetime.combine(day, time(), clock.facility_zone())


class WithdrawForm(ReasonForm):
    """A proposal that was made by mistake; since it cannot be undone, its number is asked for."""

    number = forms.CharField(
        label="Proposal number", max_length=8, help_text="To be sure that this one is meant."
    )
    field_order = ("reason", "number")

    def __init__(self, *args: Any, expected: int, **named: Any) -> None:
        super().__init__(*args, **named)
        self._expected = expected

    def clean_number(self) -> str:
        typed: str = self.cleaned_data["number"].strip().lower().removeprefix("p")
        if not (typed.isascii() and typed.isdigit() and int(typed) == self._expected):
            raise forms.ValidationError("This is not the number of this proposal.")
        return typed


class BeamtimeForm(EditForm):
    """A block of beam. Where it overlaps with another proposal's and may nevertheless be given,
    the form comes back with a field to confirm it."""

    begin_at = MomentField(label="Begins")
    end_at = MomentField(label="Ends")
    description = _lines("Remark", 2000, 2, required=False)
    beside: ClassVar = ("despite_overlap",)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        if self.data.get("despite_overlap"):
            self.ask_to_confirm()

    def ask_to_confirm(self) -> None:
        """Offer the confirmation of what was just refused."""
        self.fields["despite_overlap"] = forms.BooleanField(
            label="Give it this time all the same", required=False
        )


class RecordForm(EditForm):
    """What is published of a proposal."""

    title = TextField(label="Title", max_length=500)
    abstract = _lines("Abstract", LONG, 10, required=False)
    metadata_public = forms.BooleanField(
        label="Public once it is reviewed",
        required=False,
        help_text="Otherwise its DOI is registered but internal, and nobody outside finds it.",
    )


class AboutForm(EditForm):
    """What the team says of its work."""

    keywords = TextField(
        label="Keywords", max_length=500, required=False, help_text="Parted by commas."
    )
    techniques = RowsField(
        label="Techniques",
        queryset=Technique.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["techniques"].queryset = queries.all_techniques()  # type: ignore[attr-defined]


class LogbookForm(EditForm):
    """Where the facility's logbook of the proposal is."""

    logbook = forms.URLField(
        label="Address of the logbook",
        max_length=200,
        required=False,
        assume_scheme="https",
        validators=[URLValidator(schemes=["http", "https"])],
    )


ROLES = [(r.value, r.label) for r in Membership.Role]


class MemberForm(EditForm):
    """What somebody is in the team."""

    role = forms.ChoiceField(label="Role", choices=ROLES, initial=Membership.Role.MEMBER)
    data_access = forms.TypedChoiceField(
        label="Data access",
        choices=Membership.DataAccess.choices,
        coerce=int,
        initial=Membership.DataAccess.READ,
        help_text="Read: see and copy the data. Work: also mark runs, edit, ask for calibration.",
    )
    until = _day("Until", required=False, help_text="Empty: as long as the team has access.")


class NewMemberForm(MemberForm):
    """Somebody for the team: found by login, e-mail or name."""

    field_order = ("login", "role", "data_access", "until")
    login = TextField(
        label="Login, e-mail or name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class DeputyForm(forms.Form):
    """Somebody who stands in for the leaders of the team."""

    login = TextField(
        label="Login, e-mail or name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    until = _day("Until", required=False, help_text="Empty: as long as the team has access.")


class ProlongForm(forms.Form):
    """A later end of the team's access."""

    until = _day("Access until")
    reason = _lines("Reason", 2000, 2)


class SampleForm(EditForm):
    """A sample."""

    name = TextField(label="Name", max_length=120)
    type: forms.ModelChoiceField[SampleType] = forms.ModelChoiceField(
        label="Type", queryset=SampleType.objects.none(), required=False, empty_label="not said"
    )
    url = forms.URLField(
        label="Address of more about it",
        max_length=512,
        required=False,
        assume_scheme="https",
        validators=[URLValidator(schemes=["http", "https"])],
    )
    description = _lines("Description", LONG, required=False)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["type"].queryset = queries.sample_types()  # type: ignore[attr-defined]


class ExperimentForm(EditForm):
    """A run type of the proposal."""

    name = TextField(label="Name", max_length=120)
    type: forms.ModelChoiceField[ExperimentType] = forms.ModelChoiceField(
        label="Type of the facility", queryset=ExperimentType.objects.none()
    )
    description = _lines("Description", LONG, required=False)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["type"].queryset = queries.experiment_types()  # type: ignore[attr-defined]
