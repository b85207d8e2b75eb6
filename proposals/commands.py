"""The verbs on proposals. Each is one transaction, made by somebody, told in the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from catalogue.ground import access as words
from catalogue.ground import calendar, clock, journal
from catalogue.ground.actor import SCHEDULE, Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.lifecycle import advance
from catalogue.ground.models import (
    Cycle,
    ExperimentType,
    Instrument,
    SampleType,
    User,
)
from catalogue.ground.refusal import Refused
from proposals import access, queries, upkeep
from proposals.models import Beamtime, Experiment, Membership, Proposal, Sample

LONGEST_ACCESS = calendar.Span(10, "years")
"""How far ahead of today somebody's access to a proposal may end, or the whole team's."""
AFTER_BEAM = calendar.Span(1, "years")
"""So long after its last beamtime a team has access, unless that is prolonged."""


@transaction.atomic
def create(
    *,
    number: int,
    title: str,
    instrument: Instrument,
    cycle: Cycle,
    by: Actor,
    kind: str = Proposal.Kind.USER,
    abstract: str = "",
    derived_from: Proposal | None = None,
    metadata_public: bool = True,
    calibrates_by_itself: bool = True,
    assesses_by_itself: bool = False,
) -> Proposal:
    """A new proposal in state N. Raises `Invalid` for a number that is taken."""
    require_office(by, words.CREATE, instrument)
    if Proposal.objects.filter(number=number).exists():
        raise Invalid("number", f"there is already a proposal {number:06d}", number)
    now = clock.now()
    proposal = Proposal.objects.create(
        number=number, title=title, instrument=instrument, cycle=cycle, kind=kind,
        abstract=abstract, derived_from=derived_from, metadata_public=metadata_public,
        calibrates_by_itself=calibrates_by_itself, assesses_by_itself=assesses_by_itself,
        state_since=now, created_at=now,
    )  # fmt: skip
    journal.write(proposal, "create", by=by, after=proposal.state, facts={"title": title})
    return proposal


def require_office(by: Actor, permission: str, instrument: Instrument) -> None:
    """Raise `Refused` unless `by` holds `permission` at this instrument or everywhere."""
    day = access.today()
    if permission in words.facility_wide(by, day):
        return
    here = words.offices(by, day).filter(instrument=instrument).values_list("role", flat=True)
    if permission not in words.allowed(by, here):
        raise Refused(
            f"To {permission} at {instrument} is for its staff and the user office.",
            kind="permission",
            who="the user office",
        )


@transaction.atomic
def add_member(
    proposal: Proposal,
    *,
    user: User,
    by: Actor,
    role: str = Membership.Role.MEMBER,
    data_access: int = Membership.DataAccess.READ,
    until: date | None = None,
) -> Membership:
    """Put somebody into the team, or change what they are there."""
    access.require(by, words.TEAM, proposal)
    queries.lock(proposal)
    there = proposal.memberships.filter(user=user).first()
    require_for_roles(by, proposal, there.role if there is not None else None, role)
    require_for_end(by, proposal, until)
    if role == Membership.Role.PI:
        other = proposal.memberships.filter(role=role).exclude(user=user).first()
        if other is not None:
            raise Invalid("role", "a proposal has one principal investigator", role)
    member, _ = Membership.objects.update_or_create(
        proposal=proposal,
        user=user,
        defaults={"role": role, "data_access": data_access, "until": until},
        create_defaults={
            "role": role, "data_access": data_access, "until": until, "added_at": clock.now(),
        },
    )  # fmt: skip
    facts = {"person": user.full_name, "role": role, "data access": data_access, "until": until}
    if there is not None:
        facts |= {"role before": there.role, "data access before": there.data_access,
                  "until before": there.until}  # fmt: skip
    journal.write(proposal, "add member", by=by, facts=facts)
    upkeep.team_changed(proposal, by=by)
    return member


def require_for_roles(by: Actor, proposal: Proposal, *roles: str | None) -> None:
    """Raise `Refused` where a role that leads the team is given or taken by somebody who may not:
    deputies manage the team, but do not make others its leaders."""
    if any(role in access.TEAM_ROLES for role in roles):
        access.require(by, words.DELEGATE, proposal)


def require_for_end(by: Actor, proposal: Proposal, until: date | None) -> None:
    """Raise `Refused` where somebody's own last day would lie behind the team's, which prolongs
    access as much as doing so for all; `Invalid` where it lies behind what anybody may give. Where
    no beamtime gives the team a day yet, what the rule would give it from today is asked of."""
    if until is None:
        return
    today = access.today()
    latest = calendar.add(today, LONGEST_ACCESS)
    if until > latest:
        raise Invalid("until", f"must not be later than {calendar.say_day(latest)}", until)
    end = Proposal.objects.values_list("team_until", flat=True).get(pk=proposal.pk)
    if until > (end or calendar.add(today, AFTER_BEAM)):
        access.require(by, words.PROLONG, proposal)


@transaction.atomic
def add_beamtime(
    proposal: Proposal,
    *,
    begin_at: datetime,
    end_at: datetime,
    by: Actor,
    despite_overlap: bool = False,
    description: str = "",
) -> Beamtime:
    """Give the proposal a block of beam. User proposals on one instrument never overlap; for
    others staff confirm with `despite_overlap`."""
    access.require(by, words.PREPARE, proposal)
    hold_beam(proposal, begin_at, end_at, despite_overlap=despite_overlap)
    beamtime = Beamtime.objects.create(
        proposal=proposal, begin_at=begin_at, end_at=end_at, description=description
    )
    renew_team_access(proposal)
    journal.write(proposal, "add beamtime", by=by, facts={"begin": begin_at, "end": end_at})
    return beamtime


def hold_beam(
    proposal: Proposal,
    begin_at: datetime,
    end_at: datetime,
    *,
    despite_overlap: bool,
    moved: Beamtime | None = None,
) -> None:
    """Refuse times that the proposal cannot have, for a new beamtime or one that is `moved`; the
    proposal and its instrument stay locked until the transaction ends."""
    if begin_at >= end_at:
        raise Invalid("end_at", "the beamtime must end after it begins", end_at)
    # The proposal's row first, as whoever moves it: it is written to below.
    Proposal.objects.select_for_update().get(pk=proposal.pk)
    instrument = Instrument.objects.select_for_update().get(pk=proposal.instrument_id)
    others = queries.overlapping(instrument, begin_at, end_at, besides=proposal)
    if proposal.kind == Proposal.Kind.USER:
        others = others.filter(proposal__kind=Proposal.Kind.USER)
    clash = others.select_related("proposal").first()
    if clash is not None and (proposal.kind == Proposal.Kind.USER or not despite_overlap):
        raise Refused(
            f"{instrument} is given to {clash.proposal.label} from {clash}.",
            details={"proposal": clash.proposal.number, "may_be_confirmed": _confirmable(proposal)},
        )
    own = proposal.beamtimes.filter(begin_at__lt=end_at, end_at__gt=begin_at)
    if moved is not None:
        own = own.exclude(pk=moved.pk)
    if own.exists():
        raise Invalid("begin_at", "the proposal has a beamtime at that time already", begin_at)


def _confirmable(proposal: Proposal) -> bool:
    return proposal.kind != Proposal.Kind.USER


def renew_team_access(proposal: Proposal) -> None:
    """The team's access ends one year after the last beamtime, unless it was prolonged."""
    zone = clock.facility_zone()
    end = queries.last_beamtime_end(proposal)
    day = end.astimezone(zone).date() if end is not None else None
    proposal.team_until = calendar.add(day, AFTER_BEAM) if day else None
    prolonged = proposal.team_prolonged_until
    if proposal.team_until is not None and prolonged is not None:
        proposal.team_until = max(proposal.team_until, prolonged)
    proposal.save(update_fields=["team_until"])


@transaction.atomic
def add_experiment(
    proposal: Proposal, *, name: str, type: ExperimentType, by: Actor, description: str = ""
) -> Experiment:
    """A run type for this proposal; asked for twice it is the same one."""
    access.require(by, words.EDIT, proposal)
    queries.lock(proposal)
    experiment, made = Experiment.objects.get_or_create(
        proposal=proposal,
        name=name,
        defaults={
            "type": type,
            "number": queries.next_experiment_number(proposal),
            "description": description,
        },
    )
    if made:
        journal.write(proposal, "add experiment", by=by, facts={"name": name, "type": type.name})
    elif experiment.type_id != type.pk:
        raise Invalid("type", f"{name} is of type {experiment.type} already", type.name)
    return experiment


@transaction.atomic
def add_sample(
    proposal: Proposal,
    *,
    name: str,
    by: Actor,
    description: str = "",
    type: SampleType | None = None,
    url: str = "",
) -> Sample:
    """A sample of this proposal; asked for twice it is the same one."""
    access.require(by, words.EDIT, proposal)
    about = {"description": description, "type": type, "url": url}
    sample, made = Sample.objects.get_or_create(proposal=proposal, name=name, defaults=about)
    if made:
        journal.write(proposal, "add sample", by=by, facts={"name": name})
    return sample


@transaction.atomic
def switch(
    proposal: Proposal,
    *,
    by: Actor,
    assesses_by_itself: bool | None = None,
    calibrates_by_itself: bool | None = None,
) -> Proposal:
    """Switch automatic assessment or automatic calibration of new runs."""
    access.require(by, words.SWITCH, proposal)
    row = Proposal.objects.select_for_update().get(pk=proposal.pk)
    wanted = {
        "assesses_by_itself": assesses_by_itself,
        "calibrates_by_itself": calibrates_by_itself,
    }
    changes = {k: v for k, v in wanted.items() if v is not None and v != getattr(row, k)}
    for name, value in changes.items():
        setattr(row, name, value)
        setattr(proposal, name, value)
    if changes:
        row.save(update_fields=list(changes))
        journal.write(row, "switch", by=by, facts=changes)
    return proposal


def prepare(proposal: Proposal, *, by: Actor) -> None:
    """Start the preparation: groups, folders, then the DAQ."""
    advance(proposal.prepare, by=by, at=clock.now())


def confirm_daq(proposal: Proposal, *, configuration: Mapping[str, Any], by: Actor) -> None:
    """The DAQ tells that it is configured, and with what."""
    advance(proposal.daq_configured, by=by, at=clock.now(), configuration=dict(configuration))


def declare_ready(proposal: Proposal, *, by: Actor) -> None:
    advance(proposal.declare_ready, by=by, at=clock.now())


def activate(proposal: Proposal, *, by: Actor) -> None:
    advance(proposal.activate, by=by, at=clock.now())


def pause(proposal: Proposal, *, by: Actor) -> None:
    advance(proposal.pause, by=by, at=clock.now())


def finish(proposal: Proposal, *, by: Actor) -> None:
    advance(proposal.finish, by=by, at=clock.now())


def review(proposal: Proposal, *, by: Actor, reason: str = "") -> None:
    """Take the proposal to FR: fixes the day on which its data open, and starts its DOI. A day to
    which the release was postponed before stands."""
    opens = queries.embargo_end(proposal, settings.EMBARGO_YEARS)
    advance(proposal.review, by=by, reason=reason, at=clock.now(), release_at=opens)


def close(proposal: Proposal, *, by: Actor) -> None:
    advance(proposal.close, by=by, at=clock.now())


def cancel(proposal: Proposal, *, by: Actor, reason: str) -> None:
    advance(proposal.cancel, by=by, reason=reason, at=clock.now())


def adopt(proposal: Proposal, *, state: str, by: Actor, reason: str = "") -> None:
    """Take over a state that another system of record reports. Starts nothing that removes."""
    if state not in Proposal.State.values:
        raise Invalid("state", "must be one of " + ", ".join(Proposal.State.values), state)
    advance(proposal.adopt, by=by, reason=reason, to=state, at=clock.now())


def consent(proposal: Proposal, *, by: Actor) -> None:
    """The principal investigator agrees to early release."""
    advance(proposal.consent, by=by, at=clock.now(), person=by.user)


def release_early(proposal: Proposal, *, by: Actor) -> None:
    """Staff open the data before the day; needs the consent of somebody else."""
    advance(proposal.release_early, by=by, at=clock.now())


def postpone(proposal: Proposal, *, until: datetime, by: Actor, reason: str) -> None:
    advance(proposal.postpone, by=by, reason=reason, until=until)


def release_those_due(now: datetime) -> int:
    """Open the data of every proposal whose day has come; part of the schedule."""
    done = 0
    for proposal in queries.due_for_release(now):
        try:
            advance(proposal.release, by=SCHEDULE, at=now)
        except Refused:
            continue  # opened meanwhile, or a guard keeps it: the guard's reason is on its page
        done += 1
    return done


# What people and programs may ask for by name (POST …/moves/<name>), with the arguments each takes.
MOVES: Mapping[str, Callable[..., None]] = {
    "prepare": prepare,
    "confirm-daq": confirm_daq,
    "declare-ready": declare_ready,
    "activate": activate,
    "pause": pause,
    "finish": finish,
    "review": review,
    "close": close,
    "cancel": cancel,
    "adopt": adopt,
    "consent": consent,
    "release-early": release_early,
    "postpone": postpone,
}
