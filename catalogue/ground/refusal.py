"""What may be said instead of doing something."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Refused(Exception):
    """A move was refused: `why` is a whole sentence, `who` says who can change that.

    `kind` sorts it for the faces: "permission" (403), "state" (409), "rule" (409), "reason" (422).
    `details` are plain JSON facts, e.g. the unknown files that hold a move.
    """

    why: str
    kind: str = "rule"
    who: str = ""
    details: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.why)

    def __str__(self) -> str:
        return self.why
