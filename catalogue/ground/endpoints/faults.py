"""What is wrong with a call, besides a single `Invalid` value or a move that is `Refused`."""

from __future__ import annotations

from collections.abc import Sequence

from catalogue.ground.inputs import Invalid


class Faults(Exception):
    """Several values break a rule; all of them are told at once."""

    def __init__(self, faults: Sequence[Invalid]) -> None:
        super().__init__("; ".join(str(f) for f in faults))
        self.faults = list(faults)
