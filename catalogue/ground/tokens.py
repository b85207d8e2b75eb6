"""Tokens of programs and people: issuing, recognising, noting their use."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hmac import compare_digest

from django.db import transaction
from django.db.models import Q, QuerySet
from knox.crypto import hash_token
from knox.settings import CONSTANTS

from catalogue.ground import journal
from catalogue.ground.access import SCOPES
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Token, User

USE_NOTED_EVERY = timedelta(minutes=1)


def issue(
    user: User, *, name: str, scopes: Iterable[str], lifetime: timedelta | None = None
) -> tuple[Token, str]:
    """A new token and its text, which is known only now. Raises `Invalid` for unknown scopes."""
    wanted = sorted(set(scopes))
    for scope in wanted:
        if scope not in SCOPES:
            raise Invalid("scopes", f"each must be one of {', '.join(SCOPES)}", scope)
    made: tuple[Token, str] = Token.objects.create(
        user=user, name=name, scopes=wanted, expiry=lifetime
    )
    return made


def recognise(given: str, now: datetime) -> Token | None:
    """The valid token with this text, of an account that is open; None for any other. Writes
    nothing."""
    digest = hash_token(given)
    key = given[: CONSTANTS.TOKEN_KEY_LENGTH]
    for token in Token.objects.filter(token_key=key).select_related("user"):
        if compare_digest(digest, token.digest):
            valid = token.expiry is None or token.expiry > now
            return token if valid and token.user.is_active else None
    return None


def note_use(token: Token, now: datetime) -> None:
    """Write down when a token was last used, at most once a minute; of several requests at the
    same time one writes."""
    if token.last_used_at is not None and now - token.last_used_at < USE_NOTED_EVERY:
        return
    earlier = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
    Token.objects.filter(earlier, pk=token.pk).update(last_used_at=now)
    token.last_used_at = now


def of(user: User) -> QuerySet[Token]:
    """The tokens of somebody, newest first; expired ones too, until they are revoked."""
    rows: QuerySet[Token] = Token.objects.filter(user=user).order_by("-created", "pk")
    return rows


@transaction.atomic
def make(
    user: User, *, name: str, scopes: Iterable[str], lifetime: timedelta | None, by: Actor
) -> tuple[Token, str]:
    """The same as `issue`, told in the journal: whatever comes by it is done in the person's
    name."""
    token, text = issue(user, name=name, scopes=scopes, lifetime=lifetime)
    facts = {"token": token.name, "scopes": token.scopes, "until": token.expiry}
    journal.write(user, "make token", by=by, facts=facts)
    return token, text


@transaction.atomic
def revoke(user: User, digest: str, *, by: Actor) -> Token:
    """End a token of somebody's own, at once. Raises `Token.DoesNotExist`."""
    token: Token = of(user).select_for_update().get(digest=digest)
    token.delete()
    journal.write(user, "revoke token", by=by, facts={"token": token.name, "scopes": token.scopes})
    return token
