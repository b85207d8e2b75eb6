"""What an AGIPD 1M detector is: its modules, their names in files, and where their pixels lie."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

MODULES = 16
SLOW, FAST = 512, 128
SHAPE = (SLOW, FAST)
PIXEL_MM = 0.2

# Corner of each quadrant's first pixel in pixels from the beam, x to the left of the picture as
# the beam sees it; the nominal arrangement in which a detector is delivered.
_QUADRANTS = ((-525.0, 625.0), (-550.0, -10.0), (520.0, -160.0), (542.5, 475.0))
_DIRECTIONS = ((1, -1), (1, -1), (-1, 1), (-1, 1))
_ASIC, _ASIC_GAP, _MODULE_STEP = 64, 2, FAST + 29


def unit_name(module: int) -> str:
    """The aggregator that writes a module's files: `AGIPD00`."""
    return f"AGIPD{module:02d}"


def module_number(unit: str) -> int:
    """The module of `AGIPD00`; ValueError where `unit` is no such name."""
    match = re.fullmatch(r"AGIPD(\d{2})", unit, re.ASCII)
    if match is None or int(match[1]) >= MODULES:
        raise ValueError(f"{unit!r} is not a unit of an AGIPD 1M (AGIPD00 to AGIPD15)")
    return int(match[1])


def raw_source(detector: str, module: int) -> str:
    """The source of a module's RAW data."""
    return f"{detector}/DET/{module}CH0:xtdf"


def corrected_source(detector: str, module: int) -> str:
    """The source of its corrected data, as the facility names it since 2026."""
    return f"{detector}/CORR/{module}CH0:output"


def positions(module: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y of each pixel of a module, in pixels from the beam; two arrays of `SHAPE`."""
    corner_x, corner_y = _QUADRANTS[module // 4]
    along_x, along_y = _DIRECTIONS[module // 4]
    slow = np.arange(SLOW)
    x = corner_x + along_x * (slow + _ASIC_GAP * (slow // _ASIC))
    y = corner_y - _MODULE_STEP * (module % 4) + along_y * np.arange(FAST)
    return np.broadcast_to(x[:, None], SHAPE), np.broadcast_to(y[None, :], SHAPE)
