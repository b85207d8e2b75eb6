"""A plot as the answer to a request: for the colour scheme that the page's picture asks for."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from catalogue.ground.inputs import Invalid


def drawn(request: HttpRequest, draw: Callable[[bool], bytes]) -> HttpResponse:
    """The SVG that `draw(dark)` makes; kept by the browser of who may see it, for a minute."""
    scheme = request.GET.get("scheme", "light")
    if scheme not in ("light", "dark"):
        raise Invalid("scheme", "must be light or dark", scheme)
    answer = HttpResponse(draw(scheme == "dark"), content_type="image/svg+xml")
    answer["Cache-Control"] = "private, max-age=60"
    return answer
