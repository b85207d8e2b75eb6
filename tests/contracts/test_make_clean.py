"""`make clean` takes away what the targets made, and nothing that somebody else put there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the Makefile and what a few targets leave."""
    place = tmp_path / "clone"
    for name in ("catalogue/__pycache__", "var/stores", ".pytest_cache", ".venv/bin"):
        (place / name).mkdir(parents=True)
    shutil.copy(TOP / "Makefile", place)
    (place / "var/stores/RAW.h5").write_bytes(b"data")
    (place / "catalogue/models.py").write_text("")
    return place


def clean(clone: Path, *named: str) -> None:
    # Nothing but this folder, whatever the settings of the machine name.
    subprocess.run(
        ["make", "-C", str(clone), "clean", *named], check=True, capture_output=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"}, timeout=60,
    )  # fmt: skip


def test_what_the_targets_made_goes(clone: Path) -> None:
    (clone / "var/.lightkeeper").touch()
    clean(clone)
    assert sorted(p.name for p in clone.iterdir()) == ["Makefile", "catalogue"]
    assert [p.name for p in (clone / "catalogue").iterdir()] == ["models.py"]


def test_a_var_of_somebody_else_stays(clone: Path) -> None:
    clean(clone)
    assert (clone / "var/stores/RAW.h5").read_bytes() == b"data"


def test_data_elsewhere_stay(clone: Path, tmp_path: Path) -> None:
    (clone / "var/.lightkeeper").touch()
    data = tmp_path / "data"
    shutil.copytree(clone / "var", data)
    clean(clone, f"DATA={data}")
    assert (data / "stores/RAW.h5").exists()
