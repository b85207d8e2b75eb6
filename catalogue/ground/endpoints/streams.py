"""Bodies and answers of any length, a JSON object a line (`application/x-ndjson`)."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import IO, Any

import orjson
from django.conf import settings
from django.http import StreamingHttpResponse
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from catalogue.ground import strict_json

MEDIA_TYPE = "application/x-ndjson"
LONGEST_LINE = 64 * 1024
PIECE = 256 * 1024
LINES_AT_ONCE = 500


class StreamTooLong(APIException):
    """The stream is longer than the site has room for."""

    status_code = 413
    default_code = "too_large"


class Chunks:
    """A body that comes in chunks, as the server hands it on. Each server has errors of its own for
    one that broke off or cannot be read; here they are the caller's fault. Raises `ParseError`."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except Exception as broken:
            raise ParseError("The body broke off, or its chunks cannot be read.") from broken


class Spooled:
    """A body that was received whole into a temporary file, so that whoever reads it never waits
    for a slow client. The endpoint closes it, and the file goes, when it answers."""

    def __init__(self, file: IO[bytes], sha256: str) -> None:
        self._file = file
        self.sha256 = sha256

    def objects(self) -> Iterator[Any]:
        """The value of each line, in order; empty lines are passed over. Raises `ParseError`."""
        self._file.seek(0)
        number = 0
        while line := self._file.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise ParseError(f"Line {number} is longer than {LONGEST_LINE} bytes.")
            if not line.isspace():
                try:
                    yield strict_json.loads(line)
                except strict_json.NotJson as problem:
                    raise ParseError(f"Line {number} is not JSON: {problem}") from None

    def close(self) -> None:
        self._file.close()


class NDJSONParser(BaseParser):
    """Receives the body into a temporary file; `request.data` is a `Spooled`. Of at most
    STREAM_BYTES_MAX bytes, since its end is not known before."""

    media_type = MEDIA_TYPE

    def parse(  # type: ignore[override] # DRF takes whatever a parser gives
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Spooled:
        digest = hashlib.sha256()
        left = settings.STREAM_BYTES_MAX
        with ExitStack() as unless_received:
            file = tempfile.TemporaryFile(prefix="lightkeeper-body-")  # noqa: SIM115 - kept open
            unless_received.callback(file.close)
            while piece := stream.read(PIECE):
                left -= len(piece)
                if left < 0:
                    most = settings.STREAM_BYTES_MAX
                    raise StreamTooLong(f"A stream has at most {most} bytes; send several.")
                digest.update(piece)
                file.write(piece)
            unless_received.pop_all()
        spooled = Spooled(file, digest.hexdigest())
        view: Any = (parser_context or {}).get("view")
        if view is not None:
            view.body_sha256 = spooled.sha256
            view.spooled = spooled
        return spooled


class NDJSONRenderer(JSONRenderer):
    """Tells that a list is also given as a stream; `lines` makes the answer."""

    media_type = MEDIA_TYPE
    format = "ndjson"


def lines(objects: Iterable[Mapping[str, Any]]) -> StreamingHttpResponse:
    """An answer with one object a line, whose memory does not grow with their number."""
    return StreamingHttpResponse(_pieces(objects), content_type=MEDIA_TYPE)


def _pieces(objects: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    piece: list[bytes] = []
    for one in objects:
        piece.append(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))
        if len(piece) == LINES_AT_ONCE:
            yield b"".join(piece)
            piece = []
    yield b"".join(piece)
