"""One call of the legacy API: who calls with what, and the answer in the shape the clients read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, RestrictedError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from catalogue.faces.mymdc.errors import NOT_FOUND, Wrong
from catalogue.ground import clock, programs
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.refusal import Refused

FACE: Final = "mymdc"
BAD_EMAIL: Final = "Incorrect request header: 'X-User-Email'!"
BAD_TOKEN: Final = "The access token is missing, unknown, expired or revoked"  # noqa: S105
_READING: Final = ("GET", "HEAD")


@dataclass(frozen=True)
class Call:
    """Who calls, and what came with it: the query, and the body where there is one."""

    actor: Actor
    query: Mapping[str, str]
    body: Any = None
    method: str = "GET"

    def attributes(self, wrapper: str) -> dict[str, Any]:
        """The attributes in the body: those below `wrapper` if they are wrapped, else all of it.
        Raises `Wrong`."""
        if not isinstance(self.body, dict):
            raise Wrong(f"The body must be a JSON object with the attributes of the {wrapper}")
        inner = self.body.get(wrapper)
        return inner if isinstance(inner, dict) else self.body


@dataclass(frozen=True)
class Answer:
    """What is answered: a value for the body (None: none) and its status."""

    data: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[..., Answer]


def serves(**handlers: Handler) -> Callable[..., HttpResponse]:
    """A view that gives each method (`get=…, post=…`) to its handler, as `handler(call, **ids)`.

    A handler that changes something does so in one transaction: all of it, or nothing.
    """

    @csrf_exempt  # programs come with a bearer token, never with a cookie
    def view(request: HttpRequest, **ids: str) -> HttpResponse:
        method = str(request.method)
        handler = handlers.get({"HEAD": "get", "PATCH": "put"}.get(method, method.lower()))
        if handler is None:
            return _allowed(handlers)
        try:
            call = _call(request)
            if method in _READING:
                answer = handler(call, **ids)
            else:
                with transaction.atomic():
                    answer = handler(call, **ids)
        except Wrong as wrong:
            return _error(wrong.info, wrong.status)
        except ObjectDoesNotExist:
            return _error(NOT_FOUND, 404)
        except Invalid as invalid:
            return _error({invalid.field: [invalid.rule]}, 422)
        except Refused as refused:
            return _error(refused.why, 403 if refused.kind == "permission" else 422)
        except (ProtectedError, RestrictedError):
            return _error("Other rows refer to this one; it cannot be deleted", 422)
        except IntegrityError:  # of a reference, which PostgreSQL looks at when all is done
            return _error("Somebody else removed meanwhile what this refers to", 422)
        return _answered(answer)

    return view


def not_found(request: HttpRequest, **_: str) -> HttpResponse:
    """For an address that is none."""
    return _error(NOT_FOUND, 404)


def _call(request: HttpRequest) -> Call:
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not bearer.strip() or not bearer.isascii():
        raise Wrong(BAD_TOKEN, 401)
    email = request.headers.get("X-User-Email", "")
    actor = programs.recognise(bearer.strip(), email, clock.now(), face=FACE)
    if actor is programs.Unrecognised.BEARER:
        raise Wrong(BAD_TOKEN, 401)
    if not isinstance(actor, Actor):
        raise Wrong(BAD_EMAIL, 401)
    return Call(actor, _query(request), _body(request), str(request.method))


def _query(request: HttpRequest) -> dict[str, str]:
    query = {name: values[-1] for name, values in request.GET.lists() if values}
    if any("\x00" in part for pair in query.items() for part in pair):
        raise Wrong("The query must not contain the character U+0000", 400)
    return query


def _body(request: HttpRequest) -> Any:
    """The JSON of the body, also of a GET; an empty one is none."""
    length = request.headers.get("content-length") or "0"
    if not (length.isascii() and length.isdigit()):
        raise Wrong("The header Content-Length must be a number", 400)
    try:
        raw = request.body
    except RequestDataTooBig:
        longest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raise Wrong(
            f"The body must be at most {longest} bytes long; send it in parts", 413
        ) from None
    if not raw.strip():
        return None
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Wrong("The body must be JSON", 400) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _answered(answer: Answer) -> HttpResponse:
    if answer.data is None and answer.status == 204:
        return HttpResponse(status=204, headers=dict(answer.headers))
    # The clients take exactly "[]" for an empty list, so nothing is put between the brackets.
    body = json.dumps(answer.data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return HttpResponse(
        body.encode("utf-8", "replace"),
        status=answer.status,
        content_type="application/json; charset=utf-8",
        headers=dict(answer.headers),
    )


def _error(info: object, status: int) -> HttpResponse:
    headers = {"WWW-Authenticate": 'Bearer realm="Lightkeeper"'} if status == 401 else {}
    return _answered(Answer({"info": info}, status, headers))


def _allowed(handlers: Mapping[str, Handler]) -> HttpResponse:
    response = _error("This address does not serve the method", 405)
    response["Allow"] = ", ".join(sorted(name.upper() for name in handlers))
    return response
