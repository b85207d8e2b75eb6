"""What may refuse a move of a run or a calibration, and what such a move will bring about."""

from __future__ import annotations

from collections.abc import Iterable

from catalogue.ground.lifecycle import Consequence, World
from catalogue.ground.refusal import Refused
from proposals.models import Proposal
from runs import queries
from runs.models import Replica, Run


def not_withdrawn(run: Run, world: World) -> str | None:
    if run.withdrawn_at is not None:
        return f"{run.label[:1].upper()}{run.label[1:]} was withdrawn."
    return None


def something_left_to_mark(run: Run, world: World) -> str | None:
    """Marks can be changed until the removal of the data has happened."""
    replicas = [r for g in run.data_groups.all() for r in g.replicas.all() if g.kind == "RAW"]
    if replicas and all(r.state == Replica.State.REMOVED for r in replicas):
        return "Its data have been removed; the mark stays as it is."
    return None


something_left_to_mark.reads = ("data_groups__replicas",)  # type: ignore[attr-defined]


def still_silent(run: Run, world: World) -> str | None:
    """Nobody closes a run by the clock that was heard of since the clock was looked at."""
    if not world.facts.get("timeout"):
        return None
    if not queries.runs_to_close(world.now).filter(pk=run.pk).exists():
        return f"{run.label[:1].upper()}{run.label[1:]} has been heard of meanwhile."
    return None


def no_run_is_open(proposal: Proposal, world: World) -> Refused | None:
    """A beamtime that is finished or reviewed takes no more data."""
    open_runs = list(
        Run.objects.filter(proposal=proposal, status=Run.Status.OPEN).values_list(
            "number", flat=True
        )[:10]
    )
    if not open_runs:
        return None
    numbers = ", ".join(f"{n:04d}" for n in open_runs)
    return Refused(
        f"Runs {numbers} are still open; close or abort them first.",
        who="the DAQ or the local contact",
        details={"open": open_runs},
    )


def nothing_left_online(proposal: Proposal, world: World) -> Refused | None:
    """Before the online folders go, the catalogue has decided about everything in them."""
    left = Replica.objects.filter(
        data_group__run__proposal=proposal,
        store__in=queries.proposals_online_stores(),
        state__in=queries.LIVE,
    ).count()
    if left == 0:
        return None
    return Refused(
        f"{left} replicas of its runs are still in online storage; they go when the policy says "
        "so and nothing holds them.",
        details={"replicas": left},
    )


def whole_before_it_counts(replica: Replica, world: World) -> str | None:
    """A replica is verified only with every registered file of its group."""
    group = replica.data_group
    files, size = world.facts.get("files"), world.facts.get("size")
    if (files, size) != (group.file_count, group.bytes):
        return (
            f"{group} has {group.file_count} files with {group.bytes} bytes, "
            f"but {files} files with {size} bytes were read."
        )
    return None


def foresee_review(proposal: Proposal, world: World) -> Iterable[Consequence]:
    """The checklist: what a reviewer should know before the proposal is reviewed."""
    for what, count in queries.checklist(proposal).items():
        yield Consequence(f"{what}: {count}")


def foresee_close(run: Run, world: World) -> Iterable[Consequence]:
    """The mark of an open run is kept until there is something to do for it."""
    if run.status == Run.Status.OPEN:
        yield Consequence("The mark takes effect when the run is closed.")


def foresee_calibration(run: Run, world: World) -> Iterable[Consequence]:
    """Whether calibration will follow by itself."""
    if run.quality != Run.Quality.GOOD:
        return
    why_not = why_not_calibrated_by_itself(run)
    if why_not:
        yield Consequence(f"Calibration does not start by itself: {why_not}.")
    else:
        yield Consequence("Calibration starts by itself once the copy is verified.")


foresee_calibration.reads = (  # type: ignore[attr-defined]
    "proposal__instrument",
    "experiment__type",
)


def why_not_calibrated_by_itself(run: Run) -> str:
    """In a few words why automatic calibration does not apply to this run; empty if it does."""
    if not run.proposal.calibrates_by_itself:
        return "it is switched off for the proposal"
    if run.experiment is None:
        return "the run has no run type"
    if not run.experiment.type.calibrates_by_itself:
        return f"never for {run.experiment.type}"
    return ""
