"""What is measured of a detector, and under which operating condition: kinds and conditions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from simple_history.models import HistoricalRecords

from catalogue.ground.models.recorded import Entered


class CalibrationKind(Entered):
    """What is measured: Offset, Noise, bad pixels … (the field says calibration)."""

    name = models.CharField(max_length=255, unique=True)
    unit = models.ForeignKey("ground.Unit", null=True, blank=True, on_delete=models.PROTECT)
    max_value = models.FloatField(null=True, blank=True)
    min_value = models.FloatField(null=True, blank=True)
    allowed_deviation = models.FloatField(null=True, blank=True)
    description = models.TextField(null=True, blank=True)

    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name


class CalibrationParameter(Entered):
    """A quantity of operating conditions, e.g. Sensor Bias Voltage.

    `text` says that its values are texts (a list of memory cells, say); the deviations are those
    that a new condition has unless it says others.
    """

    name = models.CharField(max_length=255, unique=True)
    unit = models.ForeignKey("ground.Unit", null=True, blank=True, on_delete=models.PROTECT)
    available = models.BooleanField(default=True)
    logarithmic = models.BooleanField(default=False)
    text = models.BooleanField(default=False)
    default_lower_deviation = models.FloatField(null=True, blank=True)
    default_upper_deviation = models.FloatField(null=True, blank=True)
    description = models.TextField(null=True, blank=True)

    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name


class Condition(Entered):
    """An operating condition: a set of parameters with a value each. Once made it stays as it is,
    since constants were measured under it."""

    name = models.CharField(max_length=255, unique=True)
    available = models.BooleanField(default=True)
    description = models.TextField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class ConditionParameter(Entered):
    """One value of a condition, with how far below and above it the condition still holds."""

    condition = models.ForeignKey(Condition, on_delete=models.CASCADE, related_name="parameters")
    parameter = models.ForeignKey(CalibrationParameter, on_delete=models.PROTECT)
    value = models.FloatField(null=True, blank=True)
    text_value = models.TextField(null=True, blank=True)
    lower_deviation = models.FloatField(default=0.0)
    upper_deviation = models.FloatField(default=0.0)
    available = models.BooleanField(default=True)
    description = models.TextField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["parameter", "value"])]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["condition", "parameter"], name="condition_parameter_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.parameter} {self.value if self.text_value is None else self.text_value}"
