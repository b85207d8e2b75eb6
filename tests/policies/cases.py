"""A policy and a run as people know them, to be changed in one place by each test."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from catalogue.ground.calendar import Span
from policies.facts import ClauseFact, PolicyFact, ReplicaFact, RunFacts
from policies.judgement import Verdict, judge

BERLIN = ZoneInfo("Europe/Berlin")
GOOD = frozenset({"good", "unclear"})
DAY = timedelta(days=1)


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[misc, arg-type]


CLOSED = berlin(2026, 11, 22, 14, 0)
MARKED = berlin(2026, 11, 22, 14, 21)
NOW = berlin(2026, 11, 23, 9, 0)

ONLINE = ClauseFact(
    order=1,
    kinds=frozenset({"RAW"}),
    qualities=GOOD,
    tiers=frozenset({"online"}),
    keep=Span(12, "hours"),
    counted_from="assessed",
    minimum_replicas=2,
    remaining_tiers=frozenset({"offline", "mass_storage", "tape"}),
    verified_within=Span(90, "days"),
    grace=Span(7, "days"),
)
TAPE = ClauseFact(
    order=2,
    kinds=frozenset({"RAW"}),
    qualities=GOOD,
    tiers=frozenset({"tape"}),
    keep=Span(10, "years"),
    counted_from="beamtime_end",
    minimum_replicas=0,
    remaining_tiers=frozenset(),
    verified_within=None,
    grace=Span(30, "days"),
)
DULL = ClauseFact(
    order=3,
    kinds=frozenset({"RAW", "PROC"}),
    qualities=frozenset({"not_interesting"}),
    tiers=frozenset(),
    keep=Span(0, "days"),
    counted_from="assessed",
    minimum_replicas=0,
    remaining_tiers=frozenset(),
    verified_within=None,
    grace=Span(7, "days"),
    text="Nobody asked for these data.",
)
STANDARD = PolicyFact("Standard", 3, (DULL, TAPE, ONLINE))


def replica(number: int, store: str, tier: str, **facts: Any) -> ReplicaFact:
    given = {"kind": "RAW", "state": "verified", "verified_at": MARKED, **facts}
    return ReplicaFact(id=number, store=store, tier=tier, **given)


on, off = replica(1, "online-1", "online"), replica(2, "offline-1", "offline")
mas, tap = replica(3, "archive-1", "mass_storage"), replica(4, "tape-1", "tape")


def a_run(*replicas: ReplicaFact, **facts: Any) -> RunFacts:
    given = {
        "quality": "good",
        "assessed_at": MARKED,
        "closed_at": CLOSED,
        "status": "closed",
        "beamtime_end": berlin(2027, 6, 2, 8, 0),
        "reviewed_at": None,
        "proposal_state": "A",
        "experiment": "LCP SFX",
        **facts,
    }
    return RunFacts(replicas=replicas or (on, off, mas, tap), **given)


def said(
    of: ReplicaFact, run: RunFacts | None = None, now: datetime = NOW, policy: PolicyFact = STANDARD
) -> Verdict:
    return judge(policy, run or a_run(), of, now, BERLIN)


def only(clause: ClauseFact, **changes: Any) -> PolicyFact:
    return PolicyFact("Standard", 3, (replace(clause, **changes),))


def noticed(at: datetime, **facts: Any) -> tuple[ReplicaFact, RunFacts]:
    it = replace(on, state="scheduled", notice_at=at, **facts)
    return it, a_run(it, quality="not_interesting")
