"""Calls that are answered once: the same call sent again gets the first answer again.

The key's row, the effect and the answer are one transaction: a call that failed left no key and may
be sent again. Two at the same time: on PostgreSQL the second is told to come back (409), on SQLite,
where writers queue, it waits and gets the answer of the first.

An answer is given again only to somebody who may still do all that they might when they got it: a
key outlives neither an office, nor a place in a team, nor the scopes of the token it came with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from django.db import connection, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground import clock
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import IdempotencyKey
from catalogue.ground.refusal import Refused

HEADER = "Idempotency-Key"
REMEMBERED = timedelta(days=7)
LONGEST_KEY = 200

Handler = TypeVar("Handler", bound=Callable[..., Response])


class KeyReused(Exception):
    """The key was used for another call."""


class KeyInUse(Exception):
    """The same call is being answered at this moment."""


def once(handler: Handler) -> Handler:
    """Mark a handler of an endpoint as one that honours the header Idempotency-Key."""

    @wraps(handler)
    def answered(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(self, request, *args, **kwargs)
        digest = _digest(self, request)
        with transaction.atomic():
            row = _claim(self.actor, _key(key), request, digest)
            standing = self.standing(**kwargs)
            if row.status is not None:
                _refuse_who_may_less(row, standing)
                return _again(row)
            answer = handler(self, request, *args, **kwargs)
            row.status = answer.status_code
            row.answer = {
                "data": answer.data,
                "location": answer.get("Location", ""),
                "standing": sorted(standing),
            }
            row.save()
            return answer

    answered.honours_key = True  # type: ignore[attr-defined]
    return cast(Handler, answered)


def is_once(handler: object) -> bool:
    """Whether a handler honours the header."""
    return bool(getattr(handler, "honours_key", False))


def _key(value: str) -> str:
    if not value or len(value) > LONGEST_KEY or not (value.isascii() and value.isprintable()):
        rule = f"must be 1 to {LONGEST_KEY} printable ASCII characters"
        raise Invalid(HEADER, rule, value)
    return value


def _digest(endpoint: Any, request: Request) -> str:
    """Of what was asked: the path with its query, and the body as it came."""
    _ = request.data  # read, so that the parser has told the body's checksum
    asked = f"{request.method} {request.get_full_path()}\n{endpoint.body_sha256}"
    return hashlib.sha256(asked.encode()).hexdigest()


def _claim(by: Actor, key: str, request: Request, digest: str) -> IdempotencyKey:
    """The key's row: the one of the first call, or a new one that is saved with the answer. Keys
    are those of one caller: a person, or a program acting for them."""
    assert by.user is not None
    program = by.through.pk if by.through is not None else None
    if not _alone(_name(by.user.pk, program, key)):
        raise KeyInUse
    known = IdempotencyKey.objects.filter(user=by.user, program=program, key=key).first()
    if known is None:
        return IdempotencyKey(
            user=by.user,
            program=by.through,
            key=key,
            method_and_path=f"{request.method} {request.path}"[:512],
            body_sha256=digest,
            created_at=clock.now(),
        )
    if known.body_sha256 != digest:
        raise KeyReused
    return known


def _name(user: int, program: int | None, key: str) -> str:
    """What one caller's key is called among the locks."""
    return f"{user} {program or ''} {key}"


def _alone(name: str) -> bool:
    """Whether no other transaction holds `name`. SQLite: the transaction is alone by itself."""
    if connection.vendor != "postgresql":
        return True
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


def _refuse_who_may_less(row: IdempotencyKey, standing: frozenset[str]) -> None:
    """Raise `Refused` where the caller has lost anything of what they might do at the first call.
    Which of it the call needed is the verb's knowledge; to ask it again would be to do it again."""
    if not standing.issuperset((row.answer or {}).get("standing", ())):
        raise Refused(
            "This call was answered when you might do more here than you may now.",
            kind="permission",
        )


def _again(row: IdempotencyKey) -> Response:
    kept = row.answer or {}
    headers = {"Idempotent-Replayed": "true"}
    if kept.get("location"):
        headers["Location"] = kept["location"]
    return Response(kept.get("data"), status=row.status, headers=headers)


def forget(now: datetime) -> int:
    """Drop keys after a week; part of the schedule."""
    found = IdempotencyKey.objects.filter(created_at__lt=now - REMEMBERED)
    return found.delete()[0]
