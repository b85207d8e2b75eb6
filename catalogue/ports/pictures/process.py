"""The viewer: a program that does one request and ends, `python -m
catalogue.ports.pictures.process`. How it is asked and answers stands in `catalogue/ports/apart`.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalogue.ports.apart.program import main
from catalogue.ports.engines.contract import Progress, from_json
from catalogue.ports.engines.files import Products
from catalogue.ports.outcome import Permanent
from catalogue.ports.pictures.contract import LookRequest
from catalogue.ports.pictures.look import look


def perform(task: str, request: object, parts: Path, progress: Progress) -> dict[str, Any]:
    """One request to its receipt, both as JSON; raises PortError."""
    if task != "look":
        raise Permanent(f"the viewer has no task {task!r}", task=task)
    wanted = from_json(LookRequest, request)
    return asdict(look(wanted, Products(Path(wanted.output_folder), parts), progress))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], perform, name="the viewer"))
