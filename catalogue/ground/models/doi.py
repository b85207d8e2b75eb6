"""A DOI and its states at the registrar."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Lower
from django_fsm import FSMField

from catalogue.ground.models.moves import Thing, move


class Doi(Thing):
    """One DOI. A findable one is never deleted: what is withdrawn keeps a tombstone page."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        REGISTERED = "registered", "Registered, internal only"
        FINDABLE = "findable", "Findable"

    name = models.CharField(max_length=255)
    state = FSMField(default=State.DRAFT, choices=State.choices, protected=True)
    url = models.URLField(max_length=512)
    metadata = models.JSONField(default=dict, help_text="As the registrar was last told.")
    proposal = models.PositiveIntegerField("proposal number", null=True, blank=True)
    context_class = models.CharField(
        max_length=60, blank=True, help_text="What it names, where a program outside keeps it."
    )
    context_model = models.CharField(max_length=60, blank=True)
    context_id = models.BigIntegerField(null=True, blank=True)
    available = models.BooleanField(default=True)
    description = models.TextField(blank=True)
    registered_at = models.DateTimeField(null=True, blank=True)
    findable_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("name"), name="doi_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"DOI {self.name}"

    @property
    def proposal_number(self) -> int | None:
        return self.proposal

    @move(
        state,
        source=[State.DRAFT, State.REGISTERED, State.FINDABLE],
        target=State.REGISTERED,
        label="Register, internal only",
        by="system",
    )
    def register(self, *, metadata: dict[str, Any], at: Any) -> None:
        self.metadata = metadata
        self.registered_at = self.registered_at or at

    @move(
        state,
        source=[State.DRAFT, State.REGISTERED, State.FINDABLE],
        target=State.FINDABLE,
        label="Make findable",
        by="system",
    )
    def publish(self, *, metadata: dict[str, Any], at: Any) -> None:
        self.metadata = metadata
        self.registered_at = self.registered_at or at
        self.findable_at = self.findable_at or at
