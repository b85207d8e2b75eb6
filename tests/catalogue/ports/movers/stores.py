"""Stores, files and disks for the tests of the movers."""

from __future__ import annotations

import errno
import hashlib
import os
import pickle
import random
import stat
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from catalogue.ports.movers import Entry, Place, PosixMover
from catalogue.ports.movers.disk import Disk
from catalogue.ports.movers.names import HIDDEN

Result = TypeVar("Result")

RUN = "SPB/202601/p900060/raw/r0001"
CHUNK = 4096
CALLS = [name for name, call in vars(Disk).items() if callable(call) and name[0] != "_"]


def files(*, seed: int = 1) -> dict[str, bytes]:
    """A run's files: empty, of one byte, of whole and of broken chunks, one in a folder below."""
    source = random.Random(seed)
    return {
        "RAW-R0001-DA01-S00000.h5": source.randbytes(3 * CHUNK + 17),
        "RAW-R0001-XGM-S00000.h5": source.randbytes(2 * CHUNK),
        "below/deeper/RAW-R0001-AGIPD00-S00000.h5": source.randbytes(1),
        "empty.h5": b"",
    }


def entry(path: str, data: bytes, *, adler: bool = False) -> Entry:
    sha256 = hashlib.sha256(data).hexdigest()
    return Entry(path, len(data), sha256, f"{zlib.adler32(data):08x}" if adler else None)


def entries(content: Mapping[str, bytes]) -> list[Entry]:
    return [entry(path, data) for path, data in content.items()]


def put(place: Place, content: Mapping[str, bytes]) -> None:
    """Lay the files down as a DAQ would, with a time of their own."""
    for number, (path, data) in enumerate(content.items()):
        target = Path(str(place)) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        os.utime(target, ns=(10**18, 10**18 + number))


def flip(path: Path, at: int = 0) -> None:
    """Change one byte, and nothing else that a catalogue could see."""
    times = path.stat()
    mode = stat.S_IMODE(times.st_mode)
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    path.chmod(mode)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def world(root: Path) -> dict[str, tuple[object, ...]]:
    """All that lies below `root`: kind, mode, and content and time of files."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        mode = f"{stat.S_IMODE(status.st_mode):o}"
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_dir():
            found[name] = ("folder", mode)
        elif path.is_file():
            found[name] = ("file", mode, path.read_bytes(), status.st_mtime_ns)
        else:
            found[name] = ("special", mode)
    return found


def contents(root: Path) -> dict[str, bytes]:
    """Path and content of every regular file below `root`."""
    return {name: seen[2] for name, seen in world(root).items() if seen[0] == "file"}  # type: ignore[misc]


def hidden(root: Path) -> list[str]:
    """What attempts have left under hidden names."""
    return [path.name for path in root.rglob("*") if path.name.startswith(HIDDEN)]


class SmallDisk(Disk):
    """Reads in small pieces, so that small files have several."""

    chunk = CHUNK


class QuickDisk(SmallDisk):
    """Does not wait for the real disk: for tests that run a thousand times."""

    def flush(self, descriptor: int) -> None:
        return None

    def forget(self, descriptor: int) -> None:
        return None

    def open(self, name: str | Path, flags: int, *, folder: int | None = None) -> int:
        return super().open(name, flags & ~os.O_DIRECT, folder=folder)


class PlainRename(QuickDisk):
    """A file system without exclusive rename, such as NFS."""

    def rename_exclusively(self, name: str, new: str, *, folder: int, into: int) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


class PlainRenameNoLinks(PlainRename):
    """… and without hard links, or with files of other people."""

    def link(self, name: str, new: str, *, folder: int, into: int) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))


class Killed(BaseException):
    """The process is gone: what is not a system call already made does not happen."""


def stepped(
    kind: type[Disk], *, at: int, call: str | None = None, fault: OSError | None = None
) -> Disk:
    """A disk of this kind that fails at its `at`-th call (of those named `call`), from 1.

    Without `fault` it is killed there: each later call fails too, so nothing can be cleaned up,
    except that descriptors are closed, as the kernel does. `.count` tells how many calls came.
    """

    def wrapped(name: str) -> Callable[..., object]:
        def called(self: Any, *args: object, **options: object) -> object:
            self.count += call is None or name == call or self.count >= at
            if name == "close":
                getattr(kind, name)(self, *args)
            if fault is None and self.count >= at:
                raise Killed
            if fault is not None and self.count == at:
                self.failed = name
                raise fault
            return None if name == "close" else getattr(kind, name)(self, *args, **options)

        return called

    made = type(f"Stepped{kind.__name__}", (kind,), {name: wrapped(name) for name in CALLS})
    disk: Disk = made()
    disk.count = 0  # type: ignore[attr-defined]
    disk.failed = ""  # type: ignore[attr-defined]
    return disk


def mover(disk: Disk | None = None, *, threads: int = 1) -> PosixMover:
    """One thread, so that the order of the calls is always the same."""
    return PosixMover(disk=disk or SmallDisk(), threads=threads, interval=0.01)


def as_nobody(act: Callable[[], Result]) -> Result:
    """What `act` returns in a child process without privileges, whoever runs the tests."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            assert os.geteuid() != 0
            answer = pickle.dumps((True, act()))
        except BaseException as error:  # noqa: BLE001  (told to the parent, which raises)
            answer = pickle.dumps((False, f"{type(error).__name__}: {error}"))
        with os.fdopen(writing, "wb") as stream:
            stream.write(answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        worked, result = pickle.loads(stream.read())  # noqa: S301  (our own child's)
    os.waitpid(child, 0)
    if not worked:
        raise AssertionError(result)
    return result  # type: ignore[no-any-return]
