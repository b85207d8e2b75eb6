"""Fields of input as properties: a value comes out clean or is refused, nothing else happens."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ground import inputs
from catalogue.ground.endpoints import Choice, Day, Faults, Flag, Input, Names, Text, Time, Tree
from catalogue.ground.endpoints import Parsed as ParsedField
from catalogue.ground.endpoints.fields import DEEPEST, moment
from catalogue.ground.inputs import Invalid

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800\x00")
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
FIELDS = [
    Text(20), Text(20, line=True, blank=True), Time(), Day(), Flag(), Choice(["a", "b"]),
    Choice([0, 1, 2]), Names(5), Names(5, among=["a"]), Tree(),
    ParsedField(inputs.proposal_number, {}), ParsedField(inputs.byte_size, {}),
]  # fmt: skip


class Body(Input):
    text = Text(20)
    time = Time(required=False)
    flag = Flag(required=False, allow_null=True)
    tree = Tree(required=False)
    names = Names(5, required=False)


@pytest.mark.parametrize("field", FIELDS)
@given(value=values)
def test_any_value_is_read_or_refused(field: Any, value: object) -> None:
    with suppress(Invalid):
        field.parse(value, "f")


@given(value=values)
def test_any_body_is_read_or_refused(value: object) -> None:
    read = Body(data=value)
    with suppress(Faults):
        read.is_valid(raise_exception=True)
        assert isinstance(value, dict)
        assert set(read.validated_data) == set(value)


@given(
    given_names=st.dictionaries(st.text(min_size=1, max_size=5), st.none(), min_size=1, max_size=5)
)
def test_every_unknown_field_is_named(given_names: dict[str, None]) -> None:
    with pytest.raises(Faults) as told:
        Body(data={"text": "x", **given_names}).is_valid(raise_exception=True)
    assert {f.field for f in told.value.faults} == given_names.keys() - {"text"}


@given(value=values)
def test_a_tree_that_is_kept_can_be_written_and_read_again(value: Any) -> None:
    try:
        kept = Tree().parse({"a": value}, "f")
    except Invalid:
        return
    assert orjson.loads(orjson.dumps(kept)) == kept
    assert "\x00" not in str(kept)


def test_a_tree_has_so_many_levels() -> None:
    def deep(levels: int) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for _ in range(levels - 1):
            tree = {"a": tree}
        return tree

    assert Tree().parse(deep(DEEPEST), "f") == deep(DEEPEST)
    with pytest.raises(Invalid):
        Tree().parse(deep(DEEPEST + 1), "f")


@given(st.dates(date(1970, 1, 1), date(2199, 12, 31)))
def test_days_are_read_as_they_are_written(day: date) -> None:
    assert Day().parse(day.isoformat(), "f") == day


@pytest.mark.parametrize(
    "value", ["٢٠٢٦-١١-٢٢", "2026-W47-7", "2026-326", "1969-12-31", "2200-01-01"]
)
def test_other_days_are_refused(value: str) -> None:
    with pytest.raises(Invalid):
        Day().parse(value, "f")


@given(st.datetimes(datetime(1971, 1, 1), datetime(2198, 1, 1)), st.integers(-12 * 60, 14 * 60))
def test_moments_are_told_in_utc_and_read_as_the_same(naive: datetime, minutes: int) -> None:
    there = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    told = moment(there)
    assert told is not None
    assert told.endswith("Z")
    assert inputs.aware_time(told) == there.astimezone(UTC)
