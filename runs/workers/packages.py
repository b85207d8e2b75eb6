"""Building a package: the payload copied and read back, the descriptions written beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date

from catalogue.ground import clock
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Wanted
from catalogue.ground.lifecycle import Outcome, Work, World, advance, performs
from catalogue.ground.words import bytes_text
from catalogue.ports.movers import Entry, Mover, Place, mover_for
from catalogue.ports.outcome import Permanent
from catalogue.publication import package as publication
from proposals import describe as proposals
from proposals.models import Proposal
from runs import describe, queries
from runs.models import DataGroup, Package
from runs.workers import places

MANIFEST = "manifest-sha256.txt"
CHANGED = "What is open of the proposal has changed while it was packaged; ask for it again."


@performs("runs.package")
def package(work: Work) -> Outcome | None:
    """One bag of the open part. It has its own folder in the export store; a killed attempt is
    continued, since the same plan gives the same bytes."""
    made: Package = work.subject(Package)
    if made.state != Package.State.REQUESTED:
        return None
    try:
        return _build(work, made)
    except Permanent as problem:
        why = problem.reason
        return Outcome(lambda: advance(made.fail, by=WORKER, reason=why, at=clock.now()))


def _build(work: Work, made: Package) -> Outcome:
    groups, files, runs = describe.open_part(made.proposal)
    try:
        plan = publication.plan(
            proposals.resource(made.proposal), files, runs, created=_day_of(made)
        )
    except ValueError as unfit:
        raise Permanent(f"This cannot be packaged: {unfit}.") from unfit
    mover = mover_for(made.store.agent)
    bag = _bag(made)
    for number, group in enumerate(groups):
        work.progress(number / len(groups), f"copying {group}")
        _copy_group(work, mover, group, places.place(made.store, f"{bag}/data/{group.folder}"))
    folder = places.place(made.store, bag)
    ours = {f"data/{g.folder}/{e.path}" for g in groups for e in queries.entries(g)}
    if any(e.path not in ours | set(plan.generated) for e in mover.listing(folder)):
        raise Permanent(CHANGED)  # an earlier attempt copied what is not open any more
    mover.write(folder, plan.generated)
    manifest = plan.generated[MANIFEST]

    def record() -> None:
        proposal = Proposal.objects.get(pk=made.proposal_id)
        there = describe.open_part(proposal)[0]
        if proposal.access != Proposal.Access.OPEN or _extent(there) != _extent(groups):
            advance(made.fail, by=WORKER, at=clock.now(), reason=CHANGED)
            return
        advance(
            made.ready,
            by=WORKER,
            at=clock.now(),
            path=bag,
            files=plan.files,
            size=plan.bytes,
            manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        )

    return Outcome(record, {"files": plan.files, "bytes": bytes_text(plan.bytes)})


def _clearing(made: Package, _: World) -> Iterable[Wanted]:
    """After the package's own job, which may still be copying when it is called off."""
    yield Wanted("runs.clear_package", made, lane=f"runs.package:{made.pk}:runs.package")


@performs("runs.clear_package", plan=_clearing)
def clear_package(work: Work) -> Outcome | None:
    """The data that were copied for a package that failed go again: nobody can ask for them, and
    some may be open no more. They are copies of copies; only files the catalogue knows go."""
    made: Package = work.subject(Package)
    if made.state != Package.State.FAILED:
        return None
    mover, files = mover_for(made.store.agent), 0
    for group in queries.groups_of(made.proposal):
        if group.run_id is None:
            continue
        place = places.place(made.store, f"{_bag(made)}/data/{group.folder}")
        entries, key = queries.entries(group), f"package-{made.pk}-{group.pk}"
        files += mover.trash(place, entries, key=key, partial=True).files
        mover.purge(place.mount, key=key, entries=entries)
    return Outcome(result={"files": files})


def _bag(made: Package) -> str:
    return f"packages/{made.proposal.folder}-{made.pk}"


def _extent(groups: Sequence[DataGroup]) -> list[tuple[int, int, int]]:
    return [(group.pk, group.file_count, group.bytes) for group in groups]


def _day_of(made: Package) -> date:
    """The bag's date: that of the request, so that a second attempt writes the same bytes."""
    return made.created_at.astimezone(clock.facility_zone()).date()


def _copy_group(work: Work, mover: Mover, group: DataGroup, destination: Place) -> None:
    replica = queries.readable_replica(group)
    if replica is None:
        raise Permanent(f"There is no copy of {group} to read from.")
    entries: Sequence[Entry] = queries.entries(group)
    mover.copy(places.of_replica(replica), destination, entries, cancelled=work.cancelled)
