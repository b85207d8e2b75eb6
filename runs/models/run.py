"""A run, the numbers handed out for runs, and the marks set on them."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django_fsm import GET_STATE, FSMField
from simple_history.models import HistoricalRecords

from catalogue.ground.models import Thing, move
from catalogue.ground.models.facility import Technique
from proposals.models import Experiment, Proposal, Sample


class CauseTag(models.Model):
    """A reason for a mark that the facility counts: beam lost, detector fault, wrong sample …"""

    name = models.CharField(max_length=64, unique=True)

    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name


class Run(Thing):
    """A period of (semi-)static conditions."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"
        ABORTED = "aborted", "Aborted"

    class Quality(models.TextChoices):
        NONE = "", "No mark"
        GOOD = "good", "Good"
        UNCLEAR = "unclear", "Unclear"
        NOT_INTERESTING = "not_interesting", "Not interesting"

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    alias = models.CharField(max_length=64, blank=True)
    experiment = models.ForeignKey(
        Experiment, null=True, blank=True, on_delete=models.PROTECT, related_name="runs"
    )
    sample = models.ForeignKey(
        Sample, null=True, blank=True, on_delete=models.PROTECT, related_name="runs"
    )
    techniques = models.ManyToManyField(Technique, blank=True)
    causes = models.ManyToManyField(CauseTag, blank=True)
    status = FSMField(default=Status.OPEN, choices=Status.choices, max_length=8, protected=True)
    quality = FSMField(
        default=Quality.NONE, choices=Quality.choices, max_length=16, blank=True, protected=True
    )
    assessed_at = models.DateTimeField(null=True, blank=True)
    assessed_by = models.CharField(max_length=160, blank=True)
    first_train = models.BigIntegerField(null=True, blank=True)
    last_train = models.BigIntegerField(null=True, blank=True)
    begin_at = models.DateTimeField()
    end_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    heartbeat_bytes = models.BigIntegerField(default=0)
    file_count = models.PositiveIntegerField(default=0, help_text="Registered files, all kinds.")
    bytes = models.BigIntegerField(default=0, help_text="Sum over the registered files.")
    comment = models.TextField(blank=True)
    checksums_are_ours = models.BooleanField(
        default=False, help_text="Found by a scan after the run, not given by the DAQ."
    )
    ended_by_timeout = models.BooleanField(default=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    available = models.BooleanField(default=True, help_text="Offered by programs that list it.")
    original_format = models.CharField(max_length=60, blank=True)
    system_message = models.TextField(blank=True, help_text="What its DAQ said of it.")

    lock_with: ClassVar[tuple[str, ...]] = ("proposal",)

    class Meta:
        ordering: ClassVar = ["-number"]
        indexes: ClassVar = [
            models.Index(
                fields=["heartbeat_at"], name="run_open", condition=models.Q(status="open")
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proposal", "number"], name="run_number_once"),
            models.CheckConstraint(
                name="run_number_in_range", condition=models.Q(number__gte=1, number__lte=9999)
            ),
            models.CheckConstraint(
                name="run_begins_before_it_ends",
                condition=models.Q(end_at__isnull=True)
                | models.Q(begin_at__lte=models.F("end_at")),
            ),
            models.CheckConstraint(
                name="run_trains_in_order",
                condition=models.Q(first_train__isnull=True)
                | models.Q(last_train__isnull=True)
                | models.Q(first_train__lte=models.F("last_train")),
            ),
            models.CheckConstraint(
                name="run_closed_has_an_end",
                condition=models.Q(status="open") | models.Q(end_at__isnull=False),
            ),
            models.CheckConstraint(
                name="run_quality_present_when_assessed",
                condition=models.Q(quality="", assessed_at__isnull=True)
                | (~models.Q(quality="") & models.Q(assessed_at__isnull=False)),
            ),
            models.CheckConstraint(name="run_bytes_positive", condition=models.Q(bytes__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.proposal.folder} r{self.number:04d}"

    @property
    def folder(self) -> str:
        """The run's folder name, e.g. "r0082"."""
        return f"r{self.number:04d}"

    @property
    def label(self) -> str:
        return f"run {self.number:04d} of {self.proposal.folder}"

    @property
    def proposal_number(self) -> int:
        return self.proposal.number

    @property
    def run_number(self) -> int:
        return self.number

    @move(status, source="open", target="closed", label="Close run", by="report for the DAQ")
    def close(
        self, *, end_at: datetime, first_train: int | None, last_train: int | None, timeout: bool
    ) -> None:
        """Trains that are not told stay what the last heartbeat said."""
        self.end_at = end_at
        self.first_train = self.first_train if first_train is None else first_train
        self.last_train = self.last_train if last_train is None else last_train
        self.ended_by_timeout = timeout

    @move(
        status,
        source="open",
        target="aborted",
        label="Abort run",
        by="report for the DAQ",
        reason=True,
    )
    def abort(self, *, end_at: datetime) -> None:
        self.end_at = end_at

    @move(
        status,
        source="*",
        target=GET_STATE(lambda self, *, to, **_: to, states=["open", "closed", "aborted"]),
        label="Adopt reported status",
        by="adopt a reported state",
    )
    def adopt_status(
        self, *, to: str, end_at: datetime | None, heard_at: datetime | None = None
    ) -> None:
        """Of a run that is open again something was heard just now, else the clock would close it
        for its silence of before."""
        self.end_at = end_at
        self.heartbeat_at = heard_at or self.heartbeat_at

    @move(
        quality,
        source=["good", "unclear", "not_interesting"],
        target="",
        label="Adopt that it has no mark",
        by="adopt a reported state",
    )
    def adopt_no_mark(self) -> None:
        self.assessed_at = None
        self.assessed_by = ""

    @move(
        quality,
        source=["", "good", "unclear", "not_interesting"],
        target=GET_STATE(
            lambda self, *, mark, at, name: mark, states=["good", "unclear", "not_interesting"]
        ),
        label="Mark",
        by="assess",
        undo="assess",
    )
    def assess(self, *, mark: str, at: datetime, name: str) -> None:
        self.assessed_at = at
        self.assessed_by = name


class RunNumber(models.Model):
    """A number handed out to a DAQ, whether or not it registered a run with it."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="run_numbers")
    number = models.PositiveIntegerField()
    asked_by = models.CharField(max_length=160)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proposal", "number"], name="number_handed_out_once")
        ]

    def __str__(self) -> str:
        return f"{self.proposal.folder} r{self.number:04d}"


class Assessment(models.Model):
    """One mark that somebody set; the run shows the last one, none is ever erased."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="assessments")
    quality = models.CharField(max_length=16, choices=Run.Quality.choices)
    previous = models.CharField(max_length=16, choices=Run.Quality.choices, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    by_name = models.CharField(max_length=160)
    automatic = models.BooleanField(default=False)
    at = models.DateTimeField()
    comment = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(name="assessment_has_a_quality", condition=~models.Q(quality=""))
        ]

    def __str__(self) -> str:
        return f"{self.run}: {self.quality}"
