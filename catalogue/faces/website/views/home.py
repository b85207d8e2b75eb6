"""The first page: what waits for the reader, since when, and what runs now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalogue.ground import pages
from proposals import approvals, queries
from proposals import overviews as proposals
from runs import overviews as runs

# So many of each kind; a link leads to the rest.
SHOWN = 10
ASKED = 50
"""Requests for a second person that are looked at, whether the reader is one."""
EMBARGO_SOON = timedelta(days=91)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """My work; for a visitor, what this is."""
    actor = pages.actor(request)
    if actor.user is None:
        published = {"published": proposals.published()[:SHOWN]}
        return render(request, "catalogue/welcome.html", published)
    held = queries.jobs(actor).filter(state="held").order_by("-id")
    context: dict[str, Any] = {
        "running": proposals.running(actor)[:SHOWN],
        "held": held[:SHOWN],
        "held_count": held.count(),
        "unmarked": runs.unmarked(actor)[:SHOWN],
        "to_agree": approvals.waiting_for(actor, ASKED)[:SHOWN],
        "waiting": proposals.waiting_for(actor)[:SHOWN],
        "going": runs.going(actor)[:SHOWN],
        "opening": proposals.opening(actor, EMBARGO_SOON)[:SHOWN],
        "mine": proposals.mine(actor)[:SHOWN],
    }
    return render(request, "catalogue/home.html", context)
