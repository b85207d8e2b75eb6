"""What a query of the constants catalogue asks for."""

from __future__ import annotations

from datetime import datetime

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.call import Call
from catalogue.faces.mymdc.errors import Wrong


def moment_of(call: Call, name: str) -> datetime | None:
    """The moment that the query names; none where it is missing or empty. Raises `Wrong`."""
    try:
        return wire.moment(call.query.get(name))
    except wire.Unreadable as error:
        raise Wrong({name: [str(error)]}) from None


def number_of(call: Call, name: str) -> int | None:
    """The id that the query names; none where it is missing, empty or no number."""
    try:
        return wire.integer(call.query.get(name))
    except wire.Unreadable:
        return None


def numbers_of(call: Call, name: str, otherwise: str = "") -> list[int]:
    """The ids that the query names as a list, each once, in their order; if there is no such name,
    the one id `otherwise`."""
    return list(dict.fromkeys(wire.ids(call.query.get(name) or otherwise)))
