"""Rows as the facts of the judgement: the policy in force, and what is known of a run."""

from __future__ import annotations

from datetime import datetime
from posixpath import normpath

from django.db.models import Q, QuerySet

from catalogue.ground import access as words
from catalogue.ground.actor import Actor
from catalogue.ground.calendar import Span
from policies.facts import ClauseFact, HoldFact, PolicyFact, ReplicaFact, RunFacts
from policies.models import Clause, Hold, Policy
from proposals import access
from proposals.models import Proposal
from runs.models import Replica, Run

# What takes two people.
LIFT = "lift a hold"
ADOPT = "adopt a policy"

# The relations that the facts of a run are made of.
READS = (
    "proposal__beamtimes",
    "proposal__holds",
    "experiment__type",
    "data_groups__replicas__store",
)


def in_force(now: datetime) -> Policy | None:
    """The newest adopted policy version whose day has come."""
    return (
        Policy.objects.filter(valid_from__lte=now, state=Policy.State.ADOPTED)
        .order_by("-valid_from", "-version")
        .prefetch_related("clauses")
        .first()
    )


def versions() -> QuerySet[Policy]:
    """All versions of policies; everybody with an account may read them."""
    return Policy.objects.prefetch_related("clauses")


def may_draft(actor: Actor) -> bool:
    """Whether `actor` drafts policies, and agrees to those of others."""
    return words.POLICY in words.facility_wide(actor, access.today())


def drafts() -> QuerySet[Policy]:
    """The versions that wait for somebody to agree, the newest first."""
    found = Policy.objects.filter(state=Policy.State.DRAFT)
    return found.prefetch_related("clauses").order_by("-pk")


def coming(now: datetime) -> QuerySet[Policy]:
    """The adopted versions whose day is still to come."""
    found = Policy.objects.filter(valid_from__gt=now, state=Policy.State.ADOPTED)
    return found.order_by("valid_from")


def next_change(now: datetime) -> datetime | None:
    """When the next policy version comes into force, if one is adopted already."""
    return coming(now).values_list("valid_from", flat=True).first()


def runs_with_data() -> QuerySet[Run]:
    """The runs of which a replica is left that a policy can speak of."""
    there = Replica.objects.exclude(state__in=Replica.GONE)
    return Run.objects.filter(data_groups__in=there.values("data_group")).distinct()


def policy_fact(policy: Policy | None) -> PolicyFact:
    """A policy as the judgement knows it. Without one nothing is ever removed."""
    if policy is None:
        return PolicyFact(name="None in force", version=0, clauses=())
    clauses = tuple(clause_fact(c) for c in policy.clauses.all())
    return PolicyFact(name=policy.name, version=policy.version, clauses=clauses)


def clause_fact(clause: Clause) -> ClauseFact:
    """A clause row as the judgement knows it."""
    return ClauseFact(
        order=clause.order,
        kinds=frozenset(clause.kinds),
        qualities=frozenset(clause.qualities),
        tiers=frozenset(clause.tiers),
        keep=_span(clause.keep_count, clause.keep_unit),
        counted_from=clause.counted_from,
        minimum_replicas=clause.minimum_replicas,
        remaining_tiers=frozenset(clause.remaining_tiers),
        verified_within=_span(clause.verified_within_count, clause.verified_within_unit),
        grace=Span(clause.grace_count, clause.grace_unit),  # type: ignore[arg-type]
        experiments_excluded=frozenset(clause.experiments_excluded),
        proposal_states=frozenset(clause.proposal_states),
        text=clause.text,
    )


def _span(count: int | None, unit: str) -> Span | None:
    return None if count is None else Span(count, unit)  # type: ignore[arg-type]


def facts(run: Run) -> RunFacts:
    """What the judgement has to know of `run`; reads only the relations in `READS`."""
    proposal = run.proposal
    ends = [b.end_at for b in proposal.beamtimes.all()]
    replicas = [
        replica_fact(replica, group.kind)
        for group in run.data_groups.all()
        for replica in group.replicas.all()
    ]
    return RunFacts(
        quality=run.quality,
        assessed_at=run.assessed_at,
        closed_at=run.end_at,
        status=run.status,
        beamtime_end=max(ends) if ends else None,
        reviewed_at=_reviewed_at(proposal),
        proposal_state=proposal.state,
        replicas=tuple(replicas),
        holds=tuple(hold_fact(h) for h in proposal.holds.all() if _covers(h, run)),
        experiment=run.experiment.type.name if run.experiment else "",
    )


def _reviewed_at(proposal: Proposal) -> datetime | None:
    """Reviewed proposals keep the moment in `state_since` until they are closed."""
    return proposal.state_since if proposal.state in ("FR", "WCLD", "CLO") else None


def _covers(hold: Hold, run: Run) -> bool:
    return hold.state == Hold.State.ACTIVE and hold.run_id in (None, run.pk)


def replica_fact(replica: Replica, kind: str) -> ReplicaFact:
    return ReplicaFact(
        id=replica.pk,
        kind=kind,
        store=replica.store.identifier,
        tier=replica.store.tier,
        state=replica.state,
        verified_at=replica.verified_at,
        first_verified_at=replica.first_verified_at,
        notice_at=replica.notice_at,
        announced_for=replica.remove_at,
        group=replica.data_group_id,
        place=normpath(replica.store.mount),
    )


def hold_fact(hold: Hold) -> HoldFact:
    return HoldFact(
        by=hold.by_name, reason=hold.reason, until=hold.until, kinds=frozenset(hold.kinds)
    )


def run_to_judge(pk: int) -> Run:
    """A run with all that its facts are made of."""
    return (
        Run.objects.select_related("proposal", "experiment__type")
        .prefetch_related("proposal__beamtimes", "proposal__holds", "data_groups__replicas__store")
        .get(pk=pk)
    )


def holds(actor: Actor, proposal: Proposal) -> QuerySet[Hold]:
    """The holds on a proposal, for those who may see what it is."""
    if words.SEE_METADATA not in access.allowed_on(actor, proposal):
        return Hold.objects.none()
    return proposal.holds.order_by("-id")


def covering(proposal: Proposal, run: Run | None, now: datetime) -> QuerySet[Hold]:
    """Active holds that cover the proposal or this run of it."""
    return Hold.objects.filter(
        Q(run__isnull=True) | Q(run=run),
        Q(until__isnull=True) | Q(until__gt=now),
        proposal=proposal,
        state=Hold.State.ACTIVE,
    )
