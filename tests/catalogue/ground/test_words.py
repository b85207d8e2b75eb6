from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalogue.ground import words

SIZES = {"B": 0, "kB": 1, "MB": 2, "GB": 3, "TB": 4, "PB": 5, "EB": 6}


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1049, "1.0 kB"),
        (1050, "1.1 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (41_200_000_000, "41.2 GB"),
        (2**63 - 1, "9.2 EB"),
        (1_234 * 10**18, "1\u202f234.0 EB"),
    ],
)
def test_bytes_text(size: int, text: str) -> None:
    assert words.bytes_text(size) == text


def test_a_size_is_not_negative() -> None:
    with pytest.raises(ValueError, match="not negative"):
        words.bytes_text(-1)


@given(st.integers(0, 10**21))
@example(999_949_999)
def test_bytes_text_is_right_to_half_a_digit(size: int) -> None:
    number, unit = words.bytes_text(size).split(" ")
    value = Fraction(number.replace(words.THIN_SPACE, ""))
    scale = 1000 ** SIZES[unit]
    assert abs(value * scale - size) <= Fraction(scale, 20)
    assert value >= 1 or size == 0
    assert value < 1000 or unit == "EB"


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (7, 0, "7"),
        (1234, 0, "1\u202f234"),
        (-1_234_567, 0, "\u22121\u202f234\u202f567"),
        (1234.56, 1, "1\u202f234.6"),
        (-0.04, 1, "0.0"),
        (2**80, 0, "1\u202f208\u202f925\u202f819\u202f614\u202f629\u202f174\u202f706\u202f176"),
    ],
)
def test_number_text(value: float, places: int, text: str) -> None:
    assert words.number_text(value, places) == text


@given(st.integers())
def test_number_text_reads_back(value: int) -> None:
    text = words.number_text(value)
    assert int(text.replace(words.THIN_SPACE, "").replace(words.MINUS, "-")) == value
    assert all(len(g) == 3 for g in text.split(words.THIN_SPACE)[1:])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0001, "1 ms"),
        (0.04, "40 ms"),
        (0.9996, "1 s"),
        (2.5, "2.5 s"),
        (9.97, "10 s"),
        (40, "40 s"),
        (59.7, "1 min"),
        (250, "4 min 10 s"),
        (240, "4 min"),
        (3599.6, "1 h"),
        (7500, "2 h 5 min"),
        (86_399, "1 d"),
        (273_600, "3 d 4 h"),
        (273_600 + 1800, "3 d 5 h"),
        (86_400 * 1234, "1\u202f234 d"),
        (-250, "\u22124 min 10 s"),
        (timedelta(minutes=4, seconds=10), "4 min 10 s"),
    ],
)
def test_duration_text(seconds: float | timedelta, text: str) -> None:
    assert words.duration_text(seconds) == text


UNITS = {"d": 86_400, "h": 3600, "min": 60, "s": 1, "ms": Fraction(1, 1000)}


@given(st.floats(0, 10**9))
def test_duration_text_is_right_to_the_smaller_unit(seconds: float) -> None:
    text = words.duration_text(seconds)
    parts = re.findall(r"([0-9.\u202f]+) (d|h|min|s|ms)", text)
    assert " ".join(f"{n} {u}" for n, u in parts) == text
    assert 1 <= len(parts) <= 2
    total = sum(Fraction(n.replace(words.THIN_SPACE, "")) * UNITS[u] for n, u in parts)
    step = 0.1 if seconds < 10 else 1 if seconds < 3600 else 60 if seconds < 86_400 else 3600
    assert abs(float(total) - seconds) <= step * 0.51


def test_counts_and_lists() -> None:
    assert words.count_text(1, "run") == "1 run"
    assert words.count_text(0, "run") == "0 runs"
    assert words.count_text(1500, "copy", "copies") == "1\u202f500 copies"
    assert [words.spelt(n) for n in (0, 1, 12, 13)] == ["no", "one", "twelve", "13"]
    assert words.listed([]) == ""
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"], "or") == "a, b or c"
