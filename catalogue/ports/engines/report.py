"""The report as a person reads it: a PDF with the picture, the inputs, and how to do it again.

The same facts give the same bytes: reportlab's invariant mode leaves out dates and random ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray
from reportlab import rl_config
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from catalogue.ports.engines import agipd, picture
from catalogue.ports.engines.constants import BAD_PIXELS, NOISE, OFFSET, UnitConstants
from catalogue.ports.engines.contract import UnitConstant
from catalogue.ports.engines.exdf import FileName
from catalogue.ports.engines.record import CHARACTERISE, Facts, attach

# Pictures as bytes, not as text a quarter longer.
rl_config.useA85 = 0
_STYLES = getSampleStyleSheet()
_SMALL = ParagraphStyle("small", parent=_STYLES["Normal"], fontSize=8, leading=10)
_HEAD, _MONO = ("Helvetica-Bold", 7), ("Courier", 6.0)
_DARK_HEAD = (
    *("unit", "frames in memory cell", "median offset / ADU", "median noise / ADU", "bad pixels"),
)
Row = Sequence[str]


def name_of(facts: Facts) -> str:
    """`DARK-R0001-report.pdf` or `CORR-R0003-report.pdf`."""
    kind = "DARK" if facts.task == CHARACTERISE else "CORR"
    run = FileName.parse(Path(facts.inputs[-1].path).name).run
    return f"{kind}-R{run:04d}-report.pdf"


def dark(path: Path, facts: Facts, results: Mapping[str, UnitConstants]) -> None:
    """The report on constants made from a dark run."""
    shown = {agipd.module_number(u): each.arrays[OFFSET][0] for u, each in results.items()}
    first_cell = next(iter(results.values())).cells[0]
    caption = (
        f"Offset of each pixel in memory cell {first_cell}, in ADU. Grey: gaps and units that were"
        " not asked for."
    )
    rows = [
        (
            unit,
            ", ".join(f"{cell}: {n}" for cell, n in zip(r.cells, r.frames_per_cell, strict=True)),
            f"{np.median(r.arrays[OFFSET]):.1f}",
            f"{np.median(r.arrays[NOISE]):.2f}",
            str(int(np.count_nonzero(r.arrays[BAD_PIXELS].any(axis=0)))),
        )
        for unit, r in results.items()
    ]
    story = [
        *_beginning("Dark characterisation", facts, shown, caption),
        *_section(
            "Constants made",
            _DARK_HEAD,
            rows, (50, 190, 90, 90, 60),
        ),
    ]  # fmt: skip
    _write(path, [*story, *_ending(facts)], facts)


def correction(
    path: Path, facts: Facts, used: Iterable[UnitConstant],
    pictures: Mapping[int, NDArray[np.float64]],
) -> None:  # fmt: skip
    """The report on a corrected run."""
    caption = (
        "Mean of all corrected frames, in ADU. Grey: gaps, bad pixels, and units that were not"
        " asked for."
    )
    rows = [(each.unit, each.physical_unit, each.kind, each.version, each.sha256) for each in used]
    story = [
        *_beginning("Correction", facts, pictures, caption),
        *_section(
            "Constants used",
            ("unit", "physical unit", "kind", "version", "sha256"),
            rows, (32, 68, 40, 130, 234),
        ),
    ]  # fmt: skip
    _write(path, [*story, *_ending(facts)], facts)


def _beginning(
    title: str, facts: Facts, shown: Mapping[int, NDArray[Any]], caption: str
) -> list[Flowable]:
    request = facts.request
    condition = ", ".join(f"{name} {value:g}" for name, value in sorted(facts.condition.items()))
    return [
        Paragraph(title, _STYLES["Title"]),
        Paragraph(escape(request.label), _STYLES["Heading3"]),
        Paragraph(f"Detector {escape(request.detector)}, units {', '.join(request.units)}", _SMALL),
        Paragraph(f"Operating condition: {condition}", _SMALL),
        Spacer(1, 4 * mm),
        DetectorPicture(picture.of_detector(shown)),
        Paragraph(caption, _SMALL),
    ]


def _ending(facts: Facts) -> list[Flowable]:
    sizes = (180, 70, 234)
    head = ("file", "bytes", "sha256")
    inputs = [(each.path, str(each.bytes), each.sha256) for each in facts.inputs]
    made = [(each.path, str(each.bytes), each.sha256) for each in facts.produced]
    settings = [(name, repr(value)) for name, value in sorted(facts.configuration.items())]
    return [
        *_section("Input files", head, inputs, sizes),
        *_section("Files made", head, made, sizes),
        *_section("Configuration", ("setting", "value"), settings, (200, 320)),
        *_section("Software", ("name", "version"), list(facts.software.items()), (200, 320)),
        Paragraph("To make it again", _STYLES["Heading3"]),
        Paragraph(
            "The request is attached to this PDF as request.json. With the input files and the"
            " constants named above, catalogue.ports.engines.reproduce makes every file again and"
            " says of each whether it has the same bytes.",
            _SMALL,
        ),
    ]  # fmt: skip


def _section(title: str, head: Row, rows: Sequence[Row], widths: Sequence[int]) -> list[Flowable]:
    wrapped = [[_wrapped(*cell) for cell in zip(row, widths, strict=True)] for row in rows]
    table = LongTable([list(head), *wrapped], colWidths=list(widths), repeatRows=1, hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, 0), *_HEAD),
                ("FONT", (0, 1), (-1, -1), *_MONO),
                ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
                ("TOPPADDING", (0, 0), (-1, -1), 1),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    return [Paragraph(title, _STYLES["Heading3"]), table]


def _wrapped(text: str, width: int) -> str:
    # A character of Courier is 0.6 of its size wide.
    room = max(1, int(width / (0.6 * _MONO[1])) - 1)
    return "\n".join(text[i : i + room] for i in range(0, len(text), room))


class DetectorPicture(Flowable):  # type: ignore[misc]
    """The picture, a colour scale with its values, and a bar of known length."""

    _HEIGHT = 125 * mm
    _BAR_MM = 50

    def __init__(self, shown: picture.Picture) -> None:
        super().__init__()
        self._shown = shown
        wide, high = shown.image.size
        self._scale = self._HEIGHT / high
        self.width, self.height = wide * self._scale + 25 * mm, self._HEIGHT + 8 * mm

    def wrap(self, *_: float) -> tuple[float, float]:
        """Its size, whatever room there is."""
        return self.width, self.height

    def draw(self) -> None:
        """Onto the canvas that platypus has set."""
        canvas, wide = self.canv, self._shown.image.size[0] * self._scale
        base = 8 * mm
        canvas.drawImage(ImageReader(self._shown.image), 0, base, wide, self._HEIGHT)
        bar = wide + 4 * mm
        canvas.drawImage(ImageReader(picture.scale(256)), bar, base, 5 * mm, self._HEIGHT)
        canvas.setFont("Helvetica", 7)
        low, high = self._shown.low, self._shown.high
        for step in range(5):
            value = low + (high - low) * step / 4
            canvas.drawString(bar + 6 * mm, base + self._HEIGHT * step / 4 - 2, f"{value:.1f} ADU")
        length = self._BAR_MM / agipd.PIXEL_MM / self._shown.pixels_per_dot * self._scale
        canvas.line(0, 4 * mm, length, 4 * mm)
        canvas.drawString(length + 2 * mm, 4 * mm - 2, f"{self._BAR_MM} mm")


def _write(path: Path, story: list[Flowable], facts: Facts) -> None:
    document = SimpleDocTemplate(
        str(path), pagesize=A4, invariant=1, pageCompression=0,
        leftMargin=14 * mm, rightMargin=14 * mm, topMargin=14 * mm, bottomMargin=16 * mm,
        title=facts.request.label, author="Lightkeeper", subject=facts.task, lang="en",
    )  # fmt: skip
    document.build(
        story, onFirstPage=partial(_first_page, facts), onLaterPages=partial(_foot, facts)
    )


def _first_page(facts: Facts, canvas: Canvas, document: SimpleDocTemplate) -> None:
    attach(canvas, facts.document())
    _foot(facts, canvas, document)


def _foot(facts: Facts, canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont("Helvetica", 7)
    canvas.drawString(14 * mm, 9 * mm, facts.request.label)
    canvas.drawRightString(A4[0] - 14 * mm, 9 * mm, f"page {document.page}")
