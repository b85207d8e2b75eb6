"""Runs one program that must not outlive whoever started it.

`python -m catalogue.demo.leash PROGRAM ARGUMENT…`, as the leader of a process group of its own.
Standard input is a pipe that the starter holds open. When it ends, because the starter closed it
or died in any way, the program is asked to end (SIGTERM). When it has, and after `GRACE` seconds at
the latest, what is left of its group is ended (SIGKILL). Only the program itself is asked: one with
workers of its own, as Celery's, waits in vain for workers that somebody else has ended.
The exit code is the program's, or 128 and the number of the signal that ended it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

GRACE = 5.0
_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> int:
    """Run `command`; see the module."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        close_fds=False,
        preexec_fn=_bound(os.getpid()),  # noqa: PLW1509 - there are no threads yet
    )
    alone = threading.Event()
    threading.Thread(target=_end_with_the_starter, args=(child, alone), daemon=True).start()
    code = child.wait()
    if alone.is_set():
        os.killpg(0, signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _bound(leash: int) -> Callable[[], None]:
    """What the child does before it becomes the program: on Linux it asks the kernel to be told
    when this process dies, so that even SIGKILL of both starter and leash leaves nothing."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None

    def bind() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if library is not None:
            library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != leash:
                os._exit(1)

    return bind


def _end_with_the_starter(child: subprocess.Popen[bytes], alone: threading.Event) -> None:
    # os.read: a thread inside sys.stdin would hold its lock when the interpreter ends.
    while os.read(0, 1024):
        pass
    alone.set()
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
