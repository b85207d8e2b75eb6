"""The promise of the calibration, on the whole detector, checked from outside; and that the check
can fail."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from extra_data import DataCollection
from extra_data.components import AGIPD1M
from extra_data.validation import RunValidator

from catalogue.demo.daq import DETECTOR, SEQUENCES, TRAINS, Kind, RunSpec, RunWriter, noise
from catalogue.demo.truth import check_correction
from catalogue.ports.engines import engine_for
from catalogue.ports.engines.contract import (
    CorrectionRequest,
    DarkRequest,
    RawFile,
    UnitConstant,
)

UNITS = tuple(f"AGIPD{module:02d}" for module in range(16))


@dataclass(frozen=True)
class Calibrated:
    spec: RunSpec
    proc: Path


def quiet(_fraction: float, _text: str) -> None:
    """Nobody watches."""


def write(folder: Path, run: int, kind: Kind) -> tuple[RunSpec, tuple[RawFile, ...]]:
    spec = RunSpec(
        folder=folder / f"raw/r{run:04d}", proposal=900054, run=run, kind=kind,
        trains=TRAINS[kind], first_train=1000 * run, sequences=SEQUENCES[kind], seed=20,
        began_at=datetime(2026, 11, 20, 10, run, tzinfo=UTC),
    )  # fmt: skip
    writer = RunWriter(spec)
    files = [file for i in range(writer.sequences) for file in writer.write_sequence(i)]
    return spec, tuple(RawFile(file.path.name, file.bytes, file.sha256) for file in files)


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Calibrated:
    """A dark run and a data run as the demo writes them, through the engine."""
    folder = tmp_path_factory.mktemp("beamtime")
    engine = engine_for("embedded")
    dark, dark_files = write(folder, 1, "dark")
    data, data_files = write(folder, 3, "data")
    constants, proc = folder / "constants", folder / "proc/r0003"
    constants.mkdir()
    proc.mkdir(parents=True)
    request = DarkRequest(
        str(dark.folder), dark_files, str(constants), DETECTOR, UNITS, {}, "p900054 r0001"
    )
    made = engine.characterise(request, progress=quiet, cancelled=bool).constants
    named = tuple(
        UnitConstant(
            c.unit, c.physical_unit, c.kind, f"{c.unit} {c.kind}", str(constants / c.file.path),
            c.file.sha256,
        )
        for c in made
    )  # fmt: skip
    engine.correct(
        CorrectionRequest(
            str(data.folder), data_files, str(proc), named, {}, DETECTOR, UNITS, "p900054 r0003"
        ),
        progress=quiet,
        cancelled=bool,
    )
    return Calibrated(data, proc)


@pytest.fixture
def spoilt(calibrated: Calibrated, tmp_path: Path) -> Calibrated:
    """The corrected files of the first two modules, to be changed."""
    for path in calibrated.proc.glob("CORR-R0003-AGIPD0[01]-*.h5"):
        shutil.copy(path, tmp_path)
    return Calibrated(replace(calibrated.spec, modules=2), tmp_path)


def change(where: Calibrated, what: str, by: object) -> None:
    """`what` of each frame becomes `by(array, module)`."""
    assert callable(by)
    for path in where.proc.glob("*.h5"):
        module = int(path.name.split("AGIPD")[1][:2])
        with h5py.File(path, "r+") as file:
            image = file[f"INSTRUMENT/{DETECTOR}/CORR/{module}CH0:output/image"]
            image[what][:] = by(image[what][:], module)


def test_999_of_1000_pixels_are_within_4_standard_errors(calibrated: Calibrated) -> None:
    result = check_correction(calibrated.proc, calibrated.spec)
    assert result.passed
    assert result.fraction_within > 0.9995
    assert result.pixels == 16 * 512 * 128
    assert result.n == 6
    # The broken ones, and hardly more: a mask may not hide anything.
    assert 96 <= result.masked <= 140


def test_the_check_passes_on_part_of_it(spoilt: Calibrated) -> None:
    assert check_correction(spoilt.proc, spoilt.spec).passed


def test_an_offset_that_is_wrong_by_one_sigma_fails(spoilt: Calibrated) -> None:
    sigma = noise(spoilt.spec.seed, modules=2)
    change(spoilt, "data", lambda data, module: data + sigma[module])
    result = check_correction(spoilt.proc, spoilt.spec)
    assert not result.passed
    assert result.fraction_within < 0.95


def test_an_offset_that_is_wrong_in_few_pixels_fails(spoilt: Calibrated) -> None:
    """0.3 % of the pixels of each module."""

    def few(data: np.ndarray, _module: int) -> np.ndarray:  # type: ignore[type-arg]
        data[:, :, 5] += 100
        data[:, 64:, 5] -= 100
        data[:, :64, 6] += 100
        data[:, :64, 7] += 100
        return data

    change(spoilt, "data", few)
    assert not check_correction(spoilt.proc, spoilt.spec).passed


def test_a_mask_does_not_hide_a_failure(spoilt: Calibrated) -> None:
    change(spoilt, "mask", lambda mask, _: np.ones_like(mask))
    result = check_correction(spoilt.proc, spoilt.spec)
    assert (result.passed, result.fraction_within, result.masked) == (False, 0, result.pixels)


def test_the_truth_of_another_run_is_another(spoilt: Calibrated) -> None:
    for path in sorted(spoilt.proc.glob("*.h5")):
        shutil.copy(path, spoilt.proc / path.name.replace("R0003", "R0004"))
    assert not check_correction(spoilt.proc, replace(spoilt.spec, run=4)).passed


def test_values_that_are_no_numbers_fail(spoilt: Calibrated) -> None:
    change(spoilt, "data", lambda data, _: data * np.nan)
    assert check_correction(spoilt.proc, spoilt.spec).fraction_within == 0


def test_a_missing_file_is_named(spoilt: Calibrated) -> None:
    (spoilt.proc / "CORR-R0003-AGIPD01-S00001.h5").unlink()
    with pytest.raises(FileNotFoundError, match="AGIPD01-S00001"):
        check_correction(spoilt.proc, spoilt.spec)


def test_missing_frames_are_named(spoilt: Calibrated) -> None:
    with pytest.raises(ValueError, match="module 0 has 6 corrected frames, not 8"):
        check_correction(spoilt.proc, replace(spoilt.spec, trains=31))


# ------------------------------------------------------------------ judged by extra_data


def test_corrected_files_open_as_the_facilitys_do(calibrated: Calibrated) -> None:
    paths = [str(path) for path in sorted(calibrated.proc.glob("*.h5"))]
    with DataCollection.from_paths(paths, is_single_run=True, parallelize=False) as run:
        detector = AGIPD1M(run, raw=False)
        assert len(detector.modno_to_source) == 16
        data = detector.get_array("image.data")
        assert data.shape == (16, 3, 2, 512, 128)
        assert data.dtype == np.float32
        masked = detector.masked_data().ndarray()
        assert 0 < np.isnan(masked).sum() / masked.size < 3e-4
        # Older programs ask for the name of the RAW source.
        assert run.legacy_sources[f"{DETECTOR}/DET/3CH0:xtdf"] == f"{DETECTOR}/CORR/3CH0:output"
        with pytest.warns(DeprecationWarning, match="legacy name"):
            legacy = run[f"{DETECTOR}/DET/3CH0:xtdf", "image.data"].ndarray()
        assert np.array_equal(legacy.reshape(3, 2, 512, 128), data.values[3])


def test_the_facilitys_validator_has_no_complaint(calibrated: Calibrated) -> None:
    assert RunValidator(str(calibrated.proc)).run_checks() == []
