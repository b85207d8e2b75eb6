"""Parsers: what they take, what they refuse and in which words, and that nothing else comes out."""

from __future__ import annotations

import copy
import itertools
import pickle
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ground import inputs
from catalogue.ground.inputs import Invalid

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.text("0123456789abcdefABCDEF-+ _.,:TZ/\\\x00\u0660²", max_size=70),
)
PARSERS: list[Callable[[object], Any]] = [
    inputs.proposal_number,
    inputs.run_number,
    inputs.run_ranges,
    inputs.byte_size,
    inputs.train_id,
    inputs.page_size,
    inputs.file_name,
    inputs.plain_name,
    inputs.relative_path,
    inputs.sha256,
    inputs.adler32,
    inputs.aware_time,
    lambda value: inputs.free_text(value, 50),
]


def complaint(parser: Callable[..., Any], value: object, *more: object) -> str:
    with pytest.raises(Invalid) as caught:
        parser(value, *more)
    assert caught.value.value is value
    return str(caught.value)


@given(st.sampled_from(PARSERS), anything)
def test_a_parser_gives_a_value_or_says_invalid(parser: Callable[..., Any], value: object) -> None:
    """Nothing but Invalid comes out, and its text is short, one line, and can be encoded."""
    try:
        parser(value)
        return
    except Invalid as invalid:
        field, text = invalid.field, str(invalid)
    assert text.startswith(f"{field}: ")
    assert len(text.encode()) < 1500
    assert text.isprintable()


# ---------------------------------------------------------------- the complaint itself


def test_a_complaint_names_field_rule_and_value() -> None:
    invalid = Invalid("sha256", "must be 64 hexadecimal digits", "abc")
    assert str(invalid) == "sha256: must be 64 hexadecimal digits; got 'abc'"
    assert isinstance(invalid, ValueError)
    there = invalid.within("files[17]")
    assert (there.field, there.rule, there.value) == ("files[17].sha256", invalid.rule, "abc")
    for twin in (pickle.loads(pickle.dumps(invalid)), copy.copy(invalid)):  # noqa: S301
        assert (twin.field, twin.rule, twin.value) == (invalid.field, invalid.rule, "abc")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "None"),
        (True, "True"),
        (10**5000, "a number of 16610 bits"),
        ([1] * 1000, "a value of type list"),
        ("\x1b[31m\n", r"'\x1b[31m\n'"),
        ("x" * 100_000, "(100000 characters)"),
    ],
    ids=["nothing", "true", "long-number", "list", "controls", "long-text"],
)
def test_a_complaint_shows_little_of_a_large_value(value: object, shown: str) -> None:
    assert str(Invalid("f", "r", value)).endswith(shown)


# ---------------------------------------------------------------- numbers

BOUNDS = [
    (inputs.proposal_number, 0, 999_999),
    (inputs.run_number, 1, 9_999),
    (inputs.page_size, 1, 1_000),
    (inputs.byte_size, 0, 2**63 - 1),
    (inputs.train_id, 0, 2**63 - 1),
]


@pytest.mark.parametrize(("parser", "low", "high"), BOUNDS)
def test_numbers_end_where_they_should(parser: Callable[..., int], low: int, high: int) -> None:
    assert parser(low) == low
    assert parser(high) == high
    for value in (low - 1, high + 1, 10**5000, -(10**30)):
        assert f"from {low} to {high}" in complaint(parser, value)


@pytest.mark.parametrize("parser", [parser for parser, _, _ in BOUNDS])
@pytest.mark.parametrize(
    "value", [True, False, 1.0, float("nan"), None, "", "x", " 1", "1 ", "+1", "1_0", "²", "\u0661"]
)
def test_what_is_no_number(parser: Callable[..., int], value: object) -> None:
    assert "whole number" in complaint(parser, value)


@pytest.mark.parametrize("parser", [inputs.byte_size, inputs.train_id])
def test_sizes_and_trains_are_not_text(parser: Callable[..., int]) -> None:
    complaint(parser, "1")


@given(st.integers(0, 999_999))
def test_proposal_numbers_come_with_and_without_zeros(number: int) -> None:
    assert inputs.proposal_number(f"{number:06d}") == number
    assert inputs.proposal_number(str(number)) == number
    complaint(inputs.proposal_number, f"{number:07d}")


@given(st.integers(1, 9_999))
def test_run_numbers_come_with_and_without_zeros(number: int) -> None:
    assert inputs.run_number(f"{number:04d}") == inputs.run_number(str(number)) == number


def test_a_page_of_a_hundred_thousand_is_refused() -> None:
    assert "from 1 to 1000" in complaint(inputs.page_size, "100000")
    assert inputs.page_size("100") == 100


def test_a_field_is_called_as_the_caller_calls_it() -> None:
    assert complaint(inputs.proposal_number, "x", "number").startswith("number: ")


# ---------------------------------------------------------------- ranges of runs


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("12-40, 55", ((12, 40), (55, 55))),
        ("55,12–40", ((12, 40), (55, 55))),
        ("1", ((1, 1),)),
        ("0012 - 0040", ((12, 40),)),
        ("1-3,4,6", ((1, 4), (6, 6))),
        ("1-100,5-6", ((1, 100),)),
        ("1-9999", ((1, 9999),)),
    ],
)
def test_run_ranges(text: str, ranges: tuple[tuple[int, int], ...]) -> None:
    assert inputs.run_ranges(text) == ranges


@pytest.mark.parametrize(
    "value", ["", ",", "1,", "1,,2", "-5", "5-", "1-2-3", "1;2", "a", "0", "10000", 5, None, "1 2"]
)
def test_what_are_no_run_ranges(value: object) -> None:
    complaint(inputs.run_ranges, value)


def test_a_range_begins_with_the_lower_run() -> None:
    assert "40-12 must begin with the lower" in complaint(inputs.run_ranges, "40-12")


def test_ranges_have_an_end() -> None:
    assert "at most 1000 characters" in complaint(inputs.run_ranges, "1," * 600)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), min_size=1, max_size=8))
def test_run_ranges_hold_exactly_the_runs_named(parts: list[tuple[int, int]]) -> None:
    text = ", ".join(f"{low}-{low + more}" if more else f"{low:04d}" for low, more in parts)
    found = inputs.run_ranges(text)
    assert {n for low, high in found for n in range(low, high + 1)} == {
        n for low, more in parts for n in range(low, low + more + 1)
    }
    flat = [edge for pair in found for edge in pair]
    assert flat == sorted(flat)
    assert all(high + 1 < low for (_, high), (low, _) in itertools.pairwise(found))


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T14:00:00+01:00", datetime(2026, 11, 22, 13, tzinfo=UTC)),
        ("2026-11-22T14:00:00Z", datetime(2026, 11, 22, 14, tzinfo=UTC)),
        ("2026-11-22t14:00z", datetime(2026, 11, 22, 14, tzinfo=UTC)),
        ("2026-11-22 14:00-0530", datetime(2026, 11, 22, 19, 30, tzinfo=UTC)),
        ("2026-11-22T14:00:00+01", datetime(2026, 11, 22, 13, tzinfo=UTC)),
        ("2026-11-22T14:00:00.5Z", datetime(2026, 11, 22, 14, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-22T14:00:00,123456789Z", datetime(2026, 11, 22, 14, 0, 0, 123_456, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2199-12-31T23:59:59Z", datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_aware_time(text: str, moment: datetime) -> None:
    found = inputs.aware_time(text)
    assert found == moment
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("2026-11-22T14:00:00", "must name its zone"),
        ("2026-11-22 14:00", "must name its zone"),
        ("2026-11-22", "must be a time like"),
        ("20261122T140000Z", "must be a time like"),
        ("2026-W47-7T14:00:00Z", "must be a time like"),
        ("2026-11-22T14:00:00 +01:00", "must be a time like"),
        ("2026-11-22T14:00:00+01:00\n", "must be a time like"),
        ("\u0662026-11-22T14:00:00Z", "must be a time like"),
        ("22.11.2026 14:00", "must be a time like"),
        ("now", "must be a time like"),
        (1_764_000_000, "must be a time like"),
        (None, "must be a time like"),
        ("2026-11-22T14:00.5Z", "seconds before a fraction"),
        ("2026-02-29T14:00:00Z", "must be a time that exists"),
        ("2026-13-01T14:00:00Z", "must be a time that exists"),
        ("2026-11-22T24:00:00Z", "must be a time that exists"),
        ("2026-11-22T23:59:60Z", "must be a time that exists"),
        ("2026-11-22T14:00:00+24:00", "must be a time that exists"),
        ("0000-11-22T14:00:00Z", "must be a time that exists"),
        ("0001-01-01T00:00:00+01:00", "must be a time that exists"),
        ("9999-12-31T23:59:59-01:00", "must be a time that exists"),
        ("9999-12-31T23:59:59Z", "1970 to 2199"),
        ("2200-01-01T00:00:00Z", "1970 to 2199"),
        ("2199-12-31T23:59:59-01:00", "1970 to 2199"),
        ("1969-12-31T23:59:59Z", "1970 to 2199"),
        ("0026-11-22T14:00:00Z", "1970 to 2199"),
    ],
)
def test_what_is_no_aware_time(value: object, rule: str) -> None:
    assert rule in complaint(inputs.aware_time, value)


# Hypothesis wants bounds without a zone.
WALLS = st.datetimes(datetime(1970, 1, 3), datetime(2199, 12, 28))


@given(WALLS, st.integers(-14 * 60, 14 * 60))
def test_what_a_program_writes_is_read_back(wall: datetime, minutes: int) -> None:
    moment = wall.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert inputs.aware_time(moment.isoformat()) == moment


# ---------------------------------------------------------------- texts


def test_free_text() -> None:
    assert inputs.free_text("beam lost\r\n\tat 14:20 – \u201cagain\u201d", 50) == (
        "beam lost\n\tat 14:20 – \u201cagain\u201d"
    )
    assert inputs.free_text("", 0) == ""
    assert inputs.free_text("é" * 50, 50) == "é" * 50
    assert inputs.free_text("a\r\n" * 25, 50) == "a\n" * 25


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("a\x00b", "U+0000"),
        ("a\rb", "U+000D"),
        ("a\x1bb", "U+001B"),
        ("a\x9fb", "U+009F"),
        ("a\udfffb", "U+DFFF"),
        ("x" * 51, "at most 50 characters, not 51"),
        (5, "must be a text"),
        (None, "must be a text"),
        (["a"], "must be a text"),
    ],
)
def test_what_is_no_free_text(value: object, rule: str) -> None:
    assert rule in complaint(inputs.free_text, value, 50)


@given(st.text(st.characters(), max_size=60))
def test_free_text_can_be_stored_logged_and_sent(value: str) -> None:
    try:
        text = inputs.free_text(value, 50)
    except Invalid:
        return
    assert len(text) <= 50
    text.encode()
    assert not any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in text)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=50))
def test_free_text_is_not_changed(value: str) -> None:
    assert inputs.free_text(value, 50) == value
