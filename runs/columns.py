"""The columns of the run table: their titles, what they are sorted by, which a reader hides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, QuerySet
from django.http import QueryDict
from django.utils.http import urlencode

from runs.models import Run

COOKIE = "hidden_columns"
LONGEST_WITHIN = 1000
USUAL = "-run"
# What the address of the table holds besides its filters.
BESIDE = ("page", "sort", "after", "shown", "format")


@dataclass(frozen=True, slots=True)
class Column:
    """`by` are the fields that it is sorted by; without any it is not. `title` is for the narrow
    head of the table, `label` for where there is room."""

    name: str
    title: str
    by: tuple[str, ...] = ()
    stays: bool = False
    number: bool = False
    said: str = ""

    @property
    def label(self) -> str:
        return self.said or self.title


COLUMNS = (
    Column("run", "Run", ("number",), stays=True),
    Column("type", "Type", ("experiment__name",)),
    Column("sample", "Sample", ("sample__name",)),
    Column("techniques", "Techniques"),
    Column("start", "Start (dur.)", ("begin_at",), said="Start and duration"),
    Column("status", "Status", ("status",)),
    Column("assessment", "Assessment", ("quality",), stays=True),
    Column("calibration", "Calibration"),
    Column("size", "Size", ("bytes",), number=True),
    Column("files", "Files", ("file_count",), number=True),
    Column("where", "Where", said="Where the data are"),
    Column("comment", "Comment", ("comment",), said="Comment and causes"),
    Column("edit", "Edit"),
)
_BY = {column.name: column.by for column in COLUMNS if column.by}


def sorted_by(runs: QuerySet[Run], wanted: str) -> tuple[QuerySet[Run], str]:
    """`runs` in the order of a column ("size", "-size"), and that order; one that is not known is
    the usual one, newest first. Runs that have nothing there come last."""
    name = wanted.removeprefix("-")
    if name not in _BY:
        name, wanted = "run", USUAL
    falls = wanted.startswith("-")
    ways = [
        F(by).desc(nulls_last=True) if falls else F(by).asc(nulls_last=True) for by in _BY[name]
    ]
    if name != "run":
        ways.append(F("number").desc())
    return runs.order_by(*ways), wanted


def address(query: QueryDict, order: str, /, **changes: str) -> str:
    """The query of the table in this order, without what is not of it."""
    kept = {k: str(v) for k, v in query.items() if v and k not in BESIDE}
    if order != USUAL:
        kept["sort"] = order
    return urlencode(kept | changes)


def filters_in(query: QueryDict) -> str:
    """The filters alone, as the links to runs carry them; none that is too long to be carried."""
    found = address(query, USUAL)
    return found if len(found) <= LONGEST_WITHIN else ""


def hidden_in(cookie: str) -> frozenset[str]:
    """The columns that a cookie hides; what it should not hold is left out."""
    may = {column.name for column in COLUMNS if not column.stays}
    return frozenset(cookie.split(".")) & may


def cookie_for(shown: Iterable[str]) -> str:
    """What the cookie holds where these columns are shown."""
    left = set(shown)
    return ".".join(c.name for c in COLUMNS if not c.stays and c.name not in left)


def shown(hidden: frozenset[str]) -> list[Column]:
    return [column for column in COLUMNS if column.name not in hidden]
