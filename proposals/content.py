"""The verbs that change what belongs to a proposal (team, beamtimes, run types, samples) and what
is said of it; adding is in `commands`.

Each takes `to`, the fields that change with their new values, and locks the proposal first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import ProtectedError

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.refusal import Refused
from proposals import access, queries, upkeep
from proposals.commands import (
    hold_beam,
    renew_team_access,
    require_for_end,
    require_for_roles,
)
from proposals.models import REVIEWED, Beamtime, Experiment, Membership, Proposal, Sample

M = TypeVar("M", bound=models.Model)

# What is published with the proposal, and kept right by those who accepted it.
RECORD = ("title", "abstract", "derived_from", "metadata_public")
# What the team says of its work.
ABOUT = ("keywords", "logbook", "meeting", "techniques")
MEMBERSHIP = (
    *("role", "data_access", "until", "lab_access", "supports", "deputises_local_contact"),
    "description",
)
# Of these what gives or takes access: a leader's, or a deputy's own, is no deputy's to change.
RIGHTS = ("role", "data_access", "until")
BEAMTIME = ("begin_at", "end_at", "available", "description")


@transaction.atomic
def amend(proposal: Proposal, *, to: Mapping[str, Any], by: Actor) -> Proposal:
    """Change what is said of a proposal. What its published record tells stands after review."""
    _only(to, {*RECORD, *ABOUT})
    if to.keys() & {*RECORD}:
        access.require(by, words.PREPARE, proposal)
    access.require(by, words.EDIT if to.keys() & {*ABOUT} else words.SEE_METADATA, proposal)
    row = _locked(proposal)
    stays = why_record_stays(row) if to.keys() & {*RECORD} else None
    if stays is not None:
        raise stays
    origin = to.get("derived_from")
    if origin is not None and origin.pk == row.pk:
        raise Invalid("derived_from", "must be another proposal", row.number)
    plain = {name: value for name, value in to.items() if name != "techniques"}
    changes = _apply(row, plain)
    if "techniques" in to and set(row.techniques.all()) != set(to["techniques"]):
        row.techniques.set(to["techniques"])
        changes["techniques"] = [t.identifier for t in to["techniques"]]
    if changes:
        journal.write(row, "amend", by=by, facts=changes)
    return row


def why_record_stays(proposal: Proposal) -> Refused | None:
    """Why what is published of the proposal cannot be changed any more, if so."""
    if proposal.state not in REVIEWED:
        return None
    return Refused(f"{proposal.label} is reviewed; its record is published as it is.", kind="state")


@transaction.atomic
def change_member(member: Membership, *, to: Mapping[str, Any], by: Actor) -> Membership:
    """Change the role of somebody in the team, what they may touch, or until when."""
    proposal = member.proposal
    _only(to, MEMBERSHIP)
    access.require(by, words.TEAM, proposal)
    _locked(proposal)
    row = _again(member, "user")
    if any(to.get(name, getattr(row, name)) != getattr(row, name) for name in RIGHTS):
        require_for_roles(by, proposal, row.role, to.get("role"))
    if to.get("until", row.until) != row.until:
        require_for_end(by, proposal, to["until"])
    others = proposal.memberships.exclude(pk=row.pk)
    if to.get("role") == Membership.Role.PI and others.filter(role=Membership.Role.PI).exists():
        raise Invalid("role", "a proposal has one principal investigator", to["role"])
    had = {name: getattr(row, name) for name in RIGHTS}
    changes = _apply(row, to)
    if changes:
        before = {f"{name} before": value for name, value in had.items() if name in changes}
        facts = {"person": row.user.full_name, **changes, **before}
        journal.write(proposal, "change member", by=by, facts=facts)
        upkeep.team_changed(proposal, by=by)
    return row


@transaction.atomic
def remove_member(member: Membership, *, by: Actor) -> None:
    """Take somebody out of the team; what they did stays told under their name."""
    proposal = member.proposal
    access.require(by, words.TEAM, proposal)
    _locked(proposal)
    row = _again(member, "user")
    require_for_roles(by, proposal, row.role)
    if row.role == Membership.Role.PI:
        raise Refused("The principal investigator hands over to somebody else first.")
    row.delete()
    had = {name: getattr(row, name) for name in RIGHTS}
    journal.write(proposal, "remove member", by=by, facts={"person": row.user.full_name, **had})
    upkeep.team_changed(proposal, by=by)


@transaction.atomic
def change_beamtime(
    beamtime: Beamtime, *, to: Mapping[str, Any], by: Actor, despite_overlap: bool = False
) -> Beamtime:
    """Move a block of beam, by the same rules as a new one."""
    proposal = beamtime.proposal
    _only(to, BEAMTIME)
    access.require(by, words.PREPARE, proposal)
    _refuse_after_review(_locked(proposal))
    row = _again(beamtime)
    begin, end = to.get("begin_at", row.begin_at), to.get("end_at", row.end_at)
    if (begin, end) != (row.begin_at, row.end_at):
        hold_beam(proposal, begin, end, despite_overlap=despite_overlap, moved=row)
    changes = _apply(row, to)
    if not changes:
        return row
    renew_team_access(proposal)
    journal.write(proposal, "change beamtime", by=by, facts=changes)
    return row


@transaction.atomic
def remove_beamtime(beamtime: Beamtime, *, by: Actor) -> None:
    """Give a block of beam back; not one in which data may have been taken."""
    proposal = beamtime.proposal
    access.require(by, words.PREPARE, proposal)
    current = _locked(proposal)
    _refuse_after_review(current)
    row = _again(beamtime)
    if row.begin_at <= clock.now() and current.last_run_number:
        raise Refused("It has begun, and runs were taken.", kind="state")
    row.delete()
    renew_team_access(proposal)
    facts = {"begin": row.begin_at, "end": row.end_at}
    journal.write(proposal, "remove beamtime", by=by, facts=facts)


def why_beamtimes_stay(proposal: Proposal) -> Refused | None:
    """Why no beamtime of the proposal can be moved or given back, if so."""
    if proposal.state not in REVIEWED:
        return None
    return Refused(
        f"{proposal.label} is reviewed; the day on which its data open was counted from its "
        "beamtimes.",
        kind="state",
    )


def _refuse_after_review(proposal: Proposal) -> None:
    problem = why_beamtimes_stay(proposal)
    if problem is not None:
        raise problem


@transaction.atomic
def change_experiment(experiment: Experiment, *, to: Mapping[str, Any], by: Actor) -> Experiment:
    """Rename a run type of a proposal, or say of which type it is."""
    access.require(by, words.EDIT, experiment.proposal)
    _locked(experiment.proposal)
    _free_name(experiment.proposal.experiments.exclude(pk=experiment.pk), to)
    row = _again(experiment, "type")
    changes = _apply(row, to)
    if changes:
        facts = {"of": experiment.name, **changes}
        journal.write(experiment.proposal, "change experiment", by=by, facts=facts)
    return row


@transaction.atomic
def change_sample(sample: Sample, *, to: Mapping[str, Any], by: Actor) -> Sample:
    """Rename a sample, or say something else of it."""
    access.require(by, words.EDIT, sample.proposal)
    _locked(sample.proposal)
    _free_name(sample.proposal.samples.exclude(pk=sample.pk), to)
    row = _again(sample)
    changes = _apply(row, to)
    if changes:
        facts = {"of": sample.name, **changes}
        journal.write(sample.proposal, "change sample", by=by, facts=facts)
    return row


def remove_experiment(experiment: Experiment, *, by: Actor) -> None:
    """Take away a run type that no run is of."""
    _remove(experiment, "remove experiment", by)


def remove_sample(sample: Sample, *, by: Actor) -> None:
    """Take away a sample that no run is of."""
    _remove(sample, "remove sample", by)


@transaction.atomic
def _remove(part: Experiment | Sample, move: str, by: Actor) -> None:
    access.require(by, words.EDIT, part.proposal)
    _locked(part.proposal)
    name = part.name
    try:
        with transaction.atomic():
            _again(part).delete()
    except ProtectedError:
        raise Refused(f"There are data of {name}.", kind="state") from None
    journal.write(part.proposal, move, by=by, facts={"name": name})


def _again(row: M, *relations: str) -> M:
    """The row as it is under the lock of its proposal; somebody may have removed it meanwhile."""
    rows = type(row)._base_manager.select_related(*relations)
    found: M | None = rows.filter(pk=row.pk).first()
    if found is None:
        raise Refused("Somebody else removed it meanwhile.", kind="state")
    return found


def _locked(proposal: Proposal) -> Proposal:
    queries.lock(proposal)
    found: Proposal = Proposal.objects.get(pk=proposal.pk)
    return found


def _free_name(others: models.QuerySet[Any], to: Mapping[str, Any]) -> None:
    if "name" in to and others.filter(name=to["name"]).exists():
        raise Invalid("name", "the proposal has one of that name already", to["name"])


def _only(to: Mapping[str, Any], known: Collection[str]) -> None:
    unknown = to.keys() - set(known)
    if unknown:
        raise TypeError(f"no such fields: {', '.join(sorted(unknown))}")


def _apply(row: models.Model, to: Mapping[str, Any]) -> dict[str, Any]:
    """Set and save the fields that differ; those with their new values."""
    changes = {name: value for name, value in to.items() if getattr(row, name) != value}
    for name, value in changes.items():
        setattr(row, name, value)
    if changes:
        row.save(update_fields=list(changes))
    return changes
