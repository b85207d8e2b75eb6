"""Answering with a part of a file (RFC 9110, section 14), so that a download that broke off goes on
where it stopped."""

from __future__ import annotations

import re
from typing import BinaryIO

_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*")


class NoSuchRange(Exception):
    """No byte of what is asked for exists; the file has `size` bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes.")
        self.size = size


def asked(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte that a Range header asks for, of a file of `size` bytes. None where the
    whole is to be sent: several ranges at once, another unit, or nothing that can be read. Raises
    `NoSuchRange`."""
    read = _RANGE.fullmatch(header)
    if read is None or read.groups() == ("", ""):
        return None
    if read[1] == "":
        first, last = max(size - int(read[2]), 0), size - 1
    else:
        first, last = int(read[1]), min(int(read[2]) if read[2] else size - 1, size - 1)
        if read[2] and int(read[2]) < first:
            return None
    if first >= size:
        raise NoSuchRange(size)
    return first, last


class Part:
    """What is left to read of an open file: `length` bytes from `first`."""

    def __init__(self, file: BinaryIO, first: int, length: int) -> None:
        file.seek(first)
        self._file = file
        self._left = length

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`."""
        wanted = self._left if size < 0 else min(size, self._left)
        piece = self._file.read(wanted)
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()
