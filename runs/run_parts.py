"""The parts of a run's page, each as what its fragment needs; htmx asks for one alone by the id of
the element that it will take the place of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, QueryDict

from catalogue.ground import access as words
from catalogue.ground import clock, pages
from catalogue.ground.lifecycle import explain
from catalogue.ground.models import Job
from proposals.frame import Frame
from runs import about_run, access, calibrating, contents, looking, queries, tabled, tables
from runs.columns import LONGEST_WITHIN
from runs.models import Calibration, Run
from runs.narrowing import RunTableFilter

SOURCES, PARAMETERS = 12, 25
Part = Callable[[HttpRequest, Frame, Run], dict[str, Any]]


def facts(request: HttpRequest, frame: Frame, run: Run) -> dict[str, Any]:
    """What it is, and the marks that may be set."""
    return {
        "row": tables.rows([run], frame.actor, frame.allowed)[0],
        "is_dark": _is_dark(run),
        "may_edit": frame.may(words.EDIT),
    }


def _is_dark(run: Run) -> bool:
    return run.experiment is not None and run.experiment.type.is_dark


def work(
    request: HttpRequest, frame: Frame, run: Run, jobs: list[Job] | None = None
) -> dict[str, Any]:
    """Calibrations, dark run requests and jobs: what changes while one looks."""
    prefetched = ("constants__unit", "constants__constant__kind")
    calibrations = list(queries.calibrations(run).prefetch_related(*prefetched))
    darks = list(
        queries.dark_requests(run).prefetch_related("versions__unit", "versions__constant__kind")
    )
    why_not = calibrating.why_not_dark if _is_dark(run) else calibrating.why_not_calibration
    jobs = about_run.jobs(run) if jobs is None else jobs
    return {
        "calibrations": [
            (c, _again(c, frame) if c.state in ("held", "failed") else None) for c in calibrations
        ],
        "calibration_jobs": about_run.open_about(calibrations, jobs),
        "darks": darks,
        "dark_jobs": about_run.open_about(darks, jobs),
        "outside": about_run.outside(run),
        "reports": about_run.reports(run),
        "jobs": jobs if frame.may(words.SEE_JOURNAL) else [],
        "working": about_run.works(jobs, clock.now()),
        "is_dark": _is_dark(run),
        "not_asked": why_not(run, by=frame.actor),
    }


def _again(calibration: Calibration, frame: Frame) -> list[Any]:
    return explain(calibration.ask_again, calibration, frame.actor)


def story(
    request: HttpRequest, frame: Frame, run: Run, jobs: list[Job] | None = None
) -> dict[str, Any]:
    """What happened and what is to come, for those who may read the journal."""
    jobs = about_run.jobs(run) if jobs is None else jobs
    now = clock.now()
    return {
        "story": about_run.story(run, jobs, now) if frame.may(words.SEE_JOURNAL) else None,
        "working": about_run.works(jobs, now),
    }


def pictures(
    request: HttpRequest, frame: Frame, run: Run, jobs: list[Job] | None = None
) -> dict[str, Any]:
    """The picture and the plot of the corrected data, else of the raw ones, or of what is asked
    for; for those who may read the data."""
    found = contents.of_run(run)
    asked = request.GET.get("pictures", "")
    shown = next((c for c in found if about_run.name_of(c.group) == asked), None)
    shown = shown or next((c for c in found if c.picture_id), found[0] if found else None)
    jobs = about_run.jobs(run) if jobs is None else jobs
    looks = [j for j in jobs if j.name == "runs.look" and j.state in ("waiting", "claimed")]
    refusal = looking.why_not(run)
    return {
        "contents": found,
        "shown": shown,
        "may_read": access.may_read_data(frame.actor, run, frame.allowed),
        "looking": about_run.works(looks, clock.now()),
        "may_look": frame.may(words.CALIBRATE),
        "not_looked": refusal.why if refusal else "",
    }


def sources(
    request: HttpRequest, frame: Frame, run: Run, found: list[Any] | None = None
) -> dict[str, Any]:
    """The sources and trains that were found in the files; which are there is no secret of the
    data."""
    found = contents.of_run(run) if found is None else found
    asked, text = request.GET.get("sources", ""), request.GET.get("source", "")[:255]
    # The raw data have all devices, corrected ones a detector only.
    shown = next((c for c in found if about_run.name_of(c.group) == asked), None)
    shown = shown or (found[-1] if found else None)
    rows: Any = contents.sources(shown, text) if shown else ()
    page = pages.page_of(request, rows, size=SOURCES, parameter="source_page")
    return {"contents": found, "found": shown, "source": text, "sources": page}


def files(request: HttpRequest, frame: Frame, run: Run) -> dict[str, Any]:
    """Files, each with where it is."""
    asked: Mapping[str, str] = request.GET.dict()
    return {
        "files": about_run.files(run, asked),
        "may_read": access.may_read_data(frame.actor, run, frame.allowed),
    }


def parameters(request: HttpRequest, frame: Frame, run: Run) -> dict[str, Any]:
    """Values of the slow control."""
    text = request.GET.get("parameter", "")[:255]
    rows = about_run.parameters(run, text)
    page = pages.page_of(request, rows, size=PARAMETERS, parameter="parameter_page")
    return {"parameter": text, "parameters": page}


def beside(request: HttpRequest, frame: Frame, run: Run) -> dict[str, Any]:
    """The runs before and after this one: among those that the run table showed, where its filter
    came with the address (`within`)."""
    runs = access.visible(frame.actor).filter(proposal=frame.proposal)
    within = request.GET.get("within", "")[:LONGEST_WITHIN]
    if within:
        asked = QueryDict(within)
        choices = tabled.choices(frame.proposal)
        runs = pages.narrowed(RunTableFilter(asked, queryset=runs, choices=choices))
    return {"beside": about_run.neighbours(runs, run.number), "within": within}


PARTS: Mapping[str, tuple[str, Part]] = {
    "facts": ("runs/_facts.html", facts),
    "pictures": ("runs/_pictures.html", pictures),
    "work": ("runs/_work.html", work),
    "sources": ("runs/_sources.html", sources),
    "files": ("runs/_files.html", files),
    "parameters": ("runs/_parameters.html", parameters),
    "story": ("runs/_run_story.html", story),
}
"""By the id of the element: its fragment, and what makes it."""
