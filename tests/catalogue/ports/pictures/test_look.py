"""What is found in files, compared with what their writer and `extra_data` know of them; pictures
whose numbers are those of the data; and files that are not what they should be."""

from __future__ import annotations

import csv
import io
import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from catalogue.demo.daq import RunSpec, WrittenFile
from catalogue.ports.engines import exdf
from catalogue.ports.engines.contract import RawFile, from_json
from catalogue.ports.engines.files import Products
from catalogue.ports.outcome import Cancelled
from catalogue.ports.pictures import EmbeddedViewer, NullViewer, drawing, frames, viewer_for
from catalogue.ports.pictures.contents import gaps_in
from catalogue.ports.pictures.contract import LookReceipt, LookRequest, is_exdf
from catalogue.ports.pictures.look import NO_DETECTOR, look
from tests.catalogue.ports.engines import small


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunSpec, list[WrittenFile]]:
    """A data run of two modules in two sequences, as the demo's DAQ writes it."""
    spec = small.spec(tmp_path_factory.mktemp("look") / "p900054/raw/r0003", run=3, kind="data")
    return spec, small.write(spec)


def request(folder: Path, files: Sequence[RawFile], output: Path, **bounds: int) -> LookRequest:
    output.mkdir(parents=True, exist_ok=True)
    return LookRequest(str(folder), tuple(files), str(output), "p900054 r0003, RAW", **bounds)


def looked(folder: Path, files: Sequence[RawFile], output: Path, **bounds: int) -> LookReceipt:
    """Without a process of its own."""
    parts = output / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    wanted = request(folder, files, output, **bounds)
    return look(wanted, Products(output, parts), small.silent)


@pytest.fixture(scope="module")
def found(run, tmp_path_factory: pytest.TempPathFactory) -> tuple[LookReceipt, Path]:
    spec, files = run
    output = tmp_path_factory.mktemp("found")
    return looked(spec.folder, small.registered(files), output), output


def test_sources_and_trains_are_those_that_extra_data_finds(run, found) -> None:
    extra_data = pytest.importorskip("extra_data")
    spec, _ = run
    judge = extra_data.RunDirectory(str(spec.folder), parallelize=False, _use_voview=False)
    receipt = found[0]
    assert receipt.trains == len(judge.train_ids) == spec.trains
    assert (receipt.first_train, receipt.last_train) == (judge.train_ids[0], judge.train_ids[-1])
    named = {section: {s.name: s for s in receipt.sources if s.section == section}
             for section in ("control", "instrument")}  # fmt: skip
    assert set(named["control"]) == set(judge.control_sources)
    assert set(named["instrument"]) == set(judge.instrument_sources)
    for source in receipt.sources:
        mine = {key.name: key for key in source.keys}
        assert set(mine) == set(judge.keys_for_source(source.name))
        for name, key in mine.items():
            theirs = judge[source.name, name]
            assert (key.dtype, key.shape) == (str(theirs.dtype), tuple(theirs.entry_shape))
        counts = max(
            (judge[source.name, name].data_counts(labelled=False) for name in mine),
            key=lambda c: int((c > 0).sum()),
        )
        assert source.trains == int((counts > 0).sum())


def test_the_pictures_numbers_are_those_of_the_data(run, found) -> None:
    spec, files = run
    receipt, output = found
    (pictures,) = receipt.pictures
    assert (pictures.unit, len(pictures.modules)) == ("ADU", spec.modules)
    frames_there = []
    for file in files:
        if "AGIPD00" in file.path.name:
            with h5py.File(file.path) as opened:
                frames_there.append(
                    opened["INSTRUMENT/SPB_DET_AGIPD1M-1/DET/0CH0:xtdf/image/data"][:, 0]
                )
    values = np.concatenate(frames_there).astype(float)
    first = pictures.modules[0]
    assert first.frames == len(values) == spec.frames
    assert first.mean == pytest.approx(values.mean())
    assert first.low == pytest.approx(np.percentile(values.mean(axis=0), 0.5))
    rows = list(csv.reader(io.StringIO((output / "trains.csv").read_text())))
    assert rows[0] == ["train", "mean of its pixels / ADU"]
    recorded = [spec.first_train + n for n in range(0, spec.trains, spec.record_every)]
    assert [int(train) for train, _ in rows[1:]] == recorded
    table = list(csv.DictReader(io.StringIO((output / "modules.csv").read_text())))
    assert [row["aggregator"] for row in table] == ["AGIPD00", "AGIPD01"]
    assert float(table[0]["mean"]) == pytest.approx(first.mean, rel=1e-5)


def test_the_files_are_a_picture_and_a_plot(found) -> None:
    receipt, output = found
    names = {file.path for file in receipt.pictures[0].files}
    assert names == {"detector.png", "trains.svg", "modules.csv", "trains.csv"}
    with Image.open(output / "detector.png") as image:
        assert image.format == "PNG"
        assert min(image.size) > 500
    root = ET.fromstring((output / "trains.svg").read_text())  # noqa: S314 - our own
    assert root[0].text == "Intensity per train, p900054 r0003, RAW"
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"train", "ADU"} <= set(texts)
    assert len([t for t in texts if t.isdigit()]) >= 4, "both axes have numbers"


def test_the_same_files_give_the_same_bytes(run, found, tmp_path: Path) -> None:
    spec, files = run
    assert looked(spec.folder, small.registered(files), tmp_path) == found[0]


def test_a_process_of_its_own_finds_the_same(run, found, tmp_path: Path) -> None:
    spec, files = run
    told: list[float] = []
    receipt = EmbeddedViewer().look(
        request(spec.folder, small.registered(files), tmp_path),
        progress=lambda fraction, _: told.append(fraction),
        cancelled=small.never,
    )
    assert receipt == found[0]
    assert told == sorted(told)
    assert told[-1] == 1
    assert (tmp_path / "detector.png").read_bytes() == (found[1] / "detector.png").read_bytes()


def test_it_can_be_called_off(run, tmp_path: Path) -> None:
    spec, files = run
    with pytest.raises(Cancelled):
        EmbeddedViewer().look(
            request(spec.folder, small.registered(files), tmp_path),
            progress=small.silent,
            cancelled=lambda: True,
        )


def test_of_corrected_data_masked_pixels_do_not_count(corrected, tmp_path: Path) -> None:
    files = tuple(RawFile(f.path, f.bytes, f.sha256) for f in corrected.receipt.files)
    receipt = looked(corrected.folder, files, tmp_path)
    (pictures,) = receipt.pictures
    assert [m.number for m in pictures.modules] == [0, 1]
    assert all(m.bad_pixels > 0 for m in pictures.modules)
    assert 0 < pictures.modules[0].mean < 200, "the offset is gone"
    names = {source.name for source in receipt.sources}
    assert "SPB_DET_AGIPD1M-1/CORR/0CH0:output" in names
    assert "SPB_DET_AGIPD1M-1/DET/0CH0:xtdf" not in names, "a name for old programs is no source"


def test_a_long_run_is_read_in_part(run, tmp_path: Path) -> None:
    spec, files = run
    receipt = looked(
        spec.folder, small.registered(files), tmp_path, most_trains=2, frames_per_train=1
    )
    (pictures,) = receipt.pictures
    assert (pictures.trains, pictures.trains_read, pictures.frames) == (3, 2, 2 * spec.modules)


def test_a_run_without_a_detector_says_so(run, tmp_path: Path) -> None:
    spec, files = run
    rest = [f for f in small.registered(files) if "-DA01-" in f.path]
    receipt = looked(spec.folder, rest, tmp_path)
    assert receipt.pictures == ()
    assert receipt.why_none == NO_DETECTOR
    assert receipt.trains == spec.trains
    assert receipt.sources


def test_trains_that_no_file_has_are_gaps(run, tmp_path: Path) -> None:
    spec, _ = run
    wanted = replace(spec, folder=tmp_path / "r0004", trains=30, sequences=3)
    files = [f for f in small.registered(small.write(wanted)) if "-S00001.h5" not in f.path]
    receipt = looked(wanted.folder, files, tmp_path / "out")
    begin = spec.first_train + 10
    assert [(g.first, g.last) for g in receipt.gaps] == [(begin, begin + 9)]
    assert (receipt.trains, receipt.missing) == (20, 10)


def test_broken_files_are_named_and_the_rest_is_looked_at(run, tmp_path: Path) -> None:
    spec, files = run
    folder = tmp_path / "r0003"
    folder.mkdir()
    for file in files:
        os.link(file.path, folder / file.path.name)
    known = list(small.registered(files))
    broken, short, gone, link, foreign = known[:5]
    for bad in (broken, short, gone, link, foreign):
        (folder / bad.path).unlink()
    (folder / broken.path).write_bytes(b"x" * broken.bytes)
    (folder / short.path).write_bytes(b"x")
    (folder / link.path).symlink_to(spec.folder / link.path)
    with h5py.File(folder / foreign.path, "w") as file:
        file["METADATA"] = 1
    known[4] = replace(foreign, bytes=(folder / foreign.path).stat().st_size)
    receipt = looked(folder, [*known, RawFile("notes.txt", 3, "")], tmp_path / "out")
    assert [line.partition(":")[0] for line in receipt.unread] == [b.path for b in known[:5]]
    assert receipt.trains == spec.trains // 2, "those of the second sequence"
    assert receipt.sources
    astray = looked(folder, [RawFile(f"../r0003/{known[-1].path}", 1, "")], tmp_path / "out2")
    assert "not a path below" in astray.unread[0]


def test_a_file_cannot_lead_the_reader_into_another(tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["pixels"] = np.zeros((2, 512, 128), np.float32)
    with h5py.File(tmp_path / "led.h5", "w") as file:
        file["out"] = h5py.ExternalLink(str(secret), "pixels")
        file.create_dataset("own", data=np.zeros(3))
        file["soft"] = h5py.SoftLink("/own")
        layout = h5py.VirtualLayout((2, 512, 128), np.float32)
        layout[...] = h5py.VirtualSource(str(secret), "pixels", (2, 512, 128))
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("outside", (4,), "u1", external=[(str(secret), 0, 4)])
        assert frames.own_dataset(file, "own") is not None
        for name in ("out", "soft", "virtual", "outside", "nowhere", "own/below"):
            assert frames.own_dataset(file, name) is None, name


def test_the_null_viewer_says_that_nobody_looks(tmp_path: Path) -> None:
    assert isinstance(viewer_for("null"), NullViewer)
    receipt = NullViewer().look(
        request(tmp_path, (), tmp_path), progress=small.silent, cancelled=small.never
    )
    assert receipt.pictures == ()
    assert receipt.why_none == "This facility does not look into its files."
    with pytest.raises(ValueError, match="embedded, null"):
        viewer_for("crystal ball")


# ------------------------------------------------------------------ parts that compute


ids = st.lists(st.integers(1, 2**62), max_size=60, unique=True).map(sorted)


@given(ids)
def test_gaps_and_trains_fill_the_span(numbers: list[int]) -> None:
    gaps, missing = gaps_in(np.array(numbers, np.uint64))
    if len(numbers) < 2:
        assert (gaps, missing) == ([], 0)
        return
    assert missing == sum(g.last - g.first + 1 for g in gaps)
    assert len(numbers) + missing == numbers[-1] - numbers[0] + 1
    assert not {n for g in gaps for n in (g.first, g.last)} & set(numbers)


@given(ids, st.integers(2, 30))
def test_what_is_chosen_of_a_run_is_spread_over_it(numbers: list[int], most: int) -> None:
    chosen = frames.chosen(np.array(numbers, np.uint64), most)
    assert len(chosen) <= max(most, 0)
    assert sorted(set(chosen.tolist())) == chosen.tolist()
    assert set(chosen.tolist()) <= set(numbers)
    if numbers:
        assert (chosen[0], chosen[-1]) == (numbers[0], numbers[-1])


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 8))
def test_ticks_are_round_and_inside(low: float, span: float, about: int) -> None:
    found = drawing.ticks(low, low + span, about)
    room = span * 1e-6
    assert 1 <= len(found) <= 3 * about + 2
    assert all(low - room <= t <= low + span + room for t in found)


@given(st.lists(st.floats(-1e5, 1e5), min_size=1, max_size=50))
def test_any_values_make_a_plot(values: list[float]) -> None:
    trains = np.arange(10, 10 + len(values), dtype=np.uint64)
    svg = drawing.trains(trains, np.array(values), "ADU", title="<&>")
    assert ET.fromstring(svg)[0].text == "<&>"  # noqa: S314 - our own
    assert "nan" not in svg


@given(
    st.builds(
        exdf.FileName,
        st.from_regex(r"[A-Z]{2,5}", fullmatch=True),
        st.integers(0, 9999),
        st.from_regex(r"[A-Z0-9_]{2,9}", fullmatch=True),
        st.integers(0, 99999),
    )
)
def test_a_name_of_the_format_is_known(name: exdf.FileName) -> None:
    assert is_exdf(f"raw/{name}")
    assert not is_exdf(f"{name}.bak")


def test_a_receipt_survives_json(found) -> None:
    assert from_json(LookReceipt, json.loads(json.dumps(asdict(found[0])))) == found[0]
