"""The report says everything needed to judge the work and to do it again."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalogue.ports.engines import agipd, picture
from catalogue.ports.engines.record import extract
from catalogue.ports.outcome import Permanent
from tests.catalogue.ports.engines import pdf, small
from tests.catalogue.ports.engines.conftest import Corrected
from tests.catalogue.ports.engines.small import Small


def test_the_report_of_a_correction_says_it_all(beamtime: Small, corrected: Corrected) -> None:
    receipt = corrected.receipt
    content = (corrected.folder / receipt.report.path).read_bytes()
    shown = pdf.text(content)
    assert receipt.report.path == "CORR-R0003-report.pdf"
    assert "p900054 r0003" in shown
    for file in (*small.registered(beamtime.data_files), *receipt.files):
        # The control data of later sequences are not read.
        if "DA01-S00001" not in file.path and "CTRL00-S00001" not in file.path:
            assert file.path in shown
            assert file.sha256 in shown
    for constant in receipt.constants_used:
        assert constant.version in shown
        assert constant.sha256 in shown
        assert constant.physical_unit in shown
    for name, value in (*receipt.software.items(), *receipt.configuration.items()):
        assert name in shown
        assert str(value) in shown
    assert "Mean of all corrected frames, in ADU" in shown
    assert "Sensor Bias Voltage 300" in shown
    assert "50 mm" in shown
    assert len(re.findall(r"^-?\d+\.\d ADU$", shown, re.MULTILINE)) == 5
    assert len(pdf.pictures(content)) == 2


def test_the_report_of_a_dark_run_says_it_all(beamtime: Small) -> None:
    receipt = beamtime.characterised
    content = (beamtime.constants_folder / receipt.report.path).read_bytes()
    shown = pdf.text(content)
    assert receipt.report.path == "DARK-R0001-report.pdf"
    for made in receipt.constants:
        assert made.file.path in shown
        assert made.file.sha256 in shown
    assert "Offset of each pixel in memory cell 0, in ADU" in shown
    assert "0: 16, 1: 16" in shown
    assert "thresholds_noise_hard" in shown
    assert pdf.pictures(content)


def test_the_report_does_not_say_where_files_lay(beamtime: Small, corrected: Corrected) -> None:
    """Data move between stores; and a report made again elsewhere has the same bytes."""
    for path in (
        corrected.folder / corrected.receipt.report.path,
        beamtime.constants_folder / beamtime.characterised.report.path,
    ):
        content = path.read_bytes()
        assert str(beamtime.folder).encode() not in content
        assert b"raw/r0003" not in content


def test_the_request_is_attached(beamtime: Small, corrected: Corrected) -> None:
    facts = extract(corrected.folder / corrected.receipt.report.path)
    assert facts.request.files == small.registered(beamtime.data_files)
    assert facts.produced == corrected.receipt.files
    assert facts.software == corrected.receipt.software
    assert facts.configuration == corrected.receipt.configuration
    content = (corrected.folder / corrected.receipt.report.path).read_bytes()
    names = re.search(rb"/EmbeddedFiles <<\s*/Names \[ \(request\.json\) (\d+) 0 R", content)
    assert names
    assert re.search(rb"\n%s 0 obj\s+<<\s*/Desc" % names[1], content)


@pytest.mark.parametrize(
    "label",
    ["<b>p900054</b> & (r0003)", "p900054 \u65e5\u672c \u03a9 \U0001f52c", "\\) Tj", "", "x" * 300],
)
def test_any_label_can_be_printed(beamtime: Small, tmp_path: Path, label: str) -> None:
    request = beamtime.correction(tmp_path / "out", label=label, units=("AGIPD00",))
    receipt = small.correct(request)
    assert extract(tmp_path / "out" / receipt.report.path).request.label == label


def test_long_names_are_broken_and_not_lost(beamtime: Small, tmp_path: Path) -> None:
    name = "p900054-r0001-AGIPD00-Offset-" + "0123456789" * 3
    constants = tuple(replace(each, version=name) for each in beamtime.constants)
    request = beamtime.correction(tmp_path / "out", constants=constants, units=("AGIPD00",))
    receipt = small.correct(request)
    shown = pdf.text((tmp_path / "out" / receipt.report.path).read_bytes())
    assert name not in shown
    assert all(part in shown for part in (name[:30], name[-10:]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: b"%PDF-1.4\nsomething else entirely",
        lambda content: content.replace(b"/EmbeddedFile\n", b"/Nothing\n"),
        lambda content: content.replace(b'"task"', b'"tusk"'),
        lambda content: content.replace(b"lightkeeper calibration 1", b"lightkeeper calibration 9"),
        lambda content: content[: content.find(b"stream\n{") + 500],
    ],
)
def test_a_report_without_a_request_is_refused(
    corrected: Corrected, tmp_path: Path, spoil: object
) -> None:
    assert callable(spoil)
    path = tmp_path / "report.pdf"
    path.write_bytes(spoil((corrected.folder / corrected.receipt.report.path).read_bytes()))
    with pytest.raises(Permanent, match=r"report\.pdf"):
        extract(path)


def test_the_picture_shows_each_module_in_its_place() -> None:
    """A module alone colours the half it stands in."""
    halves = {0: (slice(0, 320), slice(0, 280)), 15: (slice(0, 320), slice(280, None))}
    for module, (rows, columns) in halves.items():
        shown = picture.of_detector({module: np.arange(65536.0).reshape(agipd.SHAPE)})
        coloured = (np.asarray(shown.image) != picture._NOTHING).any(axis=2)
        assert coloured[rows, columns].sum() == coloured.sum()
        assert coloured.sum() > 65536 / 4 * 0.9


def test_a_picture_of_nothing_and_of_one_value() -> None:
    assert picture.of_detector({}).low == 0
    flat = picture.of_detector({0: np.full(agipd.SHAPE, 7.0)})
    assert (flat.low, flat.high) == (7, 8)
    assert picture.of_detector({0: np.full(agipd.SHAPE, np.nan)}).low == 0
