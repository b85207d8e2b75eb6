"""Closing and opening accounts: with one of them everything ends that acts in a person's name."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from catalogue.ground import inputs, journal, tokens
from catalogue.ground.actor import Actor
from catalogue.ground.models import Appointment, User

LDAP, OIDC = "ldap", "oidc"
DIRECTORY = Actor(user=None, name="LDAP directory", face="directory", system=True)
PROVIDER = Actor(user=None, name="OpenID provider", face="openid", system=True)


@transaction.atomic
def close(user: User, *, by: Actor, reason: str) -> None:
    """Shut a person out at once: sessions, personal tokens, what programs do for them. The offices
    that others gave go too, since whoever gave them no longer knows the person; those of staff stay
    and give nothing meanwhile. Closed already: nothing happens."""
    row = User.objects.select_for_update().get(pk=user.pk)
    if not row.is_active:
        return
    row.is_active = False
    row.session_epoch = F("session_epoch") + 1
    row.save(update_fields=["is_active", "session_epoch"])
    ended, _ = tokens.of(row).delete()
    given = Appointment.objects.filter(user=row).exclude(given_by="")
    offices = sorted(str(office) for office in given.select_related("user", "instrument"))
    given.delete()
    facts = {"tokens ended": ended, "offices taken away": offices}
    journal.write(row, "close account", by=by, reason=_line(reason), facts=facts)
    user.refresh_from_db()


@transaction.atomic
def reopen(user: User, *, by: Actor, reason: str) -> None:
    """Let a person in again. Sessions and tokens of before stay ended."""
    row = User.objects.select_for_update().get(pk=user.pk)
    if row.is_active:
        return
    row.is_active = True
    row.directory_missed_at = None
    row.save(update_fields=["is_active", "directory_missed_at"])
    journal.write(row, "reopen account", by=by, reason=_line(reason))
    user.refresh_from_db()


@transaction.atomic
def end_sessions(user: User, *, by: Actor, reason: str) -> None:
    """Sign a person out everywhere."""
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    journal.write(user, "end sessions", by=by, reason=_line(reason))
    user.refresh_from_db()


def _line(reason: str) -> str:
    return inputs.free_text(reason, 2000, "reason").strip()
