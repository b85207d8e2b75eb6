"""What the run table reads, in a number of queries that depends on nothing: each query here brings
one kind of thing for all rows of a page.

Whoever opens the table may read what the proposal is (its frame has asked), and so every run of
it; nothing here asks again for each row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import (
    CharField,
    Count,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import JSONObject

from catalogue.ground import journal
from catalogue.ground.jobs.outbox import OPEN
from catalogue.ground.models import ExperimentType, Job, Technique
from catalogue.ground.totals import BigSum
from proposals.models import Experiment, Proposal, Sample
from runs.models import Assessment, Calibration, CauseTag, Replica, Run

CHOSEN = ("experiment", "sample", "technique", "cause")
Choices = dict[str, list[tuple[Any, ...]]]


def inside(proposal: Proposal) -> QuerySet[Run]:
    """All runs of a proposal, for those who may read what it is; each with its last mark."""
    last = Assessment.objects.filter(run=OuterRef("pk")).order_by("-id")
    told = JSONObject(id="id", previous="previous", automatic="automatic", comment="comment")
    found = Run.objects.filter(proposal=proposal).select_related("experiment__type", "sample")
    return found.annotate(last_mark=Subquery(last.values(told=told)[:1]))


def one(proposal: Proposal, number: int) -> Run:
    """The run of that number. Raises `Run.DoesNotExist`."""
    found = inside(proposal).get(number=number)
    found.proposal = proposal
    return found


def some(proposal: Proposal, numbers: Collection[int]) -> list[Run]:
    """The runs of these numbers that there are, the highest first."""
    found = list(inside(proposal).filter(number__in=numbers).order_by("-number"))
    for run in found:
        run.proposal = proposal
    return found


@dataclass(frozen=True, slots=True)
class Totals:
    """What a filter leaves, summed up; `position` is how far the journal was told before."""

    runs: int
    bytes: int
    unmarked: int
    open: int
    position: int


def totals(runs: QuerySet[Run]) -> Totals:
    """How many runs, of how many bytes, how many without a mark. To be asked before the rows are
    read: what comes after `position` may be among them, what came before is."""
    found = runs.order_by().aggregate(
        runs=Count("pk"),
        bytes=BigSum("bytes", default=0),
        unmarked=Count("pk", filter=Q(quality="") & ~Q(status="open") & Q(withdrawn_at=None)),
        open=Count("pk", filter=Q(status="open")),
        position=Max(journal.position_now()),
    )
    if found["position"] is None:  # there is no run to read it with
        found["position"] = journal.reach()
    return Totals(**found)


@dataclass(slots=True)
class Parts:
    """What belongs to a run of the table besides its own columns."""

    replicas: list[Replica] = field(default_factory=list)
    techniques: list[str] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    calibration: Calibration | None = None
    job: dict[str, Any] | None = None


def parts(runs: Sequence[Run]) -> dict[int, Parts]:
    """By run id, in three queries."""
    found: dict[int, Parts] = defaultdict(Parts)
    ids = [run.pk for run in runs]
    if not ids:
        return found
    there = Replica.objects.filter(data_group__run__in=ids).select_related("store", "data_group")
    for replica in there.only(*_OF_A_REPLICA).order_by("id"):
        found[replica.data_group.run_id or 0].replicas.append(replica)
    for run, kind, name in _tags(ids):
        (found[run].techniques if kind == "technique" else found[run].causes).append(name)
    for calibration in _calibrations(ids):
        found[calibration.run_id].calibration = calibration
        found[calibration.run_id].job = getattr(calibration, "its_job", None)
    return found


_OF_A_REPLICA = ("state", "remove_at", "store__tier", "data_group__kind", "data_group__run")


def _tags(ids: Collection[int]) -> Iterable[tuple[int, str, str]]:
    """Techniques and causes of these runs: run id, which of the two, name."""
    through, others = Run.techniques.through.objects, Run.causes.through.objects
    techniques = through.filter(run__in=ids).values_list(
        "run_id", Value("technique", CharField()), F("technique__name")
    )
    causes = others.filter(run__in=ids).values_list(
        "run_id", Value("cause", CharField()), F("causetag__name")
    )
    return techniques.union(causes, all=True).order_by("run_id")


def _calibrations(ids: Collection[int]) -> QuerySet[Calibration]:
    """The newest of each of these runs, with its report and the job that works on it."""
    newest = Calibration.objects.filter(run__in=ids).order_by().values("run")
    job = Job.objects.filter(
        subject_type=Calibration._meta.label_lower, subject_id=OuterRef("pk"), state__in=OPEN
    ).order_by("-id")
    told = JSONObject(id="id", state="state", progress="progress", reason="reason", who="who")
    return (
        Calibration.objects.filter(pk__in=newest.annotate(last=Max("pk")).values("last"))
        .select_related("report")
        .annotate(its_job=Subquery(job.values(told=told)[:1]))
    )


def choices(proposal: Proposal) -> Choices:
    """What a run of the proposal can have, by kind: (id, name); under "counts" how many runs have a
    cause, under "never" the run types that are not calibrated by themselves. One query."""
    nothing = Value(0, IntegerField())

    def rows(kind: str, of: QuerySet[Any], runs: Any = nothing) -> QuerySet[Any, Any]:
        return of.order_by().values_list(Value(kind, CharField()), F("pk"), F("name"), runs)

    with_it = Run.causes.through.objects.filter(causetag=OuterRef("pk"), run__proposal=proposal)
    counted: QuerySet[Any, Any] = with_it.order_by().values("causetag").annotate(n=Count("pk"))
    used = Run.techniques.through.objects.filter(run__proposal=proposal).values("technique")
    everything = rows("experiment", Experiment.objects.filter(proposal=proposal)).union(
        rows("sample", Sample.objects.filter(proposal=proposal)),
        rows("technique", Technique.objects.filter(pk__in=used)),
        rows("cause", CauseTag.objects.all(), Subquery(counted.values("n"), IntegerField())),
        rows("never", ExperimentType.objects.filter(calibrates_by_itself=False)),
        all=True,
    )
    found: Choices = {kind: [] for kind in (*CHOSEN, "never", "counts")}
    for kind, pk, name, count in sorted(everything, key=lambda row: str(row[2]).lower()):
        found[kind].append((str(pk), name))
        if count:
            found["counts"].append((pk, name, count))
    return found


def to_choose_from(proposal: Proposal) -> dict[str, QuerySet[Any]]:
    """By the name of a form's field, what people may say of a run of the proposal."""
    return {
        "causes": CauseTag.objects.order_by("name"),
        "experiment": Experiment.objects.filter(proposal=proposal).order_by("name"),
        "sample": Sample.objects.filter(proposal=proposal).order_by("name"),
        "techniques": Technique.objects.filter(available=True).order_by("name"),
    }
