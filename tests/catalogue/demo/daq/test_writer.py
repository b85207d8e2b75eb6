"""The demo's DAQ: what the facility's tools say of its files, and how it goes on after a crash."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import h5py
import numpy as np
import pytest
from extra_data import DataCollection, RunDirectory
from extra_data.components import AGIPD1M, identify_multimod_detectors
from extra_data.file_access import FileAccess
from extra_data.validation import FileValidator, RunValidator

from catalogue.demo.daq import (
    DETECTOR,
    SEQUENCES,
    TRAINS,
    Kind,
    RunSpec,
    RunWriter,
    WrittenFile,
    expected_signal,
    noise,
    offset,
)
from catalogue.demo.daq.detector import broken

BEGAN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def spec_of(folder: Path, kind: Kind = "data", **changes: object) -> RunSpec:
    usual = RunSpec(
        folder=folder, proposal=900054, run=7, kind=kind, trains=TRAINS[kind],
        first_train=1_517_000_000, began_at=BEGAN, seed=3, sequences=SEQUENCES[kind], modules=2,
        sample="Lysozyme",
    )  # fmt: skip
    return replace(usual, **changes)  # type: ignore[arg-type]


def write(spec: RunSpec) -> list[WrittenFile]:
    writer = RunWriter(spec)
    return [file for i in range(writer.sequences) for file in writer.write_sequence(i)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunSpec, list[WrittenFile]]:
    """A data run of all sixteen modules."""
    spec = spec_of(tmp_path_factory.mktemp("raw") / "r0007", modules=16)
    return spec, write(spec)


@pytest.fixture
def run(whole: tuple[RunSpec, list[WrittenFile]]) -> Iterator[DataCollection]:
    # Not RunDirectory, which leaves a file in the folder.
    paths = [str(file.path) for file in whole[1]]
    with DataCollection.from_paths(paths, is_single_run=True, parallelize=False) as opened:
        yield opened


# ------------------------------------------------------------------ judged by extra_data


def test_the_facilitys_validator_has_no_complaint(
    whole: tuple[RunSpec, list[WrittenFile]],
) -> None:
    program = Path(sys.executable).with_name("extra-data-validate")
    said = subprocess.run(
        [str(program), str(whole[0].folder)], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout
    assert "No problems found" in said.stdout


def test_the_validator_would_complain(tmp_path: Path) -> None:
    """So that the test above can fail."""
    first, *_ = write(spec_of(tmp_path))
    with h5py.File(first.path, "r+") as file:
        file[f"INDEX/{DETECTOR}/DET/0CH0:xtdf/image/first"][0] = 1
    assert RunValidator(str(tmp_path)).run_checks()


def test_a_run_opens_as_a_folder(tmp_path: Path) -> None:
    spec = spec_of(tmp_path / "r0007")
    write(spec)
    with RunDirectory(str(spec.folder), parallelize=False) as opened:
        assert opened.train_ids[0] == spec.first_train
        assert opened.train_ids[-1] == spec.last_train
        assert len(opened.train_ids) == 30


def test_metadata(run: DataCollection) -> None:
    metadata = run.run_metadata()
    del metadata["sequenceNumber"], metadata["creationDate"], metadata["updateDate"]
    assert metadata == {
        "dataFormatVersion": "1.2", "proposalNumber": 900054, "runNumber": 7,
        "runType": "LCP SFX", "sample": "Lysozyme", "daqLibrary": "lightkeeper-demo",
        "karaboFramework": "none",
    }  # fmt: skip


def test_times_are_those_of_the_trains(run: DataCollection) -> None:
    times = run.train_timestamps(pydatetime=True)
    assert times[0] == BEGAN
    assert times[-1] == BEGAN + timedelta(seconds=2.9)


def test_the_detector_is_an_agipd(run: DataCollection) -> None:
    assert identify_multimod_detectors(run, detector_name=DETECTOR, single=True)[1] is AGIPD1M
    detector = AGIPD1M(run, raw=True)
    assert len(detector.modno_to_source) == 16
    assert detector.frames_per_train == 2
    first = 1_517_000_000
    assert list(detector.train_ids) == [first, first + 10, first + 20]
    data = detector.get_array("image.data", pulses=np.s_[:1])
    assert data.shape == (16, 3, 1, 2, 512, 128)
    assert list(detector.get_array("image.cellId", unstack_pulses=False).values[0]) == [0, 1] * 3
    assert set(data.coords["pulse"].values) == {0}
    gain = data.values[:, :, :, 1]
    assert gain.min() == gain.max() > 0


def test_slow_data_have_every_train(run: DataCollection) -> None:
    energy = run["SPB_XTD2_UND/DOOCS/ENERGY", "actualPosition"].ndarray()
    assert energy.shape == (30,)
    assert abs(energy.mean() - 9.3) < 0.01
    flux = run["SA1_XTD2_XGM/XGM/DOOCS", "pulseEnergy.photonFlux"].ndarray()
    assert flux.shape == (30,)
    assert 1000 < flux.mean() < 2000
    pulses = run["SA1_XTD2_XGM/XGM/DOOCS:output", "data.intensityTD"].ndarray()
    assert pulses.shape == (30, 1000)
    assert (pulses[:, :2] > 500).all()
    assert (pulses[:, 2:] == 1).all()
    moved = run["SPB_IRU_INJMOV/MOTOR/X"].run_value("targetPosition.value")
    assert moved == run["SPB_IRU_INJMOV/MOTOR/X", "targetPosition"].ndarray()[0]
    assert run["SPB_IRU_AGIPD1M/PSC/HV"].run_value("channels.U15.voltage.value") == 300


def test_in_a_dark_run_no_beam_reaches_the_instrument(tmp_path: Path) -> None:
    files = write(spec_of(tmp_path, "dark", trains=20, sequences=1))
    path = str(files[-1].path)
    with DataCollection.from_paths([path], is_single_run=True, parallelize=False) as opened:
        assert not opened["SPB_XTD9_XGM/XGM/DOOCS", "pulseEnergy.photonFlux"].ndarray().any()
        assert opened["SA1_XTD2_XGM/XGM/DOOCS", "pulseEnergy.photonFlux"].ndarray().all()
        assert opened.run_metadata()["runType"] == "Dark"


# ------------------------------------------------------------------ what the pixels mean


def test_a_reading_is_offset_signal_and_noise(
    whole: tuple[RunSpec, list[WrittenFile]], run: DataCollection
) -> None:
    spec = whole[0]
    data = AGIPD1M(run, raw=True).get_array("image.data", unstack_pulses=False).values[:, :, 0]
    levels = offset(spec.seed)
    truth = np.concatenate([levels] * 3, axis=1) + expected_signal(spec)[:, None]
    sigma = noise(spec.seed)
    away = (data - truth) / np.maximum(sigma, 1)[:, None]
    good = sigma > 0
    good &= sigma < 10
    spread = away.transpose(0, 2, 3, 1)[good]
    assert abs(spread.mean()) < 0.002
    assert abs(spread.std() - 1) < 0.005
    assert np.abs(spread).max() < 7


def test_a_stuck_pixel_reads_the_same_always(run: DataCollection) -> None:
    data = AGIPD1M(run, raw=True, modules={5}).get_array("image.data", unstack_pulses=False).values
    stuck = data[0, :, 0].reshape(6, -1)[:, broken(3, 5)[0]]
    assert (stuck == 8191).all()


def test_the_signal_is_the_samples_and_the_offset_the_detectors() -> None:
    first, second = (spec_of(Path(), run=run) for run in (7, 8))
    assert not np.array_equal(expected_signal(first), expected_signal(second))
    assert not expected_signal(replace(first, kind="dark")).any()
    assert expected_signal(first).shape == (2, 512, 128)
    assert np.array_equal(offset(3, modules=2), offset(3)[:2])
    assert not np.array_equal(offset(3, modules=1), offset(4, modules=1))
    assert not np.array_equal(offset(3, modules=1)[0, 0], offset(3, modules=1)[0, 1])
    assert offset(3).shape == (16, 2, 512, 128)


# ------------------------------------------------------------------ files


def test_what_is_told_of_a_file_is_so(whole: tuple[RunSpec, list[WrittenFile]]) -> None:
    spec, files = whole
    assert sorted(path.name for path in spec.folder.iterdir()) == sorted(f.path.name for f in files)
    assert {file.path.name for file in files} == {
        f"RAW-R0007-{aggregator}-S{sequence:05d}.h5"
        for aggregator in (*(f"AGIPD{m:02d}" for m in range(16)), "AGIPD1MCTRL00", "DA01")
        for sequence in range(2)
    }
    for file in files:
        content = file.path.read_bytes()
        assert len(content) == file.bytes
        assert hashlib.sha256(content).hexdigest() == file.sha256
        assert f"{zlib.adler32(content):08x}" == file.adler32


def test_a_beamtime_is_about_150_megabytes(whole: tuple[RunSpec, list[WrittenFile]]) -> None:
    beamtime: list[Kind] = ["dark", "test", *["data"] * 6]
    frames = sum(spec_of(Path(), kind).frames for kind in beamtime)
    spec, files = whole
    per_frame = sum(file.bytes for file in files) / spec.frames
    assert 140e6 < frames * per_frame < 165e6


def test_the_same_spec_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = write(spec_of(tmp_path / "a")), write(spec_of(tmp_path / "b"))
    assert [(f.path.name, f.sha256) for f in first] == [(f.path.name, f.sha256) for f in second]


def test_two_runs_are_written_at_a_time(tmp_path: Path) -> None:
    """Sequence by sequence, one of them closed before the other; the bytes do not care."""
    one, two = (RunWriter(spec_of(tmp_path / str(run), run=run)) for run in (7, 8))
    mixed = [
        *one.write_sequence(0), *two.write_sequence(0), *one.write_sequence(1),
        *two.write_sequence(1),
    ]  # fmt: skip
    apart = [f for run in (7, 8) for f in write(spec_of(tmp_path / f"{run} apart", run=run))]
    assert {f.path.name: f.sha256 for f in mixed} == {f.path.name: f.sha256 for f in apart}
    assert one.last_train == 1_517_000_029
    for file in mixed:
        with h5py.File(file.path) as opened:
            assert opened["METADATA/dataFormatVersion"][0] == b"1.2"
    assert not FileValidator(FileAccess(str(mixed[0].path))).run_checks()


def test_a_sequence_cut_off_by_a_crash_is_completed(tmp_path: Path) -> None:
    writer = RunWriter(spec_of(tmp_path))
    before = writer.write_sequence(0)
    content = before[0].path.read_bytes()
    before[0].path.write_bytes(content[: len(content) // 3])
    before[1].path.write_bytes(b"")
    untouched = before[2].path.stat().st_mtime_ns
    assert writer.write_sequence(0) == before
    assert before[0].path.read_bytes() == content
    assert before[2].path.stat().st_mtime_ns == untouched


@pytest.mark.parametrize("there", [b"somebody's data", None])
def test_another_file_of_the_name_is_not_touched(tmp_path: Path, there: bytes | None) -> None:
    writer = RunWriter(spec_of(tmp_path))
    first = writer.write_sequence(0)[0].path
    foreign = there if there is not None else first.read_bytes() + b"more"
    first.write_bytes(foreign)
    with pytest.raises(FileExistsError, match=first.name):
        writer.write_sequence(0)
    assert first.read_bytes() == foreign


# ------------------------------------------------------------------ specs


def test_every_train_is_in_one_sequence() -> None:
    spec = spec_of(Path(), trains=31, sequences=4)
    spans = [spec.span(i) for i in range(4)]
    assert [train for span in spans for train in span] == list(range(31))
    assert sum(int(spec.recorded(i).sum()) for i in range(4)) * spec.pulses == spec.frames == 8
    assert spec.ended_at == BEGAN + timedelta(seconds=3)
    with pytest.raises(IndexError):
        spec.span(4)
    with pytest.raises(IndexError):
        spec.span(-1)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"began_at": datetime(2026, 11, 20)}, "no time zone"),
        ({"trains": 0}, "trains must be at least 1"),
        ({"first_train": 0}, "first_train must be at least 1"),
        ({"sequences": 31}, "more sequences than trains"),
        ({"modules": 17}, "modules must be from 1 to 16"),
        ({"record_every": 0}, "record_every"),
    ],
)
def test_a_run_that_cannot_be_is_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        spec_of(Path(), **changes)


def test_a_time_in_another_zone_is_the_same_time(tmp_path: Path) -> None:
    cest = BEGAN.astimezone(timezone(timedelta(hours=2)))
    local = write(spec_of(tmp_path / "a", began_at=cest))
    assert [f.sha256 for f in local] == [f.sha256 for f in write(spec_of(tmp_path / "b"))]
