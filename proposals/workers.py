"""The work that moves of a proposal start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from django.conf import settings

from catalogue.ground import clock
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Wanted
from catalogue.ground.lifecycle import Outcome, Work, World, advance, performs
from catalogue.ports.movers import mover_for
from catalogue.ports.outcome import Permanent
from proposals import folders, letters, preparing, publishing, queries, upkeep
from proposals.models import Proposal


def _alone(name: str) -> Callable[[Proposal, World], Iterable[Wanted]]:
    """A step of the preparation, in the lane of all that writes groups and folders."""

    def plan(proposal: Proposal, world: World) -> Iterable[Wanted]:
        yield Wanted(name, proposal, lane=upkeep.lane(proposal))

    return plan


@performs(
    "proposals.configure_directory",
    plan=_alone("proposals.configure_directory"),
    who="data manager",
)
def configure_directory(work: Work) -> Outcome:
    """The proposal's groups and their members, through the directory port."""
    proposal: Proposal = work.subject(Proposal)
    if proposal.state != Proposal.State.WAITING_DIRECTORY:
        return _left_out(proposal)
    seen = preparing.look(proposal, in_stores=False)
    applied = preparing.apply_groups(seen, all_of_them=True)
    _hold_what_is_left(applied.not_done)

    def record() -> None:
        if _still(proposal):
            upkeep.record_groups(proposal, applied)
            advance(proposal.directory_configured, by=WORKER, at=clock.now())

    names = [group.name for group in seen.wanted.groups]
    return Outcome(record, {"group": ", ".join(names), "not_done": list(applied.not_done)})


@performs("proposals.make_folders", plan=_alone("proposals.make_folders"), who="data manager")
def make_folders(work: Work) -> Outcome:
    """The proposal's folders with their modes, groups and ACLs, in every store that is prepared
    for beamtimes."""
    proposal: Proposal = work.subject(Proposal)
    if proposal.state != Proposal.State.WAITING_FOLDERS:
        return _left_out(proposal)
    seen = preparing.look(proposal)
    if not seen.stores:
        raise Permanent("No store is marked to prepare proposal folders in.")
    not_done = _make(work, seen)
    _hold_what_is_left(not_done)
    after = preparing.look(proposal)

    def record() -> None:
        if _still(proposal):
            upkeep.record_look(proposal, after.plan, not_done=not_done)
            advance(proposal.folders_made, by=WORKER, at=clock.now())

    made = [f"{store}: {proposal.path}" for store in seen.stores]
    return Outcome(record, {"made": made, "not_done": not_done})


def _make(work: Work, seen: preparing.Look) -> list[str]:
    """Do what the plan says of folders; in sentences what was not possible, each once."""
    differing = {(d.place, d.thing) for d in seen.plan.differences}
    not_done: list[str] = []
    for n, (folder, told) in enumerate(preparing.apply_folders(seen), 1):
        not_done += told
        work.progress(min(n / max(len(differing), 1), 1.0), folder[-160:])
    return sorted(set(not_done))


def _hold_what_is_left(not_done: Sequence[str]) -> None:
    """Where the facility wants it so, a preparation that could not do everything waits for a
    person, who does it and lets it go again: what is done by then is found done."""
    if not_done and settings.PREPARATION_INCOMPLETE == "hold":
        raise Permanent(
            f"{len(not_done)} things are left to do by somebody with more rights; then retry.",
            left=list(not_done)[:200],
        )


@performs(upkeep.RENEW, plan=upkeep.renewal, who="data manager")
def renew_access(work: Work) -> Outcome:
    """The proposal's groups, with just those who have access by now."""
    proposal: Proposal = work.subject(Proposal)
    applied = preparing.apply_groups(preparing.look(proposal, in_stores=False))

    def record() -> None:
        upkeep.record_groups(proposal, applied)

    return Outcome(record, {"not_done": list(applied.not_done)})


@performs(upkeep.LOOK, who="data manager")
def look_at_preparation(work: Work) -> Outcome:
    """Compare groups and folders with what they should be; nothing is changed."""
    proposal: Proposal = work.subject(Proposal)
    seen = preparing.look(proposal)

    def record() -> None:
        upkeep.record_look(proposal, seen.plan)

    return Outcome(record, {"differences": len(seen.plan.differences)})


@performs(upkeep.APPLY, who="data manager")
def apply_preparation(work: Work) -> Outcome:
    """Do what the plan says that somebody was shown, if it would still do the same."""
    proposal: Proposal = work.subject(Proposal)
    seen = preparing.look(proposal)
    if seen.plan.digest != work.job.params["digest"]:
        why = "What is there has changed since the plan was shown: nothing was done."
        return Outcome(
            lambda: upkeep.record_look(proposal, seen.plan, not_done=[why]), {"left out": why}
        )
    groups = preparing.apply_groups(seen)
    not_done = [*groups.not_done, *_make(work, preparing.numbered_again(seen, groups))]
    after = preparing.look(proposal)

    def record() -> None:
        upkeep.record_groups(proposal, groups)
        upkeep.record_look(proposal, after.plan, not_done=not_done)

    return Outcome(record, {"not_done": not_done})


@performs("proposals.remove_folders", who="local contact")
def remove_folders(work: Work) -> Outcome:
    """Close the proposal's online folders. They go only when nothing is left in them; what the
    catalogue does not know holds the job, with the list. They stay where the proposal is no longer
    being closed: another system may have reported it as taken up again."""
    proposal: Proposal = work.subject(Proposal)
    if proposal.state != Proposal.State.CLOSING:
        return _left_out(proposal)
    left: list[str] = []
    for store in queries.online_stores():
        left += [
            f"{store.identifier}: {path}"
            for path in mover_for(store.agent).remove_empty_folders(
                folders.place(store, proposal.path)
            )
        ]
    if left:
        raise Permanent(
            f"{len(left)} files that the catalogue did not decide to remove are still there; "
            "move them or ask their owners, then retry.",
            left=left[:1000],
        )

    def record() -> None:
        if _still(proposal):
            advance(proposal.folders_removed, by=WORKER, at=clock.now())

    return Outcome(record)


def _left_out(proposal: Proposal) -> Outcome:
    """The step is not asked for any more: the proposal was cancelled, or moved from outside."""
    return Outcome(result={"left out": f"The proposal is {proposal.get_state_display()}."})


def _still(proposal: Proposal) -> bool:
    """Whether the proposal, locked now, is where it was when the work began."""
    there: Proposal = Proposal.objects.select_for_update().get(pk=proposal.pk)
    return bool(there.state == proposal.state)


__all__ = [
    "apply_preparation",
    "configure_directory",
    "letters",
    "look_at_preparation",
    "make_folders",
    "publishing",
    "remove_folders",
    "renew_access",
]
