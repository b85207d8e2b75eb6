"""An active proposal with a closed run, and who calls about it."""

from tests.calling import callers, proposal, run

__all__ = ["callers", "proposal", "run"]
