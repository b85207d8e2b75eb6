"""The program's own half: it does one request and ends.

The first argument names a file that holds `task`, `request`, and `parts`, the folder for unfinished
files. Standard output carries one JSON object a line: `{"progress": 0.25, "text": "…"}`, and last
either `{"receipt": …}` or `{"failed": "permanent" | "transient", "reason": …, "evidence": …}`. The
exit code is 0 with a receipt, 3 for permanent, 4 for transient; any other is an accident.

Standard input is a pipe that the caller holds open: when it ends, the caller is gone and so is the
program, at once. No database, no network, no settings: what it needs is in the request.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalogue.ports.outcome import Permanent, PortError, Transient

EXIT_PERMANENT, EXIT_TRANSIENT, EXIT_ORPHANED = 3, 4, 5

Perform = Callable[[str, object, Path, Callable[[float, str], None]], dict[str, Any]]
"""task, request, parts, progress -> receipt; raises PortError."""


def main(arguments: list[str], perform: Perform, *, name: str) -> int:
    """The program that people call `name`; returns its exit code."""
    threading.Thread(target=_end_with_the_caller, name="caller", daemon=True).start()
    try:
        order = json.loads(Path(arguments[0]).read_text())
        receipt = perform(order["task"], order["request"], Path(order["parts"]), _tell_progress)
    except PortError as failure:
        return _fail(failure)
    except (OSError, MemoryError) as error:
        return _fail(
            Transient(
                f"{name} was stopped by the system: {error or type(error).__name__}",
                error=type(error).__name__,
                errno=getattr(error, "errno", None),
                file=str(getattr(error, "filename", None) or ""),
            )
        )
    except Exception as error:  # noqa: BLE001  why: the last line of a program; it is told, in full
        trace = traceback.format_exception(error)
        return _fail(Permanent(f"{name} failed: {type(error).__name__}: {error}", trace=trace[-8:]))
    _say({"receipt": receipt})
    return 0


def _tell_progress(fraction: float, text: str) -> None:
    _say({"progress": fraction, "text": text})


def _fail(failure: PortError) -> int:
    transient = isinstance(failure, Transient)
    kind = "transient" if transient else "permanent"
    _say({"failed": kind, "reason": failure.reason, "evidence": dict(failure.evidence)})
    return EXIT_TRANSIENT if transient else EXIT_PERMANENT


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message, default=str) + "\n")
    sys.stdout.flush()


def _end_with_the_caller() -> None:
    # os.read: a thread inside sys.stdin would hold its lock when the interpreter ends.
    while os.read(0, 1):
        pass
    # Not sys.exit: nothing may be finished or published once nobody waits for it.
    os._exit(EXIT_ORPHANED)
