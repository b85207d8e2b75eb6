"""The two statements behind bulk registration: which names are known, and writing new rows.
PostgreSQL has arrays and COPY; others are asked in steps, and insert many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from runs.models import DataGroup, File

COLUMNS = ("data_group_id", "name", "bytes", "sha256", "adler32", "registered_at")


class Row(NamedTuple):
    """A file as its writer registers it."""

    name: str
    bytes: int
    sha256: str
    adler32: str


def known_files(group: DataGroup, names: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Size and sha256 of those of `names` that are registered in `group`."""
    if not group.file_count and not group.files.exists():
        return {}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_KNOWN, [group.pk, list(names)])
            return {name: (size, sha256) for name, size, sha256 in cursor.fetchall()}
    known: dict[str, tuple[int, str]] = {}
    # SQLite allows a bounded number of parameters in one statement.
    for at in range(0, len(names), STEP):
        rows = File.objects.filter(data_group=group, name__in=names[at : at + STEP])
        known |= {n: (b, s) for n, b, s in rows.values_list("name", "bytes", "sha256")}
    return known


STEP = 900
# One array instead of thousands of parameters, each of which would be looked at three times.
_KNOWN = (
    f"SELECT name, bytes, sha256 FROM {File._meta.db_table} "  # noqa: S608 - our own table's name
    "WHERE data_group_id = %s AND name = ANY(%s)"
)


def files_named(group: int, names: Sequence[str]) -> list[File]:
    """Those of `names` that are registered in the group of this id."""
    rows = File.objects.filter(data_group_id=group)
    steps = range(0, len(names), STEP)
    return [row for at in steps for row in rows.filter(name__in=names[at : at + STEP])]


def set_sha256(group: DataGroup, by_name: Mapping[str, str]) -> None:
    """Write the checksums of these files of `group`, where they have none."""
    rows = []
    for row in group.files.filter(sha256="").only("pk", "name").iterator(chunk_size=2000):
        if row.name in by_name:
            row.sha256 = by_name[row.name]
            rows.append(row)
    File.objects.bulk_update(rows, ["sha256"], batch_size=400)


def insert_files(group: DataGroup, rows: Sequence[Row], at: datetime) -> None:
    """Write the rows, which are validated and new."""
    if not rows:
        return
    if connection.vendor == "postgresql":
        _copy(group, rows, at)
        return
    File.objects.bulk_create(
        (
            File(
                data_group=group, name=r.name, bytes=r.bytes, sha256=r.sha256, adler32=r.adler32,
                registered_at=at,
            )
            for r in rows
        ),
        batch_size=150,
    )  # fmt: skip


def _copy(group: DataGroup, rows: Sequence[Row], at: datetime) -> None:
    """COPY in text format: names hold no control characters (`inputs.plain_name`), so a backslash
    is all there is to escape."""
    head, tail = f"{group.pk}\t", f"\t{at.isoformat()}{_REST}\n"
    statement = f"COPY {File._meta.db_table} ({', '.join(_ALL)}) FROM STDIN"
    text = "".join(
        f"{head}{r.name.replace(chr(92), chr(92) * 2)}\t{r.bytes}\t{r.sha256}\t{r.adler32}{tail}"
        for r in rows
    )
    with connection.cursor() as cursor:
        raw: Any = cursor
        with raw.copy(statement) as copy:
            copy.write(text)


# What a bulk registration does not name has its default: COPY writes whole rows.
_UNNAMED = [f for f in File._meta.concrete_fields if not f.primary_key and f.attname not in COLUMNS]
_ALL = (*COLUMNS, *(str(field.column) for field in _UNNAMED))


def _as_text(value: object) -> str:
    if value is None:
        return r"\N"
    return str(value).lower() if isinstance(value, bool) else str(value)


_REST = "".join(f"\t{_as_text(field.get_default())}" for field in _UNNAMED)
