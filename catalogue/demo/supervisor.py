"""Starts programs and ends them all: by Ctrl-C, by SIGTERM, or when one of them ends by itself.

Each runs on a leash (`catalogue.demo.leash`) in a session and process group of its own, so that
Ctrl-C at the terminal reaches this process alone and nothing outlives it, however it ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from catalogue.demo import leash

_CODE = Path(__file__).resolve().parents[2]
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOWN = 12  # lines of a log that are shown when its program failed
_DYING = 2.0  # seconds that what was killed may take until it is gone


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM; no error, so that nothing on the way swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)


class EndedError(Exception):
    """A program ended that should not have; the message says which, and ends with its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A program on its leash. Without a `log` it writes where we write."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None


class Supervisor:
    """`with Supervisor(environment, logs) as programs: …`; leaving ends them all."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = dict(environment)
        self._logs = logs
        self._children: list[Child] = []
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._handlers = {number: signal.signal(number, _interrupt) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A second Ctrl-C must not cut short what ends the programs.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        shown: bool = False,
        sockets: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Child:
        """Start a program; its output goes to `<name>.log`, or with `shown` where ours goes. What
        is in `environment` it has besides."""
        log = None if shown else self._logs / f"{name}.log"
        output = None if log is None else log.open("ab")
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", leash.__name__, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                cwd=_CODE,
                env={**self._environment, **(environment or {})},
                start_new_session=True,
                pass_fds=sockets,
            )
        finally:
            if output is not None:
                output.close()
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def finish(self, child: Child) -> int:
        """Wait until `child` has ended; its exit code. `EndedError` when another ends before."""
        while True:
            ended = self._next_end()
            code = ended.process.wait()
            self._children.remove(ended)
            _let_go(ended)
            _end_group(ended)
            if ended is child:
                return code
            raise EndedError(_last_words(ended, code))

    def watch(self) -> None:
        """Wait until a program ends, and raise `EndedError` for it."""
        ended = self._next_end()
        raise EndedError(_last_words(ended, ended.process.wait()))

    def must(self, child: Child) -> None:
        """`finish` a program that has to succeed; raises `EndedError` when it does not."""
        code = self.finish(child)
        if code:
            raise EndedError(_last_words(child, code))

    def stop(self) -> None:
        """End every program, the last started first, and return when none is left."""
        for child in reversed(self._children):
            _let_go(child)
        until = time.monotonic() + leash.GRACE + 2.0
        for child in reversed(self._children):
            # If not even the leash heeds: what follows cannot be refused.
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(until - time.monotonic(), 0.1))
            _end_group(child)
            child.process.wait()
        self._children.clear()

    def _next_end(self) -> Child:
        """The child that ends next; it is not reaped here."""
        while True:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            assert found is not None
            for child in self._children:
                if child.process.pid == found.si_pid:
                    return child
            # Not ours to supervise (a library's own process): reap it and look on.
            os.waitpid(found.si_pid, 0)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted(number)


def _let_go(child: Child) -> None:
    """The leash sees the end of its input, and ends the program and its group."""
    assert child.process.stdin is not None
    child.process.stdin.close()


def _end_group(child: Child) -> None:
    """Whatever the program left in its group is killed, and waited for."""
    until = time.monotonic() + _DYING
    # The errors say that nobody is left in it (macOS answers EPERM for a group of the dead). A
    # killed process goes when the kernel gets to it, and its parent, not ours to hurry, reaps it.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
        while time.monotonic() < until:
            os.killpg(child.process.pid, 0)
            time.sleep(0.01)


def _last_words(child: Child, code: int) -> str:
    code = code if code >= 0 else 128 - code
    how = f"was ended by {signal.Signals(code - 128).name}" if code > 128 else f"ended with {code}"
    if child.log is None:
        return f"The {child.name} {how}."
    lines = child.log.read_text(errors="replace").splitlines()[-_SHOWN:]
    words = "\n".join(f"    {line}" for line in lines)
    return f"The {child.name} {how}. The end of {child.log}:\n{words}"
