"""The slow control devices and beam monitors of a demo run, and what they read.

Values come from a random stream of the run; they change slowly where the real ones do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import h5py
import numpy as np
from numpy.typing import NDArray

from catalogue.demo.daq.spec import RunSpec
from catalogue.ports.engines import exdf
from catalogue.ports.engines.rawdata import FIXED_HIGH_GAIN

Values = NDArray[np.generic]
MONITOR_SLOTS = 1000  # a gas monitor has room for so many pulses a train


@dataclass(frozen=True, slots=True)
class Device:
    """One control source: property path to value per train (the first axis)."""

    name: str
    values: Mapping[str, Values]


def beamline(spec: RunSpec, sequence: int) -> list[Device]:
    """What the aggregator DA01 records."""
    n = len(spec.span(sequence))
    rng = _stream(spec, sequence)
    energy = 9.3 + rng.normal(0, 5e-4, n)
    sample_x = np.full(n, 12.0 + 0.05 * spec.run)
    devices = [
        Device(
            "SPB_XTD2_UND/DOOCS/ENERGY",
            {"actualPosition": energy, "targetPosition": np.full(n, 9.3), "state": _state(n, "ON")},
        ),
        Device(
            "SPB_IRU_INJMOV/MOTOR/X",
            {
                "actualPosition": sample_x + rng.normal(0, 2e-4, n),
                "targetPosition": sample_x,
                "state": _state(n, "STOPPED"),
            },
        ),
    ]
    for name, share in monitors(spec).items():
        flux = share * (1500 + rng.normal(0, 60, n))
        devices.append(
            Device(
                name,
                {
                    "pulseEnergy/photonFlux": flux.astype(np.float32),
                    "pulseEnergy/pulseEnergy": (flux * 1.02).astype(np.float32),
                    "pulseEnergy/wavelengthUsed": (1.23984198 / energy).astype(np.float32),
                    "pulseEnergy/numberOfBunchesActual": np.full(n, spec.pulses, np.int32),
                    "beamPosition/ixPos": rng.normal(0.1, 0.02, n).astype(np.float32),
                    "beamPosition/iyPos": rng.normal(-0.3, 0.02, n).astype(np.float32),
                    "state": _state(n, "ON"),
                },
            )
        )
    return devices


def detector_control(spec: RunSpec, sequence: int) -> list[Device]:
    """What the aggregator AGIPD1MCTRL00 records: the condition the detector is run under."""
    n = len(spec.span(sequence))
    voltages = {
        f"channels/U{module}/voltage": np.full(n, 300.0, np.float32)
        for module in range(spec.modules)
    }
    composite: dict[str, Values] = {
        "bunchStructure/nPulses": np.full(n, spec.pulses, np.uint16),
        "bunchStructure/firstPulse": np.zeros(n, np.uint16),
        "bunchStructure/repetitionRate": np.full(n, 1.1),
        "gain": np.zeros(n, np.uint16),
        "gainModeIndex": np.full(n, FIXED_HIGH_GAIN, np.uint16),
        "integrationTime": np.full(n, 12, np.uint16),
    }
    return [
        Device("SPB_IRU_AGIPD1M1/MDL/FPGA_COMP", composite),
        Device("SPB_IRU_AGIPD1M/PSC/HV", voltages),
    ]


def monitors(spec: RunSpec) -> dict[str, float]:
    """The gas monitors, and the share of the beam that reaches them: in a dark run the shutter
    between the tunnel and the instrument is closed."""
    return {
        "SA1_XTD2_XGM/XGM/DOOCS": 1.0,
        "SPB_XTD9_XGM/XGM/DOOCS": 0.0 if spec.kind == "dark" else 0.9,
    }


def write_control(file: h5py.File, device: Device, trains: exdf.Trains) -> None:
    """CONTROL has a value per train, RUN the one at the start; each with the time it was set."""
    for name, values in device.values.items():
        for root, rows in (("CONTROL", len(trains)), ("RUN", 1)):
            path = f"{root}/{device.name}/{name}"
            exdf.put(file, f"{path}/value", values[:rows])
            exdf.put(file, f"{path}/timestamp", trains.timestamps[:rows])
    exdf.write_index(file, device.name, np.ones(len(trains), np.uint64))


def write_monitor(file: h5py.File, name: str, share: float, spec: RunSpec, sequence: int) -> str:
    """The pulse-resolved output of a gas monitor; returns its source as METADATA names it."""
    trains = spec.trains_of(sequence)
    rng = _stream(spec, sequence, *name.encode())
    # A slot without a pulse reads 1.
    energies = np.ones((len(trains), MONITOR_SLOTS), np.float32)
    energies[:, : spec.pulses] = share * (1500 + rng.normal(0, 80, (len(trains), spec.pulses)))
    output = exdf.group(file, f"INSTRUMENT/{name}:output")
    packed = {"chunks": (len(trains), MONITOR_SLOTS), "compression": "gzip", "compression_opts": 1}
    data = exdf.put(output, "data/intensityTD", energies, **packed)
    data.attrs["unitSymbol"] = np.bytes_("J")
    data.attrs["metricPrefixSymbol"] = np.bytes_("u")
    exdf.put(output, "data/trainId", trains.ids)
    exdf.write_index(file, f"{name}:output/data", np.ones(len(trains), np.uint64))
    return f"INSTRUMENT/{name}:output/data"


def _state(n: int, state: str) -> Values:
    return np.full(n, state.encode())


def _stream(spec: RunSpec, *more: int) -> np.random.Generator:
    # 100: apart from the streams of the detector.
    return np.random.Generator(np.random.SFC64([spec.seed, 100, spec.run, *more]))
