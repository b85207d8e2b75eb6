"""Why somebody may do what they may: the rules of `access`, told piece by piece.

Nothing is decided here. What gives a permission comes from `catalogue.ground.access.given` and
`access.held_on`, of which `access.allowed_on` is made as well; a property test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from catalogue.ground import access as words
from catalogue.ground import calendar, clock
from catalogue.ground.actor import Actor
from catalogue.ground.models import Appointment, User
from catalogue.ground.models.people import INSTRUMENT_ROLES, ROLES
from catalogue.ground.refusal import Refused
from proposals import access, queries
from proposals.access import Held
from proposals.models import Membership, Proposal

PERMISSIONS = tuple(p for p in words.VOCABULARY if p != words.SYSTEM)


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that gives a permission: `rule` is a role or scope of the table, `says` what gives
    it to this person, `until` its last day. `here` is false for what gives it elsewhere only."""

    rule: str
    says: str
    until: date | None = None
    here: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether somebody has a permission, what gives it, and who has it where they do not."""

    permission: str
    allowed: bool
    reasons: tuple[Reason, ...]
    who: str


@dataclass(frozen=True, slots=True)
class Story:
    """All that is to be said: `everybody` is what anybody may, `ended` what the person once had or
    what keeps them from all of it."""

    answers: tuple[Answer, ...]
    everybody: tuple[str, ...]
    ended: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """A row of the table: a role or a scope, on which proposals, and what it gives."""

    name: str
    title: str
    where: str
    gives: frozenset[str]


def roles() -> list[Role]:
    """The table of the rules: its rows, as `catalogue.ground.access` has them."""
    return [
        Role(name, access.WORDS[name], _where(name), gives) for name, gives in words.GRANTS.items()
    ]


def scopes() -> list[Role]:
    """What a token's scopes leave of it; a program with an account of its own has no more."""
    everywhere = "where the person may, a program everywhere"
    return [
        Role(name, words.SCOPE_WORDS[name], everywhere, gives)
        for name, gives in words.SCOPES.items()
    ]


def _where(role: str) -> str:
    if role in INSTRUMENT_ROLES:
        return "proposals of the instrument"
    return "everything" if role in dict(ROLES) else "their own proposals"


def may_ask_of_others(actor: Actor) -> bool:
    """Everybody may ask about themselves; about others those who answer for the rules."""
    return words.EXPLAIN in words.facility_wide(actor, access.today())


def asked_about(actor: Actor, login: str) -> User:
    """The account with this login or e-mail address, closed ones too; without one the asker's.
    Raises `User.DoesNotExist`, and `Refused` where others are not theirs to ask about: before it
    is said whether there is such an account."""
    own = actor.user
    if own is not None and login.strip() in ("", own.username):
        return own
    if not may_ask_of_others(actor):
        raise Refused(
            "What others may do is told to the user office, data managers and auditors.",
            kind="permission",
            who="the user office",
        )
    found = User.objects.filter(username=login.strip()).first()
    return found or User.objects.exclude(email="").get(email__iexact=login.strip())


def asked(person: User, scopes: frozenset[str] | None) -> Actor:
    """The person as they would act: in the browser, or with a token of these scopes. A program has
    no browser."""
    if person.is_service and scopes is None:
        scopes = frozenset()
    return Actor.of(person, face="page", scopes=scopes)


def why(actor: Actor, proposal: Proposal | None) -> Story:
    """What `actor` may do with `proposal`, or without one everywhere, and what gives it."""
    offices = list(words.offices(actor, access.today()).select_related("instrument"))
    if proposal is None:
        roles = [Held(o.role, o) for o in offices]
    else:
        roles = access.held_on(actor, proposal, offices)
    found: dict[str, list[Reason]] = {}
    for permission, reason in _reasons(actor, roles, everywhere=proposal is None):
        found.setdefault(permission, []).append(reason)
    return Story(
        tuple(_answer(p, found.get(p, [])) for p in PERMISSIONS),
        tuple(_everybody(proposal)) if proposal is not None else (),
        tuple(_ended(actor, proposal)),
    )


def _reasons(actor: Actor, roles: list[Held], *, everywhere: bool) -> Iterator[tuple[str, Reason]]:
    for rule, what in words.given(actor, sorted({h.role for h in roles})):
        of_role: list[Held | None] = [h for h in roles if h.role == rule]
        for held in of_role or [None]:
            reason = _reason(rule, held, everywhere=everywhere)
            yield from ((permission, reason) for permission in what)


def _reason(rule: str, held: Held | None, *, everywhere: bool) -> Reason:
    if held is None:
        said = words.SCOPE_WORDS.get(rule, "What its scopes let it report, whoever it acts for")
        return Reason(rule, f"Scope {rule}: {said}" if rule in words.SCOPES else said)
    if isinstance(held.by, Appointment):
        place = f" at {held.by.instrument}" if held.by.instrument_id else ", everywhere"
        here = held.by.instrument_id is None or not everywhere
        return Reason(rule, f"{held.by.get_role_display()}{place}", held.by.until, here)
    return Reason(rule, _place(held.by), held.by.until or held.by.proposal.team_until)


def _place(member: Membership) -> str:
    level = member.get_data_access_display().lower()
    return f"{member.get_role_display()} in the team, data access: {level}"


def _answer(permission: str, reasons: list[Reason]) -> Answer:
    allowed = any(r.here for r in reasons)
    # One place in the team gives several roles; it is told once.
    once = {(r.says, r.until, r.here): r for r in reasons}
    return Answer(permission, allowed, tuple(once.values()), "" if allowed else who_may(permission))


def who_may(permission: str) -> str:
    """Whom the table gives a permission, in words."""
    roles = [access.WORDS[r] for r, granted in words.GRANTS.items() if permission in granted]
    scopes = [s for s, granted in words.SCOPES.items() if permission in granted]
    programs = f"programs with the scope {' or '.join(scopes)}" if scopes else "nobody"
    return ", ".join(roles) or programs


def _everybody(proposal: Proposal) -> Iterator[str]:
    if not proposal.is_public:
        yield "Nobody else may know of it: it is not published."
        return
    yield "Everybody may read what it is: it was reviewed, and its DOI is findable."
    if proposal.is_open:
        yield "Everybody may read RAW and PROC of its Good and Unclear runs: the embargo is over."
    else:
        opens = proposal.release_at
        until = f" until {calendar.say_when(opens, clock.facility_zone())}" if opens else ""
        yield f"Its data are under embargo{until}: only team and staff read them."


def _ended(actor: Actor, proposal: Proposal | None) -> Iterator[str]:
    if actor.user is None:
        return
    if not actor.user.is_active:
        yield "The account is closed, so nothing that it was given counts."
    day = access.today()
    for office in actor.user.appointments.filter(until__lt=day).select_related("instrument"):
        place = f" at {office.instrument}" if office.instrument_id else ""
        yield f"{office.get_role_display()}{place}: ended with {_day(office.until)}."
    if proposal is not None:
        member = queries.team(proposal).filter(user=actor.user).first()
        last = (member.until or proposal.team_until) if member is not None else None
        if member is not None and last is not None and last < day:
            yield f"{_place(member)}: ended with {_day(last)}."


def _day(day: date | None) -> str:
    return calendar.say_day(day, clock.facility_zone()) if day is not None else ""
