"""The runs of the beamtime, and what a run's files hold as it follows from what is registered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from catalogue.demo import facility
from catalogue.demo.daq import TRAINS, Kind, RunSpec
from catalogue.demo.facility import RunType

SEED = facility.PLAYED
KINDS: dict[str, Kind] = {
    facility.DARK.name: "dark",
    facility.TEST_DAQ.name: "test",
    facility.LCP_SFX.name: "data",
}


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run; its alias is how the script finds it again. `fate`: what will become of it."""

    alias: str
    type: RunType
    sample: str
    fate: str
    sequences: int = 1

    @property
    def kind(self) -> Kind:
        return KINDS[self.type.name]


PROTEIN = "ion pump crystals, batch 7"
TEST = PlannedRun("test", facility.TEST_DAQ, "", "no mark until the review asks for one")
DARK = PlannedRun("dark", facility.DARK, "", "Good: gives new constants", sequences=2)
FIRST = PlannedRun("first", facility.LCP_SFX, PROTEIN, "marked Good while it is open", 2)
FLIPPED = PlannedRun("flipped", facility.LCP_SFX, PROTEIN, "Good, with a byte that is flipped")
UNSURE = PlannedRun("unsure", facility.LCP_SFX, PROTEIN, "Unclear: corrected when asked")
SAVED = PlannedRun("saved", facility.LCP_SFX, PROTEIN, "Not interesting, then Good")
MARKED = PlannedRun("by-itself", facility.LCP_SFX, PROTEIN, "marked Good by the site")
EMPTY = PlannedRun("empty", facility.LCP_SFX, PROTEIN, "Not interesting: removed")

RUNS = (TEST, DARK, FIRST, UNSURE, FLIPPED, SAVED, MARKED, EMPTY)
KEPT = (DARK, FIRST, UNSURE, FLIPPED, SAVED, MARKED)
"""Those that are Good or Unclear before the review."""
CALIBRATED = (FIRST, UNSURE, FLIPPED, SAVED, MARKED)


def spec(*, folder: Path, run: int, alias: str, begin_at: datetime, first_train: int) -> RunSpec:
    """What the run's writer writes; with the facts that the catalogue has of a run it is found
    again, by whoever checks the corrected data."""
    planned = next(each for each in RUNS if each.alias == alias)
    return RunSpec(
        folder=folder,
        proposal=facility.PLAYED,
        run=run,
        kind=planned.kind,
        trains=TRAINS[planned.kind],
        first_train=first_train,
        began_at=begin_at,
        seed=SEED,
        sequences=planned.sequences,
        sample=planned.sample or "No Sample",
    )
