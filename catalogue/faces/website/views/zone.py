"""Whose clock the times are shown on."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from catalogue.faces.website.context import FACILITY_ZONE, ZONE_COOKIE
from catalogue.ground import pages

_YEAR = 365 * 86400


@require_POST
def zone(request: HttpRequest) -> HttpResponse:
    """Keep for a year that times are shown as the facility's; else they are the reader's."""
    answer = pages.back(request, "home")
    if request.POST.get("zone", "") == FACILITY_ZONE:
        answer.set_cookie(
            ZONE_COOKIE, FACILITY_ZONE, max_age=_YEAR, samesite="Lax", httponly=True,
            secure=request.is_secure(),
        )  # fmt: skip
    else:
        answer.delete_cookie(ZONE_COOKIE)
    return answer
