"""What people type about runs, checked for its form; every rule is the verbs'."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet

from catalogue.ground.models import Detector, Technique
from catalogue.ground.typed import EditForm
from proposals.forms import RowsField, TextField
from proposals.models import Experiment, Proposal, Sample
from runs import planned, queries
from runs.models import CauseTag, Run

MOST_RUNS = 500
"""So many runs are selected at once at most."""


class MarkForm(forms.Form):
    """A mark, with a word on why."""

    quality = forms.ChoiceField(choices=[(q.value, q.label) for q in Run.Quality if q.value])
    comment = forms.CharField(max_length=2000, required=False)


class SelectionForm(forms.Form):
    """Which runs are meant: each as its number and, after a point, the id of the mark that the
    sender saw ("83.1207"); whoever saw none says the number alone."""

    run = forms.MultipleChoiceField()

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.fields["run"] = _Numbers(label="Runs")


class _Numbers(forms.MultipleChoiceField):
    """Run number -> id of the mark that was seen, or None."""

    default_error_messages = {
        "none": "Select a run first.",
        "many": f"At most {MOST_RUNS} runs are selected at once.",
        "number": "A run is named by its number.",
    }

    def clean(self, value: Any) -> dict[int, int | None]:
        if not value:
            raise forms.ValidationError(self.error_messages["none"])
        if len(value) > MOST_RUNS:
            raise forms.ValidationError(self.error_messages["many"])
        return dict(self._one(text) for text in value)

    def _one(self, text: str) -> tuple[int, int | None]:
        number, point, seen = text.partition(".")
        digits = [number, seen] if point else [number]
        if not all(d.isascii() and d.isdigit() and len(d) <= 18 for d in digits):
            raise forms.ValidationError(self.error_messages["number"])
        return int(number), int(seen) if point else None


class _ByName(RowsField):
    """Several rows of a reference table, each by its name."""

    def label_from_instance(self, row: Any) -> str:
        return str(row.name)


class RunForm(forms.Form):
    """What people say of a run: why it is as it is, and what it was."""

    causes = _ByName(
        CauseTag.objects.none(), required=False, label="Causes",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    comment = forms.CharField(
        label="Comment", max_length=5000, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    experiment = forms.ModelChoiceField(
        Experiment.objects.none(), required=False, label="Run type", empty_label="None"
    )
    sample = forms.ModelChoiceField(
        Sample.objects.none(), required=False, label="Sample", empty_label="None"
    )
    techniques = _ByName(
        Technique.objects.none(), required=False, label="Techniques",
        widget=forms.SelectMultiple(attrs={"size": 5}),
    )  # fmt: skip
    edition = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)

    def __init__(self, *args: Any, parts: dict[str, QuerySet[Any]], **named: Any) -> None:
        super().__init__(*args, **named)
        for name, rows in parts.items():
            field: Any = self.fields[name]
            field.queryset = rows

    @classmethod
    def of(cls, run: Run, parts: dict[str, QuerySet[Any]]) -> RunForm:
        """The form of one run as it is now."""
        said = {
            "causes": run.causes.all(),
            "comment": run.comment,
            "experiment": run.experiment_id,
            "sample": run.sample_id,
            "techniques": run.techniques.all(),
            "edition": queries.edition(run),
        }
        return cls(initial=said, parts=parts, auto_id="edit_%s")


class RunsForm(RunForm):
    """The same for several runs: what is left as it is here stays as it is in each; causes are
    added to those that are there."""

    NAMES = ("experiment", "sample", "techniques", "comment")

    def __init__(self, *args: Any, parts: dict[str, QuerySet[Any]], **named: Any) -> None:
        super().__init__(*args, parts=parts, **named)
        for name in ("experiment", "sample"):
            choice: Any = self.fields[name]
            choice.empty_label = "As it is in each"
        self.fields["causes"].label = "Causes to add"
        self.fields["comment"].help_text = "Left empty, each keeps its own."
        self.fields["techniques"].help_text = "None chosen, each keeps its own."

    def changes(self) -> dict[str, Any]:
        """What was asked for."""
        return {name: v for name in self.NAMES if (v := self.cleaned_data[name])}


class CalibrateForm(forms.Form):
    """For which detectors runs are calibrated."""

    detectors = _ByName(
        Detector.objects.none(), label="Detectors", widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose a detector."},
    )  # fmt: skip

    def __init__(self, *args: Any, proposal: Proposal, **named: Any) -> None:
        super().__init__(*args, **named)
        self.known: Sequence[Detector] = list(queries.detectors_of(proposal))
        chosen: Any = self.fields["detectors"]
        chosen.queryset = queries.detectors_of(proposal)
        chosen.initial = [d.pk for d in self.known[:1]]


class CommentForm(forms.Form):
    """The comment on a run."""

    comment = forms.CharField(
        label="Comment",
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    seen = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)

    @classmethod
    def of(cls, run: Run) -> CommentForm:
        """The form with the comment as it is now."""
        return cls(initial={"comment": run.comment, "seen": queries.comment_edition(run)})


class SwitchForm(forms.Form):
    """What the catalogue does by itself with new runs of a proposal."""

    name = forms.ChoiceField(
        choices=[(n, n) for n in ("assesses_by_itself", "calibrates_by_itself")]
    )
    on = forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")], coerce=lambda value: value == "yes"
    )


class AmountField(forms.CharField):
    """A number with the unit it is meant in, kept as it was typed."""

    def __init__(self, label: str, *, rule: str, means: Callable[[str], object]) -> None:
        super().__init__(label=label, max_length=60, required=False, help_text=rule)
        self._means = means

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if text and self._means(text) is None:
            raise forms.ValidationError(f"{self.help_text}")
        return text


def _size(label: str) -> AmountField:
    rule = "A number with its unit, e.g. 1.5 TB or 300 GB."
    return AmountField(label, rule=rule, means=planned.size_told)


def _count(label: str) -> AmountField:
    return AmountField(label, rule="A number, e.g. 8.", means=planned.hours_told)


def _text(label: str) -> TextField:
    widget = forms.Textarea(attrs={"rows": 3})
    return TextField(label=label, max_length=20_000, required=False, widget=widget)


class PlanForm(EditForm):
    """What a proposal expects to need."""

    texts: ClassVar = (
        "description", "detector_details", "technique_description", "reduction_technique",
        "support_scope",
    )  # fmt: skip

    name = TextField(label="Name", max_length=255)
    raw_size = _size("Raw data")
    proc_size = _size("Corrected data")
    collection_hours = _count("Hours of measurement")
    user_nodes_cpu = _count("Nodes for users, CPU")
    user_nodes_gpu = _count("Nodes for users, GPU")
    damnit_nodes_cpu = _count("Nodes for DAMNIT, CPU")
    damnit_nodes_gpu = _count("Nodes for DAMNIT, GPU")
    description = _text("Description")
    detector_details = _text("Detectors and their settings")
    technique_description = _text("Techniques")
    reduction_technique = _text("How the data are reduced")
    support_scope = _text("Support that is needed")
