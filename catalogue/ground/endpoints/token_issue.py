"""`oauth/token`: a program shows its secret and gets a token."""

from __future__ import annotations

import base64
import binascii
import json
import time
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from oauth2_provider.oauth2_backends import OAuthLibCore

from catalogue.ground.identity import throttle

JSON = "application/json; charset=utf-8"
LONGEST_BODY = 16 * 1024
LONGEST_TEXT = 1000
ASKED = ("grant_type", "scope", "client_id", "client_secret")


class Malformed(Exception):
    """The request for a token cannot be read."""


class _Requests(OAuthLibCore):  # type: ignore[misc]
    """Hands oauthlib what was asked, however it came: as a form or as JSON, with the client in the
    body or in `Authorization`."""

    def extract_headers(self, request: HttpRequest) -> dict[str, Any]:
        return {"Content-Type": "application/x-www-form-urlencoded"}

    def extract_body(self, request: HttpRequest) -> list[tuple[str, str]]:
        return list(_asked(request).items())

    def _get_extra_credentials(self, request: HttpRequest) -> dict[str, int]:
        return {"created_at": int(time.time())}


@cache
def _requests() -> _Requests:
    return _Requests()


@csrf_exempt
@sensitive_post_parameters("client_secret")
@sensitive_variables("answer", "told")
def token(request: HttpRequest) -> HttpResponse:
    """A token for a program that shows its secret (client credentials, RFC 6749 section 4.4)."""
    if request.method != "POST":
        refused = _answer(405, {"error": "invalid_request"})
        refused["Allow"] = "POST"
        return refused
    try:
        asked = _asked(request)
        _, headers, answer, status = _requests().create_token_response(request)
    except Malformed as problem:
        return _answer(400, {"error": "invalid_request", "error_description": str(problem)})
    told = json.loads(answer)
    if status == 200 and not asked.get("scope"):
        # The clients take a scope they have not asked for as an error.
        told.pop("scope", None)
    response = _answer(status, told)
    if status == 401 and throttle.program_failed(request, asked.get("client_id", "")):
        told = {"error": "slow_down", "error_description": "Too many wrong secrets from there."}
        response = _answer(429, told)
        response["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
        return response
    if status == 401:
        response["WWW-Authenticate"] = headers.get("WWW-Authenticate", 'Basic realm="oauth"')
    return response


def _answer(status: int, told: dict[str, Any]) -> HttpResponse:
    response = JsonResponse(told, status=status, content_type=JSON)
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    return response


def _asked(request: HttpRequest) -> dict[str, str]:
    """The parameters of the request that count. Raises `Malformed`."""
    known: dict[str, str] | None = getattr(request, "oauth_asked", None)
    if known is None:
        known = _read(request)
        known.update(_of_header(request))
        # Nothing that no program of ours has reaches the database.
        for name in ("client_id", "client_secret"):
            value = known.get(name, "")
            if len(value) > LONGEST_TEXT or not (value.isascii() and value.isprintable()):
                known[name] = ""
        request.oauth_asked = known  # type: ignore[attr-defined]
    return known


def _read(request: HttpRequest) -> dict[str, str]:
    length = request.headers.get("content-length") or "0"
    if not (length.isascii() and length.isdigit()):
        raise Malformed("The header Content-Length is not a number.")
    if len(length) > len(str(LONGEST_BODY)) or int(length) > LONGEST_BODY:
        raise Malformed(f"The body has more than {LONGEST_BODY} bytes.")
    try:
        if request.content_type == "application/json":
            given = json.loads(request.body or b"{}")
        else:
            given = request.POST.dict()
    except (ValueError, RecursionError, RequestDataTooBig, MultiPartParserError) as problem:
        raise Malformed("The body cannot be read.") from problem
    except (BadRequest, SuspiciousOperation) as problem:
        raise Malformed("The body cannot be read.") from problem
    if not isinstance(given, dict):
        raise Malformed("The body is not an object.")
    told = {name: given[name] for name in ASKED if given.get(name) is not None}
    for name, value in told.items():
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            raise Malformed(f"{name} is not a text of at most {LONGEST_TEXT} characters.")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise Malformed(f"{name} has half a character.")  # which nobody could write down
    return told


def _of_header(request: HttpRequest) -> dict[str, str]:
    """The client of `Authorization: Basic`, as it stands there: the clients do not percent-encode
    it. (Ours have no character that encoding would change.)"""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return {}
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        decoded = ""
    client_id, _, secret = decoded.partition(":")
    return {"client_id": client_id, "client_secret": secret}
