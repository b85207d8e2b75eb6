"""What follows in the same transaction: from a changed mark or a new hold what these take back, and
from an agreement what was agreed to."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from catalogue.ground import clock
from catalogue.ground.actor import WORKER, Actor
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.lifecycle import World, advance
from catalogue.ground.lifecycle.control import call_off_all
from catalogue.ground.models import Approval
from policies import queries, verdicts
from policies.models import Hold, Policy
from proposals import approvals
from runs import plans
from runs.models import Replica, Run


def reconsider(run: Run, world: World) -> None:
    """After a new mark: removals that the policy no longer allows are taken back, and what lies in
    a store's trash for a reason that is gone is brought back from there."""
    take_back(run, "The run was marked anew.", world)


def reconsider_others(replica: Replica, world: World) -> None:
    """After a copy turned out to be corrupt or gone: the others may be wanted again."""
    if replica.data_group.run_id is None:
        return
    state = replica.get_state_display().lower()
    take_back(replica.data_group.run, f"The copy in {replica.store} is {state}.", world)


def take_back(run: Run, why: str, world: World) -> int:
    """Take back every announced or begun removal of `run` that the verdict of now does not carry.
    Returns how many."""
    if not any(r.state in ("scheduled", "trashed") for r in _replicas(run)):
        return 0
    judged = queries.run_to_judge(run.pk)
    found = verdicts.of_run(judged, world)
    done = 0
    for replica in _replicas(judged):
        # A notice from before the new mark spoke of another state of things.
        stands = found[replica.pk].removable and found[replica.pk].noticed
        if replica.state in ("scheduled", "trashed") and not stands:
            _keep(replica, why, world.by)
            done += 1
    return done


def _replicas(run: Run) -> list[Replica]:
    return [r for group in run.data_groups.all() for r in group.replicas.all()]


def _keep(replica: Replica, why: str, by: Actor) -> None:
    if replica.state == Replica.State.SCHEDULED:
        advance(replica.keep, by=WORKER, reason=why)
        call_off_all(replica, ["runs.remove_replica"], by=WORKER, reason=why)
    else:
        begun = ["runs.remove_replica", "runs.purge_replica"]
        call_off_all(replica, begun, by=WORKER, reason=why)
        enqueue(list(plans.restoration(replica, World(by=by, reason=why))), by=by)


def agreed(approval: Approval, world: World) -> None:
    """Somebody else agreed: the hold is lifted, the draft adopted."""
    if approval.act == queries.LIFT:
        end_hold(Hold.objects.get(pk=approval.subject_id), by=world.by, reason=approval.reason)
    elif approval.act == queries.ADOPT:
        policy = Policy.objects.get(pk=approval.subject_id)
        adopt(policy, by=world.by, valid_from=max(policy.valid_from, world.now))


def not_agreed(approval: Approval, world: World) -> None:
    """A draft that is declined or taken back is no draft any more."""
    if approval.act == queries.ADOPT:
        advance(Policy.objects.get(pk=approval.subject_id).discard, by=WORKER)


def end_hold(hold: Hold, *, by: Actor, reason: str) -> None:
    """Lift a hold; what it covered is judged anew."""
    advance(hold.lift, by=by, reason=reason, at=clock.now())
    covered = [hold.run] if hold.run else Run.objects.filter(proposal=hold.proposal)
    enqueue([Wanted("policies.judge_run", run) for run in covered], by=by)


def nothing_left_to_ask(hold: Hold, world: World) -> None:
    """A hold that is lifted needs nobody's agreement any more."""
    approvals.overtake(hold)


def adopt(policy: Policy, *, by: Actor, valid_from: datetime) -> None:
    """Have a draft bind; every run that has data is judged anew."""
    advance(policy.adopt, by=by, at=clock.now(), valid_from=valid_from, person=by.name)
    runs = queries.runs_with_data().select_related("proposal").iterator(chunk_size=500)
    while some := list(islice(runs, 500)):
        enqueue([Wanted("policies.judge_run", run) for run in some], by=by)
