"""JSON that is read strictly."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ground import strict_json
from catalogue.ground.strict_json import NotJson

trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(trees, st.booleans())
def test_what_is_json_is_read(tree: object, ascii_only: bool) -> None:
    assert strict_json.loads(json.dumps(tree, ensure_ascii=ascii_only).encode()) == tree


@given(st.binary())
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    with suppress(NotJson):
        strict_json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}', b'[{"b":{"a":1,"a":2}}]', b"NaN", b"-Infinity", b'"\\udfff"', b"",
        b"\xef\xbb\xbf1", b"[1,]", b"{'a':1}", b"01", b"1e999", b'"\x01"',
        b"[" * 1000 + b"]" * 1000, b"[" * 1_000_000, b"9" * 5000, b"// x\n1",
    ],
)  # fmt: skip
def test_what_is_not_quite_json_is_refused(text: bytes) -> None:
    with pytest.raises(NotJson):
        strict_json.loads(text)


def test_large_numbers_come_through_exactly() -> None:
    assert strict_json.loads(b"[9223372036854775808]") == [2**63]
