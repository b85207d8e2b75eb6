"""Migrations that would stop a running site, as `django-migration-linter` sees them.

    python tests/contracts/lint_migrations.py

It reads the SQL for the database that the settings name; initial migrations of an app are left out,
since nothing runs on tables that do not exist yet. Ends non-zero on an error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REMADE = ("NOT_NULL", "ADD_UNIQUE")
APPS = ["ground", "proposals", "runs", "policies"]


def main() -> int:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "catalogue.settings")
    import django  # why: the settings module is named first

    django.setup()
    from django.db import connection  # why: as below
    from django_migration_linter import MigrationLinter  # why: reads the settings when imported

    linter = MigrationLinter(
        str(ROOT),
        include_apps=APPS,
        ignore_initial_migrations=True,
        # SQLite makes a table anew to add a column, which looks like all of its constraints;
        # .ci/run asks PostgreSQL.
        exclude_migration_tests=REMADE if connection.vendor == "sqlite" else (),
        no_cache=True,
        no_output=False,
    )
    linter.lint_all_migrations()
    linter.print_summary()
    return int(linter.has_errors)


if __name__ == "__main__":
    sys.exit(main())
