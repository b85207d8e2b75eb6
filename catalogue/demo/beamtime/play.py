"""The beamtime in its order: each step done, looked at from outside, and told in one line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

from catalogue.demo import facility
from catalogue.demo.beamtime import (
    calibrating,
    copying,
    plan,
    preparing,
    publishing,
    recording,
    removing,
)
from catalogue.demo.beamtime.daq_program import DaqProgram
from catalogue.demo.beamtime.stage import Stage, StepFailedError, Told
from catalogue.demo.client import Caller, ProblemError
from catalogue.demo.layout import Layout, site

START = 60.0  # seconds within which the site has to answer


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `point` is the chapter of the beamtime that it belongs to."""

    point: int
    play: Callable[[Stage], Told]


POINTS: Mapping[int, str] = {
    1: "prepared",
    2: "recorded",
    3: "assessed",
    4: "migrated",
    5: "calibrated",
    6: "archived and tidied",
    7: "published",
    8: "packaged",
}

STEPS = (
    Step(1, preparing.enter),
    Step(1, preparing.prepare),
    Step(1, preparing.confirm_daq),
    Step(1, preparing.activate),
    Step(2, recording.first_run),
    Step(2, recording.recorded(plan.TEST, plan.DARK)),
    Step(2, recording.recorded(plan.DARK, plan.FIRST)),
    Step(3, recording.marked(plan.DARK, "good", "a clean dark run")),
    Step(3, recording.marked_while_open),
    Step(2, recording.recorded(plan.FIRST, plan.UNSURE)),
    Step(2, recording.recorded(plan.UNSURE, plan.FLIPPED)),
    Step(5, calibrating.asked_too_early),
    Step(5, calibrating.dark_requested),
    Step(3, recording.marked(plan.UNSURE, "unclear", "few hits")),
    Step(2, recording.recorded(plan.FLIPPED, plan.SAVED)),
    Step(4, copying.refused),
    Step(3, recording.switched_on),
    Step(2, recording.recorded(plan.SAVED, plan.MARKED)),
    Step(3, recording.changed_in_time),
    Step(3, recording.switched_off),
    Step(2, recording.recorded(plan.MARKED, plan.EMPTY)),
    Step(2, recording.recorded(plan.EMPTY, None)),
    Step(3, recording.marked(plan.EMPTY, "not_interesting", "the jet had stopped")),
    Step(4, copying.retried),
    Step(4, copying.copied("offline", "RAW", plan.KEPT)),
    Step(5, calibrating.constants_made),
    Step(5, calibrating.corrected),
    Step(5, calibrating.reported),
    Step(6, copying.copied("mass_storage", "RAW", plan.KEPT)),
    Step(6, copying.copied("mass_storage", "PROC", plan.CALIBRATED)),
    Step(6, removing.not_interesting_gone),
    Step(6, removing.online_gone),
    Step(6, removing.last_copy_kept),
    Step(7, publishing.finished),
    Step(7, publishing.checked),
    Step(7, publishing.reviewed),
    Step(7, publishing.embargoed),
    Step(7, publishing.released),
    Step(8, publishing.packaged),
    Step(8, publishing.settled),
)


def play(layout: Layout, port: int, registrar: str, *, look_again: bool) -> int:
    """Play the beamtime on the site at `port`, from where it stands. 0 only if every step held.

    A step that is done already is looked at and told again; a beamtime that was played to its end
    is only told of, unless `look_again`.
    """
    began = time.monotonic()
    address = site(port)
    if not _answers(address):
        return _fail("start", f"The site does not answer at {address}.", {"logs": str(layout.logs)})
    stage = Stage(layout, address, registrar)
    if _is_over(stage) and not look_again:
        print(f"The beamtime of proposal {stage.number:06d} was played before: {stage.page()}")
        return 0
    _say_what_is_there(stage)
    with _recording(stage):
        return _play(stage, began)


@contextmanager
def _recording(stage: Stage) -> Iterator[None]:
    """The DAQ, where it is a program of its own."""
    if stage.layout.way == facility.NATIVE:
        yield
        return
    with DaqProgram(stage.layout, stage.site) as program:
        stage.daq_program = program
        yield


def _play(stage: Stage, began: float) -> int:
    """The steps, one after the other; 0 only if every one held."""
    layout = stage.layout
    for number, step in enumerate(STEPS, 1):
        name = (step.play.__doc__ or step.play.__qualname__).strip().splitlines()[0]
        from_here = time.monotonic()
        try:
            told = step.play(stage)
            stage.must_open(told.page)
        except StepFailedError as failure:
            return _fail(name, failure.reason, failure.evidence)
        except ProblemError as problem:
            return _fail(name, str(problem), problem.document)
        except (requests.RequestException, OSError) as trouble:
            return _fail(name, f"{type(trouble).__name__}: {trouble}", {"logs": str(layout.logs)})
        print(f"{time.monotonic() - began:6.1f} s  {step.point}  {told.words}  {told.page}")
        _keep(layout, number, told, time.monotonic() - from_here)
    print(f"The beamtime is over: {len(STEPS)} steps in {time.monotonic() - began:.0f} s.")
    return 0


def _answers(address: str) -> bool:
    visitor = Caller(address)
    until = time.monotonic() + START
    while time.monotonic() < until:
        try:
            return bool(visitor.get("health")["status"] == "ok")
        except (requests.RequestException, ProblemError):
            time.sleep(0.2)
    return False


def _say_what_is_there(stage: Stage) -> None:
    proposal = _there(stage)
    if proposal is None:
        words = "begins"
    elif _is_over(stage):
        words = "was played before; its steps are looked at again"
    else:
        words = f"stands at “{proposal['state_text']}”; it goes on from there"
    print(f"The beamtime of proposal {stage.number:06d} {words}.")


def _there(stage: Stage) -> dict[str, Any] | None:
    try:
        return stage.proposal()
    except ProblemError as problem:
        if problem.status != 404:
            raise
        return None


def _is_over(stage: Stage) -> bool:
    """Whether every step was played, and the proposal is where the last one left it."""
    proposal = _there(stage)
    if proposal is None or proposal["access"] != "open":
        return False
    done = {entry["step"] for entry in told_before(stage.layout)}
    return done >= set(range(1, len(STEPS) + 1))


def told_before(layout: Layout) -> list[dict[str, Any]]:
    """The story so far: an entry for each time that a step was played or looked at."""
    if not layout.story.exists():
        return []
    return [json.loads(line) for line in layout.story.read_text(encoding="utf-8").splitlines()]


def _fail(step: str, reason: str, evidence: Mapping[str, Any]) -> int:
    print(f"FAILED at the step: {step}\n  reason: {reason}", file=sys.stderr)
    for name, value in evidence.items():
        print(f"  {name}: {value}", file=sys.stderr)
    return 1


def _keep(layout: Layout, number: int, told: Told, seconds: float) -> None:
    """Add the step to the story, from which the summary is made."""
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "step": number,
        "point": STEPS[number - 1].point,
        "words": told.words,
        "page": told.page,
        "seconds": round(seconds, 2),
    }
    with layout.story.open("a", encoding="utf-8") as story:
        story.write(json.dumps(entry, ensure_ascii=False) + "\n")
