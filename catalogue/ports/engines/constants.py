"""Calibration constants: made from sums over dark frames, written to files, read back.

A constant of one unit is an array (memory cell, slow, fast); one HDF5 file holds one constant, at
`<physical unit>/<kind>/0/data`, the place where the facility's clients look for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalogue.ports.engines import agipd, exdf
from catalogue.ports.engines.contract import UnitConstant
from catalogue.ports.engines.files import checked, reading
from catalogue.ports.engines.rawdata import Frames
from catalogue.ports.outcome import Permanent

OFFSET, NOISE, BAD_PIXELS = "Offset", "Noise", "BadPixels"
KINDS = (OFFSET, NOISE, BAD_PIXELS)
UNIT_OF_VALUES = {OFFSET: "ADU", NOISE: "ADU", BAD_PIXELS: "bit mask"}
# A normal distribution's standard deviation over its median absolute deviation.
_MAD = 1.4826


class Bad(IntFlag):
    """Why a pixel is bad: the bits of European XFEL's masks that a dark run can set."""

    OFFSET_OUT_OF_THRESHOLD = 1 << 0
    NOISE_OUT_OF_THRESHOLD = 1 << 1
    DATA_STD_IS_ZERO = 1 << 14


@dataclass(slots=True)
class _Sums:
    n: int
    total: NDArray[np.int64]
    squares: NDArray[np.int64]


@dataclass(slots=True)
class DarkSums:
    """Sums over the dark frames of one unit, per memory cell. They are whole numbers, so the
    result does not depend on the order of the frames or on the machine."""

    cells: dict[int, _Sums] = field(default_factory=dict)

    def add(self, cell: int, frames: Frames) -> None:
        """`frames` (frame, slow, fast) of one memory cell."""
        sums = self.cells.get(cell)
        if sums is None:
            zero = np.zeros(agipd.SHAPE, np.int64)
            sums = self.cells[cell] = _Sums(0, zero, zero.copy())
        wide = frames.astype(np.int64)
        sums.n += len(wide)
        sums.total += wide.sum(axis=0)
        sums.squares += (wide * wide).sum(axis=0)

    @property
    def fewest(self) -> int:
        """Frames in the memory cell that has fewest."""
        return min((sums.n for sums in self.cells.values()), default=0)

    @property
    def frames(self) -> int:
        """Frames over all memory cells."""
        return sum(sums.n for sums in self.cells.values())


@dataclass(frozen=True, slots=True)
class UnitConstants:
    """The constants of one unit: arrays (memory cell, slow, fast), in the order of `cells`."""

    cells: tuple[int, ...]
    frames_per_cell: tuple[int, ...]
    arrays: Mapping[str, NDArray[Any]]


def from_dark(sums: DarkSums, configuration: Mapping[str, Any]) -> UnitConstants:
    """Offset is the mean, noise the standard deviation, a bad pixel one outside the thresholds."""
    cells = tuple(sorted(sums.cells))
    parts = [sums.cells[cell] for cell in cells]
    offset = np.stack([part.total / part.n for part in parts])
    variance = np.stack(
        [
            (part.n * part.squares - part.total * part.total) / (part.n * (part.n - 1))
            for part in parts
        ]
    )
    noise = np.sqrt(variance)
    bad = np.where(noise == 0, int(Bad.DATA_STD_IS_ZERO), 0).astype(np.uint32)
    bad[_outside(offset, configuration, "offset")] |= np.uint32(Bad.OFFSET_OUT_OF_THRESHOLD)
    bad[_outside(noise, configuration, "noise")] |= np.uint32(Bad.NOISE_OUT_OF_THRESHOLD)
    arrays = {
        OFFSET: offset.astype(np.float32),
        NOISE: noise.astype(np.float32),
        BAD_PIXELS: bad,
    }
    return UnitConstants(cells, tuple(part.n for part in parts), arrays)


def _outside(
    values: NDArray[np.float64], configuration: Mapping[str, Any], of: str
) -> NDArray[np.bool_]:
    low, high = configuration[f"thresholds_{of}_hard"]
    middle = np.median(values, axis=(1, 2), keepdims=True)
    away = np.abs(values - middle)
    spread = _MAD * np.median(away, axis=(1, 2), keepdims=True)
    far: NDArray[np.bool_] = away > configuration[f"thresholds_{of}_sigma"] * spread
    beyond: NDArray[np.bool_] = (values < low) | (values > high)
    return far | beyond


def dataset_of(physical_unit: str, kind: str) -> str:
    """Where a constant lies in its file; the array is `data` below it."""
    # A slash in the name of a piece of hardware would make a group of its own.
    return f"{physical_unit.replace('/', '_')}/{kind}/0"


def write(
    path: Path, dataset: str, kind: str, constants: UnitConstants, facts: Mapping[str, Any]
) -> None:
    """One constant. `facts` become attributes: where it comes from and under what condition."""
    with exdf.create(path) as file:
        array = constants.arrays[kind]
        chunks = (1, *agipd.SHAPE)
        packed = {"compression": "gzip", "compression_opts": 1} if kind == BAD_PIXELS else {}
        data = exdf.put(file, f"{dataset}/data", array, chunks=chunks, **packed)
        data.attrs["dims"] = np.array([b"cell", b"slow_scan", b"fast_scan"])
        data.attrs["unit"] = np.bytes_(UNIT_OF_VALUES[kind])
        group = file[dataset]
        exdf.put(group, "cell_ids", np.array(constants.cells, np.uint16))
        exdf.put(group, "frames_per_cell", np.array(constants.frames_per_cell, np.uint32))
        for name in sorted(facts):
            value = facts[name]
            group.attrs[name] = np.bytes_(value.encode()) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Loaded:
    """A constant read back: its array, and the place in it of each memory cell."""

    array: NDArray[Any]
    place: Mapping[int, int]

    def places(self, cells: NDArray[np.uint16], *, name: str) -> NDArray[np.intp]:
        """Where the frames of these cells find theirs; Permanent names cells without one."""
        unknown = sorted({int(cell) for cell in cells} - set(self.place))
        if unknown:
            raise Permanent(
                f"{name} has no memory cell {', '.join(map(str, unknown))}",
                constant=name, missing_cells=unknown,
            )  # fmt: skip
        return np.array([self.place[int(cell)] for cell in cells], dtype=np.intp)


def load(constant: UnitConstant) -> Loaded:
    """A constant's file, checked against its registration and against what it must hold."""
    path = checked(Path(constant.path), name=Path(constant.path).name, sha256=constant.sha256)
    with reading(path, path.name) as file:
        group = file[dataset_of(constant.physical_unit, constant.kind)]
        array = group["data"][:]
        cells = [int(cell) for cell in group["cell_ids"][:]]
    if array.shape != (len(cells), *agipd.SHAPE):
        raise Permanent(
            f"{constant.version} has the wrong shape", constant=constant.version, shape=array.shape
        )
    return Loaded(array, {cell: place for place, cell in enumerate(cells)})
