"""The system calls of the movers, one method each and nothing else.

It is a seam for tests, which break a call, count it or end the process at it. Names are resolved
from an open folder (`folder` is its descriptor), never from the working directory.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

_RENAME_NOREPLACE = 1


def _find_renameat2() -> Callable[..., int] | None:
    library = ctypes.CDLL(None, use_errno=True)
    try:
        function = library.renameat2
    except AttributeError:
        return None
    c = ctypes
    function.argtypes = [c.c_int, c.c_char_p, c.c_int, c.c_char_p, c.c_uint]
    function.restype = c.c_int
    return function


_renameat2 = _find_renameat2()


class Disk:
    """The operating system (Linux)."""

    chunk = 1 << 20
    """Bytes in one read: whole pages, and few enough to stay in a core's cache until hashed."""

    def open(self, name: str | Path, flags: int, *, folder: int | None = None) -> int:
        return os.open(name, flags | os.O_CLOEXEC, 0o600, dir_fd=folder)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def read(self, descriptor: int, into: memoryview) -> int:
        return os.readv(descriptor, [into])

    def write(self, descriptor: int, data: memoryview) -> int:
        return os.write(descriptor, data)

    def flush(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def forget(self, descriptor: int) -> None:
        """Drop the file's clean pages from memory, so that the next reader asks the disk."""
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def lock(self, descriptor: int) -> None:
        """Lock the file against other openings, or raise BlockingIOError."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # NFS locks exclusively only what was opened for writing; shared still meets a writer.
            if error.errno != errno.EBADF:
                raise
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def status(self, name: str, *, folder: int) -> os.stat_result:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)

    def status_of(self, descriptor: int) -> os.stat_result:
        return os.fstat(descriptor)

    def names(self, folder: int) -> list[str]:
        return os.listdir(folder)

    def space(self, folder: int) -> os.statvfs_result:
        return os.fstatvfs(folder)

    def mount_of(self, folder: int) -> int:
        """The number of the mount an open folder belongs to; a bind mount has its own."""
        lines = Path(f"/proc/self/fdinfo/{folder}").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("mnt_id:"))

    def make_folder(self, name: str, *, folder: int) -> None:
        os.mkdir(name, 0o700, dir_fd=folder)

    def set_mode(self, descriptor: int, mode: int) -> None:
        os.fchmod(descriptor, mode)

    def set_group(self, descriptor: int, group: int) -> None:
        os.fchown(descriptor, -1, group)

    def set_times(self, descriptor: int, accessed_ns: int, modified_ns: int) -> None:
        os.utime(descriptor, ns=(accessed_ns, modified_ns))

    def rename_exclusively(self, name: str, new: str, *, folder: int, into: int) -> None:
        """Rename, or raise FileExistsError; EINVAL or ENOSYS where the file system cannot."""
        if _renameat2 is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        if _renameat2(folder, os.fsencode(name), into, os.fsencode(new), _RENAME_NOREPLACE):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), name)

    def rename(self, name: str, new: str, *, folder: int, into: int) -> None:
        os.rename(name, new, src_dir_fd=folder, dst_dir_fd=into)

    def link(self, name: str, new: str, *, folder: int, into: int) -> None:
        os.link(name, new, src_dir_fd=folder, dst_dir_fd=into, follow_symlinks=False)

    def unlink(self, name: str, *, folder: int) -> None:
        os.unlink(name, dir_fd=folder)

    def remove_folder(self, name: str, *, folder: int) -> None:
        os.rmdir(name, dir_fd=folder)
