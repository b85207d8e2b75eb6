"""What is read of runs; lists are narrowed to what the reader may see."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.jobs.outbox import OPEN
from catalogue.ground.models import Detector, DetectorUnit, Entry, Job, Route, Store
from catalogue.ground.refusal import Refused
from catalogue.ports.movers import Entry as MoverEntry
from proposals import access as proposals
from proposals.models import Proposal
from runs import access
from runs.models import Calibration, CauseTag, DarkRequest, DataGroup, File, Package, Replica, Run

LIVE = ("expected", "copying", "copied", "verified", "scheduled", "trashed", "corrupt")
THERE = ("copied", "verified", "scheduled")
KEEPING_TIERS = ("offline", "mass_storage", "tape")


def listed(actor: Actor, proposal: Proposal) -> QuerySet[Run]:
    """The runs of one proposal, newest first, with what the run table shows of each; the number
    of queries does not depend on the number of runs."""
    return _with_parts(access.visible(actor).filter(proposal=proposal)).order_by("-number")


def _with_parts(runs: QuerySet[Run]) -> QuerySet[Run]:
    return runs.select_related(
        "proposal__instrument", "proposal__cycle", "experiment__type", "sample"
    ).prefetch_related(
        "techniques",
        "causes",
        "data_groups__replicas__store",
        "calibrations__detector",
    )


def shown(actor: Actor, proposal_number: int, number: int) -> Run:
    """The same as `one`, with what the run table shows of it."""
    return _with_parts(access.visible(actor)).get(proposal__number=proposal_number, number=number)


def one(actor: Actor, proposal_number: int, number: int) -> Run:
    """The run of that number. Raises `Run.DoesNotExist` also where it may not be known of."""
    return (
        access.visible(actor)
        .select_related("proposal__instrument", "proposal__cycle", "experiment__type", "sample")
        .get(proposal__number=proposal_number, number=number)
    )


def files(run: Run, kind: str | None = None) -> QuerySet[File]:
    """The files of a run in the order of kind and name."""
    found = File.objects.filter(data_group__run=run).select_related("data_group")
    if kind is not None:
        found = found.filter(data_group__kind=kind)
    return found.order_by("data_group__kind", "name")


def files_shown(actor: Actor, run: Run, kind: str | None = None) -> QuerySet[File]:
    """The files of a run that `actor` may know of, group by group and by name: all of them for
    those who may read what the proposal is, else those of the open kinds."""
    found = File.objects.filter(data_group__run=run).select_related("data_group")
    if words.SEE_METADATA not in proposals.allowed_on(actor, run.proposal):
        found = found.filter(data_group__kind__in=access.OPEN_KINDS)
    if kind is not None:
        found = found.filter(data_group__kind=kind)
    return found.order_by("data_group_id", "name")


def one_file(actor: Actor, run: Run, name: str, kind: str | None = None) -> File:
    """The file of that name. Raises `File.DoesNotExist` also where it may not be known of."""
    found = files_shown(actor, run, kind).filter(name=name).select_related(
        "data_group__run__proposal__instrument", "data_group__run__proposal__cycle"
    )  # fmt: skip
    first = found.first()
    if first is None:
        raise File.DoesNotExist
    return first


def edition(run: Run) -> str:
    """Which edition of what people say of a run this is: another one, once any of it changed."""
    techniques = sorted(t.pk for t in run.techniques.all())
    causes = sorted(c.pk for c in run.causes.all())
    said = repr((run.experiment_id, run.sample_id, run.comment, run.alias, techniques, causes))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def comment_edition(run: Run) -> str:
    """Which edition of the comment alone this is."""
    return hashlib.sha256(run.comment.encode()).hexdigest()[:16]


def causes() -> QuerySet[CauseTag]:
    """The facility's tags for why a run is as it is, by name."""
    return CauseTag.objects.order_by("name")


def named_causes(names: Sequence[str]) -> list[CauseTag]:
    """The cause tags of these names. Raises `CauseTag.DoesNotExist`."""
    found = list(CauseTag.objects.filter(name__in=names))
    if len(found) < len(set(names)):
        raise CauseTag.DoesNotExist
    return found


def groups(run: Run) -> QuerySet[DataGroup]:
    """The data groups of a run with their replicas, those that are gone too."""
    return (
        run.data_groups.select_related("run__proposal__instrument", "run__proposal__cycle")
        .prefetch_related("replicas__store")
        .order_by("kind")
    )


def group(run: Run, kind: str) -> DataGroup:
    """The data of one kind of a run, the first edition. Raises `DataGroup.DoesNotExist`."""
    return DataGroup.objects.get(run=run, kind=kind, edition=1)


def _ids_of_groups(proposal: Proposal) -> QuerySet[DataGroup, Any]:
    """Of all data of a proposal, also of those that belong to none of its runs."""
    of_runs = DataGroup.objects.filter(run__proposal=proposal).order_by()
    of_no_run = DataGroup.objects.filter(run=None, experiment__proposal=proposal).order_by()
    return of_runs.values("pk").union(of_no_run.values("pk"), all=True)


def groups_of(proposal: Proposal) -> QuerySet[DataGroup]:
    """All data groups of a proposal with where they are."""
    found = DataGroup.objects.filter(pk__in=_ids_of_groups(proposal)).select_related("run")
    return found.prefetch_related("replicas__store").order_by("-id")


def replicas(proposal: Proposal) -> QuerySet[Replica]:
    """The replicas of all data of a proposal."""
    return _placed(Replica.objects.filter(data_group__in=_ids_of_groups(proposal)))


def replicas_of(run: Run) -> QuerySet[Replica]:
    """The replicas of the data of a run."""
    return _placed(Replica.objects.filter(data_group__run=run))


def _placed(found: QuerySet[Replica]) -> QuerySet[Replica]:
    """With what is told of each and no more: a page has up to a thousand of them."""
    whole = [field.name for field in Replica._meta.concrete_fields]
    beside = ("store__identifier", "store__tier", "data_group__kind", "data_group__edition")
    rows = found.select_related("store", "data_group__run").order_by("-id")
    return rows.only(*whole, *beside, "data_group__run__number")


def calibrations(run: Run) -> QuerySet[Calibration]:
    """The calibrations of a run with all that is told of them."""
    return calibrations_of(run.proposal).filter(run=run)


def calibrations_of(proposal: Proposal) -> QuerySet[Calibration]:
    """The calibrations of all runs of a proposal with all that is told of them."""
    return (
        Calibration.objects.filter(run__proposal=proposal)
        .select_related("detector", "report__store", "run__proposal")
        .prefetch_related("units", "constants")
        .order_by("-id")
    )


def dark_requests(run: Run) -> QuerySet[DarkRequest]:
    """The requests for constants from a run with all that is told of them."""
    return dark_requests_of(run.proposal).filter(run=run)


def dark_requests_of(proposal: Proposal) -> QuerySet[DarkRequest]:
    """The requests for constants of a proposal with all that is told of them."""
    return (
        DarkRequest.objects.filter(proposal=proposal)
        .select_related("detector", "report__store", "run__proposal")
        .prefetch_related("versions")
        .order_by("-id")
    )


def detector(identifier: str) -> Detector:
    """The detector of that identifier. Raises `Detector.DoesNotExist`."""
    return Detector.objects.get(identifier=identifier)


def units(detector: Detector, aggregators: Sequence[str]) -> list[DetectorUnit]:
    """The units of a detector behind these aggregators. Raises `DetectorUnit.DoesNotExist`."""
    found = list(detector.units.filter(aggregator__in=aggregators))
    if len(found) < len(aggregators):
        raise DetectorUnit.DoesNotExist
    return found


def packages(proposal: Proposal) -> QuerySet[Package]:
    """The packages of a proposal, newest first."""
    return Package.objects.filter(proposal=proposal).select_related("store").order_by("-id")


def store(identifier: str) -> Store:
    """The store of that identifier. Raises `Store.DoesNotExist`."""
    return Store.objects.get(identifier=identifier)


def entries(group: DataGroup) -> list[MoverEntry]:
    """The files of a data group as a mover knows them."""
    rows = group.files.order_by("name").values_list("name", "bytes", "sha256", "adler32")
    return [
        MoverEntry(path=name, bytes=size, sha256=sha or None, adler32=adler or None)
        for name, size, sha, adler in rows.iterator(chunk_size=2000)
    ]


def manifest_checksum(files: Iterable[MoverEntry]) -> str:
    """sha256 over the lines "sha256  path", sorted by path: one checksum for a whole group."""
    digest = hashlib.sha256()
    for entry in sorted(files, key=lambda e: e.path):
        digest.update(f"{entry.sha256}  {entry.path}\n".encode())
    return digest.hexdigest()


def where_registered(proposal: Proposal | None = None) -> Store:
    """The store in which a DAQ writes: that of the proposal's instrument, where one is named, else
    the online store of lowest rank."""
    if proposal is not None and proposal.instrument.store is not None:
        return proposal.instrument.store
    store = Store.objects.filter(tier="online").order_by("rank", "id").first()
    if store is None:
        raise Refused("No store is online, where a DAQ writes.", who="a data manager")
    return store


def live_replica(group: DataGroup, store: Store) -> Replica | None:
    """The replica of `group` in `store` that is not gone, if any."""
    return group.replicas.filter(store=store, state__in=LIVE).first()


def other_copies(replica: Replica, *, older: bool = False) -> list[Replica]:
    """The replicas of the same data that lie in other stores. Only the `older` ones: of two that
    turn out to be one, that which was known first stays."""
    rows = Replica.objects.filter(data_group=replica.data_group_id, state__in=THERE)
    rows = rows.exclude(store=replica.store_id).select_related(
        "store", "data_group__run__proposal__instrument", "data_group__run__proposal__cycle"
    )
    return list(rows.filter(pk__lt=replica.pk) if older else rows)


def readable_replica(group: DataGroup) -> Replica | None:
    """The best replica to read from: verified before reported, offline before online."""
    found = [r for r in group.replicas.select_related("store") if r.state in THERE]
    order = ["offline", "online", "mass_storage", "tape", "export", "elsewhere"]
    found.sort(key=lambda r: (r.state != "verified", order.index(r.store.tier), r.store.rank))
    return found[0] if found else None


def loss_of(group: DataGroup) -> str | None:
    """What is to be said where no copy of `group` is left that was read back, though its data are
    wanted; None where there is one, or nobody wants them."""
    if group.run_id is not None and group.run.quality == Run.Quality.NOT_INTERESTING:
        return None
    replicas = list(group.replicas.select_related("store"))
    if any(r.state in ("verified", "scheduled") for r in replicas):
        return None
    left = [f"{r.store} ({r.get_state_display().lower()})" for r in replicas if r.state in LIVE]
    where = f"What there is: {', '.join(left)}." if left else "No store holds another."
    return f"The last verified copy of {group.label} is gone. {where}"


def routes(purpose: str) -> list[Route]:
    """Where data go next for this purpose."""
    return list(Route.objects.filter(purpose=purpose).select_related("source", "destination"))


def silent_runs(now: datetime) -> QuerySet[Run]:
    """Open runs whose heartbeat has stopped."""
    since = now - timedelta(seconds=settings.SILENT_RUN_SECONDS)
    return Run.objects.filter(status=Run.Status.OPEN, heartbeat_at__lt=since)


def is_silent(run: Run) -> bool:
    """Whether an open run has not been heard of for the setting SILENT_RUN_SECONDS."""
    since = clock.now() - timedelta(seconds=settings.SILENT_RUN_SECONDS)
    return (
        run.status == Run.Status.OPEN and run.heartbeat_at is not None and run.heartbeat_at < since
    )


def runs_to_close(now: datetime) -> QuerySet[Run]:
    """Open runs that have been silent for so long that the catalogue closes them."""
    since = now - timedelta(seconds=settings.CLOSE_SILENT_RUN_SECONDS)
    return Run.objects.filter(status=Run.Status.OPEN, heartbeat_at__lt=since)


def detector_of(proposal: Proposal) -> Detector | None:
    """The detector that a calibration is for when none is named: the instrument's first."""
    return Detector.objects.filter(instruments=proposal.instrument_id).order_by("id").first()


def detectors_of(proposal: Proposal) -> QuerySet[Detector]:
    """The detectors at the instrument of a proposal, the first being the one meant if none is."""
    return Detector.objects.filter(instruments=proposal.instrument_id).order_by("id")


def waiting_for_constants(detector: Detector) -> QuerySet[Calibration]:
    """Calibrations that are held until constants of this detector arrive."""
    return Calibration.objects.filter(detector=detector, state=Calibration.State.HELD)


def story(run: Run) -> QuerySet[Entry]:
    """What happened to a run and its data, newest first."""
    return journal.of_proposal(run.proposal.number).filter(run=run.number)


def jobs(run: Run) -> QuerySet[Job]:
    """The jobs about a run, its replicas and calibrations, newest first."""
    about = Q(subject_type="runs.run", subject_id=run.pk)
    for kind, rows in (
        ("runs.replica", Replica.objects.filter(data_group__run=run)),
        ("runs.calibration", run.calibrations.all()),
        ("runs.darkrequest", run.dark_requests.all()),
    ):
        about |= Q(subject_type=kind, subject_id__in=rows.values("pk"))
    return Job.objects.filter(about)


def checklist(proposal: Proposal) -> dict[str, int]:
    """What a reviewer has to look at: counts of what is not done."""
    runs = Run.objects.filter(proposal=proposal, withdrawn_at__isnull=True)
    kept = runs.exclude(quality=Run.Quality.NOT_INTERESTING).exclude(file_count=0)
    verified = Replica.objects.filter(
        data_group__run__proposal=proposal,
        data_group__kind="RAW",
        state="verified",
        store__tier__in=KEEPING_TIERS,
    )
    return {
        "runs still open": runs.filter(status=Run.Status.OPEN).count(),
        "runs without assessment": runs.filter(quality="").count(),
        "jobs not done": Job.objects.filter(
            proposal=proposal.number,
            state__in=OPEN,
            after__lte=clock.now(),
        ).count(),
        "runs without a verified copy": kept.exclude(
            pk__in=verified.values("data_group__run")
        ).count(),
    }


def open_part(proposal: Proposal) -> QuerySet[DataGroup]:
    """The data groups that are open once the proposal is: RAW and PROC of Good and Unclear runs."""
    return (
        DataGroup.objects.filter(
            run__proposal=proposal,
            run__quality__in=access.OPEN_QUALITIES,
            run__withdrawn_at__isnull=True,
            kind__in=access.OPEN_KINDS,
        )
        .select_related("run__proposal__instrument", "run__proposal__cycle")
        .order_by("run__number", "kind")
    )


def totals(proposal: Proposal) -> dict[str, int]:
    """Runs by quality, for the proposal's page."""
    rows = Run.objects.filter(proposal=proposal).values_list("quality").annotate(n=Count("id"))
    return {quality or "none": n for quality, n in rows}


def lies_in(store: Store) -> str | None:
    """Why a store stays where it is: what was read back was read there and nowhere else."""
    there = Replica.objects.filter(store=store).exclude(state__in=Replica.GONE).count()
    return f"{there} replicas lie in {store}; its mount point stays." if there else None


def proposals_online_stores() -> QuerySet[Store]:
    """The online stores in which proposals have their folders."""
    return Store.objects.filter(tier="online", prepares_folders=True)


def migrated(run: Run) -> bool:
    """Whether the run's raw data have been verified at the end of a route for migration."""
    ends = [route.destination_id for route in routes("migrate") if route.kind == "RAW"]
    return Replica.objects.filter(
        data_group__run=run, data_group__kind="RAW", store__in=ends, state="verified"
    ).exists()
