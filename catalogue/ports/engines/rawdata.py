"""RAW data of an AGIPD run: which file belongs to which unit, its frames, the run's condition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from catalogue.ports.engines import agipd, exdf
from catalogue.ports.engines.contract import RawFile
from catalogue.ports.engines.files import checked_raw, reading
from catalogue.ports.outcome import Permanent

BATCH = 32
ADC = 0  # image.data holds the analogue value and the gain value of each pixel, in this order
FIXED_HIGH_GAIN = 1

_UNIT = re.compile(r"AGIPD\d{2}", re.ASCII)

Frames = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """One open file of one module. `counts` are frames per train; `cells`, `pulses` and
    `train_ids` have one entry per frame."""

    file: h5py.File
    source: str
    trains: exdf.Trains
    counts: NDArray[np.uint64]
    cells: NDArray[np.uint16]
    pulses: NDArray[np.uint64]
    train_ids: NDArray[np.uint64]

    @classmethod
    def read(cls, file: h5py.File, source: str) -> ModuleFile:
        """KeyError where the file does not hold the source."""
        trains = exdf.read_trains(file)
        counts = exdf.read_counts(file, f"{source}/image", trains)
        n = int(counts.sum())
        image = file[f"INSTRUMENT/{source}/image"]
        return cls(
            file=file,
            source=source,
            trains=trains,
            counts=counts,
            cells=image["cellId"][:n].reshape(n),
            pulses=image["pulseId"][:n].reshape(n),
            train_ids=np.repeat(trains.ids, counts.astype(np.intp)),
        )

    def frames(self) -> Iterator[tuple[slice, Frames]]:
        """Analogue values in batches: the frames they are, and (frames, slow, fast)."""
        data = self.file[f"INSTRUMENT/{self.source}/image/data"]
        for first in range(0, len(self.cells), BATCH):
            which = slice(first, min(first + BATCH, len(self.cells)))
            yield which, data[which, ADC]

    def trusted(self) -> NDArray[np.bool_]:
        """Per frame: whether its train's number can be trusted."""
        return np.repeat(self.trains.flags == 1, self.counts.astype(np.intp))


def by_aggregator(files: Iterable[RawFile]) -> dict[str, list[RawFile]]:
    """The RAW files of each aggregator in the order of their sequence numbers; what else lies in
    the run's folder under other names is left alone."""
    found: dict[str, list[tuple[int, RawFile]]] = {}
    for raw in files:
        try:
            name = exdf.FileName.parse(Path(raw.path).name)
        except ValueError:
            continue
        if name.kind == "RAW":
            found.setdefault(name.aggregator, []).append((name.sequence, raw))
    return {
        aggregator: [raw for _, raw in sorted(parts, key=lambda part: part[0])]
        for aggregator, parts in found.items()
    }


def of_units(files: Iterable[RawFile], units: Iterable[str]) -> dict[str, list[RawFile]]:
    """The files of each unit; Permanent names units that are none or have no file."""
    parts = by_aggregator(files)
    wanted = sorted(set(units))
    for unit in wanted:
        try:
            agipd.module_number(unit)
        except ValueError as error:
            raise Permanent(str(error), unit=unit) from error
    without = [unit for unit in wanted if unit not in parts]
    if without or not wanted:
        raise Permanent(
            f"the run has no RAW file for {', '.join(without) or 'any unit'}", without_raw=without
        )
    return {unit: parts[unit] for unit in wanted}


def control_files(files: Iterable[RawFile]) -> list[RawFile]:
    """The files that are no unit's, of the first sequence: they hold the slow values."""
    parts = by_aggregator(files)
    return [
        parts[name][0] for name in sorted(parts) if not name.startswith("AGIPD") or "CTRL" in name
    ]


def condition(folder: str, files: Iterable[RawFile]) -> dict[str, float]:
    """The operating condition at the start of the run, under the constants catalogue's names.

    Permanent where it cannot be told, or where the gain is not fixed high: the offsets of the
    other gains are other constants, which this engine does not make.
    """
    values: dict[str, Any] = {}
    for raw in files:
        with reading(checked_raw(folder, raw), raw.path) as file:
            values.update(_slow_values(file))
    lacking = sorted({"bias", "cells", "rate", "setting", "mode", "integration"} - set(values))
    if lacking:
        raise Permanent("the run's control data do not tell its condition", lacking=lacking)
    if values["mode"] != FIXED_HIGH_GAIN:
        raise Permanent(
            "this engine calibrates data taken with fixed high gain only",
            gain_mode=int(values["mode"]),
        )
    found = {
        "Sensor Bias Voltage": values["bias"],
        "Pixels X": agipd.SLOW,
        "Pixels Y": agipd.FAST,
        "Memory cells": values["cells"],
        "Acquisition rate": round(float(values["rate"]), 1),
        "Gain setting": values["setting"],
        "Gain mode": values["mode"],
        "Integration time": values["integration"],
    }
    if found["Integration time"] == 12:
        # The facility's catalogue leaves this parameter out at its default.
        del found["Integration time"]
    return {name: float(value) for name, value in found.items()}


_FROM_COMPOSITE: Mapping[str, str] = {
    "cells": "bunchStructure/nPulses",
    "rate": "bunchStructure/repetitionRate",
    "setting": "gain",
    "mode": "gainModeIndex",
    "integration": "integrationTime",
}


def _slow_values(file: h5py.File) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for source in exdf.read_sources(file):
        root, _, device = source.partition("/")
        if root == "CONTROL" and device.endswith("/MDL/FPGA_COMP"):
            for name, key in _FROM_COMPOSITE.items():
                values[name] = file[f"RUN/{device}/{key}/value"][0]
        elif root == "CONTROL" and device.endswith("/PSC/HV"):
            channels = file[f"RUN/{device}/channels"]
            volts = [int(channels[name]["voltage/value"][0]) for name in sorted(channels)]
            # A channel without voltage belongs to a module that is switched off.
            values["bias"] = next((each for each in volts if each > 0), 0)
    return values
