"""The beamtime board."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalogue.ground import pages
from proposals import board as boards
from proposals import entering, queries
from proposals.filters import BoardFilter


@require_safe
@login_required
@pages.guarded
def board(request: HttpRequest) -> HttpResponse:
    """Where the proposals of an instrument and a cycle stand, and what waits for whom."""
    actor = pages.actor(request)
    asked = request.GET.copy()
    if "instrument" not in asked and "cycle" not in asked:
        asked["instrument"], asked["cycle"] = boards.home(actor)
    found = BoardFilter(asked, queryset=queries.listed(actor), request=request)
    columns = boards.columns(actor, pages.narrowed(found))
    context = {
        "filter": found,
        "columns": columns,
        "waiting": sum(card.mine for column in columns for card in column.cards),
        "total": sum(column.total for column in columns),
        "may_create": entering.may_create(actor),
        "instrument": asked.get("instrument", ""),
        "cycle": asked.get("cycle", ""),
    }
    return render(request, "proposals/board.html", context)
