"""Files the engine reads and makes: checked before they are read, whole before they have a name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import h5py

from catalogue.ports.engines.contract import ProducedFile, RawFile
from catalogue.ports.outcome import Permanent


def sha256_of(path: Path) -> str:
    """The checksum of a file's bytes, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def below(folder: str, path: str) -> Path:
    """`path` inside `folder`; Permanent where it would leave it."""
    inside = PurePosixPath(path)
    if inside.is_absolute() or ".." in inside.parts or not inside.parts:
        raise Permanent(f"{path!r} is not a path below the folder of the request", file=path)
    return Path(folder) / inside


def checked(path: Path, *, name: str, sha256: str, size: int | None = None) -> Path:
    """`path`, once its bytes are those that were registered; else Permanent with both checksums."""
    if not path.is_file():
        raise Permanent(f"{name} is not there", file=name)
    found_size = path.stat().st_size
    found = sha256_of(path)
    if found != sha256 or (size is not None and size != found_size):
        raise Permanent(
            f"{name} is not the file that was registered",
            file=name,
            registered_sha256=sha256,
            found_sha256=found,
            registered_bytes=size,
            found_bytes=found_size,
        )
    return path


def checked_raw(folder: str, raw: RawFile) -> Path:
    """The RAW file, checked against its registration."""
    return checked(below(folder, raw.path), name=raw.path, sha256=raw.sha256, size=raw.bytes)


@contextmanager
def reading(path: Path, name: str) -> Iterator[h5py.File]:
    """An open HDF5 file. What a broken or foreign file does to its reader becomes Permanent, and
    names the file; errors of the operating system (they have a number) pass through."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except KeyError as error:
        raise Permanent(
            f"{name} lacks a part it must have", file=name, missing=str(error)
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise Permanent(f"{name} cannot be read as HDF5", file=name, error=str(error)) from error


class Products:
    """The files of one request: made in a part folder, published all together at the end.

    Publishing gives each whole file its name by a hard link, which is one step and never replaces
    a file. A name that is taken already (an earlier attempt died while publishing) is accepted when
    it holds the same bytes, else refused.
    """

    def __init__(self, output: Path, parts: Path) -> None:
        self._output = output
        self._parts = parts
        self._made: dict[str, ProducedFile] = {}

    def start(self, name: str) -> Path:
        """Where to write the file that will be called `name`."""
        return self._parts / name

    def finish(self, name: str) -> ProducedFile:
        """The file is written: bring it to disk. It has no name yet."""
        part = self._parts / name
        with part.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._made[name] = ProducedFile(name, part.stat().st_size, digest)
        return self._made[name]

    def publish(self) -> None:
        """Give every file made so far its name."""
        for name, produced in self._made.items():
            final = self._output / name
            try:
                os.link(self._parts / name, final)
            except FileExistsError:
                checked(final, name=name, sha256=produced.sha256, size=produced.bytes)
        folder = os.open(self._output, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
