"""Fields of input: each is one of `catalogue.ground.inputs`, so that no face guesses; and the one
form in which answers tell a moment.

`describe` is the field's JSON Schema; the OpenAPI document is made of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from catalogue.ground import inputs
from catalogue.ground.inputs import Invalid


class Parsed(serializers.Field[Any, Any, Any, Any]):
    """A value that `parse(value, field)` makes of what came, or refuses with `Invalid`."""

    describe: dict[str, Any]

    def __init__(
        self, parse: Callable[[object, str], Any], describe: dict[str, Any], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.parse = parse
        self.describe = describe

    def to_internal_value(self, data: Any) -> Any:
        return self.parse(data, self.field_name or "")

    def to_representation(self, value: Any) -> Any:
        return value


class Text(Parsed):
    """Text of at most `longest` characters; `line`: without line breaks; not `blank` unless so."""

    def __init__(
        self, longest: int, *, line: bool = False, blank: bool = False, **kwargs: Any
    ) -> None:
        def parse(value: object, field: str) -> str:
            text = inputs.free_text(value, longest, field)
            if line and ("\n" in text or "\t" in text):
                raise Invalid(field, "must be one line", value)
            if not blank and not text.strip():
                raise Invalid(field, "must not be empty", value)
            return text

        shape = {"type": "string", "maxLength": longest}
        if not blank:
            shape["minLength"] = 1
        super().__init__(parse, shape, **kwargs)


class Time(Parsed):
    """A moment with its zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(inputs.aware_time, {"type": "string", "format": "date-time"}, **kwargs)


# Without this, fromisoformat takes weeks ("2026-W47-7") too.
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(value: object, field: str) -> date:
    rule = "must be a day like 2026-11-22"
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise Invalid(field, rule, value)
    try:
        found = date.fromisoformat(value)
    except ValueError:
        raise Invalid(field, rule, value) from None
    if not inputs.EARLIEST_YEAR <= found.year <= inputs.LATEST_YEAR:
        years = f"{inputs.EARLIEST_YEAR} to {inputs.LATEST_YEAR}"
        raise Invalid(field, f"must lie in the years {years}", value)
    return found


class Day(Parsed):
    """A date of the calendar."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(_day, {"type": "string", "format": "date"}, **kwargs)


class Flag(Parsed):
    """true or false; neither 1 nor "yes"."""

    def __init__(self, **kwargs: Any) -> None:
        def parse(value: object, field: str) -> bool:
            if not isinstance(value, bool):
                raise Invalid(field, "must be true or false", value)
            return value

        super().__init__(parse, {"type": "boolean"}, **kwargs)


class Choice(Parsed):
    """One of some values, all texts or all numbers."""

    def __init__(self, values: Iterable[str | int], **kwargs: Any) -> None:
        known = list(values)

        def parse(value: object, field: str) -> object:
            if type(value) not in (str, int) or value not in known:
                said = ", ".join(str(k) for k in known)
                raise Invalid(field, f"must be one of {said}", value)
            return value

        kind = "integer" if all(isinstance(k, int) for k in known) else "string"
        super().__init__(parse, {"type": kind, "enum": known}, **kwargs)


class Names(Parsed):
    """A list of short texts, each once; `among` restricts them."""

    def __init__(
        self, longest: int, *, most: int = 100, among: Iterable[str] = (), **kwargs: Any
    ) -> None:
        known = list(among)

        def parse(value: object, field: str) -> list[str]:
            if not isinstance(value, list) or len(value) > most:
                raise Invalid(field, f"must be a list of at most {most} texts", value)
            names = [inputs.free_text(v, longest, f"{field}[{n}]") for n, v in enumerate(value)]
            for name in names:
                if known and name not in known:
                    raise Invalid(field, f"each must be one of {', '.join(known)}", name)
            if len(set(names)) < len(names):
                raise Invalid(field, "must name each only once", value)
            return names

        item: dict[str, Any] = {"type": "string", "maxLength": longest}
        if known:
            item["enum"] = known
        shape = {"type": "array", "items": item, "maxItems": most, "uniqueItems": True}
        super().__init__(parse, shape, **kwargs)


DEEPEST = 16
LARGEST = 10_000
LONGEST = 10_000


class Tree(Parsed):
    """A JSON object of any content that a database can hold: at most `DEEPEST` levels, `LARGEST`
    values and `LONGEST` characters a text."""

    def __init__(self, **kwargs: Any) -> None:
        def parse(value: object, field: str) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise Invalid(field, "must be an object", value)
            _look_through(value, field)
            return value

        super().__init__(parse, {"type": "object", "additionalProperties": {}}, **kwargs)


def _look_through(tree: dict[str, Any], field: str) -> None:
    """Refuse what could not be kept. Walks without recursion, whatever the depth."""
    waiting: list[tuple[object, int]] = [(tree, 1)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if seen > LARGEST or depth > DEEPEST:
            rule = f"must have at most {LARGEST} values and {DEEPEST} levels"
            raise Invalid(field, rule, value)
        if isinstance(value, dict):
            for name, child in value.items():
                inputs.free_text(name, 200, field)
                waiting.append((child, depth + 1))
        elif isinstance(value, list):
            waiting += [(child, depth + 1) for child in value]
        elif isinstance(value, str):
            inputs.free_text(value, LONGEST, field)
        elif isinstance(value, float) and not math.isfinite(value):
            raise Invalid(field, "must hold finite numbers", value)
        elif isinstance(value, int) and abs(value) > inputs.BIGGEST:
            raise Invalid(field, f"must hold numbers up to {inputs.BIGGEST}", value)


class Moment(serializers.DateTimeField):
    """A moment in answers: UTC, with Z."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, default_timezone=UTC, **kwargs)

    def to_representation(self, value: Any) -> str:
        # Faster than the parent's, which asks the settings for every value.
        return moment(value) or ""


def moment(value: datetime | None) -> str | None:
    """A moment as answers tell it: "2026-11-22T14:00:00.000000Z" cut to what is there."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class _ParsedInSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Tells the OpenAPI document what a `Parsed` field takes."""

    target_class = "catalogue.ground.endpoints.fields.Parsed"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        shape: dict[str, Any] = dict(self.target.describe)
        return shape
