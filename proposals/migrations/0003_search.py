"""Indexes for the words of proposals, samples and run types, where the database is PostgreSQL."""

from django.db import migrations

WORDS = "to_tsvector('simple', regexp_replace({text}, '[!-/:-@\\[-`{{-~]+', ' ', 'g'))"
INDEXES = {
    "proposal_words": ("proposals_proposal", "title || ' ' || abstract || ' ' || keywords"),
    "sample_words": ("proposals_sample", "name || ' ' || description"),
}


def make(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, (table, text) in INDEXES.items():
            words = WORDS.format(text=text)
            schema_editor.execute(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} USING gin (({words}))",
                params=None,
            )


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}", params=None)


class Migration(migrations.Migration):
    atomic = False  # an index that is made concurrently keeps nobody from writing
    dependencies = [
        ("proposals", "0002_usual_template"),
    ]

    operations = [migrations.RunPython(make, drop, elidable=False)]
