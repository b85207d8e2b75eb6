"""Who guesses passwords: counting by django-axes, and what it is told to count by.

Wrong passwords count by login and address together, so that somebody elsewhere cannot keep a person
out; and by address alone with a far higher limit, for who tries one password on many logins.
Waiting is not prolonged by attempts made while it lasts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.db.models import Max, Sum
from django.http import HttpRequest

LONGEST_LOGIN = 150
PROGRAM = "program "
"""Before the id of a program, so that it is no person's login."""


def address_of(request: HttpRequest) -> str | None:
    """Whence it comes: the peer, or what the nearest of our own proxies (`PROXIES` of them) saw.
    What stands further left in the header was written by the client. Of an IPv6 address its /64,
    within which one machine has as many as it likes."""
    seen = [request.META.get("REMOTE_ADDR", "")]
    if settings.PROXIES:
        forwarded = request.headers.get("x-forwarded-for", "").split(",")
        seen.insert(0, forwarded[max(len(forwarded) - settings.PROXIES, 0)].strip())
    for text in seen:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped is not None:
                return str(address.ipv4_mapped)
            network = ipaddress.ip_network((int(address), 64), strict=False)
            return str(network.network_address)
        return str(address)
    return None


def login_of(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """The login that is tried, in one form however it is written: LDAP knows no case. Empty where
    there is none to guess, as with OpenID."""
    login = str((credentials or {}).get("username") or "")
    return login.replace("\0", "").strip().casefold()[:LONGEST_LOGIN]


def guesses_nothing(request: HttpRequest, credentials: Mapping[str, Any] | None) -> bool:
    """A sign-in without a login: a provider has looked at the secret, or refused."""
    return not login_of(request, credentials)


class Attempts(AxesDatabaseHandler):  # type: ignore[misc]
    """Two counts with a limit each; a success takes back one's own."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """The larger of the two counts, as a count against the limit for one login."""
        failures, _ = max(self.counted(request, credentials), key=lambda told: told[0])
        return failures

    def counted(
        self, request: HttpRequest, credentials: dict[str, Any] | None
    ) -> list[tuple[int, datetime | None]]:
        """How often it failed, and when last: with this login from here, and all from here."""
        found = []
        own, here = self.get_user_attempts(request, credentials)
        for rows in (own, here.exclude(username__startswith=PROGRAM)):
            told = rows.aggregate(n=Sum("failures_since_start"), at=Max("attempt_time"))
            found.append((int(told["n"] or 0), told["at"]))
        (here, last_here), (address, last) = found
        return [
            (here, last_here),
            (address * settings.SIGN_IN_ATTEMPTS // limit_of_address(), last),
        ]

    def reset_user_attempts(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> int:
        """After a success: what was counted for this login from here. Not what was counted for the
        address, or whoever has one account could go on guessing for ever."""
        mine, _ = self.filter_user_attempts(request, credentials)
        count: int = mine.delete()[0]
        return count


def limit_of_address() -> int:
    """Never below the limit for one login."""
    return int(max(settings.SIGN_IN_ATTEMPTS_OF_ADDRESS, settings.SIGN_IN_ATTEMPTS, 1))


def again_at(request: HttpRequest, credentials: Mapping[str, Any] | None) -> datetime | None:
    """When another attempt is looked at; None if it is now."""
    handler = AxesProxyHandler.get_implementation()
    AxesProxyHandler.update_request(request)
    counted = handler.counted(request, dict(credentials or {}))
    full = [at for count, at in counted if count >= settings.SIGN_IN_ATTEMPTS and at is not None]
    return max(full) + settings.AXES_COOLOFF_TIME if full else None


def program_failed(request: HttpRequest, client_id: str) -> bool:
    """Count a program's wrong secret; whether there were too many from there. A right one is always
    taken: secrets of programs are 256 random bits, so guessing is noise, and a forgotten script
    with an old secret must not keep the DAQ beside it out, nor the people behind that address."""
    if not client_id:
        return False
    credentials = {"username": f"{PROGRAM}{client_id}"}
    AxesProxyHandler.update_request(request)
    own, _ = AxesProxyHandler.get_implementation().counted(request, credentials)
    if own[0] >= limit_of_address():
        return True
    AxesProxyHandler.user_login_failed(__name__, credentials, request)
    request.axes_locked_out = False  # type: ignore[attr-defined]  # answered by the caller
    return False
