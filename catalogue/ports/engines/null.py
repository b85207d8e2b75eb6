"""A facility that does not calibrate: every request is held, and says so.

It does not pretend: a receipt without files would show a calibration that nobody made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from catalogue.ports.engines.contract import (
    CorrectionRequest,
    DarkRequest,
    IsCancelled,
    Progress,
)
from catalogue.ports.outcome import Permanent


@dataclass(frozen=True, slots=True)
class NullEngine:
    """Refuses everything."""

    name: str = "null"
    version: str = "1.0"

    def characterise(
        self, request: DarkRequest, *, progress: Progress, cancelled: IsCancelled
    ) -> NoReturn:
        """Always Permanent."""
        raise Permanent("this facility has no calibration engine", engine=self.name)

    def correct(
        self, request: CorrectionRequest, *, progress: Progress, cancelled: IsCancelled
    ) -> NoReturn:
        """Always Permanent."""
        raise Permanent("this facility has no calibration engine", engine=self.name)
