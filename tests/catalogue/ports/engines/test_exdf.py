"""The file format: names, and bytes that do not depend on when they were written."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ports.engines.exdf import FileName, create, group, put
from tests.catalogue.ports.engines.conftest import Corrected
from tests.catalogue.ports.engines.small import Small

upper = st.text(string.ascii_uppercase, min_size=1, max_size=5)
aggregators = st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=14)


@given(upper, st.integers(0, 9999), aggregators, st.integers(0, 99999))
def test_a_name_is_read_as_it_is_written(kind: str, run: int, aggregator: str, i: int) -> None:
    name = FileName(kind, run, aggregator, i)
    assert FileName.parse(str(name)) == name


@given(st.text())
def test_any_text_is_a_name_or_an_error(text: str) -> None:
    try:
        name = FileName.parse(text)
    except ValueError:
        return
    assert str(name) == text


@pytest.mark.parametrize(
    "text",
    [
        "RAW-R1-AGIPD00-S00000.h5", "RAW-R0001-AGIPD00-S0.h5", "RAW-R0001-AGIPD00-S00000.h5\n",
        "../RAW-R0001-AGIPD00-S00000.h5", "RAW-R000\u0661-AGIPD00-S00000.h5", "",
    ],
)  # fmt: skip
def test_what_looks_like_a_name_only(text: str) -> None:
    with pytest.raises(ValueError, match="is not a name like"):
        FileName.parse(text)


def object_flags(content: bytes) -> list[int]:
    """The flags of each object header of a file (HDF5 specification, IV.A.1.b): signature,
    version 2, flags; bit 5 says that times are stored."""
    found = [match.start() for match in re.finditer(rb"OHDR\x02", content)]
    return [content[at + 5] for at in found]


def test_no_object_in_a_file_carries_a_time(tmp_path: Path) -> None:
    """Two files written a second apart would else differ."""
    with create(tmp_path / "a.h5") as file:
        put(file, "A/B/C/values", [1, 2, 3], chunks=(2,))
        group(file, "D/E/F").attrs["a"] = 1
        put(group(file, "D/G"), "values", None, shape=(3,), dtype="f4")
    flags = object_flags((tmp_path / "a.h5").read_bytes())
    assert len(flags) == 10
    assert not any(each & 0x20 for each in flags)


def test_no_object_in_the_engines_files_carries_a_time(
    beamtime: Small, corrected: Corrected
) -> None:
    made = [*corrected.folder.glob("*.h5"), *beamtime.constants_folder.glob("*.h5")]
    for path in (*made, *(file.path for file in beamtime.data_files)):
        flags = object_flags(path.read_bytes())
        assert flags
        assert not any(each & 0x20 for each in flags), path.name


def test_a_file_is_not_written_over(tmp_path: Path) -> None:
    create(tmp_path / "a.h5").close()
    with pytest.raises(FileExistsError):
        create(tmp_path / "a.h5")
