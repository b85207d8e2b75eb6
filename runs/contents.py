"""What was found in the files of runs, read: is it up to date, which sources, which picture."""

from __future__ import annotations

from django.db.models import QuerySet

from catalogue.ports.pictures.contract import is_exdf
from runs import queries
from runs.models import Artifact, Contents, DataGroup, DataSource, Run

KINDS = ("PROC", "RAW")
"""The kinds of data that are looked into; where there are corrected data, these are shown."""
MOST_FILES = 5000
FOLDER = "previews"


def is_current(group: DataGroup) -> bool:
    """Whether the files of the group were looked into as they are."""
    return Contents.objects.filter(
        group=group, file_count=group.file_count, bytes=group.bytes
    ).exists()


def is_worth_looking(group: DataGroup) -> bool:
    """Whether there are files of a kind that is looked into, and a copy of them to read."""
    if group.kind not in KINDS or not group.file_count:
        return False
    return any(r.state in queries.THERE for r in group.replicas.all())


def files_to_read(group: DataGroup) -> list[tuple[str, int, str]]:
    """Name, size and sha256 of the first files that are named as the format has it."""
    rows = group.files.filter(name__endswith=".h5").order_by("name")
    found = rows.values_list("name", "bytes", "sha256")[:MOST_FILES]
    return [row for row in found if is_exdf(row[0])]


def of_run(run: Run) -> list[Contents]:
    """What was found in the run's files, corrected data first, with the pictures."""
    artifacts = ("picture", "plot", "module_table", "train_table")
    rows = Contents.objects.filter(group__run=run).select_related("group", *artifacts)
    return sorted(rows, key=lambda c: (KINDS.index(c.group.kind), c.group.edition))


def sources(contents: Contents, text: str = "") -> QuerySet[DataSource]:
    """The sources that a group has data of, as they were kept: control first, then as people count;
    those whose name has `text` in it."""
    rows = contents.sources.order_by("pk")
    return rows.filter(name__icontains=text.replace("\x00", "")) if text else rows


def preview(run: Run, name: str) -> Artifact:
    """A picture of the run, or its numbers, by its name. Raises `Artifact.DoesNotExist`."""
    if "\x00" in name:  # PostgreSQL takes no such text, not even in a question
        raise Artifact.DoesNotExist
    rows = run.artifacts.select_related("store")
    return rows.get(kind="preview", path=f"{FOLDER}/{name}")
