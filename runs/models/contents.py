"""What was found in the files of a run: their sources and trains, and pictures of them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from runs.models.calibration import Artifact
from runs.models.data import DataGroup


class Contents(models.Model):
    """What a worker found in the files of one data group when it looked last.

    `file_count` and `bytes` are the group's of then: where they differ from its present ones, the
    group has grown since. None of it is a fact of the run; all can be found again.
    """

    group = models.OneToOneField(DataGroup, on_delete=models.CASCADE, related_name="contents")
    file_count = models.PositiveIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    looked_at = models.DateTimeField()
    trains = models.PositiveIntegerField(default=0)
    first_train = models.BigIntegerField(null=True, blank=True)
    last_train = models.BigIntegerField(null=True, blank=True)
    missing = models.PositiveBigIntegerField(
        default=0, help_text="Trains between the first and the last that no file has."
    )
    gaps = models.JSONField(default=list, help_text="First and last of each gap; of many, some.")
    source_count = models.PositiveIntegerField(default=0)
    unread = models.JSONField(default=list, help_text="Files that could not be read, with why.")
    why_none = models.TextField(blank=True, help_text="Why there is no picture.")
    detector = models.CharField(max_length=255, blank=True)
    unit = models.CharField(max_length=32, blank=True)
    modules = models.JSONField(default=list, help_text="The numbers behind the picture.")
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    trains_with_images = models.PositiveIntegerField(default=0)
    trains_read = models.PositiveIntegerField(default=0)
    frames = models.PositiveIntegerField(default=0)
    picture = models.ForeignKey(
        Artifact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    plot = models.ForeignKey(
        Artifact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    module_table = models.ForeignKey(
        Artifact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    train_table = models.ForeignKey(
        Artifact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name_plural = "contents"

    def __str__(self) -> str:
        return f"contents of {self.group}"


class DataSource(models.Model):
    """A device or a detector module that the files of a group have data of."""

    class Section(models.TextChoices):
        CONTROL = "control", "Control"
        INSTRUMENT = "instrument", "Instrument"

    contents = models.ForeignKey(Contents, on_delete=models.CASCADE, related_name="sources")
    section = models.CharField(max_length=10, choices=Section.choices)
    name = models.CharField(max_length=255)
    trains = models.PositiveIntegerField(default=0)
    keys = models.JSONField(default=list, help_text="Name, dtype and shape of each value.")

    class Meta:
        ordering: ClassVar = ["section", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["contents", "section", "name"], name="data_source_once")
        ]

    def __str__(self) -> str:
        return self.name
