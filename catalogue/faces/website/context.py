"""What every page knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

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


def site(request: HttpRequest) -> dict[str, Any]:
    """The facility's name, the places of the rail, the colour scheme that was chosen (empty: as
    the system has it), the facility's zone and whether its times are kept, and whether this is the
    demo."""
    scheme = request.COOKIES.get(SCHEME_COOKIE, "")
    return {
        "facility": settings.FACILITY,
        "contact": settings.FACILITY_CONTACT,
        "demo": settings.DEMO,
        "scheme": scheme if scheme in SCHEMES else "",
        "zone": settings.TIME_ZONE,
        "zone_kept": request.COOKIES.get(ZONE_COOKIE) == FACILITY_ZONE,
        "places": _places(request),
    }


def _places(request: HttpRequest) -> list[Place]:
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    shown = [(label, reverse(name)) for label, name, inside in _PLACES if signed_in or not inside]
    # A place may lie below another: only the nearest one is where the reader is.
    above = [url for _, url in shown if _below(request.path, url)]
    here = max(above, key=len, default="")
    return [Place(label, url, url == here) for label, url in shown]


def _below(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(f"{url}/"))
