"""The European XFEL data format (EXDF 1.2), as far as the engine and the demo's DAQ both write it.

Source: the documentation and the readers of `extra_data` 1.25. A file holds METADATA (what it is),
INDEX (its trains, and where the data of each train lie), CONTROL and RUN (slow values), INSTRUMENT
(data per train or pulse). Nothing in a file depends on when, where or by whom it was written, so
that the same content gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import IO, Any

import h5py
import numpy as np
from numpy.typing import NDArray

VERSION = "1.2"
# Readable by every HDF5 since 1.10; the older format costs about 60 kB more a file.
_LIBVER = ("v110", "v110")
_NAME = re.compile(r"([A-Z]+)-R(\d{4})-([A-Za-z0-9_]+)-S(\d{5})\.h5", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileName:
    """`RAW-R0001-AGIPD00-S00000.h5`: kind, run, aggregator, sequence."""

    kind: str
    run: int
    aggregator: str
    sequence: int

    @classmethod
    def parse(cls, text: str) -> FileName:
        """Raises ValueError where `text` is not such a name."""
        match = _NAME.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a name like RAW-R0001-AGIPD00-S00000.h5")
        return cls(match[1], int(match[2]), match[3], int(match[4]))

    def __str__(self) -> str:
        return f"{self.kind}-R{self.run:04d}-{self.aggregator}-S{self.sequence:05d}.h5"


@dataclass(frozen=True, slots=True)
class Trains:
    """The trains of one file, one entry each.

    `timestamps` are nanoseconds since 1970; `flags` is 1 where the train can be trusted; `origins`
    is the index of the source that sent the train's first entry, -1 for the time server.
    """

    ids: NDArray[np.uint64]
    timestamps: NDArray[np.uint64]
    flags: NDArray[np.int32]
    origins: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)


def create(target: str | PathLike[str] | IO[bytes], mode: str = "x") -> h5py.File:
    """A new file; the caller closes it."""
    return h5py.File(target, mode, libver=_LIBVER)


def group(parent: h5py.Group, path: str) -> h5py.Group:
    """The group at `path`, made where it is not there. Level by level: groups that HDF5 makes by
    itself on the way to a link carry the time of their making."""
    for name in path.split("/"):
        parent = parent[name] if name in parent else parent.create_group(name)
    return parent


def put(parent: h5py.Group, path: str, data: Any, **options: Any) -> h5py.Dataset:
    """A dataset without times in it, as options of h5py's `create_dataset` say."""
    above, _, name = path.rpartition("/")
    folder = group(parent, above) if above else parent
    return folder.create_dataset(name, data=data, track_times=False, **options)


def text(value: str) -> NDArray[np.bytes_]:
    """One text as METADATA and RUN hold it: one entry of fixed length, UTF-8."""
    return np.array([value.encode()])


def write_metadata(
    file: h5py.File, sources: Sequence[str], entries: Mapping[str, str | int]
) -> None:
    """`sources` are like `CONTROL/<device>` and `INSTRUMENT/<device>:<channel>/<group>`."""
    put(file, "METADATA/dataFormatVersion", text(VERSION))
    for name, value in entries.items():
        as_array = text(value) if isinstance(value, str) else np.array([value], dtype=np.uint32)
        put(file, f"METADATA/{name}", as_array)
    parts = [source.partition("/") for source in sources]
    columns = {
        "dataSourceId": list(sources),
        "root": [root for root, _, _ in parts],
        "deviceId": [device for _, _, device in parts],
    }
    for name, column in columns.items():
        put(file, f"METADATA/dataSources/{name}", np.array([each.encode() for each in column]))


def write_trains(file: h5py.File, trains: Trains) -> None:
    """The head of INDEX."""
    put(file, "INDEX/trainId", trains.ids)
    put(file, "INDEX/timestamp", trains.timestamps)
    put(file, "INDEX/flag", trains.flags)
    put(file, "INDEX/origin", trains.origins)


def write_index(file: h5py.File, name: str, counts: NDArray[np.uint64]) -> None:
    """Where the rows of each train lie: `counts` of them, one after the other."""
    first = np.zeros_like(counts)
    first[1:] = np.cumsum(counts)[:-1]
    put(file, f"INDEX/{name}/first", first)
    put(file, f"INDEX/{name}/count", counts)


def read_trains(file: h5py.File) -> Trains:
    """The trains without the zeroes with which a DAQ may fill the end of INDEX."""
    ids = file["INDEX/trainId"][:]
    n = int(np.count_nonzero(ids))
    origins = file["INDEX/origin"][:n] if "INDEX/origin" in file else np.full(n, -1, np.int32)
    return Trains(
        ids=ids[:n],
        timestamps=file["INDEX/timestamp"][:n],
        flags=file["INDEX/flag"][:n],
        origins=origins,
    )


def read_counts(file: h5py.File, name: str, trains: Trains) -> NDArray[np.uint64]:
    """How many rows each train has, with rows in the order of the trains."""
    counts: NDArray[np.uint64] = file[f"INDEX/{name}/count"][: len(trains)]
    return counts


def read_metadata(file: h5py.File) -> dict[str, str | int]:
    """The entries of METADATA but the lists of sources and the version."""
    found: dict[str, str | int] = {}
    for name, dataset in file["METADATA"].items():
        if isinstance(dataset, h5py.Dataset) and name != "dataFormatVersion":
            value = dataset[0]
            found[name] = value.decode() if isinstance(value, bytes) else int(value)
    return found


def read_sources(file: h5py.File) -> list[str]:
    """The sources named in METADATA, as `write_metadata` takes them."""
    listed = file["METADATA/dataSources/dataSourceId"][:]
    return [source.decode() for source in listed if source]
