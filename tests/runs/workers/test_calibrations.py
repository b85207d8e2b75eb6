"""Calibrations around the engine: what comes while one runs, and what is added to PROC later."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from catalogue.ground import journal, lifecycle
from catalogue.ground.actor import WORKER
from catalogue.ground.models import Job
from catalogue.ports.engines.contract import (
    CorrectionReceipt,
    CorrectionRequest,
    MadeConstant,
    ProducedFile,
)
from catalogue.ports.movers import Entry
from runs import calibrating, commands, consequences, constants
from runs.models import Run
from runs.workers import calibrations
from tests.factories import BEGIN, Facility

NOW = BEGIN + timedelta(hours=1)


class SmallEngine:
    """Writes one file a unit, the same at every attempt."""

    name, version = "small", "1"

    def correct(self, request: CorrectionRequest, **_: object) -> CorrectionReceipt:
        files = [self._write(request.output_folder, f"CORR-{u}.h5") for u in request.units]
        report = self._write(request.output_folder, "report.pdf")
        return CorrectionReceipt(tuple(files), report, {}, {}, ())

    def _write(self, folder: str, name: str) -> ProducedFile:
        content = name.encode() * 20
        (Path(folder) / name).write_bytes(content)
        return ProducedFile(name, len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def run(facility: Facility, monkeypatch: pytest.MonkeyPatch):
    """A Good run, migrated and archived, of an instrument with a detector of two modules."""
    monkeypatch.setattr(calibrations, "engine_for", lambda name: SmallEngine())
    monkeypatch.setattr(calibrations.constants, "select", lambda *a, **k: ([], ()))
    with time_machine.travel(NOW, tick=False):
        made = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
        commands.assess(made, quality="good", by=facility.staff)
        lifecycle.perform_due()
        facility.detector(modules=2)
        yield made


def calibrate(facility: Facility, run: Run, *units: int) -> str:
    detector = calibrating.queries.detector_of(run.proposal)
    chosen = list(detector.units.filter(module_number__in=units))
    made = calibrating.request_calibration(run, by=facility.staff, units=chosen)
    lifecycle.perform_due()
    made.refresh_from_db()
    return made.state


def proc(facility: Facility, run: Run, store: str) -> set[str]:
    folder = Path(facility.stores[store].mount) / run.proposal.path / "proc" / run.folder
    return {p.name for p in folder.iterdir()}


def test_modules_corrected_later_are_archived_too(facility: Facility, run: Run) -> None:
    """A verified copy holds all files of its group, or it is not one."""
    assert calibrate(facility, run, 0) == "available"
    assert proc(facility, run, "mass_storage") == {"CORR-AGIPD00.h5"}
    assert calibrate(facility, run, 1) == "available"
    both = {"CORR-AGIPD00.h5", "CORR-AGIPD01.h5"}
    assert proc(facility, run, "offline") == both
    assert proc(facility, run, "mass_storage") == both
    group = run.data_groups.get(kind="PROC")
    found = {(r.state, r.file_count, r.checksum) for r in group.replicas.all()}
    assert len(found) == 1
    assert {(state, files) for state, files, _ in found} == {("verified", 2)}
    assert not Job.objects.filter(state="held").exists()


def test_the_same_calibration_again_changes_nothing(facility: Facility, run: Run) -> None:
    assert calibrate(facility, run) == "available"
    before = list(run.data_groups.get(kind="PROC").replicas.values_list("pk", "state", "checksum"))
    assert calibrate(facility, run) == "available"
    after = list(run.data_groups.get(kind="PROC").replicas.values_list("pk", "state", "checksum"))
    assert after == before


def test_nothing_is_put_beside_files_that_are_being_removed(facility: Facility, run: Run) -> None:
    facility.policy()
    assert calibrate(facility, run, 0) == "available"
    commands.assess(run, quality="not_interesting", by=facility.staff)
    lifecycle.perform_due()
    assert calibrate(facility, run, 1) == "failed"
    assert proc(facility, run, "offline") == {"CORR-AGIPD00.h5"}
    assert "on its way out" in run.calibrations.first().reason


def test_constants_that_arrive_while_they_are_missed_are_not_missed(
    facility: Facility, run: Run, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    """They come after the look for them, and find no calibration that waits yet."""
    looks = iter([([], (("AGIPD00", "Offset"),)), ([], ()), ([], ())])
    monkeypatch.setattr(calibrations.constants, "select", lambda *a, **k: next(looks))
    assert calibrate(facility, run) == "requested"
    with time_machine.travel(NOW + timedelta(seconds=settings.JOB_BACKOFF_SECONDS), tick=False):
        lifecycle.perform_due()
    assert run.calibrations.get().state == "available"


def test_whose_dark_run_it_was_is_not_told_to_other_teams(
    facility: Facility, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Constants serve a whole instrument; the proposal they came from may be nobody else's to know
    of. Where they came from is kept in the row of the request."""
    missing = ([], (("AGIPD00", "Offset"),))
    monkeypatch.setattr(calibrations.constants, "select", lambda *a, **k: missing)
    assert calibrate(facility, run) == "held"
    other = facility.proposal(state="A", kind="commissioning")
    request = calibrating.request_dark(facility.run(other, type_name="Dark"), by=facility.staff)
    file = ProducedFile("AGIPD00.h5", 10, "ab" * 32)
    made = MadeConstant("AGIPD00", "", "Offset", file, "AGIPD00/Offset/0", {"gain": 1.0}, (1, 2), 2)
    kept = {file.path: Entry(file.path, 10, file.sha256)}
    (version,) = constants.add(request, [made], facility.stores["constants"], "dark", kept)
    consequences.release_held_calibrations(request, lifecycle.World(by=WORKER))
    told = [version.name, *journal.of(run.calibrations.get()).values_list("reason", flat=True)]
    assert any("SPB_DET_AGIPD1M-1" in text for text in told)
    assert not any(str(other.number) in text for text in told), told
