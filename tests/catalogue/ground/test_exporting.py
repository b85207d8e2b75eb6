"""What a table says to a spreadsheet."""

from __future__ import annotations

import pytest

from catalogue.ground.exporting import harmless


@pytest.mark.parametrize("text", ["=2+2", "+1", "-1", "@SUM(A1)", "\t=2", "\r=2"])
def test_what_would_be_computed_is_a_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["", "SPB", "a=b", "'=2", 0, -3, None])
def test_everything_else_stays_as_it_is(cell: object) -> None:
    assert harmless(cell) == cell
