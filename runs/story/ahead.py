"""What is still to come: open jobs, with their day, or who must act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from catalogue.ground.models import Job
from catalogue.ground.telling import job_words
from runs.story.steps import Place

_ORDER = {"claimed": 0, "held": 1, "waiting": 2, "due": 3}


@dataclass(frozen=True, slots=True)
class Ahead:
    """A job that runs ("claimed"), waits for a person ("held") or a worker ("waiting"), or is "due"
    `at` a time to come."""

    title: str
    job: int
    state: str
    at: datetime | None
    progress: float
    why: str
    who: str


def ahead(jobs: Iterable[Job], places: Mapping[int, Place], now: datetime) -> list[Ahead]:
    """What runs first, then what a person must do, then by time."""
    found = [_ahead(job, places, now) for job in jobs if job.state in _ORDER]
    return sorted(found, key=lambda a: (_ORDER[a.state], a.at or now, a.job))


def _ahead(job: Job, places: Mapping[int, Place], now: datetime) -> Ahead:
    place = places.get(job.subject_id) if job.subject_type == "runs.replica" else None
    title = f"{job_words(job)}: {place.kind}, {place.where}" if place else job_words(job)
    later = job.state == Job.State.WAITING and job.after > now
    return Ahead(
        title=title,
        job=job.pk,
        state="due" if later else job.state,
        at=job.after if later else None,
        progress=job.progress,
        why=job.reason,
        who=job.who,
    )
