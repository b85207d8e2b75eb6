"""What the engine makes of RAW: constants, corrected files, and refusals that name the reason."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from catalogue.demo.daq import DETECTOR, RunSpec, WrittenFile, noise, offset
from catalogue.demo.daq.detector import broken
from catalogue.ports.engines.files import sha256_of
from catalogue.ports.outcome import Permanent
from tests.catalogue.ports.engines import small
from tests.catalogue.ports.engines.conftest import Corrected
from tests.catalogue.ports.engines.small import Small

RAW_SOURCE = f"INSTRUMENT/{DETECTOR}/DET/0CH0:xtdf/image"
CORRECTED_SOURCE = f"INSTRUMENT/{DETECTOR}/CORR/0CH0:output/image"


def constant(beamtime: Small, kind: str, unit: str = "AGIPD00") -> np.ndarray[Any, Any]:
    for made in beamtime.characterised.constants:
        if (made.unit, made.kind) == (unit, kind):
            with h5py.File(beamtime.constants_folder / made.file.path) as file:
                found: np.ndarray[Any, Any] = file[f"{made.dataset}/data"][:]
                return found
    raise LookupError(kind)


def copied(which: RunSpec, files: list[WrittenFile], folder: Path) -> RunSpec:
    """The run in a folder of the test's own, to be spoilt."""
    folder.mkdir(parents=True)
    for file in files:
        shutil.copy(file.path, folder)
    return replace(which, folder=folder)


def again(files: list[WrittenFile], folder: Path) -> list[WrittenFile]:
    """The files of `folder` as they are now, registered."""
    return [
        WrittenFile(path, path.stat().st_size, sha256_of(path), None)
        for path in (folder / file.path.name for file in files)
    ]


# ------------------------------------------------------------------ constants


def test_constants_are_those_of_the_detector(beamtime: Small) -> None:
    dark = beamtime.dark
    frames_per_cell = dark.frames / dark.pulses
    true_offset, true_noise = offset(dark.seed, modules=1)[0], noise(dark.seed, modules=1)[0]
    error = np.maximum(true_noise, 0.5) / np.sqrt(frames_per_cell)
    assert np.mean(np.abs(constant(beamtime, "Offset") - true_offset) < 4 * error) > 0.9999
    ratio = constant(beamtime, "Noise")[:, true_noise > 0] / true_noise[true_noise > 0]
    assert abs(np.sqrt(np.mean(ratio**2)) - 1) < 0.01


def test_bad_pixels_are_the_broken_ones(beamtime: Small) -> None:
    found = constant(beamtime, "BadPixels")
    stuck, noisy = broken(beamtime.dark.seed, 0)
    for cell in found.reshape(len(found), -1):
        assert (cell[stuck] & (1 << 14)).all()
        assert (cell[noisy] & (1 << 1)).all()
        assert np.count_nonzero(cell) <= len(stuck) + len(noisy) + 3


def test_a_made_constant_says_where_it_is_from(beamtime: Small) -> None:
    made = beamtime.characterised.constants
    assert [(each.unit, each.kind) for each in made] == [
        (unit, kind) for unit in small.UNITS for kind in ("Offset", "Noise", "BadPixels")
    ]
    first, last = beamtime.dark.first_train, beamtime.dark.first_train + 150
    for each in made:
        path = beamtime.constants_folder / each.file.path
        assert (path.stat().st_size, sha256_of(path)) == (each.file.bytes, each.file.sha256)
        assert (each.from_trains, each.n_frames) == ((first, last), 32)
        assert each.condition == {
            "Sensor Bias Voltage": 300, "Pixels X": 512, "Pixels Y": 128, "Memory cells": 2,
            "Acquisition rate": 1.1, "Gain setting": 0, "Gain mode": 1,
        }  # fmt: skip
        with h5py.File(path) as file:
            assert list(file[each.dataset]["data"].attrs["dims"]) == [
                b"cell", b"slow_scan", b"fast_scan",
            ]  # fmt: skip
            assert file[each.dataset].attrs["first_train"] == first
    assert made[0].dataset == "AGIPD_SIV1_M305/Offset/0"


def test_a_dark_run_that_is_too_short_is_refused(tmp_path: Path) -> None:
    short = small.spec(tmp_path / "raw", run=1, kind="dark", trains=70, modules=1)
    (tmp_path / "out").mkdir()
    with pytest.raises(Permanent, match="AGIPD00 has 7 dark frames in a memory cell, 8"):
        small.characterise(small.dark_request(short, small.write(short), tmp_path / "out"))


def test_trains_whose_number_is_doubtful_make_no_constants(tmp_path: Path) -> None:
    spec = small.spec(tmp_path / "raw", run=1, kind="dark", trains=90, modules=1, sequences=1)
    files = small.write(spec)
    with h5py.File(files[0].path, "r+") as file:
        file["INDEX/flag"][0] = 0
        file[f"{RAW_SOURCE}/data"][:2, 0] = 16000
    (tmp_path / "out").mkdir()
    request = small.dark_request(spec, again(files, spec.folder), tmp_path / "out")
    made = small.characterise(request).constants[0]
    assert made.n_frames == 16
    assert made.from_trains[0] == spec.first_train + 10
    with h5py.File(tmp_path / "out" / made.file.path) as file:
        assert np.median(file[f"{made.dataset}/data"][:]) < 6000


# ------------------------------------------------------------------ corrected files


def test_corrected_is_raw_less_offset_exactly(beamtime: Small, corrected: Corrected) -> None:
    offsets, bad = constant(beamtime, "Offset"), constant(beamtime, "BadPixels")
    for sequence, frames in ((0, 4), (1, 2)):
        name = f"R0003-AGIPD00-S{sequence:05d}.h5"
        with (
            h5py.File(beamtime.data.folder / f"RAW-{name}") as raw,
            h5py.File(corrected.folder / f"CORR-{name}") as proc,
        ):
            image = proc[CORRECTED_SOURCE]
            analogue = raw[f"{RAW_SOURCE}/data"][:, 0]
            cells = raw[f"{RAW_SOURCE}/cellId"][:, 0]
            assert image["data"].shape == (frames, 512, 128)
            assert image["data"].dtype == np.float32
            expected = analogue.astype(np.float32) - offsets[cells]
            np.testing.assert_array_equal(image["data"][:], expected)
            np.testing.assert_array_equal(image["mask"][:], bad[cells])
            np.testing.assert_array_equal(image["cellId"][:], cells)
            np.testing.assert_array_equal(image["trainId"][:], raw[f"{RAW_SOURCE}/trainId"][:, 0])
            for each in ("trainId", "timestamp", "flag", "origin"):
                np.testing.assert_array_equal(proc[f"INDEX/{each}"][:], raw[f"INDEX/{each}"][:])


def test_a_corrected_file_names_its_constants(beamtime: Small, corrected: Corrected) -> None:
    with h5py.File(corrected.folder / "CORR-R0003-AGIPD01-S00000.h5") as file:
        metadata = {
            name: json.loads(file[f"METADATA/calibration{name}"][0])
            for name in ("Constants", "Input", "Configuration")
        }
    mine = [each for each in beamtime.constants if each.unit == "AGIPD01" and each.kind != "Noise"]
    assert [(each["version"], each["sha256"]) for each in metadata["Constants"]] == [
        (each.version, each.sha256) for each in mine
    ]
    assert metadata["Input"]["file"] == "RAW-R0003-AGIPD01-S00000.h5"
    assert metadata["Configuration"] == {"compression": 1, "mask_bad_pixels": True}
    assert {each.kind for each in corrected.receipt.constants_used} == {"Offset", "BadPixels"}


def test_only_the_units_asked_for(beamtime: Small, tmp_path: Path) -> None:
    receipt = small.correct(beamtime.correction(tmp_path / "out", units=("AGIPD01",)))
    assert [file.path for file in receipt.files] == [
        "CORR-R0003-AGIPD01-S00000.h5", "CORR-R0003-AGIPD01-S00001.h5",
    ]  # fmt: skip


def test_without_masking_no_bad_pixels_are_needed(beamtime: Small, tmp_path: Path) -> None:
    offsets = tuple(each for each in beamtime.constants if each.kind == "Offset")
    request = beamtime.correction(
        tmp_path / "out", constants=offsets, configuration={"mask_bad_pixels": False}
    )
    receipt = small.correct(request)
    assert receipt.configuration == {"mask_bad_pixels": False, "compression": 1}
    with h5py.File(tmp_path / "out" / receipt.files[0].path) as file:
        assert not file[f"{CORRECTED_SOURCE}/mask"][:].any()


def test_a_sequence_in_which_the_detector_recorded_nothing(beamtime: Small, tmp_path: Path) -> None:
    spec = small.spec(tmp_path / "raw", run=4, kind="data", trains=12, sequences=3)
    files = small.write(spec)
    (tmp_path / "out").mkdir()
    request = small.correction_request(spec, files, beamtime.constants, tmp_path / "out")
    receipt = small.correct(request)
    with h5py.File(tmp_path / "out" / receipt.files[1].path) as file:
        assert file[f"{CORRECTED_SOURCE}/data"].shape == (0, 512, 128)


def test_files_of_other_names_are_left_alone(beamtime: Small, tmp_path: Path) -> None:
    request = beamtime.correction(tmp_path / "out")
    note = replace(request.files[0], path="karabo_data_map.json")
    assert small.correct(replace(request, files=(note, *request.files))).files


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize("which", ["RAW-R0003-AGIPD01-S00001.h5", "RAW-R0003-DA01-S00000.h5"])
def test_a_changed_raw_file_is_named_with_both_checksums(
    beamtime: Small, tmp_path: Path, which: str
) -> None:
    spec = copied(beamtime.data, beamtime.data_files, tmp_path / "raw")
    spoilt = spec.folder / which
    content = bytearray(spoilt.read_bytes())
    content[len(content) // 2] ^= 1
    spoilt.write_bytes(content)
    request = beamtime.correction(tmp_path / "out", raw_folder=str(spec.folder))
    with pytest.raises(Permanent, match=which) as caught:
        small.correct(request)
    right = next(file.sha256 for file in beamtime.data_files if file.path.name == which)
    assert caught.value.evidence["registered_sha256"] == right
    assert caught.value.evidence["found_sha256"] == sha256_of(spoilt)
    assert not list((tmp_path / "out").glob("*.h5"))


def test_a_changed_constant_is_named(beamtime: Small, tmp_path: Path) -> None:
    first, *others = beamtime.constants
    request = beamtime.correction(
        tmp_path / "out", constants=(replace(first, sha256="0" * 64), *others)
    )
    with pytest.raises(Permanent, match=r"AGIPD00-Offset-R0001\.h5") as caught:
        small.correct(request)
    assert caught.value.evidence["registered_sha256"] == "0" * 64
    assert caught.value.evidence["found_sha256"] == first.sha256


def test_units_without_constants_are_named(beamtime: Small, tmp_path: Path) -> None:
    constants = tuple(each for each in beamtime.constants if each.unit == "AGIPD00")
    with pytest.raises(Permanent, match="no constants for AGIPD01") as caught:
        small.correct(beamtime.correction(tmp_path / "out", constants=constants))
    assert caught.value.evidence["missing"] == ["AGIPD01"]


def test_two_constants_of_a_kind_are_not_chosen_between(beamtime: Small, tmp_path: Path) -> None:
    twice = (*beamtime.constants, beamtime.constants[0])
    with pytest.raises(Permanent, match="AGIPD00 has two constants Offset"):
        small.correct(beamtime.correction(tmp_path / "out", constants=twice))


def test_a_missing_file_is_named(beamtime: Small, tmp_path: Path) -> None:
    spec = copied(beamtime.data, beamtime.data_files[1:], tmp_path / "raw")
    with pytest.raises(Permanent, match=r"RAW-R0003-AGIPD00-S00000\.h5 is not there"):
        small.correct(beamtime.correction(tmp_path / "out", raw_folder=str(spec.folder)))


@pytest.mark.parametrize("path", ["/etc/RAW-R0003-DA01-S00000.h5", "../RAW-R0003-DA01-S00000.h5"])
def test_a_path_does_not_leave_the_run(beamtime: Small, tmp_path: Path, path: str) -> None:
    request = beamtime.correction(tmp_path / "out")
    files = tuple(replace(f, path=path) if "DA01-S00000" in f.path else f for f in request.files)
    with pytest.raises(Permanent, match="not a path below the folder"):
        small.correct(replace(request, files=files))


def test_a_file_that_is_no_hdf5_is_named(beamtime: Small, tmp_path: Path) -> None:
    spec = copied(beamtime.data, beamtime.data_files, tmp_path / "raw")
    (spec.folder / "RAW-R0003-AGIPD00-S00000.h5").write_bytes(b"no such format")
    files = again(beamtime.data_files, spec.folder)
    request = beamtime.correction(
        tmp_path / "out", raw_folder=str(spec.folder), files=small.registered(files)
    )
    with pytest.raises(Permanent, match=r"RAW-R0003-AGIPD00-S00000\.h5 cannot be read as HDF5"):
        small.correct(request)


def test_a_file_of_another_detector_is_named(beamtime: Small, tmp_path: Path) -> None:
    request = beamtime.correction(tmp_path / "out", detector="MID_DET_AGIPD1M-1")
    with pytest.raises(Permanent, match=r"RAW-R0003-AGIPD00-S00000\.h5 lacks a part"):
        small.correct(request)


def test_memory_cells_without_a_constant_are_named(beamtime: Small, tmp_path: Path) -> None:
    spec = small.spec(tmp_path / "raw", run=5, kind="data", trains=10, pulses=4)
    (tmp_path / "out").mkdir()
    request = small.correction_request(
        spec, small.write(spec), beamtime.constants, tmp_path / "out"
    )
    with pytest.raises(Permanent, match="has no memory cell 2, 3") as caught:
        small.correct(request)
    assert caught.value.evidence["missing_cells"] == [2, 3]


def test_adaptive_gain_is_refused(beamtime: Small, tmp_path: Path) -> None:
    """High-gain offsets would silently be wrong for pixels that switched."""
    spec = copied(beamtime.data, beamtime.data_files, tmp_path / "raw")
    control = spec.folder / "RAW-R0003-AGIPD1MCTRL00-S00000.h5"
    with h5py.File(control, "r+") as file:
        file["RUN/SPB_IRU_AGIPD1M1/MDL/FPGA_COMP/gainModeIndex/value"][0] = 0
    files = small.registered(again(beamtime.data_files, spec.folder))
    request = beamtime.correction(tmp_path / "out", raw_folder=str(spec.folder), files=files)
    with pytest.raises(Permanent, match="fixed high gain only"):
        small.correct(request)


def test_a_run_without_control_data_has_no_known_condition(beamtime: Small, tmp_path: Path) -> None:
    files = tuple(f for f in small.registered(beamtime.data_files) if "CTRL" not in f.path)
    with pytest.raises(Permanent, match="do not tell its condition"):
        small.correct(beamtime.correction(tmp_path / "out", files=files))


@pytest.mark.parametrize(
    ("configuration", "named"),
    [
        ({"mask": True}, "no setting mask"),
        ({"compression": "best"}, "compression must be like 1"),
        ({"compression": True}, "compression must be like 1"),
        ({"mask_bad_pixels": 1}, "mask_bad_pixels must be like True"),
    ],
)
def test_a_setting_nobody_knows_is_named(
    beamtime: Small, tmp_path: Path, configuration: dict[str, Any], named: str
) -> None:
    with pytest.raises(Permanent, match=named):
        small.correct(beamtime.correction(tmp_path / "out", configuration=configuration))


@pytest.mark.parametrize(
    ("units", "named"),
    [
        (("AGIPD00", "AGIPD07"), "no RAW file for AGIPD07"),
        (("LPD00",), "'LPD00' is not a unit"),
        ((), "no RAW file for any unit"),
    ],
)
def test_units_that_are_not_there_are_named(
    beamtime: Small, tmp_path: Path, units: tuple[str, ...], named: str
) -> None:
    with pytest.raises(Permanent, match=named):
        small.correct(beamtime.correction(tmp_path / "out", units=units))
