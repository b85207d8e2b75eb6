"""Packages: what a reader is given."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django_fsm import FSMField

from catalogue.ground.models import Store, Thing, move
from proposals.models import Proposal


class Package(Thing):
    """The open part of a proposal as one BagIt bag with an RO-Crate inside."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="packages")
    state = FSMField(default=State.REQUESTED, choices=State.choices, max_length=12, protected=True)
    reason = models.TextField(blank=True)
    store = models.ForeignKey(Store, on_delete=models.PROTECT)
    path = models.CharField(max_length=1024, blank=True)
    bag_version = models.CharField(max_length=8, default="0.97")
    file_count = models.PositiveIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    asked_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["proposal"],
                name="one_open_package",
                condition=models.Q(state="requested"),
            )
        ]

    def __str__(self) -> str:
        return f"package {self.pk} of {self.proposal}"

    @property
    def label(self) -> str:
        return f"package of {self.proposal.label}"

    @property
    def proposal_number(self) -> int:
        return self.proposal.number

    @move(state, source="requested", target="ready", label="Ready", by="system")
    def ready(
        self, *, at: datetime, path: str, files: int, size: int, manifest_sha256: str
    ) -> None:
        self.finished_at = at
        self.path = path
        self.file_count = files
        self.bytes = size
        self.manifest_sha256 = manifest_sha256

    @move(state, source="requested", target="failed", label="Failed", by="system", reason=True)
    def fail(self, *, at: datetime, reason: str) -> None:
        self.finished_at = at
        self.reason = reason
