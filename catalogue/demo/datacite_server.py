"""A stand-in for DataCite: a small server that speaks its REST API, for the demo and for tests.

    python -m catalogue.demo.datacite_server --port 0 --state FILE

prints one line with its address once it answers, and stops on SIGINT or SIGTERM. DOIs are under the
test prefix 10.5072; nothing leaves this machine. What is not of use here is left out (media,
transfers, queries); what is there answers as DataCite does, statuses and bodies included.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hmac
import json
import signal
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from datacite import schema45

from catalogue.demo import datacite_pages
from catalogue.demo.datacite_records import Record, Records, RefusedError, metadata, not_found

PREFIX = "10.5072"
USERNAME = "DEMO.LIGHTKEEPER"
PASSWORD = "demo"
LARGEST_BODY = 10_000_000

_JSON_API = "application/vnd.api+json"
_DATACITE_JSON = "application/vnd.datacite.datacite+json"
_DATACITE_XML = "application/vnd.datacite.datacite+xml"
_HTML = "text/html"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    type: str = f"{_JSON_API}; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class Trouble(Enum):
    """What may happen to a request that is done."""

    ANSWER_LOST = auto()
    ANSWER_HELD = auto()


class Control:
    """Makes the next requests go wrong. In the process only: no route leads here."""

    def __init__(self) -> None:
        self._next: deque[Answer | Trouble] = deque()
        self._released = threading.Event()
        self.holding = threading.Event()  # set as soon as a request is done and its answer held
        self.seen: list[tuple[str, str]] = []  # method and path of every request so far

    def answer(
        self,
        times: int,
        status: int,
        *,
        retry_after: str | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        """The next requests get `status` and are not done; without `errors` the body is no JSON."""
        if errors:
            trouble = _json({"errors": list(errors)}, status)
        else:
            headers = (("Retry-After", retry_after),) if retry_after is not None else ()
            trouble = Answer(status, b"Try again later.\n", "text/plain", headers)
        self._next.extend([trouble] * times)

    def lose_answer(self, times: int) -> None:
        """The next requests are done and stored, but their connection closes without an answer."""
        self._next.extend([Trouble.ANSWER_LOST] * times)

    def hold(self, times: int) -> None:
        """The next requests are done, but answered only after `release` (or never)."""
        self._released.clear()
        self.holding.clear()
        self._next.extend([Trouble.ANSWER_HELD] * times)

    def release(self) -> None:
        """Answer what is held."""
        self._released.set()

    def take(self) -> Answer | Trouble | None:
        """What to do with the present request."""
        return self._next.popleft() if self._next else None

    def wait(self) -> None:
        """Return when what is held may be answered."""
        self.holding.set()
        self._released.wait()


class DataCiteServer:
    """The server in this process: `with DataCiteServer(state_file) as server: server.url`."""

    def __init__(
        self,
        state: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        username: str = USERNAME,
        password: str = PASSWORD,
        prefixes: Sequence[str] = (PREFIX,),
    ) -> None:
        self.records = Records(state, tuple(prefixes))
        self.control = Control()
        self._credentials = f"{username}:{password}".encode()
        self._http = _Http((host, port), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the port is free again; requests that are held are let go."""
        self.control.release()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def serve_forever(self) -> None:
        """Serve in the calling thread until interrupted."""
        try:
            self._http.serve_forever(0.05)
        finally:
            self._http.server_close()

    # ------------------------------------------------------------ the routes

    def respond(self, method: str, target: str, headers: Message, body: bytes) -> Answer:
        """One request, done."""
        parts = urlsplit(target)
        path = parts.path.rstrip("/")
        try:
            if path == "":
                return self._home(method)
            if path == "/heartbeat":
                return Answer(200, b"OK", "text/plain")
            if path == "/dois":
                return self._collection(method, parse_qs(parts.query), headers, body)
            if path.startswith("/dois/"):
                return self._one(method, unquote(path.removeprefix("/dois/")), headers, body)
            raise not_found()
        except RefusedError as refusal:
            return _json({"errors": list(refusal.errors)}, refusal.status)

    def _home(self, method: str) -> Answer:
        _only(method, "GET", "HEAD")
        return _html(datacite_pages.home(self.records.all()))

    def _collection(
        self,
        method: str,
        query: Mapping[str, list[str]],
        headers: Message,
        body: bytes,
    ) -> Answer:
        _only(method, "GET", "HEAD", "POST")
        owner = self._is_owner(headers)
        if method == "POST":
            self._require(owner)
            return self._record(self.records.create(_attributes(body)), 201)
        shown = [it for it in self.records.all() if owner or it["state"] == "findable"]
        size = _number(query, "page[size]", 25, 1000)
        number = _number(query, "page[number]", 1, 10_000)
        page = shown[(number - 1) * size : number * size]
        pages = -(-len(shown) // size)
        about = {"total": len(shown), "totalPages": pages, "page": number}
        return _json({"data": [_represented(it) for it in page], "meta": about})

    def _one(self, method: str, doi: str, headers: Message, body: bytes) -> Answer:
        _only(method, "GET", "HEAD", "PUT", "DELETE")
        owner = self._is_owner(headers)
        if method in ("GET", "HEAD"):
            return self._show(doi, owner, headers.get("Accept", ""))
        self._require(owner)
        if method == "DELETE":
            self.records.delete(doi)
            return Answer(204)
        record, made = self.records.put(doi, _attributes(body))
        return self._record(record, 201 if made else 200)

    def _show(self, doi: str, owner: bool, accept: str) -> Answer:
        record = self.records.get(doi)
        if record is not None and _HTML in accept:
            return _html(datacite_pages.doi(record))
        if record is None or not (owner or record["state"] == "findable"):
            raise not_found()
        if _DATACITE_XML in accept:
            return Answer(200, _xml(record), _DATACITE_XML)
        if _DATACITE_JSON in accept:
            return Answer(200, json.dumps(metadata(record)).encode(), _DATACITE_JSON)
        return self._record(record, 200)

    def _record(self, record: Record, status: int) -> Answer:
        return _json({"data": _represented(record)}, status)

    def _is_owner(self, headers: Message) -> bool:
        """Whether the account itself asks; wrong credentials are refused whatever they ask."""
        scheme, _, encoded = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            given = b""
        if not hmac.compare_digest(given, self._credentials):
            raise RefusedError(401, {"status": "401", "title": "Bad credentials."})
        return True

    def _require(self, owner: bool) -> None:
        if not owner:
            raise RefusedError(401, {"status": "401", "title": "Bad credentials."})


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    owner: DataCiteServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "DataCiteStandIn"
    server: _Http

    def _respond(self) -> None:
        owner = self.server.owner
        owner.control.seen.append((self.command, self.path))
        body = self._body()
        trouble = owner.control.take()
        if isinstance(trouble, Answer):
            answer = trouble
        elif body is None:
            answer = _json({"errors": [{"status": "413", "title": "Payload too large"}]}, 413)
        else:
            answer = owner.respond(self.command, self.path, self.headers, body)
        if trouble is Trouble.ANSWER_HELD:
            owner.control.wait()
        if trouble is Trouble.ANSWER_LOST:
            self.close_connection = True
            return
        self._send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _respond  # noqa: N815 - the base class's names

    def _body(self) -> bytes | None:
        """The request's body; None for one that is too large, of which nothing is read."""
        told = self.headers.get("Content-Length", "0")
        length = int(told) if told.isdigit() else 0
        if length > LARGEST_BODY:
            self.close_connection = True
            return None
        return self.rfile.read(length)

    def _send(self, answer: Answer) -> None:
        try:
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Type", answer.type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Vary", "Accept, Authorization")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client did not wait for the answer

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked is in `Control.seen`."""


def _only(method: str, *allowed: str) -> None:
    if method not in allowed:
        raise RefusedError(405, {"status": "405", "title": "Method not allowed"})


def _attributes(body: bytes) -> dict[str, Any]:
    """The attributes in a JSON:API document of type `dois`."""
    try:
        document = json.loads(body)
    except ValueError as error:
        raise RefusedError(400, {"status": "400", "title": f"Not JSON: {error}"}) from error
    data = document.get("data") if isinstance(document, dict) else None
    attributes = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(data, dict) or data.get("type") != "dois" or not isinstance(attributes, dict):
        title = "You need to provide a payload following the JSONAPI spec"
        raise RefusedError(400, {"status": "400", "title": title})
    return attributes


def _represented(record: Record) -> dict[str, Any]:
    """A DOI as the API gives it: with its XML, the year as a number."""
    attributes = dict(record)
    year = str(record.get("publicationYear") or "")
    if year.isdigit():
        attributes["publicationYear"] = int(year)
    if record["state"] != "draft":
        attributes["xml"] = base64.b64encode(_xml(record)).decode()
    return {"id": record["doi"], "type": "dois", "attributes": attributes}


def _xml(record: Record) -> bytes:
    text: str = schema45.tostring(metadata(record))
    return text.encode()


def _number(query: Mapping[str, list[str]], name: str, default: int, largest: int) -> int:
    said = query.get(name, [""])[0]
    return min(max(int(said), 1), largest) if said.isdecimal() else default


def _json(document: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(document).encode())


def _html(text: str) -> Answer:
    return Answer(200, text.encode(), f"{_HTML}; charset=utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="A stand-in for DataCite's REST API.")
    parser.add_argument(
        "--state", type=Path, required=True, help="the JSON file that keeps the DOIs"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 for any free port")
    parser.add_argument("--username", default=USERNAME)
    parser.add_argument("--password", default=PASSWORD)
    parser.add_argument("--prefix", action="append", help=f"DOI prefix (default {PREFIX})")
    chosen = parser.parse_args(arguments)
    server = DataCiteServer(
        chosen.state,
        host=chosen.host,
        port=chosen.port,
        username=chosen.username,
        password=chosen.password,
        prefixes=chosen.prefix or (PREFIX,),
    )
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    print(f"A stand-in for DataCite answers at {server.url}", flush=True)
    server.serve_forever()


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
