"""The tab Samples: the samples and the run types of a proposal are made, changed and removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalogue.ground import access as words
from catalogue.ground import pages, typed
from catalogue.ground.inputs import Invalid
from catalogue.ground.refusal import Refused
from proposals import commands, content, queries
from proposals.forms import ExperimentForm, SampleForm
from proposals.frame import Frame, framed
from proposals.models import Experiment, Proposal, Sample

Row = Sample | Experiment


@dataclass(frozen=True, slots=True)
class Part:
    """What is done with samples and with run types alike."""

    word: str
    anchor: str
    form: type[typed.EditForm]
    fields: tuple[str, ...]
    rows: Callable[[Proposal], QuerySet[Any]]
    add: Callable[..., Any]
    change: Callable[..., Any]
    remove: Callable[..., None]


PARTS: Mapping[str, Part] = {
    "samples": Part(
        "sample", "#samples", SampleForm, ("name", "type", "url", "description"),
        queries.samples, commands.add_sample, content.change_sample, content.remove_sample,
    ),
    "experiments": Part(
        "run type", "#run-types", ExperimentForm, ("name", "type", "description"),
        queries.experiments, commands.add_experiment, content.change_experiment,
        content.remove_experiment,
    ),
}  # fmt: skip


@require_safe
@framed("samples")
def samples(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Samples and run types; beside each what of the data is of it, and so keeps it."""
    return _show(request, frame)


def _show(
    request: HttpRequest,
    frame: Frame,
    *,
    forms: Mapping[str, typed.EditForm] | None = None,
    refused: tuple[str, int, Refused] | None = None,
    status: int = 200,
) -> HttpResponse:
    parts = []
    for kind, part in PARTS.items():
        page = pages.page_of(request, part.rows(frame.proposal), parameter=kind)
        uses = queries.uses(list(page))
        why = {refused[1]: refused[2]} if refused and refused[0] == kind else {}
        parts.append(
            {
                "kind": kind,
                "part": part,
                "page": page,
                "rows": [(row, uses.get(row.pk, []), why.get(row.pk)) for row in page],
                "form": (forms or {}).get(kind) or part.form(prefix=kind),
            }
        )
    context = {"parts": parts, "stay": frame.why_not(words.EDIT)}
    return frame.show(request, "proposals/samples.html", context, status=status)


@require_POST
@framed("samples")
@typed.once
def add(request: HttpRequest, frame: Frame, kind: str) -> HttpResponse:
    """A new sample, or a new run type."""
    part = PARTS[kind]
    form = part.form(request.POST, prefix=kind)

    def act() -> None:
        name = form.cleaned_data["name"]
        if queries.has_name(part.rows(frame.proposal), name):
            raise Invalid("name", "the proposal has one of that name already", name)
        part.add(frame.proposal, by=frame.actor, **form.cleaned_data)

    status = typed.attempt(form, act)
    if status:
        return _show(request, frame, forms={kind: form}, status=status)
    messages.success(request, f"The {part.word} {form.cleaned_data['name']} is there.")
    return _back(request, frame, part)


@require_http_methods(["GET", "HEAD", "POST"])
@framed("samples")
@typed.once
def change(request: HttpRequest, frame: Frame, kind: str, id: int) -> HttpResponse:
    """Rename one, or say something else of it."""
    part = PARTS[kind]
    row = _row(part, frame, id)
    if request.method != "POST":
        return _edit(request, frame, part, row, part.form(now=_now(part, row)))
    form = part.form(request.POST, now=_now(part, row))

    def act() -> None:
        part.change(row, to=form.cleaned_data, by=frame.actor)

    status = typed.attempt_change(
        form, act, held=frame.proposal, now=lambda: _now(part, _row(part, frame, id))
    )
    if status:
        return _edit(request, frame, part, row, form, status=status)
    messages.success(request, f"The {part.word} {form.cleaned_data['name']} is kept.")
    return _back(request, frame, part)


def _edit(
    request: HttpRequest, frame: Frame, part: Part, row: Row, form: typed.EditForm,
    *, status: int = 200,
) -> HttpResponse:  # fmt: skip
    context = {
        "form": form,
        "heading": f"Change the {part.word} {row.name}",
        "does": "Keep",
        "back": "proposals:samples",
        "refused": frame.why_not(words.EDIT),
    }
    return frame.show(request, "proposals/edit.html", context, status=status)


@require_POST
@framed("samples")
@typed.once
def remove(request: HttpRequest, frame: Frame, kind: str, id: int) -> HttpResponse:
    """Take one away that no data are of."""
    part = PARTS[kind]
    row = _row(part, frame, id)
    try:
        part.remove(row, by=frame.actor)
    except Refused as refusal:
        status = pages.status_of(refusal)
        return _show(request, frame, refused=(kind, id, refusal), status=status)
    messages.success(request, f"The {part.word} {row.name} is removed.")
    return _back(request, frame, part)


def _row(part: Part, frame: Frame, id: int) -> Row:
    found: Row = part.rows(frame.proposal).select_related("proposal__instrument", "type").get(pk=id)
    return found


def _now(part: Part, row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in part.fields}


def _back(request: HttpRequest, frame: Frame, part: Part) -> HttpResponse:
    return pages.back(request, "proposals:samples", frame.proposal.number, anchor=part.anchor)
