"""The journal: what happened, by whom, when, through which face, and why."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Entry(models.Model):
    """One thing that happened. Written in the transaction of what it tells; never changed.

    Ids are given before the commit, so they do not tell which entry others could read first;
    `position` does: it is given to committed entries only, one after the other, without gaps (see
    `catalogue.ground.journal`), and sealed along it with hashes, each over all of the entry and
    the hash before (see `catalogue.ground.sealing`). The database refuses to change or delete what
    has its seal, and to change what an entry tells before that.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_name = models.CharField(max_length=160)
    on_behalf = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    program = models.ForeignKey(
        "ground.Program", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    program_name = models.CharField(
        max_length=255, blank=True, help_text="The program through which `actor` acted."
    )
    face = models.CharField(max_length=16)
    subject_type = models.CharField(max_length=64)
    subject_id = models.BigIntegerField()
    subject_label = models.CharField(max_length=200)
    proposal = models.PositiveIntegerField("proposal number", null=True, blank=True)
    run = models.PositiveIntegerField("run number", null=True, blank=True)
    move = models.CharField(max_length=64)
    before = models.CharField(max_length=64, blank=True)
    after = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    position = models.BigIntegerField(null=True, blank=True, unique=True)
    seal_previous = models.CharField(max_length=64, blank=True)
    seal_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "journal entries"
        indexes: ClassVar = [
            models.Index(fields=["proposal", "-id"], name="entry_proposal"),
            models.Index(fields=["proposal", "run", "-id"], name="entry_run"),
            models.Index(fields=["subject_type", "subject_id", "-id"], name="entry_subject"),
            models.Index(fields=["at"], name="entry_at"),
            models.Index(
                fields=["id"],
                name="entry_without_position",
                condition=models.Q(position__isnull=True),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="entry_has_an_actor", condition=~models.Q(actor_name=""))
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name}: {self.move} {self.subject_label}"


class JournalHead(models.Model):
    """One row: the highest position given. Who gives positions holds its lock."""

    position = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="journal_has_one_head", condition=models.Q(id=1))
        ]

    def __str__(self) -> str:
        return str(self.position)


class JournalSeal(models.Model):
    """One row: up to where the journal is sealed, with which hash, and when that was done. Who
    seals holds its lock. It is not the head's: readers who give positions do not wait for hashes.
    """

    position = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="journal_has_one_seal", condition=models.Q(id=1))
        ]

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"
