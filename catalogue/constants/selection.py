"""Which version of a calibration constant is taken: of those that are known, by time.

The rules are the field's (its catalogue of constants answers so), told in the README beside.
Conditions have been judged before (`conditions`): here a version belongs to a constant, and the
constants to take are given, in groups of falling preference.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Version:
    """A constant measured for one detector unit.

    It holds from `begin_at` up to, not including, `end_at` (None: until another begins). Not
    `deployed`: never selected. Not `good`: not taken by our own engine.
    """

    id: int
    constant: Hashable
    unit: Hashable
    begin_at: datetime
    created_at: datetime
    end_at: datetime | None = None
    deployed: bool = True
    good: bool = True


Strategy = Callable[[Iterable[Version], datetime], Version | None]


def candidates(
    versions: Iterable[Version], *, snapshot_at: datetime | None = None
) -> list[Version]:
    """The versions that may be selected: deployed, and known at `snapshot_at` (None: now), so that
    a selection can be made again as it was then."""
    return [
        version
        for version in versions
        if version.deployed and (snapshot_at is None or version.created_at <= snapshot_at)
    ]


def prior(versions: Iterable[Version], at: datetime) -> Version | None:
    """The version that began last, at `at` or before. The end of its validity does not matter: so
    the field's catalogue answers. Of several the one made last, then the greater id, so that the
    answer never depends on the order of rows."""
    return max((v for v in versions if v.begin_at <= at), key=_latest, default=None)


def closest(versions: Iterable[Version], at: datetime) -> Version | None:
    """The version that began nearest to `at`, before or after; see `by_distance`."""
    return min(versions, key=lambda v: _distance(v, at), default=None)


def holding(versions: Iterable[Version], at: datetime) -> Version | None:
    """`prior` among those that are good and have not ended: what our own engine takes."""
    return prior((v for v in versions if v.good and (v.end_at is None or at < v.end_at)), at)


STRATEGIES: dict[str, Strategy] = {"prior": prior, "closest": closest}
"""Those that callers may name."""


def by_distance(versions: Iterable[Version], at: datetime) -> list[Version]:
    """From the nearest in time on. Of two as near the one that had begun, then the one made last,
    then the greater id."""
    return sorted(versions, key=lambda v: _distance(v, at))


def choose(
    versions: Iterable[Version],
    *,
    unit: Hashable,
    preferences: Sequence[Collection[Hashable]],
    strategy: Strategy,
    at: datetime,
    snapshot_at: datetime | None = None,
) -> Version | None:
    """The version for one unit: by `strategy` among those of the first group of constants that
    gives any."""
    mine = [v for v in candidates(versions, snapshot_at=snapshot_at) if v.unit == unit]
    for constants in preferences:
        found = strategy((v for v in mine if v.constant in constants), at)
        if found is not None:
            return found
    return None


def _latest(version: Version) -> tuple[datetime, datetime, int]:
    return version.begin_at, version.created_at, version.id


def _distance(version: Version, at: datetime) -> tuple[timedelta, bool, float, int]:
    made = version.created_at.timestamp()
    return abs(version.begin_at - at), version.begin_at > at, -made, -version.id
