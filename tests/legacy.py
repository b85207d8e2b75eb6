"""Calling the legacy REST API as its published clients do: an OAuth2 token and an e-mail."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable
from typing import Any

from django.test import Client

from catalogue.ground import access, programs
from catalogue.ground.models import User
from tests.factories import Facility


class Legacy:
    """A program that acts for `user`, with these scopes; paths are below `/<tree>/api/`."""

    def __init__(
        self,
        facility: Facility,
        user: User | None = None,
        *,
        scopes: Iterable[str] = tuple(access.SCOPES),
        tree: str = "metadata",
    ) -> None:
        person = user or facility.staff.user
        assert person is not None
        made, secret = programs.create(
            name=f"program {secrets.token_hex(4)}",
            scopes=scopes,
            acts_for=[person],
            by=facility.staff,
        )
        self._signed_in(made.client_id, secret, person.email, tree)

    @classmethod
    def of(cls, client_id: str, secret: str, email: str, *, tree: str = "metadata") -> Legacy:
        """A program that is there already, with what it signs in with."""
        made = cls.__new__(cls)
        made._signed_in(client_id, secret, email, tree)
        return made

    def _signed_in(self, client_id: str, secret: str, email: str, tree: str) -> None:
        self._client = Client()
        self._root = f"/{tree}/api/"
        both = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        answer = self._client.post(
            f"/{tree}/oauth/token",
            data="grant_type=client_credentials",
            content_type="application/x-www-form-urlencoded",
            headers={"authorization": f"Basic {both}"},
        )
        self.headers = {
            "authorization": f"Bearer {answer.json()['access_token']}",
            "x-user-email": email,
            "accept": "application/json; version=1",
        }

    def get(self, path: str, body: Any = None) -> Any:
        return self.send("GET", path, body)

    def post(self, path: str, body: Any = None) -> Any:
        return self.send("POST", path, body)

    def put(self, path: str, body: Any = None) -> Any:
        return self.send("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self.send("DELETE", path)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """`body` as JSON; bytes as they are; None sends none."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        return self._client.generic(
            method,
            path if path.startswith("/") else self._root + path,
            data=data,
            content_type="application/json",
            headers=self.headers,
        )
