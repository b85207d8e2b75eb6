"""What is answered instead of a result, in the shape and the words that the clients know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

NOT_FOUND: Final = "Resource not found!"
TAKEN: Final = "has already been taken"


class Wrong(Exception):
    """The request cannot be done: `info` is a sentence, or messages by field."""

    def __init__(self, info: str | Mapping[str, Sequence[str]], status: int = 422) -> None:
        super().__init__(info)
        self.info = info
        self.status = status


class Missing(Wrong):
    """There is none, or none that the caller may know of."""

    def __init__(self, info: str = NOT_FOUND) -> None:
        super().__init__(info, 404)
