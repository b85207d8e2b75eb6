"""The work of the policies: judging a run, and announcing what may go."""

from __future__ import annotations

from collections.abc import Iterable

from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.lifecycle import Outcome, Work, World, advance, performs
from catalogue.ground.models import Thing
from catalogue.ground.refusal import Refused
from policies import queries, verdicts
from proposals.models import Proposal
from runs.models import Replica, Run


def _judged(thing: Thing, world: World) -> Iterable[Wanted]:
    """The run whose replicas a move may have made removable; of a proposal, all its runs."""
    if isinstance(thing, Run):
        yield Wanted("policies.judge_run", thing)
    elif isinstance(thing, Replica):
        run = thing.data_group.run
        if thing.data_group.run_id is not None and run.status != Run.Status.OPEN:
            yield Wanted("policies.judge_run", run)
    elif isinstance(thing, Proposal):
        # No more of each than its job says: pages ask what a review would start, too.
        for run in Run.objects.filter(proposal=thing).only("proposal", "number"):
            run.proposal = thing
            yield Wanted("policies.judge_run", run)


@performs("policies.judge_run", plan=_judged)
def judge_run(work: Work) -> Outcome:
    """Judge all replicas of a run: announce the removals that a verdict allows, have those read
    that could go once they are verified, and come back when a date in a verdict has passed."""
    run = queries.run_to_judge(work.job.subject_id)
    world = World(by=WORKER)
    said = verdicts.of_run(run, world)

    def record() -> None:
        fresh = queries.run_to_judge(run.pk)
        now = World(by=WORKER)
        _announce(fresh, now)
        _ask_for_reading(fresh, now)
        _come_back(fresh, now)

    return Outcome(record, {str(pk): " ".join(v.reasons) for pk, v in said.items()})


def _announce(run: Run, world: World) -> None:
    found = verdicts.of_run(run, world)
    for replica in _replicas(run):
        verdict = found[replica.pk]
        if replica.state != Replica.State.VERIFIED or not verdict.removable:
            continue
        assert verdict.remove_at is not None
        reason = f"{' '.join(verdict.reasons)} ({verdict.policy})"
        try:
            advance(
                replica.schedule_removal,
                by=WORKER,
                reason=reason,
                at=world.now,
                remove_at=verdict.remove_at,
            )
        except Refused:
            continue  # another move came between; its own judgement follows


def _ask_for_reading(run: Run, world: World) -> None:
    """A reported copy is read only when that is all that keeps it from being removed."""
    found = verdicts.once_verified(run, world)
    enqueue(
        [
            Wanted("runs.verify_replica", replica)
            for replica in _replicas(run)
            if replica.state == Replica.State.COPIED and found[replica.pk].removable
        ],
        by=WORKER,
    )


def _come_back(run: Run, world: World) -> None:
    """A clause or a hold that ends at a known moment is looked at again then, and all data on the
    day of the next policy."""
    dates = [
        v.keep_until
        for v in verdicts.once_verified(run, world).values()
        if v.keep_until is not None and v.keep_until > world.now
    ]
    change = queries.next_change(world.now)
    if change is not None and any(r.state not in Replica.GONE for r in _replicas(run)):
        dates.append(change)
    if dates:
        when = min(dates)
        # A lane of its own for each date: one far ahead must not keep an earlier one waiting.
        lane = f"runs.run:{run.pk}:policies.judge_run:{when.isoformat()}"
        enqueue([Wanted("policies.judge_run", run, after=when, lane=lane)], by=WORKER)


def _replicas(run: Run) -> list[Replica]:
    return [r for group in run.data_groups.all() for r in group.replicas.all()]
