"""Removing what a verdict allows: into the store's trash, and later for good.

The decision is a move of the replica, which the policies guard; it is journaled and committed
before the first byte goes. Only files the catalogue knows are touched.
"""

from __future__ import annotations

from collections.abc import Callable

from catalogue.ground import clock
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import enqueue
from catalogue.ground.lifecycle import Outcome, Refused, Work, World, advance, performs
from runs import plans, queries
from runs.models import Replica
from runs.workers import places


@performs("runs.remove_replica", plan=plans.removal)
def remove_replica(work: Work) -> Outcome | None:
    """Move the files of a scheduled replica to its store's trash."""
    replica: Replica = work.subject(Replica)
    if replica.state == Replica.State.SCHEDULED:
        if _stale(work, replica):
            return Outcome(result={"left out": "The removal was announced anew for later."})
        try:
            advance(replica.remove, by=WORKER, reason=replica.verdict, at=clock.now())
        except Refused as refusal:
            return Outcome(_kept_for(replica, refusal), {"left out": str(refusal)})
    if replica.state != Replica.State.TRASHED:
        return Outcome(result={"left out": f"The replica is {replica.get_state_display()}."})
    receipt = places.mover(replica.store).trash(
        places.of_replica(replica), queries.entries(replica.data_group), key=replica.trash_key
    )
    return Outcome(result={"files": receipt.files, "bytes": receipt.bytes})


def _kept_for(replica: Replica, refusal: Refused) -> Callable[[], object]:
    """What was announced and is refused on its day is kept; keeping it has it judged anew."""

    def record() -> None:
        there = Replica.objects.get(pk=replica.pk)
        if there.state == Replica.State.SCHEDULED:
            advance(there.keep, by=WORKER, reason=str(refusal))

    return record


def _stale(work: Work, replica: Replica) -> bool:
    """Whether this job belongs to an announcement that was taken back and made again."""
    notice = replica.notice_at.isoformat() if replica.notice_at else ""
    return bool(work.job.params.get("notice") != notice)


@performs("runs.purge_replica", plan=plans.purging)
def purge_replica(work: Work) -> Outcome | None:
    """Delete what has lain in the store's trash for its time, if nothing wants it back by then.
    Again the decision is a move of its own before the first byte goes; a job that finds it made
    goes on from there, also where a new copy has been reported since."""
    replica: Replica = work.subject(Replica)
    mover = places.mover(replica.store)
    entries = queries.entries(replica.data_group)
    place = places.of_replica(replica)
    if replica.state == Replica.State.TRASHED:
        # A removal that died half-way is finished first, so that the trash holds all of it. What is
        # nowhere any more need not go: otherwise the replica would stay in the trash for ever.
        mover.trash(place, entries, key=replica.trash_key, partial=True)
        try:
            advance(replica.purge, by=WORKER, at=clock.now())
        except Refused as refusal:
            return Outcome(_brought_back_for(replica, refusal), {"left out": str(refusal)})
    if replica.state == Replica.State.LOST:
        return None
    receipt = mover.purge(place.mount, key=replica.trash_key, entries=entries)
    return Outcome(result={"files": receipt.files, "bytes": receipt.bytes})


def _brought_back_for(replica: Replica, refusal: Refused) -> Callable[[], object]:
    wanted = list(plans.restoration(replica, World(by=WORKER, reason=str(refusal))))
    return lambda: enqueue(wanted, by=WORKER)


@performs("runs.restore_replica", plan=plans.restoration)
def restore_replica(work: Work) -> Outcome | None:
    """Bring a replica back from the store's trash; it counts again once it has been read back."""
    replica: Replica = work.subject(Replica)
    if replica.state != Replica.State.TRASHED:
        return None
    places.mover(replica.store).restore(
        places.of_replica(replica), queries.entries(replica.data_group), key=replica.trash_key
    )
    reason = str(work.job.params.get("reason", "The data are wanted again."))
    return Outcome(lambda: advance(replica.restore, by=WORKER, reason=reason))
