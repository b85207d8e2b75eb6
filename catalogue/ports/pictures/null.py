"""A facility that does not look into its files, or whose files nobody here can read."""

from __future__ import annotations

from dataclasses import dataclass

from catalogue.ports.engines.contract import IsCancelled, Progress
from catalogue.ports.pictures.contract import LookReceipt, LookRequest


@dataclass(frozen=True, slots=True)
class NullViewer:
    """Sees nothing, and says so."""

    name: str = "null"

    def look(
        self, request: LookRequest, *, progress: Progress, cancelled: IsCancelled
    ) -> LookReceipt:
        why = "This facility does not look into its files."
        return LookReceipt(0, 0, 0, 0, (), (), (), why, ())
