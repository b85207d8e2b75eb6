"""What guards and plans may know besides the row itself."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from catalogue.ground import clock
from catalogue.ground.actor import Actor

T = TypeVar("T")


@dataclass(slots=True)
class World:
    """The moment, the actor and the facts of one move; `memo` keeps what many rows share."""

    by: Actor
    facts: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    now: datetime = field(default_factory=clock.now)
    _memo: dict[Hashable, Any] = field(default_factory=dict)

    def memo(self, key: Hashable, find: Callable[[], T]) -> T:
        """`find()`, asked once for this `key`."""
        if key not in self._memo:
            self._memo[key] = find()
        value: T = self._memo[key]
        return value
