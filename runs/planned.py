"""What a proposal planned to measure, against what it has measured.

Plans are kept as they were told, in the teller's words. What has a unit ("1.5 TB", "12 h") is
compared; a bare number is shown and not compared, since nobody said of what it is the number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import DurationField, ExpressionWrapper, F, Q, Sum

from catalogue.ground.totals import BigSum
from catalogue.ground.words import bytes_text, number_text
from proposals.models import DataManagementPlan, Proposal
from runs.models import DataGroup, Run

_SIZE = re.compile(r"\s*([0-9]{1,9}(?:[.,][0-9]{1,9})?)\s*([kKMGTP]?B)\s*", re.ASCII)
_HOURS = re.compile(r"\s*([0-9]{1,6}(?:[.,][0-9]{1,3})?)\s*(?:h|hours?)?\s*", re.ASCII)
_POWERS = {"B": 0, "KB": 1, "MB": 2, "GB": 3, "TB": 4, "PB": 5}
KINDS = (("RAW", "raw_size", "Raw data"), ("PROC", "proc_size", "Corrected data"))
NODES = (
    ("user_nodes_cpu", "Nodes for users, CPU"),
    ("user_nodes_gpu", "Nodes for users, GPU"),
    ("damnit_nodes_cpu", "Nodes for DAMNIT, CPU"),
    ("damnit_nodes_gpu", "Nodes for DAMNIT, GPU"),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line: as it was told, both amounts in `unit` ("bytes", "hours", "nodes"), where they are
    known; `told` and `said` are plan and measurement for people."""

    what: str
    unit: str
    planned: float | None
    actual: float | None
    told: str
    said: str

    @property
    def share(self) -> int | None:
        """How much of the plan there is, in percent."""
        if not self.planned or self.actual is None:
            return None
        return round(100 * self.actual / self.planned)


def size_told(text: str) -> int | None:
    """ "1,5 TB" -> 1_500_000_000_000; None without a unit."""
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    power = 1000 ** _POWERS[found[2].upper()]
    return int(Decimal(found[1].replace(",", ".")) * power)


def hours_told(text: str) -> float | None:
    """ "60" or "60 h" -> 60.0: collection hours are hours in everybody's words."""
    found = _HOURS.fullmatch(text)
    return float(found[1].replace(",", ".")) if found else None


def scale(sizes: Iterable[float]) -> tuple[float, str]:
    """The unit in which the largest of these sizes is read best, with its bytes."""
    largest = max(sizes, default=0)
    for unit in ("PB", "TB", "GB", "MB", "kB"):
        step = float(1000 ** _POWERS[unit.upper()])
        if largest >= step:
            return step, unit
    return 1.0, "B"


def comparisons(proposal: Proposal, plan: DataManagementPlan | None) -> list[Comparison]:
    """Every line of the plan beside what there is, in a fixed order."""
    return list(_lines(proposal, plan))


def _lines(proposal: Proposal, plan: DataManagementPlan | None) -> Iterator[Comparison]:
    volumes = _volumes(proposal)
    for kind, field, what in KINDS:
        told = getattr(plan, field, "")
        actual = volumes.pop(kind, 0)
        yield Comparison(
            what, "bytes", size_told(told), float(actual), told or "–", bytes_text(actual)
        )
    for kind, actual in sorted(volumes.items()):
        yield Comparison(f"{kind} data", "bytes", None, float(actual), "–", bytes_text(actual))
    hours = _hours(proposal)
    told = plan.collection_hours if plan else ""
    yield Comparison(
        "Hours of measurement", "hours", hours_told(told), hours, told or "–",
        f"{number_text(hours, 1)} h",
    )  # fmt: skip
    for field, what in NODES:
        told = getattr(plan, field, "")
        yield Comparison(what, "nodes", hours_told(told), None, told or "–", "not counted here")


def _volumes(proposal: Proposal) -> dict[str, int]:
    """Registered bytes by kind of data, whether they are still kept or not."""
    of_it = Q(run__proposal=proposal, run__withdrawn_at__isnull=True)
    rows = (
        DataGroup.objects.filter(of_it).order_by().values_list("kind").annotate(n=BigSum("bytes"))
    )
    return {kind: int(n) for kind, n in rows}


def _hours(proposal: Proposal) -> float:
    """How long its runs were, those that are open left out."""
    length = ExpressionWrapper(F("end_at") - F("begin_at"), output_field=DurationField())
    runs = Run.objects.filter(
        proposal=proposal, withdrawn_at__isnull=True, end_at__isnull=False
    ).order_by()
    total: timedelta | None = runs.aggregate(sum=Sum(length))["sum"]
    return round(total.total_seconds() / 3600, 3) if total else 0.0
