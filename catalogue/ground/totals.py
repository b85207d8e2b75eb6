"""Sums over columns of 64 bits, whose sum may need more."""

from __future__ import annotations

from typing import Any

from django.db.models import Sum


class BigSum(Sum):
    """A sum without a largest value. SQLite's own breaks off the whole query beyond 64 bits; there
    it is exact up to 2⁵³ and close from there on."""

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="TOTAL", **context)
