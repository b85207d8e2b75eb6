"""Mails to people, as rows; and what the workers last saw of what they work with."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from catalogue.ground.models.recorded import Recorded


class Notice(Recorded):
    """One mail to one person about one event, written down before it is sent.

    Its job belongs to no proposal: who is written to is nobody else's affair, and a mail that
    cannot be sent is not the proposal's trouble.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices"
    )
    kind = models.CharField(max_length=24)
    event = models.CharField(max_length=160, help_text="What happened; told once to each person.")
    proposal = models.PositiveIntegerField("proposal number", null=True, blank=True)
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    heading = models.CharField(max_length=255, blank=True, help_text="Its subject, as sent.")
    left_out = models.CharField(max_length=255, blank=True, help_text="Why it was not sent.")

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["person", "-id"], name="notice_person")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "event"], name="notice_once"),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"


class NoticeChoice(models.Model):
    """That somebody wants notices of a kind, or does not; without a row it is as the kind says."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_choices"
    )
    kind = models.CharField(max_length=24)
    wanted = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "kind"], name="notice_choice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {'wanted' if self.wanted else 'not wanted'}"


class Sign(models.Model):
    """A sign of life: what a worker last saw of something, so that no page has to look itself."""

    name = models.CharField(max_length=160, unique=True)
    at = models.DateTimeField()
    well = models.BooleanField(default=True)
    says = models.CharField(max_length=255, blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
