"""What pages tell of many proposals at once, and of one at a glance: what waits for whom, what runs
now, what everybody may read, how far the preparation is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Count, Prefetch, Q, QuerySet

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.models import Doi, Entry, Job, Recorded
from proposals import access, queries
from proposals.models import REVIEWED, RUNNING, Membership, Proposal

# What a state waits for, by the permission of those who take it further. A running beamtime waits
# for nobody until its last block has ended.
WAITS: Mapping[str, tuple[str, ...]] = {
    words.PREPARE: ("N", "DDC"),
    words.OPERATE: ("R",),
    words.REVIEW: ("F",),
}
PREPARING = ("proposals.configure_directory", "proposals.make_folders")
UPKEEP = (
    *PREPARING,
    *("proposals.renew_access", "proposals.look_at_preparation", "proposals.apply_preparation"),
)


def waiting_for(actor: Actor) -> QuerySet[Proposal]:
    """The proposals that go on only when `actor`, or somebody with the same right, does something;
    those that have waited longest first."""
    condition = Q(pk__in=[])
    for permission, states in WAITS.items():
        condition |= access.holding(actor, permission) & Q(state__in=states)
    over = Q(state__in=RUNNING) & ~Q(beamtimes__end_at__gt=clock.now())
    condition |= access.holding(actor, words.OPERATE) & over
    consented = Q(access="embargoed", consented_by__isnull=False, state__in=REVIEWED)
    condition |= access.holding(actor, words.RELEASE) & consented
    found = queries.listed(actor).filter(condition, withdrawn_at__isnull=True)
    return found.order_by("state_since").distinct()


def running(actor: Actor) -> QuerySet[Proposal]:
    """The proposals of `actor` whose beamtime is on."""
    return (
        queries.listed(actor)
        .filter(access.holding(actor, words.SEE_METADATA), state__in=RUNNING, withdrawn_at=None)
        .order_by("instrument__identifier")
    )


def mine(actor: Actor) -> QuerySet[Proposal]:
    """The proposals in whose team `actor` is."""
    if actor.user is None:
        return Proposal.objects.none()
    return queries.listed(actor).filter(memberships__user=actor.user)


def opening(actor: Actor, within: timedelta) -> QuerySet[Proposal]:
    """The proposals in whose team `actor` is and whose embargo ends soon, the next first."""
    if actor.user is None:
        return Proposal.objects.none()
    now = clock.now()
    soon = queries.opening_before(now, now + within).filter(memberships__user=actor.user)
    known = access.visible(actor).order_by().values("pk")
    return soon.filter(pk__in=known).select_related("instrument").order_by("release_at")


def published() -> QuerySet[Proposal]:
    """What everybody may read of, with what a public list shows."""
    leaders = Membership.objects.filter(role=Membership.Role.PI).select_related("user")
    return (
        Proposal.objects.filter(access.public())
        .select_related("instrument", "cycle", "doi")
        .prefetch_related("beamtimes", Prefetch("memberships", leaders, to_attr="leaders"))
        .order_by("-number")
    )


def public_record(actor: Actor, number: int) -> Proposal:
    """The proposal behind a landing page: a published one; a withdrawn one whose DOI is findable,
    for its tombstone; and, for those who may see it, one whose DOI is internal so far. Raises
    `Proposal.DoesNotExist`."""
    findable = ~Q(kind=Proposal.Kind.TEST) & Q(doi__state=Doi.State.FINDABLE, state__in=REVIEWED)
    inside = access.holding(actor, words.SEE_METADATA) & Q(doi__isnull=False)
    return (
        Proposal.objects.filter(findable | inside)
        .select_related("instrument", "cycle", "doi", "derived_from__doi")
        .get(number=number)
    )


def job_counts(proposal: Proposal) -> dict[str, int]:
    """The proposal's jobs that are not done, by state; those that wait for their day left out."""
    rows = (
        Job.objects.filter(proposal=proposal.number, state__in=["waiting", "claimed", "held"])
        .exclude(state="waiting", after__gt=clock.now())
        .values_list("state")
        .annotate(n=Count("id"))
        .order_by()
    )
    return dict(rows)


def preparation(proposal: Proposal) -> QuerySet[Job]:
    """The jobs that prepared the proposal's groups and folders, the last of each kind first."""
    return Job.objects.filter(
        subject_type=proposal._meta.label_lower, subject_id=proposal.pk, name__in=PREPARING
    )


def upkeep(proposal: Proposal) -> QuerySet[Job]:
    """The jobs that write or look at the proposal's groups and folders, the last first."""
    return Job.objects.filter(
        subject_type=proposal._meta.label_lower, subject_id=proposal.pk, name__in=UPKEEP
    )


def withdrawal(thing: Recorded) -> Entry | None:
    """The journal's entry of how a proposal, or what belongs to it, was withdrawn."""
    return journal.of(thing).filter(move="withdraw").first()


def reached(proposal: Proposal) -> dict[str, datetime]:
    """State -> when the proposal last came to it, as the journal tells."""
    rows = journal.of(proposal).exclude(after="").order_by("id").values_list("after", "at")
    states = set(Proposal.State.values)
    return {after: at for after, at in rows if after in states}
