"""The run table as a file: what the filters leave, in the order shown, with the columns shown.

Rows are read and written some hundred at a time. What people typed is never taken for a formula:
in Excel files it is written as text, and in CSV, where a program decides by the first character,
an apostrophe is put before it.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any

import xlsxwriter
from django.db.models import QuerySet

from catalogue.ground import clock
from proposals.models import Proposal
from runs import tables
from runs.columns import Column
from runs.models import Run
from runs.tables import Row

AT_ONCE = 500
LONGEST_CELL = 32_000
"""Characters; Excel opens no file with a longer cell than 32,767."""

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Cell = str | int | float | datetime | None


def heads(columns: Sequence[Column]) -> list[str]:
    return [title for column in columns for title in _TITLES.get(column.name, ())]


def lines(
    runs: QuerySet[Run], proposal: Proposal, columns: Sequence[Column]
) -> Iterator[list[Cell]]:
    """The cells of each run, in the order of `heads`."""
    names = [column.name for column in columns]
    for row in _rows(runs, proposal):
        yield [cell for name in names if name in _CELLS for cell in _CELLS[name](row)]


def _rows(runs: QuerySet[Run], proposal: Proposal) -> Iterator[Row]:
    some: list[Run] = []
    for run in runs.iterator(chunk_size=AT_ONCE):
        run.proposal = proposal
        some.append(run)
        if len(some) == AT_ONCE:
            yield from tables.table_rows(some)
            some = []
    yield from tables.table_rows(some)


class _Echo:
    """What csv writes to: it gives the line back."""

    def write(self, line: str) -> str:
        return line


def as_csv(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The lines of a CSV file (RFC 4180), with a mark by which Excel knows that it is UTF-8."""
    writer: Any = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(head)
    for row in rows:
        yield writer.writerow([_plain(cell) for cell in row])


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, datetime):
        return cell.astimezone(clock.facility_zone()).isoformat(timespec="seconds")
    if isinstance(cell, str) and cell.startswith(_STARTS_A_FORMULA):
        return f"'{cell}"
    return cell


def as_excel(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> IO[bytes]:
    """An Excel file, written row by row into a temporary one that goes when it is closed."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 # whoever sends it closes it
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    bold, date = (
        book.add_format({"bold": True}),
        book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
    )
    sheet = book.add_worksheet("Runs")
    sheet.freeze_panes(1, 1)
    for place, title in enumerate(head):
        sheet.write_string(0, place, title, bold)
    for line, row in enumerate(rows, start=1):
        for place, cell in enumerate(row):
            _write(sheet, line, place, cell, date)
    book.close()
    file.seek(0)
    return file


def _write(sheet: Any, line: int, place: int, cell: Cell, date: Any) -> None:
    if isinstance(cell, datetime):
        local = cell.astimezone(clock.facility_zone()).replace(tzinfo=None)
        sheet.write_datetime(line, place, local, date)
    elif isinstance(cell, str):
        sheet.write_string(line, place, cell[:LONGEST_CELL])
    elif cell is not None:
        sheet.write_number(line, place, cell)


def _start(row: Row) -> tuple[Cell, ...]:
    seconds = row.length.total_seconds() if row.length is not None and row.run.end_at else None
    return row.run.begin_at, seconds


def _assessment(row: Row) -> tuple[Cell, ...]:
    run = row.run
    return run.get_quality_display(), run.assessed_by, run.assessed_at, row.before


def _where(row: Row) -> tuple[Cell, ...]:
    def said(tier: tables.Tier) -> str:
        found = (f"{r.data_group.kind} {r.get_state_display().lower()}" for r in tier.replicas)
        return ", ".join(found)

    return tuple(said(tier) for tier in row.tiers)


def _calibration(row: Row) -> tuple[Cell, ...]:
    found = row.calibration
    return (found.get_state_display(), found.reason) if found else ("", "")


_TITLES = {
    "run": ("Run", "Alias"),
    "type": ("Type",),
    "sample": ("Sample",),
    "techniques": ("Techniques",),
    "start": ("Start", "Duration in s"),
    "status": ("Status",),
    "assessment": ("Assessment", "Marked by", "Marked at", "Before"),
    "calibration": ("Calibration", "Reason of its state"),
    "size": ("Size in bytes",),
    "files": ("Files",),
    "where": tuple(name for _, _, name in tables.TIERS),
    "comment": ("Comment", "Causes"),
}
_CELLS: dict[str, Any] = {
    "run": lambda row: (row.run.number, row.run.alias),
    "type": lambda row: (row.run.experiment.name if row.run.experiment else "",),
    "sample": lambda row: (row.run.sample.name if row.run.sample else "",),
    "techniques": lambda row: (", ".join(row.techniques),),
    "start": _start,
    "status": lambda row: (row.run.get_status_display(),),
    "assessment": _assessment,
    "calibration": _calibration,
    "size": lambda row: (row.size,),
    "files": lambda row: (row.run.file_count,),
    "where": _where,
    "comment": lambda row: (row.run.comment, ", ".join(row.causes)),
}
