"""A day at the instrument, shift by shift: what was marked and said, and when runs were taken.

Everything comes from the journal; there is no logbook of our own. A day begins with its first shift
(setting SHIFT_STARTS) and ends when the first shift of the next day begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from django.conf import settings
from django.db.models import Q, QuerySet

from catalogue.ground import clock, journal
from catalogue.ground.models import Entry
from proposals.models import Proposal
from runs.models import Run

# What is told, by the kind of thing and its move, with the symbol that stands beside it.
TOLD: Mapping[tuple[str, str], str] = {
    ("runs.run", "assess"): "mark",
    ("runs.run", "edit"): "comment",
    ("runs.run", "register"): "record",
    ("runs.run", "close"): "stop",
    ("runs.run", "abort"): "cross",
    ("runs.run", "withdraw"): "cross",
    ("proposals.proposal", "activate"): "play",
    ("proposals.proposal", "pause"): "pause",
    ("proposals.proposal", "finish"): "stop",
}
QUIET = frozenset({"register", "close"})


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift with its entries in the order of time."""

    begin: datetime
    end: datetime
    entries: list[tuple[Entry, str, str]]


def told(proposal: Proposal, *, quietly: bool = False) -> QuerySet[Entry]:
    """What a shift would tell; with `quietly` without the beginnings and ends of runs."""
    condition = Q(pk__in=[])
    for kind, move in TOLD:
        if not (quietly and move in QUIET):
            condition |= Q(subject_type=kind, move=move)
    return journal.of_proposal(proposal.number).filter(condition)


def of_day(found: QuerySet[Entry], day: date) -> QuerySet[Entry]:
    """Those of one day at the instrument, in the order of time."""
    begin, end = bounds(day)
    return found.filter(at__gte=begin, at__lt=end).order_by("at", "id")


def bounds(day: date) -> tuple[datetime, datetime]:
    """When a day begins and ends."""
    first = min(settings.SHIFT_STARTS)
    return _moment(day, first), _moment(day + timedelta(days=1), first)


def day_of(moment: datetime) -> date:
    """The day at the instrument to which a moment belongs."""
    day = moment.astimezone(clock.facility_zone()).date()
    return day if moment >= bounds(day)[0] else day - timedelta(days=1)


def beside(found: QuerySet[Entry], day: date) -> tuple[date | None, date | None]:
    """The nearest days before and after with anything to tell. Entries are written in the order
    of time, so the nearest id is the nearest time."""
    begin, end = bounds(day)
    before = found.filter(at__lt=begin).order_by("-id").values_list("at", flat=True).first()
    after = found.filter(at__gte=end).order_by("id").values_list("at", flat=True).first()
    return (day_of(before) if before else None, day_of(after) if after else None)


def last_day(found: QuerySet[Entry]) -> date:
    """The last day with anything to tell, else today."""
    last = found.order_by("-id").values_list("at", flat=True).first()
    return day_of(last or clock.now())


def by_shift(entries: Iterable[Entry], day: date) -> list[Shift]:
    """The shifts of a day that have anything to tell."""
    starts = sorted(settings.SHIFT_STARTS)
    edges = [_moment(day, hour) for hour in starts] + [bounds(day)[1]]
    shifts = [Shift(a, b, []) for a, b in pairwise(edges)]
    for entry in entries:
        shift = next(s for s in reversed(shifts) if entry.at >= s.begin or s is shifts[0])
        shift.entries.append((entry, _symbol(entry), _said(entry)))
    return [shift for shift in shifts if shift.entries]


def _symbol(entry: Entry) -> str:
    return TOLD[entry.subject_type, entry.move]


def _said(entry: Entry) -> str:
    """What somebody wrote: with a mark, as a comment, as a reason."""
    return entry.reason or str(entry.facts.get("comment", "") or "")


def words_of_mark(value: str) -> str:
    """The word for a mark."""
    return dict(Run.Quality.choices).get(value, value)


def _moment(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), clock.facility_zone()).astimezone(UTC)
