"""The mover for stores that are mounted here as POSIX file systems."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from catalogue.ports.movers import names, preparing, removal
from catalogue.ports.movers.contract import (
    Entry,
    FolderFound,
    IsCancelled,
    OnProgress,
    Place,
    Receipt,
)
from catalogue.ports.movers.copying import copy_one, entry_of, scan_one, verify_one, write_one
from catalogue.ports.movers.crew import Crew, Watch
from catalogue.ports.movers.disk import Disk
from catalogue.ports.movers.faults import FULL_STORE_RETRY, in_words, told
from catalogue.ports.movers.folders import (
    Folder,
    folder_below,
    folder_if_there,
    folder_of,
    kind_of,
    last,
    missing,
    must_be_mounted,
    open_mount,
    walk,
)
from catalogue.ports.outcome import Permanent, Transient


class PosixMover:
    """See `contract.Mover`.

    `threads` files are worked on at once: while some wait for the disk, others are hashed.
    `interval` (seconds) is how often the caller hears of progress and may cancel.
    """

    name = "posix"

    def __init__(
        self, *, disk: Disk | None = None, threads: int = 6, interval: float = 0.25
    ) -> None:
        self._disk = disk or Disk()
        self._threads = threads
        self._interval = interval

    def copy(
        self,
        source: Place,
        destination: Place,
        entries: Sequence[Entry],
        *,
        besides: Sequence[Place] = (),
        progress: OnProgress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Receipt:
        began = time.monotonic()
        names.place_components(source)
        names.place_components(destination)
        checked = names.checked(entries)
        with told(f"preparing {destination}"):
            must_be_mounted(self._disk, destination.mount)
            self._must_fit(destination, checked)
            self._make_folders(destination, checked)

        def one(entry: Entry, watch: Watch) -> Entry:
            return copy_one(self._disk, (source, *besides), destination, entry, watch)

        done = self._crew(progress, cancelled).run(checked, one, _watch(checked, passes=2))
        with told(f"flushing {destination}"):
            self._flush_folders(destination, checked)
        return _receipt(done, began)

    def verify(
        self,
        place: Place,
        entries: Sequence[Entry],
        *,
        besides: Sequence[Place] = (),
        progress: OnProgress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Receipt:
        began = time.monotonic()
        names.place_components(place)
        checked = names.checked(entries)

        def one(entry: Entry, watch: Watch) -> Entry | Permanent:
            return verify_one(self._disk, place, entry, watch, besides)

        found = self._crew(progress, cancelled).run(checked, one, _watch(checked, passes=1))
        faults = [each for each in found if isinstance(each, Permanent)]
        if faults:
            raise _first_of(faults)
        return _receipt([each for each in found if isinstance(each, Entry)], began)

    def scan(
        self,
        place: Place,
        *,
        progress: OnProgress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> tuple[Entry, ...]:
        with told(f"listing {place}"), self._folder(place) as folder:
            if folder is None:
                raise Permanent(f"the folder {place} is not there", file=place.path)
            found = [self._registrable(path, status) for path, status in walk(folder)]
        found.sort(key=lambda entry: entry.path)
        files = [entry for entry in found if entry.kind == "file"]

        def one(entry: Entry, watch: Watch) -> Entry:
            return scan_one(self._disk, place, entry, watch)

        hashed = self._crew(progress, cancelled).run(files, one, _watch(files, passes=1))
        by_path = {entry.path: entry for entry in hashed}
        return tuple(by_path.get(entry.path, entry) for entry in found)

    def listing(self, place: Place) -> Iterator[Entry]:
        with told(f"listing {place}"), self._folder(place) as folder:
            if folder is not None:
                for path, status in walk(folder):
                    yield _entry(path, status)

    def make_folder(
        self,
        place: Place,
        *,
        mode: int,
        group: str | int | None = None,
        acl: Sequence[str] | None = None,
    ) -> list[str]:
        with told(f"making {place}"):
            return preparing.make_folder(self._disk, place, mode=mode, group=group, acl=acl)

    def look_at_folder(self, place: Place) -> FolderFound | None:
        with told(f"looking at {place}"):
            return preparing.look_at_folder(self._disk, place)

    def trash(
        self, place: Place, entries: Sequence[Entry], *, key: str, partial: bool = False
    ) -> Receipt:
        with told(f"moving {place} to the trash"):
            return removal.trash(self._disk, place, entries, key=key, partial=partial)

    def restore(self, place: Place, entries: Sequence[Entry], *, key: str) -> Receipt:
        with told(f"restoring {place} from the trash"):
            return removal.restore(self._disk, place, entries, key=key)

    def purge(self, mount: Path, *, key: str, entries: Sequence[Entry]) -> Receipt:
        with told(f"emptying the trash of {mount} under {names.shown(key)}"):
            return removal.purge(self._disk, mount, key=key, entries=entries)

    def remove_empty_folders(self, place: Place) -> list[str]:
        with told(f"removing the empty folders of {place}"):
            return removal.remove_empty_folders(self._disk, place)

    def write(self, place: Place, files: Mapping[str, bytes], *, mode: int = 0o440) -> Receipt:
        began = time.monotonic()
        names.place_components(place)
        entries = names.checked([entry_of(path, data) for path, data in files.items()])
        watch = _watch(entries, passes=2)
        with told(f"writing to {place}"):
            must_be_mounted(self._disk, place.mount)
            self._make_folders(place, entries)
            done = [
                write_one(self._disk, place, entry, files[entry.path], watch, mode=mode)
                for entry in entries
            ]
            self._flush_folders(place, entries)
        return _receipt(done, began)

    def discard(self, place: Place) -> None:
        with told(f"discarding {place}"):
            removal.discard(self._disk, place)

    def open_read(self, place: Place, path: str) -> BinaryIO:
        with told(f"opening {place.path}/{names.shown(path)}"):
            with folder_of(self._disk, place, path) as folder:
                if folder.status(last(path)) is None:
                    raise missing(place, path)
                descriptor = folder.open_file(last(path))
            return os.fdopen(descriptor, "rb", buffering=self._disk.chunk)

    def free_bytes(self, mount: Path) -> int:
        with told(f"looking at {mount}"), open_mount(self._disk, mount) as folder:
            space = self._disk.space(folder.descriptor)
            return space.f_bavail * space.f_frsize

    def _crew(self, progress: OnProgress | None, cancelled: IsCancelled | None) -> Crew:
        return Crew(
            threads=self._threads,
            interval=self._interval,
            progress=progress,
            cancelled=cancelled,
        )

    @contextmanager
    def _folder(self, place: Place) -> Iterator[Folder | None]:
        parts = names.place_components(place)
        must_be_mounted(self._disk, place.mount)
        with folder_if_there(self._disk, place.mount, parts) as folder:
            yield folder

    def _must_fit(self, destination: Place, entries: Sequence[Entry]) -> None:
        """Refuse a copy for which there is no room now.

        Transient, because room comes by itself: the policy removes replicas day by day. Permanent
        only when the whole store is too small.
        """
        with open_mount(self._disk, destination.mount) as folder:
            space = self._disk.space(folder.descriptor)
        block, needed = space.f_frsize or 1, 0
        for parts, together in _by_folder(destination, entries).items():
            with folder_if_there(self._disk, destination.mount, parts) as folder_there:
                for entry in together:
                    if folder_there is None or folder_there.status(last(entry.path)) is None:
                        needed += -(-entry.bytes // block) * block
        free = space.f_bavail * space.f_frsize
        if needed <= free:
            return
        reason = f"{destination.mount} has {in_words(free)} free, the copy needs {in_words(needed)}"
        if needed > space.f_blocks * space.f_frsize:
            reason = f"{reason}, more than the whole store holds"
            raise Permanent(reason, needed=needed, free=free)
        raise Transient(reason, retry_after=FULL_STORE_RETRY, needed=needed, free=free)

    def _make_folders(self, place: Place, entries: Sequence[Entry]) -> None:
        for parts in _by_folder(place, entries):
            with folder_below(self._disk, place.mount, parts, make=True):
                pass

    def _flush_folders(self, place: Place, entries: Sequence[Entry]) -> None:
        """A file's new name is on the disk only when its folder is."""
        for parts in _by_folder(place, entries):
            with folder_below(self._disk, place.mount, parts) as folder:
                self._disk.flush(folder.descriptor)

    @staticmethod
    def _registrable(path: str, status: os.stat_result) -> Entry:
        """The entry of something found; Permanent when its name cannot be registered."""
        names.components(path)
        return _entry(path, status)


def _by_folder(place: Place, entries: Sequence[Entry]) -> dict[tuple[str, ...], list[Entry]]:
    """The entries by the folder they lie in, as components below the mount."""
    found: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        parts = (*place.path.split("/"), *entry.path.split("/")[:-1])
        found.setdefault(parts, []).append(entry)
    return found


def _entry(path: str, status: os.stat_result) -> Entry:
    return Entry(names.shown(path), status.st_size, kind=kind_of(status))


def _watch(entries: Sequence[Entry], *, passes: int) -> Watch:
    volume = sum(entry.bytes for entry in entries)
    return Watch(files=len(entries), volume=volume, passes=passes)


def _receipt(entries: Sequence[Entry], began: float) -> Receipt:
    return Receipt(
        entries=tuple(entries),
        bytes=sum(entry.bytes for entry in entries),
        files=len(entries),
        seconds=time.monotonic() - began,
        read_back=bool(entries),
    )


def _first_of(faults: Sequence[Permanent]) -> Permanent:
    """The first difference, with the others as evidence."""
    first, more = faults[0], len(faults) - 1
    reason = f"{first.reason} (and {more} more files)" if more else first.reason
    differences = [dict(fault.evidence) for fault in faults[: removal.SHOWN]]
    evidence = {**first.evidence, "differences": differences, "count": len(faults)}
    return Permanent(reason, **evidence)
