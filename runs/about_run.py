"""What the page of one run reads beside the run itself; each is a constant number of queries,
however many files, entries or jobs there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from catalogue.ground.jobs.outbox import OPEN
from catalogue.ground.models import Entry, Job
from runs import queries
from runs.models import (
    Calibration,
    DarkRequest,
    DataGroup,
    ExternalProcessing,
    File,
    Parameter,
    Replica,
    Report,
    Run,
)
from runs.story import Ahead, Place, Step, Taken, ahead, compose

STORY, JOBS, FILES = 400, 20, 25
SOON = timedelta(minutes=1)


# ---------------------------------------------------------------- the run among its neighbours


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The numbers of the runs beside one; None at the first and the last."""

    previous: int | None
    next: int | None


def neighbours(runs: QuerySet[Run], number: int) -> Neighbours:
    """Those beside `number` among `runs`."""
    numbers = runs.order_by("number").values_list("number", flat=True)
    before = numbers.filter(number__lt=number).reverse()[:1]
    after = numbers.filter(number__gt=number)[:1]
    return Neighbours(next(iter(before), None), next(iter(after), None))


# ---------------------------------------------------------------- jobs and story


def jobs(run: Run) -> list[Job]:
    """The open jobs about a run, and the last of those that are over."""
    is_open = ExpressionWrapper(Q(state__in=OPEN), output_field=BooleanField())
    found = queries.jobs(run).annotate(is_open=is_open)
    return list(found.order_by("-is_open", "-id")[:JOBS])


def open_about(things: Iterable[Calibration | DarkRequest], found: Iterable[Job]) -> dict[int, Job]:
    """The open job of each of these calibrations (or dark run requests) among the jobs of their
    run, by their ids."""
    kinds = {(thing._meta.label_lower, thing.pk) for thing in things}
    return {
        job.subject_id: job
        for job in found
        if job.state in OPEN and (job.subject_type, job.subject_id) in kinds
    }


def works(found: Iterable[Job], now: datetime) -> bool:
    """Whether one of the jobs is being done, or will be in a moment."""
    return any(
        j.state == Job.State.CLAIMED or (j.state == Job.State.WAITING and j.after <= now + SOON)
        for j in found
    )


@dataclass(frozen=True, slots=True)
class Story:
    """What happened, and what is still to come; `cut` where only the last of it is told."""

    steps: list[Step]
    ahead: list[Ahead]
    cut: bool


def story(run: Run, open_jobs: Iterable[Job], now: datetime) -> Story:
    """The story of a run that carries its data groups; one query."""
    entries = list(queries.story(run).order_by("-id")[: STORY + 1])
    places = {
        replica.pk: Place(group.kind, replica.store.place, replica.store.tier)
        for group in run.data_groups.all()
        for replica in group.replicas.all()
    }
    steps = compose(_taken(run), entries[:STORY], places)
    return Story(steps, ahead(open_jobs, places, now), cut=len(entries) > STORY)


def _taken(run: Run) -> Taken:
    return Taken(
        begin_at=run.begin_at,
        end_at=run.end_at,
        first_train=run.first_train,
        last_train=run.last_train,
        status=run.status,
        silent_since=run.heartbeat_at if queries.is_silent(run) else None,
        ended_by_timeout=run.ended_by_timeout,
    )


def entries(run: Run) -> QuerySet[Entry]:
    """Every entry of the journal about a run, newest first."""
    return queries.story(run).select_related("on_behalf").order_by("-id")


# ---------------------------------------------------------------- files


@dataclass(frozen=True, slots=True)
class Copy:
    """One store's copy of a file: `there` is whether the file was in it when it was read back,
    `differs` whether that reading named it as not what the catalogue knows."""

    replica: Replica
    there: bool
    differs: bool


@dataclass(frozen=True, slots=True)
class FileRow:
    file: File
    copies: tuple[Copy, ...]


@dataclass(frozen=True, slots=True)
class Files:
    """A page of the files of one data group, by name. No file is counted for it: the group knows
    how many it has, and the pages are found by the name at which they begin."""

    groups: list[DataGroup]
    group: DataGroup | None
    text: str
    stores: list[Replica]
    rows: list[FileRow]
    before: str
    after: str


def files(run: Run, asked: Mapping[str, str]) -> Files:
    """As the address asks: `of` a kind, `named` something, `after` or `before` a name."""
    groups = sorted(run.data_groups.all(), key=_by_kind)
    group = next(
        (g for g in groups if name_of(g) == asked.get("of")), groups[0] if groups else None
    )
    text = asked.get("named", "").replace("\x00", "")[:255]
    if group is None:
        return Files([], None, text, [], [], "", "")
    found, before, after = _slice(group, text, asked)
    live = [r for r in group.replicas.all() if r.state not in Replica.GONE]
    stores = sorted(live, key=lambda r: (r.store.rank, r.pk))
    differing = _differing(stores)
    rows = [
        FileRow(
            file,
            tuple(
                Copy(r, _was_there(file, r), file.name in differing.get(r.pk, ())) for r in stores
            ),
        )
        for file in found
    ]
    return Files(groups, group, text, stores, rows, before, after)


def _slice(group: DataGroup, text: str, asked: Mapping[str, str]) -> tuple[list[File], str, str]:
    """The files of a page, and the names before and after which there are more."""
    wanted: QuerySet[File] = group.files.order_by("name")
    if text:
        wanted = wanted.filter(name__icontains=text)
    edge = {k: asked.get(k, "").replace("\x00", "")[:255] for k in ("before", "after")}
    if edge["before"]:
        rows = list(wanted.filter(name__lt=edge["before"]).reverse()[: FILES + 1])
        more, rows = len(rows) > FILES, rows[:FILES][::-1]
        return rows, rows[0].name if more else "", rows[-1].name if rows else ""
    if edge["after"]:
        wanted = wanted.filter(name__gt=edge["after"])
    rows = list(wanted[: FILES + 1])
    more, rows = len(rows) > FILES, rows[:FILES]
    return rows, rows[0].name if rows and edge["after"] else "", rows[-1].name if more else ""


def _by_kind(group: DataGroup) -> tuple[int, str, int]:
    return (("RAW", "PROC").index(group.kind) if group.kind in ("RAW", "PROC") else 9, group.kind,
            group.edition)  # fmt: skip


def name_of(group: DataGroup) -> str:
    """A data group in an address: "RAW", "CAL-2"."""
    return group.kind if group.edition == 1 else f"{group.kind}-{group.edition}"


def _was_there(file: File, replica: Replica) -> bool:
    if replica.state not in (Replica.State.VERIFIED, Replica.State.SCHEDULED):
        return True  # as far as anybody knows; the state says how far that is
    return replica.verified_at is not None and file.registered_at <= replica.verified_at


def _differing(stores: Iterable[Replica]) -> dict[int, set[str]]:
    """By corrupt replica: the files that its last reading named, as the job that is held says."""
    corrupt = [r.pk for r in stores if r.state == Replica.State.CORRUPT]
    if not corrupt:
        return {}
    held = Job.objects.filter(
        name="runs.verify_replica", subject_type="runs.replica", subject_id__in=corrupt
    ).exclude(evidence={})
    return {job.subject_id: _named(job.evidence) for job in held.order_by("pk")}


def _named(evidence: Mapping[str, Any]) -> set[str]:
    told = [evidence, *(evidence.get("differences") or ())]
    paths = [each.get("file") for each in told if isinstance(each, dict)]
    return {path.rpartition("/")[2] for path in paths if isinstance(path, str)}


def checksums(run: Run) -> Iterator[str]:
    """Lines for `sha256sum -c`, of all files of which a sha256 is known."""
    rows = queries.files(run).exclude(sha256="").select_related("data_group__run")
    for file in rows.iterator(chunk_size=2000):
        yield f"{file.sha256}  {file.data_group.folder}/{file.name}\n"


# ---------------------------------------------------------------- what else belongs to it


def parameters(run: Run, text: str = "") -> QuerySet[Parameter]:
    """Values of the slow control that were reported for a run."""
    rows = run.parameters.select_related("unit").order_by("data_source", "name", "pk")
    text = text.replace("\x00", "")
    return rows.filter(Q(data_source__icontains=text) | Q(name__icontains=text)) if text else rows


def outside(run: Run) -> ExternalProcessing | None:
    """How far a pipeline outside says it is."""
    found: ExternalProcessing | None = ExternalProcessing.objects.filter(run=run).first()
    return found


def reports(run: Run) -> list[Report]:
    """Reports of pipelines outside; ours are with their calibrations."""
    return list(run.reports.filter(artifact=None).order_by("-pk")[:FILES])
