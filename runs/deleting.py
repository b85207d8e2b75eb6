"""Deleting what was registered by mistake: runs, data groups, and what is said of their copies.

Possible only while nobody relies on it: no copy was ever read back, also none that is lost by now,
no mark was set, no worker is at it. Jobs that wait are called off with it. What has served is
withdrawn, or goes by the policy.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import ProtectedError, Q, QuerySet

from catalogue.ground import access as words
from catalogue.ground import journal
from catalogue.ground.actor import WORKER, Actor
from catalogue.ground.jobs.outbox import OPEN
from catalogue.ground.lifecycle import call_off
from catalogue.ground.models import Job
from catalogue.ground.refusal import Refused
from proposals import access
from runs import queries
from runs.grouping import REGISTRARS, count_run
from runs.models import DataGroup, Replica, Run
from runs.reporting import require_any

# What is being handled by a worker, or was read back; what is on its way out had been.
RELIED_ON = Q(state__in=("copying", "verified", "scheduled", "trashed", "corrupt"))
RELIED_ON |= Q(first_verified_at__isnull=False)
PARTS = (
    ("calibrations", "calibrations"),
    ("dark_requests", "requests for constants"),
    ("reports", "reports"),
)


@transaction.atomic
def delete_run(run: Run, *, by: Actor) -> None:
    """Delete a run. Its data groups stay, as those of its run type."""
    require_any(by, [words.DAQ], run.proposal)
    row = Run.objects.select_for_update(of=("self",)).select_related("proposal").get(pk=run.pk)
    groups = list(row.data_groups.select_for_update().order_by("pk"))
    _refuse_marked(row)
    refuse_relied_on(groups)
    for relation, told in PARTS:
        if getattr(row, relation).exists():
            raise Refused(f"{_capital(row.label)} has {told}.")
    _call_off(queries.jobs(row), f"{_capital(row.label)} was deleted.")
    # What we made of it is no reason to keep it; its bytes are known as the proposal's.
    row.artifacts.filter(kind="preview").update(run=None)
    for group in groups:
        group.experiment_id = group.experiment_id or row.experiment_id
        if group.experiment_id is None:
            raise Refused(f"{_capital(row.label)} has no run type that its data could stay with.")
        DataGroup.objects.filter(pk=group.pk).update(
            run=None, edition=1, experiment=group.experiment_id
        )
    journal.write(row, "delete", by=by, before=row.status, facts={"files": row.file_count})
    try:
        row.delete()
    except ProtectedError as error:
        kept = {str(thing._meta.verbose_name_plural) for thing in error.protected_objects}
        raise Refused(f"{_capital(run.label)} has {', '.join(sorted(kept))}.") from None


@transaction.atomic
def delete_group(group: DataGroup, *, by: Actor) -> None:
    """Delete a data group with its files and what is said of its copies."""
    require_any(by, REGISTRARS, group.proposal)
    run = None
    if group.run_id is not None:
        run = Run.objects.select_for_update(of=("self",)).get(pk=group.run_id)
        _refuse_marked(run)
    row = DataGroup.objects.select_for_update().get(pk=group.pk)
    refuse_relied_on([row])
    _call_off(jobs_of([row]), f"{_capital(group.label)} was deleted.")
    facts = {"kind": row.kind, "name": row.name, "files": row.file_count, "bytes": row.bytes}
    journal.write(row, "delete", by=by, facts=facts)
    row.replicas.all().delete()
    row.files.all().delete()
    row.delete()
    if run is not None:
        count_run(run)


@transaction.atomic
def delete_replica(replica: Replica, *, by: Actor) -> None:
    """Forget that a copy was reported, or that it was reported gone; of one that was read back
    neither."""
    access.require(by, words.TRANSFER, replica.data_group.proposal)
    row = Replica.objects.select_for_update().get(pk=replica.pk)
    if row.state not in ("expected", "copied", "lost"):
        state = row.get_state_display().lower()
        raise Refused(f"{_capital(row.label)} is {state}; report it gone where it is.", "state")
    if row.first_verified_at is not None:
        state = row.get_state_display().lower()
        raise Refused(f"{_capital(row.label)} is {state}; it was read back before.", "state")
    _call_off(_about_replicas([row]), f"{_capital(row.label)} was deleted.")
    journal.write(row, "delete", by=by, before=row.state)
    row.delete()


def refuse_relied_on(groups: Iterable[DataGroup]) -> None:
    """Raise `Refused` where a copy of one of the groups was read back, or a worker is at one."""
    rows = list(groups)
    there = Replica.objects.filter(RELIED_ON, data_group__in=rows)
    for replica in there.select_related("store", "data_group__run__proposal"):
        raise Refused(
            f"{_capital(replica.label)} is {replica.get_state_display().lower()}.",
            kind="state",
            who="a data manager",
            details={"store": replica.store.identifier, "state": replica.state},
        )
    _refuse_busy(jobs_of(rows))


def jobs_of(groups: Iterable[DataGroup]) -> QuerySet[Job]:
    """The jobs about groups: copies of them, and those about their replicas."""
    rows = list(groups)
    lanes = Q(pk__in=[])
    for group in rows:
        lanes |= Q(lane__startswith=f"runs.datagroup:{group.pk}:")
    return Job.objects.filter(lanes | _replica_jobs(Replica.objects.filter(data_group__in=rows)))


def _about_replicas(replicas: Iterable[Replica]) -> QuerySet[Job]:
    return Job.objects.filter(
        _replica_jobs(Replica.objects.filter(pk__in=[r.pk for r in replicas]))
    )


def _replica_jobs(replicas: QuerySet[Replica]) -> Q:
    return Q(subject_type="runs.replica", subject_id__in=replicas.values("pk"))


def _refuse_marked(run: Run) -> None:
    """A mark is never erased, so a run that has or had one stays."""
    if run.quality or run.assessments.exists():
        now = run.get_quality_display() if run.quality else "marked before"
        raise Refused(f"{_capital(run.label)} is {now}; it can be withdrawn.", kind="state")


def _refuse_busy(jobs: QuerySet[Job]) -> None:
    busy = jobs.filter(state=Job.State.CLAIMED).first()
    if busy is not None:
        raise Refused(f"{_capital(busy.label)} is being done just now.", kind="state")


def _call_off(jobs: QuerySet[Job], reason: str) -> None:
    """Cancel the jobs that wait or are held; one that runs refuses."""
    _refuse_busy(jobs)
    for job in jobs.filter(state__in=OPEN):
        call_off(job, by=WORKER, reason=reason)


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]
