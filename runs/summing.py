"""Sums over the runs of a proposal, and where the data of a page of runs are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Count, Sum

from catalogue.ground.totals import BigSum
from proposals.models import Proposal
from runs import queries
from runs.models import Calibration, Replica, Run


def places_of(runs: Collection[Run]) -> dict[int, list[dict[str, Any]]]:
    """By run: the stores in which some of its data groups are, and how many; one query."""
    there = Replica.objects.filter(
        data_group__run__in=[run.pk for run in runs], state__in=queries.THERE
    )
    counted = there.values(
        "data_group__run", "store__identifier", "store__name", "store__mount", "store__available"
    ).annotate(groups=Count("data_group", distinct=True))
    found: dict[int, list[dict[str, Any]]] = {}
    for row in counted.order_by("store__rank", "store__identifier"):
        place: dict[str, Any] = {n.removeprefix("store__"): value for n, value in row.items()}
        run: int = place.pop("data_group__run")
        found.setdefault(run, []).append(place)
    return found


def of_proposal(proposal: Proposal) -> dict[str, int]:
    """How many runs, files and bytes a proposal has, how many of its corrections are done, and how
    many versions of constants they used."""
    runs = Run.objects.filter(proposal=proposal)
    sums = runs.aggregate(runs=Count("pk"), files=Sum("file_count"), bytes=BigSum("bytes"))
    done = Calibration.objects.filter(
        run__proposal=proposal, state=Calibration.State.AVAILABLE
    ).aggregate(corrections=Count("pk", distinct=True), constants=Count("constants", distinct=True))
    return {name: value or 0 for name, value in {**sums, **done}.items()}
