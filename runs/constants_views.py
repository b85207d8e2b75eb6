"""The page of a proposal that shows with which calibration constants its runs were corrected."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from catalogue.ground import pages
from proposals.frame import Frame, framed
from runs.constants import reading


@require_safe
@framed("constants")
def constants_used(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The versions, by detector, unit and what they are; beside each the runs that used it."""
    rows = reading.used_by(frame.proposal).order_by(
        "unit__detector__identifier", "unit__aggregator", "constant__kind__name", "-begin_at", "-pk"
    )
    page = pages.page_of(request, rows)
    runs = reading.runs_by_version(frame.proposal, list(page))
    return frame.show(request, "runs/constants.html", {"page": page, "runs": runs})
