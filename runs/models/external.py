"""What programs outside the catalogue say of a run: their processing, values, reports."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from catalogue.ground.models import DataType, ParameterType, Recorded, Unit
from runs.models.calibration import Artifact
from runs.models.data import DataGroup
from runs.models.run import Run


class ExternalProcessing(Recorded):
    """How far a transfer program and a calibration pipeline outside say they are with a run.

    Our own copies and corrections are told by their jobs and calibrations, never here.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="external_processing")
    calibration_status = models.CharField(max_length=8, blank=True, help_text="NA, E …")
    calibration_reply = models.TextField(blank=True)
    calibration_feedback = models.TextField(blank=True)
    calibration_requests = models.PositiveIntegerField(null=True, blank=True)
    calibration_requested_at = models.DateTimeField(null=True, blank=True)
    calibration_begin_at = models.DateTimeField(null=True, blank=True)
    calibration_end_at = models.DateTimeField(null=True, blank=True)
    input_path = models.CharField(max_length=1024, blank=True)
    output_path = models.CharField(max_length=1024, blank=True)
    migration_requested_at = models.DateTimeField(null=True, blank=True)
    migration_begin_at = models.DateTimeField(null=True, blank=True)
    migration_end_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"outside processing of {self.run}"

    @property
    def proposal_number(self) -> int:
        return self.run.proposal_number

    @property
    def run_number(self) -> int:
        return self.run.number


class Parameter(Recorded):
    """A value of the slow control: what a device showed while data were taken."""

    data_source = models.CharField(max_length=255, help_text="The device, e.g. MID/XTD6/ATT/MOTOR.")
    name = models.CharField(max_length=255)
    value = models.FloatField()
    minimum = models.FloatField()
    maximum = models.FloatField()
    mean = models.FloatField()
    standard_deviation = models.FloatField()
    data_type = models.ForeignKey(DataType, on_delete=models.PROTECT)
    type = models.ForeignKey(ParameterType, on_delete=models.PROTECT)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)
    unit_prefix = models.CharField(max_length=16, blank=True)
    available = models.BooleanField(default=True)
    description = models.TextField(blank=True)
    runs = models.ManyToManyField(Run, blank=True, related_name="parameters")
    data_groups = models.ManyToManyField(DataGroup, blank=True, related_name="parameters")
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["data_source", "name"], name="parameter_of_source"),
        ]

    def __str__(self) -> str:
        return f"{self.data_source} {self.name}"


class Report(Recorded):
    """A report of a correction of a run: made by a pipeline outside, or (`artifact`) by ours."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="reports")
    name = models.CharField(max_length=128)
    path = models.CharField(max_length=512)
    made_at = models.DateTimeField()
    artifact = models.OneToOneField(
        Artifact, null=True, blank=True, on_delete=models.PROTECT, related_name="told_as"
    )
    description = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "path", "run"], name="report_once")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def proposal_number(self) -> int:
        return self.run.proposal_number

    @property
    def run_number(self) -> int:
        return self.run.number
