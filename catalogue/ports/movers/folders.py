"""Folders opened one component at a time from the mount, so that no link leads out of it.

A name is always resolved from the open descriptor of its folder. A link put in the place of a
folder after it was opened changes nothing; one put there before is refused when it is met.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType

from catalogue.ports.movers import names
from catalogue.ports.movers.contract import Kind, Place
from catalogue.ports.movers.disk import Disk
from catalogue.ports.outcome import Permanent, Transient

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_INHERITED = 0o2775
_CANNOT_RENAME_EXCLUSIVELY = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
_CANNOT_LINK = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK})


def kind_of(status: os.stat_result) -> Kind:
    """What a directory entry is."""
    if stat.S_ISREG(status.st_mode):
        return "file"
    if stat.S_ISDIR(status.st_mode):
        return "folder"
    return "link" if stat.S_ISLNK(status.st_mode) else "special"


def same_file(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


class Folder:
    """An open folder; `path` is for messages only."""

    def __init__(self, disk: Disk, descriptor: int, path: str) -> None:
        self.disk = disk
        self.descriptor = descriptor
        self.path = path

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.disk.close(self.descriptor)

    def shown(self, name: str) -> str:
        return names.shown(f"{self.path}/{name}")

    def status(self, name: str) -> os.stat_result | None:
        """The status of a name, of a link itself if it is one; None when nothing has the name."""
        try:
            return self.disk.status(name, folder=self.descriptor)
        except FileNotFoundError:
            return None

    def enter(self, name: str) -> Folder:
        """Open a folder in this one; FileNotFoundError when there is none."""
        try:
            descriptor = self.disk.open(name, _OPEN_FOLDER | os.O_NOFOLLOW, folder=self.descriptor)
        except OSError as error:
            if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
                raise
            raise self.not_a("folder", name) from error
        return Folder(self.disk, descriptor, f"{self.path}/{name}")

    def open_file(self, name: str, *, flags: int = 0) -> int:
        """A descriptor of a regular file in this folder, opened for reading."""
        status = self.disk.status(name, folder=self.descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise self.not_a("file", name)
        try:
            descriptor = self.disk.open(name, _OPEN_FILE | flags, folder=self.descriptor)
        except OSError as error:
            if error.errno not in {errno.ELOOP, errno.ENXIO}:
                raise
            raise self.not_a("file", name) from error
        if not stat.S_ISREG(self.disk.status_of(descriptor).st_mode):
            self.disk.close(descriptor)
            raise self.not_a("file", name)
        return descriptor

    def not_a(self, wanted: Kind, name: str) -> Permanent:
        """The refusal of something that is not what it should be."""
        status = self.status(name)
        found = "gone" if status is None else f"a {kind_of(status)}"
        reason = f"{self.shown(name)} is {found}, not a {wanted}; links are never followed"
        return Permanent(reason, file=self.shown(name), expected=wanted, found=found)

    def is_empty(self) -> bool:
        return not self.disk.names(self.descriptor)


def open_mount(disk: Disk, mount: Path) -> Folder:
    """The store's mount point. A link there is the administrator's own and is followed."""
    if not mount.is_absolute():
        raise Permanent(f"refused the mount point “{names.shown(str(mount))}”: it is not absolute")
    try:
        return Folder(disk, disk.open(mount, _OPEN_FOLDER), str(mount))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Transient(f"the store's mount point {mount} is not there") from error


def must_be_mounted(disk: Disk, mount: Path) -> None:
    """Transient when the mount point is empty: so looks a store that is not mounted."""
    with open_mount(disk, mount) as folder:
        if folder.is_empty():
            raise Transient(f"the store's mount point {mount} is empty: is the store mounted?")


@contextmanager
def folder_below(
    disk: Disk, mount: Path, parts: Sequence[str], *, make: bool = False
) -> Iterator[Folder]:
    """The folder at `parts` below the mount, closed afterwards; FileNotFoundError if missing.

    With `make`, missing ones are made, each with the mode of the one above it.
    """
    folder = open_mount(disk, mount)
    try:
        for part in parts:
            child = _enter_or_make(folder, part) if make else folder.enter(part)
            folder, above = child, folder
            above.close()
        yield folder
    finally:
        folder.close()


@contextmanager
def folder_if_there(disk: Disk, mount: Path, parts: Sequence[str]) -> Iterator[Folder | None]:
    """As `folder_below`, or None when one of the folders is missing."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(folder_below(disk, mount, parts))
        except FileNotFoundError:
            yield None
        else:
            yield folder


@contextmanager
def folder_of(disk: Disk, place: Place, path: str) -> Iterator[Folder]:
    """The folder in which the file at `path` of the place lies; `missing` is raised without it."""
    parts = [*names.place_components(place), *names.components(path)[:-1]]
    with folder_if_there(disk, place.mount, parts) as folder:
        if folder is None:
            must_be_mounted(disk, place.mount)
            raise missing(place, path)
        yield folder


def missing(place: Place, path: str, *, expected: object = None) -> Permanent:
    """The outcome for a file the catalogue knows and the place does not have."""
    file = f"{place.path}/{path}"
    return Permanent(f"{file}: missing in {place.mount}", file=file, expected=expected, found=None)


def last(path: str) -> str:
    """The name a path ends in."""
    return path.rpartition("/")[2]


def _enter_or_make(folder: Folder, name: str) -> Folder:
    try:
        return folder.enter(name)
    except FileNotFoundError:
        mode = stat.S_IMODE(folder.disk.status_of(folder.descriptor).st_mode)
        make_whole(folder, name, mode & _INHERITED | stat.S_IRWXU)
        return folder.enter(name)


def make_whole(above: Folder, name: str, mode: int) -> None:
    """Make a folder that has its mode from the moment it has its name.

    Built under a hidden name: after a crash in between, nobody meets a folder with the umask's
    mode. When another process makes the same one, either's is fine.
    """
    disk, hidden = above.disk, names.hidden(name, "folder")
    try:
        disk.make_folder(hidden, folder=above.descriptor)
    except FileExistsError:
        left = above.status(hidden)
        if left is not None and left.st_uid != os.geteuid():
            raise Permanent(f"{above.shown(hidden)} is in the way and not ours") from None
    try:
        _finish(above, hidden, name, mode)
    except FileNotFoundError:
        if above.status(name) is None:
            raise
    except FileExistsError:
        disk.remove_folder(hidden, folder=above.descriptor)
    except OSError:
        with suppress(OSError):  # the first failure is the one to tell; the next attempt finds it
            disk.remove_folder(hidden, folder=above.descriptor)
        raise
    disk.flush(above.descriptor)


def _finish(above: Folder, hidden: str, name: str, mode: int) -> None:
    with above.enter(hidden) as fresh, suppress(PermissionError):
        # A file system without modes; where a mode was asked for, what came of it is told.
        above.disk.set_mode(fresh.descriptor, mode)
    move_without_replacing(above, hidden, above, name)


def move_without_replacing(source: Folder, name: str, destination: Folder, new: str) -> None:
    """Rename within one file system, or raise FileExistsError.

    Where the file system has no exclusive rename (NFS), a second link is made and the first
    removed: killed in between, both names are the same file. Where it makes no link either (other
    people's files, folders), the name is looked at before the rename.
    """
    disk = source.disk
    try:
        disk.rename_exclusively(name, new, folder=source.descriptor, into=destination.descriptor)
        return
    except OSError as error:
        if error.errno not in _CANNOT_RENAME_EXCLUSIVELY:
            raise
    try:
        disk.link(name, new, folder=source.descriptor, into=destination.descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_LINK:
            raise
    else:
        disk.unlink(name, folder=source.descriptor)
        return
    if destination.status(new) is not None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
    disk.rename(name, new, folder=source.descriptor, into=destination.descriptor)


def walk(folder: Folder, above: str = "", depth: int = 0) -> Iterator[tuple[str, os.stat_result]]:
    """Everything below that is not a folder, with raw names, sorted at each level.

    Folders deeper than the limit come as they are, not entered.
    """
    for name in sorted(folder.disk.names(folder.descriptor)):
        path = f"{above}{name}"
        status = folder.status(name)
        if status is None:
            continue
        if kind_of(status) == "folder" and depth < names.DEEPEST:
            with folder.enter(name) as child:
                yield from walk(child, f"{path}/", depth + 1)
        else:
            yield path, status
