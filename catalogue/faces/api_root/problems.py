"""Problem documents (RFC 9457): how every error of the API is told.

`type` is the path of a page below /api/v1/problems/ that explains the kind of problem.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    TooManyFieldsSent,
)
from django.core.signals import got_request_exception
from django.db import IntegrityError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions

from catalogue.faces.api_root.authentication import CHALLENGE
from catalogue.ground.endpoints import Faults, KeyInUse, KeyReused, Stale
from catalogue.ground.endpoints.ranges import NoSuchRange
from catalogue.ground.inputs import Invalid
from catalogue.ground.journal import plain
from catalogue.ground.outcome import PortError
from catalogue.ground.refusal import Refused
from runs.reading import Unreadable
from runs.registration import InvalidRows

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
WHERE = "/api/v1/problems/"

# slug: (status, title, what it means and what to do)
KINDS: dict[str, tuple[int, str, str]] = {
    "not-json": (400, "Not JSON", "The body could not be read as what its content type says."),
    "unauthenticated": (
        401, "Not signed in",
        "Send a valid token: `Authorization: Bearer lk-…`.",
    ),
    "not-allowed": (
        403, "Not yours to do",
        "You may know of it, but not do this. `who` says who may.",
    ),
    "not-found": (404, "Not found", "There is none, or none that you may know of."),
    "wrong-method": (405, "Wrong method", "The address does not take this method; see Allow."),
    "not-acceptable": (406, "Not acceptable", "No answer of that content type; see Accept."),
    "refused": (
        409, "Refused",
        "A rule or the state of things speaks against it. `detail` says which, `who` who can help.",
    ),
    "conflict": (
        409, "In conflict with what is registered",
        "What you sent contradicts what is known. Nothing was changed.",
    ),
    "key-in-use": (
        409, "The same call is being answered",
        "Another call with this Idempotency-Key is under way; send it again a little later.",
    ),
    "changed-meanwhile": (
        412, "Changed since you read it",
        "Read it again, and change it with the ETag of what you then see. Nothing was changed.",
    ),
    "too-large": (413, "Too large", "Send it in pieces, or as a stream where that is offered."),
    "wrong-content-type": (415, "Wrong content type", "The address wants another content type."),
    "no-such-range": (416, "No such range", "The file ends before the bytes that you asked for."),
    "invalid": (
        422, "Values that break a rule",
        "`errors` names each field and its rule. Nothing was changed.",
    ),
    "reason-missing": (422, "A reason is needed", "Say why, in `reason`. Nothing was changed."),
    "key-reused": (
        422, "The Idempotency-Key belongs to another call",
        "Each call needs a key of its own.",
    ),
    "unexpected": (
        500, "Unexpected error",
        "A fault of the site. Its log knows more under the reference in `detail`.",
    ),
    "busy": (503, "Busy", "Send it again a little later."),
    "out-of-reach": (503, "Out of reach", "A store or a service beyond the site did not answer."),
}  # fmt: skip


@dataclass(slots=True)
class Problem:
    """A problem about to be told: `more` are members beside the standard ones."""

    slug: str
    detail: str
    more: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def handler(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Django REST framework's EXCEPTION_HANDLER: every exception as a problem document."""
    request = context["request"]
    problem = _problem(error, visitor=request is not None and _is_visitor(request))
    if problem is None:
        problem = _unexpected(error, request)
    return answer(problem, request.path if request is not None else "")


def _is_visitor(request: Any) -> bool:
    # The attribute is missing while authentication itself fails.
    return getattr(request, "_user", None) is None


def answer(problem: Problem, instance: str) -> HttpResponse:
    """The document as an answer."""
    status, title, _ = KINDS[problem.slug]
    document = {
        "type": WHERE + problem.slug,
        "title": title,
        "status": status,
        "detail": problem.detail,
        "instance": instance,
        **problem.more,
    }
    return HttpResponse(
        json.dumps(document, ensure_ascii=True, allow_nan=False),
        status=status,
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )


def _problem(error: Exception, *, visitor: bool) -> Problem | None:
    for kind, tell in _TELL:
        if isinstance(error, kind):
            told: Problem | None = tell(error)
            return told
    if isinstance(error, Refused):
        return _refused(error, visitor)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    return None


def _refused(refusal: Refused, visitor: bool) -> Problem:
    if refusal.kind == "permission" and visitor:
        return _unauthenticated("This needs an account.")
    slug = {"permission": "not-allowed", "reason": "reason-missing"}.get(refusal.kind, "refused")
    more: dict[str, Any] = {"refusal": refusal.kind}
    if refusal.who:
        more["who"] = refusal.who
    if refusal.details:
        more["details"] = plain(refusal.details)
    return Problem(slug, refusal.why, more)


def _unauthenticated(detail: str) -> Problem:
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": CHALLENGE})


def _faults(faults: Iterable[Invalid]) -> Problem:
    told = [told_fault(f) for f in faults]
    detail = "; ".join(f"{fault['field']}: {fault['rule']}" for fault in told)
    return Problem("invalid", detail, {"errors": told})


def _rows(error: InvalidRows) -> Problem:
    told = [{**told_fault(fault), "row": row} for row, fault in error.faults]
    slug = "conflict" if error.conflict else "invalid"
    return Problem(slug, str(error), {"errors": told})


def told_fault(fault: Invalid) -> dict[str, Any]:
    """One fault as a member of `errors`; the value only where it is short."""
    told: dict[str, Any] = {"field": fault.field, "rule": fault.rule}
    value = fault.value
    if isinstance(value, bool) or (isinstance(value, int) and value.bit_length() <= 64):
        told["value"] = value
    elif isinstance(value, str | float) and len(str(value)) <= 200:
        told["value"] = str(value) if isinstance(value, float) else value
    return told


def _of_framework(error: exceptions.APIException) -> Problem:
    slug = _SLUGS.get(error.status_code, "not-json")
    detail = error.detail if isinstance(error.detail, str) else str(error.detail)
    problem = Problem(slug, str(detail))
    if slug == "unauthenticated":
        problem.headers["WWW-Authenticate"] = CHALLENGE
    return problem


_SLUGS = {
    400: "not-json",
    401: "unauthenticated",
    403: "not-allowed",
    404: "not-found",
    405: "wrong-method",
    406: "not-acceptable",
    413: "too-large",
    415: "wrong-content-type",
}


def _out_of_reach(error: PortError) -> Problem:
    """What a port says is for its job's page: it may name folders and addresses of the facility."""
    reference = uuid.uuid4().hex[:8]
    log.error("reference %s", reference, exc_info=error)
    return Problem("out-of-reach", f"A store or a service did not answer, reference {reference}.")


def _busy(error: Exception) -> Problem | None:
    """A database that is locked by others for longer than we wait is no fault of the call."""
    if "locked" not in str(error) and "lock timeout" not in str(error):
        return None
    return Problem("busy", "The database is busy.", headers={"Retry-After": "1"})


def _twice(error: Exception) -> Problem | None:
    """Two calls at the same time wanted what only one can have."""
    if "unique" not in str(error).lower():
        return None
    return Problem("conflict", "Somebody else was faster: this exists already.")


_TELL: list[tuple[type[Exception], Any]] = [
    (Invalid, lambda e: _faults([e])),
    (Faults, lambda e: _faults(e.faults)),
    (InvalidRows, _rows),
    (KeyReused, lambda e: Problem("key-reused", "This key was used for another call.")),
    (
        KeyInUse,
        lambda e: Problem(
            "key-in-use", "The same call is being answered now.", headers={"Retry-After": "1"}
        ),
    ),
    (
        Stale,
        lambda e: Problem(
            "changed-meanwhile", str(e), {"etag": e.current}, headers={"ETag": e.current}
        ),
    ),
    (
        NoSuchRange,
        lambda e: Problem("no-such-range", str(e), headers={"Content-Range": f"bytes */{e.size}"}),
    ),
    (Unreadable, lambda e: Problem("out-of-reach", str(e))),
    (PortError, _out_of_reach),
    (RequestDataTooBig, lambda e: Problem("too-large", "The body is too large.")),
    (TooManyFieldsSent, lambda e: Problem("too-large", "There are too many parameters.")),
    (Http404, lambda e: Problem("not-found", "There is nothing at this address.")),
    (PermissionDenied, lambda e: Problem("not-allowed", str(e) or "Not allowed.")),
    (IntegrityError, _twice),
    (OperationalError, _busy),
]


def _unexpected(error: Exception, request: Any) -> Problem:
    """A bug: told to the log with a reference, and to the test client as the exception it is."""
    reference = uuid.uuid4().hex[:8]
    log.error("reference %s", reference, exc_info=error)
    got_request_exception.send(sender=None, request=request)
    return Problem("unexpected", f"Unexpected error, reference {reference}.")
