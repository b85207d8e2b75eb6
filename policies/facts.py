"""What the judgement knows: a policy, a run and its replicas as plain values, without tables.

Whoever builds them reads the rows once; every value is checked here, so that a misspelt quality
is an error and not a run that is quietly judged by no clause. Moments are aware and kept in UTC:
two that share a zone with summer time would be compared by their wall clocks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from catalogue.ground.calendar import Span

QUALITIES = ("good", "unclear", "not_interesting", "")
"""The assessments; "" is no mark yet."""

STATUSES = ("open", "closed", "aborted")
"""Of a run; an aborted one takes no more data, like a closed one."""

TIERS = ("elsewhere", "export", "online", "offline", "mass_storage", "tape")
"""From the first to be given up to the last."""

STATES = (
    *("expected", "copying", "copied", "verified", "scheduled", "trashed"),
    *("removed", "lost", "corrupt"),
)
"""Of a replica; "scheduled" is scheduled for removal, "trashed" is in the store's trash."""

BEGINNINGS = ("assessed", "closed", "verified", "beamtime_end", "reviewed")
"""From what a clause counts its time: the mark (of a mark on an open run, its close), the run's
close, the first verification of the replica in question, the end of the last beamtime, the
review."""


def _one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{what} is one of {', '.join(map(repr, known))}, not {value!r}")


def _some_of(what: str, values: frozenset[str], known: tuple[str, ...]) -> None:
    for value in values:
        _one_of(what, value, known)


def _among(value: str, allowed: frozenset[str]) -> bool:
    return not allowed or value in allowed


def in_utc(what: str, moment: datetime) -> datetime:
    """`moment` in UTC; ValueError if it has no zone."""
    if moment.utcoffset() is None:
        raise ValueError(f"{what} needs a zone: {moment.isoformat()}")
    return moment.astimezone(UTC)


def _keep_in_utc(facts: object, *names: str) -> None:
    for name in names:
        moment = getattr(facts, name)
        if moment is not None:
            object.__setattr__(facts, name, in_utc(name, moment))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseFact:
    """One rule of a policy: of what it speaks, how long that is kept, and what must remain.

    - It speaks of replicas of `kinds` in stores of `tiers`, of runs marked one of `qualities`,
      while the proposal is in one of `proposal_states`; but not of runs of `experiments_excluded`.
      An empty set means any: any kind, tier, quality, state; and as `remaining_tiers`, any tier.
    - `keep` after `counted_from` the replica need not be kept; None: for ever.
    - Even then `minimum_replicas` other copies must remain, in different stores on
      `remaining_tiers`, verified not longer ago than `verified_within` (None: whenever).
    - From the notice to the first byte that goes, `grace` must pass.
    - `text` is the clause in its author's words, shown after the reasons.
    """

    order: int
    kinds: frozenset[str]
    qualities: frozenset[str]
    tiers: frozenset[str]
    keep: Span | None
    counted_from: str
    minimum_replicas: int
    remaining_tiers: frozenset[str]
    verified_within: Span | None
    grace: Span
    experiments_excluded: frozenset[str] = frozenset()
    proposal_states: frozenset[str] = frozenset()
    text: str = ""

    def __post_init__(self) -> None:
        _some_of("a clause's quality", self.qualities, QUALITIES)
        _some_of("a clause's tier", self.tiers | self.remaining_tiers, TIERS)
        _one_of("what a clause counts from", self.counted_from, BEGINNINGS)
        if self.minimum_replicas < 0:
            raise ValueError(f"a minimum is not negative: {self.minimum_replicas}")

    def speaks_of(self, run: RunFacts, replica: ReplicaFact, quality: str) -> bool:
        """Whether this clause is about `replica`, the run being taken for one of `quality`."""
        return (
            _among(replica.kind, self.kinds)
            and _among(replica.tier, self.tiers)
            and _among(quality, self.qualities)
            and _among(run.proposal_state, self.proposal_states)
            and run.experiment not in self.experiments_excluded
        )

    def counts_on(self, tier: str) -> bool:
        """Whether a copy on `tier` is one of those that remain."""
        return _among(tier, self.remaining_tiers)


@dataclass(frozen=True, slots=True)
class PolicyFact:
    """A version of a policy; its clauses are read in their order and the first that speaks wins."""

    name: str
    version: int
    clauses: tuple[ClauseFact, ...]

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.clauses, key=lambda clause: clause.order))
        if len({clause.order for clause in ordered}) < len(ordered):
            raise ValueError(f"two clauses of policy {self.name!r} have the same order")
        object.__setattr__(self, "clauses", ordered)

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"


@dataclass(frozen=True, slots=True)
class ReplicaFact:
    """The data of one kind of a run in one store.

    `group` tells several data groups of a kind apart, which hold different files; `place` is where
    the bytes lie, for stores that are names of one place (else the store itself).
    `verified_at` is the latest verification, `first_verified_at` the first (where unknown, the
    latest serves). `notice_at` is when it was announced that this replica will go, and
    `announced_for` the date that was named; whoever takes the announcement back sets both to None.
    """

    id: int | str
    kind: str
    store: str
    tier: str
    state: str
    verified_at: datetime | None
    first_verified_at: datetime | None = None
    notice_at: datetime | None = None
    announced_for: datetime | None = None
    group: int | str = ""
    place: str = ""

    def is_of_the_same_data(self, other: ReplicaFact) -> bool:
        """Whether both hold the same files."""
        return (self.kind, self.group) == (other.kind, other.group)

    @property
    def lies_in(self) -> str:
        """What two copies must not share to be two."""
        return self.place or self.store

    def __post_init__(self) -> None:
        _one_of("a replica's tier", self.tier, TIERS)
        _one_of("a replica's state", self.state, STATES)
        _keep_in_utc(self, "verified_at", "first_verified_at", "notice_at", "announced_for")


@dataclass(frozen=True, slots=True)
class HoldFact:
    """A person's stop on removal; `until` None: until it is lifted. Empty `kinds`: of all data."""

    by: str
    reason: str
    until: datetime | None
    kinds: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        _keep_in_utc(self, "until")

    def covers(self, replica: ReplicaFact, now: datetime) -> bool:
        return (not self.kinds or replica.kind in self.kinds) and (
            self.until is None or self.until > now
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """A run, all its replicas (of every kind, in every state) and the holds that cover it.

    `assessed_at` is when the present mark was made. `experiment` is the run type ("Dark" …).
    """

    quality: str
    assessed_at: datetime | None
    closed_at: datetime | None
    status: str
    beamtime_end: datetime | None
    reviewed_at: datetime | None
    proposal_state: str
    replicas: tuple[ReplicaFact, ...]
    holds: tuple[HoldFact, ...] = field(default=())
    experiment: str = ""

    def __post_init__(self) -> None:
        _one_of("a run's quality", self.quality, QUALITIES)
        _one_of("a run's status", self.status, STATUSES)
        _keep_in_utc(self, "assessed_at", "closed_at", "beamtime_end", "reviewed_at")
        if len({replica.id for replica in self.replicas}) < len(self.replicas):
            raise ValueError("two replicas of a run have the same id")

    @property
    def marked_at(self) -> datetime | None:
        """When the mark took effect: when it was made, of a mark on an open run its close."""
        if self.quality == "" or self.assessed_at is None:
            return None
        return max(self.assessed_at, self.closed_at or self.assessed_at)


@dataclass(frozen=True, slots=True)
class Case:
    """One reading of one replica: `quality` is what the run is taken for, which is its mark or,
    where it has none, "unclear"; days and years are counted in `zone`."""

    policy: PolicyFact
    run: RunFacts
    replica: ReplicaFact
    quality: str
    now: datetime
    zone: tzinfo
