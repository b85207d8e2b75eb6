"""A file that has no name until it is whole, on the disk and read back.

It grows under a hidden name in its own folder, locked. The hidden name follows from the final one,
so the next attempt finds what a killed one left; the lock tells a killed one from one at work.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterable
from types import TracebackType

from catalogue.ports.movers import names
from catalogue.ports.movers.contract import Entry
from catalogue.ports.movers.crew import Watch
from catalogue.ports.movers.folders import Folder, kind_of, move_without_replacing, same_file
from catalogue.ports.movers.reading import Sums, compared, read_anew
from catalogue.ports.outcome import Permanent, Transient

_log = logging.getLogger(__name__)

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class Draft:
    """The file while it grows; on leaving without `publish` it is gone.

    `times` are those of last access and modification, in nanoseconds; None leaves the clock's.
    """

    def __init__(
        self, folder: Folder, name: str, *, mode: int, times: tuple[int, int] | None = None
    ) -> None:
        self.place = folder.shown(name)
        self.hidden = names.hidden(name, "part")
        self._folder = folder
        self._disk = folder.disk
        self._name = name
        self._mode = mode
        self._times = times
        self._descriptor = -1
        self._published = False

    def __enter__(self) -> Draft:
        clear_stale(self._folder, self._name)
        try:
            self._descriptor = self._disk.open(self.hidden, _CREATE, folder=self._folder.descriptor)
        except FileExistsError as error:
            raise _at_work(self._folder, self._name) from error
        try:
            self._disk.lock(self._descriptor)
        except BlockingIOError as error:
            self._disk.close(self._descriptor)
            raise _at_work(self._folder, self._name) from error
        except OSError:
            self._leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._leave()

    def write(self, data: memoryview) -> None:
        """Write all of `data`, however little the system takes at a time."""
        while data:
            count = self._disk.write(self._descriptor, data)
            if count <= 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO), self.hidden)
            data = data[count:]

    def settle(self) -> None:
        """Bring it to the disk and out of memory, with its mode and times."""
        if self._times is not None:
            self._disk.set_times(self._descriptor, *self._times)
        self._disk.set_mode(self._descriptor, self._mode)
        self._disk.flush(self._descriptor)
        self._disk.forget(self._descriptor)

    def read_anew(self, watch: Watch) -> Sums:
        return read_anew(self._folder, self.hidden, watch, adler32=False)

    def publish(self) -> None:
        """Give it its name, which must be free. The folder is flushed by the caller."""
        if not self._is_ours():
            raise Transient(f"{self.place} was taken up by another copy")
        try:
            move_without_replacing(self._folder, self.hidden, self._folder, self._name)
        except FileExistsError as error:
            raise Transient(f"{self.place} appeared while it was being written") from error
        self._published = True

    def _is_ours(self) -> bool:
        status = self._folder.status(self.hidden)
        return status is not None and same_file(status, self._disk.status_of(self._descriptor))

    def _leave(self) -> None:
        """Remove the hidden file while its lock is held. A failure to do so waits for the next
        attempt, which removes it first; it must not hide why this one ended.
        """
        try:
            if not self._published and self._is_ours():
                self._disk.unlink(self.hidden, folder=self._folder.descriptor)
        except OSError as error:
            _log.warning("%s stays behind: %s", self._folder.shown(self.hidden), error)
        finally:
            self._disk.close(self._descriptor)


def clear_stale(folder: Folder, name: str) -> None:
    """Remove the hidden file that a killed attempt at `name` left; Transient if one is at work."""
    disk, hidden = folder.disk, names.hidden(name, "part")
    status = folder.status(hidden)
    if status is None:
        return
    if kind_of(status) != "file" or status.st_uid != os.geteuid():
        reason = f"{folder.shown(hidden)} is in the way of {name} and is no file of ours"
        raise Permanent(reason, file=folder.shown(name))
    descriptor = folder.open_file(hidden)
    try:
        disk.lock(descriptor)
        # Whoever replaces the file holds its lock first; another inode is another attempt's.
        still = folder.status(hidden)
        if still is None or not same_file(still, disk.status_of(descriptor)):
            raise _at_work(folder, name)
        disk.unlink(hidden, folder=folder.descriptor)
    except BlockingIOError as error:
        raise _at_work(folder, name) from error
    finally:
        disk.close(descriptor)


def deliver(
    draft: Draft, entry: Entry, data: Iterable[memoryview], watch: Watch, *, origin: str, path: str
) -> Entry:
    """Fill the draft with `data`: compared with the entry while they pass, then flushed, read back
    by a new opening, compared again, and only then named. The entry comes back with its sha256.

    `origin` and `path` are for messages: where the data come from, and which file it is.
    """
    written = Sums(adler32=entry.adler32 is not None)
    for view in data:
        draft.write(view)
        written.update(view)
        watch.passed(len(view))
        if written.bytes > entry.bytes:
            break
    sure = compared(entry, written, where=origin, path=path)
    draft.settle()
    found = draft.read_anew(watch)
    if (found.bytes, found.sha256) != (sure.bytes, sure.sha256):
        reason = f"sha256 {sure.sha256} was written, {found.sha256} read back at {draft.place}"
        raise Permanent(
            f"{path}: {reason}: the store alters data",
            file=path,
            expected=sure.sha256,
            found=found.sha256,
        )
    draft.publish()
    return sure


def _at_work(folder: Folder, name: str) -> Transient:
    return Transient(f"{folder.shown(name)} is being written by another attempt")
