"""JSON as the RFC has it, and not a little more."""

from __future__ import annotations

import json
from typing import Any

import orjson


class NotJson(ValueError):
    """The bytes are not JSON, or have a key twice in one object."""


def loads(text: bytes) -> Any:
    """The value of a JSON text in UTF-8. Raises `NotJson`.

    Refused: NaN, halves of surrogate pairs, a byte order mark, a key that comes twice in one object
    (RFC 8259 leaves open which one counts), and more than about 900 levels. Whole numbers beyond
    64 bits come through as they are, for the fields to refuse.
    """
    try:
        orjson.loads(text)  # its grammar is the RFC's; but of a key that comes twice it drops one
        return _decoder.decode(text.decode())
    except (ValueError, RecursionError) as problem:
        raise NotJson(str(problem)[:200]) from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found


# Made once: a stream has its lines read one by one.
_decoder = json.JSONDecoder(object_pairs_hook=_each_once)
