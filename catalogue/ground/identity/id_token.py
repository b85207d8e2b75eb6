"""Judging an ID token: whether the provider made it, for us, for this sign-in, and just now."""

from __future__ import annotations

import base64
import hashlib
from hmac import compare_digest
from typing import Any

import jwt

from catalogue.ground import clock
from catalogue.ground.identity import provider
from catalogue.ground.identity.config import MOST_SKEW, Oidc

OLDEST_SECONDS = 600.0
LONGEST_SUBJECT = 255


class Distrusted(Exception):
    """Why a token is not believed. For the log: who signs in learns that it was not, not why."""


def claims(config: Oidc, token: object, *, nonce: object) -> dict[str, Any]:
    """What a token says that can be believed. Raises `Distrusted`, or what the provider's keys
    raise where they cannot be had."""
    if not isinstance(token, str) or not token:
        raise Distrusted("there is no ID token")
    try:
        told: dict[str, Any] = jwt.decode(
            token,
            provider.key_for(config, token),
            algorithms=list(provider.ALGORITHMS),
            audience=config.client_id,
            issuer=config.issuer,
            leeway=_skew(config),
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.PyJWTError as problem:
        raise Distrusted(f"{type(problem).__name__}: {problem}") from problem
    _for_us(config, told)
    _for_this(told, nonce)
    _fresh(config, told)
    return told


def signed_in_since(config: Oidc, told: dict[str, Any], began: float) -> bool:
    """Whether the person showed the provider who they are after `began` (seconds since 1970), and
    did not merely have a session there."""
    at = told.get("auth_time")
    return isinstance(at, int | float) and not isinstance(at, bool) and at >= began - _skew(config)


def _skew(config: Oidc) -> float:
    return min(max(config.skew, 0.0), MOST_SKEW)


def _for_us(config: Oidc, told: dict[str, Any]) -> None:
    several = isinstance(told["aud"], list) and len(told["aud"]) > 1
    party = told.get("azp")
    if (several or party is not None) and party != config.client_id:
        raise Distrusted(f"it is for {party!r}")
    subject = told["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise Distrusted("its subject is none")
    if not (subject.isascii() and subject.isprintable()):
        raise Distrusted("its subject is none")


def _for_this(told: dict[str, Any], nonce: object) -> None:
    said = told.get("nonce")
    if not isinstance(nonce, str) or not nonce or not isinstance(said, str):
        raise Distrusted("there is no nonce")
    if not compare_digest(nonce.encode(), said.encode()):
        raise Distrusted("it has the nonce of another sign-in")


def _fresh(config: Oidc, told: dict[str, Any]) -> None:
    if clock.now().timestamp() - float(told["iat"]) > OLDEST_SECONDS + _skew(config):
        raise Distrusted("it is old")


def belongs(told: dict[str, Any], token: str, access_token: object) -> bool:
    """Whether the access token that came with an ID token is the one it was made with, where it
    says so."""
    said = told.get("at_hash")
    if said is None:
        return True
    bits = str(jwt.get_unverified_header(token)["alg"])[-3:]
    digest = hashlib.new(f"sha{bits}", str(access_token).encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    return isinstance(said, str) and compare_digest(half.encode(), said.encode())
