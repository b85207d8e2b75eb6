"""The verbs by which a program of record keeps proposals: all that it says of one, the state that
it reports, and taking one back that was made by mistake.

People use `commands` and `content`; the rules are the same, and the rows too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import ProtectedError

from catalogue.ground import access as words
from catalogue.ground import calendar, clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Cycle, Instrument, User
from catalogue.ground.refusal import Refused
from proposals import access, commands, queries, upkeep
from proposals.models import PREPARATION, REVIEWED, Membership, Proposal

# What it was accepted and scheduled with.
RECORD = frozenset({
    "abstract", "url", "description", "available", "instrument", "cycle",
    "local_contact", "local_data_contact", "experiment_data_contact", "origin_store",
    "begin_at", "end_at", "beamtime_begin_at", "beamtime_end_at",
    "proposal_system", "visibility", "archive_notice", "archive_expected_at", "archived_at",
    "data_plan_comments", "delivered_shifts", "preparation_shifts", "scheduled_shifts",
})  # fmt: skip
# What the team chooses for its data and its work.
CHOICES = frozenset({"preferred_output", "cloneable", "logbook", "meeting"})
# What the published record of a reviewed proposal tells.
PUBLISHED = frozenset({"abstract", "instrument", "cycle"})
TEST = "T"
LEADING = (Membership.Role.PI, Membership.Role.PROPOSER)


@transaction.atomic
def register(
    *,
    number: int,
    title: str,
    instrument: Instrument,
    cycle: Cycle,
    leader: User,
    main_proposer: User,
    by: Actor,
    facts: Mapping[str, Any],
) -> Proposal:
    """A new proposal with all that its program of record says of it; `facts` are columns."""
    _only(facts)
    _refuse_backwards(facts.get("begin_at"), facts.get("end_at"))
    proposal = commands.create(
        number=number, title=title, instrument=instrument, cycle=cycle, by=by,
        abstract=facts.get("abstract", ""),
    )  # fmt: skip
    for name, value in facts.items():
        setattr(proposal, name, value)
    proposal.release_at = _opens(proposal.end_at)
    proposal.data_path = path_told(proposal)
    proposal.save()
    journal.write(proposal, "register", by=by, facts={k: v for k, v in facts.items() if v})
    lead(proposal, leader=leader, main_proposer=main_proposer, by=by)
    return proposal


@transaction.atomic
def change(proposal: Proposal, *, to: Mapping[str, Any], by: Actor) -> Proposal:
    """Change what a program of record says of a proposal; what is said again is no change."""
    _only(to)
    queries.lock(proposal)
    row = Proposal.objects.select_related("instrument", "cycle").get(pk=proposal.pk)
    changes = {name: value for name, value in to.items() if getattr(row, name) != value}
    if not changes:
        return row
    if changes.keys() & RECORD:
        access.require(by, words.PREPARE, row)
    if changes.keys() & CHOICES:
        access.require(by, words.EDIT, row)
    if changes.keys() & PUBLISHED and row.state in REVIEWED:
        raise Refused(f"{row.label} is reviewed; its record is published as it is.", kind="state")
    _refuse_backwards(changes.get("begin_at", row.begin_at), changes.get("end_at", row.end_at))
    if changes.keys() & {"instrument", "cycle"}:
        _may_move(row, changes.get("instrument", row.instrument), by)
    for name, value in changes.items():
        setattr(row, name, value)
    if "end_at" in changes and row.release_at is None and row.state not in REVIEWED:
        row.release_at = _opens(row.end_at)
        row.save(update_fields=["release_at"])
    row.save(update_fields=list(changes))
    journal.write(row, "change", by=by, facts=changes)
    return row


def _may_move(proposal: Proposal, instrument: Instrument, by: Actor) -> None:
    """Raise `Refused` where a proposal cannot go to another instrument or cycle: its folders and
    its data lie below those it has, and the other's beam may be given away."""
    if proposal.state != Proposal.State.NEW or proposal.last_run_number:
        raise Refused(
            f"{proposal.label} is prepared; it stays at {proposal.instrument}, {proposal.cycle}.",
            kind="state",
        )
    if instrument == proposal.instrument:
        return
    commands.require_office(by, words.CREATE, instrument)
    if proposal.kind != Proposal.Kind.USER:
        return
    Instrument.objects.select_for_update().get(pk=instrument.pk)
    for block in proposal.beamtimes.all():
        given = queries.overlapping(instrument, block.begin_at, block.end_at, besides=proposal)
        clash = given.filter(proposal__kind=Proposal.Kind.USER).select_related("proposal").first()
        if clash is not None:
            raise Refused(f"{instrument} is given to {clash.proposal.label} from {clash}.")


def _refuse_backwards(begin: datetime | None, end: datetime | None) -> None:
    if begin is not None and end is not None and end < begin:
        raise Invalid("end_at", "must not be before begin_at", end)


def _opens(end: datetime | None) -> datetime | None:
    """The day that follows from the planned end; the review counts again, from the beamtimes."""
    if end is None:
        return None
    span = calendar.Span(settings.EMBARGO_YEARS, "years")
    try:
        return calendar.add(end, span, zone=clock.facility_zone())
    except OverflowError:
        raise Invalid("end_at", "lies too far ahead", end) from None


def path_told(proposal: Proposal) -> str:
    """Where programs are told that its raw data lie: what they were told when it was registered."""
    return proposal.data_path or f"{settings.DATA_ROOT}/{proposal.path}/raw"


@transaction.atomic
def lead(
    proposal: Proposal,
    *,
    by: Actor,
    leader: User | None = None,
    main_proposer: User | None = None,
) -> None:
    """Name the principal investigator, the main proposer, or both (one person may be both). Whoever
    led before stays in the team."""
    queries.lock(proposal)
    row = Proposal.objects.get(pk=proposal.pk)
    team = {m.user_id: m for m in row.memberships.all()}
    roles: dict[int, str] = {}
    if leader is not None and not _is(team.get(leader.pk), Membership.Role.PI):
        roles |= _handed_over(team, Membership.Role.PI)
        roles[leader.pk] = Membership.Role.PI
    if main_proposer is not None and main_proposer.pk != row.main_proposer_id:
        roles = _handed_over(team, Membership.Role.PROPOSER) | roles
    proposer_id = main_proposer.pk if main_proposer is not None else row.main_proposer_id
    leads = roles.get(proposer_id or 0) or getattr(team.get(proposer_id or 0), "role", "")
    if proposer_id is not None and leads not in LEADING:
        roles[proposer_id] = Membership.Role.PROPOSER
    if not roles and proposer_id == row.main_proposer_id:
        return
    access.require(by, words.DELEGATE, row)  # deputies manage the team, and make nobody its leader
    # Who leads no longer goes first: a proposal has one principal investigator at any time.
    for user_id, role in sorted(roles.items(), key=lambda pair: pair[1] == Membership.Role.PI):
        _enter(row, team.get(user_id), user_id, role)
    row.main_proposer_id = proposer_id
    row.save(update_fields=["main_proposer"])
    proposal.main_proposer_id = proposer_id
    facts = {"principal investigator": str(leader or ""), "main proposer": str(main_proposer or "")}
    journal.write(row, "lead", by=by, facts=facts)
    upkeep.team_changed(row, by=by)


def _is(member: Membership | None, role: str) -> bool:
    return member is not None and member.role == role


def _handed_over(team: Mapping[int, Membership], role: str) -> dict[int, str]:
    """Those who had a role that somebody else gets now; they stay in the team."""
    return {m.user_id: Membership.Role.MEMBER for m in team.values() if m.role == role}


def _enter(proposal: Proposal, member: Membership | None, user_id: int, role: str) -> None:
    work = Membership.DataAccess.WORK
    if member is None:
        Membership.objects.create(
            proposal=proposal, user_id=user_id, role=role, data_access=work, added_at=clock.now()
        )
    elif member.role != role:
        member.role = role
        if role in LEADING:
            member.data_access = work
        member.save(update_fields=["role", "data_access"])


def reported_state(proposal: Proposal) -> str:
    """The state in the codes of programs: a test proposal that is not ready yet is `T`."""
    if proposal.kind == Proposal.Kind.TEST and proposal.state in PREPARATION:
        return TEST
    return str(proposal.state)


@transaction.atomic
def report_state(proposal: Proposal, *, code: str, by: Actor) -> None:
    """Take over the state that a program of record reports, in its codes.

    `T` says of a proposal that it is a test, and new; a code of the preparation that it is none.
    All others leave that as it is, so what was written is read again. The state that it has anyway
    is no report.
    """
    row = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if code == reported_state(row):
        return
    access.require(by, words.ADOPT, row)
    kind = row.kind
    if code == TEST:
        kind = Proposal.Kind.TEST
    elif code in PREPARATION and row.kind == Proposal.Kind.TEST:
        kind = Proposal.Kind.USER
    if kind != row.kind and row.state in REVIEWED:
        raise Refused(f"{row.label} is reviewed; it stays what it was reviewed as.", kind="state")
    to = code if code != TEST else row.state if row.state in PREPARATION else Proposal.State.NEW
    if to != row.state:
        commands.adopt(row, state=to, by=by)
    if kind != row.kind:
        row.kind = kind
        row.save(update_fields=["kind"])
        journal.write(row, "report kind", by=by, facts={"kind": kind})
    proposal.refresh_from_db()


@transaction.atomic
def delete(proposal: Proposal, *, by: Actor) -> None:
    """Take back a proposal that was made by mistake, while nothing depends on it; its team,
    beamtimes and plans go with it. Any other is withdrawn or cancelled, and stays."""
    access.require(by, words.CANCEL, proposal)
    queries.lock(proposal)
    row = Proposal.objects.get(pk=proposal.pk)
    why = _why_it_stays(row)
    if why:
        raise Refused(f"{row.label} stays: {why}. It can be withdrawn.", kind="state")
    journal.write(row, "delete", by=by, before=row.state, facts={"title": row.title})
    try:
        with transaction.atomic():
            row.delete()
    except ProtectedError as error:
        kinds = sorted({str(o._meta.verbose_name_plural) for o in error.protected_objects})
        said = ", ".join(kinds)
        raise Refused(f"{row.label} stays: it has {said}. It can be withdrawn.") from None


def _why_it_stays(proposal: Proposal) -> str:
    if proposal.state != Proposal.State.NEW:
        return "it is no longer new"
    if proposal.last_run_number or proposal.doi_id is not None:
        return "it has runs" if proposal.last_run_number else "it has a DOI"
    if proposal.experiments.exists() or proposal.samples.exists():
        return "it has experiments or samples"
    if proposal.derived.exists():
        return "another is derived from it"
    return ""


def _only(facts: Mapping[str, Any]) -> None:
    unknown = facts.keys() - RECORD - CHOICES
    if unknown:
        raise TypeError(f"no such columns: {', '.join(sorted(unknown))}")
