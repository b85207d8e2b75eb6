"""The part of the door's benchmark that needs Django: runs to mark, and marking them."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "catalogue.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db.models import Max, Min  # noqa: E402

from catalogue.ground import clock, journal, sealing  # noqa: E402 - after setup
from catalogue.ground.actor import Actor  # noqa: E402
from catalogue.ground.models import Entry, Job, User  # noqa: E402
from runs import commands  # noqa: E402
from runs.models import Run  # noqa: E402
from tests.factories import BEGIN, Facility  # noqa: E402

MARKS = ("good", "unclear", "not_interesting")


def prepare(runs: int) -> None:
    """A proposal with so many open runs: one for each move, so that each asks for its own job."""
    call_command("migrate", verbosity=0)
    facility = Facility(Path(tempfile.mkdtemp(prefix="lightkeeper-bench-")))
    facility.policy()
    proposal = facility.proposal(state="A", calibrates_by_itself=False)
    now = clock.now()
    Run.objects.bulk_create(
        Run(proposal=proposal, number=n + 1, begin_at=BEGIN, created_at=now, file_count=1)
        for n in range(runs)
    )


def forget() -> None:
    """Start the counts anew. The journal keeps its entries: moves are counted by their names."""
    Job.objects.all().delete()


def seal(every: float) -> None:
    """Number and seal what is written, as the schedule does, until it is ended."""
    while True:
        now = clock.now()
        if not journal.number_all(now) + sealing.seal_all(now) or every:
            time.sleep(every or 0.02)


def sealed() -> str:
    """How far the sealer was behind when the last move was made, and whether the chain is sound."""
    behind = sealing.status().waiting
    began = time.monotonic()
    now = clock.now()
    while journal.number_all(now) + sealing.seal_all(now):
        pass
    seconds = time.monotonic() - began
    found = sealing.verify()
    assert not found.fault_count, found.faults
    return (
        f"sealer: {behind} entries behind at the end, sealed {seconds:.2f} s later; "
        f"{found.sealed} entries, chain sound"
    )


def make(move: str, worker: int, moves: int) -> None:
    """Close or mark this process's runs, one after the other."""
    mine = Run.objects.filter(number__gt=worker * moves, number__lte=(worker + 1) * moves)
    runs = mine.select_related("proposal")
    if move == "close":
        daq = Actor.of(User.objects.get(username="daq"), face="api", scopes=frozenset({"daq"}))
        for run in runs:
            commands.close(run, end_at=clock.now(), by=daq)
    else:
        by = Actor.of(User.objects.get(appointments__role="data_manager"), face="api")
        for n, run in enumerate(runs):
            commands.assess(run, quality=MARKS[n % 3], by=by)


def result(move: str, expected: int) -> dict[str, float]:
    """What is in the database afterwards."""
    told = Entry.objects.filter(move=move)
    span = told.aggregate(first=Min("at"), last=Max("at"))
    return {
        "entries": told.count(),
        "lost": expected - told.count(),
        "jobs": Job.objects.count(),
        "seconds": (span["last"] - span["first"]).total_seconds(),
    }
