"""The plan of a preparation: what is wanted against what is there. Pure.

A plan is a list of differences, each with what would be done about it; a plan of nothing means that
all is as it should be.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from proposals.template import Wanted, WantedFolder, WantedGroup

DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class FoundGroup:
    number: int | None
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoundFolder:
    """`acl` is None where it cannot be read."""

    mode: int
    group: int
    acl: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Found:
    """What is there. A group or folder that is not a key was not looked at; None is not there.
    `numbers` are those of the groups by name, where they are known."""

    groups: Mapping[str, FoundGroup | None] = field(default_factory=dict)
    folders: Mapping[tuple[str, str], FoundFolder | None] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """`place` is the directory or a store; `what` is missing, members, mode, group or acl."""

    place: str
    thing: str
    what: str
    found: str
    wanted: str
    act: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`notes` are what could not be compared, in sentences."""

    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Two plans with the same digest would do the same."""
        rows = [asdict(difference) for difference in self.differences]
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def plan(wanted: Wanted, found: Found) -> Plan:
    """What would have to be done; `Plan.notes` say what is left out and why."""
    notes: list[str] = []
    differences: list[Difference] = []
    for group in wanted.groups:
        if group.name in found.groups:
            differences += _of_group(group, found.groups[group.name])
    own = {group.name for group in wanted.groups}
    for folder in wanted.folders:
        key = (folder.store, folder.path)
        if key in found.folders:
            differences += _of_folder(folder, found.folders[key], found.numbers, own, notes)
    return Plan(tuple(differences), tuple(dict.fromkeys(notes)))


def _of_group(wanted: WantedGroup, there: FoundGroup | None) -> list[Difference]:
    people = _names(wanted.members)
    if there is None:
        if not wanted.needed:
            return []  # nobody is to be in it, and nobody is
        act = f"Make the group {wanted.name} with {people}."
        return [Difference(DIRECTORY, wanted.name, "missing", "no such group", people, act)]
    new = [m for m in wanted.members if m not in there.members]
    gone = [m for m in there.members if m not in wanted.members]
    if not new and not gone:
        return []
    act = " ".join(
        sentence
        for who, sentence in (
            (new, f"Add {_names(new)} to {wanted.name}."),
            (gone, f"Take {_names(gone)} out of {wanted.name}."),
        )
        if who
    )
    return [Difference(DIRECTORY, wanted.name, "members", _names(there.members), people, act)]


def _names(logins: object) -> str:
    names = list(logins) if isinstance(logins, tuple | list) else []
    return ", ".join(names) or "nobody"


def _of_folder(
    wanted: WantedFolder,
    there: FoundFolder | None,
    numbers: Mapping[str, int],
    own: set[str],
    notes: list[str],
) -> list[Difference]:
    number = numbers.get(wanted.group)
    acl = _numbered(wanted.acl, numbers)
    entries = ", ".join(wanted.acl) or "no further entries"
    if wanted.group and number is None and wanted.group not in own:
        notes.append(f"No group {wanted.group} is known here; folders keep the group they have.")
    if there is None:
        to = f" of the group {wanted.group}" if wanted.group else ""
        with_acl = f", with {entries}" if wanted.acl else ""
        act = f"Make {wanted.path} with mode {wanted.mode:04o}{to}{with_acl}."
        mode = f"mode {wanted.mode:04o}{to}{with_acl}"
        return [Difference(wanted.store, wanted.path, "missing", "no such folder", mode, act)]
    found: list[Difference] = []

    def differs(what: str, is_now: str, should: str, act: str) -> None:
        found.append(Difference(wanted.store, wanted.path, what, is_now, should, act))

    if number is not None and there.group != number:
        should = f"{wanted.group} ({number})"
        differs("group", str(there.group), should, f"chgrp {number} {wanted.path}")
    if there.acl is None:
        if wanted.acl:
            notes.append(f"ACLs cannot be read in {wanted.store}; they are not compared.")
    elif acl is None:
        notes.append(f"Not every name in the ACL of {wanted.path} is known here.")
    elif set(there.acl) != set(acl):
        now = ", ".join(there.acl) or "no further entries"
        differs("acl", now, ", ".join(acl) or "no further entries", f"setfacl: {entries}")
    if there.mode != wanted.mode:
        act = f"chmod {wanted.mode:04o} {wanted.path}"
        differs("mode", f"{there.mode:04o}", f"{wanted.mode:04o}", act)
    return found


def _numbered(acl: tuple[str, ...], numbers: Mapping[str, int]) -> tuple[str, ...] | None:
    """The entries with numbers for groups; None where one is not known. Users keep their names,
    which the machine resolves: `numbers` has them as "user:NAME"."""
    told: list[str] = []
    for entry in acl:
        head, name, permissions = entry.rsplit(":", 2)
        key = f"user:{name}" if head.endswith("user") else name
        number = int(name) if name.isdecimal() else numbers.get(key)
        if number is None:
            return None
        told.append(f"{head}:{number}:{permissions}")
    return tuple(sorted(told))
