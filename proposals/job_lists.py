"""What pages tell of many jobs at once: how they stand, which may be acted on, how they went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Trunc

from catalogue.ground import access as words
from catalogue.ground import clock
from catalogue.ground.actor import Actor
from catalogue.ground.models import Job, JobAttempt
from proposals import access, queries
from proposals.models import Proposal

Per = Literal["hour", "day"]
SPANS: dict[Per, int] = {"hour": 48, "day": 30}
"""How many buckets are told of."""

ENDS = (
    ("done", "Done"),
    ("waiting", "Tried again"),
    ("held", "Held"),
    ("silent", "Silent"),
    ("cancelled", "Called off"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """The jobs that are not done."""

    running: int
    waiting: int
    later: int
    held: int
    held_since: datetime | None
    waiting_since: datetime | None
    who: tuple[tuple[str, int], ...]


def standing(actor: Actor) -> Standing:
    """How many jobs run, wait and are held, and who must act, of those `actor` may read of."""
    now = clock.now()
    open_jobs = queries.jobs(actor).filter(state__in=["waiting", "claimed", "held"]).order_by()
    due = Q(state="waiting", after__lte=now)
    counts = open_jobs.aggregate(
        running=Count("pk", filter=Q(state="claimed")),
        waiting=Count("pk", filter=due),
        later=Count("pk", filter=Q(state="waiting", after__gt=now)),
        held=Count("pk", filter=Q(state="held")),
        held_since=Min("created_at", filter=Q(state="held")),
        waiting_since=Min("after", filter=due),
    )
    who = open_jobs.filter(state="held").values_list("who").annotate(n=Count("pk"))
    return Standing(**counts, who=tuple((w or "data manager", n) for w, n in who.order_by("-n")))


def listed(actor: Actor) -> QuerySet[Job]:
    """The jobs that `actor` may read of, each with whether they may act on it as `may_act`."""
    rows = queries.jobs(actor)
    held = list(words.offices(actor, access.today()))
    if words.JOBS in words.facility_wide(actor, access.today(), held):
        return rows.annotate(may_act=Value(value=True))
    mine = Proposal.objects.filter(access.holding(actor, words.JOBS, held))
    return rows.annotate(may_act=Exists(mine.filter(number=OuterRef("proposal"))))


def picked(rows: QuerySet[Job], ids: Sequence[int]) -> QuerySet[Job]:
    """Those of `rows` with these ids, the oldest first: their lanes go in that order."""
    return rows.filter(pk__in=ids).order_by("pk")


def ahead(job: Job) -> Job | None:
    """The job that a waiting one waits behind: the first open one of its lane, or None."""
    if job.state != Job.State.WAITING:
        return None
    lane = Job.objects.filter(lane=job.lane, state__in=["waiting", "claimed", "held"])
    return lane.filter(Q(pk__lt=job.pk) | Q(state="claimed")).order_by("pk").first()


def tries(job: Job) -> QuerySet[JobAttempt]:
    """The times that a worker took the job up, the last first."""
    return job.tries.all()


@dataclass(frozen=True, slots=True)
class Bucket:
    """An hour or a day: how many attempts ended, by how."""

    begin: datetime
    ends: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.ends.values())

    @property
    def failed(self) -> int:
        return sum(self.ends.get(end, 0) for end in JobAttempt.FAILED)


def rates(actor: Actor, per: Per, *, name: str = "") -> list[Bucket]:
    """How attempts ended, hour by hour or day by day up to now; a bucket for each, also for those
    in which nothing ended."""
    begins = _begins(per)
    zone = clock.facility_zone()
    rows = (
        _ended(actor, begins[0], name)
        .annotate(bucket=Trunc("ended_at", per, tzinfo=zone if per == "day" else UTC))
        .values_list("bucket", "end")
        .annotate(n=Count("pk"))
        .order_by()
    )
    found: dict[datetime, dict[str, int]] = {}
    for bucket, end, n in rows:
        found.setdefault(bucket, {})[end] = n
    return [Bucket(begin, found.get(begin, {})) for begin in begins]


def kinds(actor: Actor, per: Per) -> list[tuple[str, int, int]]:
    """Kind of job, attempts and failed ones in the same time; those that fail most first."""
    rows = (
        _ended(actor, _begins(per)[0], "")
        .values_list("job__name")
        .annotate(n=Count("pk"), failed=Count("pk", filter=Q(end__in=JobAttempt.FAILED)))
        .order_by("-failed", "-n")
    )
    return list(rows)


def _ended(actor: Actor, since: datetime, name: str) -> QuerySet[JobAttempt]:
    rows = JobAttempt.objects.filter(ended_at__gte=since, job__in=queries.jobs(actor))
    return rows.filter(job__name=name) if name else rows


def _begins(per: Per) -> list[datetime]:
    """The beginnings of the last hours, or of the facility's last days, as far as today."""
    zone = clock.facility_zone()
    count = SPANS[per]
    if per == "hour":
        last = clock.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return [last - timedelta(hours=n) for n in range(count - 1, -1, -1)]
    today = clock.now().astimezone(zone).date()
    days = [today - timedelta(days=n) for n in range(count - 1, -1, -1)]
    return [datetime(day.year, day.month, day.day, tzinfo=zone) for day in days]
