"""Facts are checked when they are made: a misspelt word must not pass for 'nothing matches'."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from policies.facts import HoldFact, PolicyFact, ReplicaFact
from tests.policies.cases import ONLINE, a_run, on

NAIVE = datetime(2026, 11, 22, 14, 0)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"qualities": frozenset({"Good"})}, "quality is one of 'good'"),
        ({"tiers": frozenset({"disk"})}, "tier is one of 'elsewhere'"),
        ({"remaining_tiers": frozenset({"disk"})}, "tier is one of"),
        ({"counted_from": "release"}, "counts from is one of 'assessed'"),
        ({"minimum_replicas": -1}, "not negative"),
    ],
)
def test_a_clause(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(ONLINE, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tier": "disk"}, "tier is one of"),
        ({"state": "gone"}, "state is one of 'expected'"),
        ({"verified_at": NAIVE}, "verified_at needs a zone"),
        ({"first_verified_at": NAIVE}, "first_verified_at needs a zone"),
        ({"notice_at": NAIVE}, "notice_at needs a zone"),
        ({"announced_for": NAIVE}, "announced_for needs a zone"),
    ],
)
def test_a_replica(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(on, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quality": "excellent"}, "quality is one of"),
        ({"status": "running"}, "status is one of 'open'"),
        ({"assessed_at": NAIVE}, "assessed_at needs a zone"),
        ({"closed_at": NAIVE}, "closed_at needs a zone"),
        ({"beamtime_end": NAIVE}, "beamtime_end needs a zone"),
        ({"reviewed_at": NAIVE}, "reviewed_at needs a zone"),
        ({"replicas": (on, on)}, "same id"),
    ],
)
def test_a_run(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(a_run(), **changes)


def test_a_hold() -> None:
    with pytest.raises(ValueError, match="until needs a zone"):
        HoldFact("hk", "paper", NAIVE)


def test_a_policy_orders_its_clauses_and_has_no_two_of_one_order() -> None:
    clauses = tuple(replace(ONLINE, order=n) for n in (3, 1, 2))
    assert [c.order for c in PolicyFact("Standard", 3, clauses).clauses] == [1, 2, 3]
    with pytest.raises(ValueError, match="same order"):
        PolicyFact("Standard", 3, (ONLINE, ONLINE))


def test_moments_are_kept_in_utc() -> None:
    """The hour that comes twice: by the wall clock the second reading is not the later one."""
    first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=0)
    second = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)
    assert first == second
    made = [ReplicaFact(1, "RAW", "s", "tape", "verified", moment) for moment in (first, second)]
    earlier, later = (fact.verified_at for fact in made)
    assert earlier is not None
    assert later is not None
    assert later - earlier == timedelta(hours=1)
    assert later.tzinfo is UTC
