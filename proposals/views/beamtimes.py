"""Beamtimes of a proposal: given, moved and given back; and the proposal's withdrawal. All of it is
asked for on the tab General."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from catalogue.ground import calendar, clock, pages, typed
from catalogue.ground.refusal import Refused
from proposals import commands, content, queries, withdrawing
from proposals.forms import BeamtimeForm, WithdrawForm
from proposals.frame import Frame, framed
from proposals.models import Beamtime
from proposals.views import general

FIELDS = ("begin_at", "end_at", "description")
BY_MISTAKE = (
    "For a proposal that was made by mistake. One that will not be carried out is cancelled "
    "instead."
)
BY_TWO = (
    "For what should not have been published. Withdrawing it takes two people: one asks, another "
    "agrees. The journal keeps who and why."
)


@require_POST
@framed("general")
@typed.once
def add(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Give the proposal a block of beam."""
    form = BeamtimeForm(request.POST)

    def act() -> None:
        commands.add_beamtime(frame.proposal, by=frame.actor, **form.cleaned_data)

    status = typed.attempt(form, _confirmable(form, act))
    if status:
        return general.show(request, frame, beamtime=form, status=status)
    messages.success(request, f"{frame.proposal.folder} has a beamtime {_from(form.cleaned_data)}.")
    return pages.back(request, "proposals:general", frame.proposal.number, anchor="#beamtimes")


@require_http_methods(["GET", "HEAD", "POST"])
@framed("general")
@typed.once
def change(request: HttpRequest, frame: Frame, id: int) -> HttpResponse:
    """Move a block of beam, by the same rules as a new one."""
    beamtime = queries.beamtime(frame.proposal, id)
    if request.method != "POST":
        return _edit(request, frame, beamtime, BeamtimeForm(now=_now(beamtime)))
    form = BeamtimeForm(request.POST, now=_now(beamtime))

    def act() -> None:
        to = dict(form.cleaned_data)
        despite = to.pop("despite_overlap", False)
        content.change_beamtime(beamtime, to=to, by=frame.actor, despite_overlap=despite)

    status = typed.attempt_change(
        form,
        _confirmable(form, act),
        held=frame.proposal,
        now=lambda: _now(queries.beamtime(frame.proposal, id)),
    )
    if status:
        return _edit(request, frame, beamtime, form, status=status)
    messages.success(request, f"The beamtime is {_from(form.cleaned_data)}.")
    return pages.back(request, "proposals:general", frame.proposal.number, anchor="#beamtimes")


@require_POST
@framed("general")
@typed.once
def remove(request: HttpRequest, frame: Frame, id: int) -> HttpResponse:
    """Give a block of beam back."""
    beamtime = queries.beamtime(frame.proposal, id)
    try:
        content.remove_beamtime(beamtime, by=frame.actor)
    except Refused as refusal:
        status = pages.status_of(refusal)
        return general.show(request, frame, beamtime_stays=refusal, status=status)
    messages.success(request, "The beamtime is given back.")
    return pages.back(request, "proposals:general", frame.proposal.number, anchor="#beamtimes")


def _confirmable(form: BeamtimeForm, act: Callable[[], None]) -> Callable[[], None]:
    """The same act; where it is refused but may be confirmed, the form asks for that."""

    def tried() -> None:
        try:
            act()
        except Refused as refusal:
            if refusal.details.get("may_be_confirmed"):
                form.ask_to_confirm()
            raise

    return tried


def _now(beamtime: Beamtime) -> dict[str, Any]:
    return {name: getattr(beamtime, name) for name in FIELDS}


def _from(to: Mapping[str, Any]) -> str:
    begin, end = (calendar.say_when(to[n], clock.facility_zone()) for n in ("begin_at", "end_at"))
    return f"from {begin} to {end}"


def _edit(
    request: HttpRequest, frame: Frame, beamtime: Beamtime, form: BeamtimeForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "heading": "Move or describe a beamtime",
        "does": "Keep",
        "back": "proposals:general",
        "help": "Times are on the facility's clock. The day on which the team's access ends, and "
        "the one on which the data open, are counted from the last beamtime.",
    }
    return frame.show(request, "proposals/edit.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@framed("general")
@typed.once
def withdraw(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Withdraw a proposal that was made by mistake; of one that is published, ask that it is."""
    proposal = frame.proposal
    two = withdrawing.takes_two(proposal)
    explain = withdrawing.explain_asking if two else withdrawing.explain_withdrawal
    verb = withdrawing.ask_to_withdraw if two else withdrawing.withdraw
    answers = explain(proposal, frame.allowed)
    status = 200
    form = WithdrawForm(expected=proposal.number)
    if request.method == "POST":
        form = WithdrawForm(request.POST, expected=proposal.number)

        def act() -> None:
            verb(proposal, by=frame.actor, reason=form.cleaned_data["reason"])

        status = typed.attempt(form, act)
        if not status:
            asked = "Asked for. Now a second data manager has to agree."
            messages.success(request, asked if two else f"{proposal.folder} is withdrawn.")
            return pages.back(request, "proposals:general", proposal.number)
    of = "the publication of " if two else ""
    context = {
        "form": form,
        "heading": f"Withdraw {of}{proposal.folder}",
        "does": "Ask for it" if two else "Withdraw",
        "back": "proposals:general",
        "answers": answers,
        "refused": next((a for a in answers if isinstance(a, Refused)), None),
        "help": BY_TWO if two else BY_MISTAKE,
    }
    return frame.show(request, "proposals/edit.html", context, status=status)
