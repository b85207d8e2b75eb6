"""How values look on the wire: what is accepted for each kind of column, and how it is given back.

Each reader takes what JSON (or a query string) brought and gives the one clean form, None for an
empty value, or raises `Unreadable` with the message that the clients know. Source of the rules: the
observable behaviour of the API that the published clients speak (types are coerced as Rails does).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

from catalogue.ground import clock

NOT_A_NUMBER = "is not a number"
BIGGEST = 2**63 - 1
_INTEGER = re.compile(r"\s*([+-]?[0-9]{1,19})(?:\.0*)?\s*", re.ASCII)
_FALSE = {"false", "f", "0", "off", "no"}
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d+))?)?\s*"
    r"(Z|z|UTC|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_DAY_FIRST = re.compile(r"(\d{2})-(\d{2})-(\d{4})(.*)", re.ASCII)


class Unreadable(Exception):
    """A value that its column cannot hold; the message is the one clients know."""


def integer(value: Any) -> int | None:
    """`1`, `"1"`, `"-1"`; empty is None. 64 bits."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str):
        match = _INTEGER.fullmatch(value)
        value = int(match[1]) if match else None
    if not isinstance(value, int) or not -BIGGEST - 1 <= value <= BIGGEST:
        raise Unreadable(NOT_A_NUMBER)
    return value


def real(value: Any) -> float | None:
    """`15.6`, `"15.6"`; empty is None. Finite."""
    if value is None or value == "":
        return None
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise Unreadable(NOT_A_NUMBER)
    return number


def flag(value: Any) -> bool | None:
    """true, "true", "False", 1, "0" …; empty is None. Any other text is true, as in Rails: a client
    sends one that says "Error: …"."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value.strip().lower() not in _FALSE
    return bool(value)


def text(value: Any) -> str | None:
    """Texts as they are, "" too; numbers and flags are written out; null is None."""
    if value is None:
        return None
    if isinstance(value, str):
        if "\x00" in value or any(0xD800 <= ord(c) <= 0xDFFF for c in value):
            raise Unreadable("is invalid")
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise Unreadable("is invalid")


def anything(value: Any) -> Any:
    """JSON, as it came."""
    return value


def moment(value: Any) -> datetime | None:
    """ISO 8601 with any offset, with a blank or a T; without a zone the facility's. Empty: None."""
    if value is None or value == "":
        return None
    given = value.strip() if isinstance(value, str) else ""
    if swapped := _DAY_FIRST.fullmatch(given):
        given = f"{swapped[3]}-{swapped[2]}-{swapped[1]}{swapped[4]}"
    match = _MOMENT.fullmatch(given)
    if match is None:
        raise Unreadable("is not a valid datetime")
    day, time, fraction, zone = match.groups()
    try:
        found = datetime.fromisoformat(f"{day}T{time or '00:00'}")
        if fraction:
            found = found.replace(microsecond=int(fraction[:6].ljust(6, "0")))
        if zone is None:
            found = found.replace(tzinfo=clock.facility_zone())
        elif zone in ("Z", "z", "UTC"):
            found = found.replace(tzinfo=UTC)
        else:
            found = found.replace(tzinfo=datetime.strptime(zone.replace(":", ""), "%z").tzinfo)
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable("is not a valid datetime") from None
    if not 1000 <= found.year <= 9998:
        raise Unreadable("is not a valid datetime")
    return found


def shown(value: Any) -> Any:
    """A value as it is given back: moments in the facility's zone with milliseconds."""
    if isinstance(value, datetime):
        return value.astimezone(clock.facility_zone()).isoformat(timespec="milliseconds")
    return value


def ids(value: str) -> list[int]:
    """Ids as the clients write lists into a query: `[-1, -2]`, `-1`; what is no number is left
    out, since nothing can match it."""
    return [int(part) for part in re.findall(r"-?[0-9]{1,18}", value)]
