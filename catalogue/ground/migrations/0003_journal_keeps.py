"""The database itself refuses to change or delete what the journal tells.

What has its seal stays as it is; before that an entry only gets its position and its seal. A later
migration that makes the table of entries anew (SQLite does so for many changes) has to run `keep`
again, since the triggers go with the old table: a test says so.
"""

from django.db import migrations

CONTENT = (
    "id", "at", "actor_id", "actor_name", "on_behalf_id", "program_id", "program_name", "face",
    "subject_type", "subject_id", "subject_label", "proposal", "run", "move", "before", "after",
    "reason", "facts",
)  # fmt: skip
SEALED = "The journal keeps this entry: it is sealed."
TOLD = "The journal keeps what an entry tells, and its position."
EMPTIED = "The journal is not emptied."


def _columns(row):
    return ", ".join(f'{row}."{name}"' for name in CONTENT)


POSTGRES = [
    """
    CREATE FUNCTION journal_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
    END $$
    """,
    f"""
    CREATE TRIGGER journal_keeps_sealed BEFORE UPDATE OR DELETE ON ground_entry
    FOR EACH ROW WHEN (OLD.seal_hash <> '') EXECUTE FUNCTION journal_keeps('{SEALED}')
    """,
    f"""
    CREATE TRIGGER journal_keeps_told BEFORE UPDATE ON ground_entry
    FOR EACH ROW WHEN (
        ROW({_columns("OLD")}) IS DISTINCT FROM ROW({_columns("NEW")})
        OR OLD.position IS NOT NULL AND NEW.position IS DISTINCT FROM OLD.position
    ) EXECUTE FUNCTION journal_keeps('{TOLD}')
    """,
    f"""
    CREATE TRIGGER journal_keeps_all BEFORE TRUNCATE ON ground_entry
    FOR EACH STATEMENT EXECUTE FUNCTION journal_keeps('{EMPTIED}')
    """,
]
SQLITE = [
    f"""
    CREATE TRIGGER journal_keeps_sealed BEFORE UPDATE ON ground_entry
    WHEN OLD.seal_hash <> '' BEGIN SELECT RAISE(ABORT, '{SEALED}'); END
    """,
    f"""
    CREATE TRIGGER journal_keeps_all BEFORE DELETE ON ground_entry
    WHEN OLD.seal_hash <> '' BEGIN SELECT RAISE(ABORT, '{SEALED}'); END
    """,
    f"""
    CREATE TRIGGER journal_keeps_told BEFORE UPDATE ON ground_entry
    WHEN {" OR ".join(f'OLD."{name}" IS NOT NEW."{name}"' for name in CONTENT)}
        OR OLD.position IS NOT NULL AND NEW.position IS NOT OLD.position
    BEGIN SELECT RAISE(ABORT, '{TOLD}'); END
    """,
]
NAMES = ("journal_keeps_sealed", "journal_keeps_told", "journal_keeps_all")


def keep(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for statement in {"postgresql": POSTGRES, "sqlite": SQLITE}.get(vendor, []):
        schema_editor.execute(statement, params=None)


def let_go(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    for name in NAMES:
        schema_editor.execute(f"DROP TRIGGER {name}" + (" ON ground_entry" if postgres else ""))
    if postgres:
        schema_editor.execute("DROP FUNCTION journal_keeps()")


class Migration(migrations.Migration):
    dependencies = [
        ("ground", "0002_data_kinds"),
    ]

    operations = [migrations.RunPython(keep, let_go)]
