"""A folder of a store as one stream in tar format, whose length is known before its first byte."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

_CHUNK = 1 << 20
_END = 2 * tarfile.BLOCKSIZE


class Opens(Protocol):
    def __call__(self, path: str) -> BinaryIO: ...


@dataclass(frozen=True, slots=True)
class Member:
    """A file to go into the stream: its path below the top folder, and its size."""

    path: str
    bytes: int


class Changed(RuntimeError):
    """A file is not as long as it was announced; the stream cannot go on."""


class Tar:
    """`members` below a folder named `top`, all dated `at`, so that the same package is the same
    stream every time."""

    def __init__(self, top: str, members: Sequence[Member], at: datetime) -> None:
        self._members = [(m, _header(f"{top}/{m.path}", m.bytes, at)) for m in members]

    @property
    def length(self) -> int:
        """The number of bytes of the whole stream."""
        files = sum(len(header) + m.bytes + _padding(m.bytes) for m, header in self._members)
        return files + _END

    def stream(self, opens: Opens) -> Iterator[bytes]:
        """The bytes, read as they are sent. Raises `Changed` where a file is not as announced."""
        for member, header in self._members:
            yield header
            left = member.bytes
            with opens(member.path) as file:
                while chunk := file.read(min(_CHUNK, left) or 1):
                    left -= len(chunk)
                    if left < 0:
                        raise Changed(f"{member.path} is longer than {member.bytes} bytes")
                    yield chunk
            if left:
                raise Changed(f"{member.path} is {left} bytes shorter than {member.bytes}")
            yield bytes(_padding(member.bytes))
        yield bytes(_END)


def _header(path: str, size: int, at: datetime) -> bytes:
    info = tarfile.TarInfo(path)
    info.size = size
    info.mode = 0o644
    info.mtime = int(at.timestamp())
    return info.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> int:
    return -size % tarfile.BLOCKSIZE
