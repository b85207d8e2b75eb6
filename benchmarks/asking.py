"""Asking the site from inside this process, as a program of the facility asks it: through the WSGI
application with all its middleware, with an OAuth2 token that the site gave out. What is timed is
everything between the server's hands: routing, authentication, permission, queries, the body.
"""

from __future__ import annotations

import base64
import io
import json
import os
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Environment = dict[str, Any]


def set_up(url: str) -> None:
    """Read the settings, for a site that answers here, with the database of this address."""
    os.environ.update(DATABASE_URL=url, BROKER_URL="memory://localhost//", LOG_LEVEL="WARNING")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "catalogue.settings")
    import django  # why: reads the settings

    django.setup()


def use(url: str) -> None:
    """Go on with another database of the same server."""
    from django.db import connection  # why: after setup

    connection.close()
    connection.settings_dict["NAME"] = urlsplit(url).path.removeprefix("/")


@dataclass(frozen=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Site:
    """The application that a server would run."""

    def __init__(self) -> None:
        from django.core.wsgi import get_wsgi_application  # why: after setup

        self._application = get_wsgi_application()

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answered:
        """One request, as a server hands it over; read to its end."""
        seen: list[Any] = []

        def begin(status: str, named: list[tuple[str, str]], problem: object = None) -> None:
            seen[:] = [int(status.split(maxsplit=1)[0]), dict(named)]

        answer = self._application(_environment(method, path, headers, body), begin)
        try:
            content = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        return Answered(seen[0], seen[1], content)


def _environment(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Environment:
    parts = urlsplit(path)
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": named.pop("HTTP_CONTENT_TYPE", "application/json"),
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **named,
    }


class Caller:
    """A program with these scopes, that acts for the person with this address."""

    def __init__(self, site: Site, email: str, scopes: Sequence[str]) -> None:
        from catalogue.ground import programs  # why: after setup
        from catalogue.ground.actor import COMMAND  # why: after setup

        made, secret = programs.create(
            name=f"bench {secrets.token_hex(8)}",
            scopes=scopes,
            acts_for=programs.people_with([email]),
            by=COMMAND,
        )
        both = base64.b64encode(f"{made.client_id}:{secret}".encode()).decode()
        form = {
            "Authorization": f"Basic {both}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._site = site
        given = site.ask("POST", "/metadata/oauth/token", form, b"grant_type=client_credentials")
        self._headers = {
            "Authorization": f"Bearer {_json(given)['access_token']}",
            "X-User-Email": email,
            "Accept": "application/json; version=1",
        }

    def get(self, path: str) -> Answered:
        """Read; a status other than 200 is the end of the measurement."""
        return self.send("GET", path, b"", 200)

    def send(self, method: str, path: str, body: bytes, status: int) -> Answered:
        answer = self._site.ask(method, path, self._headers, body)
        if answer.status != status:
            raise SystemExit(f"{method} {path}: {answer.status}: {answer.body[:500]!r}")
        return answer

    def milliseconds(self, paths: Iterable[str]) -> list[float]:
        """What each of these took to read."""
        return [timed(lambda path=path: self.get(path)) for path in paths]

    def queries(self, path: str) -> int:
        """How often the database is asked for it. The hour of use, noted once a minute, is
        written by a request before."""
        self.get(path)
        with counted() as asked:
            self.get(path)
        return len(asked)


def timed(act: Callable[[], object]) -> float:
    """How many milliseconds it takes."""
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1e3


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that the database is asked meanwhile."""
    from django.db import connection  # why: after setup

    asked: list[str] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        asked.append(sql)
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        yield asked


def _json(answer: Answered) -> Any:
    return json.loads(answer.body)


def told(name: str, measured: float, limit: float, unit: str, digits: int = 1) -> bool:
    """Print a figure beside its limit (the most that it may be); whether it is kept."""
    kept = measured <= limit
    print(
        f"{name}: {measured:.{digits}f} {unit}, limit {limit:g}: {'kept' if kept else 'MISSED'}",
        flush=True,
    )
    return kept


median = statistics.median
