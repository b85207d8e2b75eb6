"""What may refuse a move of a proposal, and what such a move will bring about."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import connection

from catalogue.ground import calendar, clock
from catalogue.ground.lifecycle import Consequence, World
from catalogue.ground.models import Approval, Cycle, Instrument, User
from catalogue.ground.refusal import Refused
from proposals import access, queries
from proposals.models import Membership, Proposal


def not_withdrawn(proposal: Proposal, world: World) -> str | None:
    """What was made by mistake is neither run nor published."""
    return "It was withdrawn." if proposal.withdrawn_at is not None else None


def has_beamtime(proposal: Proposal, world: World) -> str | None:
    """Folders, groups and DAQ are set up for a beamtime; without its dates there is none."""
    if proposal.beamtimes.exists():
        return None
    return "It has no beamtime yet: enter its dates first."


def has_leader(proposal: Proposal, world: World) -> str | None:
    """Somebody has to answer for the data."""
    if proposal.memberships.filter(role=Membership.Role.PI).exists():
        return None
    return "It has no principal investigator yet: name one in the team first."


def alone_on_instrument(proposal: Proposal, world: World) -> Refused | None:
    """At most one active user proposal per instrument; the database holds the same constraint."""
    if proposal.kind != Proposal.Kind.USER:
        return None
    # The instrument's row is the lock that concurrent activations queue at; who only asks what
    # would happen waits for nobody.
    if connection.in_atomic_block:
        Instrument.objects.select_for_update().get(pk=proposal.instrument_id)
    other = (
        Proposal.objects.filter(
            instrument=proposal.instrument_id, state=Proposal.State.ACTIVE, kind="user"
        )
        .exclude(pk=proposal.pk)
        .first()
    )
    if other is None:
        return None
    return Refused(
        f"{proposal.instrument.identifier} is in use by {other.label}; "
        "pause or finish that one first.",
        who="the local contact",
        details={"active": other.number},
    )


def somebody_else_consented(proposal: Proposal, world: World) -> Refused | None:
    """Early release takes two accounts: the principal investigator's consent and a member of
    staff who is not the same person."""
    if proposal.consented_by_id is None:
        return Refused(
            "Early release needs the consent of the principal investigator first.",
            who="the principal investigator",
        )
    consented = proposal.consented_by
    if consented is None or same_person(world.by.user, consented):
        return Refused(
            "Early release takes two people: whoever consented may not release as well.",
            who="another data manager",
        )
    if not proposal.memberships.filter(user=consented, role__in=access.TEAM_ROLES).exists():
        return Refused(
            f"{consented.full_name}, who consented, does not lead the team any more.",
            who="the principal investigator",
        )
    return None


def same_person(one: User | None, other: User) -> bool:
    """Whether two people are not shown to be two: one account, two accounts with one ORCID, or
    somebody of whom nobody knows who it is."""
    if one is None or one.is_service or one.pk == other.pk:
        return True
    return bool(one.orcid) and one.orcid == other.orcid


def takes_another(approval: Approval, world: World) -> Refused | None:
    """What one asked for another agrees to: two accounts, of two people. A program that acts for
    both of them would be both."""
    if world.by.through is not None:
        return Refused(
            "This takes two people: a program agrees for nobody.",
            kind="permission",
            who=f"people who may {approval.permission}",
        )
    if not same_person(world.by.user, approval.asked_by):
        return None
    return Refused(
        f"This takes two people: {approval.asked_by.full_name} asked for it, "
        "somebody else has to agree.",
        who=f"others who may {approval.permission}",
    )


def asked_for_it(approval: Approval, world: World) -> Refused | None:
    """Only who asked takes it back; others decline. The catalogue does where it is overtaken."""
    if world.by.system or (world.by.user is not None and world.by.user == approval.asked_by):
        return None
    return Refused(
        f"{approval.asked_by.full_name} asked for it; you can decline it.",
        kind="permission",
        who=approval.asked_by.full_name,
    )


def reported_alone_on_instrument(proposal: Proposal, world: World) -> Refused | None:
    """The same for a state that another system reports."""
    if world.facts.get("to") != Proposal.State.ACTIVE:
        return None
    return alone_on_instrument(proposal, world)


def may_be_public(proposal: Proposal, world: World) -> str | None:
    """Test proposals are never published; others only after their review."""
    if proposal.kind == Proposal.Kind.TEST:
        return "A test proposal is never published."
    if proposal.state not in ("FR", "WCLD", "CLO"):
        return "Its data can be released once it has been reviewed."
    return None


def embargo_is_over(proposal: Proposal, world: World) -> str | None:
    """Data open by themselves no sooner than the last beamtime says, whatever day a program of
    record stated; sooner is an early release, which takes two accounts."""
    opens = queries.embargo_end(proposal, settings.EMBARGO_YEARS)
    if opens is None or opens <= world.now:
        return None
    return f"Its data open on {calendar.say_when(opens, clock.facility_zone())}."


def postponed_into_the_future(proposal: Proposal, world: World) -> str | None:
    """An earlier day would be an early release, which takes two accounts."""
    until = world.facts.get("until")
    if until is None:
        return None
    if until <= world.now:
        return "The new release date must lie in the future."
    opens = proposal.release_at or queries.embargo_end(proposal, settings.EMBARGO_YEARS)
    if opens is not None and until <= opens:
        day = calendar.say_when(opens, clock.facility_zone())
        return f"Its data open on {day}; a postponed release must be later."
    return None


def foresee_preparation(proposal: Proposal, world: World) -> Iterable[Consequence]:
    stores = ", ".join(s.identifier for s in queries.stores_to_prepare())
    yield Consequence(
        f"Groups are configured, folders are made in {stores or 'no store'}, "
        "then the DAQ is asked to configure itself."
    )


def foresee_review(proposal: Proposal, world: World) -> Iterable[Consequence]:
    """The DOI, and the day on which the data open."""
    if proposal.kind == Proposal.Kind.TEST:
        return
    state = "findable" if proposal.metadata_public else "registered, internal only"
    yield Consequence(f"A DOI is made for it: {state}.")
    opens = queries.embargo_end(proposal, settings.EMBARGO_YEARS)
    if opens is not None:
        day = calendar.say_when(opens, clock.facility_zone())
        yield Consequence(f"Its data open on {day}.", when=opens)


def foresee_activation(proposal: Proposal, world: World) -> Iterable[Consequence]:
    yield Consequence("The DAQ registers runs from now on.")


def foresee_pause(proposal: Proposal, world: World) -> Iterable[Consequence]:
    yield Consequence("The DAQ gets no new run numbers until it is activated again.")


def foresee_end(proposal: Proposal, world: World) -> Iterable[Consequence]:
    yield Consequence("No more runs are taken. Staff review the proposal next.")


def foresee_closing(proposal: Proposal, world: World) -> Iterable[Consequence]:
    """Its online folders go; what is in their way holds that job, with the list."""
    stores = ", ".join(s.identifier for s in queries.online_stores())
    yield Consequence(
        f"Its empty folders are removed from {stores or 'no store'}; files that the catalogue did "
        "not decide to remove stay, and hold the closing until somebody has moved them."
    )


def foresee_release(proposal: Proposal, world: World) -> Iterable[Consequence]:
    yield Consequence("Everybody can read its open data from now on.")


TOMBSTONE = Consequence(
    "Its data are no longer offered to anybody outside; the page that its DOI leads to stays, and "
    "says that they were withdrawn."
)


def foresee_withdrawal(approval: Approval, world: World) -> Iterable[Consequence]:
    if approval.act == queries.WITHDRAW_DOI:
        yield TOMBSTONE


def paths_begin_with(place: Instrument | Cycle) -> str | None:
    """Why an identifier stays: the folders of proposals that are prepared are named by it."""
    of = {"instrument": place} if isinstance(place, Instrument) else {"cycle": place}
    rows = Proposal.objects.filter(**of)
    count = rows.exclude(state=Proposal.State.NEW, last_run_number=0).count()
    return f"The folders of {count} proposals are named by {place}." if count else None
