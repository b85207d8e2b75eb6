"""Which letters somebody gets: chosen on a page, or ended in one click from a letter."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalogue.ground import notices as chosen
from catalogue.ground import pages
from catalogue.ground.models import User

# How a letter leaves this site, in words; the first that holds.
SERVER, FOLDER, NONE = "server", "folder", "none"


@require_safe
@login_required
def notices(request: HttpRequest) -> HttpResponse:
    """The kinds of notices with what the reader wants of each, and the last ones they got."""
    person = _reader(request)
    wanted = chosen.choices(person)
    context: dict[str, Any] = {
        "kinds": [(kind, wanted[kind.name]) for kind in chosen.kinds()],
        "address": chosen.address_of(person),
        "way": SERVER if settings.MAIL_SERVER else FOLDER if settings.MAIL_FOLDER else NONE,
        "folder": settings.MAIL_FOLDER,
        "page": pages.page_of(request, chosen.sent_to(person), size=20),
    }
    return render(request, "catalogue/notices.html", context)


@require_POST
@login_required
@pages.guarded
def choose(request: HttpRequest) -> HttpResponse:
    """Keep the choice: what is ticked is wanted, what is not ticked is not. `kinds` names what the
    form showed, so that a page of an older day changes nothing it did not know of."""
    shown = request.POST.getlist("kinds")
    ticked = set(request.POST.getlist("wanted"))
    chosen.choose(_reader(request), {name: name in ticked for name in shown})
    messages.success(request, "Kept. It holds for letters that are sent from now on.")
    return pages.back(request, "notices")


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """The link in a letter. Looking at it changes nothing: programs look at links too. Sending the
    form, or the POST of a mail program (RFC 8058), ends letters of this kind; `again` takes that
    back. The signature is all that is asked for, so it works without signing in."""
    found = chosen.stop_of(token)
    if found is None:
        raise Http404("not one of our links")
    done = ""
    if request.method == "POST":
        again = "again" in request.POST
        chosen.choose(found.person, {found.kind.name: again})
        done = "again" if again else "stopped"
    context = {"kind": found.kind, "done": done}
    return render(request, "catalogue/stop_notices.html", context)


def _reader(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required
    return request.user
