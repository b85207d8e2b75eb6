"""Copy, write and what may go wrong with them; the crashes are in test_crash.py."""

from __future__ import annotations

import errno
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.ports.movers import Entry, Place, Progress
from catalogue.ports.movers.disk import Disk
from catalogue.ports.movers.names import hidden as hidden_name
from catalogue.ports.outcome import Cancelled, Permanent, Transient
from tests.catalogue.ports.movers.stores import (
    RUN,
    QuickDisk,
    SmallDisk,
    contents,
    entries,
    entry,
    files,
    flip,
    hidden,
    mover,
    put,
    world,
)

AGIPD = "below/deeper/RAW-R0001-AGIPD00-S00000.h5"
DA = "RAW-R0001-DA01-S00000.h5"


def folder(place: Place) -> Path:
    return Path(str(place))


def test_a_copy_is_the_same_and_says_so(source: Place, destination: Place) -> None:
    before = world(source.mount)
    receipt = mover(threads=4).copy(source, destination, entries(files()))

    assert contents(folder(destination)) == files()
    assert receipt.entries == tuple(entries(files()))
    assert receipt.read_back
    assert (receipt.files, receipt.bytes) == (4, sum(map(len, files().values())))
    assert receipt.seconds > 0
    assert world(source.mount) == before
    assert hidden(destination.mount) == []


def test_copies_keep_their_time_and_are_read_only(source: Place, destination: Place) -> None:
    os.umask(0o077)
    mover().copy(source, destination, entries(files()))
    for path in files():
        copied, original = (folder(destination) / path).stat(), (folder(source) / path).stat()
        assert copied.st_mtime_ns == original.st_mtime_ns
        assert copied.st_mode & 0o7777 == 0o440


def test_new_folders_take_the_mode_of_the_one_above(source: Place, destination: Place) -> None:
    os.umask(0o077)
    folder(destination).parent.chmod(0o2770)
    mover().copy(source, destination, entries(files()))
    for made in (folder(destination), folder(destination) / "below/deeper"):
        assert made.stat().st_mode & 0o7777 == 0o2770


def test_write_permission_for_others_is_not_passed_down(source: Place, destination: Place) -> None:
    folder(destination).parent.chmod(0o1777)
    mover().copy(source, destination, entries(files()))
    assert folder(destination).stat().st_mode & 0o7777 == 0o775


def test_unknown_checksums_are_read_and_told(source: Place, destination: Place) -> None:
    unknown = [replace(each, sha256=None) for each in entries(files())]
    assert mover().copy(source, destination, unknown).entries == tuple(entries(files()))
    assert mover().copy(source, destination, unknown).entries == tuple(entries(files()))


def test_a_copy_of_nothing_verifies_nothing(source: Place, destination: Place) -> None:
    receipt = mover().copy(source, destination, [])
    assert (receipt.entries, receipt.read_back) == ((), False)


# ---------------------------------------------------------------- the source differs


def test_a_flipped_byte_is_refused_with_both_checksums(source: Place, destination: Place) -> None:
    flip(folder(source) / DA, at=5000)
    data = (folder(source) / DA).read_bytes()
    known, found = entry(DA, files()[DA]).sha256, entry(DA, data).sha256
    with pytest.raises(Permanent) as refused:
        mover().copy(source, destination, entries(files()))
    assert refused.value.reason == (
        f"{RUN}/{DA}: sha256 in the catalogue is {known}, the file in {source}/{DA} has {found}"
    )
    assert refused.value.evidence == {"file": f"{RUN}/{DA}", "expected": known, "found": found}
    assert DA not in contents(folder(destination))
    assert hidden(destination.mount) == []

    flip(folder(source) / DA, at=5000)
    assert mover().copy(source, destination, entries(files())).files == 4


def test_a_writers_adler32_is_compared_too(source: Place, destination: Place) -> None:
    good = entry(DA, files()[DA], adler=True)
    with pytest.raises(Permanent, match="adler32 in the catalogue is 00000001") as refused:
        mover().copy(source, destination, [replace(good, adler32="00000001")])
    assert refused.value.evidence["found"] == good.adler32
    assert contents(folder(destination)) == {}
    assert mover().copy(source, destination, [good]).entries == (good,)


@pytest.mark.parametrize("change", [-10_000, -1, +1, +10_000])
def test_another_size_is_refused(source: Place, destination: Place, change: int) -> None:
    wrong = replace(entry(DA, files()[DA]), bytes=len(files()[DA]) + change)
    with pytest.raises(Permanent) as refused:
        mover().copy(source, destination, [wrong])
    assert refused.value.evidence == {
        "file": f"{RUN}/{DA}",
        "expected": wrong.bytes,
        "found": len(files()[DA]),
    }
    assert contents(destination.mount) == {}


def test_a_file_that_grows_while_it_is_copied_is_refused(source: Place, destination: Place) -> None:
    class Growing(SmallDisk):
        def read(self, descriptor: int, into: memoryview) -> int:
            with (folder(source) / DA).open("ab") as stream:
                stream.write(bytes(10))
            return super().read(descriptor, into)

    for known in (entry(DA, files()[DA]), Entry(DA, len(files()[DA]))):
        put(source, files())
        with pytest.raises(Permanent, match="the catalogue says"):
            mover(Growing()).copy(source, destination, [known])
        assert contents(destination.mount) == {}


def test_a_file_that_changes_while_it_is_copied_comes_again(
    source: Place, destination: Place
) -> None:
    class Changing(SmallDisk):
        def read(self, descriptor: int, into: memoryview) -> int:
            os.utime(folder(source) / DA)
            return super().read(descriptor, into)

    with pytest.raises(Transient, match="changed while it was copied"):
        mover(Changing()).copy(source, destination, [Entry(DA, len(files()[DA]))])
    assert contents(destination.mount) == {}


def test_a_missing_source_file_is_named(source: Place, destination: Place) -> None:
    (folder(source) / AGIPD).unlink()
    with pytest.raises(Permanent, match=f"{RUN}/{AGIPD}: missing"):
        mover().copy(source, destination, entries(files()))
    (folder(source) / "below/deeper").rmdir()
    with pytest.raises(Permanent, match=f"{RUN}/{AGIPD}: missing"):
        mover().copy(source, destination, entries(files()))


# ---------------------------------------------------------------- the destination


class Recording(SmallDisk):
    """What was done with which file, by inode."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, int]] = []

    def _note(self, call: str, descriptor: int) -> None:
        self.calls.append((call, os.fstat(descriptor).st_ino, descriptor))

    def open(self, name: str | Path, flags: int, *, folder: int | None = None) -> int:
        descriptor = super().open(name, flags, folder=folder)
        how = "create" if flags & os.O_CREAT else "open"
        self._note(how, descriptor)
        return descriptor

    def read(self, descriptor: int, into: memoryview) -> int:
        self._note("read", descriptor)
        return super().read(descriptor, into)

    def write(self, descriptor: int, data: memoryview) -> int:
        self._note("write", descriptor)
        return super().write(descriptor, data)

    def flush(self, descriptor: int) -> None:
        super().flush(descriptor)
        self._note("flush", descriptor)

    def forget(self, descriptor: int) -> None:
        super().forget(descriptor)
        self._note("forget", descriptor)

    def rename_exclusively(self, name: str, new: str, *, folder: int, into: int) -> None:
        inode = os.stat(name, dir_fd=folder).st_ino
        super().rename_exclusively(name, new, folder=folder, into=into)
        self.calls.append(("name", inode, -1))


def test_the_copy_is_read_back_by_a_new_opening_after_it_left_memory(
    source: Place, destination: Place
) -> None:
    disk = Recording()
    mover(disk).copy(source, destination, [entry(DA, files()[DA])])
    copied = (folder(destination) / DA).stat().st_ino
    calls = [(call, descriptor) for call, inode, descriptor in disk.calls if inode == copied]
    order = list(dict.fromkeys(call for call, _ in calls))
    assert order == ["create", "write", "flush", "forget", "open", "read", "name"]
    written_through, read_through = (
        {descriptor for call, descriptor in calls if call == wanted} for wanted in ("write", "read")
    )
    assert not written_through & read_through
    assert {d for call, d in calls if call == "open"} == read_through

    last_name = max(n for n, (call, _, _) in enumerate(disk.calls) if call == "name")
    parent = folder(destination).stat().st_ino
    assert ("flush", parent) in [(call, inode) for call, inode, _ in disk.calls[last_name:]]


def test_the_new_opening_asks_to_pass_by_the_page_cache_and_can_do_without(
    source: Place, destination: Place
) -> None:
    class Refusing(SmallDisk):
        asked = 0

        def open(self, name: str | Path, flags: int, *, folder: int | None = None) -> int:
            if flags & os.O_DIRECT:
                self.asked += 1
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            return super().open(name, flags, folder=folder)

    disk = Refusing()
    assert mover(disk).copy(source, destination, entries(files())).read_back
    assert disk.asked == len(files())


@pytest.mark.parametrize("at", [0, 3 * 4096 + 16])
def test_a_byte_that_flips_between_writing_and_reading_back_is_caught(
    source: Place, destination: Place, at: int
) -> None:
    class Flipping(SmallDisk):
        def forget(self, descriptor: int) -> None:
            super().forget(descriptor)
            os.pwrite(descriptor, bytes([os.pread(descriptor, 1, at)[0] ^ 1]), at)

    known = entry(DA, files()[DA])
    with pytest.raises(Permanent, match="the store alters data") as refused:
        mover(Flipping()).copy(source, destination, [known])
    assert refused.value.evidence["expected"] == known.sha256
    assert refused.value.evidence["found"] not in {None, known.sha256}
    assert contents(destination.mount) == {}


def test_what_is_there_already_is_read_back_and_not_copied(
    source: Place, destination: Place
) -> None:
    class NoCreation(SmallDisk):
        def open(self, name: str | Path, flags: int, *, folder: int | None = None) -> int:
            assert not flags & os.O_CREAT
            return super().open(name, flags, folder=folder)

    first = mover().copy(source, destination, entries(files()))
    before = world(destination.mount)
    again = mover(NoCreation()).copy(source, destination, entries(files()))
    assert (again.entries, again.read_back) == (first.entries, True)
    assert world(destination.mount) == before


def test_a_copy_goes_on_where_it_failed(source: Place, destination: Place) -> None:
    (folder(source) / DA).rename(folder(source) / "away")
    order = sorted(entries(files()), key=lambda each: each.path == DA)
    with pytest.raises(Permanent):
        mover().copy(source, destination, order)
    kept = world(folder(destination))
    assert len(contents(folder(destination))) == len(order) - 1
    (folder(source) / "away").rename(folder(source) / DA)
    mover().copy(source, destination, order)
    assert kept.items() <= world(folder(destination)).items()
    assert contents(folder(destination)) == files()


def test_a_confirmed_copy_needs_no_source(source: Place, destination: Place) -> None:
    mover().copy(source, destination, entries(files()))
    (folder(source) / DA).unlink()
    assert mover().copy(source, destination, entries(files())).files == 4


@pytest.mark.parametrize("in_the_way", [b"another", None])
def test_another_content_under_the_name_is_never_overwritten(
    source: Place, destination: Place, in_the_way: bytes | None
) -> None:
    there = folder(destination) / DA
    put(destination, {DA: files()[DA] if in_the_way is None else in_the_way})
    if in_the_way is None:
        flip(there, at=4096)
    before = there.read_bytes()
    with pytest.raises(Permanent, match=rf"{DA}.*it is not overwritten") as refused:
        mover().copy(source, destination, [entry(DA, files()[DA])])
    assert refused.value.evidence["file"] == f"{RUN}/{DA}"
    assert refused.value.evidence["expected"] != refused.value.evidence["found"]
    assert there.read_bytes() == before


def test_a_name_that_is_taken_while_copying_is_not_overwritten(
    source: Place, destination: Place
) -> None:
    class Late(QuickDisk):
        def forget(self, descriptor: int) -> None:
            put(destination, {DA: b"late"})

    class LateWithoutExclusiveRename(Late):
        def rename_exclusively(self, name: str, new: str, *, folder: int, into: int) -> None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    class LateWithoutLinks(LateWithoutExclusiveRename):
        def link(self, name: str, new: str, *, folder: int, into: int) -> None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    for kind in (Late, LateWithoutExclusiveRename, LateWithoutLinks):
        with pytest.raises(Transient, match="appeared"):
            mover(kind()).copy(source, destination, [entry(DA, files()[DA])])
        assert contents(folder(destination)) == {DA: b"late"}
        (folder(destination) / DA).unlink()


def test_two_stores_that_show_one_file_are_no_second_copy(source: Place, tmp_path: Path) -> None:
    inner = Place(tmp_path / "online/SPB", RUN.removeprefix("SPB/"))
    with pytest.raises(Permanent, match="one and the same file"):
        mover().copy(source, inner, entries(files()))
    linked = Place(tmp_path / "offline", RUN)
    folder(linked).mkdir(parents=True)
    os.link(folder(source) / DA, folder(linked) / DA)
    with pytest.raises(Permanent, match="no second copy"):
        mover().copy(source, linked, [entry(DA, files()[DA])])


def test_a_store_under_a_second_mount_point_is_no_further_copy(
    source: Place, destination: Place, tmp_path: Path
) -> None:
    """A third copy that is the second by another name, whether it is copied to or only read."""
    known = entries(files())
    mover().copy(source, destination, known)
    (tmp_path / "second").symlink_to(destination.mount)
    again = Place(tmp_path / "second", destination.path)
    gone = Place(tmp_path / "not mounted here", destination.path)
    places = [gone, destination]
    with pytest.raises(Permanent, match="one and the same file"):
        mover().copy(source, again, known, besides=places)
    with pytest.raises(Permanent, match="no second copy"):
        mover().verify(again, known, besides=places)
    assert mover().verify(destination, known, besides=[gone, source]).read_back


def test_a_draft_that_was_replaced_gets_no_name(source: Place, destination: Place) -> None:
    """Another attempt has removed ours and begun its own: what has the hidden name is half."""

    class Replaced(QuickDisk):
        def forget(self, descriptor: int) -> None:
            (draft,) = (path for path in folder(destination).iterdir() if path.suffix == ".part")
            data = draft.read_bytes()
            draft.unlink()
            draft.write_bytes(data)

    with pytest.raises(Transient, match="another copy"):
        mover(Replaced()).copy(source, destination, [entry(DA, files()[DA])])
    assert DA not in contents(folder(destination))
    assert hidden(destination.mount), "the other attempt's draft was removed"
    mover().copy(source, destination, [entry(DA, files()[DA])])
    assert contents(folder(destination)) == {DA: files()[DA]}


def test_a_stale_draft_that_comes_to_life_is_left(source: Place, destination: Place) -> None:
    """Between our look at what was left and its lock, another attempt has begun anew."""
    put(destination, {hidden_name(DA, "part"): b"left"})
    draft = folder(destination) / hidden_name(DA, "part")

    class Begun(QuickDisk):
        def lock(self, descriptor: int) -> None:
            draft.rename(draft.with_name("left"))
            draft.write_bytes(b"begun")

    with pytest.raises(Transient, match="another attempt"):
        mover(Begun()).copy(source, destination, [entry(DA, files()[DA])])
    assert draft.read_bytes() == b"begun"


def test_somebody_elses_draft_is_left(source: Place, destination: Place) -> None:
    put(destination, {hidden_name(DA, "part"): b"theirs"})

    class Theirs(QuickDisk):
        def status(self, name: str, *, folder: int) -> os.stat_result:
            values = list(super().status(name, folder=folder))
            values[stat.ST_UID] += name == hidden_name(DA, "part")
            return os.stat_result(values)

    with pytest.raises(Permanent, match="no file of ours"):
        mover(Theirs()).copy(source, destination, [entry(DA, files()[DA])])
    assert contents(folder(destination)) == {hidden_name(DA, "part"): b"theirs"}


# ---------------------------------------------------------------- disks that fail


class ShortWrites(SmallDisk):
    def write(self, descriptor: int, data: memoryview) -> int:
        return super().write(descriptor, data[:1000])


def test_short_writes_are_continued(source: Place, destination: Place) -> None:
    mover(ShortWrites()).copy(source, destination, entries(files()))
    assert contents(folder(destination)) == files()


def failing(call: str, number: int) -> Disk:
    def fail(self: Disk, *args: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    disk: Disk = type("Failing", (QuickDisk,), {call: fail})()
    return disk


@pytest.mark.parametrize(
    ("call", "number", "outcome", "retry_after"),
    [
        ("write", errno.ENOSPC, Transient, 1800),
        ("write", errno.EDQUOT, Transient, 1800),
        ("write", errno.EIO, Transient, None),
        ("flush", errno.EIO, Transient, None),
        ("flush", errno.ENOSPC, Transient, 1800),
        ("forget", errno.EIO, Transient, None),
        ("read", errno.ESTALE, Transient, None),
        ("read", errno.EAGAIN, Transient, None),
        ("set_mode", errno.EPERM, Permanent, None),
        ("write", errno.EFBIG, Permanent, None),
        ("write", errno.EROFS, Permanent, None),
        ("lock", errno.ENOSYS, Permanent, None),
        ("rename_exclusively", errno.EXDEV, Permanent, None),
    ],
)
def test_a_failing_disk_is_told_and_leaves_nothing(
    source: Place,
    destination: Place,
    call: str,
    number: int,
    outcome: type[Transient | Permanent],
    retry_after: float | None,
) -> None:
    with pytest.raises(outcome) as failed:
        mover(failing(call, number), threads=3).copy(source, destination, entries(files()))
    assert failed.value.evidence["errno"] == errno.errorcode[number]
    assert os.strerror(number) in failed.value.reason
    assert getattr(failed.value, "retry_after", None) == retry_after
    assert hidden(destination.mount) == []
    assert set(contents(folder(destination))) <= {"empty.h5"}  # nothing is written to that one


def test_a_disk_that_takes_nothing_is_an_error(source: Place, destination: Place) -> None:
    class Full(SmallDisk):
        def write(self, descriptor: int, data: memoryview) -> int:
            return 0

    with pytest.raises(Transient):
        mover(Full()).copy(source, destination, [entry(DA, files()[DA])])
    assert contents(destination.mount) == {}


# ---------------------------------------------------------------- room


class Nearly(QuickDisk):
    """A store with `free` of `total` blocks of one byte."""

    def __init__(self, *, free: int, total: int) -> None:
        self._values = (1, 1, total, free, free, 0, 0, 0, 0, 255)

    def space(self, folder: int) -> os.statvfs_result:
        return os.statvfs_result(self._values)


def test_a_full_store_is_waited_for(source: Place, destination: Place) -> None:
    needed = sum(map(len, files().values()))
    with pytest.raises(Transient) as refused:
        mover(Nearly(free=needed - 1, total=10**9)).copy(source, destination, entries(files()))
    assert refused.value.retry_after == 1800
    assert refused.value.evidence == {"needed": needed, "free": needed - 1}
    assert "has 20.5 kB free, the copy needs 20.5 kB" in refused.value.reason
    assert contents(destination.mount) == {}
    mover(Nearly(free=needed, total=10**9)).copy(source, destination, entries(files()))


def test_what_is_there_needs_no_room(source: Place, destination: Place) -> None:
    put(destination, files())
    mover(Nearly(free=0, total=10**9)).copy(source, destination, entries(files()))


def test_a_store_that_is_too_small_for_ever_is_for_a_person(
    source: Place, destination: Place
) -> None:
    with pytest.raises(Permanent, match="more than the whole store holds"):
        mover(Nearly(free=10, total=20)).copy(source, destination, entries(files()))


def test_free_bytes_are_those_of_the_file_system(source: Place, tmp_path: Path) -> None:
    space = os.statvfs(tmp_path)
    free = mover().free_bytes(source.mount)
    assert abs(free - space.f_bavail * space.f_frsize) < 10**9
    with pytest.raises(Transient, match="is not there"):
        mover().free_bytes(tmp_path / "unmounted")


# ---------------------------------------------------------------- stores that are not mounted


def test_an_unmounted_store_is_waited_for(source: Place, tmp_path: Path) -> None:
    for mount in (tmp_path / "nowhere", tmp_path / "empty"):
        place = Place(mount, RUN)
        for act in (
            lambda place=place: mover().copy(source, place, entries(files())),
            lambda place=place: mover().copy(place, source, [entry("new", b"")]),
            lambda place=place: mover().verify(place, entries(files())),
            lambda place=place: mover().scan(place),
            lambda place=place: list(mover().listing(place)),
            lambda place=place: mover().trash(place, entries(files()), key="1"),
            lambda place=place: mover().restore(place, entries(files()), key="1"),
            lambda place=place: mover().purge(place.mount, key="1", entries=entries(files())),
            lambda place=place: mover().remove_empty_folders(place),
            lambda place=place: mover().write(place, {"a": b""}),
            lambda place=place: mover().open_read(place, "a"),
        ):
            with pytest.raises(Transient, match="mount point"):
                act()
        (tmp_path / "empty").mkdir(exist_ok=True)
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_new_store_is_opened_by_making_a_folder(source: Place, tmp_path: Path) -> None:
    place = Place(tmp_path / "new", RUN)
    place.mount.mkdir()
    mover().make_folder(Place(place.mount, "SPB"), mode=0o755)
    assert mover().copy(source, place, entries(files())).files == 4


# ---------------------------------------------------------------- progress and cancel


def test_progress_is_told_in_the_callers_thread_and_ends_at_all(
    source: Place, destination: Place
) -> None:
    told: list[Progress] = []
    mover(threads=3).copy(source, destination, entries(files()), progress=told.append)
    total = sum(map(len, files().values()))
    assert told[-1] == Progress(files_done=4, files=4, bytes_done=total, bytes=total)
    done = [each.bytes_done for each in told]
    assert done == sorted(done)
    again: list[Progress] = []
    mover().copy(source, destination, entries(files()), progress=again.append)
    assert again[-1] == told[-1]
    verified: list[Progress] = []
    mover().verify(destination, entries(files()), progress=verified.append)
    assert verified[-1] == told[-1]


@pytest.mark.parametrize("in_stage", ["write", "forget", "name"])
def test_a_cancelled_copy_leaves_nothing_half(
    source: Place, destination: Place, in_stage: str
) -> None:
    """The copy is at its second file, in one of its stages, when the cancellation is seen."""

    arrived, decided = threading.Event(), threading.Event()

    class Waiting(QuickDisk):
        count = 0

        def _wait(self, stage: str) -> None:
            self.count += stage == in_stage
            if stage == in_stage and self.count == 2:
                arrived.set()
                assert decided.wait(timeout=30)

        def write(self, descriptor: int, data: memoryview) -> int:
            self._wait("write")
            return super().write(descriptor, data)

        def forget(self, descriptor: int) -> None:
            self._wait("forget")

        def rename_exclusively(self, name: str, new: str, *, folder: int, into: int) -> None:
            if new.endswith(".h5"):
                self._wait("name")
            super().rename_exclusively(name, new, folder=folder, into=into)

    many = {f"{number}.h5": bytes([number]) * 9000 for number in range(60)}
    put(source, many)

    def cancelled() -> bool:
        if arrived.is_set():
            decided.set()
        return arrived.is_set()

    with pytest.raises(Cancelled):
        mover(Waiting()).copy(source, destination, entries(many), cancelled=cancelled)
    left = contents(folder(destination))
    assert hidden(destination.mount) == []
    assert len(left) < len(many)
    assert left.items() <= many.items()


def test_work_cancelled_before_it_begins_does_nothing(source: Place, destination: Place) -> None:
    with pytest.raises(Cancelled):
        mover().copy(source, destination, entries(files()), cancelled=lambda: True)
    assert contents(destination.mount) == {}
    with pytest.raises(Cancelled):
        mover().verify(source, entries(files()), cancelled=lambda: True)
    with pytest.raises(Cancelled):
        mover().scan(source, cancelled=lambda: True)


def test_a_progress_that_fails_ends_the_copy_cleanly(source: Place, destination: Place) -> None:
    def lost(progress: Progress) -> None:
        raise RuntimeError("the lease is lost")

    with pytest.raises(RuntimeError, match="the lease is lost"):
        mover().copy(source, destination, entries(files()), progress=lost)
    assert hidden(destination.mount) == []


# ---------------------------------------------------------------- generated files


def test_generated_files_are_written_whole(source: Place) -> None:
    report = {"report.pdf": b"%PDF" * 5000, "below/log.txt": b""}
    os.umask(0o077)
    receipt = mover().write(source, report, mode=0o640)
    assert receipt.entries == tuple(entries(report))
    assert receipt.read_back
    for path, data in report.items():
        written = folder(source) / path
        assert written.read_bytes() == data
        assert written.stat().st_mode & 0o7777 == 0o640
    assert hidden(source.mount) == []


def test_generated_files_are_written_once(source: Place) -> None:
    mover().write(source, {"report.pdf": b"one"})
    assert (folder(source) / "report.pdf").stat().st_mode & 0o7777 == 0o440
    assert mover().write(source, {"report.pdf": b"one"}).read_back
    with pytest.raises(Permanent, match="it is not overwritten"):
        mover().write(source, {"report.pdf": b"two"})
    assert (folder(source) / "report.pdf").read_bytes() == b"one"


def test_a_byte_that_flips_in_a_generated_file_is_caught(source: Place) -> None:
    class Flipping(SmallDisk):
        def forget(self, descriptor: int) -> None:
            super().forget(descriptor)
            os.pwrite(descriptor, b"!", 0)

    with pytest.raises(Permanent, match="the store alters data"):
        mover(Flipping()).write(source, {"report.pdf": b"one"})
    assert not (folder(source) / "report.pdf").exists()
    assert hidden(source.mount) == []
