"""The pages for what went wrong outside any view's knowledge."""

from __future__ import annotations

import logging
import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token

from catalogue.ground import pages

log = logging.getLogger(__name__)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """An error of our own, with a reference that stands in the log beside its traceback. Reads no
    database, since that may be the trouble."""
    reference = uuid.uuid4().hex[:8]
    # Django calls this while it handles the exception, so there is one to write down.
    log.error("%s: %s %s", reference, request.method, request.path, exc_info=True)  # noqa: LOG014
    context = {"reference": reference, "contact": settings.FACILITY_CONTACT}
    return HttpResponse(render_to_string("500.html", context), status=500)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Nothing there, or not for the reader; both look the same, and the log tells both alike."""
    context = {"reference": pages.reference_of(request, 404, "nothing there, or not for them")}
    return render(request, "404.html", context, status=404)


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A right is missing."""
    reference = pages.reference_of(request, 403, str(exception))
    context = {"exception": str(exception), "reference": reference}
    return render(request, "403.html", context, status=403)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that does not carry the site's mark. Reads neither database nor session."""
    reference = uuid.uuid4().hex[:8]
    log.warning("%s: 403 %s %r: %s", reference, request.method, request.path, reason)
    text = render_to_string("403_csrf.html", {"reference": reference})
    return HttpResponse(text, status=403)


def not_understood(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A request that breaks the rules of HTTP, or of what this site takes."""
    reference = uuid.uuid4().hex[:8]
    log.warning("%s: 400 %s: %.200r", reference, request.method, str(exception))
    return HttpResponse(render_to_string("400.html", {"reference": reference}), status=400)
