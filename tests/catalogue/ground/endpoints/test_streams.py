"""Bodies of lines: received whole, read line by line, closed whatever happens."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from catalogue.ground.endpoints.streams import LONGEST_LINE, NDJSONParser, Spooled

values = st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers() | st.text("aä\n"))


@given(
    st.lists(values),
    st.sampled_from([b"\n", b"\r\n", b"\n\n \n"]),
    st.integers(min_value=1, max_value=50),
)
def test_every_line_is_read_in_order(rows: list[Any], end: bytes, piece: int) -> None:
    body = b"".join(json.dumps(row).encode() + end for row in rows)
    received = NDJSONParser().parse(_Slow(body, piece))
    assert list(received.objects()) == rows
    assert list(received.objects()) == rows
    received.close()


class _Slow(io.RawIOBase):
    """Gives few bytes at a time, whatever it is asked for."""

    def __init__(self, body: bytes, piece: int) -> None:
        self._body = io.BytesIO(body)
        self._piece = piece

    def read(self, size: int = -1) -> bytes:
        return self._body.read(self._piece)


def test_a_line_has_an_end() -> None:
    fits = b'"' + b"x" * (LONGEST_LINE - 3) + b'"\n'
    assert len(list(Spooled(io.BytesIO(fits), "").objects())) == 1
    with pytest.raises(ParseError, match="Line 2 is longer"):
        list(Spooled(io.BytesIO(fits + fits[:-2] + b'x"\n'), "").objects())


def test_a_client_that_goes_away_leaves_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[Any] = []
    opened = io.BytesIO()

    def make(**_: object) -> Any:
        files.append(opened)
        return opened

    class Gone(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise ConnectionResetError

    monkeypatch.setattr("tempfile.TemporaryFile", make)
    with pytest.raises(ConnectionResetError):
        NDJSONParser().parse(Gone())
    assert [file.closed for file in files] == [True]
