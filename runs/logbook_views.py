"""The tab Logbook: the way to the facility's logbook, and the shift as a time line."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from catalogue.ground import access as words
from catalogue.ground import inputs, pages, typed
from proposals import content
from proposals import queries as proposals
from proposals.forms import LogbookForm
from proposals.frame import Frame, framed
from proposals.models import Proposal
from runs import shifts

SIZE = 200


@require_safe
@framed("logbook")
def logbook(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The marks and comments of one day, shift by shift."""
    return _show(request, frame)


def _show(
    request: HttpRequest, frame: Frame, *, form: LogbookForm | None = None, status: int = 200
) -> HttpResponse:
    quietly = request.GET.get("only") == "said"
    found = shifts.told(frame.proposal, quietly=quietly)
    if not frame.may(words.SEE_JOURNAL):
        found = found.none()
    day = _day(request) or shifts.last_day(found)
    page = pages.page_of(request, shifts.of_day(found, day), size=SIZE)
    before, after = shifts.beside(found, day)
    context = {
        "form": form or LogbookForm(now=_now(frame.proposal)),
        "stays": frame.why_not(words.EDIT),
        "day": day,
        "before": before,
        "after": after,
        "page": page,
        "shifts": shifts.by_shift(page, day),
        "quietly": quietly,
    }
    return frame.show(request, "runs/logbook.html", context, status=status)


def _day(request: HttpRequest) -> date | None:
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return None
    return day if inputs.EARLIEST_YEAR <= day.year <= inputs.LATEST_YEAR else None


def _now(proposal: Proposal) -> dict[str, Any]:
    return {"logbook": proposal.logbook}


@require_POST
@framed("logbook")
@typed.once
def change_link(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Say where the facility's logbook of the proposal is."""
    form = LogbookForm(request.POST, now=_now(frame.proposal))

    def act() -> None:
        content.amend(frame.proposal, to=form.cleaned_data, by=frame.actor)

    status = typed.attempt_change(
        form, act, held=frame.proposal, now=lambda: _now(proposals.again(frame.proposal))
    )
    if status:
        return _show(request, frame, form=form, status=status)
    messages.success(request, "The link to the logbook is kept.")
    return pages.back(request, "runs:logbook", frame.proposal.number)
