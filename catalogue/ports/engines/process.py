"""The engine: a program that does one request and ends.

`python -m catalogue.ports.engines.process request.json`; how it is asked and how it answers stands
in `catalogue/ports/apart/program.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from catalogue.ports.apart.program import main
from catalogue.ports.engines.characterise import characterise
from catalogue.ports.engines.contract import (
    CorrectionRequest,
    DarkRequest,
    Progress,
    from_json,
    to_json,
)
from catalogue.ports.engines.correct import correct
from catalogue.ports.engines.files import Products
from catalogue.ports.engines.record import CHARACTERISE, CORRECT
from catalogue.ports.outcome import Permanent


def perform(task: str, request: object, parts: Path, progress: Progress) -> dict[str, Any]:
    """One request to its receipt, both as JSON; raises PortError."""
    if task == CHARACTERISE:
        dark = from_json(DarkRequest, request)
        return to_json(characterise(dark, Products(Path(dark.output_folder), parts), progress))
    if task == CORRECT:
        data = from_json(CorrectionRequest, request)
        return to_json(correct(data, Products(Path(data.output_folder), parts), progress))
    raise Permanent(f"the engine has no task {task!r}", task=task)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], perform, name="the engine"))
