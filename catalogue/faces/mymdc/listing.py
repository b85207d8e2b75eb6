"""Lists: filters by equality, pages by number, and the headers that count them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.db.models import Q, QuerySet

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import Column

PAGE_SIZE: Final = 100
LARGEST_PAGE: Final = 500
ID: Final = Column("id", wire.integer, read="pk", write=None, lookup="pk")


def narrowed(
    rows: QuerySet[Any], columns: Sequence[Column], query: Mapping[str, str]
) -> QuerySet[Any]:
    """`rows` whose columns equal what the query names; names that are no filter are ignored. An
    empty value asks for rows without one; a value that the column cannot hold matches nothing."""
    for column in (ID, *columns):
        if column.name not in query or not column.lookup:
            continue
        try:
            value = column.parse(query[column.name])
        except wire.Unreadable:
            return rows.none()
        if value is None or value == "":
            plain = column.lookup.removesuffix("__iexact")
            empty = Q(**{f"{plain}__isnull": True})
            if column.parse is wire.text:
                empty |= Q(**{column.lookup: ""})
            rows = rows.filter(empty)
        else:
            rows = rows.filter(**{column.lookup: value})
    return rows


def page_of(call: Call, rows: QuerySet[Any], shown: Callable[[Sequence[Any]], list[Any]]) -> Answer:
    """One page of `rows` as `shown` gives it; a page past the end is empty."""
    number, size = _asked(call.query, "page", 1), _asked(call.query, "page_size", PAGE_SIZE)
    size = min(size, LARGEST_PAGE)
    total = rows.count()
    first = (number - 1) * size
    page = list(rows[first : first + size]) if first < total else []
    headers = {
        "X-Total-Pages": str(max(-(-total // size), 1)),
        "X-Count-Per-Page": str(size),
        "X-Current-Page": str(number),
        "X-Total-Count": str(total),
    }
    return Answer(shown(page), headers=headers)


def _asked(query: Mapping[str, str], name: str, default: int) -> int:
    try:
        asked = wire.integer(query.get(name))
    except wire.Unreadable:
        asked = None
    return max(asked, 1) if asked is not None else default
