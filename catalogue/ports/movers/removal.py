"""The one place in the house where files leave: into the trash, back from it, and out of it.

Each verb looks at all its files before it touches the first, acts on exactly those it was told,
and may be repeated after a crash anywhere.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalogue.ports.movers import names
from catalogue.ports.movers.contract import Entry, Place, Receipt
from catalogue.ports.movers.disk import Disk
from catalogue.ports.movers.draft import clear_stale
from catalogue.ports.movers.folders import (
    Folder,
    folder_below,
    folder_if_there,
    kind_of,
    last,
    make_whole,
    move_without_replacing,
    must_be_mounted,
    open_mount,
    same_file,
    walk,
)
from catalogue.ports.movers.reading import size_difference
from catalogue.ports.outcome import Permanent

SHOWN = 100
"""How many names an outcome carries; the rest is a number."""

_PRIVATE = 0o700
_STAYS = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.ENOENT})


@dataclass(frozen=True, slots=True)
class _Side:
    """One end of a move: a folder below a mount, which need not exist yet."""

    mount: Path
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join([str(self.mount), *self.parts])

    def folder_of(self, path: str) -> list[str]:
        return [*self.parts, *path.split("/")[:-1]]


def trash(
    disk: Disk, place: Place, entries: Sequence[Entry], *, key: str, partial: bool
) -> Receipt:
    """See the contract."""
    here, there = _sides(place, key)
    checked = names.checked(entries)
    must_be_mounted(disk, place.mount)
    if partial:
        for entry in checked:
            _clear_draft(disk, here, entry)
    return _shift(disk, here, there, checked, partial=partial)


def restore(disk: Disk, place: Place, entries: Sequence[Entry], *, key: str) -> Receipt:
    """See the contract."""
    here, there = _sides(place, key)
    checked = names.checked(entries)
    must_be_mounted(disk, place.mount)
    return _shift(disk, there, here, checked, partial=False)


def purge(disk: Disk, mount: Path, *, key: str, entries: Sequence[Entry]) -> Receipt:
    """See the contract."""
    began = time.monotonic()
    side = _Side(mount, (names.TRASH, names.key_component(key)))
    checked = names.checked(entries)
    must_be_mounted(disk, mount)
    there = [entry for entry in checked if _status(disk, side, entry) is not None]
    for entry in there:
        with folder_below(disk, mount, side.folder_of(entry.path)) as folder:
            disk.unlink(last(entry.path), folder=folder.descriptor)
    _flush_folders(disk, side, there)
    _prune(disk, side, checked)
    remaining = _paths_below(disk, side)
    if remaining:
        raise Permanent(
            f"{side} holds {len(remaining)} files that the catalogue did not put there,"
            f" for example {remaining[0]}: they stay",
            file=remaining[0],
            remaining=remaining[:SHOWN],
            count=len(remaining),
        )
    return _receipt(checked, began)


def remove_empty_folders(disk: Disk, place: Place) -> list[str]:
    """See the contract."""
    parts = names.place_components(place)
    must_be_mounted(disk, place.mount)
    with folder_if_there(disk, place.mount, parts) as folder:
        if folder is None:
            return []
        remaining = sorted(_emptied(folder, disk.mount_of(folder.descriptor)))
    if not remaining and not _remove_folder(disk, place.mount, parts):
        remaining = ["./"]
    return remaining


def discard(disk: Disk, place: Place) -> None:
    """See the contract."""
    parts = names.place_components(place)
    if parts[0] != names.WORK or len(parts) < 2:
        raise Permanent(f"refused to discard {place}: it is not below {place.mount}/{names.WORK}")
    with folder_if_there(disk, place.mount, parts[:-1]) as above:
        if above is None or above.status(parts[-1]) is None:
            return
        with above.enter(parts[-1]) as folder:
            _clear(folder, disk.mount_of(above.descriptor), depth=len(parts))
        disk.remove_folder(parts[-1], folder=above.descriptor)
        disk.flush(above.descriptor)


def _sides(place: Place, key: str) -> tuple[_Side, _Side]:
    here = _Side(place.mount, tuple(names.place_components(place)))
    return here, _Side(place.mount, (names.TRASH, names.key_component(key)))


def _shift(
    disk: Disk, source: _Side, target: _Side, entries: Sequence[Entry], *, partial: bool
) -> Receipt:
    """Move the entries from one side to the other; those already there count as moved."""
    began = time.monotonic()
    waiting, moved = _sorted_out(disk, source, target, entries, partial=partial)
    for entry in waiting:
        _shift_one(disk, source, target, entry)
    # Again for those an earlier attempt moved: it may have ended before it flushed.
    _flush_folders(disk, target, [*waiting, *moved])
    _flush_folders(disk, source, [*waiting, *moved])
    _prune(disk, source, entries)
    done = {entry.path for entry in (*waiting, *moved)}
    return _receipt([entry for entry in entries if entry.path in done], began)


def _sorted_out(
    disk: Disk, source: _Side, target: _Side, entries: Sequence[Entry], *, partial: bool
) -> tuple[list[Entry], list[Entry]]:
    """Which entries are still at the source, which at the target; refused before anything moves."""
    waiting, moved = [], []
    for entry in entries:
        here, there = _status(disk, source, entry), _status(disk, target, entry)
        if here is not None and there is not None and not same_file(here, there):
            reason = f"{entry.path} is in {source} and in {target}; neither is overwritten"
            raise Permanent(reason, file=entry.path)
        if here is not None:
            waiting.append(entry)
        elif there is not None:
            moved.append(entry)
        elif not partial:
            reason = f"{entry.path} is neither in {source} nor in {target}"
            raise Permanent(reason, file=entry.path, expected=entry.bytes, found=None)
    return waiting, moved


def _status(disk: Disk, side: _Side, entry: Entry) -> os.stat_result | None:
    """The status of the entry's file, if it has one there; Permanent when it is another thing."""
    with folder_if_there(disk, side.mount, side.folder_of(entry.path)) as folder:
        status = None if folder is None else folder.status(last(entry.path))
        if folder is None or status is None:
            return None
        if kind_of(status) != "file":
            raise folder.not_a("file", last(entry.path))
    where = f"{side}/{entry.path}"
    fault = size_difference(entry, status.st_size, where=where, path=entry.path)
    if fault is not None:
        raise Permanent(f"{fault.reason}: it is not touched", **fault.evidence)
    return status


def _shift_one(disk: Disk, source: _Side, target: _Side, entry: Entry) -> None:
    name = last(entry.path)
    with (
        folder_below(disk, source.mount, source.folder_of(entry.path)) as from_folder,
        _made(disk, target, entry) as to_folder,
    ):
        there = to_folder.status(name)
        if there is not None:
            # Two names of one file: an attempt ended between a link and the removal of the other.
            here = from_folder.status(name)
            if here is None or not same_file(here, there):
                raise Permanent(f"{to_folder.shown(name)} has appeared", file=entry.path)
            disk.unlink(name, folder=from_folder.descriptor)
            return
        try:
            move_without_replacing(from_folder, name, to_folder, name)
        except FileExistsError as error:
            raise Permanent(f"{to_folder.shown(name)} has appeared", file=entry.path) from error


@contextmanager
def _made(disk: Disk, side: _Side, entry: Entry) -> Iterator[Folder]:
    """The entry's folder on this side, made if need be; the trash is for this process alone."""
    if side.parts[0] == names.TRASH:
        with open_mount(disk, side.mount) as mount:
            if mount.status(names.TRASH) is None:
                make_whole(mount, names.TRASH, _PRIVATE)
    with folder_below(disk, side.mount, side.folder_of(entry.path), make=True) as folder:
        yield folder


def _clear_draft(disk: Disk, side: _Side, entry: Entry) -> None:
    with folder_if_there(disk, side.mount, side.folder_of(entry.path)) as folder:
        if folder is not None:
            clear_stale(folder, last(entry.path))


def _folders(side: _Side, entries: Iterable[Entry]) -> list[tuple[str, ...]]:
    """The folders of the entries and those above them, up to the side's own, deepest first."""
    found = {side.parts}
    for entry in entries:
        parts = tuple(side.folder_of(entry.path))
        found.update(parts[:length] for length in range(len(side.parts), len(parts) + 1))
    return sorted(found, key=lambda parts: (-len(parts), parts))


def _flush_folders(disk: Disk, side: _Side, entries: Sequence[Entry]) -> None:
    for parts in _folders(side, entries):
        with folder_if_there(disk, side.mount, parts) as folder:
            if folder is not None:  # an earlier attempt may have removed it, empty
                disk.flush(folder.descriptor)


def _prune(disk: Disk, side: _Side, entries: Sequence[Entry]) -> None:
    for parts in _folders(side, entries):
        _remove_folder(disk, side.mount, parts)


def _emptied(folder: Folder, mount: int, above: str = "", depth: int = 0) -> Iterator[str]:
    """Remove the empty folders below this one, within one mount; the paths of all else."""
    disk = folder.disk
    for name in disk.names(folder.descriptor):
        path = f"{above}{name}"
        status = folder.status(name)
        if status is None:
            continue
        if kind_of(status) != "folder" or depth >= names.DEEPEST:
            yield names.shown(path)
            continue
        with folder.enter(name) as child:
            if disk.mount_of(child.descriptor) == mount:
                remaining = list(_emptied(child, mount, f"{path}/", depth + 1))
            else:
                remaining = [names.shown(f"{path}/")]
        if not remaining and not _removed(folder, name):
            remaining = [names.shown(f"{path}/")]  # filled meanwhile
        yield from remaining


def _removed(above: Folder, name: str) -> bool:
    """Remove a folder if it is empty; whether it is gone."""
    try:
        above.disk.remove_folder(name, folder=above.descriptor)
    except OSError as error:
        if error.errno not in _STAYS:
            raise
        return error.errno == errno.ENOENT
    return True


def _remove_folder(disk: Disk, mount: Path, parts: Sequence[str]) -> bool:
    """As `_removed`, by its place below the mount, and the folder above is flushed."""
    with folder_if_there(disk, mount, parts[:-1]) as above:
        gone = above is None or _removed(above, parts[-1])
        if above is not None and gone:
            disk.flush(above.descriptor)
    return gone


def _clear(folder: Folder, mount: int, *, depth: int) -> None:
    """Remove all that is in a work folder. Links are removed, not followed; Permanent at a folder
    in which something else is mounted (an engine may have been shown its input so).
    """
    disk = folder.disk
    if disk.mount_of(folder.descriptor) != mount or depth > names.DEEPEST:
        raise Permanent(
            f"{names.shown(folder.path)} is a mount point or nested too deep to discard"
        )
    for name in disk.names(folder.descriptor):
        status = folder.status(name)
        if status is None:
            continue
        if kind_of(status) != "folder":
            disk.unlink(name, folder=folder.descriptor)
            continue
        with folder.enter(name) as child:
            _clear(child, mount, depth=depth + 1)
        disk.remove_folder(name, folder=folder.descriptor)


def _paths_below(disk: Disk, side: _Side) -> list[str]:
    with folder_if_there(disk, side.mount, side.parts) as folder:
        return [] if folder is None else [names.shown(path) for path, _ in walk(folder)]


def _receipt(entries: Sequence[Entry], began: float) -> Receipt:
    volume = sum(entry.bytes for entry in entries)
    return Receipt(tuple(entries), volume, len(entries), time.monotonic() - began, read_back=False)
