"""What the catalogue asks of a directory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from catalogue.ports.outcome import Permanent

GROUP = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
"""What a group may be called, so that every system of the facility takes it."""
LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}")


@dataclass(frozen=True, slots=True)
class Group:
    """A group as the directory has it; `number` is its gid."""

    name: str
    number: int | None
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Configured:
    """What was done, and in sentences what was not. `members` are those that are in it now."""

    group: str
    members: tuple[str, ...]
    not_done: tuple[str, ...] = ()
    number: int | None = None


class Directory(Protocol):
    """Keeps groups for each proposal. Every verb may raise Transient | Permanent, and may be
    repeated: killed anywhere and called again, it leaves the same directory."""

    @property
    def is_there(self) -> bool:
        """Whether there is a directory at all; the null one says no."""

    def look(self, group: str) -> Group | None:
        """The group as it is now, or None where there is none."""

    def configure(self, group: str, members: Sequence[str]) -> Configured:
        """Make sure that `group` exists with just these logins."""


def checked(group: str, members: Sequence[str]) -> tuple[str, list[str], tuple[str, ...]]:
    """The names, each once and sorted, that a directory can hold, and sentences on the others.
    Permanent where the group itself cannot be called so."""
    if not GROUP.fullmatch(group):
        raise Permanent(f"refused the group name {group!r}", group=group)
    good = sorted({login for login in members if LOGIN.fullmatch(login)})
    bad = sorted({login for login in members if not LOGIN.fullmatch(login)})
    return group, good, tuple(f"{login!r} is no login that a directory holds." for login in bad)
