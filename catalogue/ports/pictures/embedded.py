"""The viewer that comes with the catalogue, run as a process of its own: a file that brings down
the library that reads it brings down nobody else."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from catalogue.ports.apart.caller import Apart
from catalogue.ports.engines.contract import IsCancelled, Progress, from_json
from catalogue.ports.pictures.contract import LookReceipt, LookRequest

_PROGRAM = "catalogue.ports.pictures.process"


@dataclass(frozen=True, slots=True)
class EmbeddedViewer:
    """Looks in a child process, which is killed after `silence` seconds without a word."""

    name: str = "embedded"
    silence: float = 600.0

    def look(
        self, request: LookRequest, *, progress: Progress, cancelled: IsCancelled
    ) -> LookReceipt:
        """What the files hold, with a picture and a plot where they are a detector's."""
        program = Apart(_PROGRAM, "the viewer", "looking into the files", self.silence)
        output = Path(request.output_folder)
        receipt = program.run(
            "look", asdict(request), output, progress=progress, cancelled=cancelled
        )
        return from_json(LookReceipt, receipt)
