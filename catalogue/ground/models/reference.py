"""Reference tables: the words a facility chooses its values from, each a plain list."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from simple_history.models import HistoricalRecords

from catalogue.ground.models.recorded import Recorded


class Term(Recorded):
    """A word of the facility: its name for people, its identifier for programs."""

    name = models.CharField(max_length=120, unique=True)
    identifier = models.CharField(max_length=120, unique=True)
    available = models.BooleanField(default=True, help_text="Offered for new rows.")
    description = models.TextField(blank=True)

    history = HistoricalRecords(inherit=True)

    class Meta:
        abstract = True
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Facility(Term):
    """Who runs the instruments: the facility itself, or a partner whose instruments are known."""

    doi = models.CharField("DOI", max_length=255, blank=True)

    class Meta(Term.Meta):
        verbose_name_plural = "facilities"


class InstrumentType(Term):
    """Scientific instruments, test stands …"""


class SampleType(Term):
    """Biological, chemical, solid …"""

    proposal_system = models.CharField(
        max_length=32, blank=True, help_text="The user portal whose word it is; empty: ours."
    )


class DataKind(Term):
    """A kind of data group. RAW, CAL, PROC, REDU, SIM and UNK have a meaning in the code."""


class DataType(Term):
    """How a slow-control value is stored: float, long …"""


class ParameterType(Term):
    """What a slow-control value belongs to: the sample, the source …"""


class Topic(Recorded):
    """A part of the facility with a network of its own, e.g. the undulator SA1."""

    name = models.CharField(max_length=60, unique=True)
    available = models.BooleanField(default=True)
    description = models.TextField(blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Unit(Recorded):
    """A physical unit; several may share a symbol."""

    name = models.CharField(max_length=60, unique=True)
    identifier = models.CharField(max_length=120, unique=True)
    symbol = models.CharField(max_length=32)
    origin = models.CharField(max_length=60, help_text="E.g. SI base unit.")
    available = models.BooleanField(default=True)
    description = models.TextField(blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
