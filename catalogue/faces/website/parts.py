"""Parts of pages that scripts ask for: they are never another page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

SIGNED_OUT: Final = (
    "<!doctype html><title>Signed out</title><main><p>You have been signed out, or may not see "
    "this any more: load the page again.</p></main>"
)


class Parts:
    """Whoever is not signed in any more is led to the page where one signs in, but a script would
    follow and put that page in the place of the part that it asked for: it is told 403 instead.
    (What a form leads to is 303.)"""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.status_code == 302 and request.headers.get("HX-Request") == "true":
            return HttpResponse(SIGNED_OUT, status=403)
        return response
