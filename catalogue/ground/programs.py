"""Programs of the facility and their tokens: the verbs of staff, and who acts when one calls.

A program acts for a person whom it names by e-mail, if staff have allowed it to act for them; the
journal names both. What it may do there is in `catalogue.ground.access.allowed`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Lower
from oauth2_provider.models import get_access_token_model

from catalogue.ground import access, clock, inputs, journal, program_secrets
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Program, User
from catalogue.ground.refusal import Refused

USE_NOTED_EVERY = timedelta(minutes=1)
LONGEST_NAME = 80
LONGEST_EMAIL = 254
MOST_PEOPLE = 500
FORGOTTEN_AT_ONCE = 500


class Unrecognised(Enum):
    """Why nobody acts."""

    BEARER = "The token is unknown or has expired, or its program was revoked."
    EMAIL = "The program may not act for anybody with this e-mail address."
    NOBODY = "Name the person this is done for in X-User-Email; the program has no account."


# ---------------------------------------------------------------- who acts


def recognise(
    bearer: str, email: str | None, now: datetime, *, face: str = "api", own: bool = False
) -> Actor | Unrecognised:
    """Who acts when a program sends this token and names the person with this e-mail. With `own`,
    a program that names nobody acts in the name of its own account."""
    token = _token(bearer, now)
    if token is None:
        return Unrecognised.BEARER
    program: Program = token.application
    if email is None and own:
        user = program.user if program.user is not None and program.user.is_active else None
        if user is None:
            return Unrecognised.NOBODY
    else:
        user = _person(program, email or "")
        if user is None:
            return Unrecognised.EMAIL
    note_use(program, now)
    scopes = frozenset(token.scope.split()) & frozenset(program.scopes)
    return Actor(user=user, name=user.full_name, face=face, scopes=scopes, through=program)


def _token(bearer: str, now: datetime) -> Any:
    """The token with this text, if it and its program are valid. Kept is only its checksum."""
    checksum = hashlib.sha256(bearer.encode()).hexdigest()
    valid = {"expires__gt": now, "application__revoked_at__isnull": True}
    found = _tokens().filter(token_checksum=checksum, **valid)[:1]
    return next(iter(found), None)


@cache
def _tokens() -> QuerySet[Any]:
    """Made once, and reads no more than it takes to know who acts: every call begins with it."""
    rows: QuerySet[Any] = get_access_token_model().objects.select_related("application")
    program = ("name", "scopes", "user", "last_used_at", "revoked_at")
    return rows.only("scope", "application", *(f"application__{name}" for name in program))


def _person(program: Program, email: str) -> User | None:
    """Of the people `program` may act for, the one with this address; what people sign in with goes
    before where they want to be written to, which several may share."""
    if not email or len(email) > LONGEST_EMAIL or not email.isprintable():
        return None
    people = User.objects.filter(programs_acting=program.pk, is_active=True).order_by("pk")
    for user in people.filter(email__iexact=email)[:1]:
        return user
    written_to = list(people.filter(contact_email__iexact=email)[:2])
    return written_to[0] if len(written_to) == 1 else None


def note_use(program: Program, now: datetime) -> None:
    """Write down when a program last came, at most once a minute; of several requests at the same
    time one writes."""
    if program.last_used_at is not None and now - program.last_used_at < USE_NOTED_EVERY:
        return
    earlier = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
    Program.objects.filter(earlier, pk=program.pk).update(last_used_at=now)
    program.last_used_at = now


def forget_expired(now: datetime) -> int:
    """Delete tokens that have expired, oldest first; part of the schedule. All live equally long,
    so it looks at the oldest only, and stops at the first part in which one is still valid."""
    tokens = get_access_token_model().objects
    gone = 0
    while True:
        oldest = list(tokens.order_by("pk").values_list("pk", "expires")[:FORGOTTEN_AT_ONCE])
        expired = [pk for pk, expires in oldest if expires <= now]
        if expired:
            tokens.filter(pk__in=expired).delete()
            gone += len(expired)
        if len(expired) < FORGOTTEN_AT_ONCE:
            return gone


# ---------------------------------------------------------------- what staff read


def listed(by: Actor) -> QuerySet[Program]:
    """All programs, for those who administer. Raises `Refused` for others."""
    _require(by)
    rows = Program.objects.select_related("user", "created_by")
    return rows.annotate(people=Count("acts_for")).order_by("name", "pk")


def one(by: Actor, pk: int) -> Program:
    """One program, for those who administer. Raises `Refused` for others."""
    return listed(by).get(pk=pk)


def people_of(program: Program) -> QuerySet[User]:
    """Whom it may act for, by name."""
    return program.acts_for.order_by("last_name", "first_name", "pk")


def may_administer(by: Actor) -> bool:
    """Whether somebody manages programs: a person who signed in. A token could make another that
    outlives it."""
    return by.scopes is None and access.ADMINISTER in access.facility_wide(by, _today())


def _require(by: Actor) -> None:
    if not may_administer(by):
        raise Refused(
            "Programs are managed by data managers.", kind="permission", who="data managers"
        )


def _today() -> date:
    return clock.now().astimezone(clock.facility_zone()).date()


# ---------------------------------------------------------------- verbs


def create(
    *,
    name: str,
    scopes: Iterable[str],
    by: Actor,
    acts_for: Sequence[User] = (),
    account: User | None = None,
) -> tuple[Program, str]:
    """A new program and its secret, which is known only now. Raises `Invalid` or `Refused`."""
    _require(by)
    secret = program_secrets.new()
    made = Program(
        name=_name(name),
        scopes=_scopes(scopes),
        client_secret=secret,
        client_type=Program.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Program.GRANT_CLIENT_CREDENTIALS,
        user=_account(account),
        created_by=by.user,
    )
    people = _people(acts_for)
    try:
        with transaction.atomic():
            made.save()
            made.acts_for.set(people)
            journal.write(made, "create", by=by, facts=_told(made, people))
    except IntegrityError:
        raise Invalid("name", "must differ from the names of all other programs", name) from None
    return made, secret


@transaction.atomic
def rotate(program: Program, *, by: Actor, end_tokens: bool = False) -> str:
    """A new secret, known only now; the one before is of no use from then on. Tokens got with it
    run out by themselves, so that a program can be told its new secret without a break, unless they
    are to end now (`end_tokens`: the secret has leaked)."""
    row = _lock(program, by)
    secret = program_secrets.new()
    row.client_secret = secret
    row.save(update_fields=["client_secret", "updated"])
    ended = _end_tokens(row) if end_tokens else 0
    journal.write(row, "rotate secret", by=by, facts={"tokens ended": ended})
    return secret


@transaction.atomic
def revoke(program: Program, *, by: Actor, reason: str = "") -> None:
    """Shut a program out at once and for ever; its tokens end too."""
    row = _lock(program, by)
    row.revoked_at = clock.now()
    row.save(update_fields=["revoked_at", "updated"])
    facts = {"tokens ended": _end_tokens(row)}
    reason = inputs.free_text(reason, 2000, "reason").strip()
    journal.write(row, "revoke", by=by, reason=reason, facts=facts)
    program.revoked_at = row.revoked_at


@transaction.atomic
def set_acts_for(program: Program, *, people: Sequence[User], by: Actor) -> None:
    """Name all whom the program may act for from now on."""
    row = _lock(program, by)
    people = _people(people)
    before = {user.pk: user for user in row.acts_for.all()}
    row.acts_for.set(people)
    now = {user.pk: user for user in people}
    facts = {
        "added": sorted(_told_person(now[pk]) for pk in now.keys() - before.keys()),
        "removed": sorted(_told_person(before[pk]) for pk in before.keys() - now.keys()),
    }
    if any(facts.values()):
        journal.write(row, "set whom it acts for", by=by, facts=facts)


@transaction.atomic
def set_scopes(program: Program, *, scopes: Iterable[str], by: Actor) -> None:
    """Say what the program may do; what is taken away is gone from its tokens at once, what is
    added comes with the next one."""
    row = _lock(program, by)
    before, row.scopes = row.scopes, _scopes(scopes)
    if row.scopes != before:
        row.save(update_fields=["scopes", "updated"])
        facts = {"scopes before": before, "scopes": row.scopes or "none"}
        journal.write(row, "set scopes", by=by, facts=facts)
    program.scopes = row.scopes


def people_with(emails: Iterable[str]) -> list[User]:
    """The people with these addresses, whatever the case. Raises `Invalid` for an address that
    nobody with an open account has."""
    wanted = {email.strip().lower() for email in emails} - {""}
    if len(wanted) > MOST_PEOPLE:
        raise Invalid("emails", f"must be at most {MOST_PEOPLE} addresses", len(wanted))
    for email in wanted:
        inputs.free_text(email, LONGEST_EMAIL, "emails")
    lowered = User.objects.annotate(lowered=Lower("email"))
    found: list[User] = list(lowered.filter(lowered__in=wanted, is_active=True).order_by("pk"))
    missing = wanted - {user.email.lower() for user in found}
    if missing:
        said = ", ".join(sorted(missing))
        raise Invalid("emails", f"nobody with an open account has the address {said}", said)
    return found


def account_named(login: str) -> User | None:
    """The service account with this login; None for an empty one. Raises `Invalid`."""
    if not login.strip():
        return None
    inputs.free_text(login, 150, "account")
    user = User.objects.filter(username=login.strip(), is_service=True, is_active=True).first()
    if user is None:
        raise Invalid("account", "must be the login of an open service account", login)
    return user


def _lock(program: Program, by: Actor) -> Program:
    _require(by)
    row = Program.objects.select_for_update().get(pk=program.pk)
    if row.revoked_at is not None:
        raise Refused("The program was revoked; make a new one.", kind="state")
    return row


def _end_tokens(program: Program) -> int:
    """Delete the tokens of a program; how many there were."""
    _, deleted = get_access_token_model().objects.filter(application=program).delete()
    return sum(deleted.values())


def _name(value: str) -> str:
    name = inputs.free_text(value, LONGEST_NAME, "name").strip()
    if not name or "\n" in name or "\t" in name:
        raise Invalid("name", "must be one line that is not empty", value)
    return name


def _scopes(values: Iterable[str]) -> list[str]:
    wanted = sorted(set(values))
    for scope in wanted:
        if scope not in access.SCOPES:
            raise Invalid("scopes", f"each must be one of {', '.join(access.SCOPES)}", scope)
    return wanted


def _people(people: Sequence[User]) -> list[User]:
    for user in people:
        if not user.is_active:
            raise Invalid("acts_for", "must have open accounts", user.username)
    return list(people)


def _account(user: User | None) -> User | None:
    if user is not None and not (user.is_service and user.is_active):
        raise Invalid("account", "must be an open service account", user.username)
    return user


def _told(program: Program, people: Sequence[User]) -> dict[str, object]:
    return {
        "client_id": program.client_id,
        "scopes": program.scopes,
        "acts for": sorted(_told_person(user) for user in people),
        "account": program.user.username if program.user is not None else "",
    }


def _told_person(user: User) -> str:
    return user.email or user.username
