"""A resource of the legacy API: five operations on the rows of one table, over the verbs of the app
that owns it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import URLPattern, re_path

from catalogue.faces.mymdc.call import Answer, Call, Handler, serves
from catalogue.faces.mymdc.columns import Column, checked
from catalogue.faces.mymdc.errors import TAKEN, Missing, Wrong
from catalogue.faces.mymdc.listing import ID, narrowed, page_of
from catalogue.ground.actor import Actor

ITEM = r"(?P<pk>-?[0-9]{1,18})"


@dataclass(frozen=True)
class Unique:
    """Columns that no two rows may share all of; `told` are the names it is reported on (theirs,
    if not given). Rows with an empty one of these columns are free of it."""

    columns: tuple[str, ...]
    told: tuple[str, ...] = ()
    message: tuple[str, ...] = (TAKEN,)


class Resource:
    """Subclasses name the columns and say how rows are found, made, changed and deleted.

    `path` is the name in addresses, `wrapper` that of the envelope in requests.
    """

    path: ClassVar[str]
    wrapper: ClassVar[str]
    columns: ClassVar[Sequence[Column]]
    unique: ClassVar[Sequence[Unique]] = ()
    verbs: ClassVar[frozenset[str]] = frozenset({"index", "create", "show", "update", "destroy"})

    # What a subclass gives.

    def rows(self, actor: Actor) -> QuerySet[Any]:
        """The rows that `actor` may know of, with what is shown of each."""
        raise NotImplementedError

    def permit(self, call: Call, values: dict[str, Any]) -> None:
        """Raise `Refused` where the verb would, before it is said which values are taken: for rows
        of which not everybody may know that they are there."""

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        """Make a row by its verb; the row."""
        raise NotImplementedError

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        """Change a row by its verb."""
        raise NotImplementedError

    def remove(self, call: Call, row: Any) -> None:
        """Delete a row by its verb."""
        raise NotImplementedError

    def more(self) -> list[URLPattern]:
        """Further addresses of the resource; they are tried before those of rows."""
        return []

    # The five operations.

    def index(self, call: Call) -> Answer:
        """A page of what the filters leave, by id."""
        rows = narrowed(self.told(call.actor), self.columns, call.query)
        return page_of(call, rows.order_by("pk"), self.shown)

    def create(self, call: Call) -> Answer:
        """Make a row."""
        given = call.attributes(self.wrapper)
        values = checked(self.columns, given, None, call.actor)
        self.permit(call, values)
        self.refuse_taken(values, None)
        with self._taken_meanwhile(values, None):
            row = self.make(call, values)
        return Answer(self.one(call, row.pk), 201)

    def show(self, call: Call, pk: str) -> Answer:
        """One row."""
        return Answer(self.one(call, pk))

    def update(self, call: Call, pk: str) -> Answer:
        """Change what the body names of a row; all of it or nothing."""
        row = self.row(call, pk)
        values = checked(self.columns, call.attributes(self.wrapper), row, call.actor)
        self.refuse_taken(values, row)
        with self._taken_meanwhile(values, row):
            self.change(call, row, values)
        return Answer(self.one(call, pk))

    def destroy(self, call: Call, pk: str) -> Answer:
        """Delete a row."""
        self.remove(call, self.row(call, pk))
        return Answer(None, 204)

    # Their parts.

    def told(self, actor: Actor) -> QuerySet[Any]:
        """The same rows where they are only told; they may hold no more than that takes."""
        return self.rows(actor)

    def row(self, call: Call, pk: str | int) -> Any:
        """The row of that id. Raises `Missing`."""
        return _only(self.rows(call.actor).filter(pk=int(pk)))

    def one(self, call: Call, pk: str | int) -> dict[str, Any]:
        """The row of that id as it is shown. Raises `Missing`."""
        row = _only(self.told(call.actor).filter(pk=int(pk)))
        shown: dict[str, Any] = self.shown([row])[0]
        return shown

    def shown(self, rows: Sequence[Any]) -> list[Any]:
        """Rows as they are given back."""
        return [{c.name: c.of(row) for c in (ID, *self.columns)} for row in rows]

    def refuse_taken(self, values: dict[str, Any], row: Any | None) -> None:
        """Raise `Wrong` with every rule of uniqueness that the values would break."""
        info: dict[str, list[str]] = {}
        for rule in self.unique:
            if self._is_taken(rule, values, row):
                for name in rule.told or rule.columns:
                    told = info.setdefault(name, [])
                    told.extend(m for m in rule.message if m not in told)
        if info:
            raise Wrong(info)

    def _is_taken(self, rule: Unique, values: dict[str, Any], row: Any | None) -> bool:
        condition: dict[str, Any] = {}
        for column in self.columns:
            if column.name not in rule.columns:
                continue
            written = column.argument in values
            if row is None and not written:
                return False
            value = values[str(column.argument)] if written else _stored(row, column)
            if value is None or value == "":
                return False
            condition[column.lookup or str(column.argument)] = value
        others = self.everywhere().filter(**condition)
        return (others if row is None else others.exclude(pk=row.pk)).exists()

    def everywhere(self) -> QuerySet[Any]:
        """All rows of the table, for rules that hold among all of them."""
        raise NotImplementedError

    def _taken_meanwhile(self, values: dict[str, Any], row: Any | None) -> _Race:
        return _Race(lambda: self.refuse_taken(values, row))

    def urls(self) -> list[URLPattern]:
        """The addresses of the resource, with and without a slash at the end."""
        many = {"index": "get", "create": "post"}
        one = {"show": "get", "update": "put", "destroy": "delete"}
        return [
            *self.more(),
            at(self.path, **self._handlers(many)),
            at(f"{self.path}/{ITEM}", **self._handlers(one)),
        ]

    def _handlers(self, methods: dict[str, str]) -> dict[str, Handler]:
        return {
            method: getattr(self, verb) for verb, method in methods.items() if verb in self.verbs
        }


class _Race:
    """Somebody else was faster between the check and the write: the rule that then speaks is told
    as if it had been seen before."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._savepoint = transaction.atomic()

    def __enter__(self) -> None:
        self._savepoint.__enter__()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._savepoint.__exit__(kind, error, trace)
        if isinstance(error, IntegrityError):
            self._ask()
            raise Wrong("The row contradicts a rule of the catalogue") from error


def _only(rows: QuerySet[Any]) -> Any:
    """The one row there is. Raises `Missing`."""
    for row in rows.order_by()[:1]:
        return row
    raise Missing


def _stored(row: Any, column: Column) -> Any:
    value: Any = row
    for part in (column.lookup or str(column.argument)).split("__"):
        value = getattr(value, part, None)
    return value


def at(pattern: str, **handlers: Handler) -> URLPattern:
    """An address below `/api/`, with or without a slash at its end, and its handlers by method."""
    view: Callable[..., HttpResponse] = serves(**handlers)
    return re_path(rf"^{pattern}/?$", view)
