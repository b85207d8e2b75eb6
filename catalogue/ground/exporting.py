"""The journal as a stream: NDJSON that `catalogue.ground.chain` checks offline, or CSV to look at.

An export says in its first line up to where the journal was sealed when it began, and whether it
was narrowed; of a narrowed one each entry can be checked, but not that none is left out.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet

from catalogue.ground import journal, sealing
from catalogue.ground.models import Entry

_COLUMNS = (
    *("position", "at", "actor_name", "on_behalf", "program_name", "face", "subject_type"),
    *("subject_label", "proposal", "run", "move", "before", "after", "reason", "facts"),
    *("seal_previous", "seal_hash"),
)
# With one of these at its beginning a spreadsheet takes a text for something to compute.
_COMPUTED = ("=", "+", "-", "@", "\t", "\r")


def whole_journal() -> Iterator[bytes]:
    """All of it, for checking."""
    return ndjson(Entry.objects.all(), narrowed={})


def ndjson(found: QuerySet[Entry], *, narrowed: dict[str, str]) -> Iterator[bytes]:
    """The numbered entries of `found` in their order; `narrowed` says by what it was narrowed."""
    sealed = sealing.status()  # first: what is sealed by now has its position by then
    until = journal.reach()
    yield _line(sealing.header(sealed, narrowed=narrowed, until=until))
    for entry in sealing.in_order(found.filter(position__lte=until)):
        yield _line(entry)


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class _Line:
    """What csv writes to: gives back the line."""

    def write(self, line: str) -> str:
        return line


def as_csv(found: QuerySet[Entry]) -> Iterator[bytes]:
    """The same entries as a table. Nothing in it is computed by whoever opens it."""
    writer = csv.writer(_Line())
    until = journal.reach()
    yield _encoded(writer.writerow(_COLUMNS))
    for entry in sealing.in_order(found.filter(position__lte=until)):
        facts = json.dumps(entry["facts"], ensure_ascii=False) if entry["facts"] else ""
        values: Iterable[Any] = ({**entry, "facts": facts}[name] for name in _COLUMNS)
        yield _encoded(writer.writerow([harmless(value) for value in values]))


def _encoded(line: Any) -> bytes:
    return str(line).encode()


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is a text there too."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_COMPUTED) else value
