"""Withdrawing a run that was made by mistake."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from catalogue.ground import pages, typed
from catalogue.ground.refusal import Refused
from proposals.forms import ReasonForm
from proposals.frame import Frame, framed
from runs import commands, queries


@require_http_methods(["GET", "HEAD", "POST"])
@framed("runs")
@typed.once
def withdraw(request: HttpRequest, frame: Frame, run_number: int) -> HttpResponse:
    """What it would bring about, or why not; and, sent with a reason, the withdrawal."""
    run = queries.one(frame.actor, frame.proposal.number, run_number)
    answers = commands.explain_withdrawal(run, frame.allowed)
    form, status = ReasonForm(), 200
    if request.method == "POST":
        form = ReasonForm(request.POST)

        def act() -> None:
            commands.withdraw(run, by=frame.actor, reason=form.cleaned_data["reason"])

        status = typed.attempt(form, act)
        if not status:
            messages.success(request, f"Run {run.number:04d} is withdrawn.")
            return pages.back(request, "runs:run", frame.proposal.number, run.number)
    context = {
        "form": form,
        "heading": f"Withdraw run {run.number:04d}",
        "does": "Withdraw",
        "back": "runs:list",
        "answers": answers,
        "refused": next((a for a in answers if isinstance(a, Refused)), None),
        "help": "For a run that was made by mistake. One whose data are of no use is marked Not "
        "interesting instead.",
    }
    return frame.show(request, "proposals/edit.html", context, status=status)
