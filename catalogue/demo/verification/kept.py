"""Files that must be there, byte for byte, and files that must not."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from catalogue.demo.facility import MARK
from catalogue.demo.verification.checking import Found
from catalogue.demo.verification.records import KeptFile, Prepared, Registered, Replica, Run

MODES = {"raw": 0o2750, "proc": 0o2750, "red": 0o2750, "usr": 0o2770, "scratch": 0o2770}
SHOWN = 20
_PEOPLES = frozenset({"usr", "scratch"})  # folders in which anybody may keep anything


def files(kept: Sequence[KeptFile]) -> Found:
    """Each file hashed again and compared with what is registered."""
    faults = [fault for fault in map(_difference, kept) if fault]
    return Found(tuple(faults[:SHOWN]), {"files": len(kept), "bytes": sum(k.bytes for k in kept)})


def _difference(file: KeptFile) -> str:
    try:
        size = file.path.stat().st_size
        found = sha256_of(file.path)
    except OSError as error:
        return f"{file.path}: {error.strerror}"
    if size != file.bytes:
        return f"{file.path}: {size} bytes instead of {file.bytes}"
    if found != file.sha256:
        return f"{file.path}: sha256 {found} instead of {file.sha256}"
    return ""


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replica_checksum(replica: Replica) -> Found:
    """The one checksum of a verified replica follows from those of its files."""
    digest = hashlib.sha256()
    for file in sorted(replica.files, key=lambda f: f.name):
        digest.update(f"{file.sha256}  {file.name}\n".encode())
    if digest.hexdigest() == replica.checksum:
        return Found(counts={"replicas": 1})
    return Found((f"{replica}: its checksum is not that of its files",))


def run_totals(told: tuple[int, int], registered: Sequence[Registered], label: str) -> Found:
    """A run claims as many files and bytes as are registered for it."""
    sums = (len(registered), sum(f.bytes for f in registered))
    if told == sums:
        return Found(counts={"runs": 1})
    return Found((f"{label}: claims {told} files and bytes, registered are {sums}",))


def brought(replicas: Sequence[Replica], reporters: Mapping[int, str], program: str) -> Found:
    """Each of these copies was reported by that program, and none made by our worker."""
    faults = tuple(
        f"{replica}: brought by {reporters.get(replica.id) or 'our worker'}"
        for replica in replicas
        if reporters.get(replica.id) != program
    )
    return Found(faults, {"replicas": len(replicas)})


def added_checksums(runs: Sequence[Run]) -> Found:
    """The writer of these runs gave no sha256, so each says that they are the catalogue's own."""
    faults = tuple(
        f"p{run.proposal:06d} r{run.number:04d} does not say that the checksums are ours"
        for run in runs
        if not run.checksums_are_ours
    )
    return Found(faults, {"runs": len(runs)})


def gone(replicas: Sequence[Replica]) -> Found:
    """Nothing of a removed replica is left where it was."""
    left = [str(file.path) for replica in replicas for file in replica.kept() if file.path.exists()]
    faults = tuple(f"{path}: it was removed, and is there" for path in left[:SHOWN])
    return Found(faults, {"replicas": len(replicas)})


def nothing_unknown(store: Path, known: Collection[Path], folders_known: Collection[Path]) -> Found:
    """A store holds what the catalogue knows, people's own folders aside; trash is empty or as
    known. `folders_known` are packages, whose contents their manifests tell."""
    seen = 0
    faults = []
    for folder, names, below in os.walk(store):
        here = Path(folder)
        if here in folders_known or _is_peoples(here.relative_to(store)):
            names.clear()
            continue
        for name in below:
            seen += 1
            path = here / name
            if path not in known and path != store / MARK:
                faults.append(f"{path}: nobody knows of this file")
    return Found(tuple(faults[:SHOWN]), {"files": seen})


def _is_peoples(path: Path) -> bool:
    # <instrument>/<cycle>/<proposal>/usr
    return len(path.parts) == 4 and path.parts[-1] in _PEOPLES


def trashed(replica: Replica, store: Path) -> list[KeptFile]:
    """Where the files of a replica lie that waits in its store's trash."""
    trash = store / ".trash" / f"replica-{replica.id}"
    return [KeptFile(trash / f.name, f.bytes, f.sha256) for f in replica.files]


def modes(folders: Iterable[Prepared]) -> Found:
    """The folders of every proposal, with the modes of the facility."""
    faults = []
    looked = 0
    for prepared in folders:
        for name, expected in MODES.items():
            looked += 1
            folder = prepared.folder / name
            if not folder.is_dir():
                faults.append(f"{folder}: is missing")
                continue
            mode = stat.S_IMODE(folder.stat().st_mode)
            if mode != expected:
                faults.append(f"{folder}: mode {mode:o} instead of {expected:o}")
    return Found(tuple(faults), {"folders": looked})
