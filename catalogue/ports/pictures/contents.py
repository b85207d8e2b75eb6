"""What the files of a run say of themselves: their sources, and the trains that they have.

Read from METADATA and INDEX alone, file by file; no array of the data is touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import h5py
import numpy as np
from numpy.typing import NDArray

from catalogue.ports.engines import exdf
from catalogue.ports.pictures.contract import Gap, Key, Source

MOST_KEYS, MOST_GAPS = 200, 100
Ids = NDArray[np.uint64]


@dataclass(slots=True)
class _Seen:
    section: str
    trains: int = 0
    keys: tuple[Key, ...] = ()


@dataclass(slots=True)
class Contents:
    """What was found so far; `add` takes one file after the other."""

    _sources: dict[str, _Seen] = field(default_factory=dict)
    _ids: Ids = field(default_factory=lambda: np.zeros(0, np.uint64))

    def add(self, file: h5py.File) -> None:
        """KeyError where the file lacks a part that each has."""
        trains = exdf.read_trains(file)
        self._ids = np.union1d(self._ids, trains.ids)
        for name, (section, groups) in sources_in(file).items():
            has = np.zeros(len(trains), np.bool_)
            for group in groups:
                counts = exdf.read_counts(file, f"{name}/{group}".rstrip("/"), trains)
                has[: len(counts)] |= counts > 0
            seen = self._sources.setdefault(name, _Seen(section))
            seen.trains += int(has.sum())
            if not seen.keys:
                seen.keys = _keys(file, section, name, groups)

    @property
    def ids(self) -> Ids:
        """The trains that any file has, in their order."""
        return self._ids

    def sources(self) -> tuple[Source, ...]:
        """Control before instrument, by name."""
        found = sorted(self._sources.items(), key=lambda item: (item[1].section, item[0]))
        return tuple(Source(name, s.section, s.trains, s.keys) for name, s in found)


def sources_in(file: h5py.File) -> dict[str, tuple[str, list[str]]]:
    """Name -> ("control" | "instrument", the groups of its index; one without a name for control).

    A name that is a link to another source, as corrected data keep for old programs, is none.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    for source in exdf.read_sources(file):
        root, _, name = source.partition("/")
        if root == "CONTROL":
            found[name] = ("control", [""])
        elif root == "INSTRUMENT" and ":" in name:
            device, _, channel = name.partition(":")
            channel, _, group = channel.partition("/")
            name = f"{device}:{channel}"
            if isinstance(file.get(f"INSTRUMENT/{name}", getlink=True), h5py.HardLink):
                found.setdefault(name, ("instrument", []))[1].append(group)
    return found


def _keys(file: h5py.File, section: str, name: str, groups: list[str]) -> tuple[Key, ...]:
    keys: list[Key] = []
    for group in groups:
        path = f"{section.upper()}/{name}/{group}".rstrip("/")
        for dataset, data in _datasets(file.get(path), group):
            if len(keys) == MOST_KEYS:
                return tuple(keys)
            keys.append(Key(dataset, str(data.dtype), tuple(int(n) for n in data.shape[1:])))
    return tuple(keys)


def _datasets(group: object, above: str) -> Iterator[tuple[str, h5py.Dataset]]:
    """The datasets below a group, by their names with dots; links that lead elsewhere are left."""
    if not isinstance(group, h5py.Group):
        return
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        path = f"{above}.{name}" if above else name
        thing = group[name]
        if isinstance(thing, h5py.Dataset):
            yield path, thing
        else:
            yield from _datasets(thing, path)


def gaps_in(ids: Ids) -> tuple[list[Gap], int]:
    """The gaps between the first and the last train, the first of them only if there are many, and
    how many trains are missing in all. `ids` rise."""
    if len(ids) < 2:
        return [], 0
    steps = np.diff(ids)
    where = np.flatnonzero(steps > 1)
    found = [Gap(int(ids[i]) + 1, int(ids[i + 1]) - 1) for i in where[:MOST_GAPS]]
    return found, int((steps[where] - np.uint64(1)).sum())
