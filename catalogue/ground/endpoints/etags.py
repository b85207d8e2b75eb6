"""Entity tags (RFC 9110): readers that need not be told again, writers that must not overwrite what
they have not seen.

A tag is made of the answer's content, so it needs no column and changes with whatever the caller is
shown: who may read less has other tags.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import orjson
from django.db import transaction
from django.db.models import Model
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground.inputs import Invalid

Handler = TypeVar("Handler", bound=Callable[..., Response])

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"\s*{_TAG}(?:\s*,\s*{_TAG})*\s*")


class Stale(Exception):
    """The thing is no longer as the caller saw it; `current` is its tag now."""

    def __init__(self, current: str) -> None:
        super().__init__("It was changed since you read it.")
        self.current = current


def tag(shown: Any) -> str:
    """The strong tag of an answer's content."""
    written = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS, default=str)
    return f'"{hashlib.sha256(written).hexdigest()[:32]}"'


def tagged(handler: Handler) -> Handler:
    """Mark a GET handler of one thing: its answer has a tag, and If-None-Match is honoured."""

    @wraps(handler)
    def answered(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        answer = handler(self, request, *args, **kwargs)
        current = tag(answer.data)
        known = _tags(request.headers.get("If-None-Match", ""))
        # Weakly compared: whoever compresses an answer on the way marks its tag as weak.
        if known is not None and {"*", current} & {one.removeprefix("W/") for one in known}:
            answer = Response(status=304)
        answer["ETag"] = current
        return answer

    answered.is_tagged = True  # type: ignore[attr-defined]
    return cast(Handler, answered)


def unless_changed(handler: Handler) -> Handler:
    """Mark a handler that changes one thing as one that honours If-Match.

    The endpoint has `held(**kwargs)`, the row under whose lock the thing changes, and
    `now(**kwargs)`, the answer that tells how it is. Check and change are one transaction under
    that lock, so of two callers who saw the same thing one is refused.
    """

    @wraps(handler)
    def answered(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        wanted = request.headers.get("If-Match")
        with transaction.atomic():
            if wanted is not None:
                _lock(self.held(*args, **kwargs))
                _compare(wanted, tag(self.now(*args, **kwargs).data))
            answer = handler(self, request, *args, **kwargs)
        if answer.data is not None:
            answer["ETag"] = tag(answer.data)
        return answer

    answered.compares = True  # type: ignore[attr-defined]
    return cast(Handler, answered)


def is_tagged(handler: object) -> bool:
    """Whether a handler tells a tag and honours If-None-Match."""
    return bool(getattr(handler, "is_tagged", False))


def compares(handler: object) -> bool:
    """Whether a handler honours If-Match."""
    return bool(getattr(handler, "compares", False))


def _lock(row: Model) -> None:
    """Nobody else changes the row until the transaction ends. One that somebody has just taken out
    is found no more by whoever looks again."""
    list(type(row)._base_manager.select_for_update(of=("self",)).only("pk").filter(pk=row.pk))


def _compare(wanted: str, current: str) -> None:
    known = _tags(wanted)
    if known is None:
        raise Invalid("If-Match", 'must be an entity tag as GET gave it ("…"), or *', wanted)
    if "*" not in known and current not in known:
        raise Stale(current)


def _tags(header: str) -> list[str] | None:
    """The tags of a header, weak ones with their W/; None where it is not understood."""
    if header.strip() == "*":
        return ["*"]
    return re.findall(_TAG, header) if _TAGS.fullmatch(header) else None
