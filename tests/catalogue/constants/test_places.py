"""Where a unit was: its place as of a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalogue.constants.places import Place, as_of

START = datetime(2026, 11, 22, tzinfo=UTC)


def day(n: float) -> datetime:
    return START + timedelta(days=n)


NOW = Place(None, "SPB", "AGIPD03")


def test_without_a_history_it_has_always_been_where_it_is() -> None:
    assert as_of([], NOW, day(-9999)) == NOW
    assert as_of([], NOW, None) == NOW


def test_a_place_holds_until_the_next() -> None:
    history = [Place(day(5), None), Place(day(1), "SPB", "AGIPD00")]
    assert as_of(history, NOW, day(1)) == history[1]
    assert as_of(history, NOW, day(4.99)) == history[1]
    assert as_of(history, NOW, day(5)) == history[0]
    assert as_of(history, NOW, None) == NOW


def test_before_its_history_it_was_nowhere_unless_that_reaches_back_for_ever() -> None:
    history = [Place(day(1), "SPB", "AGIPD00"), Place(day(5), None)]
    assert as_of(history, NOW, day(0)) is None
    assert as_of(history, NOW, day(0), or_first=True) == history[0]
    ever = Place(None, "MID", "AGIPD07")
    assert as_of([*history, ever], NOW, day(0)) == ever


@given(st.lists(st.integers(0, 9), unique=True, min_size=1), st.integers(-1, 10), st.randoms())
def test_the_order_of_the_rows_does_not_matter(days: list[int], at: int, random) -> None:
    history = [Place(day(n), n) for n in days]
    found = as_of(random.sample(history, len(history)), NOW, day(at))
    been = [n for n in days if n <= at]
    assert (found.detector if found else None) == (max(been) if been else None)
