"""Accounts and the OpenID identities that sign in as them.

An identity is (issuer, subject). It is joined to an account that exists only by somebody who has
just shown both: signed in here, and anew at the provider. An e-mail address joins nothing: whoever
can get a provider to say an address would be that person here.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.db.models import ForeignObjectRel, QuerySet

from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.identity import accounts, directory, entitlements, roles
from catalogue.ground.identity import person as people
from catalogue.ground.identity.accounts import LDAP, OIDC, PROVIDER
from catalogue.ground.identity.config import Oidc
from catalogue.ground.models import Appointment, Identity, User
from catalogue.ground.refusal import Refused

log = logging.getLogger(__name__)


def of(user: User) -> QuerySet[Identity]:
    """The identities that sign in as somebody."""
    return Identity.objects.filter(user=user).order_by("issuer", "pk")


# ---------------------------------------------------------------- signing in


def welcome(config: Oidc, claims: Mapping[str, Any]) -> User:
    """The account of whom the provider has vouched for, opened if there is none and that is
    configured. Raises `Refused`."""
    try:
        return _welcome(config, claims)
    except IntegrityError:  # the same person at the same time
        return _welcome(config, claims)


@transaction.atomic
def _welcome(config: Oidc, claims: Mapping[str, Any]) -> User:
    known = _known(config, claims)
    if known is None:
        known = _open(config, claims)
    user = known.user
    if not user.is_active or user.is_service:
        raise Refused(
            "The account that this identity belongs to is closed.",
            kind="permission",
            who="user office",
        )
    Identity.objects.filter(pk=known.pk).update(last_used_at=clock.now(), name=_name(claims))
    _take_over(config, user, claims)
    return user


def _known(config: Oidc, claims: Mapping[str, Any]) -> Identity | None:
    rows = Identity.objects.select_related("user")
    return rows.filter(issuer=config.issuer, subject=claims["sub"]).first()


def _open(config: Oidc, claims: Mapping[str, Any]) -> Identity:
    if not config.opens_accounts:
        raise Refused(
            f"Nobody here is linked with this identity of {config.name}. Sign in as usual first, "
            "and link it on your page “How I sign in”.",
            kind="permission",
            who="user office",
        )
    subject = str(claims["sub"])
    digest = hashlib.sha256(f"{config.issuer}\n{subject}".encode()).hexdigest()
    # No name that the provider could choose: it might be somebody's login here.
    user = User(username=f"oidc-{digest[:20]}", provider=OIDC, uid=digest[:120])
    user.set_unusable_password()
    user.save(force_insert=True)
    journal.write(user, "open account", by=PROVIDER, facts={"issuer": config.issuer})
    return Identity.objects.create(
        user=user, issuer=config.issuer, subject=subject, name=_name(claims)
    )


def _take_over(config: Oidc, user: User, claims: Mapping[str, Any]) -> None:
    """Fields and offices. Of an account that LDAP or the catalogue itself keeps only what is empty
    is filled in."""
    told = people.cleaned({name: claims.get(claim) for name, claim in config.read.items()})
    told.pop("entitlements", None)
    if claims.get("email_verified") is not True or directory.address_taken(
        told.get("email", ""), user
    ):
        told.pop("email", None)
    changed = {
        name: value
        for name, value in told.items()
        if getattr(user, name) != value and (user.provider == OIDC or not getattr(user, name))
    }
    if changed:
        for name, value in changed.items():
            setattr(user, name, value)
        user.save(update_fields=list(changed))
        facts = {"changed": sorted(changed)}
        journal.write(user, "take over from the provider", by=PROVIDER, facts=facts)
    until = clock.now().astimezone(clock.facility_zone()).date() + timedelta(days=config.role_days)
    given = entitlements.given(_entitlements(config, claims), config.rules)
    roles.mirror(user, OIDC, given, by=PROVIDER, until=until)


def _entitlements(config: Oidc, claims: Mapping[str, Any]) -> list[object]:
    found: list[object] = []
    for claim in config.read.get("entitlements", "").split():
        value = claims.get(claim)
        found += value if isinstance(value, list) else [value] if isinstance(value, str) else []
    return found


def _name(claims: Mapping[str, Any]) -> str:
    for claim in ("name", "preferred_username", "email"):
        value = claims.get(claim)
        if isinstance(value, str) and value.strip():
            return "".join(c for c in value if c.isprintable())[:255]
    return ""


# ---------------------------------------------------------------- linking


@transaction.atomic
def link(config: Oidc, claims: Mapping[str, Any], user: User, *, by: Actor) -> Identity:
    """Join an identity, shown just now, to the account that is signed in. One that has an account
    of its own which was never used for anything leaves it; else staff have to join the two."""
    row = User.objects.select_for_update().get(pk=user.pk)
    if not row.is_active or row.is_service or by.user is None or by.user.pk != row.pk:
        raise Refused("An identity is linked by the person alone.", kind="permission")
    known = _known(config, claims)
    if known is not None and known.user_id == row.pk:
        raise Refused("This identity is linked with your account already.", kind="state")
    facts: dict[str, Any] = {"issuer": config.issuer, "identity": _name(claims)}
    if known is not None:
        shell = User.objects.select_for_update().get(pk=known.user_id)
        if not _unused(shell):
            raise Refused(
                "This identity belongs to another account, which has been used. Staff can join the "
                "two.",
                kind="state",
                who="user office",
            )
        known.user, known.linked_at = row, clock.now()
        known.save(update_fields=["user", "linked_at"])
        User.objects.filter(pk=shell.pk).update(email="")  # it may be taken over here now
        accounts.close(shell, by=by, reason=f"Its identity was linked with {row.label}.")
        facts["instead of"] = shell.username
    else:
        known = Identity.objects.create(
            user=row, issuer=config.issuer, subject=str(claims["sub"]), name=_name(claims)
        )
    journal.write(row, "link identity", by=by, facts=facts)
    _take_over(config, row, claims)
    return known


def _unused(shell: User) -> bool:
    """Whether an account was opened by an identity and nothing refers to it but what came with it:
    then nobody loses anything when the identity leaves it."""
    if shell.provider != OIDC or shell.is_staff or shell.is_superuser:
        return False
    if shell.identities.count() != 1:
        return False
    for relation in User._meta.get_fields(include_hidden=True):
        if not (relation.one_to_many or relation.one_to_one) or relation.concrete:
            continue
        table: Any = relation.related_model
        if table is Identity:
            continue
        name = cast(ForeignObjectRel, relation).field.name
        rows = table._base_manager.filter(**{name: shell})
        if table is Appointment:
            rows = rows.filter(given_by="")
        if rows.exists():
            return False
    return True


@transaction.atomic
def detach(user: User, pk: int, *, by: Actor) -> Identity:
    """Take an identity from one's account; what it gave goes, and whoever is signed in by it is
    signed out. Raises `Identity.DoesNotExist`, and `Refused` where no way in would be left."""
    row = User.objects.select_for_update().get(pk=user.pk)
    gone = of(row).exclude(issuer=LDAP).get(pk=pk)
    if row.provider == OIDC and not of(row).exclude(pk=pk).exists():
        raise Refused("It is the only way in which you can sign in.", kind="state")
    told = str(gone)
    gone.delete()
    roles.mirror(row, OIDC, [], by=by)
    accounts.end_sessions(row, by=by, reason=f"{told} was unlinked.")
    journal.write(
        row, "unlink identity", by=by, facts={"issuer": gone.issuer, "identity": gone.name}
    )
    return gone
