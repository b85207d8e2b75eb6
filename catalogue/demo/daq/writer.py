"""Writes demo runs, sequence by sequence, as European XFEL HDF5 files."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np

from catalogue.demo.daq import devices
from catalogue.demo.daq.detector import readings
from catalogue.demo.daq.spec import DETECTOR, RunSpec
from catalogue.ports.engines import agipd, exdf

# Frames of a train are 4 bunch clock ticks apart: 1.1 MHz.
_PULSE_STEP = 4
# The gain value of a pixel in fixed high gain. It is the fill value of chunks that are never
# written, so it takes no room.
_GAIN_LEVEL = 5000


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A closed file on disk. Checksums are lower-case hexadecimal."""

    path: Path
    bytes: int
    sha256: str
    adler32: str | None


class RunWriter:
    """Writes one run; several writers may be at work at a time.

    Sequences may be written in any order, and again after a crash: a file that is there already is
    kept if it is whole, completed if its writing was cut off, and refused (FileExistsError) if it
    is another file.
    """

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec

    @property
    def sequences(self) -> int:
        """How many sequences the run has."""
        return self.spec.sequences

    @property
    def last_train(self) -> int:
        """The number of the run's last train."""
        return self.spec.last_train

    def write_sequence(self, sequence: int) -> list[WrittenFile]:
        """Write, close and fsync the files of one sequence, one for each aggregator."""
        folder = self.spec.folder
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for aggregator, content in self._contents(sequence):
            name = exdf.FileName("RAW", self.spec.run, aggregator, sequence)
            written.append(_keep(folder / str(name), content))
        _sync_folder(folder)
        return written

    def _contents(self, sequence: int) -> Iterator[tuple[str, bytes]]:
        """Aggregator and bytes of each file. They are made in memory: the largest is some MB."""
        for module in range(self.spec.modules):
            yield agipd.unit_name(module), self._module(module, sequence)
        yield "AGIPD1MCTRL00", self._detector_control(sequence)
        yield "DA01", self._beamline(sequence)

    def _module(self, module: int, sequence: int) -> bytes:
        memory, file = _new()
        with file:
            self._write_head(file, _write_module(file, self.spec, module, sequence), sequence)
        return memory.getvalue()

    def _detector_control(self, sequence: int) -> bytes:
        memory, file = _new()
        with file:
            found = devices.detector_control(self.spec, sequence)
            self._write_head(file, self._write_devices(file, found, sequence), sequence)
        return memory.getvalue()

    def _beamline(self, sequence: int) -> bytes:
        memory, file = _new()
        with file:
            sources = self._write_devices(file, devices.beamline(self.spec, sequence), sequence)
            for name, share in devices.monitors(self.spec).items():
                sources.append(devices.write_monitor(file, name, share, self.spec, sequence))
            self._write_head(file, sources, sequence)
        return memory.getvalue()

    def _write_devices(
        self, file: h5py.File, found: list[devices.Device], sequence: int
    ) -> list[str]:
        trains = self.spec.trains_of(sequence)
        for device in found:
            devices.write_control(file, device, trains)
        return [f"CONTROL/{device.name}" for device in found]

    def _write_head(self, file: h5py.File, sources: list[str], sequence: int) -> None:
        spec = self.spec
        span = spec.span(sequence)
        entries: dict[str, str | int] = {
            "creationDate": _stamp(spec.time_of(span.start)),
            "updateDate": _stamp(spec.time_of(span.stop - 1)),
            "daqLibrary": "lightkeeper-demo",
            "karaboFramework": "none",
            "proposalNumber": spec.proposal,
            "runNumber": spec.run,
            "sequenceNumber": sequence,
            "runType": spec.run_type,
            "sample": spec.sample,
        }
        exdf.write_metadata(file, sources, entries)
        exdf.write_trains(file, spec.trains_of(sequence))
        exdf.group(file, "RUN")


def _write_module(file: h5py.File, spec: RunSpec, module: int, sequence: int) -> list[str]:
    """One AGIPD module; returns its sources as METADATA names them."""
    source = agipd.raw_source(DETECTOR, module)
    recorded = spec.recorded(sequence)
    train_ids = spec.trains_of(sequence).ids[recorded]
    frames = readings(spec, module, sequence)
    n = len(frames)
    cells = np.tile(np.arange(spec.pulses), len(train_ids))
    image = exdf.group(file, f"INSTRUMENT/{source}/image")
    data = exdf.put(
        image, "data", None, dtype="u2", shape=(n, 2, *agipd.SHAPE), fillvalue=_GAIN_LEVEL,
        maxshape=(None, 2, *agipd.SHAPE), chunks=(1, 1, *agipd.SHAPE),
    )  # fmt: skip
    if n:
        data[:, 0] = frames
    per_frame: dict[str, devices.Values] = {
        "trainId": np.repeat(train_ids, spec.pulses).astype(np.uint64),
        "pulseId": (cells * _PULSE_STEP).astype(np.uint64),
        "cellId": cells.astype(np.uint16),
        "length": np.full(n, 2 * agipd.SLOW * agipd.FAST * 2, np.uint32),
        "status": np.zeros(n, np.uint16),
    }
    for name, values in per_frame.items():
        exdf.put(image, name, values.reshape(n, 1))
    exdf.write_index(file, f"{source}/image", recorded.astype(np.uint64) * np.uint64(spec.pulses))
    for part, packet in _around(len(train_ids), spec.pulses, module).items():
        group = exdf.group(file, f"INSTRUMENT/{source}/{part}")
        exdf.put(group, "trainId", train_ids)
        for name, value in packet.items():
            exdf.put(group, name, value)
        exdf.write_index(file, f"{source}/{part}", recorded.astype(np.uint64))
    return [f"INSTRUMENT/{source}/{part}" for part in ("image", "header", "detector", "trailer")]


def _around(n: int, pulses: int, module: int) -> dict[str, dict[str, devices.Values]]:
    """The parts of a train's packet around the images, for `n` trains."""
    return {
        "header": {
            "pulseCount": np.full(n, pulses, np.uint64),
            "linkId": np.full(n, module, np.uint64),
            "dataId": np.zeros(n, np.uint64),
            "majorTrainFormatVersion": np.full(n, 2, np.uint32),
            "minorTrainFormatVersion": np.full(n, 1, np.uint32),
        },
        "detector": {"data": np.zeros((n, 416), np.uint8)},
        "trailer": {"status": np.zeros(n, np.uint64)},
    }


def _new() -> tuple[BytesIO, h5py.File]:
    memory = BytesIO()
    return memory, exdf.create(memory, "w")


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _keep(path: Path, content: bytes) -> WrittenFile:
    """Bring `content` to disk under its name; what is there already must be its beginning."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
    with os.fdopen(handle, "r+b") as file:
        before = file.read()
        if not content.startswith(before):
            raise FileExistsError(f"{path} is there already and is another file")
        file.write(content[len(before) :])
        file.flush()
        os.fsync(file.fileno())
    return WrittenFile(
        path=path,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        adler32=f"{zlib.adler32(content):08x}",
    )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
