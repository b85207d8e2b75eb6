"""Files as programs of the facility register them one by one or in bulk: each with the group it is
of, and an adler32 instead of a sha256. The sha256 is added when our worker reads a copy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from catalogue.ground import clock, inputs, journal
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.refusal import Refused
from runs import bulk, deleting, grouping, queries, registration
from runs.models import DataGroup, File, Run
from runs.registration import InvalidRows
from runs.reporting import require_any

TAKEN = "has already been taken"
SHOWN = 20
# Facts of a file that its copies have been, or will be, compared with.
CONTENT = frozenset({"name", "bytes", "adler32"})


@dataclass
class Entered:
    """What a call brought: the rows in its order, and how many of them are new."""

    files: list[File]
    created: int


@transaction.atomic
def enter(rows: Sequence[Mapping[str, Any]], *, by: Actor, again: bool = False) -> Entered:
    """Register files, each of `rows` with its `data_group` and columns. With `again`, a file that
    is registered with the same size and checksum is taken for the same. Raises `InvalidRows`."""
    groups = _locked({row["data_group"].pk for row in rows}, by)
    now = clock.now()
    made = [_file(row, groups, now) for row in rows]
    fresh, all_of_them = _fresh(made, groups, again)
    for group in groups.values():
        mine = [file for file in fresh if file.data_group_id == group.pk]
        if mine:
            _enter(group, mine, by)
    return Entered(all_of_them, len(fresh))


def _locked(pks: Iterable[int], by: Actor) -> dict[int, DataGroup]:
    """The groups as they are under the locks of their runs and their own."""
    wanted = set(pks)
    of = DataGroup.objects.filter(pk__in=wanted, run__isnull=False).values("run")
    runs = {run.pk for run in Run.objects.select_for_update().filter(pk__in=of).order_by("pk")}
    list(DataGroup.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
    relations = ("run__proposal__instrument__store", "experiment__proposal")
    found = DataGroup.objects.filter(pk__in=wanted).select_related(*relations).in_bulk()
    if len(found) < len(wanted) or not {g.run_id for g in found.values()} <= {*runs, None}:
        raise Refused("Somebody else deleted or moved a data group meanwhile.", kind="state")
    for proposal in {group.proposal.pk: group.proposal for group in found.values()}.values():
        require_any(by, grouping.REGISTRARS, proposal)
    _share_runs(found.values())
    return found


def _share_runs(groups: Iterable[DataGroup]) -> None:
    """Have groups of one run know one row of it: what is counted for one is known to the others."""
    runs: dict[int, Run] = {}
    for group in groups:
        if group.run_id is not None:
            group.run = runs.setdefault(group.run_id, group.run)


def _file(row: Mapping[str, Any], groups: Mapping[int, DataGroup], now: Any) -> File:
    facts = {**row, "data_group": groups[row["data_group"].pk]}
    return File(registered_at=now, **facts)


def _fresh(
    made: Sequence[File], groups: Mapping[int, DataGroup], again: bool
) -> tuple[list[File], list[File]]:
    """Those of `made` that are not registered, and all of them as they are registered."""
    known: dict[tuple[int, str], File] = {}
    for pk in groups:
        names = [file.name for file in made if file.data_group_id == pk]
        known |= {(pk, file.name): file for file in bulk.files_named(pk, names)}
    fresh: list[File] = []
    found: list[File] = []
    faults: list[tuple[int, Invalid]] = []
    for position, file in enumerate(made):
        there = known.get((file.data_group_id, file.name))
        if there is None:
            fault = _bad_name(file.name)
            known[file.data_group_id, file.name] = file
            fresh.append(file)
        else:
            same = again and (there.bytes, there.adler32) == (file.bytes, file.adler32)
            fault = None if same else Invalid("name", TAKEN, file.name)
        found.append(there or file)
        if fault is not None:
            faults.append((position, fault))
            if len(faults) == SHOWN:
                break
    if faults:
        raise InvalidRows(faults, conflict=True)
    return fresh, found


def _bad_name(name: str) -> Invalid | None:
    try:
        inputs.plain_name(name)
    except Invalid as fault:
        return fault
    return None


def _enter(group: DataGroup, files: list[File], by: Actor) -> None:
    size = sum(file.bytes for file in files)
    registration.refuse_too_much(group, size)
    if group.run_id is None:
        File.objects.bulk_create(files)
        grouping.count_group(group, files=len(files), size=size)
    else:
        store = queries.where_registered(group.run.proposal)
        registration.refuse_late(group, store)
        File.objects.bulk_create(files)
        done = registration.Registered(created=len(files), bytes=size)
        registration.count(group.run, group, store, done, by)
        registration.read_no_more(group, store, by)
    facts = {"kind": group.kind, "files": len(files), "bytes": size}
    about = group if group.run_id is None else group.run
    journal.write(about, "register files", by=by, facts=facts)


@transaction.atomic
def change(changes: Sequence[tuple[File, Mapping[str, Any]]], *, by: Actor) -> list[File]:
    """Change what is said of files. What their copies were compared with stands once one was read
    back; before that, a new checksum takes the place of all that were known."""
    groups = _locked({file.data_group_id for file, _ in changes}, by)
    content = {file.data_group_id for file, to in changes if to.keys() & CONTENT}
    told: dict[int, int] = {}
    rows: list[File] = []
    relied_on = {pk: _why_relied_on(groups[pk]) for pk in content}
    there = File.objects.select_for_update().in_bulk([file.pk for file, _ in changes])
    for file, to in changes:
        if (row := there.get(file.pk)) is None:
            raise File.DoesNotExist
        row.data_group = groups[row.data_group_id]
        changed = {name: value for name, value in to.items() if getattr(row, name) != value}
        if changed:
            if changed.keys() & CONTENT and (refusal := relied_on[row.data_group_id]):
                raise refusal
            _change(row, changed)
            told[row.data_group_id] = told.get(row.data_group_id, 0) + 1
        rows.append(row)
    for pk, count in told.items():
        journal.write(groups[pk], "change files", by=by, facts={"files": count})
    return rows


def _why_relied_on(group: DataGroup) -> Refused | None:
    """Why the content of its files stands, or None."""
    try:
        deleting.refuse_relied_on([group])
    except Refused as refusal:
        return refusal
    return None


def _change(row: File, to: dict[str, Any]) -> None:
    group = row.data_group
    fields = list(to)
    if to.keys() & CONTENT:
        row.sha256 = ""
        fields.append("sha256")
    if "name" in to:
        inputs.plain_name(to["name"])
        if group.files.filter(name=to["name"]).exists():
            raise Invalid("name", TAKEN, to["name"])
    more = to.get("bytes", row.bytes) - row.bytes
    registration.refuse_too_much(group, more)
    for name, value in to.items():
        setattr(row, name, value)
    row.save(update_fields=fields)
    if more:
        grouping.count_group(group, files=0, size=more)


@transaction.atomic
def remove(files: Sequence[File], *, by: Actor) -> None:
    """Delete files that were registered by mistake: while no copy of their group was read back and
    no worker is at it."""
    groups = _locked({file.data_group_id for file in files}, by)
    deleting.refuse_relied_on(groups.values())
    for pk, group in groups.items():
        mine = File.objects.filter(pk__in=[f.pk for f in files if f.data_group_id == pk])
        sizes = list(mine.values_list("bytes", flat=True))
        mine.delete()
        grouping.count_group(group, files=-len(sizes), size=-sum(sizes))
        facts = {"files": len(sizes), "bytes": sum(sizes)}
        journal.write(group, "delete files", by=by, facts=facts)
