"""Jobs: what works, what waits and why, who must act; and acting on one or on many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe
from django_tables2 import RequestConfig

from catalogue.faces.website.filters import JobFilter
from catalogue.faces.website.tables import JobTable
from catalogue.ground import inputs, journal, pages, telling
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.lifecycle import call_off, explain, hold, retry
from catalogue.ground.lifecycle.work import subject_of
from catalogue.ground.models import Job
from catalogue.ground.refusal import Refused
from proposals import job_lists, queries

MOST = 500
"""Jobs that are acted on at once."""

Verb = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Act:
    """What can be done to jobs: the verb, its word, and from which states the page offers it."""

    verb: Verb
    word: str
    states: tuple[str, ...]


ACTS = {
    "retry": Act(retry, "Retry or release", ("held",)),
    "hold": Act(hold, "Hold", ("waiting",)),
    "cancel": Act(call_off, "Cancel", ("waiting", "claimed", "held")),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of many jobs: what is true of it now, or why not."""

    job: Job
    says: str
    refused: Refused | None = None


@require_safe
@login_required
@pages.guarded
def job_list(request: HttpRequest) -> HttpResponse:
    """The jobs of the proposals whose journal the reader may read."""
    return _list(request)


def _list(
    request: HttpRequest, *, outcomes: Iterable[Outcome] = (), reason: str = "", problem: str = ""
) -> HttpResponse:
    actor = pages.actor(request)
    found = JobFilter(request.GET, queryset=job_lists.listed(actor))
    table = JobTable(pages.narrowed(found))
    RequestConfig(request, paginate={"per_page": pages.PAGE_SIZE, "silent": True}).configure(table)
    done = list(outcomes)
    refused = [o for o in done if o.refused is not None]
    table.picked = frozenset(o.job.pk for o in refused)
    rows = [row.record for row in table.page.object_list]
    may_act = any(row.may_act for row in rows)
    context = {
        "filter": found,
        "table": table,
        "what": "jobs",
        "standing": job_lists.standing(actor),
        "may_act": may_act,
        "not_mine": explain(rows[0].retry, by=actor)[:1] if rows and not may_act else [],
        "outcomes": done,
        "refused": len(refused),
        "reason": reason,
        "problem": problem,
        "most": MOST,
        "acts": ACTS,
        "query": request.GET.urlencode(),
    }
    bad = problem or (refused and len(refused) == len(done))
    return render(request, "catalogue/jobs.html", context, status=409 if bad else 200)


@require_POST
@login_required
@pages.guarded
def act_on_jobs(request: HttpRequest) -> HttpResponse:
    """Do one thing to many jobs: those that were picked, or all that the address shows. Each is a
    transaction of its own, and has its own outcome."""
    actor = pages.actor(request)
    act = ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise Invalid("act", f"must be one of {', '.join(ACTS)}", request.POST.get("act", ""))
    reason = _reason(request)
    jobs = _picked(request, actor)
    if not jobs:
        return _list(request, reason=reason, problem="No job was picked. Nothing was done.")
    if len(jobs) > MOST:
        why = f"More than {MOST} jobs are like this; narrow the list. Nothing was done."
        return _list(request, reason=reason, problem=why)
    return _list(request, outcomes=[_do(act, job, actor, reason) for job in jobs], reason=reason)


def _picked(request: HttpRequest, actor: Actor) -> list[Job]:
    rows = job_lists.listed(actor)
    if request.POST.get("all"):
        found = pages.narrowed(JobFilter(request.GET, queryset=rows))
        return list(found.order_by("pk")[: MOST + 1])
    ids = [
        int(i) for i in request.POST.getlist("job") if i.isascii() and i.isdigit() and len(i) < 20
    ]
    return list(job_lists.picked(rows, [i for i in ids if i <= inputs.BIGGEST])[: MOST + 1])


def _do(act: Act, job: Job, actor: Actor, reason: str) -> Outcome:
    try:
        act.verb(job, by=actor, reason=reason)
    except Refused as refusal:
        job.refresh_from_db()
        return Outcome(job, "", refusal)
    job.refresh_from_db()
    return Outcome(job, _happened(job))


def _happened(job: Job) -> str:
    if job.state == Job.State.CLAIMED and job.cancel_asked:
        return "was asked to stop"
    return {
        Job.State.WAITING: "waits for a worker now",
        Job.State.HELD: "is held",
        Job.State.CANCELLED: "is cancelled",
    }.get(Job.State(job.state), f"is {job.get_state_display().lower()}")


@require_safe
@login_required
@pages.guarded
def job(request: HttpRequest, number: int) -> HttpResponse:
    """One job: what it does, how it stands, each attempt at it, and what can be done about it."""
    actor = pages.actor(request)
    return _job(request, actor, queries.jobs(actor).get(pk=number))


def _job(
    request: HttpRequest, actor: Actor, row: Job, *, refused: Refused | None = None, typed: str = ""
) -> HttpResponse:
    context: dict[str, Any] = {
        "job": row,
        "subject": subject_of(row),
        "refused": refused,
        "typed": typed,
        "ahead": job_lists.ahead(row),
        "tries": pages.page_of(request, job_lists.tries(row), size=20, parameter="tries"),
        "page": pages.page_of(request, journal.of(row).select_related("on_behalf")),
    }
    for name, move in (("retry", row.retry), ("hold", row.hold), ("cancel", row.cancel)):
        offered = row.state in ACTS[name].states
        context[name] = explain(move, by=actor) if offered else None
    fragment = request.headers.get("HX-Request") == "true"
    template = "catalogue/_job.html" if fragment else "catalogue/job.html"
    return render(request, template, context, status=pages.status_of(refused) if refused else 200)


def _reason(request: HttpRequest) -> str:
    return inputs.free_text(request.POST.get("reason", ""), 2000, "reason")


@require_POST
@login_required
@pages.guarded
def act_on_job(request: HttpRequest, number: int, act: str) -> HttpResponse:
    """Let a held job go again, hold one that waits, or call one off; one that runs takes back what
    it has half done."""
    actor = pages.actor(request)
    row = queries.jobs(actor).get(pk=number)
    reason = _reason(request)
    done = _do(ACTS[act], row, actor, reason)
    if done.refused is not None:
        return _job(request, actor, row, refused=done.refused, typed=reason)
    it = "it" if row.state == Job.State.WAITING else "the job"
    messages.success(request, f"{telling.job_words(row)}: {it} {done.says}.")
    return pages.back(request, "job", row.pk)
