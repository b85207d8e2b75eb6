"""Whether the catalogue is well, from what its rows tell: what every answer needs, the schedule,
the work, and the signs that workers left. Nothing here reaches outside the database, so no page
that asks can hang on a store or a server."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

import django
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Max, Min, Q

from catalogue.ground import clock
from catalogue.ground.models import Job, Sign

SCHEDULE = "schedule"
STORE = "store:"
# Without a round of the schedule for so many of its intervals, nobody works.
_ROUNDS_MISSED = 6
_LATE = timedelta(minutes=5)


def database() -> str:
    """Empty where the database answers, else what it said."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError as problem:
        return str(problem)
    return ""


def note(name: str, *, well: bool = True, says: str = "", facts: Mapping[str, object]) -> None:
    """Leave a sign of life; called by workers."""
    Sign.objects.update_or_create(
        name=name,
        defaults={"at": clock.now(), "well": well, "says": says[:255], "facts": dict(facts)},
    )


def last(name: str) -> Sign | None:
    """The last sign of that name."""
    return Sign.objects.filter(name=name).first()


@dataclass(frozen=True, slots=True)
class Part:
    """How one part of the catalogue is: `well` None means that nothing is known of it yet."""

    name: str
    well: bool | None
    says: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """The jobs that are not done: how many run now, wait and are due, are held, and since when
    the oldest has waited."""

    running: int
    waiting: int
    held: int
    oldest: datetime | None
    last_begun: datetime | None


def schedule(now: datetime) -> Part:
    """Whether somebody works: the schedule's rounds are brought by the broker and made by a
    worker, so a recent one proves both."""
    sign = last(SCHEDULE)
    if sign is None:
        return Part("Workers", None, "No worker has told of itself yet.")
    limit = timedelta(seconds=max(settings.SWEEP_SECONDS * _ROUNDS_MISSED, 30.0))
    if now - sign.at <= limit:
        return Part("Workers", True, "The queue and the workers are at work.", sign.at)
    return Part(
        "Workers", False,
        "No word from the workers: they, or the queue that brings them their work, stand still. "
        "What was asked for is kept and is done when they are back.", sign.at,
    )  # fmt: skip


def work(now: datetime) -> Work:
    """The open jobs, in one query."""
    waiting = Q(state=Job.State.WAITING, after__lte=now)
    rows = Job.objects.filter(state__in=["waiting", "claimed", "held"]).aggregate(
        running=Count("pk", filter=Q(state=Job.State.CLAIMED, lease_until__gt=now)),
        waiting=Count("pk", filter=waiting),
        held=Count("pk", filter=Q(state=Job.State.HELD)),
        oldest=Min("after", filter=waiting),
        last_begun=Max("started_at"),
    )
    return Work(**rows)


def queue(found: Work, now: datetime) -> Part:
    """Whether jobs are taken up soon after they are due."""
    if found.oldest is None or now - found.oldest < _LATE:
        return Part("Jobs", True, "Jobs are taken up soon after they are due.", found.last_begun)
    return Part("Jobs", False, "Jobs wait for a worker longer than usual.", found.oldest)


def outside(name: str, label: str) -> Part:
    """How something outside answered when a job of this name last spoke to it."""
    job = (
        Job.objects.filter(name=name, started_at__isnull=False)
        .only("state", "reason", "started_at", "finished_at")
        .order_by("-pk")
        .first()
    )
    if job is None:
        return Part(label, None, "It was not needed so far.")
    if job.state == Job.State.DONE:
        return Part(label, True, "It answered when it was last asked.", job.finished_at)
    well = None if job.state == Job.State.CLAIMED else False
    return Part(label, well, job.reason or "It is being asked now.", job.started_at)


def stores() -> list[Sign]:
    """What workers last saw of the stores."""
    return list(Sign.objects.filter(name__startswith=STORE))


def versions() -> list[tuple[str, str]]:
    """What runs here, for those who look after it."""
    try:
        own = version("lightkeeper")
    except PackageNotFoundError:  # runs from its folder
        own = "as it lies in its folder"
    server = connection.get_database_version()
    vendor = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}.get(connection.vendor, "Database")
    return [
        ("Lightkeeper", own),
        ("Django", django.get_version()),
        ("Python", platform.python_version()),
        (vendor, ".".join(str(part) for part in server)),
    ]
