"""One small beamtime for all tests of the engine; they only read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from catalogue.ports.engines.contract import CorrectionReceipt
from tests.catalogue.ports.engines import small


@pytest.fixture(scope="session")
def beamtime(tmp_path_factory: pytest.TempPathFactory) -> small.Small:
    """A dark run, a data run, and constants."""
    return small.make(tmp_path_factory.mktemp("beamtime"))


@dataclass(frozen=True)
class Corrected:
    """A corrected run and what the engine said of it."""

    folder: Path
    receipt: CorrectionReceipt


@pytest.fixture(scope="session")
def corrected(beamtime: small.Small) -> Corrected:
    """The data run, corrected with the constants from the dark run."""
    folder = beamtime.folder / "proc/r0003"
    return Corrected(folder, small.correct(beamtime.correction(folder)))
