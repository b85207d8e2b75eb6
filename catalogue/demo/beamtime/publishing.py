"""From the end of the beamtime to a DOI that opens, and a package of what is open."""

from __future__ import annotations

import re
from typing import Any

import requests

from catalogue.demo.beamtime import plan, recording
from catalogue.demo.beamtime.stage import Stage, StepFailedError, Told

_SOON = 60.0  # seconds; jobs that are due later (a look at the policy in some years) may wait


def finished(stage: Stage) -> Told:
    """The local contact finishes the beamtime."""
    if stage.proposal()["state"] in ("A", "I"):
        stage.contact.post(f"{stage.own}/moves/finish")
    return Told("the beamtime is declared finished", stage.page())


def checked(stage: Stage) -> Told:
    """The review's checklist shows a run without assessment, which is then marked."""
    leader = stage.person("leader")
    run = stage.there(plan.TEST)
    listed = {item["what"]: item["count"] for item in leader.get(f"{stage.own}/checklist")}
    if run["quality"] is None:
        if listed.get("runs without assessment") != 1:
            raise StepFailedError("The checklist does not show the unmarked run.", listed=listed)
        recording.mark(stage, run, "good", "the detector was fine")
    stage.wait(
        "the checklist to be empty",
        lambda: not any(item["count"] for item in leader.get(f"{stage.own}/checklist")),
        checklist=lambda: leader.get(f"{stage.own}/checklist"),
        jobs=lambda: _open_jobs(stage),
    )
    words = f"the checklist shows one run without assessment; run {run['number']:04d} is marked"
    return Told(words, stage.page())


def reviewed(stage: Stage) -> Told:
    """The instrument leader reviews; a DOI is registered, findable, and says what it should."""
    if stage.proposal()["state"] == "F":
        stage.person("leader").post(f"{stage.own}/moves/review")
    doi = stage.wait("the DOI to be findable", lambda: _doi(stage), jobs=lambda: _open_jobs(stage))
    answer = requests.get(
        f"{stage.registrar}/dois/{doi.lower()}", headers={"Accept": _DATACITE}, timeout=10
    )
    if not answer.ok or answer.json()["titles"][0]["title"] != stage.proposal()["title"]:
        raise StepFailedError("The registrar knows the DOI otherwise.", answer=answer.text[:300])
    return Told(f"reviewed; DOI {doi} is findable (test prefix)", f"{stage.registrar}/dois/{doi}")


_DATACITE = "application/vnd.datacite.datacite+json"


def _doi(stage: Stage) -> str | None:
    doi = stage.proposal()["doi"]
    return str(doi["name"]) if doi and doi["state"] == "findable" else None


def embargoed(stage: Stage) -> Told:
    """The landing page says when the data open."""
    page = f"/data/{stage.number:06d}"
    if stage.proposal()["access"] == "embargoed":
        text = _landing(stage, page)
        if "Opens on" not in text:
            raise StepFailedError("The landing page does not say “opens on”.", page=text[:300])
    return Told("the landing page says “opens on”", f"{stage.site}{page}")


def released(stage: Stage) -> Told:
    """The principal investigator consents, another member of staff releases: two accounts."""
    page = f"/data/{stage.number:06d}"
    if stage.proposal()["access"] == "embargoed":
        stage.person("keller").post(f"{stage.own}/moves/consent")
        stage.manager.post(f"{stage.own}/moves/release-early")
    text = stage.wait(
        "the landing page to say “open”",
        lambda: next((t for t in [_landing(stage, page)] if _says_open(t)), None),
        page=lambda: _landing(stage, page)[:500],
    )
    assert text
    return Told("consent and early release by two people: it says “open”", f"{stage.site}{page}")


def _says_open(page: str) -> bool:
    words = " ".join(_TAG.sub(" ", page).split())
    return "Open since" in words and "Opens on" not in words


_TAG = re.compile(r"<[^>]*>")


def _landing(stage: Stage, page: str) -> str:
    """The landing page as a visitor without an account sees it."""
    answer = stage.visitor.page(page)
    if answer.status_code != 200:
        raise StepFailedError("The landing page does not open.", status=answer.status_code)
    return answer.text


def packaged(stage: Stage) -> Told:
    """A package of the open part: one bag, checked by `verify` with other people's tools."""
    keller = stage.person("keller")
    if not _packages(stage):
        keller.post(f"{stage.own}/packages")
    made = stage.wait(
        "the package",
        lambda: next((p for p in _packages(stage) if p["state"] != "requested"), None),
        seconds=120,
        packages=lambda: _packages(stage),
        jobs=lambda: _open_jobs(stage),
    )
    if made["state"] != "ready":
        raise StepFailedError("The package could not be made.", package=made)
    bag = stage.layout.stores / made["store"] / made["path"]
    if not (bag / "bagit.txt").is_file() or not (bag / "CATALOG.html").is_file():
        raise StepFailedError("The package is not where it is said to be.", folder=str(bag))
    size = f"{made['file_count']} files, {made['bytes'] / 1e6:.1f} MB"
    return Told(
        f"package of the open part: {size} in {bag}", f"{stage.site}/data/{stage.number:06d}"
    )


def _packages(stage: Stage) -> list[dict[str, Any]]:
    return stage.manager.all(f"{stage.own}/packages")


def settled(stage: Stage) -> Told:
    """Every job is done; none is held, running or soon to come."""
    stage.wait(
        "all jobs to be done",
        lambda: not _open_jobs(stage, everywhere=True),
        seconds=120,
        jobs=lambda: _open_jobs(stage, everywhere=True),
    )
    return Told("every job is done, none is held", f"{stage.site}/jobs")


def _open_jobs(stage: Stage, *, everywhere: bool = False) -> list[dict[str, Any]]:
    """Jobs that are held, running, or due soon."""
    found = []
    where = {} if everywhere else {"proposal": stage.number}
    for state in ("held", "claimed", "waiting"):
        found += stage.manager.all("jobs", state=state, **where)
    return [
        {name: job[name] for name in ("id", "name", "subject", "state", "reason", "after")}
        for job in found
        if job["state"] != "waiting" or stage.seconds_until(job["after"]) < _SOON
    ]
