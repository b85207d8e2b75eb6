"""When a stored condition holds for what is asked for: the field's rules one by one, then
properties against the plain text of those rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.constants.conditions import Stored, accepts, near, preferences, same

COLD = {"bias": Stored(300.0, 1.0, 5.0), "cells": Stored("0,1,2,")}


@pytest.mark.parametrize(
    ("own", "asked", "deviation", "holds"),
    [
        (300.0, 300.0, (0.0, 0.0), True),
        (300.0, 301.0, (0.0, 0.0), False),
        (300.0, 301.0, (1.0, 1.0), True),
        (300.0, 299.0, (1.0, 1.0), True),
        (300.0, 301.01, (1.0, 1.0), False),
        (300.0, 298.99, (1.0, 1.0), False),
        (2.4, 2.9, (0.5, 0.5), True),  # 2.4 + 0.5 in binary falls a little short or not: both 2.9
        (1.8, 1.3, (0.5, 0.5), True),
        (-0.1, 0.2, (0.3, 0.3), True),
        (0.3, -0.1, (0.4, 0.4), True),
        (1.5, 2.000001, (0.5, 0.5), False),
        (300.0, 305.0, (0.0, 5.0), True),
        (300.0, 299.0, (0.0, 5.0), False),
        (300.0, 295.0, (5.0, 0.0), True),
        (300.0, 301.0, (5.0, 0.0), False),
        (4.94e-321, 4.95e-321, (0.0, 0.0), False),  # a unit's number kept as the bits of a float
        (1.0000000000000002, 1.0, (0.0, 0.0), False),
        (float("nan"), float("nan"), (5.0, 5.0), False),
        ("0,1,2,", "0,1,2,", (0.0, 0.0), True),
        ("0,1,2,", "0,1,", (0.0, 0.0), True),
        ("0,1,", "0,1,2,", (0.0, 0.0), False),
        ("11,", "1,", (5.0, 5.0), False),  # which is why the texts end in a comma
        ("11", 11.0, (5.0, 5.0), False),
        (11.0, "11", (5.0, 5.0), False),
    ],
)
def test_a_value_lies_within_the_stored_deviations(
    own: Any, asked: Any, deviation: tuple[float, float], holds: bool
) -> None:
    assert near(Stored(own, *deviation), asked) is holds


def test_the_parameters_are_the_same_no_more_and_no_fewer() -> None:
    asked = {"bias": 304.0, "cells": "0,1,"}
    assert accepts(COLD, asked)
    assert not accepts(COLD, {"bias": 304.0})
    assert not accepts(COLD, {**asked, "gain": 1.0})
    assert not accepts(COLD, {})
    assert accepts({}, {})


def test_the_same_condition_has_the_same_values_and_deviations() -> None:
    assert same(COLD, dict(reversed(COLD.items())))
    assert not same(COLD, {**COLD, "bias": Stored(300.0, 1.0, 4.0)})
    assert not same(COLD, {**COLD, "bias": Stored(300.1, 1.0, 5.0)})
    assert not same(COLD, {**COLD, "cells": Stored("0,1,")})
    assert same(COLD, {**COLD, "cells": Stored("0,1,2,", 1.0, 1.0)})  # of a text they say nothing


def test_what_is_bound_to_the_unit_comes_first_and_apart() -> None:
    mine, other = Stored(4.94e-321), Stored(9.88e-321)
    known: list[tuple[Any, Any]] = [
        (1, COLD),
        (2, {**COLD, "unit": mine}),
        (3, {**COLD, "unit": other}),
        (4, {"unit": mine}),
    ]
    asked = {"bias": 300.0, "cells": "0,"}
    assert preferences(known, asked, binding="unit", bound_to=4.94e-321) == ({2}, {1})
    assert preferences(known, asked, binding="unit", bound_to=None) == ({1},)
    assert preferences(known, asked) == ({1},)
    told = {**asked, "unit": 9.88e-321}  # the caller says which unit: it is a value as any other
    assert preferences(known, told, binding="unit", bound_to=4.94e-321) == ({3},)


# ---------------------------------------------------------------- properties

quarters = st.integers(-40, 40).map(lambda n: n / 4)  # exact in binary, so is their sum
widths = st.integers(0, 8).map(lambda n: n / 4)
values = st.builds(Stored, quarters, widths, widths) | st.builds(Stored, st.text("01,", max_size=4))
names = st.sampled_from(["bias", "cells", "gain"])
conditions = st.dictionaries(names, values, max_size=3)
asked_for = st.dictionaries(names, quarters | st.text("01,", max_size=4), max_size=3)


def holds(own: Stored, asked: Any) -> bool:
    """The rule once more, in other words."""
    if isinstance(own.value, str):
        return isinstance(asked, str) and own.value[: len(asked)] == asked
    return not isinstance(asked, str) and -own.lower <= asked - own.value <= own.upper


@given(conditions, asked_for)
def test_it_holds_where_each_value_does(condition: Any, asked: Any) -> None:
    expected = set(condition) == set(asked) and all(
        holds(condition[name], asked[name]) for name in asked
    )
    assert accepts(condition, asked) is expected


@given(conditions)
def test_every_condition_holds_for_its_own_values_and_is_itself(condition: Any) -> None:
    assert accepts(condition, {name: one.value for name, one in condition.items()})
    assert same(condition, dict(condition))


@given(conditions, asked_for, names, widths)
def test_a_wider_deviation_never_loses(condition: Any, asked: Any, name: str, more: float) -> None:
    if name not in condition or not accepts(condition, asked):
        return
    own = condition[name]
    wider = {**condition, name: Stored(own.value, own.lower + more, own.upper + more)}
    assert accepts(wider, asked)


@given(st.lists(conditions, max_size=6), asked_for, quarters)
def test_no_condition_is_in_two_groups(some: Any, asked: Any, unit: float) -> None:
    known = list(enumerate(some))
    groups = preferences(known, asked, binding="unit", bound_to=unit)
    flat = [row for group in groups for row in group]
    assert len(flat) == len(set(flat))
    assert set(groups[-1]) == {n for n, c in known if accepts(c, asked)}
