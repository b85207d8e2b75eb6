"""The proposal's History tab: its journal, to be narrowed by who, what, when and why."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from catalogue.ground import access as words
from catalogue.ground import pages, sealing
from catalogue.ground.journal_filters import HistoryFilter
from proposals import access, queries
from proposals.frame import Frame, framed


@require_safe
@framed("history")
def history(request: HttpRequest, frame: Frame) -> HttpResponse:
    """What happened to the proposal and all that belongs to it, newest first; that jobs were done
    is told on request, since what they did is told anyway."""
    story = queries.story(frame.actor, frame.proposal).select_related("on_behalf")
    found = HistoryFilter(request.GET, queryset=story)
    everywhere = words.facility_wide(frame.actor, access.today())
    context = {
        "filter": found,
        "page": pages.page_of(request, pages.narrowed(found)),
        "narrowed": any(request.GET.get(name) for name in found.filters),
        "sees_journal": words.SEE_JOURNAL in everywhere,
        "sealed": sealing.status(),
    }
    return frame.show(request, "proposals/history.html", context)
