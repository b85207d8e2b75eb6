"""The DAQ that is a program of its own, and does what it is told line by line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import Self

from catalogue.demo.beamtime.plan import PlannedRun
from catalogue.demo.beamtime.stage import StepFailedError
from catalogue.demo.layout import WITHOUT_TLS, Layout

_ENDING = 5.0  # seconds that it may take to end


class DaqProgram:
    """`with DaqProgram(layout, site) as program: …`; it ends with whoever started it, since its
    input ends then."""

    def __init__(self, layout: Layout, site: str) -> None:
        self._log = layout.logs / "daq.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "catalogue.demo.programs.daq", "--site", site),
                    *("--stores", str(layout.stores), "--secrets", str(layout.programs)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **WITHOUT_TLS},
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def do(self, what: str, planned: PlannedRun) -> None:
        """Have it `begin`, `write` or `close` a run. Raises `StepFailedError` with its words."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": what, "run": planned.alias}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        answer = json.loads(line) if line else {"failed": "It has ended."}
        if "failed" in answer:
            raise StepFailedError(
                f"The DAQ could not {what} the run “{planned.alias}”: {answer['failed']}",
                log=str(self._log),
            )
