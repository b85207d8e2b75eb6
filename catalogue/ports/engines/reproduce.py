"""A calibration made again from its report, and compared with what the report says came out.

`python -m catalogue.ports.engines.reproduce report.pdf raw-folder constants-folder empty-folder`
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from catalogue.ports.engines.contract import (
    CorrectionRequest,
    DarkRequest,
    ProducedFile,
    UnitConstant,
)
from catalogue.ports.engines.embedded import EmbeddedEngine
from catalogue.ports.engines.files import sha256_of
from catalogue.ports.engines.record import Facts, extract
from catalogue.ports.outcome import Permanent, PortError


@dataclass(frozen=True, slots=True)
class ComparedFile:
    """One file of the report, and how the new one differs."""

    name: str
    same: bool
    explanation: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every file the report names, and the report itself."""

    files: tuple[ComparedFile, ...]

    @property
    def same(self) -> bool:
        """Whether all files have the same bytes."""
        return all(each.same for each in self.files)


def read_request(report_pdf: Path) -> DarkRequest | CorrectionRequest:
    """The request a report was made from, without folders; Permanent where there is none."""
    return extract(report_pdf).request


def reproduce(
    report_pdf: Path, raw_folder: Path, constants_folder: Path, output_folder: Path
) -> Comparison:
    """Do the request of a report again, in an empty `output_folder`.

    RAW files are those of the report by name and checksum; constants are found anywhere below
    `constants_folder` by name and checksum. Raises Permanent where one is missing or changed.
    """
    before = extract(report_pdf)
    engine = EmbeddedEngine()
    request = replace(before.request, raw_folder=str(raw_folder), output_folder=str(output_folder))
    if isinstance(request, CorrectionRequest):
        found = tuple(_found(each, constants_folder) for each in request.constants)
        request = replace(request, constants=found)
        report = engine.correct(request, progress=_quiet, cancelled=_never).report
    else:
        report = engine.characterise(request, progress=_quiet, cancelled=_never).report
    after = extract(output_folder / report.path)
    again = {each.path: each for each in after.produced}
    files = [_compared(each, again.get(each.path), before, after) for each in before.produced]
    files.append(_compared_report(report_pdf, output_folder / report.path, before, after))
    return Comparison(tuple(files))


def _quiet(_fraction: float, _text: str) -> None:
    """Nobody watches."""


def _never() -> bool:
    return False


def _found(constant: UnitConstant, folder: Path) -> UnitConstant:
    candidates = sorted(each for each in folder.rglob(constant.path) if each.is_file())
    for candidate in candidates:
        if sha256_of(candidate) == constant.sha256:
            return replace(constant, path=str(candidate))
    raise Permanent(
        f"no file below the constants folder is the constant {constant.version}",
        constant=constant.version,
        file=constant.path,
        sha256=constant.sha256,
        others=[each.name for each in candidates],
    )


def _compared(
    before: ProducedFile, after: ProducedFile | None, old: Facts, new: Facts
) -> ComparedFile:
    if after is None:
        return ComparedFile(before.path, False, "it was not made this time")
    if after.sha256 == before.sha256:
        return ComparedFile(before.path, True, "the same bytes")
    values = old.values.get(before.path)
    if values is not None and values == new.values.get(before.path):
        what = "the pixel values and masks are the same, the file around them is not"
    else:
        what = f"other content, sha256 {after.sha256} instead of {before.sha256}"
    return ComparedFile(before.path, False, f"{what}; {_why(old, new)}")


def _compared_report(old_pdf: Path, new_pdf: Path, old: Facts, new: Facts) -> ComparedFile:
    if sha256_of(old_pdf) == sha256_of(new_pdf):
        return ComparedFile(new_pdf.name, True, "the same bytes")
    if old.produced != new.produced:
        return ComparedFile(new_pdf.name, False, "it names the files that are not the same")
    return ComparedFile(new_pdf.name, False, _why(old, new))


def _why(old: Facts, new: Facts) -> str:
    changed = _changes(old.software, new.software)
    if changed:
        return f"other software: {changed}"
    return "software, configuration and input are the same: this is not explained"


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    differing = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    return ", ".join(
        f"{name} {old.get(name, 'none')}, now {new.get(name, 'none')}" for name in differing
    )


def main(arguments: list[str]) -> int:
    """The command; 0 where every file has the same bytes, 1 where one has not, 2 where it cannot
    be made."""
    if len(arguments) != 4:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        comparison = reproduce(*map(Path, arguments))
    except PortError as error:
        sys.stderr.write(f"{error.reason}\n")
        return 2
    for each in comparison.files:
        mark = "same " if each.same else "OTHER"
        sys.stdout.write(f"{mark} {each.name}: {each.explanation}\n")
    return 0 if comparison.same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
