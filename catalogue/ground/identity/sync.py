"""Comparing all LDAP accounts with LDAP: by a command, and every so often by the schedule."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from catalogue.ground import clock
from catalogue.ground.identity import accounts, config, directory, roles
from catalogue.ground.identity.accounts import DIRECTORY, LDAP
from catalogue.ground.identity.entry import Person
from catalogue.ground.models import DirectorySync, Identity, User
from catalogue.ground.refusal import Refused

log = logging.getLogger(__name__)

FEW, SHARE = 5, 0.2
"""More than so many accounts and more than this share of them do not leave within minutes: such an
answer is taken for a directory that is broken, until a person says that it is right."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a comparison found and did."""

    found: int
    closed: tuple[str, ...]
    reopened: tuple[str, ...]


def sync(*, despite_many: bool = False) -> Report:
    """Take over what LDAP says of all its people, and close the accounts it no longer has. All is
    read before the first account is touched. Raises `Refused` where LDAP does not answer, or misses
    so many that it cannot be meant (`despite_many`: it is)."""
    known = config.ldap()
    if known is None:
        raise Refused("No directory is connected to the catalogue.", kind="state")
    # why: belongs to the extra `ldap`
    from catalogue.ground.identity import ldap_reading

    rows = list(User.objects.filter(directory.vouched_for()).order_by("pk"))
    keys = dict(Identity.objects.filter(issuer=LDAP).values_list("user_id", "subject"))
    logins = [u.uid or u.username for u in rows if u.pk not in keys]
    with ldap_reading.reading(known) as reader:
        people = reader.all_of([keys[u.pk] for u in rows if u.pk in keys], logins)
    by_key = {p.key: p for p in people}
    by_login = {p.login.casefold(): p for p in people}
    pairs = [
        (
            u,
            by_key.get(keys[u.pk])
            if u.pk in keys
            else by_login.get((u.uid or u.username).casefold()),
        )
        for u in rows
    ]
    _plausible(pairs, despite_many)
    return _carry_over(pairs)


def _plausible(pairs: list[tuple[User, Person | None]], despite_many: bool) -> None:
    open_now = [(user, person) for user, person in pairs if user.is_active]
    gone = [user for user, person in open_now if person is None]
    all_gone = len(gone) == len(open_now) > 1
    many = len(gone) > FEW and len(gone) > SHARE * len(open_now)
    if (all_gone or many) and not despite_many:
        raise Refused(
            f"LDAP no longer has {len(gone)} of {len(open_now)} people. That is taken for a fault "
            "of the directory; nothing was changed. If it is right: sync_directory --despite-many.",
            kind="state",
            who="data manager",
            details={"gone": [user.username for user in gone[:20]]},
        )


def _carry_over(pairs: list[tuple[User, Person | None]]) -> Report:
    closed, reopened, same = [], [], []
    known = _Known(pairs)
    for user, person in pairs:
        if person is None:
            if user.is_active:
                _close(user)
                closed.append(user.username)
        elif known.has(user, person):
            same.append(user.pk)
        else:
            if not user.is_active:
                reopened.append(user.username)
            try:
                directory.welcome(person)
            except Refused as refusal:
                log.warning("%s: %s", user.label, refusal)
    User.objects.filter(pk__in=same).update(directory_synced_at=clock.now())
    found = sum(person is not None for _, person in pairs)
    return Report(found, tuple(closed), tuple(reopened))


class _Known:
    """What the catalogue holds of people already, read at once: of thousands few have changed."""

    def __init__(self, pairs: list[tuple[User, Person | None]]) -> None:
        self._offices = roles.held_from(LDAP)
        self._seen = set(Identity.objects.filter(issuer=LDAP).values_list("user_id", flat=True))
        given = {rule for _, person in pairs if person is not None for rule in person.given}
        self._places = roles.instruments_of(given)

    def has(self, user: User, person: Person) -> bool:
        """Whether there is nothing to write down of `person`."""
        given = {(r.role, r.instrument) for r in person.given if r.instrument in self._places}
        return (
            user.is_active
            and user.pk in self._seen
            and user.uid == person.login[:120]
            and all(getattr(user, name) == value for name, value in person.fields.items())
            and self._offices.get(user.pk, set()) == given
        )


@transaction.atomic
def _close(user: User) -> None:
    accounts.close(user, by=DIRECTORY, reason=directory.GONE)
    User.objects.filter(pk=user.pk).update(directory_missed_at=clock.now())


def sync_when_due(now: datetime) -> int:
    """Part of the schedule: compare when it is time, in one place; how many accounts were closed.
    What goes wrong is written down for staff, and tried again when it is time again."""
    known = config.ldap()
    if known is None or not begin(now, timedelta(minutes=known.sync_minutes)):
        return 0
    return len(recorded(now).closed)


def begin(now: datetime, every: timedelta) -> bool:
    """Whether it is time and nobody else began: one conditional UPDATE decides."""
    DirectorySync.objects.get_or_create(pk=1)
    due = Q(started_at__isnull=True) | Q(started_at__lte=now - every)
    return DirectorySync.objects.filter(due, pk=1).update(started_at=now) == 1


def recorded(now: datetime, *, despite_many: bool = False) -> Report:
    """`sync`, with what came of it kept for staff to read. Does not raise `Refused`."""
    row, _ = DirectorySync.objects.get_or_create(pk=1)
    try:
        report = sync(despite_many=despite_many)
    except Refused as refusal:
        why = getattr(refusal, "problem", "") or str(refusal)
        log.warning("LDAP was not compared: %s", why)
        DirectorySync.objects.filter(pk=row.pk).update(started_at=now, problem=why)
        return Report(0, (), ())
    DirectorySync.objects.filter(pk=row.pk).update(
        started_at=now, finished_at=clock.now(), problem="",
        found=report.found, closed=len(report.closed),
    )  # fmt: skip
    return report
