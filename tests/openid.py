"""An OpenID provider in this process, which can be told to lie in every way.

It speaks HTTP on 127.0.0.1: description, keys, token, userinfo. `visit` is what the person does in
the browser there: it takes the address that the site leads to, and gives the one that leads back.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from catalogue.ground.identity import provider as description

CLIENT, SECRET = "lightkeeper", "a-secret-of-tests"


@cache
def key(name: str = "one") -> rsa.RSAPrivateKey:
    """A key, made once in a run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """`person` is who signs in; `claims` and `header` change the ID token, `sign` makes it;
    `info` changes what is told of the person; `broken` are addresses that answer 500."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.person: dict[str, Any] = {"sub": "ada", "name": "Ada Lovelace"}
        self.claims: dict[str, Any] = {}
        self.info: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.broken: set[str] = set()
        self.described: dict[str, Any] = {}
        self.asked: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens = 0

    def settings(self, **more: Any) -> dict[str, Any]:
        return {
            "issuer": self.issuer, "name": "Test AAI", "client_id": CLIENT,
            "client_secret": SECRET, "scopes": "openid profile email", "seconds": 2.0,
            "skew": 60.0, "claims": {}, "roles": {}, "role_days": 30, "session_hours": 12.0,
            "opens_accounts": True, **more,
        }  # fmt: skip

    def visit(self, location: str) -> str:
        """The person signs in there: where the browser is led back to."""
        self.asked = {n: v[0] for n, v in parse_qs(urlsplit(location).query).items()}
        code = secrets.token_urlsafe(8)
        self.codes[code] = dict(self.asked)
        back = {"code": code, "state": self.asked["state"], "iss": self.issuer}
        return f"{urlsplit(self.asked['redirect_uri']).path}?{urlencode(back)}"

    def signed(self, told: dict[str, Any], *, algorithm: str = "RS256", by: Any = None) -> str:
        return jwt.encode(told, by or key(), algorithm=algorithm, headers={"kid": "one"})

    # ------------------------------------------------------------ what it answers

    def answer(self, path: str, fields: dict[str, str], bearer: str) -> tuple[int, Any]:
        if path in self.broken:
            return 500, {}
        if path == "/.well-known/openid-configuration":
            return 200, self._description()
        if path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key().public_key()))
            return 200, {"keys": [public | {"kid": "one", "use": "sig", "alg": "RS256"}]}
        if path == "/token":
            return self._token(fields)
        if path == "/userinfo":
            known = bearer == "Bearer access"
            return (200, {**self.person, **self.info}) if known else (401, {})
        return 404, {}

    def _description(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/logout",
            "authorization_response_iss_parameter_supported": True,
            **self.described,
        }

    def _token(self, fields: dict[str, str]) -> tuple[int, Any]:
        asked = self.codes.pop(fields.get("code", ""), None)
        digest = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        right = asked is not None and (
            fields["client_secret"], fields["redirect_uri"], challenge, "S256",
        ) == (
            SECRET, asked["redirect_uri"], asked["code_challenge"],
            asked["code_challenge_method"],
        )  # fmt: skip
        if not right:
            return 400, {"error": "invalid_grant"}
        assert asked is not None
        self.tokens += 1
        now = int(time.time())
        told = {
            "iss": self.issuer, "aud": CLIENT, "sub": self.person["sub"], "iat": now,
            "exp": now + 300, "nonce": asked["nonce"], "auth_time": now, **self.claims,
        }  # fmt: skip
        told = {name: value for name, value in told.items() if value is not None}
        return 200, {
            "access_token": "access", "token_type": "Bearer", "id_token": self.sign(told),
        }  # fmt: skip


@pytest.fixture
def openid(settings: Any) -> Iterator[Provider]:
    """A provider that runs, and a site that is configured for it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({n: v[0] for n, v in parse_qs(body).items()})

        def _answer(self, fields: dict[str, str]) -> None:
            bearer = self.headers.get("Authorization", "")
            status, told = made.answer(urlsplit(self.path).path, fields, bearer)
            body = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.OIDC = made.settings()
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        "catalogue.ground.identity.openid_backend.OpenIDBackend",
    ]
    description.forget()
    yield made
    description.forget()
    server.shutdown()
    thread.join()
    server.server_close()
