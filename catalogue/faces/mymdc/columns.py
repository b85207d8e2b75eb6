"""The columns of a legacy resource: how each is called, read, checked and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from django.db.models import Model, QuerySet

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.errors import Wrong
from catalogue.ground.actor import Actor

BLANK: Final = "can't be blank"
EXISTS: Final = "must exist"
FIXED: Final = "cannot be updated"

Rule = Callable[[Any], str | None]
"""What is wrong with a value, or None."""


@dataclass(frozen=True)
class Column:
    """One member of the envelope.

    `read` is the attribute of the row (dots follow relations) or a function of it; `write` the
    argument of the domain's verb, None for what the catalogue makes itself. `lookup` is the
    condition of a filter by equality, "" where there is none. A `fixed` column may be repeated in
    an update, not changed. `empty` stands for null where the domain knows none ("" for texts).
    """

    name: str
    parse: Callable[[Any], Any]
    read: str | Callable[[Any], Any] = ""
    write: str | None = ""
    lookup: str = ""
    required: bool = False
    fixed: bool = False
    rules: tuple[Rule, ...] = ()
    default: Any = None
    empty: Any = None
    exists: Callable[[Actor], QuerySet[Any]] | None = None

    def of(self, row: Any) -> Any:
        """The value as it is shown."""
        if callable(self.read):
            return wire.shown(self.read(row))
        try:
            return wire.shown(attrgetter(self.read or self.name)(row))
        except AttributeError:
            if "." in self.read:  # a relation that is not there
                return None
            raise

    @property
    def argument(self) -> str | None:
        """The argument of the verb that it is written by."""
        return self.name if self.write == "" else self.write

    @property
    def association(self) -> str:
        """What the row that an id names is called in messages."""
        return self.name.removesuffix("_id")


def at_most(longest: int) -> Rule:
    """A text of at most so many characters."""
    message = f"is too long (maximum is {longest} characters)"
    return lambda value: message if len(value or "") > longest else None


def at_least(shortest: int) -> Rule:
    """A text of at least so many characters; an empty one is too short as well."""
    message = f"is too short (minimum is {shortest} characters)"
    return lambda value: message if len(value or "") < shortest else None


def exactly(length: int) -> Rule:
    """A text of so many characters."""
    message = f"is the wrong length (should be {length} characters)"
    return lambda value: message if len(value or "") != length else None


def matches(pattern: Any, message: str) -> Rule:
    """A text that the compiled pattern matches whole."""
    return lambda value: None if pattern.fullmatch(value or "") else message


def integer(name: str, **more: Any) -> Column:
    return Column(name, wire.integer, **more)


def real(name: str, **more: Any) -> Column:
    return Column(name, wire.real, **more)


def flag(name: str, **more: Any) -> Column:
    return Column(name, wire.flag, **more)


def moment(name: str, **more: Any) -> Column:
    return Column(name, wire.moment, **more)


def anything(name: str, **more: Any) -> Column:
    return Column(name, wire.anything, **more)


def text(name: str, longest: int | None = None, **more: Any) -> Column:
    """A text; `longest` is the limit that clients know. Null is stored as an empty text."""
    rules = tuple(more.pop("rules", ()))
    limit = (at_most(longest),) if longest else ()
    return Column(name, wire.text, rules=limit + rules, **{"empty": "", **more})


def refers(name: str, rows: Callable[[Actor], QuerySet[Any]], **more: Any) -> Column:
    """The id of another row, which must be one of `rows` that the caller may know of."""
    return Column(name, wire.integer, exists=rows, **more)


def shown(name: str, read: str | Callable[[Any], Any], **more: Any) -> Column:
    """What the catalogue makes itself: read, never written. Kinds of filters by `parse`."""
    return Column(name, more.pop("parse", wire.anything), read=read, write=None, **more)


def checked(
    columns: Sequence[Column], given: Mapping[str, Any], row: Model | None, actor: Actor
) -> dict[str, Any]:
    """The values of `given` by the arguments they are written as: of a new row (`row` None) with
    defaults, else of what is present. Raises `Wrong` with every complaint, in the columns' order.
    """
    values: dict[str, Any] = {}
    info: dict[str, list[str]] = {}
    for column in columns:
        if column.argument is None or (row is not None and column.name not in given):
            continue
        value, complaints = _check(column, given, row)
        if complaints:
            info[column.name] = complaints
        elif (known := _existing(column, value, actor)) is _MISSING:
            info[column.association] = [EXISTS]
        elif not (row is not None and column.fixed):
            values[column.argument] = known
    if info:
        raise Wrong(info)
    return values


_MISSING: Final = object()


def _existing(column: Column, value: Any, actor: Actor) -> Any:
    """The row that an id names, and any other value as it is."""
    if column.exists is None or value is None:
        return value
    return column.exists(actor).filter(pk=value).first() or _MISSING


def _check(column: Column, given: Mapping[str, Any], row: Model | None) -> tuple[Any, list[str]]:
    raw = given.get(column.name)
    unreadable: str | None = None
    try:
        value = column.parse(raw)
    except wire.Unreadable as error:
        value, unreadable = None, str(error)
    if value is None and unreadable is None:
        absent = row is None and column.name not in given and column.default is not None
        value = column.default if absent else column.empty
        value = column.default if value is None and row is None else value
    complaints = list(_complaints(column, value, unreadable))
    if row is not None and column.fixed and wire.shown(value) != column.of(row):
        complaints.insert(0, FIXED)
    elif row is not None and column.fixed:
        complaints = []
    return value, complaints


def _complaints(column: Column, value: Any, unreadable: str | None) -> Iterator[str]:
    blank = value is None or (isinstance(value, str) and not value.strip())
    if column.required and blank and unreadable is None:
        yield BLANK
        if column.parse in (wire.integer, wire.real) and column.exists is None:
            yield wire.NOT_A_NUMBER
    if unreadable is not None:
        yield unreadable
        return
    if value in (None, "") and not column.required:
        return
    for rule in column.rules:
        if complaint := rule(value):
            yield complaint
