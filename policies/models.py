"""Policies as rows: dated, versioned sets of clauses; and holds, a person's stop on removal."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django_fsm import FSMField

from catalogue.ground.models import Thing, move
from proposals.models import Proposal
from runs.models import Run

UNITS = [(u, u) for u in ("seconds", "minutes", "hours", "days", "weeks", "months", "years")]
EVENTS = [
    ("assessed", "the mark"),
    ("closed", "the end of the run"),
    ("verified", "the verification of this replica"),
    ("beamtime_end", "the end of the beamtime"),
    ("reviewed", "the review"),
]


class Policy(Thing):
    """One version of a policy: drafted by one person, adopted when another agrees. The newest
    adopted version whose day has come judges."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        ADOPTED = "adopted", "Adopted"
        DISCARDED = "discarded", "Discarded"

    name = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    valid_from = models.DateTimeField()
    description = models.TextField(blank=True)
    created_by = models.CharField(max_length=160)
    state = FSMField(default=State.DRAFT, choices=State.choices, max_length=12, protected=True)
    adopted_by = models.CharField(max_length=160, blank=True)
    adopted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "policies"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "version"], name="policy_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"

    @property
    def label(self) -> str:
        return f"policy {self}"

    @move(state, source="draft", target="adopted", label="Adopt", by="draft and approve policies")
    def adopt(self, *, at: datetime, valid_from: datetime, person: str) -> None:
        self.adopted_by = person
        self.adopted_at = at
        self.valid_from = valid_from

    @move(
        state,
        source="draft",
        target="discarded",
        label="Discard",
        by="draft and approve policies",
    )
    def discard(self) -> None:
        """A draft that nobody agreed to; it is kept, and never judges."""


class Clause(models.Model):
    """One clause: which data it is about, how long they are kept, and what must remain.

    The lists hold the words of `policies.facts`; an empty one means any of them, so a clause whose
    lists are all empty speaks of all data. Without `keep_count` the data are kept for ever.
    """

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="clauses")
    order = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=300)
    kinds = models.JSONField(default=list)
    qualities = models.JSONField(default=list)
    tiers = models.JSONField(default=list)
    experiments_excluded = models.JSONField(default=list, blank=True)
    proposal_states = models.JSONField(default=list, blank=True)
    keep_count = models.PositiveIntegerField(null=True, blank=True)
    keep_unit = models.CharField(max_length=8, choices=UNITS, default="days")
    counted_from = models.CharField(max_length=16, choices=EVENTS, default="assessed")
    minimum_replicas = models.PositiveSmallIntegerField(default=1)
    remaining_tiers = models.JSONField(default=list)
    verified_within_count = models.PositiveIntegerField(null=True, blank=True)
    verified_within_unit = models.CharField(max_length=8, choices=UNITS, default="days")
    grace_count = models.PositiveIntegerField(default=7)
    grace_unit = models.CharField(max_length=8, choices=UNITS, default="days")

    class Meta:
        ordering: ClassVar = ["order"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["policy", "order"], name="clause_order_once")
        ]

    def __str__(self) -> str:
        return f"{self.policy}, clause {self.order}"


class Hold(Thing):
    """A person's stop on removal, of one run or of a whole proposal."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        LIFTED = "lifted", "Lifted"

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="holds")
    run = models.ForeignKey(
        Run, null=True, blank=True, on_delete=models.PROTECT, related_name="holds"
    )
    state = FSMField(default=State.ACTIVE, choices=State.choices, max_length=8, protected=True)
    kinds = models.JSONField(default=list, blank=True, help_text="Empty: all data.")
    reason = models.TextField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    by_name = models.CharField(max_length=160)
    until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="hold_has_a_reason", condition=~models.Q(reason=""))
        ]

    def __str__(self) -> str:
        return f"hold on {self.run or self.proposal}"

    @property
    def label(self) -> str:
        return f"hold on {(self.run or self.proposal).label}"

    @property
    def proposal_number(self) -> int:
        return self.proposal.number

    @move(state, source="active", target="lifted", label="Lift", by="hold data", reason=True)
    def lift(self, *, at: datetime) -> None:
        self.lifted_at = at
