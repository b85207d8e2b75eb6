"""The tab Repositories: in which store the data of which run are."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from catalogue.ground import pages
from proposals.frame import Frame, framed
from runs import matrix


@require_safe
@framed("repositories")
def repositories(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Runs by stores, with totals; on request only the runs that are not verified in a store."""
    totals = matrix.totals(frame.proposal)
    stores = [total.store for total in totals]
    wanted = request.GET.get("not_in", "")
    known = wanted if wanted in {"any", *(s.identifier for s in stores)} else ""
    page = pages.page_of(request, matrix.runs_of(frame.actor, frame.proposal, not_in=known))
    context = {
        "totals": totals,
        "stores": stores,
        "not_in": known,
        "page": page,
        "lines": matrix.lines(list(page), stores),
    }
    return frame.show(request, "runs/repositories.html", context)
