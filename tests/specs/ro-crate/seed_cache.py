"""Give rocrate-validator the RO-Crate 1.2 context without a network: python seed_cache.py CACHE

Afterwards: rocrate-validator -y validate --offline --cache-path CACHE …
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests_cache import CachedSession
from urllib3.response import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.2/context"
FILE = Path(__file__).with_name("context-1.2.jsonld")
ACCEPT = "application/ld+json, application/json"  # part of the cache's key


class FromFile(BaseAdapter):
    """Answers every request with the context beside this script."""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        raw = HTTPResponse(
            body=io.BytesIO(FILE.read_bytes()),
            headers={"Content-Type": "application/ld+json"},
            status=200,
            preload_content=False,
            request_url=request.url,
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


def seed(cache: Path) -> None:
    """Put the context into the cache (`CACHE.sqlite`)."""
    with CachedSession(str(cache), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", FromFile())
        session.get(CONTEXT, headers={"Accept": ACCEPT}).raise_for_status()


if __name__ == "__main__":
    seed(Path(sys.argv[1]))
