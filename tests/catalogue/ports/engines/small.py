"""A small run and what the engine makes of it: two modules instead of sixteen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalogue.demo.daq import DETECTOR, TRAINS, Kind, RunSpec, RunWriter, WrittenFile
from catalogue.ports.engines.contract import (
    CorrectionReceipt,
    CorrectionRequest,
    DarkReceipt,
    DarkRequest,
    RawFile,
    UnitConstant,
    from_json,
    to_json,
)
from catalogue.ports.engines.process import perform

UNITS = ("AGIPD00", "AGIPD01")


def spec(folder: Path, *, run: int, kind: Kind, **changes: Any) -> RunSpec:
    """A run of two modules, else as long as those of the demo."""
    usual: dict[str, Any] = {"trains": TRAINS[kind], "modules": len(UNITS), "seed": 11}
    return RunSpec(
        folder=folder,
        proposal=900054,
        run=run,
        kind=kind,
        first_train=1_000_000_000 + 1000 * run,
        began_at=datetime(2026, 11, 20, 8, run, tzinfo=UTC),
        **(usual | changes),
    )


def write(which: RunSpec) -> list[WrittenFile]:
    """All sequences of a run."""
    writer = RunWriter(which)
    return [file for i in range(writer.sequences) for file in writer.write_sequence(i)]


def registered(files: Iterable[WrittenFile]) -> tuple[RawFile, ...]:
    """Files as the catalogue hands them to an engine."""
    return tuple(RawFile(file.path.name, file.bytes, file.sha256) for file in files)


def dark_request(which: RunSpec, files: Iterable[WrittenFile], output: Path) -> DarkRequest:
    """The constants of all its modules."""
    return DarkRequest(
        raw_folder=str(which.folder),
        files=registered(files),
        output_folder=str(output),
        detector=DETECTOR,
        units=UNITS[: which.modules],
        configuration={},
        label=f"p{which.proposal:06d} r{which.run:04d}",
        physical_units={"AGIPD00": "AGIPD_SIV1_M305"},
    )


def versions(receipt: DarkReceipt, folder: Path) -> tuple[UnitConstant, ...]:
    """Constants as the catalogue would name them."""
    return tuple(
        UnitConstant(
            unit=made.unit,
            physical_unit=made.physical_unit,
            kind=made.kind,
            version=f"{made.kind} of {made.unit}, 20 November",
            path=str(folder / made.file.path),
            sha256=made.file.sha256,
        )
        for made in receipt.constants
    )


def correction_request(
    which: RunSpec, files: Iterable[WrittenFile], constants: Iterable[UnitConstant], output: Path
) -> CorrectionRequest:
    """All its modules corrected."""
    return CorrectionRequest(
        raw_folder=str(which.folder),
        files=registered(files),
        output_folder=str(output),
        constants=tuple(constants),
        configuration={},
        detector=DETECTOR,
        units=UNITS[: which.modules],
        label=f"p{which.proposal:06d} r{which.run:04d}",
    )


def characterise(request: DarkRequest) -> DarkReceipt:
    """In this process, for tests of what comes out."""
    return from_json(DarkReceipt, _perform("characterise", request))


def correct(request: CorrectionRequest) -> CorrectionReceipt:
    """In this process, for tests of what comes out."""
    return from_json(CorrectionReceipt, _perform("correct", request))


def _perform(task: str, request: DarkRequest | CorrectionRequest) -> dict[str, Any]:
    parts = Path(request.output_folder) / ".parts"
    parts.mkdir()
    return perform(task, to_json(request), parts, silent)


def silent(_fraction: float, _text: str) -> None:
    """Progress that nobody reads."""


def never() -> bool:
    """Not called off."""
    return False


@dataclass(frozen=True)
class Small:
    """A dark run, a data run, and the constants from the one for the other. Read only."""

    folder: Path
    dark: RunSpec
    dark_files: list[WrittenFile]
    data: RunSpec
    data_files: list[WrittenFile]
    characterised: DarkReceipt
    constants_folder: Path
    constants: tuple[UnitConstant, ...]

    def correction(self, output: Path, **changes: Any) -> CorrectionRequest:
        """The data run corrected into `output`, which is made."""
        output.mkdir(parents=True)
        usual = correction_request(self.data, self.data_files, self.constants, output)
        return replace(usual, **changes)


def make(folder: Path) -> Small:
    """Write both runs and make the constants."""
    dark = spec(folder / "raw/r0001", run=1, kind="dark")
    data = spec(folder / "raw/r0003", run=3, kind="data")
    dark_files, data_files = write(dark), write(data)
    constants = folder / "constants"
    constants.mkdir()
    receipt = characterise(dark_request(dark, dark_files, constants))
    return Small(
        folder=folder,
        dark=dark,
        dark_files=dark_files,
        data=data,
        data_files=data_files,
        characterised=receipt,
        constants_folder=constants,
        constants=versions(receipt, constants),
    )
