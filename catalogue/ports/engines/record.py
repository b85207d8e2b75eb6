"""The machine-readable half of a report: what was asked, of what, with what, and what came out.

It is a JSON document attached to the PDF as `request.json`; any PDF reader can save it. It names
files by name and checksum and never says where they lay: data move between stores, and a report
made again elsewhere has the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from reportlab.pdfbase import pdfdoc
from reportlab.pdfgen.canvas import Canvas

from catalogue.ports.engines.contract import (
    CorrectionRequest,
    DarkRequest,
    ProducedFile,
    RawFile,
    UnitConstant,
    from_json,
    to_json,
)
from catalogue.ports.outcome import Permanent

ATTACHMENT = "request.json"
FORMAT = "lightkeeper calibration 1"
CHARACTERISE, CORRECT = "characterise", "correct"
_REQUESTS: Mapping[str, type[DarkRequest] | type[CorrectionRequest]] = {
    CHARACTERISE: DarkRequest,
    CORRECT: CorrectionRequest,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a report says. `inputs` are the RAW files that were read; `values` maps a produced
    file to the sha256 of its pixel values and masks, whatever container they are in."""

    task: str
    request: DarkRequest | CorrectionRequest
    inputs: tuple[RawFile, ...]
    produced: tuple[ProducedFile, ...]
    values: Mapping[str, str]
    condition: Mapping[str, float]
    configuration: Mapping[str, Any]
    software: Mapping[str, str]

    def document(self) -> bytes:
        """The attachment; the same facts give the same bytes."""
        plain = {**asdict(self), "format": FORMAT, "request": to_json(self.request)}
        return json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=True).encode()

    @classmethod
    def parse(cls, document: bytes) -> Facts:
        """Raises ValueError where it is no document of ours."""
        data = json.loads(document)
        if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
            raise ValueError(f"not a document of the format {FORMAT!r}")
        try:
            request = from_json(_REQUESTS[data["task"]], data["request"])
            inputs = tuple(from_json(RawFile, each) for each in data["inputs"])
            produced = tuple(from_json(ProducedFile, each) for each in data["produced"])
            return cls(**{**data, "request": request, "inputs": inputs, "produced": produced})
        except (KeyError, TypeError) as error:
            raise ValueError(f"the document lacks or does not know {error}") from error


def without_places(
    request: DarkRequest | CorrectionRequest,
) -> DarkRequest | CorrectionRequest:
    """The request with names in the place of paths."""
    if isinstance(request, DarkRequest):
        return replace(request, raw_folder="", output_folder="")
    constants = tuple(replace(each, path=Path(each.path).name) for each in request.constants)
    return replace(request, raw_folder="", output_folder="", constants=constants)


def named(constant: UnitConstant) -> dict[str, str]:
    """A constant as a corrected file names it: which one, not where it lay."""
    return {name: value for name, value in asdict(constant).items() if name != "path"}


def attach(canvas: Canvas, document: bytes) -> None:
    """Put the document into the PDF that `canvas` writes, neither packed nor encoded, so that a
    person with a text editor finds it too."""
    pdf = canvas._doc
    stream = pdfdoc.PDFStream(
        dictionary=pdfdoc.PDFDictionary(
            {
                "Type": pdfdoc.PDFName("EmbeddedFile"),
                "Params": pdfdoc.PDFDictionary({"Size": len(document)}),
            }
        ),
        content=document,
        filters=(),
    )
    embedded = pdfdoc.PDFDictionary({"F": pdf.Reference(stream, "requestDocument")})
    specification = pdfdoc.PDFDictionary(
        {
            "Type": pdfdoc.PDFName("Filespec"),
            "F": pdfdoc.PDFString(ATTACHMENT),
            "UF": pdfdoc.PDFString(ATTACHMENT),
            "Desc": pdfdoc.PDFString("The request this report was made from"),
            "EF": embedded,
        }
    )
    names = pdfdoc.PDFArray(
        [pdfdoc.PDFString(ATTACHMENT), pdf.Reference(specification, "requestFile")]
    )
    pdf.Catalog.Names = pdfdoc.PDFDictionary(
        {"EmbeddedFiles": pdfdoc.PDFDictionary({"Names": names})}
    )


# The dictionary and the beginning of the stream that `attach` writes.
_STREAM = re.compile(
    rb" obj\s+<<(?P<entries>[^()]{0,400}?/Type\s*/EmbeddedFile\s[^()]{0,100}?)>>\s*stream\n"
)
_LENGTH = re.compile(rb"/Length\s+(\d+)")


def extract(report: Path) -> Facts:
    """What a report made by this engine carries; Permanent where it carries nothing of the kind."""
    pdf = report.read_bytes()
    stream = _STREAM.search(pdf)
    length = _LENGTH.search(stream["entries"]) if stream else None
    if stream is None or length is None:
        raise Permanent(f"{report.name} carries no {ATTACHMENT}", file=report.name)
    document = pdf[stream.end() : stream.end() + int(length[1])]
    try:
        return Facts.parse(document)
    except ValueError as error:
        raise Permanent(
            f"the {ATTACHMENT} in {report.name} cannot be read", file=report.name, error=str(error)
        ) from error
