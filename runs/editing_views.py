"""What people say of runs besides the mark, and asking for their calibration; for one run or a
selection, as a page or in the dialog of the run table."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from catalogue.ground import access as words
from catalogue.ground import pages
from catalogue.ground.refusal import Refused
from proposals.frame import Frame, framed
from runs import calibrating, commands, many, queries, tabled
from runs.acted import Act, answer, by_script, came_from, selected
from runs.forms import CalibrateForm, RunForm, RunsForm
from runs.models import Run


@require_http_methods(["GET", "HEAD", "POST"])
@framed("runs")
def edit(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Causes, comment, run type, sample and techniques. Where somebody else changed them since the
    form was made, both versions are shown, and nothing is written."""
    runs, _, wrong = selected(request, frame)
    if wrong:
        return pages.refused(request, Refused(wrong, kind="reason"))
    if not frame.may(words.EDIT) or not frame.may(words.ASSESS):
        return pages.refused(request, _not_theirs("change what is said of runs"))
    parts = tabled.to_choose_from(frame.proposal)
    if request.method != "POST" or "save" not in request.POST:
        form = RunForm.of(runs[0], parts) if len(runs) == 1 else RunsForm(parts=parts)
        return _form(request, frame, runs, form)
    made = RunForm if len(runs) == 1 else RunsForm
    form = made(request.POST, parts=parts, auto_id="edit_%s")
    if not form.is_valid():
        return _form(request, frame, runs, form, status=422)
    if len(runs) == 1:
        return _one(request, frame, runs[0], form)
    outcomes = many.each(runs, lambda run: _edit_one_of_many(run, form, frame))
    act = Act(did="are kept as you changed them", undone="was not changed")
    return answer(request, frame, outcomes, act)


def _one(request: HttpRequest, frame: Frame, run: Run, form: RunForm) -> HttpResponse:
    said = dict(form.cleaned_data)
    causes, seen = said.pop("causes"), said.pop("edition") or None
    said["techniques"] = list(said["techniques"])
    clear = [name for name in ("experiment", "sample") if said[name] is None]
    try:
        commands.describe(run, by=frame.actor, causes=causes, clear=clear, seen=seen, **said)
    except Refused as refusal:
        if refusal.kind != "stale":
            return pages.refused(request, refusal)
        now = tabled.one(frame.proposal, run.number)
        typed = request.POST.copy()
        typed["edition"] = queries.edition(now)
        form.data = typed
        theirs = RunForm.of(now, tabled.to_choose_from(frame.proposal))
        return _form(request, frame, [now], form, status=409, refusal=refusal, theirs=theirs)
    act = Act(did="is kept as you changed it", undone="was not changed")
    return answer(request, frame, [many.Outcome(run)], act)


def _edit_one_of_many(run: Run, form: Any, frame: Frame) -> None:
    said = form.changes()
    if "techniques" in said:
        said["techniques"] = list(said["techniques"])
    causes = form.cleaned_data["causes"]
    commands.describe(run, by=frame.actor, causes=causes, more=True, **said)


def _form(
    request: HttpRequest,
    frame: Frame,
    runs: list[Run],
    form: RunForm,
    *,
    status: int = 200,
    refusal: Refused | None = None,
    theirs: RunForm | None = None,
) -> HttpResponse:
    context = {
        "runs": runs,
        "single": len(runs) == 1,
        "form": form,
        "refusal": refusal,
        "theirs": _said(theirs) if theirs else [],
        "next": came_from(request, frame),
    }
    template = "runs/_edit.html" if by_script(request) else "runs/edit.html"
    return frame.show(request, template, context, status=status)


def _said(form: RunForm) -> list[tuple[str, str]]:
    """What a form holds, in words, field by field."""
    found = []
    for field in form.visible_fields():
        value = field.initial
        if hasattr(value, "all"):
            text = ", ".join(row.name for row in value)
        elif hasattr(field.field, "queryset"):
            text = next((str(row) for row in field.field.queryset if row.pk == value), "")
        else:
            text = value or ""
        found.append((str(field.label), text or "nothing"))
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@framed("runs")
def calibrate(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Ask for the calibration of the runs named, for the detectors chosen."""
    runs, _, wrong = selected(request, frame)
    if wrong:
        return pages.refused(request, Refused(wrong, kind="reason"))
    if not frame.may(words.CALIBRATE):
        return pages.refused(request, _not_theirs("ask for calibration"))
    asked = request.method == "POST" and "save" in request.POST
    form = CalibrateForm(request.POST if asked else None, proposal=frame.proposal)
    if not asked or not form.is_valid():
        context = {
            "runs": runs,
            "form": form,
            "refusals": [
                (run, why)
                for run in runs
                if (why := calibrating.why_not_calibration(run, by=frame.actor)) is not None
            ],
            "next": came_from(request, frame),
        }
        template = "runs/_calibrate.html" if by_script(request) else "runs/calibrate.html"
        return frame.show(request, template, context, status=422 if asked else 200)
    detectors = list(form.cleaned_data["detectors"])
    outcomes = many.each(
        runs, lambda run: calibrating.request_for(run, detectors=detectors, by=frame.actor)
    )
    did = "is" if len(runs) == 1 else "are"
    act = Act(did=f"{did} asked to be calibrated", undone="is not calibrated")
    return answer(request, frame, outcomes, act)


def _not_theirs(what: str) -> Refused:
    return Refused(f"You may not {what} here.", kind="permission", who="those who work on the data")
