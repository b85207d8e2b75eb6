"""Folders with exact modes, and sentences on what a process without privileges could not do."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.ports.movers import Place, PosixMover
from catalogue.ports.movers.names import hidden as hidden_name
from catalogue.ports.outcome import Permanent
from tests.catalogue.ports.movers.stores import SmallDisk, as_nobody, hidden, mover

PROPOSAL = "SPB/202601/p900060"
MODES = {"raw": 0o2750, "proc": 0o2750, "red": 0o2750, "usr": 0o2770, "scratch": 0o2770}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o177])
def test_modes_are_exact_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    tmp_path.chmod(0o755)
    os.umask(umask)
    for _ in range(2):
        for name, wanted in MODES.items():
            place = Place(tmp_path, f"{PROPOSAL}/{name}")
            assert mover().make_folder(place, mode=wanted) == []
            assert mode(tmp_path / place.path) == wanted
    assert mode(tmp_path / PROPOSAL) == mode(tmp_path / "SPB") == 0o755
    assert hidden(tmp_path) == []


def test_an_existing_folder_is_brought_to_its_mode_and_keeps_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir(mode=0o700)
    (tmp_path / "usr/notes.txt").write_bytes(b"mine")
    assert mover().make_folder(Place(tmp_path, "usr"), mode=0o2770) == []
    assert mode(tmp_path / "usr") == 0o2770
    assert (tmp_path / "usr/notes.txt").read_bytes() == b"mine"


def test_what_is_no_folder_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"")
    (tmp_path / "proc").symlink_to("/")
    for name in ("raw", "proc", "raw/below"):
        with pytest.raises(Permanent, match="not a folder"):
            mover().make_folder(Place(tmp_path, name), mode=0o2750)
    with pytest.raises(Permanent, match="refused the mode"):
        mover().make_folder(Place(tmp_path, "red"), mode=0o20750)


def test_a_group_of_ours_is_given(tmp_path: Path) -> None:
    group = os.getegid()
    assert mover().make_folder(Place(tmp_path, "raw"), mode=0o2750, group=group) == []
    assert (tmp_path / "raw").stat().st_gid == group


def test_a_group_nobody_knows_is_told(tmp_path: Path) -> None:
    told = mover().make_folder(Place(tmp_path, "raw"), mode=0o2750, group="no-such-group-x")
    assert told == [f"{tmp_path}/raw: this machine knows no group no-such-group-x"]
    assert mode(tmp_path / "raw") == 0o2750


def test_a_foreign_group_is_told_and_the_folder_made(open_folder: Path) -> None:
    def act() -> tuple[list[str], int]:
        foreign = next(n for n in range(1, 1000) if n not in {os.getegid(), *os.getgroups()})
        place = Place(open_folder, "raw")
        told = PosixMover().make_folder(place, mode=0o2750, group=foreign)
        assert told == PosixMover().make_folder(place, mode=0o2750, group=foreign)
        return told, mode(open_folder / "raw")

    told, made = as_nobody(act)
    assert len(told) == 1
    assert f"{open_folder}/raw: this process may not give it to the group" in told[0]
    assert made == 0o2750


def test_somebody_elses_folder_is_told_and_left(open_folder: Path) -> None:
    """`/proc` belongs to nobody who runs tests."""
    before = mode(Path("/proc"))

    def act() -> list[str]:
        return PosixMover().make_folder(Place(Path("/"), "proc"), mode=0o2750)

    (told,) = as_nobody(act)
    assert told.startswith(f"//proc: its mode is {before:o}, not 2750: it belongs to user ")
    assert mode(Path("/proc")) == before


def test_set_gid_that_the_system_takes_away_is_told(tmp_path: Path) -> None:
    class Foreign(SmallDisk):
        """What Linux does when the process is not in the folder's group."""

        def set_mode(self, descriptor: int, mode: int) -> None:
            super().set_mode(descriptor, mode & ~stat.S_ISGID)

    (told,) = mover(Foreign()).make_folder(Place(tmp_path, "raw"), mode=0o2750)
    group = (tmp_path / "raw").stat().st_gid
    assert told == (
        f"{tmp_path}/raw: its mode is 750, not 2750: set-gid needs a process in its group "
        f"({group}); what is left to do: chmod 2750 {tmp_path}/raw"
    )


def test_a_file_system_without_modes_is_told(tmp_path: Path) -> None:
    class Fat(SmallDisk):
        def set_mode(self, descriptor: int, mode: int) -> None:
            super().set_mode(descriptor, 0o755)

    (told,) = mover(Fat()).make_folder(Place(tmp_path, "raw"), mode=0o2770)
    assert "the file system changed it" in told


def test_modes_that_cannot_be_set_at_all_are_told(tmp_path: Path) -> None:
    class Refusing(SmallDisk):
        def set_mode(self, descriptor: int, mode: int) -> None:
            raise PermissionError(1, "Operation not permitted")

    (told,) = mover(Refusing()).make_folder(Place(tmp_path, "raw"), mode=0o2770)
    assert "its mode is 700, not 2770" in told


def test_two_that_make_the_same_folder_both_succeed(tmp_path: Path) -> None:
    class Overtaken(SmallDisk):
        """Another process makes the same folder between any two of our calls."""

        def rename_exclusively(self, name: str, new: str, *, folder: int, into: int) -> None:
            if not (tmp_path / "SPB").exists():
                mover().make_folder(Place(tmp_path, "SPB"), mode=0o2770)
            super().rename_exclusively(name, new, folder=folder, into=into)

        def set_mode(self, descriptor: int, mode: int) -> None:
            super().set_mode(descriptor, mode)

    class OvertakenLater(Overtaken):
        def rename_exclusively(self, name: str, new: str, *, folder: int, into: int) -> None:
            if not (tmp_path / "SPB").exists():
                (tmp_path / "SPB").mkdir()
                (tmp_path / "SPB").chmod(0o2770)
            SmallDisk.rename_exclusively(self, name, new, folder=folder, into=into)

    for kind in (Overtaken, OvertakenLater):
        assert mover(kind()).make_folder(Place(tmp_path, "SPB"), mode=0o2770) == []
        assert mode(tmp_path / "SPB") == 0o2770
        assert hidden(tmp_path) == []
        (tmp_path / "SPB").rmdir()


def test_a_half_made_folder_of_somebody_else_is_not_taken(open_folder: Path) -> None:
    (open_folder / hidden_name("raw", "folder")).mkdir()
    if os.geteuid() == 0:
        with pytest.raises(AssertionError, match=r"Permanent.*in the way and not ours"):
            as_nobody(lambda: PosixMover().make_folder(Place(open_folder, "raw"), mode=0o2750))
        assert not (open_folder / "raw").exists()
    else:
        assert mover().make_folder(Place(open_folder, "raw"), mode=0o2750) == []


def test_the_whole_way_without_privileges(open_folder: Path) -> None:
    """Files of another user, readable, in a store that is ours: copied, moved to trash, purged."""
    online, offline = Place(open_folder / "online", "raw/r1"), Place(open_folder / "offline", "r1")
    for place in (online, replace(offline, path="x")):
        Path(str(place)).mkdir(parents=True)
    for path in open_folder.rglob("*"):
        path.chmod(0o777)
    data = Path(str(online)) / "a.h5"
    data.write_bytes(b"train" * 5000)
    data.chmod(0o444)

    def act() -> tuple[int, bool, bool]:
        ours = PosixMover()
        known = ours.scan(online)
        copied = ours.copy(online, offline, known)
        ours.verify(offline, known)
        ours.trash(online, known, key="1")
        ours.purge(online.mount, key="1", entries=known)
        return copied.files, copied.read_back, data.exists()

    assert as_nobody(act) == (1, True, False)
    assert mode(Path(str(offline)) / "a.h5") == 0o440


def test_an_unreadable_file_is_for_a_person(open_folder: Path) -> None:
    (open_folder / "raw").mkdir()
    (open_folder / "raw/a.h5").write_bytes(b"x")
    (open_folder / "raw/a.h5").chmod(0)

    def act() -> str:
        try:
            PosixMover().scan(Place(open_folder, "raw"))
        except Permanent as refused:
            return refused.reason
        return "read"

    assert as_nobody(act).endswith("Permission denied")
