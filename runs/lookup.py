"""Rows of runs by their ids, across all proposals, for faces that know rows so; narrowed to what
the reader may see, with what is shown of each in a number of queries that does not depend on how
many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from django.db.models import (
    Case,
    Exists,
    F,
    FilteredRelation,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)

from catalogue.ground.actor import Actor
from catalogue.ground.models import ConstantVersion as Version
from catalogue.ground.models import (
    DataKind,
    DataType,
    Detector,
    DetectorType,
    Job,
    ParameterType,
    Store,
    Technique,
    Unit,
    User,
)
from proposals.models import Experiment, Proposal, Sample
from runs import access, queries
from runs.models import (
    Calibration,
    DarkRequest,
    DataGroup,
    File,
    FileList,
    Parameter,
    Replica,
    Report,
    Run,
)

M = TypeVar("M", bound=Model)
R = TypeVar("R", Calibration, Report)


def _within(rows: QuerySet[M], path: str, actor: Actor) -> QuerySet[M]:
    """Those of `rows` whose proposal, along `path`, `actor` may know from inside."""
    mine = access.own_proposals(actor)
    return rows if mine is None else rows.filter(**{f"{path}__in": mine})


def experiments(actor: Actor) -> QuerySet[Experiment]:
    """The run types of which `actor` may know."""
    return _within(Experiment.objects.select_related("proposal"), "proposal", actor)


def samples(actor: Actor) -> QuerySet[Sample]:
    """The samples of which `actor` may know."""
    return _within(Sample.objects.select_related("proposal"), "proposal", actor)


def own_proposals(actor: Actor) -> QuerySet[Proposal]:
    """The proposals of which `actor` may know more than everybody may."""
    return _within(Proposal.objects.all(), "pk", actor)


def people(actor: Actor) -> QuerySet[User]:
    """Whom a row may name."""
    return User.objects.all()


def kinds(actor: Actor) -> QuerySet[DataKind]:
    return DataKind.objects.all()


def stores(actor: Actor) -> QuerySet[Store]:
    return Store.objects.all()


def techniques() -> QuerySet[Technique]:
    return Technique.objects.all()


def versions(actor: Actor) -> QuerySet[Version]:
    return Version.objects.all()


def data_types(actor: Actor) -> QuerySet[DataType]:
    return DataType.objects.all()


def parameter_types(actor: Actor) -> QuerySet[ParameterType]:
    return ParameterType.objects.all()


def units(actor: Actor) -> QuerySet[Unit]:
    return Unit.objects.all()


def detectors(actor: Actor) -> QuerySet[Detector]:
    return Detector.objects.all()


def detector_types(actor: Actor) -> QuerySet[DetectorType]:
    return DetectorType.objects.all()


# ---------------------------------------------------------------- runs


def every_run() -> QuerySet[Run]:
    """All runs, for rules that hold among all of them."""
    return Run.objects.all()


def runs(actor: Actor) -> QuerySet[Run]:
    """The runs of which `actor` may know."""
    rows = Run.objects.select_related("proposal", "experiment", "sample", "external_processing")
    return _within(rows, "proposal", actor)


def runs_told(actor: Actor, *, whole: bool = False) -> QuerySet[Run]:
    """The same with what is told of each and no more, with the run type and the sample if
    `whole`."""
    return _within(_whole_runs() if whole else _plain_runs(), "proposal", actor)


# Queries that are made often are put together once: that takes as long as asking them.


@cache
def _plain_runs() -> QuerySet[Run]:
    kept = {"id", "number", "assesses_by_itself"}
    fields = [field.name for field in Proposal._meta.concrete_fields if field.name not in kept]
    rows = Run.objects.select_related("proposal", "external_processing")
    return rows.defer(*(f"proposal__{name}" for name in fields))


@cache
def _whole_runs() -> QuerySet[Run]:
    return _plain_runs().select_related("experiment", "sample")


def _copies() -> Q:
    """Our own copies of runs to offline storage."""
    named = Q(subject_type="runs.run", name="runs.migrate")
    return named & ~Q(state=Job.State.CANCELLED)


def technique_links(rows: Iterable[Run]) -> dict[int, list[Any]]:
    """By run: the rows that link it with its techniques, in the order in which they were added."""
    found: dict[int, list[Any]] = {}
    for link in _technique_links().filter(run__in=[r.pk for r in rows]):
        found.setdefault(link.run_id, []).append(link)
    return found


@cache
def _technique_links() -> QuerySet[Any]:
    links = Run.techniques.through._default_manager.select_related("technique")
    return links.order_by("pk")


def run_numbered(actor: Actor, proposal_number: int, number: int) -> Run:
    """The run of that number. Raises `Run.DoesNotExist` also where it may not be known of."""
    return runs(actor).get(proposal__number=proposal_number, number=number)


def runs_of(actor: Actor, proposal_number: int) -> QuerySet[Run]:
    """The runs of a proposal by number, as `runs_told`. Raises `Proposal.DoesNotExist`."""
    proposal = own_proposals(actor).get(number=proposal_number)
    return runs_told(actor, whole=True).filter(proposal=proposal).order_by("number")


def _by_run(rows: Iterable[R]) -> dict[int, list[R]]:
    found: dict[int, list[R]] = {}
    for row in rows:
        run: int = row.run_id
        found.setdefault(run, []).append(row)
    return found


def copies_of(rows: Iterable[Run]) -> dict[int, list[Job]]:
    """By run: our own copies to offline storage, oldest first."""
    found: dict[int, list[Job]] = {}
    for job in _copies_told().filter(subject_id__in=[row.pk for row in rows]):
        found.setdefault(job.subject_id, []).append(job)
    return found


def calibrations_of(rows: Iterable[Run]) -> dict[int, list[Calibration]]:
    """By run: our own calibrations, oldest first."""
    return _by_run(_calibrations_told().filter(run__in=[row.pk for row in rows]))


@cache
def _copies_told() -> QuerySet[Job]:
    told = ("subject_id", "created_at", "started_at", "finished_at")
    return Job.objects.filter(_copies()).only(*told).order_by("pk")


@cache
def _reports_told() -> QuerySet[Report]:
    return Report.objects.order_by("pk")


@cache
def _calibrations_told() -> QuerySet[Calibration]:
    told = ("run", "state", "reason", "created_at", "finished_at")
    return Calibration.objects.only(*told).order_by("pk")


def reports_of(rows: Iterable[Run]) -> dict[int, list[Report]]:
    """By run: the reports of its corrections."""
    return _by_run(_reports_told().filter(run__in=[row.pk for row in rows]))


# ---------------------------------------------------------------- data


def _kind() -> Subquery:
    return Subquery(DataKind.objects.filter(identifier=OuterRef("kind")).values("pk")[:1])


def groups(actor: Actor) -> QuerySet[DataGroup]:
    """The data groups of which `actor` may know; `kind_id` is the id of their kind."""
    rows = access.visible_groups(actor).select_related("run__proposal", "experiment__proposal")
    return rows.annotate(kind_id=_kind())


@dataclass(frozen=True, slots=True)
class Held:
    """A data group with its `kind_id`, and the stores where a copy of it is there, oldest copy
    first, each with the id of its kind."""

    group: Any
    stores: list[tuple[Store, int | None]] = field(default_factory=list)


def groups_of(rows: Collection[Run]) -> dict[int, list[Held]]:
    """By run: its data groups."""
    found: dict[int, dict[int, Held]] = {}
    for row in _groups_told().filter(run__in=[row.pk for row in rows]):
        held = found.setdefault(row.run_id, {}).setdefault(row.pk, Held(row))
        if row.copy is not None:
            store = Store(**{name: getattr(row, f"store_{name}") for name in STORE_TOLD})
            held.stores.append((store, row.store_kind_id))
    return {run: list(groups.values()) for run, groups in found.items()}


STORE_TOLD = (
    "id", "name", "identifier", "image_url", "mount", "agent_identifier", "agent_url", "context",
    "available", "rank", "description",
)  # fmt: skip


@cache
def _groups_told() -> QuerySet[Any]:
    """A row for each copy that is there, and one for a group that has none."""
    there = Q(replicas__state__in=queries.THERE)
    kind = DataKind.objects.filter(identifier=OuterRef("live__store__kind")).values("pk")[:1]
    rows = DataGroup.objects.select_related("experiment").annotate(
        live=FilteredRelation("replicas", condition=there),
        copy=F("live__pk"),
        kind_id=_kind(),
        store_kind_id=Subquery(kind),
        **{f"store_{name}": F(f"live__store__{name}") for name in STORE_TOLD},
    )
    own = ("run", "experiment", "kind", "name", "language", "format", "passport")
    return rows.only(*own, "experiment__name").order_by("pk", "copy")


def one_of_each_place(rows: QuerySet[Replica]) -> QuerySet[Replica]:
    """Of several replicas that a store had of one group the one that counts: the live one, else
    the newest."""
    same = Replica.objects.filter(data_group=OuterRef("data_group"), store=OuterRef("store"))
    better = same.exclude(state__in=Replica.GONE) | same.filter(pk__gt=OuterRef("pk"))
    return rows.exclude(Q(state__in=Replica.GONE) & Exists(better.exclude(pk=OuterRef("pk"))))


def replicas(actor: Actor) -> QuerySet[Replica]:
    """The replicas of which `actor` may know, one of each group in each store."""
    rows = one_of_each_place(_of_groups(Replica.objects.all(), actor))
    return rows.select_related("store", "data_group")


def replicas_told(actor: Actor) -> QuerySet[Replica]:
    """The same with what is told of each and no more."""
    rows = replicas(actor).select_related(None)
    return rows.only("data_group", "store", "state", "created_at")


def every_replica() -> QuerySet[Replica]:
    return one_of_each_place(Replica.objects.all())


def _of_groups(rows: QuerySet[M], actor: Actor) -> QuerySet[M]:
    """Those of `rows` whose data group `actor` may know."""
    mine = access.own_proposals(actor)
    return rows if mine is None else rows.filter(data_group__in=access.groups_in(mine))


def file_lists(actor: Actor) -> QuerySet[FileList]:
    """The file lists of which `actor` may know."""
    return _of_groups(FileList.objects.select_related("data_group"), actor)


def files(actor: Actor) -> QuerySet[File]:
    """The files of which `actor` may know; `kind_id` is the id of their kind."""
    of_kind = Case(When(kind="", then=F("data_group__kind")), default=F("kind"))
    kind = DataKind.objects.filter(identifier=OuterRef("of_kind")).values("pk")[:1]
    rows = File.objects.annotate(of_kind=of_kind).annotate(kind_id=Subquery(kind))
    return _of_groups(rows, actor)


def every_file() -> QuerySet[File]:
    return File.objects.all()


def parameters(actor: Actor) -> QuerySet[Parameter]:
    """The parameters of which `actor` may know: of their runs and data. Those that belong to none
    are for those who report them."""
    mine = access.own_proposals(actor)
    if mine is None:
        return Parameter.objects.all()
    of_runs = Q(runs__proposal__in=mine)
    some = Q(pk__in=Parameter.objects.filter(of_runs).order_by().values("pk"))
    groups = Q(data_groups__in=access.groups_in(mine))
    some |= Q(pk__in=Parameter.objects.filter(groups).order_by().values("pk"))
    return Parameter.objects.filter(some)


def reports(actor: Actor) -> QuerySet[Report]:
    """The reports of which `actor` may know."""
    return _within(Report.objects.select_related("run__proposal"), "run__proposal", actor)


def every_report() -> QuerySet[Report]:
    return Report.objects.all()


def dark_requests(actor: Actor) -> QuerySet[DarkRequest]:
    """The requests for constants of which `actor` may know."""
    rows = DarkRequest.objects.select_related("detector", "run", "proposal")
    return _within(rows, "proposal", actor)
