"""What a proposal's groups and folders should be: rules, rendered for one proposal. Pure.

Rules are rows that staff edit (`models.GroupRule`, `models.FolderRule`); where there are none, the
facility's usual ones hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalogue.ground.inputs import Invalid

TEAM = "x{number}-dmgt"
READ = 1

_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_MODE = re.compile(r"[0-7]{4}")
_ACL = re.compile(r"(default:)?(user|group):([^:]+):([r-][w-][x-])")


@dataclass(frozen=True, slots=True)
class GroupPattern:
    """A group by pattern; in it are those of the team with at least this access to the data."""

    name: str = TEAM
    data_access: int = READ


@dataclass(frozen=True, slots=True)
class FolderPattern:
    """A folder by pattern, in the store of that identifier or (empty) in every one."""

    path: str
    mode: int
    store: str = ""
    group: str = TEAM
    acl: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    groups: tuple[GroupPattern, ...]
    folders: tuple[FolderPattern, ...]


# Set-gid, so that what is written belongs to the proposal's group.
STANDARD = Template(
    groups=(GroupPattern(),),
    folders=(
        FolderPattern("", 0o2750),
        *(FolderPattern(name, 0o2750) for name in ("raw", "proc", "red")),
        *(FolderPattern(name, 0o2770) for name in ("usr", "scratch")),
    ),
)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody whose access is in force."""

    login: str
    data_access: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the proposal: names for the patterns, where its folders are, its team, and
    the groups that were written for it so far. Of a closed one the groups are emptied, and its
    folders are left to whoever keeps them."""

    number: int
    instrument: str
    path: str
    stores: tuple[str, ...]
    team: tuple[Member, ...]
    is_over: bool
    written: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WantedGroup:
    """One that is not `needed` is emptied where it is there, and not made."""

    name: str
    members: tuple[str, ...]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class WantedFolder:
    """`acl` has names still; the numbers are the directory's or the machine's."""

    store: str
    path: str
    mode: int
    group: str
    acl: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    groups: tuple[WantedGroup, ...]
    folders: tuple[WantedFolder, ...]


def wanted(template: Template, facts: Facts) -> Wanted:
    """The groups and folders of one proposal, folders above others first."""
    names = {"number": f"{facts.number:06d}", "instrument": facts.instrument.lower()}
    named = {rendered(rule.name, names): rule for rule in template.groups}
    groups = tuple(
        WantedGroup(name, () if facts.is_over else _members(rule, facts), not facts.is_over)
        for name, rule in named.items()
    )
    # A group that the template no longer has would give access for ever.
    groups += tuple(WantedGroup(name, (), False) for name in facts.written if name not in named)
    if facts.is_over:
        return Wanted(groups, ())
    folders = [
        WantedFolder(
            store=store,
            path=f"{facts.path}/{rule.path}".rstrip("/"),
            mode=rule.mode,
            group=rendered(rule.group, names),
            acl=tuple(sorted(rendered(line, names) for line in rule.acl)),
        )
        for store in facts.stores
        for rule in _in_store(template.folders, store)
    ]
    return Wanted(groups, tuple(folders))


def _members(rule: GroupPattern, facts: Facts) -> tuple[str, ...]:
    return tuple(sorted({m.login for m in facts.team if m.data_access >= rule.data_access}))


def _in_store(rules: Sequence[FolderPattern], store: str) -> list[FolderPattern]:
    """By path, so that a folder comes before what is in it; a store's own rule goes first."""
    chosen = {rule.path: rule for rule in rules if not rule.store}
    chosen |= {rule.path: rule for rule in rules if rule.store == store}
    return [chosen[path] for path in sorted(chosen, key=lambda p: (p.count("/") + bool(p), p))]


def rendered(pattern: str, names: Mapping[str, str]) -> str:
    """`pattern` with what stands in braces filled in; nothing else is interpreted."""
    for name, value in names.items():
        pattern = pattern.replace("{" + name + "}", value)
    return pattern


_SAMPLE = {"number": "900054", "instrument": "spb"}


def group_pattern(text: str) -> str:
    """The pattern of a group of the proposal's own. Raises `Invalid`."""
    if "{number}" not in text:
        raise Invalid("name", "must hold {number}: else all proposals had one group", text)
    return any_group(text)


def any_group(text: str) -> str:
    """A group, or nothing. Raises `Invalid`."""
    if text and not _NAME.fullmatch(rendered(text, _SAMPLE)):
        raise Invalid("group", "must be a group name: small letters, digits, _ and -", text)
    return text


def folder_path(text: str) -> str:
    """A path below the proposal's folder. Raises `Invalid`."""
    if text and not all(_PART.fullmatch(part) for part in text.split("/")):
        raise Invalid("path", "must be plain names with slashes between, e.g. usr/Shared", text)
    return text


def folder_mode(text: str) -> int:
    """Four octal digits. Raises `Invalid`."""
    if not _MODE.fullmatch(text):
        raise Invalid("mode", "must be four octal digits, e.g. 2750", text)
    return int(text, 8)


def acl_lines(text: str) -> tuple[str, ...]:
    """ACL entries, one a line. Raises `Invalid`."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        match = _ACL.fullmatch(rendered(line, _SAMPLE))
        if match is None or not re.fullmatch(r"[A-Za-z0-9_.@-]{1,64}", match[3]):
            raise Invalid("acl", "must be entries like group:x{number}-dmgt:r-x", line)
    if len({rendered(line, _SAMPLE).rpartition(":")[0] for line in lines}) < len(lines):
        raise Invalid("acl", "must name nobody twice", text)
    return tuple(lines)
