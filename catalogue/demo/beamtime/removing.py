"""What the policy takes away, and what it never does. In the demo its months are seconds."""

from __future__ import annotations

from typing import Any

from catalogue.demo.beamtime import plan
from catalogue.demo.beamtime.stage import Stage, StepFailedError, Told


def not_interesting_gone(stage: Stage) -> Told:
    """The data of the run without interest go after their time of notice, with all copies."""
    run = stage.there(plan.EMPTY)
    _gone(stage, run)
    others = {s: r["state"] for s, r in stage.replicas(run, "RAW").items() if s != "online"}
    if others or stage.copies(run):
        raise StepFailedError("A run without interest was copied.", replicas=others)
    words = f"run {run['number']:04d}, Not interesting: removed after its notice, never copied"
    return Told(words, stage.page_of(run))


def online_gone(stage: Stage) -> Told:
    """Migrated and archived runs leave the online store; both other copies stay verified."""
    for planned in plan.KEPT:
        run = stage.there(planned)
        _gone(stage, run)
        states = {s: r["state"] for s, r in stage.replicas(run, "RAW").items()}
        if (states["offline"], states["mass_storage"]) != ("verified", "verified"):
            raise StepFailedError("Too few copies are left.", run=run["number"], replicas=states)
    words = f"{len(plan.KEPT)} migrated runs have left the online store; two copies of each stay"
    return Told(words, stage.page("/runs"))


def last_copy_kept(stage: Stage) -> Told:
    """The run that nobody marked has one copy only; it stays, however long it has been there."""
    run = stage.there(plan.TEST)
    page = stage.page_of(run)
    if run["quality"] is not None:
        return Told(f"run {run['number']:04d} kept its only copy until it was marked", page)
    states = {s: r["state"] for s, r in stage.replicas(run, "RAW").items()}
    if set(states) != {"online"} or states["online"] not in ("copied", "verified"):
        raise StepFailedError("The only copy of a run is not what it was.", replicas=states)
    verdict = stage.manager.get(f"{stage.api_of(run)}/verdicts")[0]
    if verdict["removable"]:
        raise StepFailedError("The policy would let the last copy go.", verdict=verdict)
    return Told(f"run {run['number']:04d} keeps its only copy: {_why(verdict)}", page)


def _why(verdict: dict[str, Any]) -> str:
    sentences = str(verdict["sentence"]).split(". ")
    return next((s for s in sentences if s.startswith("Kept: ")), sentences[0]).rstrip(".")


def _gone(stage: Stage, run: dict[str, Any]) -> None:
    """Wait until the online copy of a run is removed, and look that no file is left of it."""
    folder = stage.folder("online", "raw", run)
    stage.wait(
        f"the online copy of run {run['number']:04d} to be removed",
        lambda: stage.replicas(run, "RAW")["online"]["state"] == "removed",
        seconds=90,
        online=lambda: stage.replicas(run, "RAW")["online"],
        verdicts=lambda: stage.manager.get(f"{stage.api_of(run)}/verdicts"),
        jobs=lambda: [
            (j["name"], j["state"], j["reason"])
            for j in stage.manager.all("jobs", proposal=stage.number)
            if f"{run['number']:04d}" in j["subject"] and j["state"] != "done"
        ],
    )
    left = sorted(str(path) for path in folder.glob("*")) if folder.exists() else []
    if left:
        raise StepFailedError("Files of a removed copy are still there.", left=left[:5])
