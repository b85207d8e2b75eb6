"""A sheet of proposals as people make them: bytes of CSV to lines of named texts; pure.

Spreadsheets differ in what they write: the delimiter, a byte order mark, the encoding, the ends of
lines, quotes. All of that is told apart here; what a cell means is `wish.py`'s.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalogue.ground.inputs import Invalid

LARGEST = 1_000_000
"""Bytes of a sheet."""

MOST_ROWS = 200
"""Rows of a sheet: all of them are one transaction, which others may have to wait for."""

COLUMNS: Mapping[str, str] = {
    "number": "900300",
    "title": "Time-resolved studies of …",
    "instrument": "SPB",
    "cycle": "202601",
    "kind": "user",
    "abstract": "",
    "leader": "login or e-mail",
    "beamtime_begin": "2026-12-03 08:00",
    "beamtime_end": "2026-12-07 08:00",
    "derived_from": "",
    "metadata_public": "yes",
    "assesses_by_itself": "no",
    "calibrates_by_itself": "yes",
}
"""The columns with an example of each."""

NEEDED = ("number", "title", "instrument", "cycle")
# What people call the columns as well.
_ALSO = {
    "proposal": "number",
    "proposal_number": "number",
    "pi": "leader",
    "principal_investigator": "leader",
    "type": "kind",
    "begin": "beamtime_begin",
    "begin_at": "beamtime_begin",
    "end": "beamtime_end",
    "end_at": "beamtime_end",
}
_DELIMITERS = (",", ";", "\t", "|")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a sheet: where it begins in the file, and its cells by column."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was read, and how; `guessed` says that the encoding is a guess to be looked at."""

    lines: tuple[Line, ...]
    text: str
    encoding: str
    delimiter: str

    @property
    def guessed(self) -> bool:
        return self.encoding == "Windows-1252"


def read(content: bytes) -> Sheet:
    """The lines of a CSV file. Raises `Invalid` with the field "file" and where it went wrong."""
    if len(content) > LARGEST:
        raise Invalid("file", f"must be at most {LARGEST // 1_000_000} MB", f"{len(content)} bytes")
    text, encoding = _decoded(content)
    if "\x00" in text:
        raise Invalid("file", "must be text, and holds a NUL: is it a spreadsheet's own file?", "")
    if not re.search(r"[^\s,;|\"]", text):
        raise Invalid("file", "must have a line of column names and a line for each proposal", "")
    delimiter, names = _header(text)
    lines = _lines(text, delimiter, names)
    if not lines:
        raise Invalid("file", "has column names, and no line below them", "")
    return Sheet(tuple(lines), text, encoding, delimiter)


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith(_UTF16):
        try:
            return content.decode("utf-16"), "UTF-16"
        except UnicodeDecodeError:
            raise Invalid("file", "begins as UTF-16 and goes on as something else", "") from None
    try:
        return content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        raise Invalid("file", "must be text in UTF-8", "") from None


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """The rows with the line each begins in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    begin = 1
    try:
        for row in reader:
            rows.append((begin, row))
            begin = reader.line_num + 1
            if len(rows) > 10 * MOST_ROWS:
                raise Invalid("file", f"must have at most {MOST_ROWS} rows", f"{len(rows)} rows")
    except csv.Error as problem:
        raise Invalid("file", f"cannot be read from line {begin} on ({problem})", "") from None
    return rows


def _header(text: str) -> tuple[str, list[str]]:
    """The delimiter under which most column names are known, and the names."""
    first = next(line for line in re.split("\r\n|\r|\n", text) if re.search(r"[^\s,;|\"]", line))
    found = [(d, [_name(c) for c in first.replace('"', "").split(d)]) for d in _DELIMITERS]
    delimiter, names = max(found, key=lambda pair: sum(n in COLUMNS for n in pair[1]))
    while names and not names[-1]:
        names.pop()
    unknown = [n for n in names if n not in COLUMNS]
    if unknown:
        known = ", ".join(COLUMNS)
        raise Invalid("file", f"the columns are {known}", ", ".join(unknown)[:200])
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise Invalid("file", "must have each column once", ", ".join(twice))
    missing = [n for n in NEEDED if n not in names]
    if missing:
        raise Invalid("file", f"must have the columns {', '.join(NEEDED)}", "")
    return delimiter, names


def _name(cell: str) -> str:
    name = "_".join(cell.strip().lower().replace("-", " ").split())
    return _ALSO.get(name, name)


def _lines(text: str, delimiter: str, names: Sequence[str]) -> list[Line]:
    filled = [(at, row) for at, row in _rows(text, delimiter) if any(c.strip() for c in row)]
    below = filled[1:]
    if len(below) > MOST_ROWS:
        raise Invalid("file", f"must have at most {MOST_ROWS} rows", f"{len(below)} rows")
    lines = []
    for at, row in below:
        if any(cell.strip() for cell in row[len(names) :]):
            rule = f"line {at} has more cells than there are column names ({len(names)})"
            raise Invalid("file", f"{rule}: is a text with a delimiter not quoted?", "")
        cells = {name: cell.strip() for name, cell in zip(names, row, strict=False)}
        lines.append(Line(at, {name: cells.get(name, "") for name in names}))
    return lines


def template() -> str:
    """A sheet with the column names and an example."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerow(COLUMNS.values())
    return out.getvalue()
