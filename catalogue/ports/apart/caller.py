"""The caller's half of a program that is run apart.

The process gets the request and the folders named in it: no database, no settings, no secrets of
the site, whatever is in this process's environment. It is killed, with all it may have started,
when the work is called off and when this process ends in any way.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import catalogue
from catalogue.ports.outcome import Cancelled, Permanent, PortError, Transient

Progress = Callable[[float, str], None]
"""Called with a fraction from 0 to 1 and a few words."""
IsCancelled = Callable[[], bool]
"""Asked often; once true, the program stops and `Cancelled` is raised."""

# What a Python program needs to start; everything else in our environment is none of its business.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH")
_LOOK_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Apart:
    """A program: the module that is run, what people call it ("the engine"), what it is at ("the
    calibration"), and after how many seconds without a word (a dead network store) it is killed."""

    module: str
    name: str
    work: str
    silence: float = 600.0

    def run(
        self, task: str, request: Mapping[str, Any], output: Path, *,
        progress: Progress, cancelled: IsCancelled,
    ) -> object:  # fmt: skip
        """The receipt, as JSON. Each attempt has a folder of its own in the work folder `output`,
        so that one that died leaves nothing in the way of the next; the owner of the work folder
        clears them all."""
        if not output.is_dir():
            raise Permanent("the work folder is not there", folder=str(output))
        attempt = Path(tempfile.mkdtemp(prefix=".engine-", dir=output))
        order = attempt / "request.json"
        order.write_text(json.dumps({"task": task, "request": request, "parts": str(attempt)}))
        errors = attempt / "stderr.log"
        with errors.open("wb") as stderr:
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", self.module, str(order)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
                cwd=attempt, env=environment(attempt), start_new_session=True,
            )  # fmt: skip
        try:
            said = self._follow(child, progress, cancelled)
        finally:
            _end(child)
        return self._outcome(child.returncode, said, errors)

    def _follow(
        self, child: subprocess.Popen[bytes], progress: Progress, cancelled: IsCancelled
    ) -> Mapping[str, Any]:
        """Pass progress on until the program has said its last word, which is returned."""
        assert child.stdout is not None
        last: dict[str, Any] = {}
        heard, rest = time.monotonic(), b""
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while True:
                if cancelled():
                    raise Cancelled(f"{self.work} was called off while it ran")
                if not selector.select(_LOOK_EVERY):
                    if time.monotonic() - heard > self.silence:
                        raise Transient(f"{self.name} has said nothing for {self.silence:g} s")
                    continue
                block = os.read(child.stdout.fileno(), 65536)
                if not block:
                    child.wait()
                    return last
                heard = time.monotonic()
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    last = _understood(line)
                    if "progress" in last:
                        progress(float(last["progress"]), str(last["text"]))

    def _outcome(self, code: int, said: Mapping[str, Any], errors: Path) -> object:
        if code == 0 and "receipt" in said:
            return said["receipt"]
        if "failed" in said:
            kind: type[PortError] = Transient if said["failed"] == "transient" else Permanent
            raise kind(str(said["reason"]), **said["evidence"])
        tail = errors.read_text(errors="replace")[-2000:]
        if code < 0:
            signalled = signal.Signals(-code).name
            raise Transient(f"{self.name} was killed by {signalled}", signal=signalled, stderr=tail)
        raise Permanent(f"{self.name} ended with code {code} and no word", code=code, stderr=tail)


def environment(folder: Path) -> dict[str, str]:
    """The whole environment of the program: enough to start Python and find this package."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    package = Path(catalogue.__file__ or "").resolve().parent.parent
    return {
        **kept,
        "PYTHONPATH": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def _understood(line: bytes) -> dict[str, Any]:
    """A line of the program; what is not one of ours (a library that prints) counts as nothing."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _end(child: subprocess.Popen[bytes]) -> None:
    """Nothing of the program is left running, and its pipes are closed."""
    if child.poll() is None:
        # It may have ended by itself a moment ago.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
