"""What lies in the stores and what will go: by store, instrument, proposal and mark, and when.

Counting all replicas takes as long as there are many, so the schedule does it every minute and the
pages show its numbers with the time they were counted. Where nobody counts, the page does itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, Case, Count, F, Q, QuerySet, When
from django.db.models.functions import TruncDate

from catalogue.ground import access as words
from catalogue.ground import clock
from catalogue.ground.actor import Actor
from catalogue.ground.models import Job, Store
from catalogue.ground.totals import BigSum
from proposals import access as proposals
from proposals import queries as of_proposals
from proposals.models import Proposal
from runs import queries
from runs.models import Replica, Run, StoreCount, StoreUse

EVERY = timedelta(minutes=1)
"""How often all is counted."""

OLD = timedelta(minutes=10)
"""When numbers are so old that a page counts itself."""

NEAR, FAR = 14, 10
"""Days, and weeks after them, of which it is told what goes in each."""

# A replica knows its own size once it was read; before, it is as large as its group.
SIZE = Case(
    When(bytes__gt=0, then=F("bytes")),
    default=F("data_group__bytes"),
    output_field=BigIntegerField(),
)
_LEAVING = ("scheduled", "trashed")


@dataclass(slots=True)
class Amount:
    """How much there is of something; sizes in bytes."""

    replicas: int = 0
    used: int = 0
    scheduled: int = 0
    in_trash: int = 0
    broken: int = 0

    def add(self, row: Row) -> None:
        for name in StoreUse.COUNTED:
            setattr(self, name, getattr(self, name) + getattr(row, name))


@dataclass(slots=True)
class Row(Amount):
    """What one proposal has in one store of one mark, as it was counted."""

    store: int = 0
    proposal: int = 0
    quality: str = ""

    @property
    def key(self) -> tuple[int, int, str]:
        return self.store, self.proposal, self.quality


@dataclass(frozen=True, slots=True)
class Use:
    """What lies in a store, of the proposals that the reader may see."""

    store: Store
    amount: Amount

    @property
    def taken(self) -> int:
        """What counts against the quota: trash takes room too."""
        return self.amount.used + self.amount.in_trash

    @property
    def free(self) -> int | None:
        """What the quota leaves, where there is one; never below nothing."""
        quota = self.store.quota_bytes
        return None if quota is None else max(quota - self.taken, 0)

    @property
    def full(self) -> bool:
        """Whether nine tenths of the quota are taken."""
        quota = self.store.quota_bytes
        return quota is not None and self.taken * 10 >= quota * 9


@dataclass(frozen=True, slots=True)
class Part:
    """An instrument, a proposal or a mark, with what it has."""

    label: str
    title: str
    number: int | None
    amount: Amount


@dataclass(frozen=True, slots=True)
class Overview:
    """All that is told of the stores, and when it was counted."""

    counted_at: datetime
    stores: list[Use]
    rows: list[Row]


def overview(actor: Actor) -> Overview:
    """What lies where, of the proposals that `actor` may see."""
    now = clock.now()
    count = StoreCount.objects.first()
    inside = _inside(actor)
    if count is None or count.counted_at < now - OLD:
        counted, rows = now, _counted(_replicas(inside))
    else:
        counted, rows = count.counted_at, _kept(StoreUse.objects.filter(proposal__in=inside))
    by_store = _summed(rows, lambda row: row.store)
    stores = [Use(store, by_store.get(store.pk, Amount())) for store in Store.objects.all()]
    return Overview(counted, stores, rows)


def by_proposal(rows: Iterable[Row]) -> list[Part]:
    """The proposals that have something there, the largest first."""
    sums = _summed(rows, lambda row: row.proposal)
    known = Proposal.objects.only("number", "title").in_bulk(list(sums))
    parts = [
        Part(p.folder, p.title, p.number, sums[pk]) for pk, p in known.items() if _some(sums[pk])
    ]
    return sorted(parts, key=lambda part: (-part.amount.used, part.label))


def by_instrument(rows: list[Row]) -> list[Part]:
    """The instruments, the largest first."""
    ids = {row.proposal for row in rows}
    of = dict(
        Proposal.objects.filter(pk__in=ids).order_by().values_list("pk", "instrument__identifier")
    )
    sums = _summed(rows, lambda row: of.get(row.proposal, ""))
    parts = [Part(name, "", None, amount) for name, amount in sums.items() if _some(amount)]
    return sorted(parts, key=lambda part: (-part.amount.used, part.label))


def by_quality(rows: Iterable[Row]) -> list[Part]:
    """The marks, in their own order."""
    sums = _summed(rows, lambda row: row.quality)
    marks = sorted(Run.Quality.choices, key=lambda choice: choice[0] == "")
    return [Part(str(word), "", None, sums[mark]) for mark, word in marks if mark in sums]


def _some(amount: Amount) -> bool:
    return any(getattr(amount, name) for name in StoreUse.COUNTED)


def _summed(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, Amount]:
    sums: dict[Any, Amount] = {}
    for row in rows:
        sums.setdefault(key(row), Amount()).add(row)
    return sums


def _inside(actor: Actor) -> QuerySet[Proposal]:
    """The proposals of which `actor` may read where their data are; of those that are only open,
    everybody may read the data, not how they are kept."""
    return Proposal.objects.filter(proposals.holding(actor, words.SEE_METADATA))


def _replicas(inside: QuerySet[Proposal] | None) -> QuerySet[Replica]:
    rows = Replica.objects.exclude(data_group__run=None)
    return rows if inside is None else rows.filter(data_group__run__proposal__in=inside)


# ---------------------------------------------------------------- counting


def _counted(replicas: QuerySet[Replica]) -> list[Row]:
    """One look at all of `replicas`."""
    there = Q(state__in=queries.THERE)
    found = (
        replicas.values_list("store", "data_group__run__proposal", "data_group__run__quality")
        .annotate(
            replicas=Count("pk", filter=there),
            used=BigSum(SIZE, filter=there, default=0),
            scheduled=BigSum(SIZE, filter=Q(state="scheduled"), default=0),
            in_trash=BigSum(SIZE, filter=Q(state="trashed"), default=0),
            broken=Count("pk", filter=Q(state__in=["lost", "corrupt"])),
        )
        .order_by()
    )
    return [_row(store, proposal, mark, numbers) for store, proposal, mark, *numbers in found]


def _kept(rows: QuerySet[StoreUse]) -> list[Row]:
    named = rows.values_list("store", "proposal", "quality", *StoreUse.COUNTED)
    return [_row(store, proposal, mark, numbers) for store, proposal, mark, *numbers in named]


def _row(store: int, proposal: int, quality: str, numbers: Iterable[int]) -> Row:
    row = Row(store=store, proposal=proposal, quality=quality)
    for name, number in zip(StoreUse.COUNTED, numbers, strict=True):
        setattr(row, name, int(number))
    return row


def recount(now: datetime) -> int:
    """Count everything, unless that was done within `EVERY`; part of the schedule. Returns how many
    rows have other numbers now. Only these are written."""
    count = StoreCount.objects.first()
    if count is not None and count.counted_at > now - EVERY:
        return 0
    with transaction.atomic():
        if count is None:
            StoreCount.objects.get_or_create(pk=1, defaults={"counted_at": now})
        rows = StoreCount.objects.filter(pk=1).select_for_update(skip_locked=True)
        if not rows.exists():
            return 0  # somebody else counts
        changed = _write({row.key: row for row in _counted(_replicas(None))})
        StoreCount.objects.filter(pk=1).update(counted_at=now)
    return changed


def _write(counted: Mapping[tuple[int, int, str], Row]) -> int:
    kept = {(u.store_id, u.proposal_id, u.quality): u for u in StoreUse.objects.all()}
    gone = [use.pk for key, use in kept.items() if key not in counted]
    fresh, other = [], []
    for key, row in counted.items():
        numbers = {name: getattr(row, name) for name in StoreUse.COUNTED}
        use = kept.get(key)
        if use is None:
            store, proposal, quality = key
            fresh.append(StoreUse(store_id=store, proposal_id=proposal, quality=quality, **numbers))
        elif any(getattr(use, name) != value for name, value in numbers.items()):
            for name, value in numbers.items():
                setattr(use, name, value)
            other.append(use)
    StoreUse.objects.filter(pk__in=gone).delete()
    StoreUse.objects.bulk_create(fresh, batch_size=500)
    StoreUse.objects.bulk_update(other, StoreUse.COUNTED, batch_size=200)
    return len(gone) + len(fresh) + len(other)


# ---------------------------------------------------------------- what goes, and when


def leaving(actor: Actor, store: Store | None = None) -> QuerySet[Replica]:
    """The replicas that are announced to go or lie in a store's trash, the next first."""
    rows = Replica.objects.filter(data_group__run__proposal__in=_inside(actor), state__in=_LEAVING)
    if store is not None:
        rows = rows.filter(store=store)
    return rows.select_related("data_group__run__proposal", "store").order_by("remove_at", "pk")


@dataclass(frozen=True, slots=True)
class Going:
    """A day or a week: how many copies go by then, of how many bytes, by store; and how many runs
    the policy looks at again."""

    begin: date
    end: date
    copies: int
    bytes: dict[int, int]
    looked_at: int

    @property
    def total(self) -> int:
        return sum(self.bytes.values())


def going(actor: Actor, store: Store | None = None) -> list[Going]:
    """What goes on each of the next days, then in each of the next weeks; what is due already and
    has not gone yet counts for today."""
    zone = clock.facility_zone()
    today = clock.now().astimezone(zone).date()
    days = (
        leaving(actor, store)
        .order_by()
        .annotate(day=TruncDate("remove_at", tzinfo=zone))
        .values_list("day", "store")
        .annotate(copies=Count("pk"), size=BigSum(SIZE, default=0))
    )
    looks = dict(
        _judgements(actor, today)
        .annotate(day=TruncDate("after", tzinfo=zone))
        .values_list("day")
        .annotate(n=Count("subject_id", distinct=True))
    )
    found = [(max(day or today, today), where, copies, size) for day, where, copies, size in days]
    return [_going(begin, end, found, looks) for begin, end in _spans(today)]


def _judgements(actor: Actor, today: date) -> QuerySet[Job]:
    """The runs at which the policy looks again on a day that is known."""
    jobs = of_proposals.jobs(actor).filter(name="policies.judge_run", state=Job.State.WAITING)
    last = datetime.combine(_spans(today)[-1][1], datetime.min.time(), UTC) + timedelta(days=1)
    return jobs.filter(after__gt=clock.now(), after__lt=last).order_by()


def _spans(today: date) -> list[tuple[date, date]]:
    """First and last day of each span."""
    days = [today + timedelta(days=n) for n in range(NEAR)]
    weeks = [days[-1] + timedelta(days=1 + 7 * n) for n in range(FAR)]
    return [(d, d) for d in days] + [(w, w + timedelta(days=6)) for w in weeks]


def _going(
    begin: date,
    end: date,
    found: Iterable[tuple[date, int, int, int]],
    looks: Mapping[date, int],
) -> Going:
    copies, sizes = 0, dict[int, int]()
    for day, store, n, size in found:
        if begin <= day <= end:
            copies += n
            sizes[store] = sizes.get(store, 0) + size
    looked_at = sum(n for day, n in looks.items() if begin <= day <= end)
    return Going(begin, end, copies, sizes, looked_at)


def store_named(identifier: str) -> Store:
    """The store of that identifier. Raises `Store.DoesNotExist`."""
    return Store.objects.get(identifier=identifier)
