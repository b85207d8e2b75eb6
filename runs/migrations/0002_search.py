"""Indexes for the words of runs and the beginnings of file names. Names are compared byte by byte,
whatever the order of letters of the database."""

from django.db import migrations

WORDS = "to_tsvector('simple', regexp_replace({text}, '[!-/:-@\\[-`{{-~]+', ' ', 'g'))"
TEXT = WORDS.format(text="comment || ' ' || alias")
POSTGRESQL = {
    "run_words": f"runs_run USING gin (({TEXT}))",
    "file_name_begins": 'runs_file (name COLLATE "C", id)',
}
ELSEWHERE = {"file_name_begins": "runs_file (name, id)"}


def make(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, what in POSTGRESQL.items():
            schema_editor.execute(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {what}", params=None
            )
    else:
        for name, what in ELSEWHERE.items():
            schema_editor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {what}", params=None)


def drop(apps, schema_editor):
    postgresql = schema_editor.connection.vendor == "postgresql"
    for name in POSTGRESQL if postgresql else ELSEWHERE:
        how = "CONCURRENTLY " if postgresql else ""
        schema_editor.execute(f"DROP INDEX {how}IF EXISTS {name}", params=None)


class Migration(migrations.Migration):
    atomic = False  # an index that is made concurrently keeps nobody from writing
    dependencies = [
        ("runs", "0001_initial"),
    ]

    operations = [migrations.RunPython(make, drop, elidable=False)]
