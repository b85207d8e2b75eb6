"""Runs as they are recorded, and what people and the site think of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalogue.demo.beamtime import daq, plan
from catalogue.demo.beamtime.plan import PlannedRun
from catalogue.demo.beamtime.stage import Stage, StepFailedError, Told


def first_run(stage: Stage) -> Told:
    """The first run of the beamtime begins and is written."""
    daq.begin(stage, plan.TEST)
    run = daq.write(stage, plan.TEST)
    words = f"run {run['number']:04d} ({plan.TEST.type.name}): {plan.TEST.fate}"
    return Told(words, stage.page_of(run))


def recorded(planned: PlannedRun, following: PlannedRun | None) -> Callable[[Stage], Told]:
    """The step that closes a run, while the following one is being written."""

    def step(stage: Stage) -> Told:
        daq.write(stage, planned)
        if following is not None:
            daq.begin(stage, following)
        run = daq.close(stage, planned)
        _holds_what_is_on_disk(stage, run)
        where = f"run {run['number']:04d} ({planned.type.name}) closed"
        meanwhile = ""
        if following is not None:
            how = "being written" if following.sequences > 1 else "open"
            meanwhile = f" while {stage.there(following)['number']:04d} is {how}"
        size = f"{run['file_count']} files, {run['bytes'] / 1e6:.1f} MB"
        return Told(f"{where}{meanwhile}: {size}", stage.page_of(run))

    step.__doc__ = f"The run “{planned.alias}” is recorded and closed."
    return step


def _holds_what_is_on_disk(stage: Stage, run: dict[str, Any]) -> None:
    """As long as nothing was removed: as many files and bytes as lie in the DAQ's folder."""
    folder = stage.folder("online", "raw", run)
    raw = {g["kind"]: g for g in stage.manager.get(stage.api_of(run))["data_groups"]}.get("RAW")
    found = list(folder.glob("RAW-*.h5")) if folder.is_dir() else []
    if not found and run["quality"] is not None:
        return
    told = (raw["file_count"], raw["bytes"]) if raw else (0, 0)
    there = (len(found), sum(path.stat().st_size for path in found))
    if told != there:
        raise StepFailedError("The site does not know the run as it is.", told=told, there=there)


def marked_while_open(stage: Stage) -> Told:
    """The scientist marks a run that is still being written; the mark is kept for its close."""
    run = stage.there(plan.FIRST)
    if run["quality"] is None:
        if run["status"] != "open":
            raise StepFailedError("The run should be open, and is closed.")
        mark(stage, run, "good", "hits in every train")
        if stage.copies(run) or "offline" in stage.replicas(run, "RAW"):
            raise StepFailedError("An open run is being copied.", run=run["number"])
    words = f"run {run['number']:04d} marked Good while it is open: takes effect at its close"
    return Told(words, stage.page_of(run))


def marked(planned: PlannedRun, quality: str, comment: str) -> Callable[[Stage], Told]:
    """The step in which the scientist marks a closed run."""

    def step(stage: Stage) -> Told:
        run = stage.there(planned)
        if run["quality"] is None:
            mark(stage, run, quality, comment)
        return Told(f"run {run['number']:04d} marked {_WORDS[quality]}", stage.page_of(run))

    step.__doc__ = f"The scientist marks the run “{planned.alias}” {_WORDS[quality]}."
    return step


_WORDS = {"good": "Good", "unclear": "Unclear", "not_interesting": "Not interesting"}


def mark(stage: Stage, run: dict[str, Any], quality: str, comment: str) -> dict[str, Any]:
    """Set a mark as the scientist on shift."""
    answer: dict[str, Any] = stage.scientist.post(
        f"{stage.api_of(run)}/assess", quality=quality, comment=comment
    )
    if answer["quality"] != quality:
        raise StepFailedError("The mark was not taken.", wanted=quality, found=answer["quality"])
    return answer


def changed_in_time(stage: Stage) -> Told:
    """Marked Not interesting, and marked anew before the removal that this would have brought."""
    run = stage.there(plan.SAVED)
    page = stage.page_of(run)
    if run["quality"] is None:
        mark(stage, run, "not_interesting", "no hits on the monitor")
        stage.wait(
            "the removal to be announced",
            lambda: stage.replicas(run, "RAW")["online"]["remove_at"],
            online=lambda: stage.replicas(run, "RAW")["online"],
        )
    copies = stage.replicas(run, "RAW")
    if copies["online"]["state"] == "removed" and "offline" not in copies:
        raise StepFailedError(
            "Its data went while the beamtime was interrupted between the two marks. That cannot be"
            " taken back: play the beamtime in another folder (DATA=…)."
        )
    if stage.there(plan.SAVED)["quality"] == "not_interesting":
        mark(stage, run, "good", "the monitor lagged: there are hits after all")
    words = f"run {run['number']:04d}: Not interesting, then Good before anything was removed"
    return Told(words, page)


def switched_on(stage: Stage) -> Told:
    """The principal investigator has new runs marked Good by the site, for a while."""
    if stage.run(plan.MARKED) is None:
        stage.person("keller").patch(stage.own, assesses_by_itself=True)
    return Told("automatic assessment switched on", stage.page())


def switched_off(stage: Stage) -> Told:
    """And switched off again; the run that was registered meanwhile carries the site's mark."""
    run = stage.there(plan.MARKED)
    if stage.proposal()["assesses_by_itself"]:
        stage.person("keller").patch(stage.own, assesses_by_itself=False)
    first = stage.manager.all(f"{stage.api_of(run)}/assessments")[-1]
    if not first["automatic"] or first["quality"] != "good":
        raise StepFailedError("The site did not mark the run by itself.", mark=first)
    words = (
        f"run {run['number']:04d} was marked Good by the site; automatic assessment is off again"
    )
    return Told(words, stage.page_of(run))
