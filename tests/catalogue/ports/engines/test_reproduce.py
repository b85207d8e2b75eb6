"""A calibration made again from its report gives the same bytes, or says why not."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import pytest
from reportlab.pdfgen.canvas import Canvas

from catalogue.ports.engines import reproduce as module
from catalogue.ports.engines.contract import CorrectionRequest, DarkRequest
from catalogue.ports.engines.record import attach, extract
from catalogue.ports.engines.reproduce import main, read_request, reproduce
from catalogue.ports.outcome import Permanent
from tests.catalogue.ports.engines.conftest import Corrected
from tests.catalogue.ports.engines.small import Small


@pytest.fixture
def report(corrected: Corrected) -> Path:
    return corrected.folder / corrected.receipt.report.path


def rewritten(report: Path, target: Path, *changes: tuple[str, str]) -> Path:
    """A report like it whose attachment is changed: what an older engine might have written."""
    document = extract(report).document().decode()
    for before, after in changes:
        assert before in document
        document = document.replace(before, after)
    canvas = Canvas(str(target), invariant=1)
    attach(canvas, document.encode())
    canvas.drawString(100, 100, "a report")
    canvas.save()
    return target


def test_a_correction_has_the_same_bytes(
    beamtime: Small, corrected: Corrected, report: Path, tmp_path: Path
) -> None:
    comparison = reproduce(report, beamtime.data.folder, beamtime.constants_folder, tmp_path)
    assert comparison.same
    assert [each.name for each in comparison.files] == [
        *(file.path for file in corrected.receipt.files), report.name,
    ]  # fmt: skip
    for each in comparison.files:
        assert (tmp_path / each.name).read_bytes() == (corrected.folder / each.name).read_bytes()


def test_constants_have_the_same_bytes(beamtime: Small, tmp_path: Path) -> None:
    report = beamtime.constants_folder / beamtime.characterised.report.path
    assert reproduce(report, beamtime.dark.folder, tmp_path, tmp_path).same


def test_the_request_is_read_without_places(beamtime: Small, report: Path) -> None:
    request = read_request(report)
    assert isinstance(request, CorrectionRequest)
    assert (request.raw_folder, request.output_folder) == ("", "")
    assert {each.path for each in request.constants} == {
        made.file.path for made in beamtime.characterised.constants
    }
    dark = read_request(beamtime.constants_folder / beamtime.characterised.report.path)
    assert isinstance(dark, DarkRequest)


def test_constants_are_found_wherever_they_lie(
    beamtime: Small, report: Path, tmp_path: Path
) -> None:
    """Others of the same name are passed over: the checksum decides."""
    (tmp_path / "constants/a").mkdir(parents=True)
    shutil.copytree(beamtime.constants_folder, tmp_path / "constants/b")
    (tmp_path / "constants/a/AGIPD00-Offset-R0001.h5").write_bytes(b"another")
    (tmp_path / "out").mkdir()
    comparison = reproduce(report, beamtime.data.folder, tmp_path / "constants", tmp_path / "out")
    assert comparison.same


def test_a_constant_that_is_gone_is_named(beamtime: Small, report: Path, tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="is the constant Offset of AGIPD00, 20 November"):
        reproduce(report, beamtime.data.folder, tmp_path, tmp_path)


def test_changed_raw_is_named(beamtime: Small, report: Path, tmp_path: Path) -> None:
    shutil.copytree(beamtime.data.folder, tmp_path / "raw")
    changed = tmp_path / "raw/RAW-R0003-AGIPD01-S00000.h5"
    with h5py.File(changed, "r+") as file:
        file["INDEX/flag"][0] = 0
    (tmp_path / "out").mkdir()
    with pytest.raises(Permanent, match=changed.name):
        reproduce(report, tmp_path / "raw", beamtime.constants_folder, tmp_path / "out")


def test_other_bytes_are_explained_by_other_software(
    beamtime: Small, corrected: Corrected, report: Path, tmp_path: Path
) -> None:
    """A report from another HDF5, in which one file had the same values in other bytes, and
    another file other values."""
    same_values, other_values, *rest = extract(report).produced
    values = extract(report).values
    older = rewritten(
        report,
        tmp_path / "older.pdf",
        (same_values.sha256, "1" * 64),
        (other_values.sha256, "2" * 64),
        (values[other_values.path], "3" * 64),
        (f'"HDF5": "{corrected.receipt.software["HDF5"]}"', '"HDF5": "1.8.4"'),
    )
    (tmp_path / "out").mkdir()
    comparison = reproduce(older, beamtime.data.folder, beamtime.constants_folder, tmp_path / "out")
    assert not comparison.same
    said = {each.name: each for each in comparison.files}
    why = f"other software: HDF5 1.8.4, now {corrected.receipt.software['HDF5']}"
    assert said[same_values.path].explanation == (
        f"the pixel values and masks are the same, the file around them is not; {why}"
    )
    assert said[other_values.path].explanation.startswith("other content, sha256")
    assert said[other_values.path].explanation.endswith(why)
    assert all(said[each.path].same for each in rest)
    assert said[report.name].explanation == "it names the files that are not the same"


def test_what_nothing_explains_is_said_to_be_unexplained(
    beamtime: Small, report: Path, tmp_path: Path
) -> None:
    first = extract(report).produced[0]
    doubtful = rewritten(report, tmp_path / "doubtful.pdf", (first.sha256, "1" * 64))
    (tmp_path / "out").mkdir()
    comparison = reproduce(
        doubtful, beamtime.data.folder, beamtime.constants_folder, tmp_path / "out"
    )
    assert comparison.files[0].explanation.endswith("this is not explained")


def test_a_report_that_differs_alone_is_said(beamtime: Small, report: Path, tmp_path: Path) -> None:
    """The pages were changed, the attachment was not."""
    other = rewritten(report, tmp_path / "other.pdf")
    (tmp_path / "out").mkdir()
    comparison = reproduce(other, beamtime.data.folder, beamtime.constants_folder, tmp_path / "out")
    assert [each.name for each in comparison.files if not each.same] == [report.name]


def test_the_command(
    beamtime: Small, report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    places = [str(beamtime.data.folder), str(beamtime.constants_folder), str(tmp_path / "out")]
    assert main([str(report), *places]) == 0
    assert f"same  {report.name}: the same bytes" in capsys.readouterr().out
    assert main([str(report)]) == 2
    assert main([str(beamtime.data_files[0].path), *places]) == 2
    assert "carries no request.json" in capsys.readouterr().err
    assert module.__doc__ is not None
