"""Detectors: which there are, of which physical units they consist, and where each unit was when.

A unit is a piece of hardware; a detector is a place for units. Units are exchanged and move, their
constants go with them: what belongs to the place (aggregator, virtual device, module number) is
therefore kept with its history.
"""

from __future__ import annotations

import struct
from typing import ClassVar

from django.db import models
from simple_history.models import HistoricalRecords

from catalogue.ground.models.recorded import Entered


class DetectorType(Entered):
    name = models.CharField(max_length=60, unique=True)
    available = models.BooleanField(default=True)
    description = models.TextField(null=True, blank=True)

    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name


class Detector(Entered):
    """A detector as it is installed, e.g. SPB_DET_AGIPD1M-1."""

    identifier = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=64, unique=True)
    karabo_name = models.CharField("control system's name", max_length=255, unique=True)
    karabo_id_control = models.CharField(
        "control device", max_length=255, null=True, blank=True, help_text="Where it is steered."
    )
    source_name_pattern = models.CharField(
        max_length=255, null=True, blank=True, help_text="Of its sources in files, by module."
    )
    number_of_modules = models.BigIntegerField(null=True, blank=True)
    first_module_index = models.BigIntegerField(null=True, blank=True)
    available = models.BooleanField(default=True)
    description = models.TextField(null=True, blank=True)
    instruments = models.ManyToManyField(
        "ground.Instrument", through="DetectorInstrument", related_name="detectors"
    )

    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.identifier


class DetectorInstrument(models.Model):
    """That a detector is used at an instrument; some travel."""

    detector = models.ForeignKey(
        Detector, on_delete=models.CASCADE, related_name="detectors_instruments"
    )
    instrument = models.ForeignKey(
        "ground.Instrument", on_delete=models.PROTECT, related_name="detectors_instruments"
    )

    history = HistoricalRecords()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["detector", "instrument"], name="detector_instrument_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.detector} at {self.instrument}"


class Placement(models.Model):
    """Where a unit is: the detector, and the place in it. None: not mounted, or not said."""

    detector = models.ForeignKey(
        Detector, null=True, blank=True, on_delete=models.PROTECT, related_name="%(class)ss"
    )
    aggregator = models.CharField(
        max_length=255, null=True, blank=True, help_text="As in file names, e.g. AGIPD00."
    )
    virtual_device_name = models.CharField(
        max_length=255, null=True, blank=True, help_text="The place in the detector, e.g. Q1M1."
    )
    module_number = models.BigIntegerField(null=True, blank=True)

    class Meta:
        abstract = True


PLACE = ("detector_id", "aggregator", "virtual_device_name", "module_number")
"""The columns of a placement."""


class DetectorUnit(Placement, Entered):
    """A physical detector unit: a module of a detector, or the whole of a small one."""

    detector = models.ForeignKey(
        Detector, null=True, blank=True, on_delete=models.PROTECT, related_name="units",
        help_text="None: not mounted.",
    )  # fmt: skip
    physical_name = models.CharField(max_length=255, unique=True)
    detector_type = models.ForeignKey(DetectorType, on_delete=models.PROTECT, related_name="units")
    uuid = models.BigIntegerField(
        "UUID", null=True, blank=True, unique=True, help_text="Its number, signed, of 64 bits."
    )
    available = models.BooleanField(default=True)
    description = models.TextField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["module_number", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["detector", "aggregator"],
                name="unit_aggregator_once",
                condition=~models.Q(aggregator=""),
            )
        ]

    def __str__(self) -> str:
        return self.physical_name

    @property
    def label(self) -> str:
        return f"detector unit {self.physical_name}"

    @property
    def float_uuid(self) -> float | None:
        """The bits of `uuid` read as a float: so conditions name a unit, whose values are floats.
        It may be a NaN or an infinity."""
        return None if self.uuid is None else float_of_bits(self.uuid)


def float_of_bits(number: int) -> float:
    """The float that has the bits of this signed number of 64 bits: 1000 -> 4.94e-321."""
    value: float = struct.unpack("<d", struct.pack("<q", number))[0]
    return value


class UnitPlacement(Placement):
    """Where a unit was from a moment on. The first row of a unit may be from ever (None); a unit
    without rows has always been where it is."""

    unit = models.ForeignKey(DetectorUnit, on_delete=models.CASCADE, related_name="placements")
    from_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = [models.F("from_at").asc(nulls_first=True), "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit", "from_at"], name="unit_placed_once"),
            models.UniqueConstraint(
                fields=["unit"],
                name="unit_placed_from_ever_once",
                condition=models.Q(from_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        since = f"{self.from_at:%Y-%m-%d %H:%M}" if self.from_at else "ever"
        return f"{self.unit} at {self.detector} {self.aggregator} since {since}"
