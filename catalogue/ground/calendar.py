"""Calendar-correct arithmetic: three years are three years, also from 29 February.

The rules, and where they come from:

- Months and years keep the day's number; where the month has no such day, its last day is taken.
  29 February 2024 + 3 years = 28 February 2027; 31 January + 1 month = 28 or 29 February. So do
  `java.time.LocalDate.plusMonths`, dateutil's `relativedelta` and the law of the country the
  facility stands in (BGB § 188 (3)). A second step starts from the clipped day: 31 January
  + 1 month + 1 month is 28 March, 31 January + 2 months is 31 March; so a date far ahead is
  counted in one step from its beginning.
- Days and longer units keep the time of day on the wall clock of the zone given, across a change
  to or from summer time; seconds, minutes and hours are counted as they pass. A wall time that the
  change skips is moved later by the length of the gap; of one that comes twice, the one with the
  offset of the start is taken, or else the first (as `java.time.ZonedDateTime` does).
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta, tzinfo
from typing import Literal, get_args, overload

from catalogue.ground.words import count_text, spelt

Unit = Literal["seconds", "minutes", "hours", "days", "weeks", "months", "years"]
UNITS: tuple[Unit, ...] = get_args(Unit)

_CLOCK = {"seconds": 1, "minutes": 60, "hours": 3600}
_DAYS = {"days": 1, "weeks": 7}
_MONTHS = {"months": 1, "years": 12}
_LONGEST = {
    "seconds": 31_556_952_000,
    "minutes": 525_949_200,
    "hours": 8_765_820,
    "days": 365_242,
    "weeks": 52_177,
    "months": 12_000,
    "years": 1_000,
}
_MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as a calendar counts it: `Span(7, "days")`.

    From nothing to a thousand years, so that no date of this millennium plus a span leaves the
    calendar; ValueError otherwise.
    """

    count: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"the unit of a span is one of {', '.join(UNITS)}, not {self.unit!r}")
        if type(self.count) is not int or not 0 <= self.count <= _LONGEST[self.unit]:
            raise ValueError(
                f"a span in {self.unit} is a whole number from 0 to {_LONGEST[self.unit]}"
                f" (a thousand years), not {self.count!r}"
            )


@overload
def add(when: datetime, span: Span, zone: tzinfo) -> datetime: ...
@overload
def add(when: date, span: Span, zone: tzinfo | None = None) -> date: ...
def add(when: date, span: Span, zone: tzinfo | None = None) -> date:
    """`when` and `span` later: a date for a date, a moment in the zone of `when` for a moment.

    `zone` is where days begin and end (the facility's) and is needed for moments. ValueError for
    a moment without a zone and for hours added to a date; OverflowError beyond the year 9999.
    """
    return _moved(when, span.count, span.unit, zone)


@overload
def before(when: datetime, span: Span, zone: tzinfo) -> datetime: ...
@overload
def before(when: date, span: Span, zone: tzinfo | None = None) -> date: ...
def before(when: date, span: Span, zone: tzinfo | None = None) -> date:
    """`when` and `span` earlier, by the same rules; not always the inverse of `add`, since
    clipping to the month's last day forgets the day it started from."""
    return _moved(when, -span.count, span.unit, zone)


def say(span: Span, *, in_words: bool = False) -> str:
    """`Span(7, "days")` -> "7 days"; in words up to twelve ("seven days") for running text."""
    if in_words and span.count:
        return f"{spelt(span.count)} {span.unit[:-1] if span.count == 1 else span.unit}"
    return count_text(span.count, span.unit[:-1])


def say_day(when: date, zone: tzinfo | None = None) -> str:
    """ "3 December 2026"; of a moment, the day it falls on in `zone`."""
    day = _local(when, zone) if isinstance(when, datetime) else when
    return f"{day.day} {_MONTH_NAMES[day.month - 1]} {day.year}"


def say_when(when: datetime, zone: tzinfo, *, seconds: bool = False, named: bool = False) -> str:
    """ "3 December 2026, 14:00" on the wall clock of `zone`, whose name follows where `named` asks
    for it or where the wall clock shows that time twice."""
    local = _local(when, zone)
    clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    twice = _offset(local, 0) > _offset(local, 1)
    name = f" {local.tzname()}" if named or twice else ""
    return f"{say_day(local, zone)}, {clock}{name}"


def _local(when: datetime, zone: tzinfo | None) -> datetime:
    if when.utcoffset() is None:
        raise ValueError(f"a moment needs a zone: {when.isoformat()}")
    if zone is None:
        raise ValueError("which zone's day and clock is meant must be said: zone=")
    return when.astimezone(UTC).astimezone(zone)


def _moved(when: date, count: int, unit: Unit, zone: tzinfo | None) -> date:
    if not isinstance(when, datetime):
        if unit in _CLOCK:
            raise ValueError(f"a date has no {unit} to count")
        return _moved_day(when, count, unit)
    local = _local(when, zone)
    if unit in _CLOCK:
        moved = when.astimezone(UTC) + timedelta(seconds=count * _CLOCK[unit])
    else:
        day = _moved_day(local.date(), count, unit)
        wall = datetime.combine(day, local.time().replace(fold=0), local.tzinfo)
        moved = _existing(wall, local.utcoffset()).astimezone(UTC)
    return moved.astimezone(when.tzinfo)


def _moved_day(day: date, count: int, unit: Unit) -> date:
    if unit in _DAYS:
        return day + timedelta(days=count * _DAYS[unit])
    year, month = divmod(day.year * 12 + day.month - 1 + count * _MONTHS[unit], 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError(f"the year {year} is beyond the calendar")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _existing(wall: datetime, start: timedelta | None) -> datetime:
    """`wall` (fold 0) made a moment: fold 0 already moves a skipped time later, as its offset is
    that from before the gap; a time that comes twice takes fold 1 if that has the start's offset.
    """
    first, second = _offset(wall, 0), _offset(wall, 1)
    return wall.replace(fold=1) if first > second and second == start else wall


def _offset(wall: datetime, fold: int) -> timedelta:
    offset = wall.replace(fold=fold).utcoffset()
    if offset is None:
        raise ValueError(f"{wall.tzinfo} gives no offset for {wall.isoformat()}")
    return offset
