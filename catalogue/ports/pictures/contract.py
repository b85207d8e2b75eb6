"""What the catalogue asks of whoever looks into the files of a run, and what it gets back.

Everything here goes through JSON unchanged, as with the engines, whose words for files are used.
`files` are looked at below `folder`; what is made lies in `output_folder`, a work folder of this
request that the caller clears.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from catalogue.ports.engines.contract import IsCancelled, ProducedFile, Progress, RawFile

DETECTOR, TRAINS = "detector.png", "trains.svg"
MODULES_CSV, TRAINS_CSV = "modules.csv", "trains.csv"

_NAME = re.compile(r"[A-Z]+-R\d{4}-[A-Za-z0-9_]+-S\d{5}\.h5", re.ASCII)


def is_exdf(path: str) -> bool:
    """Whether a file is named as those of the European XFEL data format."""
    return _NAME.fullmatch(path.rpartition("/")[2]) is not None


@dataclass(frozen=True, slots=True)
class LookRequest:
    """Look at the files of one data group of a run. Of a long run `most_trains` are read, evenly
    over it, and of each `frames_per_train`: the work has a bound, whatever the run's size."""

    folder: str
    files: tuple[RawFile, ...]
    output_folder: str
    label: str
    most_trains: int = 400
    frames_per_train: int = 4


@dataclass(frozen=True, slots=True)
class Key:
    """One value of a source; `shape` is of one entry, without the axis of trains or pulses."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A device or a detector module. `section` is "control" (a value per train) or "instrument";
    `trains` is how many have data of it."""

    name: str
    section: str
    trains: int
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Trains that no file has, from the first missing to the last."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Module:
    """What the picture shows of a module: of the mean over `frames` of each pixel, the mean, and
    the values below which half a per cent and above which half a per cent lies."""

    number: int
    frames: int
    mean: float
    low: float
    high: float
    bad_pixels: int


@dataclass(frozen=True, slots=True)
class Pictures:
    """The mean image and the intensity per train, with their files and numbers. `low` and `high`
    are the ends of the colour scale, `trains_read` of `trains` with images went in."""

    detector: str
    unit: str
    modules: tuple[Module, ...]
    low: float
    high: float
    trains: int
    trains_read: int
    frames: int
    files: tuple[ProducedFile, ...]


@dataclass(frozen=True, slots=True)
class LookReceipt:
    """What the files hold. `pictures` has one entry or none; then `why_none` says why. `unread`
    names files that are not what was registered, or no HDF5: the rest was looked at. Of many gaps
    only the first are named; `missing` counts all trains that are in none of the files."""

    trains: int
    first_train: int
    last_train: int
    missing: int
    gaps: tuple[Gap, ...]
    sources: tuple[Source, ...]
    pictures: tuple[Pictures, ...]
    why_none: str
    unread: tuple[str, ...]


class Viewer(Protocol):
    """Something that looks into files. Raises `Transient`, `Permanent` or `Cancelled` and nothing
    else; asked again it does the same."""

    @property
    def name(self) -> str:
        """As the setting that chooses it."""
        ...

    def look(
        self, request: LookRequest, *, progress: Progress, cancelled: IsCancelled
    ) -> LookReceipt:
        """What the files hold, and pictures of it."""
        ...
