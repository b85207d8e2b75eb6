"""Operating conditions: whether one that is stored holds for the values that were asked for.

A condition is a set of parameters with a value each. Parameters are named by whatever the caller
likes (an id, a name). The rules are the field's, told in the README beside.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Value = float | str
Values = Mapping[Any, Value]
"""What is asked for: a value by parameter."""

_ROUNDING = 1e-9
"""So much a limit is widened, relative to the numbers compared: -0.1 + 0.3 is 0.2 for people.
Without a deviation nothing is widened: units have been told apart by numbers one bit apart."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A value of a stored condition, and how far below and above it the condition still holds.
    Texts have no deviation."""

    value: Value
    lower: float = 0.0
    upper: float = 0.0


Condition = Mapping[Any, Stored]


def accepts(condition: Condition, asked: Values) -> bool:
    """Whether `condition` has the parameters of `asked`, no more and no fewer, and each value that
    was asked for lies within the stored deviations around the stored value."""
    return condition.keys() == asked.keys() and all(
        near(own, asked[parameter]) for parameter, own in condition.items()
    )


def near(own: Stored, asked: Value) -> bool:
    """Whether a number lies within the deviations, both ends included; of texts, whether the
    stored one begins with the one asked for ("0,1," finds "0,1,2,")."""
    value = own.value
    if isinstance(value, str) or isinstance(asked, str):
        return isinstance(value, str) and isinstance(asked, str) and value.startswith(asked)
    if value == asked or not (own.lower or own.upper):
        return value == asked
    slack = _ROUNDING * max(abs(value), abs(asked))
    return value - own.lower - slack <= asked <= value + own.upper + slack


def same(condition: Condition, other: Condition) -> bool:
    """Whether two conditions are one: the same parameters, values and deviations."""
    return condition.keys() == other.keys() and all(
        _plain(own) == _plain(other[parameter]) for parameter, own in condition.items()
    )


def _plain(own: Stored) -> tuple[Value, float, float]:
    return (
        (own.value, 0.0, 0.0) if isinstance(own.value, str) else (own.value, own.lower, own.upper)
    )


def preferences(
    conditions: Iterable[tuple[Hashable, Condition]],
    asked: Values,
    *,
    binding: Hashable = None,
    bound_to: float | None = None,
) -> tuple[Collection[Hashable], ...]:
    """The conditions (by id) that hold for `asked`, in groups: those of a later group count only
    where an earlier one gives nothing.

    First come the conditions bound to one unit: beside what was asked for they have the parameter
    `binding`, and its value is `bound_to`. The others have exactly what was asked for. They are
    never pooled: a unit's own constants would lose against newer ones of all units.
    """
    known = list(conditions)
    exactly = {row for row, condition in known if accepts(condition, asked)}
    if bound_to is None or binding is None or binding in asked:
        return (exactly,)
    own: Values = {**asked, binding: bound_to}
    return ({row for row, condition in known if accepts(condition, own)}, exactly)
