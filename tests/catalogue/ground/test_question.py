"""What is typed into the search box, understood; whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalogue.ground import question
from catalogue.ground.question import understood


@pytest.mark.parametrize(
    ("typed", "proposal", "run", "both"),
    [
        ("p2012", 2012, None, False),
        ("P002012", 2012, None, False),
        ("proposal 2012", 2012, None, False),
        ("2012", 2012, 2012, False),
        ("002012", 2012, 2012, False),
        ("900054", 900054, None, False),
        ("r0012", None, 12, False),
        ("run 12", None, 12, False),
        ("r0", None, None, False),
        ("900054 r12", 900054, 12, True),
        ("p900054 r0012", 900054, 12, True),
        ("p900054/r0012", 900054, 12, True),
        ("p900054r12", 900054, 12, True),
        ("proposal 900054, run 12", 900054, 12, True),
        ("900054 12", 900054, 12, True),
        ("900054/0012", 900054, 12, True),
        ("1234567", None, None, False),
        ("lysozyme", None, None, False),
        ("-5", None, None, False),
        ("٢٠١٢", None, None, False),
        ("²", None, None, False),
    ],
)
def test_numbers(typed: str, proposal: int | None, run: int | None, both: bool) -> None:
    asked = understood(typed)
    assert (asked.proposal, asked.run, asked.both) == (proposal, run, both)


@pytest.mark.parametrize(
    "typed",
    [
        "10.5072/XFEL.EU-DATA-002012-00", "doi:10.5072/XFEL.EU-DATA-002012-00",
        "https://doi.org/10.5072/xfel.eu-data-002012-00",
    ],
)  # fmt: skip
def test_a_doi_is_one_however_it_is_written(typed: str) -> None:
    assert understood(typed).doi == "10.5072/xfel.eu-data-002012-00"
    assert not understood(typed).file


def test_words_are_parted_by_punctuation_and_come_once() -> None:
    assert understood(" Lysozyme, lysozyme; LCP-SFX  12-40 %_").words == (
        *("lysozyme", "lcp", "sfx", "12", "40"),
    )
    assert understood("Schrödinger Ποσειδών").words == ("schrödinger", "ποσειδών")


def test_a_name_of_a_file_is_one_word_of_some_length() -> None:
    assert understood("RAW-R0012").file == "RAW-R0012"
    assert understood("RAW-R001").file == ""
    assert understood("RAW R0012").file == ""


@given(st.one_of(st.text(max_size=1500), st.binary(), st.none(), st.integers()))
@example("\x00")
@example("p" * 100_000)
@example("1" * 100_000)
@example("\ud800")
@example("'; DROP TABLE runs_run; --")
def test_it_never_fails_and_its_answer_is_clean(typed: object) -> None:
    asked = understood(typed)
    assert len(asked.text) <= question.LONGEST
    assert "\x00" not in asked.text
    assert asked.text.isprintable() or asked.text != asked.text.strip("\n\r\t")
    assert len(asked.words) <= question.MOST_WORDS
    assert all(0 < len(word) <= question.LONGEST_WORD for word in asked.words)
    assert asked.proposal is None or 0 <= asked.proposal <= 999_999
    assert asked.run is None or 1 <= asked.run <= 9_999
    assert bool(asked) == bool(asked.text)
    assert understood(asked.text) == asked, "what is clean stays as it is"
