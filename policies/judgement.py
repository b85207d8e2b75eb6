"""What a policy says of one replica today: pure, from facts to a verdict with its reasons.

Two things decide. The clauses of the policy: the first, in order, that speaks of the replica says
how long it is kept, which copies must remain, and how long notice is given; where none speaks, it
is kept for ever. And rules that hold whatever a policy says:

- nothing of an open run is removed;
- a hold that covers the data keeps them;
- only a verified replica is removed as a copy; one that is scheduled or in the trash was such;
- a run without a mark is judged as Unclear; a clause that names "no mark" can only be stricter;
- RAW of a run that is not marked Not interesting keeps at least one other verified copy, or as
  many as the clause asks for. A copy that is scheduled for removal, in the trash, corrupt, lost or
  verified too long ago is not one, nor is a second one in the same place, nor one of other data
  of the same kind.

`Verdict.removable` says that removal may be announced; `Verdict.may_go` that bytes may go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from catalogue.ground.calendar import add
from policies import sentences
from policies.facts import (
    TIERS,
    Case,
    ClauseFact,
    HoldFact,
    PolicyFact,
    ReplicaFact,
    RunFacts,
    in_utc,
)

__all__ = [
    "ClauseFact",
    "HoldFact",
    "PolicyFact",
    "ReplicaFact",
    "RunFacts",
    "Verdict",
    "judge",
    "simultaneous",
]

_WAS_VERIFIED = frozenset({"verified", "scheduled", "trashed"})
_NOT_THERE = frozenset({"removed", "expected"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy says of `replica` at one moment.

    - `removable`: nothing speaks against announcing its removal now.
    - `keep_until`: the moment up to which clause and holds keep it at least (in the past where it
      is removable); None: for ever, or until something other than time happens.
    - `remove_at`: the earliest moment at which bytes may go if only time passes: after `keep_until`
      and after the grace, which begins with the notice, and where none was given could begin then
      or now; None where time alone does not bring it about.
    - `noticed`: a notice that counts has been given.
    - `reasons`: whole sentences, those that keep it first. `clause`: the order of the deciding one.
    """

    replica: int | str
    removable: bool
    keep_until: datetime | None
    remove_at: datetime | None
    noticed: bool
    reasons: tuple[str, ...]
    clause: int | None
    policy: str

    def may_go(self, now: datetime) -> bool:
        """Whether bytes may go at `now`: removable, announced, and the grace has passed."""
        return (
            self.removable and self.noticed and self.remove_at is not None and self.remove_at <= now
        )


@dataclass(frozen=True, slots=True)
class _Point:
    """One thing found. `blocks`: it speaks against removal; `until`: the moment at which it falls
    away by itself, None where time does not decide it; `dated`: clause or hold, which say how long
    data are kept, while a missing copy says only that they are."""

    reason: str
    blocks: bool = True
    until: datetime | None = None
    dated: bool = False


def judge(
    policy: PolicyFact, run: RunFacts, replica: ReplicaFact, now: datetime, zone: tzinfo
) -> Verdict:
    """What `policy` says of `replica` of `run` at `now`; days and years as counted in `zone`.

    Of a run without a mark the stricter of two readings holds: as Unclear, and by a clause that
    names "no mark", if there is one.
    """
    now = in_utc("now", now)
    if run.quality:
        return _read(Case(policy, run, replica, run.quality, now, zone))
    as_unclear = _read(Case(policy, run, replica, "unclear", now, zone))
    unmarked = Case(policy, run, replica, "", now, zone)
    if _clause(unmarked) is None:
        return as_unclear
    return max(as_unclear, _read(unmarked), key=lambda verdict: _strictness(verdict, now))


def simultaneous(policy: PolicyFact, run: RunFacts, now: datetime, zone: tzinfo) -> list[Verdict]:
    """A verdict for every replica of `run`, such that all removable ones may go together.

    Judged from the tier first given up (`facts.TIERS`: elsewhere, export, online … tape), then by
    store and id: a replica found removable is no copy for those after it, and one that an earlier
    one needs to remain is kept.
    """
    verdicts: list[Verdict] = []
    granted: list[ReplicaFact] = []
    for replica in sorted(run.replicas, key=_first_given_up):
        verdict = judge(policy, run, replica, now, zone)
        if verdict.removable:
            after = _without(run, replica)
            robbed = [r for r in granted if not judge(policy, after, r, now, zone).removable]
            if robbed:
                verdict = _kept_for(verdict, robbed[0])
            else:
                run = after
                granted.append(replica)
        verdicts.append(verdict)
    return verdicts


def _first_given_up(replica: ReplicaFact) -> tuple[int, str, str]:
    return TIERS.index(replica.tier), replica.store, str(replica.id)


def _without(run: RunFacts, gone: ReplicaFact) -> RunFacts:
    """`run` as it is once the removal of `gone` has been announced."""
    replicas = (replace(r, state="scheduled") if r.id == gone.id else r for r in run.replicas)
    return replace(run, replicas=tuple(replicas))


def _kept_for(verdict: Verdict, other: ReplicaFact) -> Verdict:
    reasons = (sentences.of_promise(other), *verdict.reasons)
    return replace(verdict, removable=False, keep_until=None, remove_at=None, reasons=reasons)


def _strictness(verdict: Verdict, now: datetime) -> tuple[bool, bool, datetime, bool, datetime]:
    return (
        not verdict.removable,
        verdict.remove_at is None,
        verdict.remove_at or now,
        verdict.keep_until is None,
        verdict.keep_until or now,
    )


# ---------------------------------------------------------------- one reading


def _clause(case: Case) -> ClauseFact | None:
    """The first clause that speaks of the replica."""
    clauses = case.policy.clauses
    return next((c for c in clauses if c.speaks_of(case.run, case.replica, case.quality)), None)


def _read(case: Case) -> Verdict:
    clause = _clause(case)
    points = _whatever_the_clause(case)
    if clause is None:
        points.append(_Point(sentences.of_no_clause(case), dated=True))
    else:
        points.append(_time(case, clause))
        points.extend(_too_few_copies(case, clause))
    blocking = [p for p in points if p.blocks]
    by_time_alone = all(p.until is not None for p in blocking)
    ends = [p.until for p in points if p.until is not None]
    reasons = [p.reason for p in blocking] + [p.reason for p in points if not p.blocks]
    notice, remove_at = None, None
    if clause is not None and by_time_alone:
        notice = _notice(case)
        remove_at = _remove_at(case, clause, max(ends), notice)
        reasons.extend(_of_notice(case, clause, notice, remove_at))
    if clause is not None and clause.text:
        reasons.append(clause.text)
    return Verdict(
        replica=case.replica.id,
        removable=not blocking,
        keep_until=_keep_until(points, case.now),
        remove_at=remove_at,
        noticed=notice is not None,
        reasons=tuple(reasons),
        clause=clause.order if clause else None,
        policy=str(case.policy),
    )


def _whatever_the_clause(case: Case) -> list[_Point]:
    """What no policy can overrule, but for the copies, whose number a clause may raise."""
    points: list[_Point] = []
    if case.run.status == "open":
        points.append(_Point(sentences.RUN_IS_OPEN))
    if case.replica.state not in _WAS_VERIFIED:
        points.append(_Point(sentences.of_state(case.replica)))
    points.extend(
        _Point(sentences.of_hold(hold, case.zone), until=hold.until, dated=True)
        for hold in case.run.holds
        if hold.covers(case.replica, case.now)
    )
    return points


def _time(case: Case, clause: ClauseFact) -> _Point:
    """How long the clause keeps the replica."""
    begin = _begin(case, clause)
    end = None
    if begin is not None and clause.keep is not None:
        end = add(begin, clause.keep, case.zone)
    return _Point(
        sentences.of_clause(case, clause, end),
        blocks=end is None or end > case.now,
        until=end,
        dated=True,
    )


def _begin(case: Case, clause: ClauseFact) -> datetime | None:
    run, replica = case.run, case.replica
    return {
        "assessed": run.marked_at,
        "closed": run.closed_at,
        "verified": replica.first_verified_at or replica.verified_at,
        "beamtime_end": run.beamtime_end,
        "reviewed": run.reviewed_at,
    }[clause.counted_from]


def _too_few_copies(case: Case, clause: ClauseFact) -> list[_Point]:
    """The hard floor for RAW, which a clause can raise; for other kinds what the clause says."""
    irreplaceable = case.replica.kind == "RAW" and case.run.quality != "not_interesting"
    needed = max(1 if irreplaceable else 0, clause.minimum_replicas)
    stores: set[str] = set()
    uncounted: list[str] = []
    for other in case.run.replicas:
        if other.id == case.replica.id or not other.is_of_the_same_data(case.replica):
            continue
        why_not = _why_not_counted(case, clause, other)
        if not why_not:
            stores.add(other.lies_in)
        elif other.state not in _NOT_THERE:
            uncounted.append(f"{other.store} ({why_not})")
    if len(stores) >= needed:
        return []
    return [_Point(sentences.of_copies(clause, needed, len(stores), uncounted))]


def _why_not_counted(case: Case, clause: ClauseFact, other: ReplicaFact) -> str:
    """Why `other` is not a copy that remains; empty if it is one."""
    if other.state != "verified" or other.verified_at is None:
        return sentences.of_other_state(other)
    if other.lies_in == case.replica.lies_in:
        return "the same store"
    if not clause.counts_on(other.tier):
        return "another tier"
    if other.verified_at > case.now:
        return "its verification is dated ahead of now"
    within = clause.verified_within
    if within is not None and add(other.verified_at, within, case.zone) < case.now:
        return sentences.of_other_age(other.verified_at, case.zone)
    return ""


# ---------------------------------------------------------------- dates


def _keep_until(points: list[_Point], now: datetime) -> datetime | None:
    dated = [p.until for p in points if p.dated]
    ends = [end for end in dated if end is not None]
    if len(ends) < len(dated):
        return None
    latest = max(ends)
    kept_by_no_date = any(p.blocks and p.until is None for p in points)
    return None if kept_by_no_date and latest <= now else latest


def _notice(case: Case) -> datetime | None:
    """When notice was given, if it counts: one from before the present mark, or from before the
    run closed, spoke of another state of things."""
    given = case.replica.notice_at
    since = [m for m in (case.run.assessed_at, case.run.closed_at) if m is not None]
    return None if given is None or any(given < moment for moment in since) else given


def _remove_at(
    case: Case, clause: ClauseFact, kept_until: datetime, notice: datetime | None
) -> datetime:
    """The grace runs from the notice; a later date that the notice named is kept to."""
    if notice is None:
        return add(max(kept_until, case.now), clause.grace, case.zone)
    after_grace = add(notice, clause.grace, case.zone)
    return max(kept_until, after_grace, case.replica.announced_for or after_grace)


def _of_notice(
    case: Case, clause: ClauseFact, notice: datetime | None, remove_at: datetime
) -> list[str]:
    given = case.replica.notice_at
    old = [sentences.of_old_notice(given, case.zone)] if given and notice is None else []
    return [*old, sentences.of_removal(clause, notice, remove_at, case.zone)]
