"""What a mover promises: the one kind of thing that moves, verifies and removes a facility's data.

Every method may raise `Transient` or `Permanent`; those that take `cancelled` also `Cancelled`.
The evidence of a difference is `file`, `expected` and `found`, as plain JSON values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

Kind = Literal["file", "link", "special", "folder"]


@dataclass(frozen=True, slots=True)
class Place:
    """A folder inside a store.

    `mount` is the store's mount point; `path` is relative to it, in posix form and not empty,
    for example `SPB/202601/p900060/raw/r0001`.
    """

    mount: Path
    path: str

    def __str__(self) -> str:
        return f"{self.mount}/{self.path}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file as the catalogue knows it, or as it was found.

    `path` is relative to the Place. `sha256` is 64 lower-case hexadecimal digits, `adler32` is 8
    (a checksum its writer gave). `kind` is other than "file" only for what a scan or a listing
    found: links and special files, and folders nested too deep to be looked into.
    """

    path: str
    bytes: int
    sha256: str | None = None
    adler32: str | None = None
    kind: Kind = "file"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is.

    A copied byte counts half when it is written and half when it is read back, so `bytes_done`
    reaches `bytes` when the last file is verified.
    """

    files_done: int
    files: int
    bytes_done: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done.

    `read_back` says that every entry was read from the disk after it was written there (not from
    memory), and that the sha256 in `entries` is what was read. Only such a receipt verifies a
    replica; without entries it is never true.
    """

    entries: tuple[Entry, ...]
    bytes: int
    files: int
    seconds: float
    read_back: bool


@dataclass(frozen=True, slots=True)
class FolderFound:
    """A folder as it is on its disk. `mode` is what the mode alone would say: where there is an
    ACL its group bits are those of the owning group, not the mask. `acl` are the entries besides,
    with numbers for names, sorted; None where they cannot be read here."""

    mode: int
    user: int
    group: int
    acl: tuple[str, ...] | None


OnProgress = Callable[[Progress], None]
IsCancelled = Callable[[], bool]


class Mover(Protocol):
    """Moves files between places, reads them back, and removes exactly those it is told to.

    All methods may be repeated: killed anywhere and called again, they leave the same world.
    `progress` and `cancelled` are called in the caller's own thread, a few times a second.
    """

    @property
    def name(self) -> str:
        """The name a store's transfer agent is configured by."""

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
        """Copy the entries and read each back before it gets its name at the destination.

        A file that is already there with the right content is read back, not copied. Permanent:
        the source differs from the catalogue, another content holds the name (never overwritten),
        or what is there is one and the same file as at the source or in a place of `besides`.
        After a failure or `Cancelled` no half-written file is left; files already verified stay,
        since to remove those is `trash(…, partial=True)` and its caller's guards.
        """

    def verify(
        self,
        place: Place,
        entries: Sequence[Entry],
        *,
        besides: Sequence[Place] = (),
        progress: OnProgress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Receipt:
        """Read the entries from the disk and compare them with the catalogue.

        `besides` are where other copies of them lie: a file that is one and the same as there is a
        difference too. One store may be shown under two mount points.

        All files are looked at; Permanent then names the first difference, and carries up to
        100 of them as `differences`. A missing file has `found=None`.
        """

    def scan(
        self,
        place: Place,
        *,
        progress: OnProgress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> tuple[Entry, ...]:
        """What is in the place, with sizes and sha256, sorted by path.

        Links and special files are reported by their kind and not opened. Permanent: there is no
        such folder, or it holds a name that cannot be registered. Transient: a file changed while
        it was read.
        """

    def listing(self, place: Place) -> Iterator[Entry]:
        """Everything in the place that is not a folder, without reading it; links not followed.

        A folder that is not there holds nothing. Characters that cannot be registered are shown
        escaped with a backslash, which no registered name contains: such a file counts as unknown.
        """

    def make_folder(
        self,
        place: Place,
        *,
        mode: int,
        group: str | int | None = None,
        acl: Sequence[str] | None = None,
    ) -> list[str]:
        """Make the folder, or bring it to `mode`, `group` and `acl`; sentences on what was not
        possible, each with the command that would do it.

        The mode is exact whatever the umask, set-gid included. `acl` are entries besides those that
        the mode says, as `setfacl` has them: `group:NAME:rwx`, `default:user:NAME:r-x`; an empty
        list leaves no other entries, None those that there are. Folders missing above the folder
        take the mode of the nearest one that exists, without write permission for others.
        """

    def look_at_folder(self, place: Place) -> FolderFound | None:
        """The folder as it is, or None where there is none; no link is followed."""

    def trash(
        self, place: Place, entries: Sequence[Entry], *, key: str, partial: bool = False
    ) -> Receipt:
        """Rename exactly these files into `<mount>/.trash/<key>/`, keeping their paths.

        A file whose size or kind is not the catalogue's is unknown, and nothing is moved then.
        Folders of the place that became empty are removed. `partial` takes back an unfinished
        copy: files that are nowhere are no error, and its temporary files are removed.
        """

    def restore(self, place: Place, entries: Sequence[Entry], *, key: str) -> Receipt:
        """Bring these files back from the trash; a file that has taken the name stays."""

    def purge(self, mount: Path, *, key: str, entries: Sequence[Entry]) -> Receipt:
        """Delete exactly these files from the trash of `key`, for ever.

        Permanent when other files remain under the key, naming them: they stay.
        """

    def remove_empty_folders(self, place: Place) -> list[str]:
        """Remove the empty folders of the place and the place itself; return what is in the way.

        An empty list means that the place is gone.
        """

    def write(self, place: Place, files: Mapping[str, bytes], *, mode: int = 0o440) -> Receipt:
        """Write small generated files whole, and read them back.

        The same content again is no error; another content under the name is Permanent. Generated
        files that may differ from one attempt to the next belong into a work folder.
        """

    def discard(self, place: Place) -> None:
        """Remove a half-built work folder with all it holds; only below `<mount>/.work/`."""

    def open_read(self, place: Place, path: str) -> BinaryIO:
        """The file, opened for reading, seekable; no link on the way to it is followed."""

    def free_bytes(self, mount: Path) -> int:
        """How many bytes this process may still write to the store."""
