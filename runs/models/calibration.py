"""Calibrations, dark run requests, and the reports they leave."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django_fsm import GET_STATE, FSMField

from catalogue.ground.models import (
    ConstantVersion,
    Detector,
    DetectorType,
    DetectorUnit,
    Store,
    Thing,
    move,
)
from proposals.models import Proposal
from runs.models.run import Run


class Artifact(models.Model):
    """A small file the catalogue made: a report or a preview, kept in a store."""

    run = models.ForeignKey(
        Run, null=True, blank=True, on_delete=models.PROTECT, related_name="artifacts"
    )
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="artifacts")
    kind = models.CharField(max_length=16, choices=[("report", "Report"), ("preview", "Preview")])
    store = models.ForeignKey(Store, on_delete=models.PROTECT)
    path = models.CharField(max_length=1024)
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    content_type = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.path


class Calibration(Thing):
    """One correction of a run, RAW to PROC, as it was asked for."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        RUNNING = "running", "Running"
        AVAILABLE = "available", "Available"
        FAILED = "failed", "Failed"
        HELD = "held", "Held"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="calibrations")
    state = FSMField(default=State.REQUESTED, choices=State.choices, max_length=12, protected=True)
    reason = models.TextField(blank=True)
    detector = models.ForeignKey(Detector, on_delete=models.PROTECT)
    units = models.ManyToManyField(DetectorUnit, blank=True, help_text="None named means all.")
    constants = models.ManyToManyField(ConstantVersion, blank=True, related_name="calibrations")
    engine = models.CharField(max_length=64, blank=True)
    configuration = models.JSONField(default=dict)
    software = models.JSONField(default=dict)
    report = models.ForeignKey(Artifact, null=True, blank=True, on_delete=models.PROTECT)
    asked_by = models.CharField(max_length=160)
    automatic = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run", "detector"],
                name="one_open_calibration_per_run_and_detector",
                condition=models.Q(state__in=["requested", "running", "held"]),
            )
        ]

    def __str__(self) -> str:
        return f"calibration {self.pk} of {self.run}"

    @property
    def label(self) -> str:
        return f"calibration of {self.run.label}"

    @property
    def proposal_number(self) -> int:
        return self.run.proposal.number

    @property
    def run_number(self) -> int:
        return self.run.number

    @move(state, source=["requested", "running"], target="running", label="Start", by="system")
    def begin(self, *, engine: str) -> None:
        self.engine = engine
        self.reason = ""

    @move(
        state,
        source=["requested", "running"],
        target="held",
        label="Wait for constants",
        by="system",
        reason=True,
    )
    def hold(self, *, reason: str) -> None:
        self.reason = reason

    @move(
        state, source=["held", "failed"], target="requested", label="Ask again",
        by="ask for calibration",
    )  # fmt: skip
    def ask_again(self) -> None:
        self.reason = ""

    @move(state, source="running", target="available", label="Available", by="system")
    def available(
        self, *, at: datetime, configuration: dict[str, Any], software: dict[str, Any], report: Any
    ) -> None:
        self.finished_at = at
        self.configuration = configuration
        self.software = software
        self.report = report

    @move(
        state,
        source=["requested", "running", "held"],
        target="failed",
        label="Failed",
        by="system",
        reason=True,
    )
    def fail(self, *, at: datetime, reason: str) -> None:
        self.finished_at = at
        self.reason = reason


class DarkRequest(Thing):
    """New constants wanted from a dark run."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="dark_requests")
    run: models.ForeignKey[Run, Run] = models.ForeignKey(  # type: ignore[misc]
        Run, null=True, blank=True, on_delete=models.PROTECT, related_name="dark_requests",
        help_text="Empty where a program outside named its runs in its own words.",
    )  # fmt: skip
    detector = models.ForeignKey(Detector, on_delete=models.PROTECT)
    state = FSMField(default=State.REQUESTED, choices=State.choices, max_length=12, protected=True)
    feedback = models.TextField(blank=True)
    versions = models.ManyToManyField(ConstantVersion, blank=True, related_name="dark_requests")
    configuration = models.JSONField(default=dict)
    software = models.JSONField(default=dict)
    report = models.ForeignKey(Artifact, null=True, blank=True, on_delete=models.PROTECT)
    asked_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    # As a pipeline outside asks and answers: in its own words, which we keep and give back.
    external = models.BooleanField(default=False, help_text="A pipeline outside does it.")
    detector_name = models.CharField(max_length=120, blank=True)
    detector_type = models.ForeignKey(
        DetectorType, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    unit_names = models.TextField(blank=True)
    unit_aggregators = models.JSONField(null=True, blank=True)
    mode_id = models.IntegerField("operation mode", null=True, blank=True)
    mode_identifier = models.CharField(max_length=120, blank=True)
    mode_name = models.CharField(max_length=255, blank=True)
    runs_named = models.TextField(blank=True)
    catalogue_url = models.CharField(max_length=512, blank=True)
    report_url = models.CharField(max_length=250, blank=True)
    input_path = models.CharField(max_length=1024, blank=True)
    output_path = models.CharField(max_length=1024, blank=True)
    size = models.CharField(max_length=60, blank=True)
    pipeline_feedback = models.TextField(blank=True)
    description = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="dark_request_of_ours_has_a_run",
                condition=models.Q(external=True) | models.Q(run__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["run", "detector"],
                name="one_open_dark_request",
                condition=models.Q(state__in=["requested", "running"], external=False),
            ),
        ]

    def __str__(self) -> str:
        return f"dark request {self.pk} of {self.run or self.proposal}"

    @property
    def label(self) -> str:
        return f"dark run request for {self.detector} from {(self.run or self.proposal).label}"

    @property
    def proposal_number(self) -> int:
        return self.proposal.number

    @property
    def run_number(self) -> int | None:
        return self.run.number if self.run_id is not None else None

    @move(state, source=["requested", "running"], target="running", label="Start", by="system")
    def begin(self) -> None:
        self.feedback = ""

    @move(state, source="running", target="finished", label="Finished", by="system")
    def finish(
        self, *, at: datetime, feedback: str, configuration: dict[str, Any],
        software: dict[str, Any], report: Any,
    ) -> None:  # fmt: skip
        self.finished_at = at
        self.feedback = feedback
        self.configuration = configuration
        self.software = software
        self.report = report

    @move(
        state, source=["requested", "running"], target="failed", label="Failed", by="system",
        reason=True,
    )  # fmt: skip
    def fail(self, *, at: datetime, reason: str) -> None:
        self.finished_at = at
        self.feedback = reason

    @move(
        state,
        source="*",
        target=GET_STATE(
            lambda self, *, to, at: to, states=["requested", "running", "finished", "failed"]
        ),
        label="Adopt reported state",
        by="adopt a reported state",
    )
    def adopt(self, *, to: str, at: datetime) -> None:
        self.finished_at = at if to in ("finished", "failed") else None
