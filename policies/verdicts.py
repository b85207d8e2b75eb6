"""The judgement applied to rows: what the policy in force says of the replicas of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from catalogue.ground import calendar, clock
from catalogue.ground.lifecycle import Consequence, World
from catalogue.ground.words import bytes_text
from policies import judgement, queries
from policies.facts import PolicyFact, RunFacts
from policies.judgement import Verdict
from runs.models import Replica, Run


def policy(world: World) -> PolicyFact:
    """The policy in force, read once for all rows that are judged together."""
    return world.memo("policy", lambda: queries.policy_fact(queries.in_force(world.now)))


def of_run(run: Run, world: World) -> dict[int, Verdict]:
    """A verdict for every replica of `run`, such that all removable ones may go together."""
    found = judgement.simultaneous(
        policy(world), queries.facts(run), world.now, clock.facility_zone()
    )
    return {int(v.replica): v for v in found}


def once_verified(run: Run, world: World) -> dict[int, Verdict]:
    """The verdicts as they would be if what lies online unread had been read and found whole;
    only a verified replica is removed, so this says which are worth reading for that."""
    facts = _as_if_verified(queries.facts(run), world)
    found = judgement.simultaneous(policy(world), facts, world.now, clock.facility_zone())
    return {int(v.replica): v for v in found}


def _as_if_verified(facts: RunFacts, world: World) -> RunFacts:
    replicas = (
        replace(r, state="verified", verified_at=world.now, first_verified_at=world.now)
        if r.state == "copied"
        else r
        for r in facts.replicas
    )
    return replace(facts, replicas=tuple(replicas))


def foresee_removal(run: Run, world: World) -> Iterable[Consequence]:
    """What a mark will bring about for the copies of a run, in whole sentences."""
    if run.status == Run.Status.OPEN:
        return
    replicas = {r.pk: r for g in run.data_groups.all() for r in g.replicas.all()}
    for pk, verdict in once_verified(run, world).items():
        replica = replicas[pk]
        if verdict.remove_at is not None and replica.state in ("copied", "verified", "scheduled"):
            when = calendar.say_when(verdict.remove_at, clock.facility_zone())
            size = replica.bytes or replica.data_group.bytes
            kind = replica.data_group.kind
            yield Consequence(
                f"{kind} ({bytes_text(size)}) is removed from {replica.store.place} on {when}.",
                when=verdict.remove_at,
                bytes=size,
            )
        elif replica.state == "scheduled":
            yield Consequence(f"The removal from {replica.store.place} is taken back.")
        elif replica.state == "trashed" and not (verdict.removable and verdict.noticed):
            kind = replica.data_group.kind
            yield Consequence(f"{kind} is brought back from the trash of {replica.store.place}.")


foresee_removal.reads = queries.READS  # type: ignore[attr-defined]


def sentence(replica: Replica, verdict: Verdict) -> str:
    """Why a replica is kept, or may go, and until when."""
    return " ".join(verdict.reasons)
