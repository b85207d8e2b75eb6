"""The null mover does nothing and says so; `mover_for` knows the movers by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogue.ports.movers import Entry, Mover, NullMover, Place, PosixMover, mover_for
from catalogue.ports.outcome import Permanent
from tests.catalogue.ports.movers.stores import entries, files, world


def test_nothing_is_done_and_nothing_is_claimed(source: Place, destination: Place) -> None:
    null: Mover = NullMover()
    before = world(source.mount.parent)
    known = entries(files())
    for receipt in (
        null.copy(source, destination, known),
        null.verify(source, known),
        null.trash(source, known, key="1"),
        null.restore(source, known, key="1"),
        null.purge(source.mount, key="1", entries=known),
        null.write(source, {"a": b"b"}),
    ):
        assert (receipt.entries, receipt.files, receipt.bytes) == ((), 0, 0)
        assert not receipt.read_back
    null.discard(Place(source.mount, ".work/x"))
    assert null.scan(source) == ()
    assert list(null.listing(source)) == []
    assert null.free_bytes(source.mount) == 0
    assert "was not made" in null.make_folder(source, mode=0o2750)[0]
    assert null.remove_empty_folders(source)
    with pytest.raises(Permanent, match="no mover of ours"):
        null.open_read(source, "a")
    assert world(source.mount.parent) == before


def test_movers_are_known_by_name() -> None:
    assert isinstance(mover_for("posix"), PosixMover)
    assert isinstance(mover_for("null"), NullMover)
    for agent in ("posix", "null"):
        assert mover_for(agent).name == agent
    for agent in ("", "POSIX", "globus", "two\nlines"):
        with pytest.raises(Permanent, match="no mover of ours"):
            mover_for(agent)


def test_values_are_values() -> None:
    assert str(Place(Path("/store"), "SPB/x")) == "/store/SPB/x"
    assert hash(Entry("a", 1)) == hash(Entry("a", 1))
