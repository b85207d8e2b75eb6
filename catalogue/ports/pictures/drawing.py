"""The picture of a detector and the plot of its trains, drawn: PNG and SVG.

No plotting library: to import one takes longer than all the rest of a run's picture, and there is
one for every run. The same values give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from catalogue.ports.engines import agipd, picture

_GROUND, _GAP, _INK, _SOFT = (18, 23, 29), (34, 42, 50), (215, 222, 229), (151, 163, 175)
_MARGIN, _ROOM, _BAR = 28, 92, 14
_SHADES = 200

_WIDTH, _HEIGHT = 720, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 16, 16, 46
_STYLE = (
    ".t{fill:#55606c;font:12px system-ui,sans-serif}.g{stroke:#dde1e5}.a{stroke:#828d99}"
    ".l{stroke:#0b5cad}.p{fill:#0b5cad}"
    "@media(prefers-color-scheme:dark){.t{fill:#97a3af}.g{stroke:#28313a}.a{stroke:#66727f}"
    ".l{stroke:#84bcf7}.p{fill:#84bcf7}}"
)


def detector(
    canvas: picture.Canvas, modules: Iterable[int], low: float, high: float, unit: str
) -> Image.Image:
    """The mean image with its modules where they stand and their numbers beside them, and the
    colour scale with numbers. On a dark ground, in which the gaps recede."""
    # As many shades as an eye parts; a palette makes the file a third as large.
    shades = np.round((canvas.values - low) / (high - low) * _SHADES) / _SHADES
    values = picture.colours(shades, _GAP)
    height, width = canvas.values.shape
    whole = Image.new("RGB", (width + 2 * _MARGIN + _ROOM, height + 2 * _MARGIN), _GROUND)
    whole.paste(Image.fromarray(values), (_MARGIN, _MARGIN))
    draw = ImageDraw.Draw(whole)
    small = ImageFont.load_default(13)
    for number in modules:
        x, y = agipd.positions(number)
        left = canvas.place(float(x.min()), 0)[0] + _MARGIN
        right = canvas.place(float(x.max()), 0)[0] + _MARGIN
        middle = canvas.place(0, float(y.mean()))[1] + _MARGIN
        outer_left = number // 4 < 2
        at = (left - 6, middle) if outer_left else (right + 6, middle)
        draw.text(at, str(number), _SOFT, font=small, anchor="rm" if outer_left else "lm")
    _scale(draw, whole, (width + 2 * _MARGIN + 6, _MARGIN), height, (low, high, unit))
    return whole.quantize(256)


def _scale(
    draw: ImageDraw.ImageDraw, whole: Image.Image, corner: tuple[int, int], height: int,
    values: tuple[float, float, str],
) -> None:  # fmt: skip
    low, high, unit = values
    x, y = corner
    font = ImageFont.load_default(13)
    steps = np.linspace(1, 0, height)
    bar = np.repeat(picture.colours(steps)[:, None, :], _BAR, axis=1)
    whole.paste(Image.fromarray(bar), (x, y))
    draw.text((x, y - 6), unit, _INK, font=font, anchor="lb")
    for tick in ticks(low, high, 6):
        at = y + (high - tick) / (high - low) * (height - 1)
        draw.line([(x + _BAR, at), (x + _BAR + 4, at)], _SOFT)
        draw.text((x + _BAR + 8, at), say(tick), _INK, font=font, anchor="lm")


def trains(ids: NDArray[np.uint64], values: NDArray[np.float64], unit: str, *, title: str) -> str:
    """Mean of the pixels of each train against its number. Where trains were left out or have no
    image, the line stops."""
    good = np.isfinite(values)
    x, y = ids[good], values[good]
    low, high = _around(y)
    first, last = int(x[0]), max(int(x[-1]), int(x[0]) + 1)

    def across(train: float) -> float:
        return _LEFT + (train - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)

    def up(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"',
        f' width="{_WIDTH}" height="{_HEIGHT}">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
    ]
    for tick in ticks(low, high, 5):
        parts.append(_line("g", (_LEFT, up(tick)), (_WIDTH - _RIGHT, up(tick)), "#dde1e5"))
        parts.append(_text((_LEFT - 8, up(tick) + 4), say(tick), "end"))
    floor = _HEIGHT - _BOTTOM
    for tick in ticks(first, last, 4, whole=True):
        parts.append(_line("a", (across(tick), floor), (across(tick), floor + 4), "#828d99"))
        parts.append(_text((across(tick), floor + 18), str(int(tick)), "middle"))
    parts.append(_line("a", (_LEFT, floor), (_WIDTH - _RIGHT, floor), "#828d99"))
    parts.append(_text(((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8), "train", "middle"))
    parts.append(_text((8, _TOP + 4), unit, "start"))
    points = [(across(int(i)), up(float(v))) for i, v in zip(x, y, strict=True)]
    parts += [_polyline(piece) for piece in _pieces(x, points)]
    if len(points) <= 120:
        parts += [f'<circle class="p" cx="{a:.1f}" cy="{b:.1f}" r="2.5" fill="#0b5cad"/>'
                  for a, b in points]  # fmt: skip
    return "".join([*parts, "</svg>\n"])


Point = tuple[float, float]


def _pieces(ids: NDArray[np.uint64], points: list[Point]) -> list[list[Point]]:
    """The line in pieces: it is not drawn over more than twice the usual step."""
    steps = np.diff(ids)
    usual = float(np.median(steps)) if len(steps) else 1.0
    breaks = [0, *(int(i) + 1 for i in np.flatnonzero(steps > 2 * usual)), len(points)]
    return [points[a:b] for a, b in pairwise(breaks)]


def _line(kind: str, a: Point, b: Point, colour: str) -> str:
    return (
        f'<line class="{kind}" x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"'
        f' stroke="{colour}"/>'
    )


def _text(at: Point, text: str, anchor: str) -> str:
    return (
        f'<text class="t" x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}"'
        f' fill="#55606c" font-family="sans-serif" font-size="12">{escape(text)}</text>'
    )


def _polyline(points: list[Point]) -> str:
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    return (
        f'<polyline class="l" points="{path}" fill="none" stroke="#0b5cad" stroke-width="1.5"'
        ' stroke-linejoin="round"/>'
    )


def _around(values: NDArray[np.float64]) -> tuple[float, float]:
    """From a little below the lowest to a little above the highest."""
    low, high = float(values.min()), float(values.max())
    room = (high - low) * 0.08 or abs(high) * 0.05 or 1.0
    return low - room, high + room


def ticks(low: float, high: float, about: int, *, whole: bool = False) -> list[float]:
    """Round values from `low` to `high`, `about` so many: steps of 1, 2 or 5 and zeroes."""
    rough = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(f for f in (1, 2, 5, 10) if f * power >= rough * 0.999)
    step = max(step, 1.0) if whole else step
    begin, end = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [n * step for n in range(begin, end + 1)]


def say(value: float) -> str:
    """A tick's number, with the minus sign of typography."""
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")
