"""Which paths a mover accepts, and how names that nobody chose well are shown.

Everything here judges text; that a component is no link is found out when it is opened.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from catalogue.ports.movers.contract import Entry, Place
from catalogue.ports.outcome import Permanent

DEEPEST = 64
"""Folders nested deeper are not entered: each level holds an open descriptor."""

TRASH = ".trash"
WORK = ".work"
HIDDEN = ".lightkeeper-"

_LONGEST = 255
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_CHECKSUMS = {"sha256": re.compile(r"[0-9a-f]{64}"), "adler32": re.compile(r"[0-9a-f]{8}")}


def shown(text: str) -> str:
    """`text` as any page, log or database can hold it: control characters and bytes that are no
    UTF-8 (surrogates, as Python reads them from a disk) become backslash escapes.
    """
    return "".join(
        character.encode("unicode_escape").decode("ascii") if _unprintable(character) else character
        for character in text
    )


def fault(path: str) -> str | None:
    """Why `path` cannot name a file or folder below a mount, or None when it can."""
    parts = path.split("/")
    if not path:
        return "the path is empty"
    if path.startswith("/"):
        return "the path is absolute"
    if len(parts) > DEEPEST:
        return f"the path is nested deeper than {DEEPEST} folders"
    return next((why for part in parts if (why := _fault_of_part(part)) is not None), None)


def components(path: str) -> list[str]:
    """The components of a relative posix path; Permanent where it could lead astray."""
    why = fault(path)
    if why is not None:
        raise Permanent(f"refused “{shown(path)}”: {why}", file=shown(path))
    return path.split("/")


def place_components(place: Place) -> list[str]:
    """The components of a Place. The trash is nobody's place: only its own verbs reach it."""
    if not place.mount.is_absolute():
        raise Permanent(f"refused the mount point “{shown(str(place.mount))}”: it is not absolute")
    parts = components(place.path)
    if parts[0] == TRASH:
        raise Permanent(f"refused “{place.path}”: the trash is reached by its key only")
    return parts


def key_component(key: str) -> str:
    """The key of a trash folder: one component, not hidden."""
    if "/" in key or key.startswith("."):
        raise Permanent(f"refused the trash key “{shown(key)}”: it must be one plain name")
    return components(key)[0]


def checked(entries: Sequence[Entry]) -> list[Entry]:
    """The entries, when every one can be acted on; nothing is touched before all of them are."""
    seen: set[str] = set()
    for entry in entries:
        components(entry.path)
        if entry.path in seen:
            raise Permanent(f"refused {entry.path}: it is named twice", file=entry.path)
        seen.add(entry.path)
        why = _fault_of_entry(entry)
        if why is not None:
            raise Permanent(f"refused {entry.path}: {why}", file=entry.path)
    return list(entries)


def hidden(name: str, kind: str) -> str:
    """The name under which `name` is built before it is whole.

    The same for every attempt, so that the next one finds what a killed one left.
    """
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{HIDDEN}{digest[:24]}.{kind}"


def _fault_of_entry(entry: Entry) -> str | None:
    if entry.kind != "file":
        return f"it is a {entry.kind}, not a file"
    if entry.bytes < 0:
        return f"a size of {entry.bytes} bytes"
    for checksum, pattern in _CHECKSUMS.items():
        value = getattr(entry, checksum)
        if value is not None and not pattern.fullmatch(value):
            return f"“{shown(value)}” is no {checksum} in lower-case hexadecimal digits"
    return None


def _fault_of_part(part: str) -> str | None:
    if part in {"", ".", ".."}:
        return f"it has the component “{part}”"
    if part.startswith(HIDDEN):
        return f"names that begin with {HIDDEN} are kept for files that are being written"
    if "\\" in part:
        return "it has a backslash"
    if any(_unprintable(character) for character in part):
        return "it has control characters or is no UTF-8"
    if len(part.encode()) > _LONGEST:
        return f"a component is longer than {_LONGEST} bytes"
    return None


def _unprintable(character: str) -> bool:
    return unicodedata.category(character) in _UNPRINTABLE
