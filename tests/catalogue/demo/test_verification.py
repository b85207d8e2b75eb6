"""`verify`: silent on what is whole, and naming what is not, for each kind of kept file."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalogue.demo.layout import Layout
from catalogue.demo.verification import checking, kept, science, verify
from catalogue.demo.verification.checking import Check, Found
from catalogue.demo.verification.records import KeptFile, Records

REPOSITORY = Path(__file__).resolve().parents[3]
# The checks that speak of the beamtime, which was not played here.
OF_THE_BEAMTIME = "PROC: |mean - signal|"


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """What a small demo facility left behind; tests put back what they change."""
    layout = Layout(tmp_path_factory.mktemp("left").resolve())
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)}
    subprocess.run(
        [sys.executable, "-m", "tests.catalogue.demo.small_facility", str(layout.data)],
        cwd=REPOSITORY,
        env=environment,
        check=True,
        capture_output=True,
    )
    return layout


@pytest.fixture
def of_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """DOIs as they are before the beamtime is played."""
    monkeypatch.setattr(verify, "DOIS", {2012: "findable", 3493: "findable", 3492: "registered"})


@pytest.fixture
def flipped() -> Iterator[Callable[[Path], None]]:
    """Turn the bits of a byte of a file; afterwards they are turned back."""
    turned: list[Path] = []

    def flip(path: Path) -> None:
        turned.append(path)
        turn(path)

    yield flip
    for path in turned:
        turn(path)


def turn(path: Path) -> None:
    """The middle byte's bits; what is kept is not for writing, not even for its owner."""
    mode = stat.S_IMODE(path.stat().st_mode)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(mode)


KEPT = {
    "raw": "offline/**/raw/**/RAW-*.h5",
    "raw online": "online/**/raw/r0001/RAW-*.h5",
    "proc": "offline/**/proc/**/CORR-*.h5",
    "archive": "mass_storage/**/raw/**/RAW-*.h5",
    "archived proc": "mass_storage/**/proc/**/CORR-*.h5",
    "constant": "constants/**/*.h5",
    "report": "artifacts/**/*.pdf",
    "package": "export/**/data/**/RAW-*.h5",
    "the package's description": "export/**/data/ro-crate-metadata.json",
    "the package's catalogue": "export/**/CATALOG.json",
    "the package's manifest": "export/**/manifest-sha256.txt",
}


def some(layout: Layout, kind: str) -> Path:
    return max(layout.stores.glob(KEPT[kind]))


def test_what_is_whole_holds(left: Layout, of_the_past, capsys) -> None:
    assert all(v.faults == () for v in verify._told(verify._quick(left, Records(left))))
    assert "FAILED" not in capsys.readouterr().out
    with verify._scratch(left) as scratch:
        verdicts = list(checking.do(verify._slow(left, Records(left), scratch)))
    assert not scratch.exists()
    faulty = {v.what: v.faults for v in verdicts if v.faults}
    assert [what for what in faulty if not what.startswith(OF_THE_BEAMTIME)] == [], faulty
    assert {v.what.partition(":")[0] for v in verdicts} == {"package", "reports", "RAW", "PROC"}


@pytest.mark.parametrize("kind", KEPT)
def test_a_flipped_byte_is_found_and_named(
    left: Layout, of_the_past, flipped, capsys, kind: str
) -> None:
    file = some(left, kind)
    flipped(file)
    assert verify.verify(left) == 1
    said = capsys.readouterr().out
    assert str(file) in said or f"{file.parent.name}/{file.name}" in said
    assert "wait until these hold" in said, "the slow tools are not asked"


def test_a_file_that_is_gone_is_named(left: Layout, of_the_past, capsys) -> None:
    file = some(left, "proc")
    aside = file.rename(left.data / "aside.h5")
    try:
        assert verify.verify(left) == 1
    finally:
        aside.rename(file)
    assert f"{file}: No such file" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["online/stray.h5", "offline/SPB/stray", "mass_storage/.trash/x"])
def test_a_file_that_nobody_knows_is_named(left: Layout, of_the_past, capsys, place: str) -> None:
    stray = left.stores / place
    made = not stray.parent.exists()
    stray.parent.mkdir(exist_ok=True)
    stray.write_text("?")
    try:
        assert verify.verify(left) == 1
    finally:
        stray.unlink()
        if made:
            stray.parent.rmdir()
    assert f"{stray}: nobody knows of this file" in capsys.readouterr().out


def test_what_people_keep_in_their_own_folders_is_theirs(left: Layout, of_the_past) -> None:
    own = next(left.stores.glob("offline/SPB/*/p002012/scratch")) / "notes.txt"
    own.write_text("mine")
    try:
        assert all(v.faults == () for v in verify._told(verify._quick(left, Records(left))))
    finally:
        own.unlink()


def test_another_mode_is_named(left: Layout, of_the_past, capsys) -> None:
    folder = next(left.stores.glob("online/SPB/*/p002012/raw"))
    folder.chmod(0o777)
    try:
        assert verify.verify(left) == 1
    finally:
        folder.chmod(0o2750)
    assert f"{folder}: mode 777 instead of 2750" in capsys.readouterr().out


def test_without_a_catalogue_there_is_nothing_to_verify(tmp_path: Path, capsys) -> None:
    assert verify.verify(Layout(tmp_path)) == 1
    assert "no catalogue" in capsys.readouterr().out


def test_the_database_is_not_written_to(left: Layout) -> None:
    before = left.database.read_bytes()
    records = Records(left)
    assert records.replicas()
    with pytest.raises(Exception, match="readonly"):
        records._rows("DELETE FROM runs_file")
    records.close()
    assert left.database.read_bytes() == before


def broken(_: int) -> Found:
    raise RuntimeError("the tool fell over")


def fine(number: int) -> Found:
    return Found(counts={"things": number})


def test_a_tool_that_falls_over_is_a_fault_and_not_the_end() -> None:
    first, second, third = checking.do(
        [
            Check("broken", broken, [(1,)]),
            Check("fine", fine, [(1,), (2,)]),
            Check("empty", fine, []),
        ]
    )
    assert first.faults == ("RuntimeError: the tool fell over",)
    assert (second.faults, second.counts) == ((), {"things": 3})
    assert third.faults == ("There was nothing to look at.",)
    assert str(second).startswith("ok     fine: 3 things")
    assert str(first).startswith("FAILED broken")


def test_sizes_are_told_apart_from_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    sha256 = kept.sha256_of(path)
    assert kept.files([KeptFile(path, 3, sha256)]).faults == ()
    (fault,) = kept.files([KeptFile(path, 4, sha256)]).faults
    assert fault == f"{path}: 3 bytes instead of 4"


def test_a_calibrated_test_run_is_named() -> None:
    runs = [("p900060 r0001", "Test DAQ", 1), ("p900060 r0002", "Dark", 0)]
    assert science.never_calibrated(runs).faults == ("p900060 r0001 (Test DAQ): was calibrated",)
