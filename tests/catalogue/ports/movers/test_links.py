"""No path, link or name leads a mover out of its mount."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.ports.movers import Entry, Place, PosixMover
from catalogue.ports.movers.disk import Disk
from catalogue.ports.movers.names import hidden as hidden_name
from catalogue.ports.outcome import Permanent, PortError
from tests.catalogue.ports.movers.stores import (
    RUN,
    QuickDisk,
    contents,
    entries,
    entry,
    files,
    mover,
    put,
    world,
)

DA = "RAW-R0001-DA01-S00000.h5"
KEY = "7"
Verb = Callable[[PosixMover, Place, list[Entry]], object]


def elsewhere(place: Place) -> Place:
    path = place.path if place.path.startswith("raw/") else RUN
    return Place(place.mount.parent / "offline", path)


VERBS: dict[str, Verb] = {
    "copy from": lambda m, place, known: m.copy(place, elsewhere(place), known),
    "copy to": lambda m, place, known: m.copy(elsewhere(place), place, known),
    "verify": lambda m, place, known: m.verify(place, known),
    "trash": lambda m, place, known: m.trash(place, known, key=KEY),
    "partial trash": lambda m, place, known: m.trash(place, known, key=KEY, partial=True),
    "restore": lambda m, place, known: m.restore(place, known, key=KEY),
    "write": lambda m, place, known: m.write(place, {each.path: b"new" for each in known}),
    "open_read": lambda m, place, known: m.open_read(place, known[0].path),
}
FOLDER_VERBS: dict[str, Verb] = {
    "scan": lambda m, place, known: m.scan(place),
    "listing": lambda m, place, known: list(m.listing(place)),
    "make_folder": lambda m, place, known: m.make_folder(place, mode=0o2750),
    "remove_empty_folders": lambda m, place, known: m.remove_empty_folders(place),
    "discard": lambda m, place, known: m.discard(place),
}

HOSTILE = [
    *("..", "../x", "a/../../x", "a/..", "/etc/passwd", "//x", "", ".", "./a", "a//b", "a/"),
    *("nul\0", "bell\x07", "line\nfeed", "tab\t", "del\x7f", "c1\x85", "sep\u2028", "bad\udc80"),
    *(
        "x" * 256,
        "ä" * 128,
        "/".join(["d"] * 65),
        "back\\slash",
        ".lightkeeper-x",
        "a/.lightkeeper-",
    ),
]


@pytest.mark.parametrize("path", HOSTILE, ids=ascii)
@pytest.mark.parametrize("verb", VERBS)
def test_hostile_file_names_are_refused(
    source: Place, destination: Place, verb: str, path: str
) -> None:
    before = world(source.mount.parent)
    with pytest.raises(Permanent, match="refused") as refused:
        VERBS[verb](mover(), source, [Entry(path, 0)])
    str(refused.value).encode()
    assert world(source.mount.parent) == before


@pytest.mark.parametrize("path", HOSTILE, ids=ascii)
@pytest.mark.parametrize("verb", [*VERBS, *FOLDER_VERBS])
def test_hostile_places_are_refused(
    source: Place, destination: Place, verb: str, path: str
) -> None:
    before = world(source.mount.parent)
    with pytest.raises(Permanent, match="refused"):
        (VERBS | FOLDER_VERBS)[verb](mover(), replace(source, path=path), [Entry("a", 0)])
    assert world(source.mount.parent) == before


@pytest.mark.parametrize("key", [*HOSTILE, "a/b", ".hidden", ".."], ids=ascii)
def test_hostile_trash_keys_are_refused(source: Place, key: str) -> None:
    before = world(source.mount)
    for act in (
        lambda: mover().trash(source, entries(files()), key=key),
        lambda: mover().restore(source, entries(files()), key=key),
        lambda: mover().purge(source.mount, key=key, entries=entries(files())),
    ):
        with pytest.raises(Permanent, match="refused"):
            act()
    assert world(source.mount) == before


@pytest.mark.parametrize(
    "bad",
    [
        Entry("a", -1),
        Entry("a", 1, sha256="0" * 63),
        Entry("a", 1, sha256="A" * 64),
        Entry("a", 1, sha256="0" * 64 + "\n"),
        Entry("a", 1, adler32="0" * 7),
        Entry("a", 1, adler32="00000xyz"),
        Entry("a", 1, kind="link"),
    ],
)
def test_entries_that_say_nonsense_are_refused(source: Place, bad: Entry) -> None:
    for verb in ("copy from", "verify", "trash", "restore"):
        with pytest.raises(Permanent, match="refused"):
            VERBS[verb](mover(), source, [bad])
    with pytest.raises(Permanent, match="refused"):
        mover().purge(source.mount, key=KEY, entries=[bad])


def test_an_entry_named_twice_is_refused(source: Place) -> None:
    with pytest.raises(Permanent, match="twice"):
        mover().verify(source, [Entry("a", 1), Entry("a", 1)])


def test_the_trash_is_no_place(source: Place, destination: Place) -> None:
    for verb in (VERBS | FOLDER_VERBS).values():
        with pytest.raises(Permanent, match="the trash is reached by its key only"):
            verb(mover(), replace(source, path=".trash/7"), [Entry("a", 0)])


def test_a_relative_mount_is_refused(source: Place) -> None:
    with pytest.raises(Permanent, match="not absolute"):
        mover().scan(Place(Path("online"), RUN))
    with pytest.raises(Permanent, match="not absolute"):
        mover().free_bytes(Path("online"))


# ---------------------------------------------------------------- links


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beyond the stores, with files of the names and contents we would act on."""
    beyond = tmp_path / "beyond"
    put(Place(beyond, "r0001"), files())
    return beyond


def linked(source: Place, at: str, target: Path) -> None:
    """Put a link in the place of a component of the run's path, or of its files."""
    path = source.mount / at
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("verb", [*VERBS, *FOLDER_VERBS])
@pytest.mark.parametrize("at", ["SPB", "SPB/202601/p900060", RUN])
def test_a_link_among_the_folders_is_refused(
    source: Place, destination: Place, outside: Path, verb: str, at: str
) -> None:
    put(elsewhere(source), files())
    deeper = Path(RUN).relative_to(at).parent if at != RUN else Path()
    target = outside / "r0001" if at == RUN else outside
    if at != RUN:
        (outside / deeper).mkdir(parents=True, exist_ok=True)
        (outside / "r0001").rename(outside / deeper / "r0001")
    linked(source, at, target)
    before = world(source.mount.parent)
    place = source
    if verb == "discard":
        (source.mount / ".work").mkdir()
        linked(source, ".work/job", target)
        place = replace(source, path=".work/job")
        before = world(source.mount.parent)
    with pytest.raises(Permanent, match="links are never followed"):
        (VERBS | FOLDER_VERBS)[verb](mover(), place, entries(files()))
    assert world(source.mount.parent) == before


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("at", [DA, "below", "below/deeper/RAW-R0001-AGIPD00-S00000.h5"])
def test_a_link_in_the_place_of_a_file_is_refused(
    source: Place, destination: Place, outside: Path, verb: str, at: str
) -> None:
    if verb == "copy to":
        put(elsewhere(source), files())
    linked(source, f"{RUN}/{at}", outside / "r0001" / at)
    before = world(source.mount.parent)
    known = [each for each in entries(files()) if each.path.startswith(at)]
    with pytest.raises(Permanent, match="links are never followed"):
        VERBS[verb](mover(), source, known)
    after = world(source.mount.parent)
    assert {path: seen for path, seen in after.items() if seen[0] != "folder"} == {
        path: seen for path, seen in before.items() if seen[0] != "folder"
    }


def test_a_trash_that_is_a_link_is_refused(source: Place, outside: Path) -> None:
    known = entries(files())
    (source.mount / ".trash").symlink_to(outside)
    (outside / KEY).symlink_to("r0001")
    before = world(source.mount.parent)
    for act in (
        lambda: mover().trash(source, known, key=KEY),
        lambda: mover().restore(source, known, key=KEY),
        lambda: mover().purge(source.mount, key=KEY, entries=known),
        lambda: mover().purge(source.mount, key="r0001", entries=known),
    ):
        with pytest.raises(Permanent, match="links are never followed"):
            act()
    assert world(source.mount.parent) == before


def test_a_mount_point_may_be_a_link(source: Place, tmp_path: Path) -> None:
    (tmp_path / "store").symlink_to(source.mount)
    assert mover().verify(Place(tmp_path / "store", RUN), entries(files())).files == 4


@pytest.mark.parametrize("kind", ["link", "hard link", "folder", "pipe"])
def test_a_hidden_name_that_is_taken_is_left_alone(
    source: Place, destination: Place, outside: Path, kind: str
) -> None:
    """Somebody who may write to the folder guesses the hidden name."""
    known = entry(DA, files()[DA])
    Path(str(destination)).mkdir()
    trap = Path(str(destination)) / hidden_name(DA, "part")
    victim = outside / "r0001" / DA
    if kind == "link":
        trap.symlink_to(victim)
    elif kind == "hard link":
        os.link(victim, trap)
    elif kind == "folder":
        trap.mkdir()
    else:
        os.mkfifo(trap)
    if kind == "hard link":
        mover().copy(source, destination, [known])  # the name goes, what it named stays
    else:
        with pytest.raises(Permanent, match="in the way"):
            mover().copy(source, destination, [known])
    assert victim.read_bytes() == files()[DA]
    assert contents(outside / "r0001") == files()


# ---------------------------------------------------------------- swapped in mid-way


class Swapping(QuickDisk):
    """Puts a link in the place of something at the n-th call; remembers what was read."""

    def __init__(self, at: int, swap: Callable[[], None]) -> None:
        self.count = 0
        self.was_read: set[int] = set()
        self._at, self._swap = at, swap

    def step(self) -> None:
        self.count += 1
        if self.count == self._at:
            self._swap()


def _wrapped(name: str) -> Callable[..., object]:
    def call(self: Swapping, *args: object, **options: object) -> object:
        self.step()
        if name in {"read", "names"}:
            self.was_read.add(os.fstat(args[0]).st_ino)
        return getattr(QuickDisk, name)(self, *args, **options)

    return call


for _name in [name for name, call in vars(Disk).items() if callable(call) and name[0] != "_"]:
    setattr(Swapping, _name, _wrapped(_name))


SHORT = "raw/r1"  # each folder on the way is a moment at which to swap
SWAPS = [
    *((verb, SHORT) for verb in ("copy to", "trash", "remove_empty_folders")),
    *((verb, f"{SHORT}/below") for verb in [*VERBS, "scan", "listing", "remove_empty_folders"]),
    *((verb, f"{SHORT}/{DA}") for verb in ("copy from", "copy to", "verify", "trash", "open_read")),
    *((verb, f".trash/{KEY}") for verb in ("trash", "restore", "purge")),
    *(("trash", ".trash"), ("discard", ".work/7"), ("discard", ".work/7/below")),
    *(("make_folder", "raw"), ("make_folder", SHORT)),
]
FEW = {DA: b"train", "below/x.h5": b"y"}


@pytest.mark.parametrize(("verb", "at"), SWAPS)
def test_a_link_swapped_in_at_any_moment_leads_nowhere(
    quick_path: Path, verb: str, at: str
) -> None:
    """Whatever the verb then says: nothing beyond the mount is read, changed or removed."""
    steps = swapped(quick_path / "0", verb, at, step=0)
    assert steps > 3
    for step in range(1, steps + 1):
        swapped(quick_path / str(step), verb, at, step=step)


def swapped(base: Path, verb: str, at: str, *, step: int) -> int:
    """Do it once, with the link put in place at the given call; how many calls there were."""
    verbs = VERBS | FOLDER_VERBS
    verbs["purge"] = lambda m, place, known: m.purge(place.mount, key=KEY, entries=known)
    verbs["discard"] = lambda m, place, known: m.discard(replace(place, path=".work/7"))
    source, known = Place(base / "online", SHORT), entries(FEW)
    put(source, FEW)
    if verb in {"restore", "purge"}:
        mover(QuickDisk()).trash(source, known, key=KEY)
    if verb in {"copy to", "write"}:
        shutil.rmtree(source.mount / SHORT / "below")
        (source.mount / SHORT / DA).unlink()
    Path(str(elsewhere(source))).mkdir(parents=True)
    if verb == "copy to":
        put(elsewhere(source), FEW)
    if verb == "discard":
        put(replace(source, path=".work/7"), FEW)
    beyond = base / "beyond"
    put(Place(beyond, "x"), {**FEW, "only beyond": b"secret"})
    (beyond / "x/folder").mkdir()
    before, inodes = world(beyond), {path.stat().st_ino for path in beyond.rglob("*")}

    def swap() -> None:
        path = source.mount / at
        if path.parent.is_dir() and not path.parent.is_symlink():
            if path.exists():
                path.rename(base / "aside")
            path.symlink_to(beyond / "x" / DA if at.endswith(".h5") else beyond / "x")

    disk = Swapping(step, swap)
    try:
        result = verbs[verb](mover(disk), source, known)
    except PortError:
        result = None
    if hasattr(result, "fileno"):
        disk.was_read.add(os.fstat(result.fileno()).st_ino)
        result.close()
    assert not disk.was_read & inodes
    assert world(beyond) == before
    shutil.rmtree(base)
    return disk.count
