"""Dates against the calendar, against dateutil, and against clocks that change to summer time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import assume, given
from hypothesis import strategies as st

from catalogue.ground.calendar import UNITS, Span, add, before, say, say_day, say_when

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), UTC]
LONG = ["days", "weeks", "months", "years"]
SHORT = ["seconds", "minutes", "hours"]

days = st.dates(date(1971, 1, 1), date(2300, 1, 1))
counts = st.integers(0, 400)
# Hypothesis wants bounds without a zone.
FIRST, LAST = datetime(1971, 1, 1), datetime(2100, 1, 1)
moments = st.datetimes(FIRST, LAST, timezones=st.sampled_from([UTC, BERLIN]))
zones = st.sampled_from(ZONES)


def berlin(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=BERLIN, fold=fold)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("day", "span", "later"),
    [
        (date(2024, 2, 29), Span(3, "years"), date(2027, 2, 28)),
        (date(2024, 2, 29), Span(4, "years"), date(2028, 2, 29)),
        (date(2096, 2, 29), Span(4, "years"), date(2100, 2, 28)),
        (date(2018, 4, 2), Span(3, "years"), date(2021, 4, 2)),
        (date(2026, 1, 31), Span(1, "months"), date(2026, 2, 28)),
        (date(2024, 1, 31), Span(1, "months"), date(2024, 2, 29)),
        (date(2026, 1, 31), Span(2, "months"), date(2026, 3, 31)),
        (date(2026, 12, 31), Span(1, "days"), date(2027, 1, 1)),
        (date(2026, 12, 15), Span(1, "months"), date(2027, 1, 15)),
        (date(2026, 11, 22), Span(2, "weeks"), date(2026, 12, 6)),
        (date(2026, 11, 22), Span(0, "years"), date(2026, 11, 22)),
    ],
)
def test_days_of_the_calendar(day: date, span: Span, later: date) -> None:
    assert add(day, span) == later


@given(days, counts, st.sampled_from(LONG))
def test_days_agree_with_dateutil(day: date, count: int, unit: Any) -> None:
    assume(day.year + (count if unit == "years" else 40) < 9000)
    delta = relativedelta(**{unit: count})
    assert add(day, Span(count, unit)) == day + delta
    assert before(day, Span(count, unit)) == day - delta
    assert type(add(day, Span(count, unit))) is date


@given(days, counts, st.sampled_from(["months", "years"]))
def test_the_day_is_kept_or_is_the_last_of_its_month(day: date, count: int, unit: Any) -> None:
    later = add(day, Span(count, unit))
    months = (later.year - day.year) * 12 + later.month - day.month
    assert months == count * (12 if unit == "years" else 1)
    is_last = (later + timedelta(days=1)).month != later.month
    assert later.day == day.day or (later.day < day.day and is_last)


@given(days, days, counts, st.sampled_from(LONG))
def test_later_days_stay_later(day: date, other: date, count: int, unit: Any) -> None:
    first, second = sorted([day, other])
    assert add(first, Span(count, unit)) <= add(second, Span(count, unit))


@given(moments, counts, st.sampled_from(SHORT), zones)
def test_hours_are_counted_as_they_pass(when: datetime, count: int, unit: Any, zone: Any) -> None:
    later = add(when, Span(count, unit), zone)
    assert later.astimezone(UTC) - when.astimezone(UTC) == timedelta(**{unit: count})
    back = before(later, Span(count, unit), zone)
    assert back.astimezone(UTC) == when.astimezone(UTC)
    assert later.tzinfo is when.tzinfo


@given(moments, counts, st.sampled_from(LONG), zones)
def test_days_keep_the_time_of_day_in_the_zone(
    when: datetime, count: int, unit: Any, zone: Any
) -> None:
    there = when.astimezone(UTC).astimezone(zone)
    later = add(when, Span(count, unit), zone)
    wall = later.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    wanted = there.replace(tzinfo=None) + relativedelta(**{unit: count})
    assert later.tzinfo is when.tzinfo
    if wall != wanted:  # only where the clock skipped that time
        gap = wanted.replace(tzinfo=zone)
        assert gap.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wanted
        assert timedelta(0) < wall - wanted <= timedelta(hours=1)


@given(moments, counts, st.sampled_from(UNITS), zones)
def test_a_span_never_leads_back(when: datetime, count: int, unit: Any, zone: Any) -> None:
    assert add(when, Span(count, unit), zone) >= when.astimezone(UTC)
    assert before(when, Span(count, unit), zone) <= when.astimezone(UTC)


def test_the_wall_clock_is_kept_over_the_change_to_summer_time() -> None:
    start = berlin(2026, 3, 28, 14, 0)
    assert add(start, Span(1, "days"), BERLIN) == berlin(2026, 3, 29, 14, 0)
    assert add(start, Span(24, "hours"), BERLIN) == berlin(2026, 3, 29, 15, 0)
    in_utc = start.astimezone(UTC)
    assert add(in_utc, Span(1, "days"), BERLIN) == in_utc + timedelta(hours=23)
    assert add(in_utc, Span(1, "days"), UTC) == in_utc + timedelta(hours=24)


def test_a_time_that_the_clock_skips_moves_later_by_the_gap() -> None:
    start = berlin(2026, 3, 28, 2, 30)
    assert add(start, Span(1, "days"), BERLIN).isoformat() == "2026-03-29T03:30:00+02:00"
    from_summer = berlin(2025, 8, 29, 2, 30)
    assert add(from_summer, Span(7, "months"), BERLIN).isoformat() == "2026-03-29T03:30:00+02:00"


def test_a_time_that_comes_twice_keeps_the_offset_of_the_start() -> None:
    summer, winter = berlin(2026, 10, 24, 2, 30), berlin(2026, 10, 26, 2, 30)
    assert add(summer, Span(1, "days"), BERLIN).isoformat() == "2026-10-25T02:30:00+02:00"
    assert before(winter, Span(1, "days"), BERLIN).isoformat() == "2026-10-25T02:30:00+01:00"
    second = berlin(2026, 10, 25, 2, 30, fold=1)
    assert add(second, Span(0, "days"), BERLIN).isoformat() == "2026-10-25T02:30:00+01:00"


@pytest.mark.parametrize(
    ("count", "unit"),
    [(-1, "days"), (1001, "years"), (True, "days"), (1.0, "days"), ("1", "days"), (1, "day")],
)
def test_what_is_no_span(count: Any, unit: Any) -> None:
    with pytest.raises(ValueError, match="span"):
        Span(count, unit)


@pytest.mark.parametrize("unit", UNITS)
def test_a_span_is_at_most_a_thousand_years(unit: Any) -> None:
    low, high = 0, 10**12
    while low < high:  # the largest count that is allowed
        middle = (low + high + 1) // 2
        try:
            Span(middle, unit)
        except ValueError:
            high = middle - 1
        else:
            low = middle
    start = datetime(2026, 11, 22, tzinfo=UTC)
    assert abs(add(start, Span(low, unit), UTC) - datetime(3026, 11, 22, tzinfo=UTC)) < timedelta(
        days=8
    )


def test_a_moment_needs_its_zone_and_the_facilitys() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        add(FIRST, Span(1, "days"), BERLIN)
    with pytest.raises(ValueError, match="zone="):
        add(datetime(2026, 1, 1, tzinfo=UTC), Span(1, "days"))
    with pytest.raises(ValueError, match="no hours"):
        add(date(2026, 1, 1), Span(1, "hours"))
    with pytest.raises(ValueError, match="zone="):
        say_day(datetime(2026, 1, 1, tzinfo=UTC))


def test_the_calendar_ends() -> None:
    for when in (date(9990, 1, 1), datetime(9990, 1, 1, tzinfo=UTC)):
        for unit in LONG:
            with pytest.raises(OverflowError):
                add(when, Span(1000 if unit in {"months", "years"} else 50_000, unit), UTC)


def test_what_is_said() -> None:
    assert say(Span(7, "days")) == "7 days"
    assert say(Span(1, "years")) == "1 year"
    assert say(Span(7, "days"), in_words=True) == "seven days"
    assert say(Span(1, "months"), in_words=True) == "one month"
    assert say(Span(30, "days"), in_words=True) == "30 days"
    assert say(Span(0, "days"), in_words=True) == "0 days"
    noon = datetime(2026, 12, 3, 13, 0, 5, tzinfo=UTC)
    assert say_when(noon, BERLIN) == "3 December 2026, 14:00"
    assert say_when(noon, BERLIN, seconds=True) == "3 December 2026, 14:00:05"
    assert say_when(noon, BERLIN, named=True) == "3 December 2026, 14:00 CET"
    assert say_day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), BERLIN) == "1 January 2027"
    assert say_day(date(2027, 6, 2)) == "2 June 2027"


def test_a_time_that_comes_twice_is_said_with_its_zone() -> None:
    assert say_when(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), BERLIN).endswith("02:30 CEST")
    assert say_when(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), BERLIN).endswith("02:30 CET")
    assert say_when(datetime(2026, 10, 25, 2, 30, tzinfo=UTC), BERLIN).endswith("03:30")


@given(moments, zones)
def test_what_is_said_tells_the_minute(when: datetime, zone: Any) -> None:
    """Reading the text back gives the moment to the minute; the zone is named where needed."""
    text = say_when(when, zone)
    bare, name = (text, "") if text[-1].isdigit() and text[-3] == ":" else text.rsplit(" ", 1)
    wall = datetime.strptime(bare, "%d %B %Y, %H:%M")
    readings = [wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    meant = {r.astimezone(UTC) for r in readings if not name or r.tzname() == name}
    assert meant == {when.astimezone(UTC).replace(second=0, microsecond=0)}


def test_a_fixed_offset_is_a_zone() -> None:
    plus = timezone(timedelta(hours=5, minutes=30))
    assert add(datetime(2026, 1, 31, 20, tzinfo=UTC), Span(1, "months"), plus) == datetime(
        2026, 2, 28, 20, tzinfo=UTC
    )
