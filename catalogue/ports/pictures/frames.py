"""Frames of a detector, a train at a time: sums of what a picture and a plot show.

What is kept in memory is one sum per pixel of each module and one per train, whatever the run's
size. Known is the AGIPD 1M, raw and corrected; others are sources like any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import h5py
import numpy as np
from numpy.typing import NDArray

from catalogue.ports.engines import agipd, exdf
from catalogue.ports.engines.rawdata import ADC

_MODULE = re.compile(r"(.+)/(?:DET/(\d{1,2})CH0:xtdf|CORR/(\d{1,2})CH0:output)", re.ASCII)
_PER_PIXEL = {3: "corrected", 4: "raw"}
"""Axes of `image.data`: (frame, slow, fast), of raw data (frame, value, slow, fast)."""

Image = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ModuleSource:
    """A source that is a module of a detector."""

    name: str
    detector: str
    number: int


def module_of(source: str) -> ModuleSource | None:
    """The module whose images a source holds, by its name; None where it is none."""
    match = _MODULE.fullmatch(source)
    number = int(match[2] or match[3]) if match else agipd.MODULES
    if match is None or number >= agipd.MODULES:
        return None
    return ModuleSource(source, match[1], number)


@dataclass(slots=True)
class _Sums:
    total: Image = field(default_factory=lambda: np.zeros(agipd.SHAPE))
    n: NDArray[np.int64] = field(default_factory=lambda: np.zeros(agipd.SHAPE, np.int64))
    frames: int = 0


class Frames:
    """The sums over the frames of the trains that were `chosen`, which rise."""

    def __init__(self, chosen: NDArray[np.uint64], per_train: int) -> None:
        self.trains = chosen
        self.unit = "ADU"
        self._per_train = per_train
        self._modules: dict[int, _Sums] = {}
        self._train_total = np.zeros(len(chosen))
        self._train_n = np.zeros(len(chosen), np.int64)

    def add(self, file: h5py.File, source: ModuleSource) -> None:
        """The frames of one module in one file."""
        data = own_dataset(file, f"INSTRUMENT/{source.name}/image/data")
        mask = own_dataset(file, f"INSTRUMENT/{source.name}/image/mask")
        if data is None or data.ndim not in _PER_PIXEL or data.shape[-2:] != agipd.SHAPE:
            return
        self.unit = _text(data.attrs.get("unit")) or self.unit
        trains = exdf.read_trains(file)
        counts = exdf.read_counts(file, f"{source.name}/image", trains).astype(np.int64)
        firsts = np.cumsum(counts) - counts
        sums = self._modules.setdefault(source.number, _Sums())
        places = np.searchsorted(self.trains, trains.ids)
        for at, place in enumerate(places):
            wanted = place < len(self.trains) and self.trains[place] == trains.ids[at]
            n = min(int(counts[at]), self._per_train, len(data) - int(firsts[at]))
            if wanted and n > 0:
                rows = slice(int(firsts[at]), int(firsts[at]) + n)
                self._count(sums, int(place), _values(data, mask, rows))

    def _count(self, sums: _Sums, place: int, frames: NDArray[np.float64]) -> None:
        good = np.isfinite(frames)
        values = np.where(good, frames, 0)
        sums.total += values.sum(axis=0)
        sums.n += good.sum(axis=0)
        sums.frames += len(frames)
        self._train_total[place] += values.sum()
        self._train_n[place] += int(good.sum())

    def images(self) -> dict[int, Image]:
        """Module number -> the mean of each pixel, NaN where no frame has a value."""
        return {m: _mean(s.total, s.n) for m, s in sorted(self._modules.items())}

    def frames_of(self, module: int) -> int:
        return self._modules[module].frames

    def intensities(self) -> Image:
        """Per train the mean over the pixels of its frames, NaN where it has none."""
        return _mean(self._train_total, self._train_n)


def _values(data: h5py.Dataset, mask: h5py.Dataset | None, rows: slice) -> NDArray[np.float64]:
    frames: NDArray[np.float64] = data[rows, ADC] if data.ndim == 4 else data[rows]
    frames = frames.astype(np.float64)
    if mask is not None and mask.shape == data.shape:
        frames[mask[rows] != 0] = np.nan
    return frames


def _mean(total: Image, n: NDArray[np.int64]) -> Image:
    mean = np.full(total.shape, np.nan)
    np.divide(total, n, out=mean, where=n > 0)
    return mean


def own_dataset(file: h5py.File, path: str) -> h5py.Dataset | None:
    """A dataset whose values lie in this very file: HDF5 can lead a reader into other files, which
    whoever wrote this one need not have been allowed to read."""
    here: object = file
    for name in path.split("/"):
        if not isinstance(here, h5py.Group) or not isinstance(
            here.get(name, getlink=True), h5py.HardLink
        ):
            return None
        here = here[name]
    if not isinstance(here, h5py.Dataset) or here.external or here.is_virtual:
        return None
    return here


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")


def chosen(ids: Iterable[int] | NDArray[np.uint64], most: int) -> NDArray[np.uint64]:
    """At most so many of the trains, evenly over all of them, with the first and the last."""
    every = np.asarray(ids, np.uint64)
    if len(every) <= most:
        return every
    return every[np.unique(np.linspace(0, len(every) - 1, most).round().astype(np.intp))]
