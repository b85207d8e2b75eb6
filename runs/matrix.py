"""Where the data of a proposal are, run by run and store by store, and in all.

What a cell says is the raw data's state; the corrected data stand smaller beside it. The number of
queries does not depend on the number of runs or stores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from catalogue.ground.actor import Actor
from catalogue.ground.models import Store
from catalogue.ground.totals import BigSum
from proposals.models import Proposal
from runs import access
from runs.models import DataGroup, Replica, Run
from runs.storage import SIZE

KINDS = ("RAW", "PROC")
PRESENT = Q(state__in=("copied", "verified", "scheduled"))
# Of several replicas in one store the one that says most of what is there.
_FIRST = ("verified", "scheduled", "copied", "copying", "expected", "corrupt", "trashed", "lost")


@dataclass(frozen=True, slots=True)
class Total:
    """What one store holds of a proposal: runs with verified raw data, sizes in bytes."""

    store: Store
    verified: int
    raw_bytes: int
    proc_bytes: int
    leaving: int
    leaves_at: datetime | None
    broken: int
    oldest_check: datetime | None
    last_check: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """A run, and for each store its raw and its corrected data there."""

    run: Run
    cells: list[tuple[Store, Replica | None, list[Replica]]]


def totals(proposal: Proposal) -> list[Total]:
    """The stores that hold anything of the proposal's runs, or held it, by rank."""
    raw, proc = Q(data_group__kind="RAW"), Q(data_group__kind="PROC")
    rows = (
        Replica.objects.filter(data_group__run__proposal=proposal, data_group__kind__in=KINDS)
        .values("store")
        .annotate(
            verified=Count("data_group__run", filter=raw & Q(state="verified"), distinct=True),
            raw_bytes=BigSum(SIZE, filter=raw & PRESENT, default=0),
            proc_bytes=BigSum(SIZE, filter=proc & PRESENT, default=0),
            leaving=Count("pk", filter=Q(state__in=("scheduled", "trashed"))),
            leaves_at=Min("remove_at", filter=Q(state="scheduled")),
            broken=Count("pk", filter=Q(state__in=("lost", "corrupt"))),
            oldest_check=Min("verified_at", filter=raw & Q(state="verified")),
            last_check=Max("verified_at", filter=raw & Q(state="verified")),
        )
        .order_by()
    )
    numbers: dict[int, dict[str, Any]] = {
        row["store"]: {name: value for name, value in row.items() if name != "store"}
        for row in rows
    }
    stores = Store.objects.filter(pk__in=numbers).order_by("rank", "pk")
    return [Total(store, **numbers[store.pk]) for store in stores]


def runs_of(actor: Actor, proposal: Proposal, *, not_in: str = "") -> QuerySet[Run]:
    """The runs of a proposal, the newest first; only those whose raw data are not verified in the
    store of that identifier, if one is named ("any": in no store)."""
    found = access.visible(actor).filter(proposal=proposal).order_by("-number")
    if not not_in:
        return found
    safe = Replica.objects.filter(
        data_group__run__proposal=proposal, data_group__kind="RAW", state="verified"
    )
    if not_in != "any":
        safe = safe.filter(store__identifier=not_in)
    return found.exclude(pk__in=safe.values("data_group__run"))


def lines(runs: Sequence[Run], stores: Sequence[Store]) -> list[Line]:
    """The cells of these runs."""
    groups = DataGroup.objects.filter(run__in=runs, kind__in=KINDS).only("pk", "kind", "run_id")
    replicas = (
        Replica.objects.filter(data_group__in=groups)
        .exclude(state="removed")
        .select_related("data_group")
        .only("store_id", "state", "verified_at", "remove_at", "bytes", "data_group__kind",
              "data_group__run_id", "data_group__bytes", "data_group__edition")
        .order_by("pk")
    )  # fmt: skip
    there: dict[tuple[Any, int, str], list[Replica]] = {}
    for replica in replicas:
        key = (replica.data_group.run_id, replica.store_id, replica.data_group.kind)
        there.setdefault(key, []).append(replica)
    return [
        Line(
            run,
            [
                (
                    store,
                    _first(there.get((run.pk, store.pk, "RAW"), [])),
                    there.get((run.pk, store.pk, "PROC"), [])[:3],
                )
                for store in stores
            ],
        )
        for run in runs
    ]


def _first(found: list[Replica]) -> Replica | None:
    return min(found, key=lambda r: _FIRST.index(r.state), default=None)
