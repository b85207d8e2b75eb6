"""Lists ask the database as often for many rows as for few. The numbers are frozen: one that
grows is looked at, not raised."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue.ground import journal, lifecycle
from catalogue.ground.models import (
    CalibrationKind,
    Condition,
    Constant,
    ConstantVersion,
    Cycle,
    Detector,
    DetectorType,
    DetectorUnit,
    Technique,
)
from proposals.models import Proposal
from runs import calibrating
from runs.models import Run
from tests.calling import Callers, done
from tests.factories import BEGIN, ExperimentTypeFactory, Facility, InstrumentFactory

# path below /api/v1/ (n: the proposal, r: its first run) -> queries, token and visibility included
FROZEN = {
    "proposals": 9,
    "proposals/{n}/journal": 8,
    "proposals/{n}/members": 6,
    "proposals/{n}/beamtimes": 4,
    "proposals/{n}/experiments": 6,
    "proposals/{n}/samples": 6,
    "proposals/{n}/holds": 8,
    "proposals/{n}/packages": 6,
    "proposals/{n}/runs": 14,
    "proposals/{n}/runs/{r}/files": 6,
    "proposals/{n}/runs/{r}/data-groups": 8,
    "proposals/{n}/runs/{r}/assessments": 6,
    "proposals/{n}/runs/2/calibrations": 8,
    "proposals/{n}/runs/{r}/dark-requests": 7,
    "proposals/{n}/runs/{r}/verdicts": 13,
    "proposals/{n}/replicas": 6,
    "proposals/{n}/runs/{r}/replicas": 6,
    "proposals/{n}/calibrations": 8,
    "proposals/{n}/dark-requests": 7,
    "proposals/{n}/constants": 8,
    "jobs": 3,
    "stores": 3,
    "events?limit=1000": 4,
    "instruments": 3,
    "cycles": 2,
    "experiment-types": 2,
    "techniques": 2,
    "detectors": 4,
    "constants": 3,
}


def _grow(facility: Facility, proposal: Proposal, callers: Callers, times: int) -> None:
    """More of everything that lists show."""
    one = f"proposals/{proposal.number}"
    for n in range(times):
        facility.proposal()
        run = facility.run(proposal, type_name="LCP SFX" if n % 2 else "Dark", files=3 + n)
        done(callers.staff.post(f"{one}/samples", {"name": f"sample {run.number}"}), 201)
        member = {"login": facility.person().username}
        done(callers.staff.post(f"{one}/members", member), 201)
        first = f"{one}/runs/1"
        done(callers.staff.post(f"{first}/assess", {"quality": "good" if n % 2 else "unclear"}))
        done(callers.staff.post(f"{one}/holds", {"reason": "wanted", "run": run.number}), 201)
    lifecycle.perform_due()
    for _ in range(times):
        _ask_for_calibration(facility, proposal)
    journal.number_committed()


def _ask_for_calibration(facility: Facility, proposal: Proposal) -> None:
    """One more calibration of run 2, with a constant, one more request for constants from run 1,
    which is dark; and a word more in each list of the facility."""
    name = f"DETECTOR-{Detector.objects.count()}"
    kind, _ = DetectorType.objects.get_or_create(name="AGIPD-Type")
    detector = Detector.objects.create(identifier=name, name=name, karabo_name=name)
    detector.instruments.add(facility.instrument)
    unit = DetectorUnit.objects.create(
        detector=detector, physical_name=name, detector_type=kind, aggregator="AGIPD00"
    )
    dark, light = Run.objects.filter(proposal=proposal, number__in=[1, 2]).order_by("number")
    calibrating.request_dark(dark, by=facility.staff, detector=detector)
    made = calibrating.request_calibration(light, by=facility.staff, detector=detector)
    made.constants.add(_version(unit))
    saxs = Technique.objects.create(identifier=name, name=name)
    instrument = InstrumentFactory(identifier=name)
    instrument.techniques.add(saxs)
    Cycle.objects.create(identifier="202699", instrument=instrument)
    ExperimentTypeFactory(name=name)


def _version(unit: DetectorUnit) -> ConstantVersion:
    kind, _ = CalibrationKind.objects.get_or_create(name="Offset")
    condition = Condition.objects.create(name=unit.physical_name)
    constant = Constant.objects.create(
        name=unit.physical_name, kind=kind, detector_type=unit.detector_type, condition=condition
    )
    return ConstantVersion.objects.create(
        constant=constant, unit=unit, name=unit.physical_name, file_name="a.h5",
        path_to_file="cal", data_set_name="/data", begin_at=BEGIN,
    )  # fmt: skip


def _asked(callers: Callers, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        done(callers.staff.get(path))
    return len(queries)


def test_many_rows_take_as_many_queries_as_few(
    facility: Facility, proposal: Proposal, callers: Callers
) -> None:
    facility.policy()
    paths = {path: path.format(n=proposal.number, r=1) for path in FROZEN}
    _grow(facility, proposal, callers, 2)
    few = {path: _asked(callers, real) for path, real in paths.items()}
    few = {path: _asked(callers, real) for path, real in paths.items()}
    _grow(facility, proposal, callers, 4)
    many = {path: _asked(callers, real) for path, real in paths.items()}
    assert many == few
    assert few == FROZEN


def test_a_bulk_registration_asks_as_often_for_many_rows(
    facility: Facility, proposal: Proposal, callers: Callers
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is asked in steps, for it takes a bounded number of parameters")
    asked = []
    for rows in (1, 300, 3000):
        run = facility.run(proposal, files=0, closed=False)
        files = [
            {"name": f"RAW-R0001-DA01-S{n:05d}.h5", "bytes": n, "sha256": f"{n:064x}"}
            for n in range(rows)
        ]
        path = f"proposals/{proposal.number}/runs/{run.number}/files"
        with CaptureQueriesContext(connection) as queries:
            done(callers.daq.post(path, {"kind": "RAW", "files": files}), 201)
        asked.append(sum(not q["sql"].startswith('UPDATE "ground_token') for q in queries))
    assert asked[0] == asked[1] == asked[2] < 40
