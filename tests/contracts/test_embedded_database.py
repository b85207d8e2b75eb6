"""How SQLite is opened: the default of a new clone."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from django.db import connection
from pytest_django import DjangoDbBlocker


def test_the_embedded_database_lets_one_write_and_all_read(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    """Without it two that read and then write would fail instead of waiting for each other. It
    opens a file of its own, as the settings say; with the services there is nothing to ask."""
    embedded = connection.copy()
    embedded.settings_dict["NAME"] = str(tmp_path / "catalogue.sqlite3")
    with django_db_blocker.unblock(), closing(embedded), embedded.cursor() as cursor:
        told = [cursor.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "foreign_keys", "synchronous")]  # fmt: skip
    assert told == ["wal", 1, 2]
    assert embedded.transaction_mode == "IMMEDIATE"
