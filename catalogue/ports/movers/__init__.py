"""Movers: what copies, verifies and removes files, and nothing else in the house does."""

from __future__ import annotations

from collections.abc import Callable

from catalogue.ports.movers.contract import (
    Entry,
    FolderFound,
    IsCancelled,
    Mover,
    OnProgress,
    Place,
    Progress,
    Receipt,
)
from catalogue.ports.movers.names import shown
from catalogue.ports.movers.null import NullMover
from catalogue.ports.movers.posix import PosixMover
from catalogue.ports.outcome import Permanent

__all__ = [
    "Entry",
    "FolderFound",
    "IsCancelled",
    "Mover",
    "NullMover",
    "OnProgress",
    "Place",
    "PosixMover",
    "Progress",
    "Receipt",
    "mover_for",
]

_MOVERS: dict[str, Callable[[], Mover]] = {"posix": PosixMover, "null": NullMover}


def mover_for(agent: str) -> Mover:
    """Our mover for a store's transfer agent; Permanent where the agent is not one of ours."""
    if agent not in _MOVERS:
        raise Permanent(f"no mover of ours is called “{shown(agent)}”", agent=shown(agent))
    return _MOVERS[agent]()
