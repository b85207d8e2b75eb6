"""What pages tell of many runs at once: which wait for a mark, what changed. What lies where is in
`storage`."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery

from catalogue.ground import access as words
from catalogue.ground.actor import Actor
from catalogue.ground.models import Job
from catalogue.ground.totals import BigSum
from proposals import access as proposals
from proposals.models import Proposal
from runs import queries
from runs.models import (
    Artifact,
    Assessment,
    Calibration,
    DarkRequest,
    File,
    Package,
    Replica,
    Run,
)


def unmarked(actor: Actor) -> QuerySet[Proposal]:
    """The proposals in which `actor` may mark and closed runs have no mark; `waiting_runs` is how
    many, `waiting_since` when the first of them ended."""
    waiting = Run.objects.filter(quality="", withdrawn_at__isnull=True).exclude(status="open")
    counted = waiting.filter(proposal=OuterRef("pk")).order_by().values("proposal")
    return (
        Proposal.objects.filter(
            proposals.holding(actor, words.ASSESS),
            pk__in=waiting.order_by().values("proposal"),
            withdrawn_at=None,
        )
        .annotate(
            waiting_runs=Subquery(counted.annotate(n=Count("pk")).values("n")),
            waiting_since=Subquery(counted.annotate(first=Min("end_at")).values("first")),
        )
        .select_related("instrument")
        .order_by("-number")
    )


def going(actor: Actor) -> QuerySet[Proposal]:
    """The proposals of which copies are announced to go and `actor` could still keep them, the
    next to go first: `copies_going`, of so many bytes, announced since, the first on `going_at`."""
    going = Q(runs__data_groups__replicas__state=Replica.State.SCHEDULED)
    where = "runs__data_groups__replicas"
    return (
        Proposal.objects.filter(proposals.holding(actor, words.HOLD))
        .filter(going)
        .annotate(
            copies_going=Count(where),
            bytes_going=BigSum(f"{where}__data_group__bytes", default=0),
            announced_at=Min(f"{where}__notice_at"),
            going_at=Min(f"{where}__remove_at"),
        )
        .select_related("instrument")
        .order_by("going_at")
    )


def working_on(things: Iterable[Calibration | DarkRequest | Package]) -> dict[int, Job]:
    """The open job of each of these calibrations (or dark run requests), by their ids."""
    rows = list(things)
    if not rows:
        return {}
    kind = rows[0]._meta.label_lower
    jobs = Job.objects.filter(
        subject_type=kind,
        subject_id__in=[row.pk for row in rows],
        state__in=["waiting", "claimed", "held"],
    )
    return {job.subject_id: job for job in jobs.order_by("id")}


def marks(run: Run) -> QuerySet[Assessment]:
    """The marks that were set on a run, the newest first."""
    return run.assessments.all()


def report(run: Run, name: str) -> Artifact:
    """The report of that name about a run. Raises `Artifact.DoesNotExist`."""
    if "\x00" in name:  # PostgreSQL takes no such text, not even in a question
        raise Artifact.DoesNotExist
    return run.artifacts.select_related("store").get(kind="report", path=f"reports/{name}")


def open_file(proposal: Proposal, folder: str, name: str) -> File:
    """A file of the open part, by its folder ("raw/r0001") and name. Raises `File.DoesNotExist`."""
    for group in queries.open_part(proposal):
        if group.folder == folder and "\x00" not in name:
            found: File = group.files.select_related(
                "data_group__run__proposal__instrument", "data_group__run__proposal__cycle"
            ).get(name=name)
            return found
    raise File.DoesNotExist


def open_files(proposal: Proposal) -> QuerySet[File]:
    """All files of the open part, run by run."""
    return (
        File.objects.filter(data_group__in=queries.open_part(proposal))
        .select_related("data_group__run")
        .order_by("data_group__run__number", "data_group__kind", "name")
    )


def package_of(proposal: Proposal) -> Package | None:
    """The newest package that is ready."""
    return queries.packages(proposal).filter(state=Package.State.READY).first()
