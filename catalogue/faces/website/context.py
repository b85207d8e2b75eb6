"""What every page knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from catalogue.ground import access, pages
from proposals.access import today

SCHEME_COOKIE = "scheme"
SCHEMES = ("light", "dark")
ZONE_COOKIE = "zone"
FACILITY_ZONE = "facility"


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the rail: `here` says that the page shown lies below it."""

    label: str
    url: str
    here: bool


# Label, name of the address, and whether it is for people who are signed in.
_PLACES = (
    ("My work", "home", True),
    ("Proposals", "proposals:list", True),
    ("Beamtimes", "proposals:board", True),
    ("Jobs", "jobs", True),
    ("Storage", "storage", True),
    ("Policy", "policies:policy", False),
    ("Open data", "data", False),
    ("Status", "status", True),
)

# Label, name of the address, and what opens it: where it is for who holds that everywhere, and
# where for whoever holds it at an instrument too.
_OFFICE_PLACES = (
    ("Programs", "programs", {access.ADMINISTER}, True),
    ("People from LDAP", "import-person", {access.TEAM, access.ADMINISTER}, True),
    ("Groups and folders that differ", "proposals:drift", {access.PREPARE}, False),
    ("Journal", "journal", {access.SEE_JOURNAL}, True),
)


def site(request: HttpRequest) -> dict[str, Any]:
    """The facility's name, the places of the rail and those of the reader's offices, the colour
    scheme that was chosen (empty: as the system has it), the facility's zone and whether its times
    are kept, and whether this is the demo."""
    scheme = request.COOKIES.get(SCHEME_COOKIE, "")
    return {
        "facility": settings.FACILITY,
        "contact": settings.FACILITY_CONTACT,
        "demo": settings.DEMO,
        "scheme": scheme if scheme in SCHEMES else "",
        "zone": settings.TIME_ZONE,
        "zone_kept": request.COOKIES.get(ZONE_COOKIE) == FACILITY_ZONE,
        "places": _places(request),
        # Only whole pages show them: a fragment does not ask.
        "office_places": SimpleLazyObject(lambda: _office_places(request)),
    }


def _places(request: HttpRequest) -> list[Place]:
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    shown = [(label, reverse(name)) for label, name, inside in _PLACES if signed_in or not inside]
    # A place may lie below another: only the nearest one is where the reader is.
    above = [url for _, url in shown if _below(request.path, url)]
    here = max(above, key=len, default="")
    return [Place(label, url, url == here) for label, url in shown]


def _office_places(request: HttpRequest) -> list[Place]:
    """By the rules that guard the pages themselves; the flag "staff" opens the reference tables and
    nothing else."""
    if not getattr(request, "user", None):
        return []
    actor, held = pages.actor(request), pages.offices(request)
    everywhere = access.facility_wide(actor, today(), held)
    anywhere = access.allowed(actor, [office.role for office in held])
    return [
        Place(label, reverse(name), here=False)
        for label, name, opened_by, needs_all in _OFFICE_PLACES
        if opened_by & (everywhere if needs_all else anywhere)
    ]


def _below(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(f"{url}/"))
