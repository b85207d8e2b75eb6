"""Data groups as programs register them: before or after their run is known, several of a kind; and
the lists of files that they keep in their own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Sum

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.jobs import enqueue
from catalogue.ground.lifecycle import World
from proposals.models import Experiment
from runs import plans
from runs.models import DataGroup, FileList, Replica, Run
from runs.reporting import require_any

# The DAQ registers raw data, a pipeline what it made of them.
REGISTRARS = (words.DAQ, words.CALIBRATE)


@transaction.atomic
def register_group(
    *, kind: str, experiment: Experiment, by: Actor, run: Run | None = None, **facts: Any
) -> DataGroup:
    """A new data group of `run`, or of none yet. Without a name it gets one."""
    require_any(by, REGISTRARS, experiment.proposal)
    group = DataGroup(kind=kind, experiment=experiment, created_at=clock.now(), **facts)
    if run is not None:
        _join(group, run)
    group.name = group.name or _next_name(group)
    group.save(force_insert=True)
    journal.write(group, "register data", by=by, facts={"kind": kind, "name": group.name})
    return group


def _join(group: DataGroup, run: Run) -> None:
    """Make it a group of `run`, whose row is locked: the next of its kind."""
    row = Run.objects.select_for_update().get(pk=run.pk)
    if group.experiment is not None and group.experiment.proposal_id != row.proposal_id:
        raise Invalid("experiment", "must be of the proposal of the run", str(group.experiment))
    of_kind = DataGroup.objects.filter(run=row, kind=group.kind)
    group.run = run
    group.edition = (of_kind.aggregate(last=Max("edition"))["last"] or 0) + 1


def _next_name(group: DataGroup) -> str:
    """As programs name them: kind, folder of the run type, and a number, e.g. raw_e0001_n0489."""
    assert group.experiment is not None
    number = DataGroup.objects.filter(experiment=group.experiment, kind=group.kind).count() + 1
    return f"{group.kind.lower()[:40]}_{group.experiment.folder}_n{number:04d}"


@transaction.atomic
def change_group(group: DataGroup, *, to: Mapping[str, Any], by: Actor) -> DataGroup:
    """Change what is said of a data group, or say of which run it is."""
    row = _locked(group, to.get("run"))
    require_any(by, REGISTRARS, row.proposal)
    changed = {name: value for name, value in to.items() if getattr(row, name) != value}
    if not changed:
        return row
    joins = changed.pop("run", None)
    experiment = changed.get("experiment")
    if experiment is not None and experiment.proposal_id != row.proposal.pk:
        raise Invalid("experiment", f"must belong to {row.proposal.label}", str(experiment))
    for name, value in changed.items():
        setattr(row, name, value)
    if joins is not None:
        _move_to(row, joins)
    # Its totals are others' to write.
    row.save(update_fields=[*changed, *(("run", "edition") if joins is not None else ())])
    told = {**changed, **({"run": joins} if joins is not None else {})}
    journal.write(row, "change data", by=by, facts=told)
    if joins is not None:
        _follow_up(row, by)
    return row


def _locked(group: DataGroup, joins: Run | None) -> DataGroup:
    """The group as it is under the locks of its run, of the one it is to join, and its own."""
    known = [pk for pk in (group.run_id, joins.pk if joins is not None else None) if pk is not None]
    list(Run.objects.select_for_update().filter(pk__in=known).order_by("pk"))
    DataGroup.objects.select_for_update().get(pk=group.pk)
    return DataGroup.objects.select_related("run__proposal", "experiment__proposal").get(
        pk=group.pk
    )


def _move_to(group: DataGroup, run: Run) -> None:
    if group.run_id is not None:
        raise Invalid("run", f"it is the data of {group.run.label}", str(run))
    _join(group, run)


def _follow_up(group: DataGroup, by: Actor) -> None:
    """What could not be done while nobody knew where the group lies."""
    count_run(group.run)
    for replica in group.replicas.filter(state=Replica.State.COPIED):
        enqueue(list(plans.verification(replica, World(by=by))), by=by)


def count_run(run: Run) -> None:
    """Bring the totals of a run, whose row is locked, up to those of its groups."""
    sums = run.data_groups.aggregate(files=Sum("file_count"), size=Sum("bytes"))
    run.file_count, run.bytes = sums["files"] or 0, sums["size"] or 0
    run.save(update_fields=["file_count", "bytes"])


def count_group(group: DataGroup, *, files: int, size: int) -> None:
    """Add to the totals of a group and of its run, whose row is locked."""
    DataGroup.objects.filter(pk=group.pk).update(
        file_count=F("file_count") + files, bytes=F("bytes") + size
    )
    group.refresh_from_db(fields=["file_count", "bytes"])
    group.replicas.filter(state__in=("expected", "copying", "copied")).update(
        file_count=group.file_count, bytes=group.bytes
    )
    if group.run_id is not None:
        count_run(group.run)


# ---------------------------------------------------------------- lists of files


@transaction.atomic
def keep_list(group: DataGroup, *, text: str, by: Actor) -> FileList:
    """Keep a list of files in its writer's own words."""
    require_any(by, REGISTRARS, group.proposal)
    made = FileList.objects.create(data_group=group, text=text, created_at=clock.now())
    journal.write(made, "list files", by=by, facts={"characters": len(text)})
    return made


@transaction.atomic
def change_list(row: FileList, *, to: Mapping[str, Any], by: Actor) -> FileList:
    """Another text for a list, or another group that it is of."""
    require_any(by, REGISTRARS, row.data_group.proposal)
    changed = {name: value for name, value in to.items() if getattr(row, name) != value}
    if "data_group" in changed:
        require_any(by, REGISTRARS, changed["data_group"].proposal)
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        row.save(update_fields=list(changed))
        journal.write(row, "list files", by=by, facts={"characters": len(row.text)})
    return row


@transaction.atomic
def drop_list(row: FileList, *, by: Actor) -> None:
    """Forget a list of files."""
    require_any(by, REGISTRARS, row.data_group.proposal)
    journal.write(row, "delete", by=by)
    row.delete()
