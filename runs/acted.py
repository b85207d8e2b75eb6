"""What the run table answers to an act on one run or many: to its script the line that says what
happened, with the rows anew; to everybody else the page they came from, or what was refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from catalogue.ground import pages
from catalogue.ground.words import count_text
from proposals.frame import Frame
from runs import tabled, tables
from runs.columns import COOKIE, LONGEST_WITHIN, filters_in, hidden_in, shown
from runs.forms import SelectionForm
from runs.many import Outcome
from runs.models import Assessment, Run

TOLD_SINGLY = 20


@dataclass(frozen=True, slots=True)
class Act:
    """What was done: `did` after "Run 0083 ", `undone` why it was not. For a mark also its value,
    what was foretold by run id, and the mark that each run had before."""

    did: str
    undone: str
    quality: str = ""
    foretold: Mapping[int, Any] = field(default_factory=dict)
    seen: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of one run."""

    run: Run
    outcome: Outcome
    fresh: bool
    follows: Sequence[Any]

    @property
    def seen(self) -> int | None:
        """The mark to be written over where it is marked all the same."""
        refusal = self.outcome.refusal
        if refusal is None or refusal.kind != "stale":
            return None
        there = refusal.details.get("assessment")
        return there if isinstance(there, int) else None

    @property
    def undo(self) -> str:
        """How the selection form names this run with its new mark, where that can be taken back."""
        made = self.outcome.gave
        undoable = self.fresh and isinstance(made, Assessment) and made.previous
        return f"{self.run.number}.{made.pk}" if undoable else ""


def by_script(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def selected(request: HttpRequest, frame: Frame) -> tuple[list[Run], dict[int, int | None], str]:
    """The runs that a form or an address names, with the mark that was seen of each; and what is
    wrong with the selection, if anything is."""
    form = SelectionForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        return [], {}, str(form.errors["run"][0])
    seen: dict[int, int | None] = form.cleaned_data["run"]
    runs = tabled.some(frame.proposal, seen.keys())
    missing = sorted(seen.keys() - {run.number for run in runs})
    return runs, seen, f"There is no run {missing[0]:04d} here." if missing else ""


def answer(
    request: HttpRequest, frame: Frame, outcomes: Sequence[Outcome], act: Act
) -> HttpResponse:
    """Say what came of it."""
    lines = [
        Line(
            run=o.run,
            outcome=o,
            fresh=o.refusal is None and getattr(o.gave, "pk", None) != act.seen.get(o.run.pk),
            follows=act.foretold.get(o.run.pk, ()),
        )
        for o in outcomes
    ]
    refused = [line for line in lines if line.outcome.refusal is not None]
    refusals = [o.refusal for o in outcomes if o.refusal is not None]
    status = pages.status_of(refusals[0]) if len(refusals) == len(outcomes) else 200
    if not by_script(request) and not refused:
        messages.success(request, f"{_named(lines)} {act.did}.")
        if len(lines) == 1:
            return pages.back(request, "runs:run", frame.proposal.number, lines[0].run.number)
        return pages.back(request, "runs:list", frame.proposal.number)
    context = {
        "act": act,
        "lines": lines,
        "refused": refused,
        "done": [line for line in lines if line.outcome.refusal is None],
        "undo": [line.undo for line in lines if line.undo],
        "named": _named([line for line in lines if line not in refused]),
        "word": str(Run.Quality(act.quality).label) if act.quality else "",
    }
    if not by_script(request):
        context["next"] = came_from(request, frame)
        return frame.show(request, "runs/acted.html", context, status=status)
    numbers = [line.run.number for line in lines]
    context |= table(request, frame, tabled.some(frame.proposal, numbers))
    return frame.show(request, "runs/_acted.html", context, status=status)


def _named(lines: Sequence[Line]) -> str:
    one = len(lines) == 1
    return f"Run {lines[0].run.number:04d}" if one else count_text(len(lines), "run")


def table(request: HttpRequest, frame: Frame, runs: Sequence[Run]) -> dict[str, Any]:
    """What a template needs to show rows of these runs."""
    hidden = hidden_in(request.COOKIES.get(COOKIE, ""))
    return {
        "rows": tables.table_rows(runs),
        "columns": shown(hidden),
        "hidden": hidden,
        "within": filters_in(_asked(request)),
        "tiers": tables.TIERS,
        "marks": tables.MARKS,
        **rights(frame.allowed),
    }


def _asked(request: HttpRequest) -> QueryDict:
    """The query of the table: the page's own, or of the page that a form says it stands on."""
    if request.method != "POST":
        return request.GET
    return QueryDict(request.POST.get("next", "").partition("?")[2][:8000])


def came_from(request: HttpRequest, frame: Frame) -> str:
    """The table as the reader had narrowed it: as the form says that it stands on, or as the link
    carried its filters; nothing where neither is known."""
    if request.method == "POST":
        return pages.named_by(request)
    carried = filters_in(QueryDict(request.GET.get("within", "")[:LONGEST_WITHIN]))
    return f"{reverse('runs:list', args=[frame.proposal.number])}?{carried}" if carried else ""


def rights(allowed: Collection[str]) -> dict[str, bool]:
    """What somebody who looks at the table may do there."""
    return {name: word in allowed for name, word in tables.RIGHTS}
