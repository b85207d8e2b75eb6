"""One file from a place to another, or found there already; one file read back where it is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from catalogue.ports.movers import names
from catalogue.ports.movers.contract import Entry, Place
from catalogue.ports.movers.crew import Watch
from catalogue.ports.movers.disk import Disk
from catalogue.ports.movers.draft import Draft, clear_stale, deliver
from catalogue.ports.movers.faults import told
from catalogue.ports.movers.folders import (
    Folder,
    folder_below,
    folder_if_there,
    folder_of,
    kind_of,
    last,
    missing,
    same_file,
)
from catalogue.ports.movers.reading import (
    Sums,
    changed,
    chunks,
    compared,
    difference,
    read_as_is,
    read_back,
    size_difference,
)
from catalogue.ports.outcome import Permanent, Transient

MODE = 0o440
"""Of every file a mover copies: data are written once."""


def copy_one(
    disk: Disk, places: Sequence[Place], destination: Place, entry: Entry, watch: Watch
) -> Entry:
    """Bring one entry from the first of `places` to the destination, and return it with the sha256
    that was read back there; it must not be the file that one of the places has."""
    source, *besides = places
    path = f"{source.path}/{entry.path}"
    with told(f"copying {path} to {destination}", file=path):
        parts = [*names.place_components(destination), *names.components(entry.path)[:-1]]
        with folder_below(disk, destination.mount, parts) as folder:
            if folder.status(last(entry.path)) is not None:
                return _confirm(folder, source, entry, watch, besides)
            return _bring(folder, source, entry, watch)


def _bring(folder: Folder, source: Place, entry: Entry, watch: Watch) -> Entry:
    disk, name, path = folder.disk, last(entry.path), f"{source.path}/{entry.path}"
    with folder_of(disk, source, entry.path) as origin:
        if origin.status(name) is None:
            raise missing(source, entry.path, expected=entry.sha256)
        where = origin.shown(name)
        descriptor = origin.open_file(name)
        try:
            before = disk.status_of(descriptor)
            fault = size_difference(entry, before.st_size, where=where, path=path)
            if fault is not None:
                raise fault
            data = _data(disk, descriptor, before, entry, where)
            times = (before.st_atime_ns, before.st_mtime_ns)
            with Draft(folder, name, mode=MODE, times=times) as draft:
                return deliver(draft, entry, data, watch, origin=where, path=path)
        finally:
            disk.close(descriptor)


def _data(
    disk: Disk, descriptor: int, before: os.stat_result, entry: Entry, where: str
) -> Iterator[memoryview]:
    yield from chunks(disk, descriptor)
    # Without a checksum to compare with, only its times tell a file that is still written to.
    if entry.sha256 is None and changed(before, disk.status_of(descriptor)):
        raise Transient(f"{where} changed while it was copied")


def _confirm(
    folder: Folder, source: Place, entry: Entry, watch: Watch, besides: Sequence[Place]
) -> Entry:
    """The entry, if the file that has its name at the destination is it. Never overwritten."""
    disk, name, path = folder.disk, last(entry.path), f"{source.path}/{entry.path}"
    clear_stale(folder, name)
    _must_be_another(folder, source, entry)
    _must_be_others(folder, besides, entry)
    expected = entry
    if entry.sha256 is None:
        with folder_of(disk, source, entry.path) as origin:
            sums = read_as_is(origin, name, watch)
        expected = compared(entry, sums, where=str(source), path=path)
    else:
        watch.passed(entry.bytes)
    return _unchanged(folder, expected, watch, path=path)


def _unchanged(folder: Folder, entry: Entry, watch: Watch, *, path: str) -> Entry:
    """The entry, if the file that has its name is it."""
    found = _on_disk(folder, entry, watch)
    fault = difference(entry, found, where=folder.shown(last(entry.path)), path=path)
    if fault is not None:
        raise Permanent(f"{fault.reason}; it is not overwritten", **fault.evidence)
    return replace(entry, sha256=found.sha256)


def _must_be_another(folder: Folder, source: Place, entry: Entry) -> None:
    """Refuse two stores that show one file: it would count as two copies."""
    name = last(entry.path)
    parts = [*names.place_components(source), *names.components(entry.path)[:-1]]
    with folder_if_there(folder.disk, source.mount, parts) as origin:
        # The source may be gone when a copy is confirmed.
        there = None if origin is None else origin.status(name)
    here = folder.status(name)
    if here is not None and there is not None and same_file(here, there):
        reason = f"{folder.shown(name)} and {source}/{entry.path} are one and the same file"
        file = f"{source.path}/{entry.path}"
        raise Permanent(f"{reason}: this is no second copy", file=file, same_as=str(source))


def _must_be_others(folder: Folder, places: Sequence[Place], entry: Entry) -> None:
    """The same of further places; of one that cannot be looked at from here nothing is known."""
    for place in places:
        try:
            _must_be_another(folder, place, entry)
        except Permanent as fault:
            if "same_as" in fault.evidence:
                raise
        except (Transient, OSError):
            continue


def _on_disk(folder: Folder, entry: Entry, watch: Watch) -> Sums:
    """The sums of the entry's file. A file of another size is not read: its size says enough."""
    name = last(entry.path)
    adler32 = entry.sha256 is None and entry.adler32 is not None
    status = folder.status(name)
    if status is not None and kind_of(status) == "file" and status.st_size != entry.bytes:
        sums = Sums(adler32=adler32)
        sums.bytes = status.st_size
        return sums
    return read_back(folder, name, watch, adler32=adler32)


def verify_one(
    disk: Disk, place: Place, entry: Entry, watch: Watch, besides: Sequence[Place] = ()
) -> Entry | Permanent:
    """The entry with the sha256 that was read back; a difference is returned, not raised."""
    path = f"{place.path}/{entry.path}"
    with told(f"reading back {path} in {place.mount}", file=path):
        try:
            with folder_of(disk, place, entry.path) as folder:
                if folder.status(last(entry.path)) is None:
                    return missing(place, entry.path, expected=entry.sha256)
                _must_be_others(folder, besides, entry)
                where = folder.shown(last(entry.path))
                return compared(entry, _on_disk(folder, entry, watch), where=where, path=path)
        except Permanent as fault:
            return fault


def scan_one(disk: Disk, place: Place, entry: Entry, watch: Watch) -> Entry:
    """The entry as it lies there, with its sha256."""
    path = f"{place.path}/{entry.path}"
    doing = told(f"reading {path} in {place.mount}", file=path)
    with doing, folder_of(disk, place, entry.path) as folder:
        sums = read_as_is(folder, last(entry.path), watch)
    return replace(entry, bytes=sums.bytes, sha256=sums.sha256)


def entry_of(path: str, data: bytes) -> Entry:
    return Entry(path, len(data), sha256=hashlib.sha256(data).hexdigest())


def write_one(
    disk: Disk, place: Place, entry: Entry, data: bytes, watch: Watch, *, mode: int
) -> Entry:
    """Write the data of an entry, or find them there."""
    parts = [*names.place_components(place), *names.components(entry.path)[:-1]]
    path = f"{place.path}/{entry.path}"
    with folder_below(disk, place.mount, parts) as folder:
        if folder.status(last(entry.path)) is not None:
            clear_stale(folder, last(entry.path))
            watch.passed(entry.bytes)
            return _unchanged(folder, entry, watch, path=path)
        with Draft(folder, last(entry.path), mode=mode) as draft:
            return deliver(draft, entry, [memoryview(data)], watch, origin="memory", path=path)
