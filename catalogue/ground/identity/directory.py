"""Accounts of people whom LDAP vouches for: opened at their first sign-in or by staff, kept up to
date, closed when LDAP no longer has them.

An account belongs to an entry by the entry's unique id, never by its login or e-mail address: both
are given to somebody else in time. So an LDAP person never becomes a local account of that name.
"""

from __future__ import annotations

import logging

from django.db import IntegrityError, transaction
from django.db.models import Q

from catalogue.ground import access, clock, inputs, journal
from catalogue.ground.actor import Actor
from catalogue.ground.identity import accounts, config, roles
from catalogue.ground.identity.accounts import DIRECTORY, LDAP
from catalogue.ground.identity.entry import Person
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import DirectorySync, Identity, User
from catalogue.ground.refusal import Refused

log = logging.getLogger(__name__)

GONE = "LDAP no longer has the account."


def welcome(person: Person) -> User:
    """The account of somebody whom LDAP has vouched for, opened if it is the first time. Raises
    `Refused` where the login is another's here, or the account was closed by staff."""
    try:
        return _welcome(person)
    except IntegrityError:  # the same person at the same time, or an address taken meanwhile
        return _welcome(person)


@transaction.atomic
def _welcome(person: Person) -> User:
    user = _known(person)
    if user is None:
        user = _open(person)
    elif not user.is_active:
        if user.directory_missed_at is None:
            raise Refused("The account was closed by staff.", kind="permission", who="user office")
        accounts.reopen(user, by=DIRECTORY, reason="LDAP has the account again.")
    take_over(user, person)
    return user


def _known(person: Person) -> User | None:
    """Whose entry this is, by its id; where an account has seen no entry yet, by the login."""
    own = Identity.objects.filter(issuer=LDAP, subject=person.key).select_related("user").first()
    if own is not None:
        return own.user
    named: User | None = User.objects.filter(provider=LDAP, uid__iexact=person.login).first()
    if named is None:
        return None
    if named.identities.filter(issuer=LDAP).exists():
        raise Refused(
            "The login belonged to somebody else before; staff have to set it free first.",
            kind="state",
            who="user office",
        )
    Identity.objects.create(user=named, issuer=LDAP, subject=person.key, name=person.login)
    return named


def _open(person: Person) -> User:
    if User.objects.filter(username__iexact=person.login).exists():
        raise Refused(
            "There is an account of this login that is not LDAP's; staff have to rename it first.",
            kind="state",
            who="user office",
        )
    user = User(username=person.login, provider=LDAP, uid=person.login[:120])
    user.set_unusable_password()
    user.save(force_insert=True)
    Identity.objects.create(user=user, issuer=LDAP, subject=person.key, name=person.login)
    journal.write(user, "open account", by=DIRECTORY, facts={"entry": person.dn[:500]})
    return user


@transaction.atomic
def take_over(user: User, person: Person) -> None:
    """Write down what LDAP says of somebody now: fields, login, offices."""
    row = User.objects.select_for_update().get(pk=user.pk)
    told = dict(person.fields)
    if address_taken(told.get("email", ""), row):
        log.warning("%s: the e-mail address of the entry is another account's", row.label)
        told.pop("email")
    if row.uid != person.login:
        told["uid"] = person.login[:120]
        if not User.objects.filter(username__iexact=person.login).exclude(pk=row.pk).exists():
            told["username"] = person.login
    changed = {name: value for name, value in told.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    row.directory_synced_at = clock.now()
    row.save(update_fields=[*changed, "directory_synced_at"])
    if changed:
        journal.write(row, "take over from LDAP", by=DIRECTORY, facts={"changed": sorted(changed)})
    roles.mirror(row, LDAP, person.given, by=DIRECTORY)
    user.refresh_from_db()


def address_taken(email: str, user: User) -> bool:
    """Whether another account signs in with this address. It is left to that one: who shares an
    address is not the same person for that."""
    return bool(email) and User.objects.filter(email__iexact=email).exclude(pk=user.pk).exists()


# ---------------------------------------------------------------- staff


def may_import(by: Actor) -> bool:
    """Whether somebody opens accounts for others: who manages teams or administers, everywhere."""
    today = clock.now().astimezone(clock.facility_zone()).date()
    return bool({access.TEAM, access.ADMINISTER} & access.facility_wide(by, today))


def import_person(*, by: Actor, login: str = "", email: str = "") -> User:
    """Open the account of one person whom LDAP has, before they come by themselves; found by login,
    else by e-mail address. Raises `Invalid` where there is none or more than one, and `Refused`."""
    if not may_import(by):
        raise Refused(
            "People are taken over from LDAP by the user office and data managers.",
            kind="permission",
            who="user office",
        )
    known = config.ldap()
    if known is None:
        raise Refused(
            "No directory is connected to the catalogue, so nobody can be imported from one.",
            kind="state",
        )
    where, value = ("uid", login.strip()) if login.strip() else ("email", email.strip())
    inputs.free_text(value, 254, where)
    if not value:
        raise Invalid("uid", "must be a login, or email an address", value)
    # why: belongs to the extra `ldap`
    from catalogue.ground.identity import ldap_reading

    with ldap_reading.reading(known) as reader:
        found = reader.by_login(value) if where == "uid" else reader.by_email(value)
    if len(found) != 1:
        rule = "nobody in LDAP has it" if not found else f"{len(found)} people in LDAP have it"
        raise Invalid(where, rule, value)
    with transaction.atomic():
        user = welcome(found[0])
        journal.write(user, "import from LDAP", by=by, facts={"entry": found[0].dn[:500]})
    return user


def last_sync() -> DirectorySync | None:
    """When accounts were compared with LDAP last, and what came of it."""
    return DirectorySync.objects.filter(pk=1).first()


def vouched_for() -> Q:
    """Accounts that live and die with LDAP: open ones, and those closed since it missed them."""
    alive = Q(is_active=True) | Q(directory_missed_at__isnull=False)
    return alive & Q(provider=LDAP, is_service=False)
