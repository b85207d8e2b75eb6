"""What the operating system's refusals mean for a job: come back, or call a person."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from catalogue.ports.outcome import Permanent, PortError, Transient

FULL_STORE_RETRY = 1800.0
"""Seconds. Room in a full store comes back by removals that are already scheduled."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

# Network file systems, overload, and a disk that may recover. EIO is among them because a parallel
# file system reports a lost server so; a dead disk ends the job by its number of attempts.
_MAY_PASS = frozenset(
    {
        *(errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EIO, errno.EREMOTEIO, errno.ETXTBSY),
        *(errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.ESHUTDOWN, errno.ENODEV),
        *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH),
        *(errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.EPIPE),
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.ENOLCK),
    }
)


def outcome_of(error: OSError, doing: str, *, file: str | None = None) -> Transient | Permanent:
    """The outcome an operating system error stands for; `doing` begins its sentence."""
    number = error.errno or 0
    reason = f"{doing}: {os.strerror(number) if number else error}"
    code = errno.errorcode.get(number, str(number))
    if number in _FULL:
        return Transient(reason, retry_after=FULL_STORE_RETRY, file=file, errno=code)
    if number in _MAY_PASS:
        return Transient(reason, file=file, errno=code)
    return Permanent(reason, file=file, errno=code)


@contextmanager
def told(doing: str, *, file: str | None = None) -> Iterator[None]:
    """Inside, an OSError becomes the outcome it stands for; a PortError passes as it is."""
    try:
        yield
    except PortError:
        raise
    except OSError as error:
        raise outcome_of(error, doing, file=file) from error


def in_words(count: int) -> str:
    """Bytes for people, in decimal units as on the label of a disk."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}" if unit != "bytes" else f"{count} bytes"
        amount /= 1000
    return f"{amount:.4g} PB"
