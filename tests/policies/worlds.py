"""Random policies, runs and moments for the properties of the judgement.

Everything lies within a few days of `START`, in whole hours and with few distinct values, and
leans towards removal: with facts drawn evenly one in a hundred replicas could go, and a rule that
is broken only then would not be seen. `test_worlds.py` measures that removal is common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from catalogue.ground.calendar import Span
from policies.facts import (
    BEGINNINGS,
    QUALITIES,
    STATES,
    TIERS,
    ClauseFact,
    HoldFact,
    PolicyFact,
    ReplicaFact,
    RunFacts,
)

START = datetime(2026, 10, 24, 12, tzinfo=UTC)  # the night after, the clocks change in Berlin
BERLIN = ZoneInfo("Europe/Berlin")


def hour(n: float) -> datetime:
    return START + timedelta(hours=n)


def weighted(*choices: tuple[int, Sequence[Any]]) -> st.SearchStrategy[Any]:
    """One of all the values; those of a pair come up in proportion to its weight."""
    return st.sampled_from([v for weight, values in choices for v in [*values] * weight])


def some(values: Sequence[str], weight: int) -> st.SearchStrategy[frozenset[str]]:
    """Any (the empty set) with this weight, else a subset of the values."""
    subsets = [frozenset(c) for n in range(1, len(values)) for c in combinations(values, n)]
    return weighted((1, subsets), (weight * len(subsets), [frozenset()]))


HOURS = [hour(n) for n in (0, 1, 2, 5, 6, 12, 13, 24, 36, 48)]
hours = st.sampled_from(HOURS)
maybe_hours = weighted((2, HOURS), (1, [None]))
moments = weighted((1, [hour(n) for n in (0, 2, 6, 13, 24, 25, 36, 37, 48)]), (20, [hour(60)]))
SPANS = [*(Span(n, "hours") for n in (0, 1, 6, 24, 25)), Span(1, "days"), Span(2, "days")]
SHORT = [Span(0, "hours"), Span(0, "days"), Span(1, "hours")]
spans = weighted((1, SPANS), (3, SHORT))


def clauses(order: int) -> st.SearchStrategy[ClauseFact]:
    return st.builds(
        ClauseFact,
        order=st.just(order),
        kinds=some(["RAW", "PROC"], 3),
        qualities=some(QUALITIES, 2),
        tiers=some(TIERS, 3),
        keep=weighted((2, SPANS), (2, SHORT), (1, [None])),
        counted_from=st.sampled_from(BEGINNINGS),
        minimum_replicas=st.sampled_from([0, 1, 0, 1, 2]),
        remaining_tiers=some(TIERS, 3),
        verified_within=weighted((1, SPANS), (1, [Span(60, "hours")]), (7, [None])),
        grace=spans,
        experiments_excluded=st.sampled_from([*[frozenset()] * 5, frozenset({"Dark"})]),
        proposal_states=st.sampled_from([*[frozenset()] * 5, frozenset({"FR"})]),
        text=st.sampled_from(["", "As the data policy of 2025 has it."]),
    )


def policies(count: int) -> st.SearchStrategy[PolicyFact]:
    orders = range(1, count + 1)
    return st.tuples(*map(clauses, orders)).map(lambda cs: PolicyFact("Standard", 3, cs[::-1]))


def replicas(number: int) -> st.SearchStrategy[ReplicaFact]:
    return st.builds(
        lambda tier, twin, **facts: ReplicaFact(
            id=number, tier=tier, store=f"{tier}-{0 if twin else number}", **facts
        ),
        tier=st.sampled_from(TIERS),
        twin=st.sampled_from([*[False] * 5, True]),
        kind=st.sampled_from([*["RAW"] * 9, "PROC"]),
        state=weighted((1, STATES), (20, ["verified"])),
        verified_at=weighted((3, HOURS), (1, [None])),
        first_verified_at=weighted((1, HOURS), (15, [None])),
        notice_at=weighted((1, HOURS), (8, [None]), (18, [hour(48)])),
        announced_for=weighted((1, HOURS), (1, [hour(72)]), (10, [None])),
    )


HOLDS = [
    HoldFact(by=by, reason=reason, until=until, kinds=frozenset(kinds))
    for by, reason in (("hk", "needed for the paper"), ("data manager", "Under review."))
    for until in (None, hour(6), hour(24), hour(36), hour(60), hour(100))
    for kinds in ((), ("RAW",), ("PROC",))
]
PAIRS = list(pairwise(HOLDS))
holds = st.sampled_from(HOLDS)


def runs(count: int) -> st.SearchStrategy[RunFacts]:
    return st.builds(
        RunFacts,
        quality=st.sampled_from(QUALITIES),
        assessed_at=maybe_hours,
        closed_at=maybe_hours,
        status=st.sampled_from([*["closed"] * 12, "open", "open", "aborted"]),
        beamtime_end=maybe_hours,
        reviewed_at=maybe_hours,
        proposal_state=st.sampled_from(["A", "FR"]),
        replicas=st.tuples(*map(replicas, range(1, count + 1))),
        holds=weighted((1, [(h,) for h in HOLDS]), (2, PAIRS), (2 * len(HOLDS), [()])),
        experiment=st.sampled_from(["LCP SFX", "Dark"]),
    )


@dataclass(frozen=True)
class World:
    policy: PolicyFact
    run: RunFacts
    now: datetime
    zone: Any


ANY: frozenset[str] = frozenset()
ASPECTS = ("time", "copies", "stops", "clauses")


def eased(world: World, but: str) -> World:
    """`world` in which only the aspect `but` can stand against removal; of several aspects at
    random one would hide what another does wrong."""
    policy, run = world.policy, world.run
    for aspect in ASPECTS:
        if aspect != but:
            policy, run = EASE[aspect](policy, run)
    return replace(world, policy=policy, run=run)


def _with_clauses(policy: PolicyFact, **changes: Any) -> PolicyFact:
    return replace(policy, clauses=tuple(replace(c, **changes) for c in policy.clauses))


def _ease_time(policy: PolicyFact, run: RunFacts) -> tuple[PolicyFact, RunFacts]:
    dates = dict.fromkeys(("assessed_at", "closed_at", "beamtime_end", "reviewed_at"), START)
    policy = _with_clauses(policy, keep=Span(0, "hours"), counted_from="closed")
    return policy, replace(run, **dates)


def _ease_copies(policy: PolicyFact, run: RunFacts) -> tuple[PolicyFact, RunFacts]:
    good = tuple(
        replace(r, state="verified", verified_at=START, store=f"{r.tier}-{r.id}", kind="RAW")
        for r in run.replicas
    )
    policy = _with_clauses(policy, verified_within=None, remaining_tiers=ANY)
    return policy, replace(run, replicas=good)


def _ease_stops(policy: PolicyFact, run: RunFacts) -> tuple[PolicyFact, RunFacts]:
    return policy, replace(run, holds=(), status="closed")


def _ease_clauses(policy: PolicyFact, run: RunFacts) -> tuple[PolicyFact, RunFacts]:
    names = ("kinds", "qualities", "tiers", "experiments_excluded", "proposal_states")
    return _with_clauses(policy, **dict.fromkeys(names, ANY)), run


EASE = {
    "time": _ease_time,
    "copies": _ease_copies,
    "stops": _ease_stops,
    "clauses": _ease_clauses,
}
wild = st.builds(
    World,
    policy=st.one_of(*map(policies, (1, 2, 1, 2, 1, 2, 3, 0))),
    run=st.one_of(*map(runs, (3, 4, 3, 4, 2, 1))),
    now=moments,
    zone=st.sampled_from([BERLIN, UTC]),
)
worlds = st.one_of(wild, *(st.builds(eased, wild, st.just(aspect)) for aspect in ASPECTS))


def _crowd(world: World, minima: tuple[int, ...]) -> World:
    clauses = tuple(
        ClauseFact(
            order=order,
            kinds=ANY,
            qualities=ANY,
            tiers=frozenset({tier}),
            keep=Span(0, "hours"),
            counted_from="closed",
            minimum_replicas=least,
            remaining_tiers=ANY,
            verified_within=None,
            grace=Span(0, "hours"),
        )
        for order, (tier, least) in enumerate(zip(TIERS, minima, strict=True))
    )
    return replace(eased(world, but=""), policy=PolicyFact("Standard", 3, clauses))


# Replicas that could all go but for the number that must remain, which differs from tier to tier.
crowds = st.builds(_crowd, wild, st.tuples(*[st.integers(0, 3)] * len(TIERS)))
