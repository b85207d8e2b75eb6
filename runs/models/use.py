"""How much of each proposal lies in each store, counted by the schedule."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from catalogue.ground.models import Store
from proposals.models import Proposal


class StoreUse(models.Model):
    """What a proposal has in a store, by the mark of its runs. Numbers to look at: nothing is
    decided by them."""

    COUNTED: ClassVar = ("replicas", "used", "scheduled", "in_trash", "broken")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="+")
    quality = models.CharField(max_length=20, blank=True)
    replicas = models.PositiveIntegerField(default=0)
    used = models.BigIntegerField(default=0)
    scheduled = models.BigIntegerField(default=0)
    in_trash = models.BigIntegerField(default=0)
    broken = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["store", "proposal", "quality"], name="store_use_once"),
        ]

    def __str__(self) -> str:
        return f"{self.proposal} in {self.store}"


class StoreCount(models.Model):
    """When all of `StoreUse` was counted last; one row, whose lock is the right to count."""

    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"counted at {self.counted_at:%Y-%m-%d %H:%M:%S}"
