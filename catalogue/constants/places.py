"""Where detector units were: their places as of a moment, from the history of each."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A place from a moment on (None: from ever): the detector, None if mounted in none, and what
    the unit is called there."""

    from_at: datetime | None
    detector: Hashable
    aggregator: str | None = None
    virtual_device_name: str | None = None
    module_number: int | None = None


def as_of(
    history: Iterable[Place], current: Place, at: datetime | None, *, or_first: bool = False
) -> Place | None:
    """Where a unit was at `at` (None: now, which is `current`).

    Without a history it has always been where it is. Before its history begins it was nowhere
    (None), or, with `or_first`, where it was first: for facts that are only known of units that
    were there, such as a measurement.
    """
    if at is None:
        return current
    known = sorted(history, key=_order)
    if not known:
        return current
    been = [place for place in known if place.from_at is None or place.from_at <= at]
    if been:
        return been[-1]
    return known[0] if or_first else None


def _order(place: Place) -> tuple[bool, float]:
    return place.from_at is not None, place.from_at.timestamp() if place.from_at else 0.0
