"""Plots: whole SVG, without anything that the policy of the site would not apply."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from catalogue.ground.plots import Series, bars

SERIES = [Series("Used", "busy", [3, 0, 5]), Series("To go", "warn", [1, 2, 0])]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("lying", [False, True])
def test_a_plot_is_svg_without_styles_and_scripts(dark: bool, lying: bool) -> None:
    svg = bars(["a", "b", "c"], SERIES, dark=dark, lying=lying, say=lambda v: f"{v:.0f}")
    root = ET.fromstring(svg)  # noqa: S314
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags.isdisjoint({"style", "script", "image", "foreignObject"})
    assert all("style" not in element.attrib for element in root.iter())
    assert b"fill=" in svg
    ink = b"#d7dee5" if dark else b"#1a2027"
    assert ink in svg
    assert (b"#1a2027" in svg) is not dark


def test_the_same_numbers_are_the_same_picture() -> None:
    one, two = (bars(["a", "b", "c"], SERIES, dark=False, say=str) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("labels", [["$\\frac{1}$", "<b>&", "\u202e🔬"], []])
def test_strange_labels_and_none_are_drawn(labels: list[str]) -> None:
    series = [Series("$x$ <i>", "good", [1] * len(labels))]
    ET.fromstring(bars(labels, series, dark=False, say=str))  # noqa: S314
