"""Tokens: `Authorization: Bearer …`, of a person (`lk-…`) or of a program (from `oauth/token`)."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from catalogue.ground import clock, programs, tokens
from catalogue.ground.actor import Actor
from catalogue.ground.models import Token, User

CHALLENGE = 'Bearer realm="Lightkeeper"'
LONGEST = 200
PERSONAL = "lk-"

# One answer for all: it does not tell a wrong token from an expired one or a closed account.
REFUSED = "The token is unknown, has expired, or belongs to an account that is closed."


class TokenAuthentication(BaseAuthentication):
    """Our tokens. (Knox's own class writes also when it refuses.)"""

    def authenticate(self, request: Request) -> tuple[User, Token | Actor] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2 or len(parts[1]) > LONGEST or not parts[1].isascii():
            raise AuthenticationFailed(REFUSED)
        text = parts[1].decode("ascii")
        if text.startswith(PERSONAL):
            return _of_person(text)
        return _of_program(text, request.headers.get("X-User-Email"))

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def _of_person(text: str) -> tuple[User, Token]:
    now = clock.now()
    token = tokens.recognise(text, now)
    if token is None:
        raise AuthenticationFailed(REFUSED)
    tokens.note_use(token, now)
    return token.user, token


def _of_program(text: str, email: str | None) -> tuple[User, Actor]:
    """The person whom the program names in X-User-Email, else its own account. Who it is that acts
    is the token here: an actor that names both."""
    named = email.strip() if email is not None else None
    actor = programs.recognise(text, named, clock.now(), own=True)
    if actor is programs.Unrecognised.BEARER:
        raise AuthenticationFailed(REFUSED)
    if not isinstance(actor, Actor):
        raise AuthenticationFailed(actor.value)
    assert actor.user is not None
    return actor.user, actor
