"""The one reference table of runs: the causes that a facility counts. Runs themselves are changed
on their pages."""

from __future__ import annotations

from django.contrib import admin

from catalogue.ground.admin import Kept
from runs.models import CauseTag


@admin.register(CauseTag)
class CauseTagAdmin(Kept):
    list_display = ("name", "runs")
    search_fields = ("name",)
    ordering = ("name",)

    @admin.display(description="runs")
    def runs(self, tag: CauseTag) -> int:
        return int(tag.run_set.count())
