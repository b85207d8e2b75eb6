"""The run table while one looks at it: whether something happened since, and to which runs.

A page holds a cursor: how far the journal had been told when its rows were read, and what of its
runs is not in the journal (heartbeats, silence, progress of jobs). Positions are given to committed
entries only, so a transaction that commits late is behind the cursor of nobody. The cursor is
signed and names its reader; while nothing happened, three queries answer: session, person, and
`pulse`. That answer says nothing else, so it may rely on rights that are some minutes old;
everything that shows something goes through the page's frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db.models import Count, Exists, Max, Q, QuerySet, Subquery, Sum
from django.db.models.functions import JSONObject

from catalogue.ground import clock, journal
from catalogue.ground.models import Entry, Job, JournalHead
from catalogue.ground.totals import BigSum
from proposals.models import Proposal
from runs import tabled
from runs.models import Calibration, Run

TRUSTED = timedelta(minutes=5)
"""For so long a cursor stands for the right to be told that nothing happened."""

WORKING = ("requested", "running", "held")


@dataclass(frozen=True, slots=True)
class Cursor:
    """What a page has seen of a proposal's runs, and who looks at it."""

    user: int
    proposal: int
    position: int
    beats: str

    def __str__(self) -> str:
        text = f"{self.user}.{self.proposal}.{self.position:x}.{self.beats}"
        return signing.TimestampSigner(salt=__name__).sign(text)


def read(text: str) -> tuple[Cursor, bool] | None:
    """The cursor that this site signed, and whether its reader's rights are still relied on; None
    where it is none of ours."""
    signer = signing.TimestampSigner(salt=__name__)
    try:
        user, proposal, position, beats = signer.unsign(text).split(".")
    except (signing.BadSignature, ValueError):
        return None
    cursor = Cursor(int(user), int(proposal), int(position, 16), beats)
    try:
        signer.unsign(text, max_age=TRUSTED)
    except signing.SignatureExpired:
        return cursor, False
    return cursor, True


@dataclass(frozen=True, slots=True)
class Pulse:
    """What has happened since a position: entries told, entries that wait for their position, and
    a digest of all that changes without being told."""

    position: int
    told: bool
    waiting: bool
    beats: str


def pulse(number: int, after: int) -> Pulse:
    """One query, whether there are ten runs or ten thousand."""
    entries = Entry.objects.order_by()
    head = JournalHead.objects.filter(pk=1).annotate(
        told=Exists(entries.filter(proposal=number, position__gt=after)),
        waiting=Exists(entries.filter(position__isnull=True)),
        beating=Subquery(_beats(number)),
        working=Subquery(_progress(number)),
    )
    row = head.values_list("position", "told", "waiting", "beating", "working").first()
    if row is None:  # no journal yet: it gets its head when it is first told
        return Pulse(0, told=False, waiting=True, beats="")
    position, told, waiting, *beats = row
    digest = hashlib.sha256(repr(beats).encode()).hexdigest()[:12]
    return Pulse(position, told, waiting, digest)


def _beats(number: int) -> QuerySet[Run, Any]:
    """What the DAQ said last of the open runs, in one value."""
    silent = clock.now() - timedelta(seconds=settings.SILENT_RUN_SECONDS)
    found = Run.objects.filter(proposal__number=number, status=Run.Status.OPEN).order_by()
    return found.values("proposal").annotate(
        value=JSONObject(
            at=Max("heartbeat_at"),
            bytes=BigSum("heartbeat_bytes"),
            train=BigSum("last_train"),
            silent=Count("pk", filter=Q(heartbeat_at__lt=silent)),
        )
    ).values("value")  # fmt: skip


def _progress(number: int) -> QuerySet[Job, Any]:
    """How far the calibrations are, in one value."""
    found = Job.objects.filter(proposal=number, name="runs.calibrate", state=Job.State.CLAIMED)
    return found.order_by().values("proposal").annotate(
        value=JSONObject(jobs=Count("pk"), progress=Sum("progress"))
    ).values("value")  # fmt: skip


def begin(proposal: Proposal, user: int, position: int) -> Cursor:
    """The cursor of a page whose rows are read after `position` was."""
    return Cursor(user, proposal.number, position, "")


def is_quiet(cursor: Cursor) -> bool:
    """Whether nothing has happened that its page does not show."""
    now = pulse(cursor.proposal, cursor.position)
    return not now.told and not now.waiting and now.beats == cursor.beats


@dataclass(frozen=True, slots=True)
class News:
    """What happened since a cursor: to these runs, to the switches above them, up to where."""

    runs: frozenset[int]
    switched: bool
    cursor: Cursor


def news(proposal: Proposal, cursor: Cursor) -> News:
    """Which runs may look otherwise since. To be asked before they are read."""
    position = journal.reach()
    told = journal.between(journal.of_proposal(proposal.number), cursor.position, position)
    numbers = set(told.order_by().values_list("run", flat=True).distinct())
    beats = pulse(proposal.number, position).beats
    if None in numbers or beats != cursor.beats:
        numbers |= set(_restless(proposal))
    switched = None in numbers and told.filter(move="switch").exists()
    moved = replace(cursor, position=position, beats=beats)
    return News(frozenset(n for n in numbers if n is not None), switched, moved)


def _restless(proposal: Proposal) -> Collection[int]:
    """The runs that change without being told of: those that are open, and those that a job works
    on (a job is told of as the proposal's)."""
    open_runs = Q(status=Run.Status.OPEN)
    working = Calibration.objects.filter(run__proposal=proposal, state__in=WORKING)
    found = Run.objects.filter(open_runs | Q(pk__in=working.values("run")), proposal=proposal)
    return found.values_list("number", flat=True)


def changed(proposal: Proposal, numbers: Collection[int], shown: Collection[int]) -> list[Run]:
    """The runs of these numbers that the page shows."""
    return tabled.some(proposal, set(numbers) & set(shown))
