"""New constants from a dark run, and runs corrected with them."""

from __future__ import annotations

from typing import Any

from catalogue.demo.beamtime import plan
from catalogue.demo.beamtime.stage import Stage, StepFailedError, Told


def asked_too_early(stage: Stage) -> Told:
    """Calibration is asked for before there are constants: it is held, with the reason."""
    run = stage.there(plan.UNSURE)
    if not _calibrations(stage, run):
        stage.scientist.post(f"{stage.api_of(run)}/calibrations")
    found = stage.wait(
        "the calibration to be held",
        lambda: next((c for c in _calibrations(stage, run) if c["state"] != "requested"), None),
        calibrations=lambda: _calibrations(stage, run),
        jobs=lambda: stage.jobs("runs.calibrate", run),
    )
    if found["state"] == "held" and "AGIPD" not in found["reason"]:
        raise StepFailedError("It does not say which constants it waits for.", calibration=found)
    words = f"calibration of run {run['number']:04d} asked for: held, there are no constants yet"
    return Told(words, stage.page_of(run))


def dark_requested(stage: Stage) -> Told:
    """Staff ask for constants from the dark run."""
    run = stage.there(plan.DARK)
    if not _requests(stage, run):
        stage.person("nowak").post(f"{stage.api_of(run)}/dark-requests")
    return Told(f"constants asked for from dark run {run['number']:04d}", stage.page_of(run))


def constants_made(stage: Stage) -> Told:
    """The engine made them: three kinds for each module, with a report."""
    run = stage.there(plan.DARK)
    request = stage.wait(
        "the constants",
        lambda: next(
            (r for r in _requests(stage, run) if r["state"] in ("finished", "failed")), None
        ),
        requests=lambda: _requests(stage, run),
        jobs=lambda: stage.jobs("runs.characterise", run),
    )
    if request["state"] != "finished" or not request["constants"] or not request["report"]:
        raise StepFailedError("The dark run request did not succeed.", request=request)
    words = f"{len(request['constants'])} constant versions made from run {run['number']:04d}"
    return Told(words, stage.page_of(run))


def corrected(stage: Stage) -> Told:
    """What was held has gone on by itself, the others started by themselves; all are done."""
    for planned in plan.CALIBRATED:
        run = stage.there(planned)
        found = stage.wait(
            f"the calibration of run {run['number']:04d}",
            lambda run=run: next(  # type: ignore[misc]
                (c for c in _calibrations(stage, run) if c["state"] in ("available", "failed")),
                None,
            ),
            seconds=120,
            calibrations=lambda run=run: _calibrations(stage, run),
            jobs=lambda run=run: stage.jobs("runs.calibrate", run),
        )
        if found["state"] != "available" or not found["report"]:
            raise StepFailedError("A calibration did not succeed.", calibration=found)
        if found["automatic"] == (planned is plan.UNSURE):
            raise StepFailedError("It was not asked for as it should be.", calibration=found)
    for planned in (plan.TEST, plan.DARK):
        run = stage.there(planned)
        if _calibrations(stage, run):
            raise StepFailedError("A run was calibrated that should not.", run=run["number"])
    numbers = ", ".join(f"{stage.there(p)['number']:04d}" for p in plan.CALIBRATED)
    words = f"runs {numbers} corrected, each with a report; none for dark and test"
    return Told(words, stage.page("/runs"))


def reported(stage: Stage) -> Told:
    """A report is fetched, and is what the site says it is."""
    run = stage.there(plan.FIRST)
    report = _calibrations(stage, run)[0]["report"]
    answer = stage.scientist.download(report["url"])
    if not answer.startswith(b"%PDF") or len(answer) != report["bytes"]:
        raise StepFailedError("The report is not the PDF it should be.", report=report)
    words = f"report on run {run['number']:04d}: a PDF of {len(answer) / 1e3:.0f} kB"
    return Told(words, stage.page_of(run))


def _calibrations(stage: Stage, run: dict[str, Any]) -> list[dict[str, Any]]:
    return stage.manager.all(f"{stage.api_of(run)}/calibrations")


def _requests(stage: Stage, run: dict[str, Any]) -> list[dict[str, Any]]:
    return stage.manager.all(f"{stage.api_of(run)}/dark-requests")
