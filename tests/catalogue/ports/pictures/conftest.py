"""The engine's small beamtime, to be looked at."""

from tests.catalogue.ports.engines.conftest import beamtime, corrected

__all__ = ["beamtime", "corrected"]
