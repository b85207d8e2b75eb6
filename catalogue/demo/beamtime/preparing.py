"""From an accepted proposal to an active beamtime."""

from __future__ import annotations

import stat
from datetime import datetime, timedelta

from catalogue.demo import facility
from catalogue.demo.beamtime import plan
from catalogue.demo.beamtime.stage import Stage, StepFailedError, Told
from catalogue.demo.client import ProblemError

MODES = {"raw": 0o2750, "proc": 0o2750, "red": 0o2750, "usr": 0o2770, "scratch": 0o2770}
BEFORE_FOLDERS = ("N", "WLC", "LDC", "WFC", "FDC")
BEFORE_READY = (*BEFORE_FOLDERS, "WDC", "DDC")


def enter(stage: Stage) -> Told:
    """The user office enters the proposal with its team and its beamtime of today."""
    office = stage.person("office")
    today = datetime.now(facility.ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        office.get(stage.own)
    except ProblemError as problem:
        if problem.status != 404:
            raise
        office.post(
            "proposals",
            number=stage.number,
            title=facility.TITLE,
            abstract=facility.ABSTRACT,
            instrument="SPB",
            cycle=facility.cycle_of(today.date()),
            derived_from=2012,
        )
    for login, role, data_access in facility.TEAM:
        office.post(f"{stage.own}/members", login=login, role=role, data_access=data_access)
    if not office.get(f"{stage.own}/beamtimes"):
        begin, end = today.isoformat(), (today + timedelta(days=1)).isoformat()
        office.post(f"{stage.own}/beamtimes", begin_at=begin, end_at=end)
    for kind in (facility.TEST_DAQ, facility.DARK, facility.LCP_SFX):
        stage.contact.post(f"{stage.own}/experiments", name=kind.name, type=kind.name)
    stage.contact.post(f"{stage.own}/samples", name=plan.PROTEIN)
    return Told(f"proposal {stage.number:06d} with its team and a beamtime of today", stage.page())


def prepare(stage: Stage) -> Told:
    """Groups and folders, in the online and offline stores, with the facility's modes."""
    if stage.proposal()["state"] == "N":
        stage.person("office").post(f"{stage.own}/moves/prepare")
    stage.wait(
        "groups and folders to be made",
        lambda: stage.proposal()["state"] not in BEFORE_FOLDERS,
        state=lambda: stage.proposal()["state_text"],
        jobs=lambda: [j["reason"] for j in stage.jobs("proposals.make_folders")],
    )
    for store in ("online", "offline"):
        for name, mode in MODES.items():
            folder = stage.proposal_folder(store) / name
            found = stat.S_IMODE(folder.stat().st_mode)
            if found != mode:
                modes = {"found": oct(found), "due": oct(mode)}
                raise StepFailedError(f"{folder} has another mode.", **modes)
    return Told("groups and folders are made, modes 2750 and 2770 as they should be", stage.page())


def confirm_daq(stage: Stage) -> Told:
    """The DAQ program says that it is configured, and with what."""
    if stage.proposal()["state"] == "WDC":
        aggregators = [f"AGIPD{module:02d}" for module in range(facility.MODULES)]
        configuration = {"detector": facility.DETECTOR, "aggregators": [*aggregators, "DA01"]}
        stage.daq.post(f"{stage.own}/moves/confirm-daq", configuration=configuration)
    return Told("the DAQ confirms its own configuration", stage.page())


def activate(stage: Stage) -> Told:
    """Ready, then active: the beamtime runs."""
    if stage.proposal()["state"] == "DDC":
        stage.person("office").post(f"{stage.own}/moves/declare-ready")
    if stage.proposal()["state"] == "R":
        stage.contact.post(f"{stage.own}/moves/activate")
    state = stage.proposal()["state"]
    if state in BEFORE_READY:
        raise StepFailedError("The proposal did not become active.", state=state)
    return Told("ready, then active: data may be taken", stage.page())
