"""Copying replicas, reading them back, and finding files that nobody registered."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from catalogue.ground import clock, journal
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import enqueue
from catalogue.ground.lifecycle import Outcome, Work, World, advance, performs
from catalogue.ground.models import Job, Store
from catalogue.ports.movers import Entry, Receipt
from catalogue.ports.outcome import Permanent, Transient
from runs import bulk, plans, queries, registration
from runs.models import DataGroup, Replica, Run
from runs.workers import places


@performs("runs.migrate", plan=plans.migration)
def migrate(work: Work) -> Outcome | None:
    """Online to offline: the same copy as archiving, asked for by a mark."""
    return _copy(work)


@performs("runs.archive", plan=plans.archiving)
def archive(work: Work) -> Outcome | None:
    """A further verified copy, asked for by the verification of the one before."""
    return _copy(work)


def _copy(work: Work) -> Outcome | None:
    """Copy one data group from store to store; the replica counts once it has been read back."""
    group, source, destination = _ends(work.job)
    there = queries.live_replica(group, destination)
    if there is not None and there.state not in ("expected", "copying"):
        return None  # an earlier attempt, or somebody else, brought it there
    if group.run.quality == Run.Quality.NOT_INTERESTING:
        return Outcome(result={"left out": "The run is marked Not interesting."})
    replica = _begin(group, destination)
    entries = queries.entries(group)
    mover = places.mover(destination)
    receipt = mover.copy(
        places.of_group(group, source),
        places.of_group(group, destination),
        entries,
        besides=[places.of_replica(other) for other in queries.other_copies(replica)],
        progress=places.telling(work, "copied"),
        cancelled=work.cancelled,
    )
    return _verified(replica, receipt, entries)


def _ends(job: Job) -> tuple[DataGroup, Store, Store]:
    group = DataGroup.objects.select_related(
        "run__proposal__instrument", "run__proposal__cycle"
    ).get(pk=job.params["group"])
    stores = Store.objects.in_bulk([job.params["source"], job.params["destination"]])
    return group, stores[job.params["source"]], stores[job.params["destination"]]


@performs("runs.take_back_copy", who="data manager")
def take_back_copy(work: Work) -> Outcome | None:
    """A copy that was called off leaves nothing, wherever it had got to: no notice and no time in
    the trash, so only what was read in another copy at this moment goes. It is decided before the
    first byte goes; a job that finds it decided goes on from there."""
    group, _, destination = _ends(work.job)
    replica = queries.live_replica(group, destination)
    if replica is None or replica.state not in (Replica.State.COPYING, Replica.State.EXPECTED):
        return None
    mover = places.mover(destination)
    place, entries = places.of_replica(replica), queries.entries(group)
    _must_be_elsewhere(replica, _landed(replica, entries, work), work)
    if replica.state == Replica.State.COPYING:
        advance(replica.take_back, by=WORKER)
    key = f"taken-back-{replica.pk}"
    mover.trash(place, entries, key=key, partial=True)
    receipt = mover.purge(place.mount, key=key, entries=entries)

    def record() -> None:
        there = Replica.objects.select_for_update().get(pk=replica.pk)
        if there.state in queries.THERE:  # reported, and perhaps read, before its files went
            advance(there.found_corrupt, by=WORKER, reason="Its files were taken back meanwhile.")

    return Outcome(record, {"files": receipt.files, "bytes": receipt.bytes})


def _landed(replica: Replica, entries: Sequence[Entry], work: Work) -> list[Entry]:
    """The files that the copy brought so far, as they were read. Permanent where something else has
    the name of one: the copy did not bring that."""
    found: list[Entry] = []
    for entry in entries:
        try:
            receipt = places.mover(replica.store).verify(
                places.of_replica(replica), [entry], cancelled=work.cancelled
            )
        except Permanent as difference:
            if difference.evidence.get("found", entry) is not None:
                raise
            continue
        found.extend(receipt.entries)
    return found


def _must_be_elsewhere(replica: Replica, landed: Sequence[Entry], work: Work) -> None:
    """Permanent unless all of `landed` was read in another copy, as files of its own: what is taken
    back may be the last there is. Where the policy has removed the others, nobody wants it."""
    others, told = queries.other_copies(replica), []
    for other in others if landed else ():
        try:
            places.reader(other.store).verify(
                places.of_replica(other),
                landed,
                besides=[places.of_replica(replica)],
                progress=places.telling(work, "read"),
                cancelled=work.cancelled,
            )
        except Permanent as difference:
            told.append(f"{other.store}: {difference.reason}.")
            continue
        return
    if landed and (others or not _was_let_go(replica.data_group)):
        raise Permanent(
            f"What was copied to {replica.store} stays: no other copy of it was found whole. "
            + " ".join(told)
        )


def _was_let_go(group: DataGroup) -> bool:
    """Whether nobody wants the data of a group, and a copy of it has gone for that."""
    unwanted = group.run.quality == Run.Quality.NOT_INTERESTING
    return unwanted and group.replicas.filter(state__in=("trashed", "removed")).exists()


@transaction.atomic
def _begin(group: DataGroup, store: Store) -> Replica:
    """The replica that is about to be filled, in state copying."""
    Run.objects.select_for_update().get(pk=group.run.pk)
    replica = queries.live_replica(group, store) or Replica.objects.create(
        data_group=group, store=store, created_at=clock.now()
    )
    if replica.state == Replica.State.EXPECTED:
        advance(replica.copy, by=WORKER)
    return replica


def _verified(replica: Replica, receipt: Receipt, known: Sequence[Entry]) -> Outcome:
    """What was read is recorded, unless the catalogue says something else of the files by now."""
    if not receipt.read_back and receipt.entries:
        raise Permanent("The mover did not read the copy back; it does not count.")

    def record() -> None:
        group = DataGroup.objects.select_related("run__proposal").get(pk=replica.data_group_id)
        Run.objects.select_for_update().get(pk=group.run.pk)
        group.refresh_from_db(fields=["file_count", "bytes"])
        if (receipt.files, receipt.bytes) != (group.file_count, group.bytes):
            raise Transient(f"Files were added to {group} while it was read.")
        if queries.entries(group) != list(known):
            raise Transient(f"What the catalogue knows of {group} changed while it was read.")
        _add_checksums(group, known, receipt.entries)
        advance(
            replica.verify,
            by=WORKER,
            at=clock.now(),
            checksum=queries.manifest_checksum(receipt.entries),
            files=receipt.files,
            size=receipt.bytes,
        )

    result = {"files": receipt.files, "bytes": receipt.bytes, "seconds": round(receipt.seconds, 3)}
    return Outcome(record, result)


def _add_checksums(group: DataGroup, known: Sequence[Entry], read: Sequence[Entry]) -> None:
    """Files whose writer gave another checksum, or none, get the sha256 that was read: it is ours
    then, not the DAQ's, and the run says so."""
    found = {entry.path: entry.sha256 or "" for entry in read}
    ours = {entry.path: found[entry.path] for entry in known if entry.sha256 is None}
    if not ours:
        return
    bulk.set_sha256(group, ours)
    run = group.run
    if not run.checksums_are_ours:
        run.checksums_are_ours = True
        run.save(update_fields=["checksums_are_ours"])
    journal.write(run, "add checksums", by=WORKER, facts={"kind": group.kind, "files": len(ours)})


@performs("runs.last_copy")
def last_copy(work: Work) -> Outcome | None:
    """Whether lost data were found again: done once there is a copy that was read back, else held
    for a person as before."""
    replica: Replica = work.subject(Replica)
    loss = queries.loss_of(replica.data_group)
    if loss is not None:
        raise Permanent(loss)
    return None


READ = (Replica.State.COPIED, Replica.State.VERIFIED, Replica.State.CORRUPT)
"""States of a replica that is worth reading."""


@performs("runs.verify_replica", plan=plans.verification)
def verify_replica(work: Work) -> Outcome | None:
    """Read a replica anew and compare every file with the catalogue. What does not agree is
    recorded as corrupt, and held for a person. Where its removal was announced or begun while it
    was read, the reading says nothing."""
    replica: Replica = work.subject(Replica)
    if replica.state not in READ:
        return None
    entries = queries.entries(replica.data_group)
    if not entries:
        return Outcome(result={"left out": "No file of it is registered yet."})
    try:
        receipt = places.reader(replica.store).verify(
            places.of_replica(replica),
            entries,
            besides=[places.of_replica(r) for r in queries.other_copies(replica, older=True)],
            progress=places.telling(work, "read"),
            cancelled=work.cancelled,
        )
    except Permanent as difference:
        replica.refresh_from_db(fields=["state"])
        if replica.state not in (*READ, Replica.State.SCHEDULED):
            return None
        if replica.state != Replica.State.CORRUPT:
            advance(replica.found_corrupt, by=WORKER, reason=difference.reason)
        raise
    verified = _verified(replica, receipt, entries)

    def record() -> None:
        if Replica.objects.select_for_update().get(pk=replica.pk).state in READ:
            verified.record()

    return Outcome(record, verified.result)


@performs("runs.scan", plan=plans.scan)
def scan(work: Work) -> Outcome | None:
    """Register what lies in the folder of a run that was closed without registered files; the
    checksums are ours then, not the DAQ's, and the run says so."""
    run: Run = work.subject(Run)
    if run.file_count:
        return None
    store = queries.where_registered(run.proposal)
    group = DataGroup(run=run, kind="RAW")
    found = places.reader(store).scan(
        places.of_group(group, store),
        progress=places.telling(work, "read"),
        cancelled=work.cancelled,
    )
    files = [e for e in found if e.kind == "file"]
    if not files:
        return Outcome(result={"files": 0, "note": "The folder is empty."})
    return Outcome(lambda: _register_found(run, files, store), {"files": len(files)})


def _register_found(run: Run, found: list[Entry], store: Store) -> None:
    row = Run.objects.select_for_update(of=("self",)).select_related("proposal").get(pk=run.pk)
    if row.file_count:
        return
    rows = [bulk.Row(e.path, e.bytes, e.sha256 or "", "") for e in found]
    group = registration.record(row, "RAW", rows, store)
    row.checksums_are_ours = True
    row.save(update_fields=["checksums_are_ours"])
    # A copy that was reported before could not be read: nobody knew what it should hold.
    for copy in group.replicas.filter(state=Replica.State.COPIED).exclude(store=store):
        enqueue(list(plans.verification(copy, World(by=WORKER))), by=WORKER)
    journal.write(row, "register files", by=WORKER, facts={"files": len(rows), "found": "scan"})
