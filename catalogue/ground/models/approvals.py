"""What takes two people: asked by one, agreed by another."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django_fsm import FSMField

from catalogue.ground.models.moves import Thing, move

DECIDE = "decide what takes two people"
"""Stands for the permission of the act itself, which is in `Approval.permission`."""


class Approval(Thing):
    """One act that somebody asked for and that somebody else has to agree to.

    `act` names what is then done, to the row of `subject_type` and `subject_id`; `permission` is
    what both of them need, a word of `catalogue.ground.access`.
    """

    class State(models.TextChoices):
        ASKED = "asked", "Asked for"
        AGREED = "agreed", "Agreed and done"
        DECLINED = "declined", "Declined"
        TAKEN_BACK = "taken_back", "Taken back"

    act = models.CharField(max_length=40)
    permission = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=64)
    subject_id = models.BigIntegerField()
    subject_label = models.CharField(max_length=200)
    proposal = models.PositiveIntegerField("proposal number", null=True, blank=True)
    state = FSMField(default=State.ASKED, choices=State.choices, max_length=12, protected=True)
    reason = models.TextField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True, help_text="What was said when it was decided.")

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["state", "proposal"], name="approval_state")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["act", "subject_type", "subject_id"],
                name="approval_asked_once",
                condition=models.Q(state="asked"),
            ),
            models.CheckConstraint(
                name="approval_takes_two",
                condition=~models.Q(state="agreed")
                | models.Q(decided_by__isnull=False) & ~models.Q(decided_by=models.F("asked_by")),
            ),
            models.CheckConstraint(name="approval_has_a_reason", condition=~models.Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"request to {self.act} of {self.subject_label}"

    @property
    def label(self) -> str:
        return f"request to {self.act}: {self.subject_label}"

    @property
    def proposal_number(self) -> int | None:
        return self.proposal

    @move(state, source="asked", target="agreed", label="Agree", by=DECIDE)
    def agree(self, *, at: datetime, person: Any) -> None:
        self.decided_by = person
        self.decided_at = at

    @move(state, source="asked", target="declined", label="Decline", by=DECIDE, reason=True)
    def decline(self, *, at: datetime, person: Any, reason: str) -> None:
        self.decided_by = person
        self.decided_at = at
        self.answer = reason

    @move(state, source="asked", target="taken_back", label="Take back", by=DECIDE)
    def take_back(self, *, at: datetime, person: Any) -> None:
        self.decided_by = person
        self.decided_at = at
