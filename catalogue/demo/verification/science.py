"""What a scientist would do with the data: open them, believe them, make them again."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from catalogue.demo import truth
from catalogue.demo.daq import RunSpec
from catalogue.demo.verification import kept
from catalogue.demo.verification.checking import Found
from catalogue.demo.verification.records import Replica, Report

_CODE = Path(__file__).resolve().parents[3]
IMAGES = "image.data"


def linked(replica: Replica, root: Path) -> Path:
    """A folder of links to the replica's files, laid out as a facility's is.

    `extra_data` keeps a map of a run beside its files wherever it may write; so it reads here.
    """
    parts = replica.folder.parts[-5:]  # instrument, cycle, proposal, raw or proc, run
    folder = root.joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    for file in replica.files:
        link = folder / file.name
        if not link.is_symlink():
            link.symlink_to(replica.folder / file.name)
    return folder


def opens(replica: Replica, root: Path, trains: int) -> Found:
    """`extra_data.open_run` opens the run, which has its trains, and a module's pixels are read;
    `extra-data-validate` accepts it."""
    # why: takes two seconds, which only the processes that need it should spend
    import extra_data

    folder = linked(replica, root)
    os.environ["EXTRA_DATA_DATA_ROOT"] = str(root)
    data = "raw" if replica.kind == "RAW" else "proc"
    run = extra_data.open_run(replica.proposal, replica.run, data=data, parallelize=False)
    faults = []
    if len(run.train_ids) != trains:
        faults.append(f"{replica.folder}: {len(run.train_ids)} trains instead of {trains}")
    # Corrected data are also found under the names of RAW, for old scripts, with a warning.
    sources = run.instrument_sources - run.legacy_sources.keys()
    images = sorted(source for source in sources if IMAGES in run[source])
    if not images:
        faults.append(f"{replica.folder}: no images")
    elif not np.isfinite(run[images[0], IMAGES].ndarray()).any():
        faults.append(f"{replica.folder}: {images[0]} has no pixels with a value")
    return Found((*faults, *_not_accepted(replica.folder, folder)), {"runs": 1})


def _not_accepted(folder: Path, links: Path) -> list[str]:
    # why: as above
    from extra_data import validation

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = validation.main([str(links)])
    return [f"{folder}: extra-data-validate: {said.getvalue()[-500:]}"] if code else []


def is_corrected(folder: Path, spec: RunSpec) -> Found:
    """|mean - signal| <= 4 sigma / sqrt(N) for 99.9 % of the pixels."""
    result = truth.check_correction(folder, spec)
    counts = {"runs": 1, "pixels": result.pixels}
    if result.passed:
        return Found(counts=counts)
    share = f"{100 * result.fraction_within:.3f} % of the pixels, not {100 * truth.PROMISED:g} %"
    return Found((f"{folder}: within bounds are {share}",), counts)


def reproduces(report: Report, raw: Path, constants: Path, output: Path) -> Found:
    """Made again from its report, a calibration gives the same bytes, or says what differs."""
    output.mkdir(parents=True)
    again = "catalogue.ports.engines.reproduce"
    command = [sys.executable, "-m", again, *map(str, (report.path, raw, constants, output))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_CODE)
    if done.returncode == 0:
        return Found(counts={"reports": 1, "files": len(done.stdout.splitlines())})
    said = [line for line in done.stdout.splitlines() if not line.startswith("same")]
    faults = [f"{report.path}: {line}" for line in [*said, *done.stderr.splitlines()]]
    return Found(tuple(faults[: kept.SHOWN]) or (f"{report.path}: it cannot be made again",))


def never_calibrated(runs: Sequence[tuple[str, str, int]]) -> Found:
    """Dark and test runs have no calibration: label, run type, number of calibrations."""
    faults = tuple(f"{label} ({kind}): was calibrated" for label, kind, n in runs if n)
    return Found(faults, {"runs": len(runs)})
