"""What the values of several resources have to be, and columns that many of them have."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.columns import Column, Rule, flag, shown, text

SMALLEST, SMALL = -(2**15), 2**15 - 1
"""What a SMALLINT column holds."""

_is_address = URLValidator(schemes=["http", "https"])


def between(low: int, high: int) -> Rule:
    """A number from `low` to `high`."""

    def check(value: Any) -> str | None:
        if value is None or low <= value <= high:
            return None
        bound = (
            f"greater than or equal to {low}" if value < low else f"less than or equal to {high}"
        )
        return f"must be {bound}"

    return check


def one_of(known: Collection[Any]) -> Rule:
    """One of a few values."""
    return lambda value: None if value in known else "is not included in the list"


def number_after(prefix: str, value: Any) -> int:
    """The number in a name that the catalogue makes of a prefix and an id. Raises `Unreadable`."""
    found = wire.integer(value[len(prefix) :]) if str(value).startswith(prefix) else None
    if found is None:
        raise wire.Unreadable
    return found


def web_address(value: Any) -> str | None:
    """An address that a browser opens; pages show it as a link."""
    try:
        _is_address(value)
    except ValidationError:
        return "must be an address like https://…"
    return None


def url(longest: int = 512) -> Column:
    return text("url", longest, lookup="url")


def available() -> Column:
    return flag(
        "flg_available",
        read="available", write="available", lookup="available", default=True, empty=True,
    )  # fmt: skip


def description() -> Column:
    return text("description")


def dated(changed: bool = True) -> tuple[Column, ...]:
    """When a row was entered and changed last."""
    made = (shown("created_at", "created_at"),)
    return (*made, shown("updated_at", "updated_at")) if changed else made
