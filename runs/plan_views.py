"""The tab Data Management Plan: what was planned against what was measured, and its numbers."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from catalogue.ground import access as words
from catalogue.ground import pages, typed
from proposals import declared
from proposals import queries as proposals
from proposals.frame import Frame, framed
from proposals.models import DataManagementPlan
from runs import planned, plots
from runs.forms import PlanForm


@require_safe
@framed("plan")
def plan(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The plan beside what there is, as a table and as a plot."""
    plans = proposals.plans(frame.proposal)
    found = plans[0] if plans else None
    context = {
        "plan": found,
        "others": plans[1:],
        "lines": planned.comparisons(frame.proposal, found),
        "stays": frame.why_not(words.EDIT),
        "texts": [(f.label, getattr(found, n)) for n, f in _texts() if getattr(found, n, "")],
    }
    return frame.show(request, "runs/plan.html", context)


def _texts() -> list[tuple[str, Any]]:
    return [(n, f) for n, f in PlanForm.base_fields.items() if n in PlanForm.texts]


def _lines(frame: Frame) -> list[planned.Comparison]:
    plans = proposals.plans(frame.proposal)
    return planned.comparisons(frame.proposal, plans[0] if plans else None)


@require_safe
@framed("plan")
def plot(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The plot alone, for a light or a dark page."""
    scheme = request.GET.get("scheme", "light")
    picture = plots.plan_and_actual(_lines(frame), scheme if scheme in plots.COLOURS else "light")
    answer = HttpResponse(picture, content_type="image/svg+xml")
    answer["Cache-Control"] = "private, max-age=60"
    return answer


@require_safe
@framed("plan")
def numbers(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The numbers as CSV, in bytes and hours."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["what", "unit", "planned", "measured", "as told"])
    for line in _lines(frame):
        amounts = ["" if a is None else f"{a:.10g}" for a in (line.planned, line.actual)]
        told = line.told if not line.told.startswith(("=", "+", "-", "@")) else f"'{line.told}"
        rows.writerow([line.what, line.unit, *amounts, told])
    answer = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    name = f"{frame.proposal.folder}-plan.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@framed("plan")
@typed.once
def change(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Say what the proposal expects to need, or correct what was said."""
    refused = frame.why_not(words.EDIT)
    plans = proposals.plans(frame.proposal)
    if request.method != "POST":
        return _edit(request, frame, PlanForm(now=_now(plans)), refused)
    form = PlanForm(request.POST, now=_now(plans))

    def act() -> None:
        there = proposals.plans(frame.proposal)
        if there:
            declared.change(there[0], to=form.cleaned_data, by=frame.actor)
            return
        facts = {"identifier": f"DMP-{frame.proposal.number:06d}", **form.cleaned_data}
        declared.add_plan(frame.proposal, facts=facts, by=frame.actor)

    status = typed.attempt_change(
        form, act, held=frame.proposal, now=lambda: _now(proposals.plans(frame.proposal))
    )
    if status:
        return _edit(request, frame, form, refused, status=status)
    messages.success(request, "The data management plan is kept.")
    return pages.back(request, "runs:plan", frame.proposal.number)


def _now(plans: list[DataManagementPlan]) -> dict[str, Any]:
    empty = dict.fromkeys(PlanForm.base_fields, "") | {"name": "Data management plan"}
    return {name: getattr(plans[0], name) for name in empty} if plans else empty


def _edit(
    request: HttpRequest, frame: Frame, form: PlanForm, refused: Any, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "heading": "Data management plan",
        "does": "Keep the plan",
        "back": "runs:plan",
        "refused": refused,
    }
    return frame.show(request, "proposals/edit.html", context, status=status)
