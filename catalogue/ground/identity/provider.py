"""The OpenID provider as it describes itself: its endpoints and its keys.

Both are asked for over TLS with a time limit, and believed only where they fit what is configured:
the description must name the very issuer, and every address in it must be as safe as the issuer's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import jwt
import requests

from catalogue.ground.identity.config import Oidc, safe
from catalogue.ground.refusal import Refused

KEPT_SECONDS = 3600.0
LARGEST_ANSWER = 1_000_000
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384")
"""Signatures by a key that only the provider has. Never `none`, never one made with our secret."""


class ProviderUnreachable(Refused):
    """The provider does not answer, or not as it should."""

    def __init__(self, config: Oidc, problem: object) -> None:
        self.problem = str(problem)
        super().__init__(
            f"{config.name} does not answer as it should, so nobody can sign in with it now. "
            "Try again in some minutes.",
            kind="state",
        )


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the provider is asked for what. `logout` is empty where it has no such place."""

    authorization: str
    token: str
    userinfo: str
    keys: str
    logout: str = ""
    names_itself: bool = False


_kept: dict[str, tuple[float, Endpoints]] = {}


def endpoints(config: Oidc) -> Endpoints:
    """As the provider's description says, which is kept for an hour. Raises
    `ProviderUnreachable`."""
    known = _kept.get(config.issuer)
    if known is not None and time.monotonic() - known[0] < KEPT_SECONDS:
        return known[1]
    told = _get(config, f"{config.issuer.rstrip('/')}/.well-known/openid-configuration")
    try:
        found = _read(config, told)
    except (KeyError, TypeError, ValueError) as problem:
        raise ProviderUnreachable(config, f"its description: {problem}") from problem
    _kept[config.issuer] = (time.monotonic(), found)
    return found


def forget() -> None:
    """Ask for descriptions anew."""
    _kept.clear()


def _read(config: Oidc, told: dict[str, Any]) -> Endpoints:
    if told["issuer"] != config.issuer:
        raise ValueError(f"it is of {told['issuer']!r}")
    found = Endpoints(
        authorization=str(told["authorization_endpoint"]),
        token=str(told["token_endpoint"]),
        userinfo=str(told["userinfo_endpoint"]),
        keys=str(told["jwks_uri"]),
        logout=str(told.get("end_session_endpoint") or ""),
        names_itself=told.get("authorization_response_iss_parameter_supported") is True,
    )
    for url in (found.authorization, found.token, found.userinfo, found.keys, found.logout):
        if url and not safe(url):
            raise ValueError(f"it names {url!r}, which is not https")
    return found


def key_for(config: Oidc, token: str) -> jwt.PyJWK:
    """The provider's key that `token` says it is signed with. Raises `jwt.PyJWTError` where it says
    an algorithm that is not for us, or a key that the provider does not have."""
    header = jwt.get_unverified_header(token)
    algorithm, name = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise jwt.InvalidAlgorithmError(f"signed by {algorithm!r}")
    told = _get(config, endpoints(config).keys).get("keys")
    fitting = [
        key
        for key in (told if isinstance(told, list) else [])
        if isinstance(key, dict)
        and key.get("kty") == ("EC" if algorithm.startswith("ES") else "RSA")
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (name is None or key.get("kid") == name)
    ]
    if len(fitting) != 1:  # without a name there must be no choice
        raise jwt.InvalidKeyError(f"{len(fitting)} keys fit")
    return jwt.PyJWK(fitting[0], algorithm)


def _get(config: Oidc, url: str) -> dict[str, Any]:
    try:
        answer = requests.get(url, timeout=config.seconds, allow_redirects=False)
        if answer.status_code != 200 or len(answer.content) > LARGEST_ANSWER:
            raise ProviderUnreachable(config, f"{url} answered {answer.status_code}")
        told = answer.json()
    except requests.RequestException as problem:  # also what is no JSON
        raise ProviderUnreachable(config, problem) from problem
    if not isinstance(told, dict):
        raise ProviderUnreachable(config, f"{url} answered no object")
    return told
