"""Marks from the run table: what each would bring about, setting them, taking them back; for one
run or a selection. Every one of these works as a form alone, the table's script asks the same."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from catalogue.ground import pages
from catalogue.ground.refusal import Refused
from catalogue.ground.words import bytes_text
from proposals.frame import Frame, framed
from runs import commands, many, tabled, tables
from runs.acted import Act, answer, by_script, came_from, selected, table
from runs.forms import MarkForm
from runs.models import Run


@require_http_methods(["GET", "HEAD", "POST"])
@framed("runs")
def foretold(request: HttpRequest, frame: Frame) -> HttpResponse:
    """What each mark would bring about for the runs named, as the door answers now."""
    runs, _, wrong = selected(request, frame)
    if wrong:
        return pages.refused(request, Refused(wrong, kind="reason"))
    told = tables.foretold(runs, frame.actor)
    rows = table(request, frame, runs)
    context = {
        **rows,
        "told": [(row, told[row.run.pk]) for row in rows["rows"]],
        "summed": [_summed(place, told) for place in range(len(tables.MARKS))],
        "single": len(runs) == 1,
        "next": came_from(request, frame),
    }
    template = "runs/_foretold.html" if by_script(request) else "runs/foretold.html"
    return frame.show(request, template, context)


def _summed(place: int, told: dict[int, tuple[tables.Mark, ...]]) -> dict[str, Any]:
    """One mark for all the runs: how many may have it, what refuses the others, and by date and
    size what the door foretells, counted."""
    marks = [found[place] for found in told.values()]
    sizes = [a.bytes for m in marks if m.refused is None for a in m.answers if a.bytes and a.when]
    dates = [a.when for m in marks if m.refused is None for a in m.answers if a.when]
    return {
        "mark": marks[0],
        "may": sum(m.refused is None for m in marks),
        "refusals": sorted({m.refused.why for m in marks if m.refused is not None}),
        "going": bytes_text(sum(sizes)) if sizes else "",
        "first": min(dates, default=None),
        "copied": bytes_text(sum(
            a.bytes for m in marks if m.refused is None for a in m.answers
            if a.bytes and a.when is None
        )),
    }  # fmt: skip


@require_POST
@framed("runs")
def assess(request: HttpRequest, frame: Frame, run_number: int) -> HttpResponse:
    """Mark one run."""
    run = tabled.one(frame.proposal, run_number)
    return _mark(request, frame, [run], {run_number: _seen(request)})


@require_POST
@framed("runs")
def assess_many(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Mark a selection."""
    runs, seen, wrong = selected(request, frame)
    if wrong:
        return pages.refused(request, Refused(wrong, kind="reason"))
    return _mark(request, frame, runs, seen)


def _seen(request: HttpRequest) -> int | None:
    """The mark that the sender of a form for one run saw, as its address or a field names it."""
    text = request.GET.get("seen") or request.POST.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _mark(
    request: HttpRequest, frame: Frame, runs: list[Run], seen: dict[int, int | None]
) -> HttpResponse:
    form = MarkForm(request.POST)
    if not form.is_valid():
        return pages.refused(request, Refused("A mark is one of the three.", kind="reason"))
    quality, comment = form.cleaned_data["quality"], form.cleaned_data["comment"]
    told = tables.foretold(runs, frame.actor)
    outcomes = commands.assess_many(
        runs, quality=quality, by=frame.actor, comment=comment, seen=seen
    )
    place = [value for value, *_ in tables.MARKS].index(quality)
    act = Act(
        did=f"{'is' if len(runs) == 1 else 'are'} marked {Run.Quality(quality).label}",
        undone="was not marked",
        quality=quality,
        foretold={pk: marks[place].answers for pk, marks in told.items()},
        seen=_last(runs),
    )
    return answer(request, frame, outcomes, act)


def _last(runs: list[Run]) -> dict[int, int]:
    """By run id, the mark that it had before the act."""
    return {run.pk: run.last_mark["id"] for run in runs if run.last_mark}  # type: ignore[attr-defined]


@require_POST
@framed("runs")
def undo(request: HttpRequest, frame: Frame, run_number: int) -> HttpResponse:
    """Mark one run as it was before its last mark."""
    run = tabled.one(frame.proposal, run_number)
    return _undo(request, frame, [run], {run_number: _seen(request) or 0})


@require_POST
@framed("runs")
def undo_many(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Mark each of a selection as it was before."""
    runs, seen, wrong = selected(request, frame)
    if wrong:
        return pages.refused(request, Refused(wrong, kind="reason"))
    return _undo(request, frame, runs, {number: found or 0 for number, found in seen.items()})


def _undo(
    request: HttpRequest, frame: Frame, runs: list[Run], seen: dict[int, int]
) -> HttpResponse:
    outcomes = many.each(
        runs, lambda run: commands.undo_mark(run, by=frame.actor, seen=seen[run.number])
    )
    act = Act(
        did=f"{'is' if len(runs) == 1 else 'are'} marked as before",
        undone="was not marked as before",
        seen=_last(runs),
    )
    return answer(request, frame, outcomes, act)
