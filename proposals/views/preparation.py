"""The proposal's groups and folders: what differs from what they should be, and putting it right;
and what differs anywhere, for staff."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from catalogue.ground import access as words
from catalogue.ground import pages
from catalogue.ground.refusal import Refused
from proposals import access, overviews, queries, upkeep
from proposals.frame import Frame, framed


@require_safe
@framed("preparation")
def preparation(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The plan: what would be done, before it is done."""
    return _preparation(request, frame)


def _preparation(
    request: HttpRequest, frame: Frame, *, refused: Refused | None = None
) -> HttpResponse:
    access.require(frame.actor, words.PREPARE, frame.proposal)
    row = upkeep.of(frame.proposal)
    drifts = list(row.drifts.all()) if row is not None else []
    context: dict[str, Any] = {
        "row": row,
        "page": pages.page_of(request, drifts),
        "differences": len(drifts),
        "why_not": upkeep.why_not_apply(frame.proposal, frame.actor),
        "refused": refused,
        "jobs": overviews.upkeep(frame.proposal)[:5],
        "stores": queries.stores_to_prepare(),
        "works": overviews.upkeep(frame.proposal).filter(state__in=["waiting", "claimed"]).exists(),
    }
    status = pages.status_of(refused) if refused else 200
    return frame.show(request, "proposals/preparation.html", context, status=status)


@require_POST
@framed("preparation")
def look(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Have it compared now."""
    upkeep.ask_to_look(frame.proposal, by=frame.actor)
    messages.success(request, "A worker looks at groups and folders; reload in a moment.")
    return pages.back(request, "proposals:preparation", frame.proposal.number)


@require_POST
@framed("preparation")
def apply(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Have the plan done that was shown; another one than that is not."""
    digest = request.POST.get("plan", "")[:64]
    try:
        upkeep.ask_to_apply(frame.proposal, digest=digest, by=frame.actor)
    except Refused as refusal:
        return _preparation(request, frame, refused=refusal)
    messages.success(request, "A worker puts groups and folders right; reload in a moment.")
    return pages.back(request, "proposals:preparation", frame.proposal.number)


@require_safe
@login_required
@pages.guarded
def drift(request: HttpRequest) -> HttpResponse:
    """What differs, of the proposals that the reader may prepare, the oldest difference first."""
    page = pages.page_of(request, upkeep.drifts(pages.actor(request)))
    return render(request, "proposals/drift.html", {"page": page})
