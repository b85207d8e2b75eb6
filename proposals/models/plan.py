"""What a proposal expects to need: its data management plan."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from catalogue.ground.models import Recorded
from proposals.models.proposal import Proposal


class DataManagementPlan(Recorded):
    """How much a proposal expects to measure, and what it needs to make sense of it."""

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="plans")
    name = models.CharField(max_length=255)
    identifier = models.CharField(max_length=120)
    available = models.BooleanField(default=True)
    description = models.TextField(blank=True)
    detector_details = models.TextField(blank=True)
    technique_description = models.TextField(blank=True)
    reduction_technique = models.TextField(blank=True)
    support_scope = models.TextField(blank=True)
    # Estimates are kept as they were told ("1,5 TB" or a number): their unit is the teller's.
    raw_size = models.CharField(max_length=60, blank=True)
    proc_size = models.CharField(max_length=60, blank=True)
    user_nodes_cpu = models.CharField(max_length=60, blank=True)
    user_nodes_gpu = models.CharField(max_length=60, blank=True)
    damnit_nodes_cpu = models.CharField(max_length=60, blank=True)
    damnit_nodes_gpu = models.CharField(max_length=60, blank=True)
    collection_hours = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name
