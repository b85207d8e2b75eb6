"""Versions of a policy: looking at one, and drafting the next."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from catalogue.ground import clock, pages, typed
from catalogue.ground.inputs import Invalid
from catalogue.ground.refusal import Refused
from policies import commands, drafting, queries, wording
from policies.forms import DraftForm
from policies.models import Policy
from proposals import approvals


@require_safe
@login_required
@pages.guarded
def version(request: HttpRequest, number: int) -> HttpResponse:
    """One version of a policy, clause by clause, with what was said to it."""
    found = queries.versions().get(pk=number)
    return render(request, "policies/version.html", {"policy": found, **told(found)})


def told(policy: Policy) -> dict[str, Any]:
    """A policy's clauses in words, and who asked for it and agreed."""
    clauses = [(c, wording.clause(queries.clause_fact(c))) for c in policy.clauses.all()]
    return {"clauses": clauses, "asked": approvals.of(policy).first()}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@pages.guarded
@typed.once
def draft(request: HttpRequest) -> HttpResponse:
    """Draft a version, beginning with the one in force; it binds when somebody else agrees."""
    actor = pages.actor(request)
    if not queries.may_draft(actor):
        raise Refused(
            "Policies are drafted by data managers.", kind="permission", who="data managers"
        )
    if request.method != "POST":
        return _draft(request, DraftForm(initial=_beginning()))
    form = DraftForm(request.POST)
    if not form.is_valid():
        return _draft(request, form, status=422)
    facts = form.cleaned_data
    try:
        made = commands.draft_policy(
            name=facts["name"], clauses=drafting.clauses_from(facts["clauses"]),
            valid_from=form.moment(), description=facts["description"], reason=facts["reason"],
            by=actor,
        )  # fmt: skip
    except Invalid as problem:
        form.add_error(
            problem.field if problem.field in form.fields else "clauses",
            f"{problem.field}: {problem.rule}",
        )
        return _draft(request, form, status=422)
    except Refused as refusal:
        form.add_error(None, refusal.why)
        return _draft(request, form, status=pages.status_of(refusal))
    messages.success(request, f"The draft {made} waits for another data manager to agree.")
    return pages.back(request, "policies:version", made.pk)


def _draft(request: HttpRequest, form: DraftForm, *, status: int = 200) -> HttpResponse:
    return render(request, "policies/draft.html", {"form": form}, status=status)


def _beginning() -> dict[str, Any]:
    now = clock.now()
    last = queries.in_force(now)
    text = json.dumps(drafting.as_given(last), indent=2, ensure_ascii=False)
    day = now.astimezone(clock.facility_zone()).date()
    return {"name": last.name if last is not None else "", "clauses": text, "valid_from": day}
