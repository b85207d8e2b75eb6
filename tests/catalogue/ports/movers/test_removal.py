"""Trash, restore, purge, empty folders and work folders: exactly what was named, and no more."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.ports.movers import Entry, Place
from catalogue.ports.movers.names import hidden as hidden_name
from catalogue.ports.outcome import Permanent, Transient
from tests.catalogue.ports.movers.stores import (
    RUN,
    QuickDisk,
    contents,
    entries,
    entry,
    files,
    hidden,
    mover,
    put,
    world,
)

DA = "RAW-R0001-DA01-S00000.h5"
XGM = "RAW-R0001-XGM-S00000.h5"
KEY = "replica-17"
UNKNOWN = {"notes.txt": b"mine", "below/plot.png": b"mine too"}


def folder(place: Place) -> Path:
    return Path(str(place))


def trash_of(place: Place) -> Path:
    return place.mount / ".trash" / KEY


def without_folders(seen: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    return {path: what for path, what in seen.items() if what[0] != "folder"}


# ---------------------------------------------------------------- trash


def test_files_go_to_the_trash_and_their_empty_folders_go(source: Place) -> None:
    os.umask(0o077)
    before = world(folder(source))
    receipt = mover().trash(source, entries(files()), key=KEY)
    assert receipt.entries == tuple(entries(files()))
    assert (receipt.files, receipt.bytes) == (4, sum(map(len, files().values())))
    assert not receipt.read_back
    assert not folder(source).exists()
    assert folder(source).parent.is_dir()
    assert without_folders(world(trash_of(source))) == without_folders(before)
    assert (source.mount / ".trash").stat().st_mode & 0o7777 == 0o700
    assert trash_of(source).stat().st_mode & 0o7777 == 0o700


def test_unknown_files_stay_where_they_are(source: Place) -> None:
    put(source, UNKNOWN)
    (folder(source) / "to-notes").symlink_to("notes.txt")
    mover().trash(source, entries(files()), key=KEY)
    assert contents(folder(source)) == UNKNOWN
    assert (folder(source) / "to-notes").is_symlink()
    assert not (folder(source) / "below/deeper").exists()
    assert contents(trash_of(source)) == files()


def test_empty_folders_that_held_nothing_of_ours_stay(source: Place) -> None:
    (folder(source) / "theirs").mkdir()
    mover().trash(source, entries(files()), key=KEY)
    assert [path.name for path in folder(source).iterdir()] == ["theirs"]


def test_some_files_of_a_place(source: Place) -> None:
    mover().trash(source, [entry(DA, files()[DA])], key=KEY)
    assert contents(trash_of(source)) == {DA: files()[DA]}
    assert set(contents(folder(source))) == set(files()) - {DA}


def test_twice_is_once(source: Place) -> None:
    first = mover().trash(source, entries(files()), key=KEY)
    after = world(source.mount)
    assert mover().trash(source, entries(files()), key=KEY).entries == first.entries
    assert world(source.mount) == after


@pytest.mark.parametrize("wrong", ["size", "missing", "folder"])
def test_nothing_moves_when_one_file_is_not_what_the_catalogue_knows(
    source: Place, wrong: str
) -> None:
    if wrong == "size":
        (folder(source) / DA).write_bytes(b"rewritten by somebody")
    else:
        (folder(source) / DA).unlink()
        if wrong == "folder":
            (folder(source) / DA).mkdir()
    before = world(source.mount)
    with pytest.raises(Permanent, match=DA) as refused:
        mover().trash(source, entries(files()), key=KEY)
    assert str(refused.value.evidence["file"]).endswith(DA)
    assert world(source.mount) == before


def test_a_file_in_both_is_not_overwritten(source: Place) -> None:
    mover().trash(source, [entry(DA, files()[DA])], key=KEY)
    put(source, {DA: files()[DA]})
    before = world(source.mount)
    for act in (mover().trash, mover().restore):
        with pytest.raises(Permanent, match="neither is overwritten"):
            act(source, [entry(DA, files()[DA])], key=KEY)
    assert world(source.mount) == before


def test_a_file_that_appears_in_the_trash_meanwhile_is_not_overwritten(source: Place) -> None:
    class Late(QuickDisk):
        def rename_exclusively(self, name: str, new: str, *, folder: int, into: int) -> None:
            if name == DA:
                put(Place(source.mount / ".trash", KEY), {DA: b"late"})
            super().rename_exclusively(name, new, folder=folder, into=into)

    class Earlier(QuickDisk):
        def status(self, name: str, *, folder: int) -> os.stat_result:
            if name == DA and Path(f"/proc/self/fd/{folder}").readlink() == trash_of(source):
                put(Place(source.mount / ".trash", KEY), {DA: b"late"})
            return super().status(name, folder=folder)

    for kind in (Late, Earlier):
        with pytest.raises(Permanent, match="has appeared"):
            mover(kind()).trash(source, [entry(DA, files()[DA])], key=KEY)
        assert (trash_of(source) / DA).read_bytes() == b"late"
        assert (folder(source) / DA).read_bytes() == files()[DA]
        (trash_of(source) / DA).unlink()
        trash_of(source).rmdir()


def test_a_trash_on_another_file_system_is_refused(source: Place) -> None:
    class Apart(QuickDisk):
        def rename_exclusively(self, name: str, new: str, *, folder: int, into: int) -> None:
            if name == DA:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            super().rename_exclusively(name, new, folder=folder, into=into)

    with pytest.raises(Permanent, match="cross-device"):
        mover(Apart()).trash(source, [entry(DA, files()[DA])], key=KEY)
    assert contents(folder(source)) == files()


def test_an_unfinished_copy_is_taken_back(source: Place) -> None:
    (folder(source) / XGM).unlink()
    (folder(source) / hidden_name(XGM, "part")).write_bytes(b"half")
    put(source, {**UNKNOWN, hidden_name("stranger.h5", "part"): b"not of this copy"})
    with pytest.raises(Permanent, match=XGM):
        mover().trash(source, entries(files()), key=KEY)
    receipt = mover().trash(source, entries(files()), key=KEY, partial=True)
    assert {each.path for each in receipt.entries} == set(files()) - {XGM}
    assert set(contents(folder(source))) == {*UNKNOWN, hidden_name("stranger.h5", "part")}
    mover().purge(source.mount, key=KEY, entries=receipt.entries)
    assert list((source.mount / ".trash").iterdir()) == []


def test_a_copy_that_never_began_is_taken_back(source: Place) -> None:
    gone = replace(source, path="SPB/202601/p900060/raw/r0002")
    receipt = mover().trash(gone, entries(files()), key=KEY, partial=True)
    assert (receipt.entries, receipt.files) == ((), 0)


# ---------------------------------------------------------------- restore


def test_files_come_back_as_they_were(source: Place) -> None:
    raw = folder(source).parent
    raw.chmod(0o2750)
    for path in (folder(source), folder(source) / "below", folder(source) / "below/deeper"):
        path.chmod(0o2750)
    before = world(folder(source).parent)
    os.umask(0o077)
    mover().trash(source, entries(files()), key=KEY)
    receipt = mover().restore(source, entries(files()), key=KEY)
    assert world(folder(source).parent) == before
    assert receipt.files == 4
    assert not trash_of(source).exists()
    again = mover().restore(source, entries(files()), key=KEY)
    assert again.entries == receipt.entries
    assert world(folder(source).parent) == before


def test_what_is_in_neither_is_named(source: Place) -> None:
    mover().trash(source, entries(files()), key=KEY)
    with pytest.raises(Permanent, match=f"{DA} is neither in"):
        mover().restore(source, [entry(DA, files()[DA])], key="another-key")
    assert contents(trash_of(source)) == files()


def test_a_new_file_of_another_size_stays_in_the_way(source: Place) -> None:
    mover().trash(source, entries(files()), key=KEY)
    put(source, {DA: b"new"})
    before = world(source.mount)
    with pytest.raises(Permanent, match="not touched"):
        mover().restore(source, entries(files()), key=KEY)
    assert world(source.mount) == before


# ---------------------------------------------------------------- purge


def test_a_purge_deletes_what_it_was_told(source: Place) -> None:
    put(source, UNKNOWN)
    mover().trash(source, entries(files()), key=KEY)
    receipt = mover().purge(source.mount, key=KEY, entries=entries(files()))
    assert receipt.entries == tuple(entries(files()))
    assert not trash_of(source).exists()
    assert contents(source.mount) == {f"{RUN}/{path}": data for path, data in UNKNOWN.items()}
    again = mover().purge(source.mount, key=KEY, entries=entries(files()))
    assert again.entries == receipt.entries


def test_a_purge_leaves_other_keys(source: Place) -> None:
    mover().trash(source, [entry(DA, files()[DA])], key="another")
    mover().trash(source, [entry(XGM, files()[XGM])], key=KEY)
    mover().purge(source.mount, key=KEY, entries=[entry(XGM, files()[XGM])])
    assert contents(source.mount / ".trash") == {f"another/{DA}": files()[DA]}


def test_unknown_files_in_the_trash_stay_and_are_named(source: Place) -> None:
    mover().trash(source, entries(files()), key=KEY)
    put(Place(source.mount, f".trash/{KEY}"), UNKNOWN)
    (trash_of(source) / "link").symlink_to("/")
    for _ in range(2):
        with pytest.raises(Permanent, match="did not put there") as refused:
            mover().purge(source.mount, key=KEY, entries=entries(files()))
        assert refused.value.evidence["remaining"] == ["below/plot.png", "link", "notes.txt"]
        assert refused.value.evidence["count"] == 3
        assert contents(trash_of(source)) == UNKNOWN


@pytest.mark.parametrize("wrong", ["size", "link"])
def test_nothing_is_purged_when_one_file_is_not_what_the_catalogue_knows(
    source: Place, tmp_path: Path, wrong: str
) -> None:
    mover().trash(source, entries(files()), key=KEY)
    victim = tmp_path / "victim"
    victim.write_bytes(files()[DA])
    if wrong == "size":
        (trash_of(source) / DA).write_bytes(b"another")
    else:
        (trash_of(source) / DA).unlink()
        (trash_of(source) / DA).symlink_to(victim)
    before = world(source.mount)
    with pytest.raises(Permanent, match=DA):
        mover().purge(source.mount, key=KEY, entries=entries(files()))
    assert world(source.mount) == before
    assert victim.read_bytes() == files()[DA]


class Noting(QuickDisk):
    """Which folders are flushed after the last file was renamed or unlinked."""

    def __init__(self) -> None:
        self.flushed: set[str] = set()

    def _changed(self) -> None:
        self.flushed.clear()

    def rename_exclusively(self, name: str, new: str, *, folder: int, into: int) -> None:
        super().rename_exclusively(name, new, folder=folder, into=into)
        self._changed()

    def unlink(self, name: str, *, folder: int) -> None:
        super().unlink(name, folder=folder)
        self._changed()

    def flush(self, descriptor: int) -> None:
        self.flushed.add(str(Path(f"/proc/self/fd/{descriptor}").readlink()))


def test_removals_are_on_the_disk_when_they_are_told(source: Place) -> None:
    """A power cut after the receipt must not bring a purged file back, or lose a moved one."""
    put(source, UNKNOWN)
    here, there = {str(source), f"{source}/below"}, {str(trash_of(source))}
    there.add(f"{trash_of(source)}/below")
    for verb, both in (("trash", True), ("restore", True), ("trash", True), ("purge", False)):
        disk = Noting()
        if verb == "purge":
            put(Place(source.mount, f".trash/{KEY}"), UNKNOWN)  # so that the folders stay
            with pytest.raises(Permanent, match="they stay"):
                mover(disk).purge(source.mount, key=KEY, entries=entries(files()))
        else:
            getattr(mover(disk), verb)(source, entries(files()), key=KEY)
        assert disk.flushed >= (here | there if both else there), verb


# ---------------------------------------------------------------- empty folders


def test_a_place_of_empty_folders_goes(source: Place) -> None:
    place = replace(source, path="SPB/202601/p900061")
    for name in ("raw/r0001", "proc", "usr/a/b/c", "scratch"):
        (folder(place) / name).mkdir(parents=True)
    assert mover().remove_empty_folders(place) == []
    assert not folder(place).exists()
    assert folder(source).is_dir()
    assert mover().remove_empty_folders(place) == []


def test_whatever_is_left_holds_the_place_and_is_named(source: Place, tmp_path: Path) -> None:
    place = replace(source, path="SPB/202601/p900061")
    put(place, {"usr/notes.txt": b"mine", "scratch/a/b.dat": b"", hidden_name("x", "part"): b"?"})
    (folder(place) / "raw/r0001").mkdir(parents=True)
    (folder(place) / "usr/out").symlink_to(tmp_path)
    Path(os.fsdecode(os.fsencode(folder(place)) + b"/usr/\xff")).write_bytes(b"")
    assert mover().remove_empty_folders(place) == [
        hidden_name("x", "part"),
        "scratch/a/b.dat",
        "usr/\\udcff",
        "usr/notes.txt",
        "usr/out",
    ]
    assert not (folder(place) / "raw").exists()
    assert (folder(place) / "usr/notes.txt").read_bytes() == b"mine"


def test_a_mount_point_holds_the_place(source: Place) -> None:
    class Mounted(QuickDisk):
        """`below` shows another file system."""

        def mount_of(self, folder: int) -> int:
            path = str(Path(f"/proc/self/fd/{folder}").readlink())
            return 2 if path.endswith("/below") else 1

    place = replace(source, path="SPB/202601/p900061")
    (folder(place) / "below/inside").mkdir(parents=True)
    assert mover(Mounted()).remove_empty_folders(place) == ["below/"]
    assert (folder(place) / "below/inside").is_dir()


def test_a_folder_that_is_filled_meanwhile_stays(source: Place) -> None:
    place = replace(source, path="SPB/202601/p900061")
    (folder(place) / "usr").mkdir(parents=True)

    class Busy(QuickDisk):
        def remove_folder(self, name: str, *, folder: int) -> None:
            put(place, {"late.txt": b"late"} if name == "p900061" else {"usr/late.txt": b"late"})
            super().remove_folder(name, folder=folder)

    assert mover(Busy()).remove_empty_folders(place) == ["usr/"]
    (folder(place) / "usr/late.txt").unlink()
    (folder(place) / "usr").rmdir()
    assert mover(Busy()).remove_empty_folders(place) == ["./"]
    assert contents(folder(place)) == {"late.txt": b"late"}


def test_mounts_are_told_apart(tmp_path: Path) -> None:
    disk = QuickDisk()
    (tmp_path / "below").mkdir()
    numbers = []
    for path in (tmp_path, tmp_path / "below", Path("/proc")):
        descriptor = os.open(path, os.O_RDONLY)
        numbers.append(disk.mount_of(descriptor))
        os.close(descriptor)
    assert numbers[0] == numbers[1] != numbers[2]


# ---------------------------------------------------------------- work folders


def test_a_work_folder_is_discarded_whole(source: Place, tmp_path: Path) -> None:
    beyond = tmp_path / "beyond"
    put(Place(beyond, "x"), files())
    work = replace(source, path=".work/job-7")
    put(work, {**files(), **UNKNOWN})
    (folder(work) / "to-beyond").symlink_to(beyond)
    (folder(work) / "below/to-beyond").symlink_to(beyond / "x")
    os.mkfifo(folder(work) / "pipe")
    put(replace(source, path=".work/job-8"), {"other": b"job"})
    mover().discard(work)
    assert not folder(work).exists()
    assert contents(source.mount / ".work") == {"job-8/other": b"job"}
    assert contents(beyond / "x") == files()
    assert contents(folder(source)) == files()
    mover().discard(work)


@pytest.mark.parametrize("path", [RUN, ".work", "SPB/.work/x", ".workshop/x", "SPB"])
def test_nothing_else_is_ever_discarded(source: Place, path: str) -> None:
    put(replace(source, path=path), {"x": b"y"})
    before = world(source.mount)
    with pytest.raises(Permanent, match="refused to discard"):
        mover().discard(replace(source, path=path))
    assert world(source.mount) == before


def test_what_is_mounted_in_a_work_folder_is_not_emptied(source: Place) -> None:
    """An engine may have been shown its input so; a bind mount has the store's device number."""

    class Mounted(QuickDisk):
        def mount_of(self, folder: int) -> int:
            path = str(Path(f"/proc/self/fd/{folder}").readlink())
            return 2 if path.endswith("/raw") else 1

    work = replace(source, path=".work/job-7")
    put(work, {"raw/a.h5": b"data", "out/b.h5": b"half"})
    with pytest.raises(Permanent, match="mount point"):
        mover(Mounted()).discard(work)
    assert contents(folder(work))["raw/a.h5"] == b"data"


def test_a_work_folder_nested_without_end_is_refused(source: Place) -> None:
    work = replace(source, path=".work/job-7")
    folder(work).mkdir(parents=True)
    here = os.open(folder(work), os.O_RDONLY)
    for _ in range(80):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    with pytest.raises(Permanent, match="too deep"):
        mover().discard(work)


def test_a_busy_draft_stops_taking_back(source: Place, destination: Place) -> None:
    class Locked(QuickDisk):
        def lock(self, descriptor: int) -> None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    put(destination, {hidden_name(DA, "part"): b"half"})
    with pytest.raises(Transient, match="another attempt"):
        mover(Locked()).trash(destination, entries(files()), key=KEY, partial=True)
    assert hidden(destination.mount) == [hidden_name(DA, "part")]


def test_what_was_given_is_what_is_told(source: Place) -> None:
    known = [Entry(DA, len(files()[DA]))]
    assert mover().trash(source, known, key=KEY).entries == tuple(known)
