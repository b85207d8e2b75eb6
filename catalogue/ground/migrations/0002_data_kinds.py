"""The kinds of data that the code knows are there from the start, in the order programs know."""

from django.db import migrations

KINDS = [
    ("RAW", "Raw"),
    ("CAL", "Calibration"),
    ("PROC", "Processed"),
    ("REDU", "Reduced"),
    ("SIM", "Simulation"),
    ("UNK", "Unknown"),
]


def enter(apps, schema_editor):
    DataKind = apps.get_model("ground", "DataKind")
    for identifier, name in KINDS:
        DataKind.objects.get_or_create(identifier=identifier, defaults={"name": name})


class Migration(migrations.Migration):
    dependencies = [
        ("ground", "0001_initial"),
    ]

    operations = [migrations.RunPython(enter, migrations.RunPython.noop)]
