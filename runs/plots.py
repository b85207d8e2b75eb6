"""Plots as SVG, made on the server; the numbers stand in a table beside each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from runs.planned import Comparison, scale

# Ink, rule, plan and measurement in a light and in a dark page, as in the stylesheet.
COLOURS = {
    "light": ("#1a2027", "#828d99", "#a9b4be", "#0a5f69"),
    "dark": ("#d7dee5", "#66727f", "#4b5661", "#5cc4cf"),
}


def plan_and_actual(lines: Sequence[Comparison], scheme: str = "light") -> bytes:
    """Bars for volumes and hours: what was planned behind, what was measured before it."""
    # why: half a second and a hundred megabytes that only this address needs
    from matplotlib.figure import Figure

    ink, rule, planned, actual = COLOURS[scheme]
    volumes = [line for line in lines if line.unit == "bytes"]
    hours = [line for line in lines if line.unit == "hours"]
    step, unit = scale(a or 0 for line in volumes for a in (line.planned, line.actual))
    groups = [(volumes, step, unit), (hours, 1.0, "hours")]
    figure = Figure(figsize=(7, 2.6), layout="constrained", facecolor="none")
    heights = [max(len(group), 1) for group, _, _ in groups]
    axes = figure.subplots(len(groups), 1, height_ratios=heights)
    for axis, (group, size, label) in zip(axes, groups, strict=True):
        _bars(axis, group, size, (planned, actual))
        axis.set_xlabel(label, color=ink)
        _quiet(axis, ink, rule)
    out = io.BytesIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return out.getvalue()


def _bars(axis: Any, group: Sequence[Comparison], size: float, colours: tuple[str, str]) -> None:
    places = range(len(group))
    axis.barh(places, [(c.planned or 0) / size for c in group], height=0.7, color=colours[0])
    axis.barh(places, [(c.actual or 0) / size for c in group], height=0.35, color=colours[1])
    axis.set_yticks(places, [c.what for c in group])
    axis.invert_yaxis()
    axis.set_xlim(left=0)


def _quiet(axis: Any, ink: str, rule: str) -> None:
    axis.set_facecolor("none")
    axis.tick_params(colors=ink, labelsize=9)
    for side, spine in axis.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(rule)
