"""The policy in force, what it says of the data of a run, and holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from catalogue.ground import access as words
from catalogue.ground import clock, inputs, pages, typed
from catalogue.ground.inputs import Invalid
from catalogue.ground.lifecycle import World, explain_many
from catalogue.ground.refusal import Refused
from policies import commands, queries, verdicts, wording
from policies.forms import HoldForm, LiftForm
from policies.judgement import Verdict
from policies.models import Hold
from proposals import approvals
from proposals.frame import Frame, framed
from runs import queries as run_queries
from runs.models import Replica, Run


@require_safe
@pages.guarded
def policy(request: HttpRequest) -> HttpResponse:
    """The policy that judges today, clause by clause; everybody may read it."""
    now, actor = clock.now(), pages.actor(request)
    found = queries.in_force(now)
    clauses = (
        [(c, wording.clause(queries.clause_fact(c))) for c in found.clauses.all()] if found else []
    )
    context: dict[str, Any] = {"policy": found, "clauses": clauses}
    if actor.user is not None:
        context["coming"], context["drafts"] = queries.coming(now), queries.drafts()
        context["may_draft"] = queries.may_draft(actor)
    return render(request, "policies/policy.html", context)


@dataclass(frozen=True, slots=True)
class Kept:
    """A replica and what the policy says of it."""

    replica: Replica
    verdict: Verdict


@require_safe
@framed("runs")
def kept(request: HttpRequest, frame: Frame, run_number: int) -> HttpResponse:
    """How long each copy of a run is kept, and why: a page, and a part of the run's page."""
    known = run_queries.one(frame.actor, frame.proposal.number, run_number)
    run = queries.run_to_judge(known.pk)
    found = verdicts.of_run(run, World(by=frame.actor))
    context = {"run": known, "kept": _kept(run, found)}
    if request.headers.get("HX-Request") == "true":
        return frame.show(request, "policies/_kept.html", context)
    return frame.show(request, "policies/kept.html", context)


def _kept(run: Run, found: dict[int, Verdict]) -> list[Kept]:
    rows = []
    for group in sorted(run.data_groups.all(), key=lambda g: g.kind, reverse=True):
        for replica in sorted(group.replicas.all(), key=lambda r: (r.store.rank, r.pk)):
            replica.data_group = group
            rows.append(Kept(replica, found[replica.pk]))
    return rows


@require_safe
@framed("holds")
def holds(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The stops on removal, those that were lifted too."""
    return _holds(request, frame, HoldForm(initial=_asked(request)))


def _asked(request: HttpRequest) -> dict[str, str]:
    """A run named in the address fills the form."""
    run = request.GET.get("run", "")
    return {"run": run} if run.isascii() and run.isdigit() else {}


def _holds(
    request: HttpRequest, frame: Frame, form: HoldForm, *, failed: Any = None, status: int = 200
) -> HttpResponse:
    rows = queries.holds(frame.actor, frame.proposal).select_related("run", "proposal")
    page = pages.page_of(request, rows)
    context = {
        "page": page,
        "form": form,
        "may_hold": frame.may(words.HOLD),
        "asked": approvals.asked_of(list(page)),
        "lifts": _lifts([h for h in page if h.state == Hold.State.ACTIVE], frame),
        "failed": failed,
    }
    return frame.show(request, "policies/holds.html", context, status=status)


def _lifts(active: list[Hold], frame: Frame) -> dict[int, list[Any]]:
    """What the door answers to the lifting of each, by the hold's id."""
    told = explain_many([Hold.lift], active, frame.actor)
    return {pk: moves["lift"] for pk, moves in told.items()}


@require_POST
@framed("holds")
@typed.once
def place(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Stop the removal of a run's data, or of all of the proposal's."""
    form = HoldForm(request.POST)
    if not form.is_valid():
        return _holds(request, frame, form, status=422)
    facts = form.cleaned_data
    number = facts["run"]
    try:
        run = None
        if number is not None:
            run = run_queries.one(frame.actor, frame.proposal.number, number)
        made = commands.hold(
            frame.proposal,
            run=run,
            kinds=facts["kinds"],
            until=form.moment(),
            reason=facts["reason"],
            by=frame.actor,
        )
    except Run.DoesNotExist:
        form.add_error("run", f"There is no run {number:04d} in {frame.proposal.folder}.")
        return _holds(request, frame, form, status=422)
    except Invalid as problem:
        form.add_error(problem.field if problem.field in form.fields else None, problem.rule)
        return _holds(request, frame, form, status=422)
    messages.success(request, f"{made.label[:1].upper()}{made.label[1:]} is placed.")
    return pages.back(request, "policies:holds", frame.proposal.number)


@require_POST
@framed("holds")
@typed.once
def ask_to_lift(request: HttpRequest, frame: Frame, hold: int) -> HttpResponse:
    """Ask that somebody else's hold is lifted; a second person agrees."""
    row = queries.holds(frame.actor, frame.proposal).get(pk=hold)
    reason = inputs.free_text(request.POST.get("reason", ""), 2000, "reason")
    try:
        commands.ask_to_lift(row, by=frame.actor, reason=reason)
    except Refused as refusal:
        status = pages.status_of(refusal)
        return _holds(request, frame, HoldForm(), failed=(row.pk, refusal), status=status)
    messages.success(request, "Asked for. Now somebody else who may hold these data has to agree.")
    return pages.back(request, "policies:holds", frame.proposal.number)


@require_POST
@framed("holds")
@typed.once
def lift(request: HttpRequest, frame: Frame, hold: int) -> HttpResponse:
    """End a hold; what it covered is judged anew."""
    row = queries.holds(frame.actor, frame.proposal).get(pk=hold)
    form = LiftForm(request.POST)
    if not form.is_valid():
        refusal = Refused("Lifting a hold needs a reason.", kind="reason")
        return _holds(request, frame, HoldForm(), failed=(row.pk, refusal), status=422)
    try:
        commands.lift(row, by=frame.actor, reason=form.cleaned_data["reason"])
    except Refused as refusal:
        status = pages.status_of(refusal)
        return _holds(request, frame, HoldForm(), failed=(row.pk, refusal), status=status)
    messages.success(request, f"{row.label[:1].upper()}{row.label[1:]} is lifted.")
    return pages.back(request, "policies:holds", frame.proposal.number)
