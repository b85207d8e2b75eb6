"""The detector as the demo imagines it: what a pixel reads, and why.

    reading = offset(pixel, memory cell) + signal(pixel, run) + noise of the pixel, rounded to ADU

All of it follows from seeds. This is the truth that the outside check compares with; the
calibration engine never sees it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from catalogue.demo.daq.spec import RunSpec
from catalogue.ports.engines import agipd

Image = NDArray[np.float32]

# What a random stream is for; part of its seed.
_ASICS, _PIXELS, _CELLS, _NOISE, _BROKEN, _RINGS, _PEAKS, _FRAMES = range(8)
_HIGHEST = 16383  # 14 bit
_BROKEN_FRACTION = 1e-4
_STUCK_AT, _NOISY_SIGMA = 8191.0, 60.0
_RINGS_PER_RUN, _PEAKS_PER_MODULE = 4, 12
_STRONGEST = 4000.0


def _stream(*seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))


def _fixed(image: Image) -> Image:
    image.setflags(write=False)
    return image


@lru_cache(maxsize=4 * agipd.MODULES)
def broken(seed: int, module: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Flat indices of the stuck pixels and of the noisy ones: about one in 10,000 together."""
    rng = _stream(seed, _BROKEN, module)
    n = max(2, round(agipd.SLOW * agipd.FAST * _BROKEN_FRACTION))
    chosen = rng.choice(agipd.SLOW * agipd.FAST, size=n, replace=False)
    return np.sort(chosen[: n // 2]), np.sort(chosen[n // 2 :])


@lru_cache(maxsize=8 * agipd.MODULES)
def offset_of(seed: int, module: int, cell: int) -> Image:
    """Offset of one memory cell in ADU: (slow, fast). A stuck pixel reads its offset always."""
    asics = _stream(seed, _ASICS, module).normal(4500, 100, (8, 2))
    level = np.kron(asics, np.ones((64, 64)))
    pixels = _stream(seed, _PIXELS, module).standard_normal(agipd.SHAPE)
    cells = _stream(seed, _CELLS, module, cell).standard_normal(agipd.SHAPE)
    found = (level + 120 * pixels + 30 * cells + 5 * cell).astype(np.float32)
    found.flat[broken(seed, module)[0]] = _STUCK_AT
    return _fixed(found)


@lru_cache(maxsize=4 * agipd.MODULES)
def noise_of(seed: int, module: int) -> Image:
    """Standard deviation of a reading in ADU: (slow, fast); 0 where a pixel is stuck."""
    spread = _stream(seed, _NOISE, module).standard_normal(agipd.SHAPE)
    found = np.clip(6 * np.exp(0.1 * spread), 4, 9).astype(np.float32)
    stuck, noisy = broken(seed, module)
    found.flat[stuck] = 0
    found.flat[noisy] = _NOISY_SIGMA
    return _fixed(found)


@lru_cache(maxsize=2 * agipd.MODULES)
def signal_of(seed: int, run: int, module: int) -> Image:
    """What the sample scatters onto a module, in ADU: (slow, fast), the same in every frame.

    Water-like background, powder rings about the beam, and single-crystal peaks.
    """
    x, y = agipd.positions(module)
    radius = np.hypot(x, y)
    rings = _stream(seed, _RINGS, run)
    found = 60 * np.exp(-radius / 250) + 40 * np.exp(-((radius - 380) ** 2) / (2 * 90**2))
    for _ in range(_RINGS_PER_RUN):
        at, width, height = rings.uniform(90, 620), rings.uniform(2.5, 5), rings.uniform(80, 300)
        found = found + height * np.exp(-((radius - at) ** 2) / (2 * width**2))
    peaks = _stream(seed, _PEAKS, run, module)
    slow, fast = np.arange(agipd.SLOW)[:, None], np.arange(agipd.FAST)[None, :]
    for _ in range(_PEAKS_PER_MODULE):
        at_slow, at_fast = peaks.uniform(0, agipd.SLOW), peaks.uniform(0, agipd.FAST)
        height = peaks.uniform(200, 2000)
        found += height * (
            np.exp(-((slow - at_slow) ** 2) / 4.5) * np.exp(-((fast - at_fast) ** 2) / 4.5)
        )
    return _fixed(np.minimum(found, _STRONGEST).astype(np.float32))


def offset(seed: int, *, modules: int = agipd.MODULES, cells: int = 2) -> Image:
    """(module, memory cell, slow, fast)."""
    return np.stack(
        [np.stack([offset_of(seed, m, cell) for cell in range(cells)]) for m in range(modules)]
    )


def noise(seed: int, *, modules: int = agipd.MODULES) -> Image:
    """(module, slow, fast)."""
    return np.stack([noise_of(seed, module) for module in range(modules)])


def expected_signal(spec: RunSpec) -> Image:
    """(module, slow, fast): what a perfect correction of the run gives. Nothing in a dark run."""
    if spec.kind == "dark":
        return np.zeros((spec.modules, *agipd.SHAPE), np.float32)
    return np.stack([signal_of(spec.seed, spec.run, module) for module in range(spec.modules)])


def readings(spec: RunSpec, module: int, sequence: int) -> NDArray[np.uint16]:
    """The frames of one module in one sequence: (train and memory cell, slow, fast)."""
    trains = int(spec.recorded(sequence).sum())
    rng = _stream(spec.seed, _FRAMES, spec.run, module, sequence)
    sigma = noise_of(spec.seed, module)
    levels = [offset_of(spec.seed, module, cell) for cell in range(spec.pulses)]
    if spec.kind != "dark":
        signal = signal_of(spec.seed, spec.run, module).copy()
        signal.flat[broken(spec.seed, module)[0]] = 0
        levels = [level + signal for level in levels]
    found = np.empty((trains, spec.pulses, *agipd.SHAPE), np.uint16)
    for train in range(trains):
        for cell, level in enumerate(levels):
            reading = rng.standard_normal(agipd.SHAPE, dtype=np.float32)
            reading *= sigma
            reading += level
            np.rint(reading, out=reading)
            np.clip(reading, 0, _HIGHEST, out=reading)
            found[train, cell] = reading
    return found.reshape(-1, *agipd.SHAPE)
