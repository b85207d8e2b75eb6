"""Work as rows: a job is asked for in the transaction that makes it necessary."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django_fsm import FSMField

from catalogue.ground.models.moves import Thing, move


class Job(Thing):
    """One piece of work. Jobs of one lane are done in the order of their ids."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        CLAIMED = "claimed", "Running"
        DONE = "done", "Done"
        HELD = "held", "Held"
        CANCELLED = "cancelled", "Cancelled"

    name = models.CharField(max_length=64)
    state = FSMField(default=State.WAITING, choices=State.choices, protected=True)
    lane = models.CharField(max_length=160)
    subject_type = models.CharField(max_length=64)
    subject_id = models.BigIntegerField()
    subject_label = models.CharField(max_length=200)
    proposal = models.PositiveIntegerField("proposal number", null=True, blank=True)
    params = models.JSONField(default=dict)
    after = models.DateTimeField(help_text="Not before.")
    reason = models.TextField(blank=True, help_text="Why it stopped or waits.")
    who = models.CharField(max_length=80, blank=True, help_text="Who must act.")
    evidence = models.JSONField(default=dict)
    attempts = models.PositiveIntegerField(default=0)
    asked_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    claim = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    progress = models.FloatField(default=0)
    progress_text = models.CharField(max_length=160, blank=True)
    cancel_asked = models.BooleanField(default=False)
    result = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(
                fields=["after"],
                name="job_due",
                condition=models.Q(state="waiting"),
            ),
            models.Index(
                fields=["lane", "id"],
                name="job_lane_open",
                condition=models.Q(state__in=["waiting", "claimed", "held"]),
            ),
            models.Index(
                fields=["lease_until"],
                name="job_leases",
                condition=models.Q(state="claimed"),
            ),
            models.Index(fields=["subject_type", "subject_id"], name="job_subject"),
            models.Index(fields=["proposal", "-id"], name="job_proposal"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="job_claimed_with_a_lease",
                condition=~models.Q(state="claimed") | models.Q(lease_until__isnull=False),
            ),
            models.CheckConstraint(
                name="job_held_with_a_reason",
                condition=~models.Q(state="held") | ~models.Q(reason=""),
            ),
            models.CheckConstraint(
                name="job_progress_is_a_fraction",
                condition=models.Q(progress__gte=0, progress__lte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.subject_label}"

    @property
    def label(self) -> str:
        return f"job {self.pk} ({self.name})"

    @property
    def proposal_number(self) -> int | None:
        return self.proposal

    @move(state, source=State.WAITING, target=State.CLAIMED, label="Claim", by="system")
    def start(self, *, claim: str, lease_until: datetime, at: datetime) -> None:
        self.claim = claim
        self.lease_until = lease_until
        self.started_at = at
        self.attempts += 1
        self.reason = self.who = self.progress_text = ""
        self.evidence = {}
        self.progress = 0

    @move(state, source=State.CLAIMED, target=State.DONE, label="Finish", by="system")
    def finish(self, *, result: dict[str, Any], at: datetime) -> None:
        self._let_go()
        self.result = result
        self.progress = 1
        self.finished_at = at

    @move(
        state,
        source=State.CLAIMED,
        target=State.WAITING,
        label="Try again later",
        by="system",
        reason=True,
    )
    def back_off(self, *, after: datetime, reason: str, evidence: dict[str, Any]) -> None:
        self._let_go()
        self.after = after
        self.reason = reason
        self.evidence = evidence

    @move(
        state,
        source=[State.CLAIMED, State.WAITING],
        target=State.HELD,
        label="Hold",
        by="hold, retry and cancel jobs",
        reason=True,
        undo="retry",
    )
    def hold(self, *, reason: str, who: str, evidence: dict[str, Any]) -> None:
        self._let_go()
        self.reason = reason
        self.who = who
        self.evidence = evidence

    @move(
        state,
        source=State.HELD,
        target=State.WAITING,
        label="Retry",
        by="hold, retry and cancel jobs",
    )
    def retry(self, *, at: datetime) -> None:
        self.after = at
        self.attempts = 0
        self.reason = self.who = ""

    @move(
        state,
        source=[State.WAITING, State.HELD, State.CLAIMED],
        target=State.CANCELLED,
        label="Cancel",
        by="hold, retry and cancel jobs",
        reason=True,
    )
    def cancel(self, *, reason: str, at: datetime) -> None:
        self._let_go()
        self.reason = reason
        self.finished_at = at

    def _let_go(self) -> None:
        self.claim = ""
        self.lease_until = None
        self.cancel_asked = False


class JobAttempt(models.Model):
    """One time that a worker took a job up: when, and what came of it. A retried job counts its
    attempts anew; here none is forgotten."""

    class End(models.TextChoices):
        RUNNING = "", "Running"
        DONE = "done", "Done"
        AGAIN = "waiting", "To be tried again"
        HELD = "held", "Held"
        CANCELLED = "cancelled", "Called off"
        SILENT = "silent", "The worker fell silent"

    FAILED: ClassVar = (End.AGAIN, End.HELD, End.SILENT)

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="tries")
    claim = models.CharField(max_length=64, unique=True)
    worker = models.CharField(max_length=120, blank=True, help_text="Machine and process.")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=16, choices=End.choices, blank=True, default=End.RUNNING)
    reason = models.TextField(blank=True)
    evidence = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["ended_at", "end"], name="job_attempt_ended")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="job_attempt_ended_with_a_word",
                condition=models.Q(ended_at__isnull=True, end="")
                | models.Q(ended_at__isnull=False) & ~models.Q(end=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job}, {self.began_at:%Y-%m-%d %H:%M:%S}"

    @property
    def took(self) -> timedelta | None:
        """How long it was worked on; None while it is."""
        return self.ended_at - self.began_at if self.ended_at is not None else None


class IdempotencyKey(models.Model):
    """The answer to a creating call, kept so that the same call sent again gets it again. Programs
    that act for the same person know nothing of each other's keys, nor of the person's own."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    program = models.ForeignKey("ground.Program", null=True, blank=True, on_delete=models.CASCADE)
    key = models.CharField(max_length=200)
    method_and_path = models.CharField(max_length=512)
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "key"],
                condition=models.Q(program__isnull=True),
                name="idempotency_key_once",
            ),
            models.UniqueConstraint(
                fields=["user", "program", "key"], name="idempotency_key_of_program_once"
            ),
        ]

    def __str__(self) -> str:
        return self.key
