"""A picture of the whole detector: its modules where they stand, values as colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalogue.ports.engines import agipd

# Nine points of a map from dark blue to yellow whose lightness rises evenly.
_COLOURS = np.array(
    [
        (13, 8, 60), (45, 32, 108), (58, 66, 134), (47, 99, 142), (34, 131, 141),
        (40, 162, 130), (93, 190, 98), (168, 211, 56), (250, 230, 40),
    ],
    dtype=np.float64,
)  # fmt: skip
_NOTHING = (225, 225, 225)  # gaps, and pixels without a value
SHRINK = 2


@dataclass(frozen=True, slots=True)
class Picture:
    """`low` and `high` are the values at the ends of the colour scale, `pixels_per_dot` the side
    of the square of detector pixels of which each dot is the mean."""

    image: Image.Image
    low: float
    high: float
    pixels_per_dot: int = SHRINK


@dataclass(frozen=True, slots=True)
class Canvas:
    """The detector as one array of dots (row, column); NaN where there is no pixel with a value.
    `left` and `top` are where its corner is, in pixels from the beam."""

    values: NDArray[np.float64]
    left: float
    top: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Column and row of a place given in pixels from the beam."""
        return (x - self.left) / SHRINK, (self.top - y) / SHRINK


def of_detector(modules: Mapping[int, NDArray[np.float64]]) -> Picture:
    """Module number to values (slow, fast); NaN is shown as a gap."""
    canvas = laid_out(modules).values
    low, high = span_of(canvas)
    return Picture(Image.fromarray(colours((canvas - low) / (high - low))), low, high)


def laid_out(modules: Mapping[int, NDArray[np.float64]]) -> Canvas:
    """The modules where they stand."""
    places = {number: agipd.positions(number) for number in range(agipd.MODULES)}
    left = min(float(x.min()) for x, _ in places.values())
    top = max(float(y.max()) for _, y in places.values())
    width = int(max(float(x.max()) for x, _ in places.values()) - left) // SHRINK + 1
    height = int(top - min(float(y.min()) for _, y in places.values())) // SHRINK + 1
    total, n = np.zeros(width * height), np.zeros(width * height)
    for number, values in sorted(modules.items()):
        x, y = places[number]
        column = ((x - left) // SHRINK).astype(np.intp)
        row = ((top - y) // SHRINK).astype(np.intp)
        good = np.isfinite(values)
        spot = (row * width + column)[good]
        total += np.bincount(spot, values[good], minlength=width * height)
        n += np.bincount(spot, minlength=width * height)
    canvas = np.full(width * height, np.nan)
    np.divide(total, n, out=canvas, where=n > 0)
    return Canvas(canvas.reshape(height, width), left, top)


def scale(height: int) -> Image.Image:
    """The colour scale, `high` at the top."""
    steps = np.linspace(1, 0, height)
    return Image.fromarray(np.repeat(colours(steps)[:, None, :], 12, axis=1))


def span_of(canvas: NDArray[np.float64]) -> tuple[float, float]:
    """The values at the ends of the colour scale: all but the outermost half per cent at each."""
    values = canvas[np.isfinite(canvas)]
    if not values.size:
        return 0.0, 1.0
    low, high = (float(each) for each in np.percentile(values, (0.5, 99.5)))
    return (low, high) if high > low else (low, low + 1.0)


def colours(
    fractions: NDArray[np.float64], nothing: tuple[int, int, int] = _NOTHING
) -> NDArray[np.uint8]:
    """0 to 1 as colours; beyond is the end's colour, NaN is nothing's."""
    at = np.clip(np.nan_to_num(fractions), 0, 1) * (len(_COLOURS) - 1)
    knots = np.arange(len(_COLOURS))
    rgb = np.stack([np.interp(at, knots, _COLOURS[:, i]) for i in range(3)], axis=-1)
    rgb[np.isnan(fractions)] = nothing
    return np.rint(rgb).astype(np.uint8)
