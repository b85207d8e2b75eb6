"""A tar stream: read by Python's own reader whatever lies in it, and as long as was announced."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.faces.website.tarring import Changed, Member, Tar

AT = datetime(2026, 11, 22, tzinfo=UTC)
NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\x00", exclude_categories=("Cs",)),
    min_size=1, max_size=120,
).filter(lambda name: name not in (".", ".."))  # fmt: skip
FOLDERS = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=1500), max_size=6
)


def _tar(files: dict[str, bytes]) -> Tar:
    return Tar("top", [Member(path, len(content)) for path, content in files.items()], AT)


@given(FOLDERS)
def test_what_goes_in_comes_out(files: dict[str, bytes]) -> None:
    tar = _tar(files)
    stream = b"".join(tar.stream(lambda path: io.BytesIO(files[path])))
    assert len(stream) == tar.length
    with tarfile.open(fileobj=io.BytesIO(stream)) as found:
        got = {m.name: found.extractfile(m).read() for m in found.getmembers()}
    assert got == {f"top/{path}": content for path, content in files.items()}


@pytest.mark.parametrize("now", [b"", b"shor", b"longer than it was"])
def test_a_file_that_changed_stops_the_stream(now: bytes) -> None:
    tar = _tar({"a": b"12345"})

    def opens(path: str) -> BinaryIO:
        return io.BytesIO(now)

    with pytest.raises(Changed):
        list(tar.stream(opens))


def test_the_same_package_is_the_same_stream() -> None:
    files = {"a": b"1", "b/" + "c" * 200: b"22"}
    one, two = (
        b"".join(_tar(files).stream(lambda path: io.BytesIO(files[path]))) for _ in range(2)
    )
    assert one == two
