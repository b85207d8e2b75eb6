"""Pages of a list by cursor: where the last page ended, not how many rows came before, so that rows
which arrive meanwhile neither repeat nor hide others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground import inputs
from catalogue.ground.endpoints.faults import Faults
from catalogue.ground.inputs import Invalid

M = TypeVar("M", bound=Model)

USUAL = 100
PARAMETERS = ("cursor", "page_size")
ORDERED = (*PARAMETERS, "order")
"""The same for a list with orders."""


class Order:
    """The orders in which a list is given: `usual` keys, and others by name, each of which is also
    taken with "-" for the opposite. The keys of an order together are unique and never null."""

    def __init__(self, *usual: str, **named: Sequence[str]) -> None:
        self._usual = usual
        self._named: dict[str, tuple[str, ...]] = {}
        for name, keys in named.items():
            self._named[name] = tuple(keys)
            self._named[f"-{name}"] = tuple(_opposite(key) for key in keys)

    @property
    def names(self) -> list[str]:
        """What `?order=` takes."""
        return list(self._named)

    def keys(self, request: Request) -> tuple[str, ...]:
        """The keys of the order that is asked for. Raises `Invalid`."""
        asked = request.query_params.get("order")
        if asked is None:
            return self._usual
        if asked not in self._named:
            raise Invalid("order", f"must be one of {', '.join(self._named)}", asked)
        return self._named[asked]


def _opposite(key: str) -> str:
    return key.removeprefix("-") if key.startswith("-") else f"-{key}"


def page(
    request: Request,
    found: QuerySet[M],
    *keys: str,
    show: Callable[[Sequence[M]], Iterable[object]],
    order: Order | None = None,
) -> Response:
    """One page as `{"results": …, "next": link or null}`.

    `keys` order the list ("-number", "data_group_id" …) and together are unique and never null, or
    `order` tells them; `show` makes the answer of the page's rows.
    """
    asked = request.query_params
    keys = order.keys(request) if order is not None else keys
    size = inputs.page_size(asked.get("page_size", str(USUAL)))
    if "cursor" in asked:
        found = found.filter(_after(keys, _opened(asked["cursor"], request, keys)))
    rows = list(found.order_by(*keys)[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    following = _link(request, rows[-1], keys) if more else None
    return Response({"results": list(show(rows)), "next": following})


def _after(keys: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows beyond `values` in the order of `keys`, the first key being the weightiest."""
    condition = Q(pk__in=[])
    same = Q()
    for key, value in zip(keys, values, strict=True):
        name = key.removeprefix("-")
        way = "lt" if key.startswith("-") else "gt"
        condition |= same & Q(**{f"{name}__{way}": value})
        same &= Q(**{name: value})
    return condition


def _link(request: Request, last: Model, keys: Sequence[str]) -> str:
    values = [_value(last, key.removeprefix("-")) for key in keys]
    query: QueryDict = request.query_params.copy()
    query["cursor"] = signing.dumps(values, salt=_salt(request, keys))
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _value(row: Model, key: str) -> Any:
    value: Any = row
    for part in key.split("__"):
        value = getattr(value, part)
    # A cursor is JSON; written so, a time comes back to the microsecond.
    return value.isoformat() if isinstance(value, date) else value


def _salt(request: Request, keys: Sequence[str]) -> str:
    """A cursor opens the list that gave it and no other."""
    return f"{request.path} {' '.join(keys)}"


def _opened(cursor: str, request: Request, keys: Sequence[str]) -> list[Any]:
    try:
        values: list[Any] = signing.loads(cursor, salt=_salt(request, keys))
    except signing.BadSignature:
        raise Invalid("cursor", "must be one that this list gave in `next`", cursor) from None
    return values


def filtered(
    request: Request,
    filter_set: Any,
    found: QuerySet[M],
    *,
    beside: Iterable[str] = PARAMETERS,
) -> QuerySet[M]:
    """`found` narrowed by a FilterSet's parameters. An unknown parameter (neither a filter nor
    `beside`) is a fault, so that a misspelt filter does not give the whole list."""
    known = {*filter_set.base_filters, *beside}
    refuse_unknown(request, known)
    _refuse_empty(request, filter_set.base_filters)
    filters = filter_set(request.query_params, queryset=found)
    if not filters.is_valid():
        raise Faults(
            [
                Invalid(name, " ".join(said), request.query_params.get(name))
                for name, said in filters.errors.items()
            ]
        )
    narrowed: QuerySet[M] = filters.qs
    return narrowed


def _refuse_empty(request: Request, names: Iterable[str]) -> None:
    """A filter without a value is none to a FilterSet, which would give the whole list."""
    asked = request.query_params
    empty = [name for name in names if any(not v.strip() for v in asked.getlist(name))]
    if empty:
        raise Faults([Invalid(name, "must not be empty", asked[name]) for name in empty])


def refuse_unknown(request: Request, known: Iterable[str] = PARAMETERS) -> None:
    """Raise `Faults` for query parameters besides `known`."""
    names = set(known)
    faults = [
        Invalid(name, "is not a parameter of this call", request.query_params[name])
        for name in request.query_params
        if name not in names
    ]
    if faults:
        raise Faults(faults)
