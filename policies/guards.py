"""The policies' say on removal. These guards hang on the moves that lead to it, whoever makes them:
announcing it, letting the first byte go, and emptying the trash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from catalogue.ground.actor import Actor
from catalogue.ground.lifecycle import Consequence, World
from catalogue.ground.models import Approval
from catalogue.ground.refusal import Refused
from policies import queries, verdicts
from policies.judgement import Verdict
from policies.models import Hold, Policy
from proposals import approvals
from runs.models import Replica

LATEST_NOTICE = timedelta(minutes=1)
"""How long ago a notice may have been given when the door makes the move."""


def _verdict(replica: Replica, world: World) -> Verdict:
    """The verdict on one replica, with the run's row locked by the door, read anew."""
    run = queries.run_to_judge(replica.data_group.run.pk)
    return verdicts.of_run(run, world)[replica.pk]


def may_be_announced(replica: Replica, world: World) -> Refused | None:
    """Removal is announced only where a verdict allows it, and not for earlier than it says.

    It is judged as of the notice (`at`), since the grace runs from there and the door comes later.
    """
    given = world.facts.get("at", world.now)
    if given > world.now or world.now - given > LATEST_NOTICE:
        return Refused("A notice is given at the moment at which it is announced.")
    verdict = _verdict(replica, replace(world, now=given))
    if not verdict.removable:
        return _refused(verdict)
    wanted = world.facts.get("remove_at")
    if verdict.remove_at is not None and wanted is not None and wanted < verdict.remove_at:
        return Refused(f"It may be removed at {verdict.remove_at.isoformat()} at the earliest.")
    return None


def may_go(replica: Replica, world: World) -> Refused | None:
    """Bytes go only where a verdict allows it, notice was given and the grace has passed: no hold,
    enough other copies, verified recently enough, in the policy of today."""
    verdict = _verdict(replica, world)
    if verdict.may_go(world.now):
        return None
    return _refused(verdict)


def may_be_purged(replica: Replica, world: World) -> Refused | None:
    """What lies in the trash goes for good only if it could go still: no hold has come, no mark,
    and the other copies are what they were."""
    verdict = _verdict(replica, world)
    return None if verdict.removable and verdict.noticed else _refused(verdict)


def lifting_takes_two(hold: Hold, world: World) -> Refused | None:
    """One's own hold ends by one's own word; somebody else's when a second person agrees."""
    number = hold.proposal_number
    agreed = world.memo(("lifts", number), lambda: approvals.agreed(queries.LIFT, number))
    if is_own(hold, world.by) or hold.pk in agreed:
        return None
    return Refused(
        f"{hold.by_name} placed it. To lift it for them takes two people: one asks, another who "
        "may hold these data agrees.",
        who=hold.by_name,
        details={"takes_two": queries.LIFT},
    )


def is_own(hold: Hold, by: Actor) -> bool:
    """Whether the hold is one's own to end."""
    return by.user is not None and hold.by_id == by.user.pk


def adoption_takes_two(policy: Policy, world: World) -> Refused | None:
    """Nobody adopts a policy alone; the console does where there is nobody yet."""
    if world.by.system or policy.pk in approvals.agreed(queries.ADOPT, None):
        return None
    return Refused(
        "A policy takes two people: one drafts it, another agrees to it.",
        who="another data manager",
    )


def foresee_agreement(approval: Approval, world: World) -> Iterable[Consequence]:
    """What agreeing brings about."""
    if approval.act == queries.LIFT:
        yield Consequence("The hold is lifted, and what it covered is judged by the policy again.")
    elif approval.act == queries.ADOPT:
        yield Consequence(
            "The policy binds from its day on, at the earliest from now, and all data are judged "
            "by it anew."
        )


def _refused(verdict: Verdict) -> Refused:
    return Refused(
        " ".join(verdict.reasons),
        who="a data manager",
        details={"policy": verdict.policy, "clause": verdict.clause},
    )
