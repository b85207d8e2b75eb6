"""The chain of the journal's hashes, and checking an exported journal without the catalogue.

Nothing here needs Django, the database, or any other file of the catalogue: an auditor may take
this one file along and run it on an export.

    python -m catalogue.ground.chain check journal.ndjson [--expect POSITION:HASH …]

The hash of an entry is the SHA-256 of its canonical form: all its fields and the hash of the entry
before it (`seal_previous`), as JSON with sorted keys, without spaces, in ASCII.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BEGINNING = "0" * 64
"""What stands as the hash before the first entry."""

FIELDS = (
    *("position", "id", "at", "actor", "actor_name", "on_behalf", "program", "program_name"),
    *("face", "subject_type", "subject_id", "subject_label", "proposal", "run", "move"),
    *("before", "after", "reason", "facts", "seal_previous"),
)
FORMAT = "lightkeeper journal 1"
TOLD = 100
"""So many faults are told one by one; the rest is counted."""

_ANCHOR = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


def canonical(entry: Mapping[str, Any]) -> bytes:
    """What is hashed of an entry."""
    known = {name: entry[name] for name in FIELDS}
    return json.dumps(
        known, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")


def seal(entry: Mapping[str, Any]) -> str:
    """The hash that belongs to an entry, its `seal_previous` included."""
    return hashlib.sha256(canonical(entry)).hexdigest()


def anchor(text: str) -> tuple[int, str]:
    """`POSITION:HASH`, as it was written down elsewhere. Raises ValueError."""
    found = _ANCHOR.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"“{text}” is not POSITION:HASH")
    return int(found[1]), found[2]


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the chain breaks: the position, the entry's id if there is one, and what is wrong."""

    position: int | None
    entry: int | None
    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class Chain:
    """Follows the entries in the order of their positions, one after the other; keeps only the last
    of them. Up to `sealed_until` each has to have its seal; those behind wait for theirs (and may
    get it while they are read). `whole` says that no position may be missing, as in a journal that
    is not narrowed."""

    sealed_until: int
    whole: bool = True
    expected: dict[int, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    entries: int = 0
    unsealed: int = 0
    position: int = 0
    hash: str = BEGINNING
    sealed: int = 0

    def follow(self, entry: Mapping[str, Any]) -> None:
        """The next entry."""
        self.entries += 1
        position, number = int(entry["position"]), int(entry["id"])
        missing = position != self.position + 1
        if position <= self.position:
            text = (
                f"Position {position} comes after {self.position}: entry {number} is out of place."
            )
            self.fault(position, number, "order", text)
        elif missing and self.whole:
            self._missing(self.position + 1, position - 1)
        self._sealed(entry, position, number, linked=not missing)
        self.position = max(position, self.position)

    def _sealed(
        self, entry: Mapping[str, Any], position: int, number: int, *, linked: bool
    ) -> None:
        stored = str(entry["seal_hash"])
        if position > self.sealed_until:
            self.unsealed += 1
            self._anchored(position, stored)  # who remembers its hash knows that it had a seal
            return
        if not stored:
            text = (
                f"Entry {number} at position {position} has no seal, though the journal is sealed "
                f"up to {self.sealed_until}: it was put in, or its seal was taken away."
            )
            self.fault(position, number, "no seal", text)
            self._anchored(position, "")
            return
        if seal(entry) != stored:
            text = (
                f"Entry {number} at position {position} ({entry['at']}, {entry['move']} "
                f"{entry['subject_label']}, by {entry['actor_name']}) is not what was sealed: "
                "its content was changed."
            )
            self.fault(position, number, "content", text)
        elif linked and entry["seal_previous"] != self.hash:
            text = (
                f"Entry {number} at position {position} does not follow the one before it: one of "
                "the two was put in, taken out or sealed anew."
            )
            self.fault(position, number, "link", text)
        self.hash, self.sealed = stored, position
        self._anchored(position, stored)

    def _anchored(self, position: int, stored: str) -> None:
        wanted = self.expected.pop(position, None)
        if wanted is not None and wanted != stored:
            text = (
                f"Position {position} was remembered with the hash {wanted}, and has "
                f"{stored or 'none'}: the chain was rewritten up to there."
            )
            self.fault(position, None, "anchor", text)

    def _missing(self, first: int, last: int) -> None:
        what = f"Position {first} is" if first == last else f"Positions {first} to {last} are"
        self.fault(first, None, "missing", f"{what} missing: deleted.")

    def end(self, *, least: int = 0) -> None:
        """There are no more entries; `least` is the position up to which there have to be some."""
        if self.whole and self.position < least:
            first = self.position + 1
            what = f"position {least}" if first == least else f"positions {first} to {least}"
            text = f"The end is cut off: {what} had been given, and nothing is there."
            self.fault(first, None, "cut off", text)
        for position, wanted in sorted(self.expected.items()):
            if self.whole and position > max(self.position, least):
                text = f"Position {position}, remembered with the hash {wanted}, is not there."
                self.fault(position, None, "cut off", text)
        self.expected.clear()

    def fault(self, position: int | None, entry: int | None, kind: str, text: str) -> None:
        self.fault_count += 1
        if len(self.faults) < TOLD:
            self.faults.append(Fault(position, entry, kind, text))


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of an export, one a line. Raises ValueError with the number of the line."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                found = json.loads(line)
                if not isinstance(found, dict):
                    raise ValueError("not an object")
            except ValueError as problem:
                raise ValueError(f"line {number} cannot be read: {problem}") from None
            yield found


def check(lines: Iterable[dict[str, Any]], expected: Mapping[int, str]) -> tuple[Chain, bool]:
    """Follow an export; the chain and whether it is the whole journal. Raises ValueError."""
    rows = iter(lines)
    head = next(rows, {})
    if head.get("format") != FORMAT:
        raise ValueError(f"the first line does not say “{FORMAT}”")
    whole = not head.get("narrowed")
    sealed = head["sealed"]
    chain = Chain(int(sealed["position"]), whole=whole, expected=dict(expected))
    if sealed["position"]:
        chain.expected.setdefault(int(sealed["position"]), str(sealed["hash"]))
    for row in rows:
        absent = {*FIELDS, "seal_hash"} - row.keys()
        if absent:
            raise ValueError(f"an entry lacks {', '.join(sorted(absent))}")
        chain.follow(row)
    chain.end(least=int(head.get("positions") or 0))
    return chain, whole


def report(chain: Chain, whole: bool) -> list[str]:
    """What was found, in lines."""
    parts = "of a narrowed export: what is left out cannot be checked."
    told = [f"{chain.entries} entries" + (", the whole journal." if whole else f" {parts}")]
    if chain.unsealed:
        told.append(f"{chain.unsealed} entries are not sealed yet.")
    told += [f"BROKEN: {fault}" for fault in chain.faults]
    if chain.fault_count > len(chain.faults):
        told.append(f"… and {chain.fault_count - len(chain.faults)} more.")
    if not chain.fault_count:
        told.append(f"Sound up to {chain.sealed}:{chain.hash}")
    return told


def main(arguments: list[str] | None = None) -> int:
    """0 where the export is sound, 1 where it is not, 2 where it cannot be read."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("act", choices=["check"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--expect", action="append", default=[], metavar="POSITION:HASH")
    given = parser.parse_args(arguments)
    try:
        chain, whole = check(lines_of(given.file), dict(anchor(text) for text in given.expect))
    except (ValueError, KeyError, TypeError, OSError) as problem:
        sys.stderr.write(f"{given.file}: {problem}\n")
        return 2
    sys.stdout.write("\n".join(report(chain, whole)) + "\n")
    return 1 if chain.fault_count else 0


if __name__ == "__main__":
    sys.exit(main())
