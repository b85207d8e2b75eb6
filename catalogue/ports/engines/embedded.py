"""The engine that comes with the catalogue, run as a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalogue.ports.apart.caller import Apart
from catalogue.ports.engines.contract import (
    CorrectionReceipt,
    CorrectionRequest,
    DarkReceipt,
    DarkRequest,
    IsCancelled,
    Progress,
    from_json,
    to_json,
)

NAME = "embedded"
# Raise it with every change that alters a byte of what the engine makes.
VERSION = "1.0"
_PROGRAM = "catalogue.ports.engines.process"


@dataclass(frozen=True, slots=True)
class EmbeddedEngine:
    """Calibrates in a child process. `silence` is how many seconds the process may say nothing
    before it is taken for stuck (a dead network store) and killed."""

    name: str = NAME
    version: str = VERSION
    silence: float = 600.0

    def characterise(
        self, request: DarkRequest, *, progress: Progress, cancelled: IsCancelled
    ) -> DarkReceipt:
        """Offset, Noise and BadPixels of each unit."""
        receipt = self._run("characterise", request, progress, cancelled)
        return from_json(DarkReceipt, receipt)

    def correct(
        self, request: CorrectionRequest, *, progress: Progress, cancelled: IsCancelled
    ) -> CorrectionReceipt:
        """One corrected file for each RAW file of the units asked for."""
        receipt = self._run("correct", request, progress, cancelled)
        return from_json(CorrectionReceipt, receipt)

    def _run(
        self, task: str, request: DarkRequest | CorrectionRequest,
        progress: Progress, cancelled: IsCancelled,
    ) -> object:  # fmt: skip
        program = Apart(_PROGRAM, "the engine", "the calibration", self.silence)
        output = Path(request.output_folder)
        return program.run(task, to_json(request), output, progress=progress, cancelled=cancelled)
