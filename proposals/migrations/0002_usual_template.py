"""The usual template for groups and folders, as rows that staff can edit."""

from django.db import migrations

TEAM = "x{number}-dmgt"
FOLDERS = [("", "2750"), ("raw", "2750"), ("proc", "2750"), ("red", "2750"), ("usr", "2770"), ("scratch", "2770")]


def enter(apps, schema_editor):
    apps.get_model("proposals", "GroupRule").objects.get_or_create(name=TEAM)
    FolderRule = apps.get_model("proposals", "FolderRule")
    for path, mode in FOLDERS:
        FolderRule.objects.get_or_create(store=None, path=path, defaults={"mode": mode, "group": TEAM})


class Migration(migrations.Migration):
    dependencies = [
        ("proposals", "0001_initial"),
    ]

    operations = [migrations.RunPython(enter, migrations.RunPython.noop)]
