"""What the DAQ of a topic is configured with, and the devices a proposal asked for from afar."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from catalogue.ground.models import Recorded, Topic
from proposals.models.proposal import Proposal


class DataSourceGroup(Recorded):
    """A named set of data sources that the DAQ of a topic records together."""

    name = models.CharField(max_length=255, blank=True)
    group_identifier = models.CharField(max_length=120)
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="source_groups")
    active_version = models.ForeignKey(
        "DataSourceGroupVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    available = models.BooleanField(default=True)
    description = models.TextField(blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name or self.group_identifier


class DataSourceGroupVersion(Recorded):
    """One state of a set of data sources; the deployed one is what the DAQ runs with."""

    class Status(models.TextChoices):
        NEW = "N", "New"
        DEPLOYED = "D", "Deployed"
        SAVED = "S", "Saved"
        INVALID = "I", "Invalid"

    group = models.ForeignKey(DataSourceGroup, on_delete=models.CASCADE, related_name="versions")
    name = models.CharField(max_length=255)
    status = models.CharField(max_length=1, choices=Status.choices, default=Status.NEW)
    sources = models.TextField(help_text="The list of sources, as the DAQ wrote it.")
    description = models.TextField(blank=True)
    last_deployed_at = models.DateTimeField(null=True, blank=True)
    last_tested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class RemoteDevice(Recorded):
    """A device of the control system that a proposal asked to watch from afar."""

    name = models.CharField(max_length=255)
    identifier = models.CharField(max_length=120, blank=True)
    proposal = models.ForeignKey(
        Proposal, null=True, blank=True, on_delete=models.CASCADE, related_name="remote_devices"
    )
    status = models.CharField(max_length=16, default="R", help_text="R requested.")
    available = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name
