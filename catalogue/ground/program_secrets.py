"""Secrets of programs: 256 random bits that the site makes, and the hash that is kept of them."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher
from django.utils.crypto import constant_time_compare

ALGORITHM = "program_sha256"


def new() -> str:
    """A secret nobody can guess, of letters, digits, "-" and "_": the same in a URL, in a form and
    in a header, whether or not a client encodes it."""
    return secrets.token_urlsafe(32)


class ProgramSecretHasher(BasePasswordHasher):
    """One salted SHA-256. Slow hashing protects what people choose; nobody guesses 256 random bits,
    and a DAQ that restarts asks for hundreds of tokens at once. Never for passwords: settings name
    it last, so that nothing but `CLIENT_SECRET_HASHER` picks it."""

    algorithm = ALGORITHM

    def encode(self, password: str, salt: str) -> str:
        digest = hashlib.sha256(f"{salt}${password}".encode()).hexdigest()
        return f"{self.algorithm}${salt}${digest}"

    def decode(self, encoded: str) -> dict[str, Any]:
        algorithm, salt, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        again = self.encode(password, self.decode(encoded)["salt"])
        return constant_time_compare(encoded, again)

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        return {"algorithm": self.algorithm, "salt": "…", "hash": "…"}

    def harden_runtime(self, password: str, encoded: str) -> None:
        """One round is all there ever is."""
