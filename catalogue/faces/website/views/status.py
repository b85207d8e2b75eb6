"""Is the catalogue well? In plain words for everybody, with figures for those who look after it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalogue.ground import access, clock, health, pages
from catalogue.ground.health import Part
from catalogue.ground.models import Sign
from proposals.access import today

REGISTRAR, MAIL = "proposals.register_doi", "proposals.send_notice"
_NO_REGISTRAR = "No registrar is configured: nothing is registered."
_NO_MAIL = "No mail server is configured: letters are not sent."
_FOLDER = "No mail server is configured: letters are written to a folder of this site."


@require_safe
@login_required
def status(request: HttpRequest) -> HttpResponse:
    """What rows tell of all parts; nothing outside is asked while the reader waits."""
    now = clock.now()
    work = health.work(now)
    parts = [
        Part("Pages and database", True, "They answer, or you would not read this.", now),
        health.schedule(now),
        health.queue(work, now),
        *(_store(sign) for sign in health.stores()),
        _outside(REGISTRAR, "DOI registrar", _NO_REGISTRAR, there=bool(settings.REGISTRAR_URL)),
        _outside(
            MAIL, "Mail", _FOLDER if settings.MAIL_FOLDER else _NO_MAIL, there=settings.MAIL_SERVER
        ),
    ]
    staff = access.SEE_JOURNAL in access.facility_wide(pages.actor(request), today())
    context: dict[str, Any] = {
        "parts": parts,
        "well": all(part.well is not False for part in parts),
        "work": work,
        "staff": staff,
    }
    if staff:
        round_of = health.last(health.SCHEDULE)
        context |= {
            "stores": health.stores(),
            "round": sorted(round_of.facts.items()) if round_of is not None else [],
            "versions": health.versions(),
        }
    return render(request, "catalogue/status.html", context)


def _store(sign: Sign) -> Part:
    name = f"Store {sign.name.removeprefix(health.STORE)}"
    says = "It is mounted and answers." if sign.well else "It cannot be read now."
    return Part(name, sign.well, says, sign.at)


def _outside(job: str, label: str, without: str, *, there: bool) -> Part:
    if not there:
        return Part(label, None, without)
    part = health.outside(job, label)
    if part.well is False:  # the reason may name what is not for everybody
        return Part(label, False, "It did not answer as it should; it is asked again.", part.at)
    return part
