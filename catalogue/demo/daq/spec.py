"""What a demo run is: its kind, its trains, how it is cut into sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalogue.ports.engines import agipd
from catalogue.ports.engines.exdf import Trains

Kind = Literal["dark", "test", "data"]

TRAIN = timedelta(milliseconds=100)
DETECTOR = "SPB_DET_AGIPD1M-1"
RUN_TYPES: Mapping[Kind, str] = {"dark": "Dark", "test": "Test DAQ", "data": "LCP SFX"}

# A beamtime of one dark, one test and six data runs of these lengths is about 150 MB. The dark run
# has 32 frames and a data run 6: with so many more dark frames the error of the offset hardly adds
# to that of the mean, and the plain 4σ/√N holds for 99.97 % of good pixels (see the README).
TRAINS: Mapping[Kind, int] = {"dark": 160, "test": 20, "data": 30}
SEQUENCES: Mapping[Kind, int] = {"dark": 4, "test": 2, "data": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """One run. The same spec gives the same bytes.

    `seed` is the detector: runs with the same seed have the same offsets and noise, so a dark run
    serves the data runs of its seed. The slow control data have every train; the detector records
    every `record_every`-th, with `pulses` frames, one memory cell each. `began_at` is the time of
    the first train. Fewer `modules` than 16 make smaller runs for tests.
    """

    folder: Path
    proposal: int
    run: int
    kind: Kind
    trains: int
    first_train: int
    began_at: datetime
    seed: int
    sequences: int = 2
    record_every: int = 10
    pulses: int = 2
    modules: int = agipd.MODULES
    sample: str = "No Sample"

    def __post_init__(self) -> None:
        if self.began_at.tzinfo is None:
            raise ValueError("began_at has no time zone")
        for name in ("trains", "first_train", "sequences", "record_every", "pulses"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if not 1 <= self.modules <= agipd.MODULES:
            raise ValueError(f"modules must be from 1 to {agipd.MODULES}")
        if self.sequences > self.trains:
            raise ValueError("a run cannot have more sequences than trains")

    @property
    def last_train(self) -> int:
        """The number of the last train."""
        return self.first_train + self.trains - 1

    @property
    def ended_at(self) -> datetime:
        """The time of the last train."""
        return self.began_at + (self.trains - 1) * TRAIN

    @property
    def run_type(self) -> str:
        """As METADATA/runType holds it."""
        return RUN_TYPES[self.kind]

    @property
    def frames(self) -> int:
        """Frames of each module over all sequences."""
        return len(range(0, self.trains, self.record_every)) * self.pulses

    def span(self, sequence: int) -> range:
        """The trains of a sequence, counted from 0 at the start of the run."""
        if not 0 <= sequence < self.sequences:
            raise IndexError(f"the run has the sequences 0 to {self.sequences - 1}")
        start, stop = (self.trains * at // self.sequences for at in (sequence, sequence + 1))
        return range(start, stop)

    def time_of(self, train: int) -> datetime:
        """When train number `train` of the run (from 0) passed."""
        return self.began_at + train * TRAIN

    def trains_of(self, sequence: int) -> Trains:
        """The trains of a sequence as INDEX holds them."""
        span = self.span(sequence)
        at = np.arange(span.start, span.stop, dtype=np.uint64)
        began = round(self.began_at.timestamp() * 1_000_000) * 1000
        step = np.uint64(TRAIN // timedelta(microseconds=1) * 1000)
        return Trains(
            ids=at + np.uint64(self.first_train),
            timestamps=at * step + np.uint64(began),
            flags=np.ones(len(at), np.int32),
            origins=np.full(len(at), -1, np.int32),
        )

    def recorded(self, sequence: int) -> NDArray[np.bool_]:
        """Per train of a sequence: whether the detector recorded it."""
        return np.array([train % self.record_every == 0 for train in self.span(sequence)])
