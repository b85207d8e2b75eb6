"""What programs of the facility report of a run: its facts, how it ended, where its data lie now,
how far they are with it. What they state is recorded; what follows from it is the catalogue's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.lifecycle import advance
from catalogue.ground.models import Store, Technique
from proposals import access
from proposals.models import Proposal
from runs import commands, queries
from runs.models import DataGroup, ExternalProcessing, Replica, Run

# What a DAQ measures, and what people say as well.
MEASURED = frozenset(
    {"begin_at", "end_at", "first_train", "last_train", "available", "original_format",
     "system_message", "heartbeat_bytes"}
)  # fmt: skip
SAID = frozenset({"experiment", "sample", "alias", "comment"})


def require_any(by: Actor, permissions: Iterable[str], proposal: Proposal) -> None:
    """Raise `Refused` where `by` has none of the permissions on the proposal."""
    wanted = list(permissions)
    if not access.allowed_on(by, proposal) & set(wanted):
        access.require(by, wanted[0], proposal)


@transaction.atomic
def correct(run: Run, *, to: Mapping[str, Any], by: Actor) -> Run:
    """Put facts of a run right, also after its close; what is the same already is not told."""
    row = _locked(run)
    changed = {name: value for name, value in to.items() if getattr(row, name) != value}
    if not changed:
        return row
    permissions = [words.DAQ] if changed.keys() & MEASURED else [words.EDIT, words.DAQ]
    require_any(by, permissions, row.proposal)
    for name, value in changed.items():
        owned = getattr(value, "proposal_id", row.proposal_id)
        if owned != row.proposal_id:
            raise Invalid(name, f"must belong to {row.proposal.label}", str(value))
        setattr(row, name, value)
    _refuse_disorder(row)
    row.save(update_fields=list(changed))
    journal.write(row, "correct", by=by, facts=changed)
    return row


def _locked(run: Run) -> Run:
    rows = Run.objects.select_for_update(of=("self",))
    found: Run = rows.select_related("proposal", "experiment", "sample").get(pk=run.pk)
    return found


def _refuse_disorder(run: Run) -> None:
    if run.end_at is not None and run.end_at < run.begin_at:
        raise Invalid("end_at", "must not be before begin_at", run.end_at)
    if run.end_at is None and run.status != Run.Status.OPEN:
        raise Invalid("end_at", f"a run that is {run.status} has an end", None)
    first, last = run.first_train, run.last_train
    if first is not None and last is not None and last < first:
        raise Invalid("last_train", f"must be greater than or equal to {first}", last)


def report_status(
    run: Run,
    *,
    to: str,
    by: Actor,
    end_at: datetime | None = None,
    first_train: int | None = None,
    last_train: int | None = None,
) -> None:
    """A DAQ says what has become of a run. Where it ends, that is the move that ends any run; what
    it says of one that has ended is adopted as it says."""
    if to == run.status:
        return
    end = end_at or run.end_at or max(clock.now(), run.begin_at)
    if run.status == Run.Status.OPEN and to == Run.Status.CLOSED:
        commands.close(run, end_at=end, by=by, first_train=first_train, last_train=last_train)
    elif run.status == Run.Status.OPEN and to == Run.Status.ABORTED:
        commands.abort(run, by=by, reason=f"As {_reporter(by)} reports.", end_at=end)
    else:
        opens = to == Run.Status.OPEN
        heard, kept = (clock.now(), run.end_at) if opens else (None, end)
        advance(run.adopt_status, by=by, to=to, end_at=kept, heard_at=heard)


def _reporter(by: Actor) -> str:
    return by.through.name if by.through is not None else by.name


def report_no_mark(run: Run, *, by: Actor) -> None:
    """Another system of record says that a run has no mark (any more)."""
    if run.quality:
        advance(run.adopt_no_mark, by=by)


@transaction.atomic
def change_techniques(run: Run, *, changes: Iterable[Technique | int], by: Actor) -> None:
    """Name techniques of a run, or take away the one that a link (its id) stands for, one after
    the other; they are kept in the order in which they were named."""
    require_any(by, [words.EDIT, words.DAQ], run.proposal)
    row = _locked(run)
    links = Run.techniques.through._default_manager.filter(run=row)
    before = list(links.order_by("pk").values_list("technique", flat=True))
    for change in changes:
        if isinstance(change, Technique):
            row.techniques.add(change)
        else:
            links.filter(pk=change).delete()
    after = list(links.order_by("pk").values_list("technique", flat=True))
    if after != before:
        named = [t.identifier for t in row.techniques.order_by("pk")]
        journal.write(row, "edit", by=by, facts={"techniques": named})


# ---------------------------------------------------------------- where data lie


@transaction.atomic
def report_copied(group: DataGroup, store: Store, *, by: Actor) -> Replica:
    """A transfer program says that a copy of `group` lies in `store`. It counts once our worker has
    read it back; said again of one that is there, it changes nothing."""
    access.require(by, words.TRANSFER, group.proposal)
    replica = _replica(group, store) or _make_replica(group, store)
    if replica.state not in queries.THERE:
        advance(replica.report_copied, by=by)
        told = DataGroup.objects.filter(pk=group.pk).values_list("file_count", "bytes").get()
        replica.file_count, replica.bytes = told
        replica.save(update_fields=["file_count", "bytes"])
    return replica


@transaction.atomic
def report_lost(group: DataGroup, store: Store, *, by: Actor, reason: str = "") -> Replica:
    """A transfer program says that there is no copy of `group` in `store`: a fact, never refused.
    Where it was the last that had been read back, that is an alarm. Of one in the store's trash it
    is no news, and what lies there stays known: it is wanted back, or goes when its time is over.
    """
    access.require(by, words.TRANSFER, group.proposal)
    replica = _replica(group, store) or _make_replica(group, store)
    if replica.state not in (*Replica.GONE, Replica.State.TRASHED):
        why = reason.strip() or f"{_reporter(by)} reports that it is not there."
        advance(replica.report_lost, by=by, reason=why, at=clock.now())
    return replica


def _replica(group: DataGroup, store: Store) -> Replica | None:
    """The replica that counts: the live one, else the newest; the group's run is locked."""
    if group.run_id is not None:
        Run.objects.select_for_update().get(pk=group.run_id)
    DataGroup.objects.select_for_update().get(pk=group.pk)
    rows = group.replicas.filter(store=store)
    found: Replica | None = (
        rows.exclude(state__in=Replica.GONE).first() or rows.order_by("-pk").first()
    )
    return found


def _make_replica(group: DataGroup, store: Store) -> Replica:
    return Replica.objects.create(data_group=group, store=store, created_at=clock.now())


# ---------------------------------------------------------------- how far others are


@transaction.atomic
def report_processing(run: Run, *, to: Mapping[str, Any], by: Actor) -> None:
    """A transfer program or a pipeline outside says how far it is with a run."""
    row = _locked(run)
    found = ExternalProcessing.objects.filter(run=row).first() or ExternalProcessing(run=row)
    changed = {name: value for name, value in to.items() if getattr(found, name) != value}
    if not changed:
        return
    for name in changed:
        moved = name.startswith("migration_")
        require_any(by, [words.TRANSFER if moved else words.CALIBRATE], row.proposal)
    for name, value in changed.items():
        setattr(found, name, value)
    found.save()
    journal.write(row, "report processing", by=by, facts=changed)
