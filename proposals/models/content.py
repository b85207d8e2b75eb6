"""What belongs to a proposal: its team, beamtimes, experiments and samples."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from catalogue.ground.models import ExperimentType, SampleType
from proposals.models.proposal import Proposal


class Membership(models.Model):
    """Somebody in the team of a proposal, with a role and how much of the data they may touch."""

    class Role(models.TextChoices):
        PI = "pi", "Principal investigator"
        PROPOSER = "proposer", "Main proposer"
        DEPUTY = "deputy", "Deputy"
        MEMBER = "member", "Member"

    class DataAccess(models.IntegerChoices):
        NONE = 0, "None"
        READ = 1, "Read"
        WORK = 2, "Work"

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MEMBER)
    data_access = models.PositiveSmallIntegerField(
        choices=DataAccess.choices, default=DataAccess.READ
    )
    until = models.DateField(null=True, blank=True)
    lab_access = models.BooleanField(default=False, help_text="May enter the laboratories.")
    supports = models.BooleanField(default=False, help_text="Staff who support the beamtime.")
    deputises_local_contact = models.BooleanField(default=False)
    description = models.TextField(blank=True, help_text="What they do in the team.")
    added_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proposal", "user"], name="membership_once"),
            models.UniqueConstraint(
                fields=["proposal"],
                name="one_principal_investigator",
                condition=models.Q(role="pi"),
            ),
            models.CheckConstraint(
                name="membership_data_access_known", condition=models.Q(data_access__in=[0, 1, 2])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.proposal}"


class Beamtime(models.Model):
    """A block of beam. A beamtime may lie outside its cycle's dates."""

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="beamtimes")
    begin_at = models.DateTimeField()
    end_at = models.DateTimeField()
    available = models.BooleanField(default=True)
    description = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["begin_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="beamtime_begins_before_it_ends",
                condition=models.Q(begin_at__lt=models.F("end_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.begin_at:%Y-%m-%d} to {self.end_at:%Y-%m-%d}"


class Experiment(models.Model):
    """A run type as this proposal uses it, e.g. "LCP SFX lysozyme"."""

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="experiments")
    name = models.CharField(max_length=120)
    type = models.ForeignKey(ExperimentType, on_delete=models.PROTECT)
    number = models.PositiveIntegerField(help_text="Within the proposal, from 1.")
    abstract = models.TextField(blank=True)
    description = models.TextField(blank=True)
    publisher = models.CharField(max_length=120, blank=True)
    contributor = models.CharField(max_length=120, blank=True)
    available = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proposal", "name"], name="experiment_name_once"),
            models.UniqueConstraint(fields=["proposal", "number"], name="experiment_number_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> str:
        """The folder name that programs give it, e.g. "e0001"."""
        return f"e{self.number:04d}"


class Sample(models.Model):
    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="samples")
    name = models.CharField(max_length=127)
    description = models.TextField(blank=True)
    type = models.ForeignKey(SampleType, null=True, blank=True, on_delete=models.PROTECT)
    url = models.CharField(max_length=512, blank=True)
    available = models.BooleanField(default=True)
    proposal_system = models.CharField(
        max_length=32, blank=True, help_text="The user portal it was declared in; empty: here."
    )
    proposal_system_id = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proposal", "name"], name="sample_name_once"),
            models.UniqueConstraint(
                fields=["proposal_system", "proposal_system_id"],
                name="sample_of_the_portal_once",
                condition=~models.Q(proposal_system="") & ~models.Q(proposal_system_id=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name
