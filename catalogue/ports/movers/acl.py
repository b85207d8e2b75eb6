"""POSIX ACLs of folders, through `setfacl` and `getfacl`: the standard library has no call for
them. The programs are given an open descriptor (`/proc/self/fd/N`), never a path that somebody
could turn into a link meanwhile.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import subprocess
from collections.abc import Sequence

from catalogue.ports.movers import names
from catalogue.ports.outcome import Permanent

ENTRY = re.compile(r"(default:)?(user|group):([A-Za-z0-9_.@-]{1,64}):([r-][w-][x-])")
_BASE = re.compile(r"(default:)?(user::|group::|other:|mask:).*")
_SECONDS = 20


class Unsupported(Exception):
    """There are no ACLs here: no such program, or the file system has none."""


class NotAllowed(Exception):
    """This process may not change them."""


def checked(entries: Sequence[str]) -> list[str]:
    """The entries, when each is one that a folder can have."""
    for entry in entries:
        if not ENTRY.fullmatch(entry):
            raise Permanent(f"refused the ACL entry “{names.shown(entry)}”")
    return sorted(entries)


def numbered(entries: Sequence[str]) -> tuple[list[str], list[str]]:
    """The entries with numbers for names, and the names that this machine does not know."""
    known: list[str] = []
    unknown: list[str] = []
    for entry in checked(entries):
        match = ENTRY.fullmatch(entry)
        assert match is not None
        default, kind, name, permissions = match.groups()
        number = _number(kind, name)
        if number is None:
            unknown.append(f"{kind} {name}")
        else:
            known.append(f"{default or ''}{kind}:{number}:{permissions}")
    return sorted(known), unknown


def _number(kind: str, name: str) -> int | None:
    if name.isdecimal():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid if kind == "user" else grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def whole(entries: Sequence[str], mode: int) -> list[str]:
    """All that is to be set: what the mode says, and the entries besides. The mask is left to
    `setfacl`, which lets all of them count."""
    base = [f"{who}::{_letters(mode >> shift)}" for who, shift in _CLASSES]
    defaults = [e for e in entries if e.startswith("default:")]
    if defaults:
        defaults = [f"default:{entry}" for entry in base] + defaults
    return [*base, *(e for e in entries if not e.startswith("default:")), *defaults]


_CLASSES = (("user", 6), ("group", 3), ("other", 0))


def _letters(bits: int) -> str:
    return "".join(letter if bits & bit else "-" for letter, bit in (("r", 4), ("w", 2), ("x", 1)))


def effective_mode(entries: Sequence[str], mode: int) -> int:
    """The mode that a folder with these entries shows: its group bits are the mask."""
    bits = (mode >> 3) & 7
    named = [e for e in entries if not e.startswith("default:")]
    for entry in named:
        bits |= sum(bit for letter, bit in (("r", 4), ("w", 2), ("x", 1)) if letter in entry[-3:])
    return (mode & ~0o070) | bits << 3


def _has_acl(descriptor: int) -> bool:
    """Most folders have none; that is known without a program."""
    try:
        return any(name.startswith("system.posix_acl_") for name in os.listxattr(descriptor))
    except OSError:
        return False  # a file system without attributes has no ACLs either


def read(descriptor: int) -> tuple[list[str], int | None]:
    """The entries besides those of the mode, and the bits of the owning group where there is a
    mask (else None: the mode has them). Raises `Unsupported`."""
    if not _has_acl(descriptor):
        return [], None
    out = _run(["getfacl", "--omit-header", "--numeric", "--absolute-names", "--no-effective"],
               descriptor)  # fmt: skip
    entries: list[str] = []
    owning: int | None = None
    masked = False
    for line in (line.strip() for line in out.splitlines()):
        if not line or line.startswith("#"):
            continue
        masked = masked or line.startswith("mask:")
        if line.startswith("group::"):
            owning = sum(b for letter, b in (("r", 4), ("w", 2), ("x", 1)) if letter in line[-3:])
        if not _BASE.fullmatch(line):
            entries.append(line)
    return sorted(entries), owning if masked else None


def write(descriptor: int, entries: Sequence[str], mode: int) -> None:
    """Give the folder just these entries besides those of `mode`. Raises `Unsupported` and
    `NotAllowed`."""
    if not any(entry.startswith("default:") for entry in entries):
        _run(["setfacl", "--remove-default"], descriptor)
    _run(["setfacl", "--set", ",".join(whole(entries, mode))], descriptor)


def command(entries: Sequence[str], mode: int, path: str) -> str:
    """What somebody with more rights would type."""
    return f"setfacl --set {','.join(whole(entries, mode))} {names.shown(path)}"


def _run(arguments: list[str], descriptor: int) -> str:
    try:
        done = subprocess.run(
            [*arguments, "--", f"/proc/self/fd/{descriptor}"],
            pass_fds=(descriptor,), capture_output=True, timeout=_SECONDS, check=False,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError:
        raise Unsupported(f"{arguments[0]} is not installed here") from None
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip()
        if "not permitted" in told or "Permission denied" in told:
            raise NotAllowed
        if "not supported" in told:
            raise Unsupported("the file system has no ACLs")
        raise Unsupported(f"{arguments[0]} said: {told[-300:]}")
    return done.stdout.decode(errors="replace")
