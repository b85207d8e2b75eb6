"""Plots as SVG, drawn on the server: bars with a legend, for a light or a dark page; pure.

They go into `<img>`, with the numbers in a table beside them. Every series has a pattern besides
its colour. There is no style in the result that a strict content security policy would not apply.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# Tones as in the stylesheet: for a light page, for a dark one.
_TONES = {
    "good": ("#0b6b3f", "#62cf96"),
    "warn": ("#b87400", "#e9b44c"),
    "bad": ("#b3261e", "#ff9b91"),
    "busy": ("#0b5cad", "#84bcf7"),
    "quiet": ("#828d99", "#97a3af"),
}
_INK = ("#1a2027", "#d7dee5")
_RULE = ("#dde1e5", "#28313a")
_PAPER = ("#ffffff", "#12171d")
_PATTERNS = {"good": "", "warn": "////", "bad": "xxxx", "busy": "", "quiet": "---"}
_LONGEST = 24
_WIDE = 400
"""Points from the first to the last bar, about."""

# Matplotlib is not made for threads.
_DRAWING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of bars: its name, a tone of the stylesheet, a value for each label."""

    name: str
    tone: str
    values: Sequence[float]


def bars(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    dark: bool,
    say: Callable[[float], str],
    lying: bool = False,
) -> bytes:
    """Bars, stacked in the order of `series`; `lying` ones have room for long labels. `say` writes
    a value at the axis."""
    # why: half a second and 40 MB, which only a process that draws has to spend
    from matplotlib import rcParams
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with _DRAWING, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the font does not have is drawn as a box
        rcParams["svg.hashsalt"] = "lightkeeper"  # the same numbers, the same picture
        height = max(1.8, 0.3 * len(labels) + 0.9) if lying else 2.8
        figure = Figure(figsize=(6.4, height), facecolor="none", layout="constrained")
        axes = figure.add_subplot(facecolor="none")
        _draw(axes, labels, series, dark=dark, lying=lying)
        _dress(figure, axes, dark=dark, lying=lying, say=say)
        out = io.BytesIO()
        FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return _without_styles(out.getvalue().decode()).encode()


def _draw(
    axes: Any, labels: Sequence[str], series: Sequence[Series], *, dark: bool, lying: bool
) -> None:
    below = [0.0] * len(labels)
    for one in series:
        look = {
            "color": _TONES[one.tone][dark],
            "hatch": _PATTERNS[one.tone],
            "edgecolor": _PAPER[dark],
            "linewidth": 0.5,
            "label": one.name,
        }
        at = [n for n, value in enumerate(one.values) if value]
        if not at:
            continue  # a bar of nothing would be as much to send as any other
        sizes, begins = [one.values[n] for n in at], [below[n] for n in at]
        if lying:
            axes.barh(at, sizes, left=begins, height=0.7, **look)
        else:
            axes.bar(at, sizes, bottom=begins, width=0.8, **look)
        below = [a + b for a, b in zip(below, one.values, strict=True)]
    places = range(len(labels))
    (axes.set_ylim if lying else axes.set_xlim)(-0.6, max(len(labels) - 0.4, 0.6))
    short = [text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…" for text in labels]
    if lying:
        axes.set_yticks(list(places), short, parse_math=False)
        axes.invert_yaxis()
    else:
        room = max(1, int(_WIDE / (max(map(len, short), default=1) * 5.5 + 14)))
        step = max(1, -(-len(labels) // room))
        axes.set_xticks(list(places)[::step], short[::step], parse_math=False)


def _dress(figure: Any, axes: Any, *, dark: bool, lying: bool, say: Callable[[float], str]) -> None:
    ink, rule = _INK[dark], _RULE[dark]
    for side, spine in axes.spines.items():
        spine.set_visible(side == ("left" if lying else "bottom"))
        spine.set_color(rule)
    axes.tick_params(colors=ink, labelsize=9, length=0)
    value_axis = axes.xaxis if lying else axes.yaxis
    value_axis.set_major_formatter(lambda value, _: say(value))
    value_axis.grid(visible=True, color=rule, linewidth=0.8)
    axes.set_axisbelow(True)
    low, high = (axes.get_xlim if lying else axes.get_ylim)()
    (axes.set_xlim if lying else axes.set_ylim)(0, max(high, low + 1))
    if not axes.get_legend_handles_labels()[0]:
        return
    legend = figure.legend(
        loc="outside upper left", ncols=4, frameon=False, fontsize=9, labelcolor=ink
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


_STYLE = re.compile(r' style="([^"]*)"')


def _without_styles(svg: str) -> str:
    """Style attributes as attributes of presentation, and no style element."""

    def attributes(match: re.Match[str]) -> str:
        pairs = (part.partition(":") for part in match[1].split(";") if ":" in part)
        return "".join(f' {name.strip()}="{value.strip()}"' for name, _, value in pairs)

    plain = _STYLE.sub(attributes, svg)
    plain = re.sub(r"<style.*?</style>", "", plain, flags=re.DOTALL)
    return re.sub(r"<metadata>.*?</metadata>", "", plain, flags=re.DOTALL)
