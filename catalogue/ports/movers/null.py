"""A mover that moves nothing, for a store whose files are an external program's affair, and tests.

It says so: its receipts name no file and are never read back, so that no replica can be taken for
verified, or its files for removed, on its word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from catalogue.ports.movers.contract import (
    Entry,
    FolderFound,
    IsCancelled,
    OnProgress,
    Place,
    Receipt,
)
from catalogue.ports.outcome import Permanent

NOTHING = Receipt(entries=(), bytes=0, files=0, seconds=0.0, read_back=False)


class NullMover:
    """See `contract.Mover`; every verb does nothing."""

    name = "null"

    def copy(
        self,
        source: Place,
        destination: Place,
        entries: Sequence[Entry],
        *,
        besides: Sequence[Place] = (),
        progress: OnProgress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Receipt:
        return NOTHING

    def verify(
        self,
        place: Place,
        entries: Sequence[Entry],
        *,
        besides: Sequence[Place] = (),
        progress: OnProgress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Receipt:
        return NOTHING

    def scan(
        self,
        place: Place,
        *,
        progress: OnProgress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> tuple[Entry, ...]:
        return ()

    def listing(self, place: Place) -> Iterator[Entry]:
        return iter(())

    def make_folder(
        self,
        place: Place,
        *,
        mode: int,
        group: str | int | None = None,
        acl: Sequence[str] | None = None,
    ) -> list[str]:
        return [f"{place} was not made: this store has no mover of ours"]

    def look_at_folder(self, place: Place) -> FolderFound | None:
        raise Permanent(f"{place} cannot be looked at: this store has no mover of ours")

    def trash(
        self, place: Place, entries: Sequence[Entry], *, key: str, partial: bool = False
    ) -> Receipt:
        return NOTHING

    def restore(self, place: Place, entries: Sequence[Entry], *, key: str) -> Receipt:
        return NOTHING

    def purge(self, mount: Path, *, key: str, entries: Sequence[Entry]) -> Receipt:
        return NOTHING

    def remove_empty_folders(self, place: Place) -> list[str]:
        return [f"{place.path}/"]

    def write(self, place: Place, files: Mapping[str, bytes], *, mode: int = 0o440) -> Receipt:
        return NOTHING

    def discard(self, place: Place) -> None:
        return None

    def open_read(self, place: Place, path: str) -> BinaryIO:
        raise Permanent(f"{place.path}/{path} cannot be read: this store has no mover of ours")

    def free_bytes(self, mount: Path) -> int:
        return 0
