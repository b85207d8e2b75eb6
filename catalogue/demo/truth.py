"""The outside check of a calibration: corrected files against what the demo knows it put in.

For each pixel the mean over the run's N corrected frames must be within 4σ/√N of the true signal,
σ being the true noise of that pixel; the promise is that this holds for 99.9 % of all pixels. A
pixel the engine masked, and one without noise that is not exact, counts as a miss, so a mask cannot
hide a failure.

The mean also carries the error of the offset, which was measured from N_dark noisy frames: its
standard error is σ·√(1/N + 1/N_dark). The plain bound is therefore 4/√(1 + N/N_dark) of these:
3.67 for N = 6 and N_dark = 32, which 99.976 % of normal pixels keep; 3.40 would still give 99.93 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from catalogue.demo.daq import DETECTOR, RunSpec
from catalogue.demo.daq.detector import expected_signal, noise_of

PROMISED = 0.999
SIGMAS = 4.0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`pixels` were compared, over `n` frames each; `masked` of them were masked by the engine."""

    fraction_within: float
    pixels: int
    n: int
    masked: int
    passed: bool


def check_correction(proc_folder: Path, spec: RunSpec) -> CheckResult:
    """Compare all corrected files of a run. FileNotFoundError names a file that is missing,
    ValueError one with other frames than the run has."""
    truth = expected_signal(spec)
    within = masked = 0
    for module in range(spec.modules):
        mean, bad, n = _mean(proc_folder, spec, module)
        if n != spec.frames:
            raise ValueError(f"module {module} has {n} corrected frames, not {spec.frames}")
        bound = SIGMAS * noise_of(spec.seed, module) / np.sqrt(n)
        within += int(np.count_nonzero((np.abs(mean - truth[module]) <= bound) & ~bad))
        masked += int(np.count_nonzero(bad))
    fraction = within / truth.size
    return CheckResult(fraction, truth.size, spec.frames, masked, fraction >= PROMISED)


def _mean(
    folder: Path, spec: RunSpec, module: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Mean over the frames of one module, where a pixel was masked, and the number of frames."""
    totals, masks, n = [], [], 0
    for sequence in range(spec.sequences):
        path = folder / f"CORR-R{spec.run:04d}-AGIPD{module:02d}-S{sequence:05d}.h5"
        if not path.is_file():
            raise FileNotFoundError(path)
        with h5py.File(path, "r") as file:
            image = file[f"INSTRUMENT/{DETECTOR}/CORR/{module}CH0:output/image"]
            data = image["data"][:]
            totals.append(data.sum(axis=0, dtype=np.float64))
            masks.append((image["mask"][:] != 0).any(axis=0))
            n += len(data)
    return np.sum(totals, axis=0) / max(n, 1), np.any(masks, axis=0), n
