"""Keeping groups and folders of proposals in step with what they should be: what is written down of
them, when they are looked at again, and what people may ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q, QuerySet

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import SCHEDULE, WORKER, Actor
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.lifecycle import World
from catalogue.ground.refusal import Refused
from proposals import access, preparing, template
from proposals.differences import Difference, Plan
from proposals.models import Drift, Preparation, Proposal

RENEW = "proposals.renew_access"
LOOK = "proposals.look_at_preparation"
APPLY = "proposals.apply_preparation"
EMPTIED = "Its groups are emptied: nobody of the team has access by them any more."
CHECK_EVERY = timedelta(hours=1)
AT_ONCE = 100
"""So many proposals are compared with their teams, or sent to be looked at, by one sweep."""


def lane(proposal: Proposal) -> str:
    """Whatever writes groups and folders of one proposal does so one after the other: the later
    knows the team better."""
    return f"proposals.proposal:{proposal.pk}:preparation"


def renewal(proposal: Proposal, world: World) -> list[Wanted]:
    """What a move that ends the beamtime's access means: only where a group was written."""
    if not written(proposal):
        return []
    return [Wanted(RENEW, proposal, says=EMPTIED, lane=lane(proposal))]


def written(proposal: Proposal) -> list[dict[str, Any]]:
    """The groups that were written last."""
    found = Preparation.objects.filter(proposal=proposal).values_list("groups", flat=True).first()
    return found or []


def team_changed(proposal: Proposal, *, by: Actor) -> None:
    """The team is another; where groups of it were written they are brought up to date. Called in
    the transaction of the change."""
    if written(proposal):
        enqueue([Wanted(RENEW, proposal, lane=lane(proposal))], by=by)


@transaction.atomic
def ask_to_look(proposal: Proposal, *, by: Actor) -> None:
    """Have a worker compare groups and folders with what they should be."""
    access.require(by, words.PREPARE, proposal)
    enqueue([Wanted(LOOK, proposal, lane=lane(proposal))], by=by)


@transaction.atomic
def ask_to_apply(proposal: Proposal, *, digest: str, by: Actor, reason: str = "") -> None:
    """Have a worker do what the plan of that digest says; the one that was shown."""
    problem = why_not_apply(proposal, by)
    if problem is not None:
        raise problem
    known = Preparation.objects.filter(proposal=proposal).first()
    if known is None or not known.looked_at or known.digest != digest:
        raise Refused("The plan has changed since it was shown; look at the new one first.")
    journal.write(proposal, "apply preparation", by=by, reason=reason, facts={"plan": digest[:12]})
    enqueue([Wanted(APPLY, proposal, params={"digest": digest}, lane=lane(proposal))], by=by)


def why_not_apply(proposal: Proposal, by: Actor) -> Refused | None:
    """Why a plan of this proposal is not applied by hand, or None."""
    refusal = access.refusal(by, words.PREPARE, proposal)
    if refusal is not None:
        return refusal
    if proposal.state in ("N", "WLC", "LDC", "WFC"):
        return Refused("Its preparation makes these by itself: “Prepare beamtime” starts it.")
    return None


def record_groups(proposal: Proposal, applied: preparing.Applied, *, by: Actor = WORKER) -> None:
    """Write down which groups there are now; tell the journal whom that gave access, and whose
    ended. In the transaction that ends the job."""
    now = clock.now()
    row, _ = Preparation.objects.select_for_update().get_or_create(proposal=proposal)
    before = {g["name"]: set(g["members"]) for g in row.groups}
    row.groups = list(applied.groups)
    row.written_at = row.checked_at = now
    row.save(update_fields=["groups", "written_at", "checked_at"])
    for group in row.groups:
        there, known = set(group["members"]), before.get(group["name"], set())
        if there != known:
            facts = {
                "group": group["name"], "number": group["number"],
                "added": sorted(there - known), "taken out": sorted(known - there),
            }  # fmt: skip
            journal.write(proposal, "write group", by=by, facts=facts)


@transaction.atomic
def record_look(proposal: Proposal, found: Plan, *, not_done: Sequence[str] | None = None) -> None:
    """Write down what differs, each since when; `not_done` are what an application left."""
    now = clock.now()
    row, _ = Preparation.objects.select_for_update().get_or_create(proposal=proposal)
    row.looked_at, row.digest, row.notes = now, found.digest, list(found.notes)
    if not_done is not None:
        row.applied_at, row.not_done = now, list(not_done)
    row.save()
    since = {(d.place, d.thing, d.what): d.since for d in row.drifts.all()}
    row.drifts.all().delete()
    Drift.objects.bulk_create(
        _drift(row, n, difference, since, now) for n, difference in enumerate(found.differences)
    )


def _drift(
    row: Preparation, n: int, found: Difference, since: dict[tuple[str, str, str], datetime],
    now: datetime,
) -> Drift:  # fmt: skip
    return Drift(
        preparation=row, order=n, place=found.place, thing=found.thing, what=found.what,
        found=found.found, wanted=found.wanted, act=found.act,
        since=since.get((found.place, found.thing, found.what), now),
    )  # fmt: skip


def renew_due(now: datetime) -> int:
    """Ask for the renewal of groups that are not what the team says: somebody's time is over, an
    account was closed, a member was changed by another way. Part of the schedule; each proposal is
    compared once an hour, by what was written, without asking the directory."""
    due = Q(checked_at__lte=now - CHECK_EVERY) | Q(checked_at__isnull=True)
    rows = Preparation.objects.filter(due).exclude(groups=[]).order_by("checked_at")
    found = list(rows.select_related("proposal__instrument", "proposal__cycle")[:AT_ONCE])
    if not found:
        return 0
    rules, day = preparing.current_template(in_stores=False), access.today()
    wanted: list[Wanted] = []
    for row in found:
        proposal = row.proposal
        groups = template.wanted(rules, preparing.facts(proposal, (), day, row.groups)).groups
        should = {g.name: list(g.members) for g in groups}
        if any(should.get(g["name"], g["members"]) != g["members"] for g in row.groups):
            wanted.append(Wanted(RENEW, proposal, lane=lane(proposal)))
    with transaction.atomic():
        Preparation.objects.filter(pk__in=[row.pk for row in found]).update(checked_at=now)
        enqueue(wanted, by=SCHEDULE)
    return len(wanted)


def look_due(now: datetime) -> int:
    """Have prepared proposals looked at that were not for so long; part of the schedule. A closed
    one is looked at until nothing differs any more."""
    hours: float = settings.DRIFT_HOURS
    if not hours:
        return 0
    long_ago = Q(looked_at__lte=now - timedelta(hours=hours))
    over = Q(proposal__state__in=preparing.OVER)
    rows = Preparation.objects.filter(long_ago).exclude(over & Q(drifts__isnull=True))
    due = list(rows.select_related("proposal").order_by("looked_at").distinct()[:AT_ONCE])
    if due:
        with transaction.atomic():
            # Written first, so that the next sweep asks for others.
            Preparation.objects.filter(pk__in=[r.pk for r in due]).update(looked_at=now)
            enqueue([Wanted(LOOK, r.proposal, lane=lane(r.proposal)) for r in due], by=SCHEDULE)
    return len(due)


def drifts(actor: Actor) -> QuerySet[Drift]:
    """What differs on the proposals that `actor` may prepare, the oldest difference first."""
    mine = Proposal.objects.filter(access.holding(actor, words.PREPARE))
    found: models.QuerySet[Drift] = Drift.objects.filter(preparation__proposal__in=mine)
    return found.select_related("preparation__proposal__instrument").order_by("since", "id")


def of(proposal: Proposal) -> Preparation | None:
    """How its groups and folders stand, with what differs."""
    rows = Preparation.objects.filter(proposal=proposal).prefetch_related("drifts")
    return rows.first()
