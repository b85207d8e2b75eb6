"""The rules of the judgement told a second time: in other words, without the code that is tested.

Also the ways in which the properties change a world.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from catalogue.ground.calendar import add
from policies.facts import TIERS, ClauseFact, ReplicaFact
from policies.judgement import Verdict, judge, simultaneous
from tests.policies.worlds import World

SECOND = timedelta(seconds=1)


def verdict_of(world: World, replica: ReplicaFact) -> Verdict:
    return judge(world.policy, world.run, replica, world.now, world.zone)


def changed(world: World, now: Any = None, policy: Any = None, **facts: Any) -> World:
    return replace(
        world,
        now=now or world.now,
        policy=policy or world.policy,
        run=replace(world.run, **facts),
    )


def with_replica(world: World, replica: ReplicaFact) -> World:
    others = (replica if r.id == replica.id else r for r in world.run.replicas)
    return changed(world, replicas=tuple(others))


def ageless(world: World) -> World:
    """The same with verifications that never grow too old and are none of the future."""
    clauses = tuple(replace(c, verified_within=None) for c in world.policy.clauses)
    replicas = tuple(
        replace(r, verified_at=r.verified_at and min(r.verified_at, world.now))
        for r in world.run.replicas
    )
    return changed(world, policy=replace(world.policy, clauses=clauses), replicas=replicas)


def fits(clause: ClauseFact, world: World, replica: ReplicaFact, quality: str) -> bool:
    pairs = [
        (clause.kinds, replica.kind),
        (clause.tiers, replica.tier),
        (clause.qualities, quality),
        (clause.proposal_states, world.run.proposal_state),
    ]
    excluded = world.run.experiment in clause.experiments_excluded
    return not excluded and all(not allowed or value in allowed for allowed, value in pairs)


def deciding(world: World, replica: ReplicaFact, quality: str) -> ClauseFact | None:
    for clause in sorted(world.policy.clauses, key=lambda c: c.order):
        if fits(clause, world, replica, quality):
            return clause
    return None


def remaining(world: World, replica: ReplicaFact, clause: ClauseFact, gone: set[Any]) -> int:
    """In how many other stores a copy would remain that the clause counts."""
    stores = set()
    for other in world.run.replicas:
        same_data = other.kind == replica.kind and other.id != replica.id
        if not same_data or other.id in gone or other.verified_at is None:
            continue
        old = clause.verified_within is not None and world.now > add(
            other.verified_at, clause.verified_within, world.zone
        )
        on_tier = other.tier in (clause.remaining_tiers or TIERS)
        if other.state == "verified" and on_tier and not old and other.verified_at <= world.now:
            stores.add(other.store)
    return len(stores - {replica.store})


def protected(world: World, replica: ReplicaFact) -> bool:
    return replica.kind == "RAW" and world.run.quality in {"good", "unclear", ""}


def required(world: World, replica: ReplicaFact, clause: ClauseFact) -> int:
    return max(clause.minimum_replicas, 1 if protected(world, replica) else 0)


def end_of(world: World, replica: ReplicaFact, clause: ClauseFact) -> datetime | None:
    """When the clause's time is over, counted from the facts; None: never, as they stand."""
    run = world.run
    marks = [m for m in (run.assessed_at, run.closed_at) if m is not None]
    begin = {
        "assessed": max(marks) if run.quality and run.assessed_at else None,
        "closed": run.closed_at,
        "verified": replica.first_verified_at or replica.verified_at,
        "beamtime_end": run.beamtime_end,
        "reviewed": run.reviewed_at,
    }[clause.counted_from]
    if begin is None or clause.keep is None:
        return None
    return add(begin, clause.keep, world.zone)


def governing(world: World, replica: ReplicaFact) -> list[ClauseFact]:
    """The clauses that must all allow it: of a run without a mark, the one for Unclear too."""
    quality = world.run.quality
    found = [deciding(world, replica, quality or "unclear")]
    if quality == "":
        found.append(deciding(world, replica, "") or found[0])
    return [clause for clause in found if clause is not None]


def allowed(world: World, replica: ReplicaFact) -> bool:
    """Whether removal may be announced, by the hard rules and the clauses."""
    run, now = world.run, world.now
    held = any(
        (not hold.kinds or replica.kind in hold.kinds) and (hold.until is None or now < hold.until)
        for hold in run.holds
    )
    if run.status == "open" or held or replica.state not in {"verified", "scheduled", "trashed"}:
        return False
    if deciding(world, replica, run.quality or "unclear") is None:
        return False
    return all(
        is_over(world, replica, clause)
        and remaining(world, replica, clause, set()) >= required(world, replica, clause)
        for clause in governing(world, replica)
    )


def is_over(world: World, replica: ReplicaFact, clause: ClauseFact) -> bool:
    end = end_of(world, replica, clause)
    return end is not None and end <= world.now


def moments_that_matter(world: World) -> Iterator[datetime]:
    """Each moment at which a rule may begin or cease to speak."""
    yield world.now
    yield from (hold.until for hold in world.run.holds if hold.until)
    for replica in world.run.replicas:
        for clause in governing(world, replica):
            end = end_of(world, replica, clause)
            yield from [end] if end else []
            if clause.verified_within is not None and replica.verified_at:
                yield add(replica.verified_at, clause.verified_within, world.zone)
        yield from [replica.verified_at] if replica.verified_at else []


def together(world: World) -> list[Verdict]:
    return simultaneous(world.policy, world.run, world.now, world.zone)


def enough_remain(world: World) -> bool:
    gone = {v.replica for v in together(world) if v.removable}
    return all(
        remaining(world, replica, clause, gone) >= required(world, replica, clause)
        for replica in world.run.replicas
        if replica.id in gone
        for clause in governing(world, replica)
    )
