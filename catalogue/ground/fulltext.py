"""Finding words in texts: what PostgreSQL does with its full-text search, and any database can.

This is the one module that knows the difference. On PostgreSQL a word is found by its beginning,
through an index over the same expression (see the migrations `search`); elsewhere every row is
looked at, which is right for the thousands of an embedded site.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Collate

# ASCII punctuation parts words here as it does in `question`; PostgreSQL's own parser would take
# "12-40" for 12 and -40.
EXPRESSION = "to_tsvector('simple', regexp_replace({text}, '[!-/:-@\\[-`{{-~]+', ' ', 'g'))"


def document(columns: Sequence[str]) -> str:
    """The SQL expression that is searched and indexed: the words of these columns."""
    return EXPRESSION.format(text=" || ' ' || ".join(columns))


class _Matches(Func):
    """`document @@ query`, with the columns as they are named in the query at hand."""

    output_field = BooleanField()

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:  # type: ignore[override] # no template of functions is used
        *columns, query = self.source_expressions
        names: list[str] = []
        for column in columns:
            sql, parameters = compiler.compile(column)
            assert not parameters
            names.append(sql)
        asked, parameters = compiler.compile(query)
        # What Django sends on takes a single % for a parameter.
        found = document(names).replace("%", "%%")
        return f"{found} @@ to_tsquery('simple', {asked})", tuple(parameters)


def with_words(rows: QuerySet[Any], fields: Sequence[str], words: Sequence[str]) -> QuerySet[Any]:
    """Those of `rows` whose `fields` hold all `words`; none without a word."""
    if not words:
        return rows.none()
    if connection.vendor == "postgresql":
        query = " & ".join(f"{_quoted(word)}:*" for word in words)
        return rows.filter(_Matches(*(F(name) for name in fields), Value(query)))
    for word in words:
        begins = rf"(?<![^\W_]){re.escape(word)}"
        rows = rows.filter(reduce(or_, (Q(**{f"{f}__iregex": begins}) for f in fields)))
    return rows


def _quoted(word: str) -> str:
    doubled = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def by_beginning(rows: QuerySet[Any], field: str, prefix: str) -> QuerySet[Any]:
    """Those of `rows` whose `field` begins with `prefix`, in the order of the index that finds
    them (byte by byte, so that the first are there early). Nothing in `prefix` is a pattern."""
    if connection.vendor == "postgresql":
        rows = rows.alias(in_bytes=Collate(F(field), "C"))
        return rows.filter(in_bytes__startswith=prefix).order_by("in_bytes", "pk")
    within = {f"{field}__gte": prefix, f"{field}__lt": f"{prefix}\U0010ffff"}
    return rows.filter(**within).order_by(field, "pk")
