"""Registering files in bulk: thousands of rows validated at once and written in one transaction.

The same file with the same size and checksum is accepted and makes no second row; with another size
or checksum the whole call is refused as a conflict and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F, Sum

from catalogue.ground import access as words
from catalogue.ground import clock, inputs, journal
from catalogue.ground.actor import WORKER, Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.lifecycle import advance
from catalogue.ground.models import Store
from catalogue.ground.refusal import Refused
from proposals import access
from proposals.models import Proposal
from runs import bulk, queries
from runs.bulk import Row
from runs.models import DataGroup, Replica, Run

# Rows handled at a time, and the number of faults reported of one call.
CHUNK = 5000
FAULTS = 20


COLUMNS = frozenset(Row._fields)


@dataclass
class InvalidRows(Exception):
    """Rows that break a rule: position in the call (from 0), field and rule of each, the first
    `FAULTS` of them. `conflict` where they contradict what is registered."""

    faults: list[tuple[int, Invalid]]
    conflict: bool = False

    def __str__(self) -> str:
        position, fault = self.faults[0]
        return f"row {position}: {fault}"


@dataclass(slots=True)
class Registered:
    """What a call brought: new rows, rows that were there already, and the run's new totals."""

    created: int = 0
    known: int = 0
    bytes: int = 0
    groups: dict[str, int] = field(default_factory=dict)


def row(given: Mapping[str, Any]) -> Row:
    """One row from outside. Raises `Invalid`."""
    if not isinstance(given, dict):
        raise Invalid("files", "each file must be an object", given)
    if not given.keys() <= COLUMNS:
        unknown = next(name for name in given if name not in COLUMNS)
        raise Invalid(str(unknown)[:200], "is not a field of a file", given[unknown])
    adler32 = given.get("adler32")
    return Row(
        inputs.plain_name(given.get("name")),
        inputs.byte_size(given.get("bytes")),
        inputs.sha256(given.get("sha256")),
        "" if adler32 is None else inputs.adler32(adler32),
    )


def register(
    run: Run,
    *,
    kind: str,
    files: Iterable[Mapping[str, Any]],
    by: Actor,
    store: Store | None = None,
) -> Registered:
    """Register files of one kind of `run`, lying in `store` (the DAQ's own where none is named).

    `files` may be a stream of any length; memory does not grow with it. Raises `InvalidRows`,
    `Invalid`, `Refused`; then nothing was written.
    """
    access.require(by, words.DAQ, run.proposal)
    store = store or queries.where_registered(run.proposal)
    with transaction.atomic():
        # The proposal's row stays free: run numbers are handed out while files are registered.
        rows = Run.objects.select_for_update(of=("self",)).select_related("proposal")
        run = rows.get(pk=run.pk)
        group = _group(run, kind)
        done = Registered()
        for start, chunk in _chunks(files):
            _register_chunk(group, start, chunk, done)
        if done.created:
            refuse_too_much(group, done.bytes)
            refuse_late(group, store)
        count(run, group, store, done, by)
        if done.created:
            read_no_more(group, store, by)
            facts = {"kind": kind, "files": done.created, "bytes": done.bytes, "known": done.known}
            journal.write(run, "register files", by=by, facts=facts)
    return done


def record(run: Run, kind: str, files: Sequence[Row], store: Store) -> DataGroup:
    """Register what the catalogue itself made (corrected files), inside the caller's transaction.
    The caller holds the run's row."""
    group = _group(run, kind)
    done = Registered()
    _register_rows(group, 0, list(files), done)
    count(run, group, store, done, WORKER)
    return group


def _group(run: Run, kind: str) -> DataGroup:
    known = [k for k, _ in DataGroup._meta.get_field("kind").flatchoices]
    if kind not in known:
        raise Invalid("kind", "must be one of " + ", ".join(known), kind)
    group, _ = DataGroup.objects.get_or_create(
        run=run, kind=kind, edition=1, defaults={"created_at": clock.now()}
    )
    group.run = run
    return group


def refuse_late(group: DataGroup, store: Store) -> None:
    """Files that arrive when the group has been copied on would be in no copy; a copy that is being
    made takes them along."""
    proposal = group.run.proposal
    if proposal.state in (Proposal.State.CLOSING, Proposal.State.CLOSED):
        raise Refused(f"The online folders of {proposal.label} are closed.", kind="state")
    for replica in group.replicas.select_related("store"):
        if replica.store_id != store.pk and replica.state in COPIED_ON:
            raise Refused(
                f"{group} is {replica.get_state_display().lower()} in {replica.store} already; "
                "files that come later would be in no copy.",
                who="a data manager",
                details={"store": replica.store.identifier, "state": replica.state},
            )
        if replica.store_id == store.pk and replica.state in ("scheduled", "trashed"):
            raise Refused(f"{group} in {store} is on its way out.", who="a data manager")


def refuse_too_much(group: DataGroup, more: int) -> None:
    """Totals are kept in columns of 64 bits."""
    now = DataGroup.objects.values_list("bytes", flat=True).get(pk=group.pk)
    of_run = group.run.bytes if group.run_id is not None else 0
    if max(now, of_run) + more > inputs.BIGGEST:
        raise Invalid("bytes", f"all files together must have at most {inputs.BIGGEST}", more)


COPIED_ON = tuple(s for s in queries.LIVE if s not in ("expected", "copying"))


def read_no_more(group: DataGroup, store: Store, by: Actor) -> None:
    """A replica that was read back has files now that were not."""
    replica = queries.live_replica(group, store)
    if replica is not None and replica.state == Replica.State.VERIFIED:
        advance(replica.outgrow, by=WORKER, reason="Files were registered later.")
        advance(replica.written, by=by)


def _chunks(files: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, list[Mapping[str, Any]]]]:
    stream = iter(files)
    start = 0
    while chunk := list(islice(stream, CHUNK)):
        yield start, chunk
        start += len(chunk)


def _register_chunk(
    group: DataGroup, start: int, chunk: Sequence[Mapping[str, Any]], done: Registered
) -> None:
    rows: list[Row] = []
    faults: list[tuple[int, Invalid]] = []
    for position, given in enumerate(chunk, start):
        try:
            rows.append(row(given))
        except Invalid as fault:
            faults.append((position, fault))
            if len(faults) == FAULTS:
                break
    if faults:
        raise InvalidRows(faults)
    _register_rows(group, start, rows, done)


def _register_rows(group: DataGroup, start: int, rows: list[Row], done: Registered) -> None:
    fresh = _unknown(group, start, rows)
    bulk.insert_files(group, fresh, clock.now())
    done.created += len(fresh)
    done.known += len(rows) - len(fresh)
    done.bytes += sum(r.bytes for r in fresh)


def _unknown(group: DataGroup, start: int, rows: list[Row]) -> list[Row]:
    """The rows that are not registered yet. Raises `InvalidRows` for contradictions, with what is
    registered or within the call itself."""
    known = bulk.known_files(group, [r.name for r in rows])
    faults: list[tuple[int, Invalid]] = []
    fresh: list[Row] = []
    for position, new in enumerate(rows, start):
        there = known.get(new.name)
        if there is None:
            known[new.name] = (new.bytes, new.sha256)
            fresh.append(new)
        elif there != (new.bytes, new.sha256):
            what = "sha256" if there[0] == new.bytes else "bytes"
            rule = f"{new.name} is registered with {there[0]} bytes and sha256 {there[1]}"
            faults.append((position, Invalid(what, rule, getattr(new, what))))
            if len(faults) == FAULTS:
                break
    if faults:
        raise InvalidRows(faults, conflict=True)
    return fresh


def count(run: Run, group: DataGroup, store: Store, done: Registered, by: Actor) -> None:
    """Bring the totals of run, group and replica up to the registered files."""
    if not done.created:
        return
    DataGroup.objects.filter(pk=group.pk).update(
        file_count=F("file_count") + done.created, bytes=F("bytes") + done.bytes
    )
    group.refresh_from_db(fields=["file_count", "bytes"])
    sums = run.data_groups.aggregate(files=Sum("file_count"), size=Sum("bytes"))
    run.file_count, run.bytes = sums["files"], sums["size"]
    run.save(update_fields=["file_count", "bytes"])
    replica = queries.live_replica(group, store)
    if replica is None:
        replica = Replica.objects.create(
            data_group=group, store=store, created_at=clock.now(),
            file_count=group.file_count, bytes=group.bytes,
        )  # fmt: skip
        advance(replica.written, by=by)
    else:
        replica.file_count, replica.bytes = group.file_count, group.bytes
        replica.save(update_fields=["file_count", "bytes"])
    done.groups[group.kind] = group.file_count
