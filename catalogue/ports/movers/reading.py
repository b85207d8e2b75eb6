"""Checksums of what is on the disk, and their comparison with what the catalogue says."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import threading
import zlib
from collections.abc import Iterator
from dataclasses import replace

from catalogue.ports.movers.contract import Entry
from catalogue.ports.movers.crew import Watch
from catalogue.ports.movers.disk import Disk
from catalogue.ports.movers.folders import Folder
from catalogue.ports.outcome import Permanent, Transient

_buffers = threading.local()


class Sums:
    """Size and checksums of bytes that pass. sha256 always, adler32 if asked."""

    def __init__(self, *, adler32: bool = False) -> None:
        self.bytes = 0
        self._sha256 = hashlib.sha256()
        self._adler32: int | None = 1 if adler32 else None

    def update(self, data: memoryview) -> None:
        self.bytes += len(data)
        self._sha256.update(data)
        if self._adler32 is not None:
            self._adler32 = zlib.adler32(data, self._adler32)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def adler32(self) -> str | None:
        return None if self._adler32 is None else f"{self._adler32:08x}"


def chunks(disk: Disk, descriptor: int) -> Iterator[memoryview]:
    """The bytes of an open file from where it stands; each view is valid until the next.

    The buffer is the thread's own and begins at a page, as reading past the page cache needs.
    """
    view = _buffer(disk.chunk)
    while count := disk.read(descriptor, view):
        yield view[:count]


def _buffer(size: int) -> memoryview:
    if getattr(_buffers, "size", None) != size:
        _buffers.size, _buffers.view = size, memoryview(mmap.mmap(-1, size))
    view: memoryview = _buffers.view
    return view


def read_back(folder: Folder, name: str, watch: Watch, *, adler32: bool) -> Sums:
    """The sums of a file as the disk holds it.

    What is still in memory is written and dropped first. The file is then opened anew, past the
    page cache where the file system can (O_DIRECT); where it cannot, dropping it has to do.
    """
    disk = folder.disk
    descriptor = folder.open_file(name)
    try:
        _flush(disk, descriptor)
        disk.forget(descriptor)
    finally:
        disk.close(descriptor)
    return read_anew(folder, name, watch, adler32=adler32)


def read_anew(folder: Folder, name: str, watch: Watch, *, adler32: bool) -> Sums:
    """The sums of a file that was flushed and dropped, by a new opening; Transient if it changes
    meanwhile.
    """
    try:
        return _sums(folder, name, watch, flags=os.O_DIRECT, adler32=adler32)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.EOPNOTSUPP}:
            raise
    return _sums(folder, name, watch, flags=0, adler32=adler32)


def read_as_is(folder: Folder, name: str, watch: Watch) -> Sums:
    """The sums of a file, from memory if it is there; Transient if it changes meanwhile."""
    return _sums(folder, name, watch, flags=0, adler32=False)


def _sums(folder: Folder, name: str, watch: Watch, *, flags: int, adler32: bool) -> Sums:
    disk, sums = folder.disk, Sums(adler32=adler32)
    descriptor = folder.open_file(name, flags=flags)
    try:
        before = disk.status_of(descriptor)
        for data in chunks(disk, descriptor):
            sums.update(data)
            watch.passed(len(data))
            if sums.bytes >= before.st_size:
                break  # beyond the last, unaligned part an O_DIRECT reader may not ask
        after = disk.status_of(descriptor)
    finally:
        disk.close(descriptor)
    if changed(before, after):
        raise Transient(f"{folder.shown(name)} changed while it was read")
    return sums


def changed(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)


def _flush(disk: Disk, descriptor: int) -> None:
    try:
        disk.flush(descriptor)
    except OSError as error:
        if error.errno not in {errno.EROFS, errno.EINVAL}:
            raise  # a store mounted read-only holds nothing that waits to be written


def size_difference(entry: Entry, size: int, *, where: str, path: str) -> Permanent | None:
    """As `difference`, of the size alone."""
    if size == entry.bytes:
        return None
    reason = f"the catalogue says {entry.bytes} bytes, the file in {where} has {size}"
    return Permanent(f"{path}: {reason}", file=path, expected=entry.bytes, found=size)


def difference(entry: Entry, sums: Sums, *, where: str, path: str) -> Permanent | None:
    """What a person must know when `sums`, found at `where`, are not those of the entry.

    `path` names the file for people, from the store's mount on.
    """
    fault = size_difference(entry, sums.bytes, where=where, path=path)
    if fault is not None:
        return fault
    for checksum in ("sha256", "adler32"):
        expected, found = getattr(entry, checksum), getattr(sums, checksum)
        if expected is not None and found is not None and expected != found:
            reason = f"{checksum} in the catalogue is {expected}, the file in {where} has {found}"
            return Permanent(f"{path}: {reason}", file=path, expected=expected, found=found)
    return None


def compared(entry: Entry, sums: Sums, *, where: str, path: str) -> Entry:
    """The entry with the sha256 that was read, or the difference raised."""
    fault = difference(entry, sums, where=where, path=path)
    if fault is not None:
        raise fault
    return replace(entry, sha256=sums.sha256)
