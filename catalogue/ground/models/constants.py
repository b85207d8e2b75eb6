"""Calibration constants: what was measured for which detector unit, when, and where it is kept.

The tables follow the field's catalogue (constant, constant version, report). Optional texts may be
null: the field's programs tell "not said" from "said to be empty", and get back what they gave.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from catalogue.ground.models.conditions import CalibrationKind, Condition
from catalogue.ground.models.detectors import DetectorType, DetectorUnit
from catalogue.ground.models.recorded import Entered


class ConstantReport(Entered):
    """The report of how constants were made, by its address in the field's file system."""

    name = models.CharField(max_length=64)
    file_path = models.CharField(max_length=1024, unique=True)
    available = models.BooleanField(default=True)
    description = models.TextField(null=True, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"report {self.name} on constants"


class Constant(Entered):
    """One kind of calibration for one detector type under one condition."""

    name = models.CharField(max_length=255, unique=True)
    kind = models.ForeignKey(CalibrationKind, on_delete=models.PROTECT, related_name="constants")
    detector_type = models.ForeignKey(
        DetectorType, on_delete=models.PROTECT, related_name="constants"
    )
    condition = models.ForeignKey(Condition, on_delete=models.PROTECT, related_name="constants")
    auto_approve = models.BooleanField(default=True)
    available = models.BooleanField(default=True)
    description = models.TextField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["condition", "kind"])]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "detector_type", "condition"], name="constant_once"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"constant {self.name}"


class ConstantVersion(Entered):
    """A measured constant of one unit: a data set in a file, and from when it holds.

    `store`, `path`, `bytes` and `sha256` are of the files that we keep; a version made elsewhere
    has none of them, and `path_to_file` below the maker's own folder is all that is known.
    """

    constant = models.ForeignKey(Constant, on_delete=models.PROTECT, related_name="versions")
    unit = models.ForeignKey(DetectorUnit, on_delete=models.PROTECT, related_name="versions")
    name = models.CharField(max_length=160, unique=True)
    file_name = models.CharField(max_length=255)
    path_to_file = models.CharField(max_length=1024)
    data_set_name = models.CharField(max_length=512)
    deployed = models.BooleanField(default=True, help_text="Taken into account by selections.")
    good_quality = models.BooleanField(default=True)
    begin_validity_at = models.DateTimeField(null=True, blank=True)
    end_validity_at = models.DateTimeField(null=True, blank=True)
    begin_at = models.DateTimeField(help_text="When it was measured; it holds from then.")
    start_idx = models.BigIntegerField("first index", null=True, blank=True)
    end_idx = models.BigIntegerField("last index", null=True, blank=True)
    raw_data_location = models.TextField(null=True, blank=True)
    report = models.ForeignKey(
        ConstantReport, null=True, blank=True, on_delete=models.PROTECT, related_name="versions"
    )
    description = models.TextField(null=True, blank=True)
    store = models.ForeignKey("ground.Store", null=True, blank=True, on_delete=models.PROTECT)
    path = models.CharField(max_length=1024, blank=True)
    bytes = models.BigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["unit", "begin_at"])]
        constraints: ClassVar = [
            # the index that selections read: constants, units, then time
            models.UniqueConstraint(
                fields=["constant", "unit", "begin_at"], name="constant_version_once"
            ),
            models.CheckConstraint(
                name="constant_version_has_bytes",
                condition=models.Q(bytes__isnull=True) | models.Q(bytes__gte=0),
            ),
            models.CheckConstraint(
                name="constant_version_kept_whole",
                condition=models.Q(store__isnull=True)
                | (models.Q(bytes__isnull=False) & ~models.Q(path="") & ~models.Q(sha256="")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"constant version {self.name}"
