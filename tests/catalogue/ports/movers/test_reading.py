"""Verify, scan, listing and open_read."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.ports.movers import Entry, Place
from catalogue.ports.movers.names import DEEPEST
from catalogue.ports.outcome import Permanent, Transient
from tests.catalogue.ports.movers.stores import (
    RUN,
    SmallDisk,
    entries,
    entry,
    files,
    flip,
    mover,
    put,
    world,
)

DA = "RAW-R0001-DA01-S00000.h5"
XGM = "RAW-R0001-XGM-S00000.h5"


def folder(place: Place) -> Path:
    return Path(str(place))


def socket_at(path: Path) -> None:
    """A special file. The kernel's limit on socket paths is shorter than pytest's folders."""
    at = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{at}/{path.name}")
    os.close(at)


# ---------------------------------------------------------------- verify


def test_what_is_right_is_verified(source: Place) -> None:
    before = world(source.mount)
    receipt = mover(threads=3).verify(source, entries(files()))
    assert receipt.entries == tuple(entries(files()))
    assert receipt.read_back
    assert world(source.mount) == before


@pytest.mark.parametrize("at", [0, 4096, 3 * 4096 + 16])
def test_a_flipped_byte_is_found_and_named(source: Place, at: int) -> None:
    flip(folder(source) / DA, at=at)
    with pytest.raises(Permanent) as refused:
        mover().verify(source, entries(files()))
    known = entry(DA, files()[DA]).sha256
    found = entry(DA, (folder(source) / DA).read_bytes()).sha256
    assert refused.value.reason == (
        f"{RUN}/{DA}: sha256 in the catalogue is {known}, the file in {source}/{DA} has {found}"
    )
    assert refused.value.evidence["file"] == f"{RUN}/{DA}"
    assert refused.value.evidence["expected"] == known
    assert refused.value.evidence["found"] == found


def test_every_difference_is_found(source: Place) -> None:
    flip(folder(source) / DA)
    (folder(source) / XGM).unlink()
    (folder(source) / "empty.h5").write_bytes(b"more")
    (folder(source) / "below/deeper/RAW-R0001-AGIPD00-S00000.h5").unlink()
    (folder(source) / "below/deeper").rmdir()
    with pytest.raises(Permanent, match="and 3 more files") as refused:
        mover(threads=3).verify(source, entries(files()))
    differences = refused.value.evidence["differences"]
    assert isinstance(differences, list)
    by_file = {Path(each["file"]).name: each for each in differences}
    assert by_file[XGM]["found"] is None
    assert by_file["RAW-R0001-AGIPD00-S00000.h5"]["found"] is None
    assert (by_file["empty.h5"]["expected"], by_file["empty.h5"]["found"]) == (0, 4)
    assert refused.value.evidence["count"] == 4


def test_a_missing_file_is_named(source: Place) -> None:
    (folder(source) / DA).unlink()
    with pytest.raises(Permanent, match=f"{RUN}/{DA}: missing"):
        mover().verify(source, entries(files()))


def test_a_place_that_is_gone_misses_its_files(source: Place) -> None:
    with pytest.raises(Permanent, match="missing"):
        mover().verify(replace(source, path="SPB/elsewhere"), entries(files()))


def test_an_adler32_alone_is_compared(source: Place) -> None:
    known = entry(DA, files()[DA], adler=True)
    only = replace(known, sha256=None)
    assert mover().verify(source, [only]).entries == (known,)
    with pytest.raises(Permanent, match="adler32"):
        mover().verify(source, [replace(only, adler32="00000001")])


def test_verifying_drops_the_file_from_memory_first(source: Place) -> None:
    calls: list[str] = []

    class Noting(SmallDisk):
        def forget(self, descriptor: int) -> None:
            calls.append("forget")
            super().forget(descriptor)

        def read(self, descriptor: int, into: memoryview) -> int:
            calls.append("read")
            return super().read(descriptor, into)

        def flush(self, descriptor: int) -> None:
            calls.append("flush")
            super().flush(descriptor)

    mover(Noting()).verify(source, [entry(DA, files()[DA])])
    assert calls[:3] == ["flush", "forget", "read"]
    assert set(calls[3:]) == {"read"}


def test_a_file_written_to_while_it_is_verified_comes_again(source: Place) -> None:
    class Writing(SmallDisk):
        def read(self, descriptor: int, into: memoryview) -> int:
            os.utime(folder(source) / DA)
            return super().read(descriptor, into)

    with pytest.raises(Transient, match="changed while it was read"):
        mover(Writing()).verify(source, entries(files()))


# ---------------------------------------------------------------- scan and listing


def strange(source: Place) -> None:
    (folder(source) / "to-run").symlink_to(DA)
    (folder(source) / "to-all").symlink_to("/")
    socket_at(folder(source) / "below/socket")
    os.mkfifo(folder(source) / "below/pipe")


def test_a_scan_finds_sizes_and_checksums(source: Place) -> None:
    assert mover(threads=3).scan(source) == tuple(
        sorted(entries(files()), key=lambda each: each.path)
    )


def test_links_and_special_files_are_reported_and_not_opened(source: Place) -> None:
    strange(source)
    found = {each.path: each for each in mover().scan(source)}
    assert {path: each.kind for path, each in found.items() if each.kind != "file"} == {
        "to-run": "link",
        "to-all": "link",
        "below/socket": "special",
        "below/pipe": "special",
    }
    assert all(each.sha256 is None for each in found.values() if each.kind != "file")
    assert {each for each in found.values() if each.kind == "file"} == set(entries(files()))


def test_a_scan_needs_its_folder(source: Place) -> None:
    with pytest.raises(Permanent, match="is not there"):
        mover().scan(replace(source, path="SPB/elsewhere"))


@pytest.mark.parametrize("name", [b"bell\x07.h5", b"back\\slash", b"latin\xe9", b"two\nlines"])
def test_a_name_that_cannot_be_registered_stops_a_scan(source: Place, name: bytes) -> None:
    Path(os.fsdecode(os.fsencode(str(source)) + b"/" + name)).write_bytes(b"x")
    with pytest.raises(Permanent, match="refused") as refused:
        mover().scan(source)
    str(refused.value).encode()
    listed = [each.path for each in mover().listing(source)]
    assert len(listed) == len(files()) + 1
    assert all(path.isprintable() for path in listed)


def test_a_file_written_to_while_it_is_scanned_comes_again(source: Place) -> None:
    class Writing(SmallDisk):
        def read(self, descriptor: int, into: memoryview) -> int:
            with (folder(source) / DA).open("ab") as stream:
                stream.write(b"x")
            return super().read(descriptor, into)

    with pytest.raises(Transient, match="changed while it was read"):
        mover(Writing()).scan(source)


def test_a_listing_is_recursive_and_reads_nothing(source: Place) -> None:
    class NoReading(SmallDisk):
        def read(self, descriptor: int, into: memoryview) -> int:
            raise AssertionError("a listing reads no file")

    strange(source)
    found = {each.path: each for each in mover(NoReading()).listing(source)}
    for path, data in files().items():
        assert found.pop(path) == Entry(path, len(data))
    assert set(found) == {"to-run", "to-all", "below/socket", "below/pipe"}


def test_a_listing_of_a_folder_that_is_gone_is_empty(source: Place) -> None:
    assert list(mover().listing(replace(source, path="SPB/elsewhere"))) == []


def test_folders_without_end_are_not_entered(source: Place) -> None:
    here = os.open(folder(source), os.O_RDONLY)
    for _ in range(DEEPEST + 20):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    deep = [each for each in mover().listing(source) if each.kind == "folder"]
    assert [each.path for each in deep] == ["/".join(["d"] * (DEEPEST + 1))]
    assert mover().remove_empty_folders(source) != []


def test_what_may_not_be_looked_into_is_an_error_not_an_absence(source: Place) -> None:
    class Locked(SmallDisk):
        def open(self, name: str | Path, flags: int, *, folder: int | None = None) -> int:
            if name == "below":
                raise PermissionError(13, "Permission denied")
            return super().open(name, flags, folder=folder)

    for act in (
        lambda: list(mover(Locked()).listing(source)),
        lambda: mover(Locked()).scan(source),
        lambda: mover(Locked()).remove_empty_folders(source),
        lambda: mover(Locked()).verify(source, entries(files())),
    ):
        with pytest.raises(Permanent, match="Permission denied"):
            act()


# ---------------------------------------------------------------- open_read


def test_a_file_is_streamed(source: Place) -> None:
    with mover().open_read(source, DA) as stream:
        assert stream.read(10) == files()[DA][:10]
        stream.seek(5000)
        assert stream.read() == files()[DA][5000:]


def test_what_is_no_file_is_not_streamed(source: Place) -> None:
    strange(source)
    for path in ("to-run", "to-all/etc/passwd", "below/pipe", "below/socket", "below"):
        with pytest.raises(Permanent, match="links are never followed"):
            mover().open_read(source, path)
    with pytest.raises(Permanent, match="missing"):
        mover().open_read(source, "none.h5")
    with pytest.raises(Permanent, match="missing"):
        mover().open_read(source, "none/none.h5")
    with pytest.raises(Permanent, match="not a folder"):
        mover().open_read(source, f"{DA}/none.h5")
    for path in ("../r0001/" + DA, "/etc/passwd", "", "a//b", "."):
        with pytest.raises(Permanent, match="refused"):
            mover().open_read(source, path)
    put(source, {"x": b"y"})
    with mover().open_read(source, "x") as stream:
        assert stream.read() == b"y"
