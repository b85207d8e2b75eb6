"""A journal to seal, and what somebody with the database in their hands could do to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from django.db import connection

from catalogue.ground import journal, sealing
from catalogue.ground.models import Entry, User

keeping = import_module("catalogue.ground.migrations.0003_journal_keeps")
AT = datetime(2026, 11, 22, 8, 30, 0, 123456, tzinfo=UTC)


def entries(count: int, first: int = 1) -> None:
    """Entries, committed, with all kinds of content."""
    person, _ = User.objects.get_or_create(username="ada", last_name="Löve")
    Entry.objects.bulk_create(
        Entry(
            at=AT + timedelta(seconds=n), actor=person, actor_name="Ada Löve", on_behalf=None,
            face="page", subject_type="runs.run", subject_id=n, subject_label=f"run {n:04d} 🜂",
            proposal=900054, run=n, move="assess", before="", after="good", reason=f"“why” {n}",
            facts={"b": [1, 2.5, None, True], "a": {"ä": "\u202eö"}, "n": n},
        )
        for n in range(first, first + count)
    )  # fmt: skip


def sealed(count: int) -> None:
    """So many entries, numbered and sealed."""
    entries(count)
    journal.number_all(AT)
    sealing.seal_all(AT)


@contextmanager
def behind_its_back() -> Iterator[Any]:
    """A cursor for which the database refuses nothing, as for its administrator."""
    postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if postgres:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE ground_entry DISABLE TRIGGER USER")
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'ground_entry'"
                           " AND type = 'trigger'")  # fmt: skip
            triggers = dict(cursor.fetchall())
            for name in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
        yield cursor
        if postgres:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE ground_entry ENABLE TRIGGER USER")
        else:
            for made in triggers.values():
                cursor.execute(made)
