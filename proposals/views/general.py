"""The tab General: where the proposal stands, what can be done about it, its beamtimes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from catalogue.ground import access as words
from catalogue.ground import pages, typed
from catalogue.ground.inputs import Invalid
from catalogue.ground.lifecycle import Move, moves_of
from catalogue.ground.refusal import Refused
from proposals import commands, content, overviews, queries, withdrawing
from proposals.forms import BeamtimeForm, PostponeForm, ReasonForm
from proposals.frame import Frame, framed
from proposals.models import REVIEWED
from proposals.steps import steps

# Moves that programs report, or that follow by themselves: no buttons.
NOT_BY_HAND = frozenset({"adopt", "confirm-daq"})
FORMS: Mapping[str, type[forms.Form]] = {"cancel": ReasonForm, "postpone": PostponeForm}
Problem = forms.Form | Refused | Invalid

_COUNTED = re.compile(r"(.+): ([0-9]+)")


@dataclass(frozen=True, slots=True)
class Offer:
    """A move as the page offers it: `refused` is why it is not possible, if so; `form` what has to
    be filled in; `answers` what it will bring about; `counts` those of them that are a number of
    things to look at first."""

    name: str
    move: Move
    answers: list[Any]
    form: forms.Form | None
    counts: Sequence[tuple[str, int]] = ()

    @property
    def refused(self) -> Refused | None:
        first = self.answers[0] if self.answers else None
        return first if isinstance(first, Refused) else None


@require_safe
@framed("general")
def general(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Where the proposal stands, what can be done with it, and what is known of it."""
    return show(request, frame)


def show(
    request: HttpRequest,
    frame: Frame,
    *,
    failed: Mapping[str, Problem] | None = None,
    beamtime: BeamtimeForm | None = None,
    beamtime_stays: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page, with what could not be done where it was asked for."""
    proposal = frame.proposal
    context = {
        "steps": steps(proposal, overviews.reached(proposal)),
        "preparation": overviews.preparation(proposal),
        "beamtimes": proposal.beamtimes.all(),
        "leader": queries.team(proposal).filter(role="pi").first(),
        "stores": queries.stores_to_prepare(),
        "techniques": proposal.techniques.all(),
        "new_beamtime": beamtime or BeamtimeForm(),
        "may_prepare": frame.may(words.PREPARE),
        "beamtimes_stay": frame.why_not(words.PREPARE) or content.why_beamtimes_stay(proposal),
        "beamtime_refused": beamtime_stays,
        **_withdrawal(frame),
        **offered(frame, failed or {}),
    }
    return frame.show(request, "proposals/general.html", context, status=status)


def _withdrawal(frame: Frame) -> dict[str, Any]:
    """What withdrawing it would bring about, or why the reader cannot; what is published takes two,
    and may have been asked for."""
    proposal = frame.proposal
    two = withdrawing.takes_two(proposal) and frame.may(words.WITHDRAW)
    explain = withdrawing.explain_asking if two else withdrawing.explain_withdrawal
    return {
        "withdrawal": explain(proposal, frame.allowed),
        "withdrawal_by_two": two,
        "withdrawal_asked": withdrawing.asked(proposal) if frame.may(words.SEE_JOURNAL) else None,
    }


def offered(
    frame: Frame, failed: Mapping[str, Problem], fields: tuple[str, ...] = ("state", "access")
) -> dict[str, Any]:
    """What the reader may do with its state and, once it is reviewed, with its data; and apart from
    that what only others may. `moved_on` is the refusal of a move that is not possible any more."""
    reviewed = frame.proposal.state in REVIEWED
    asked = [field for field in fields if field == "state" or reviewed]
    offers = [
        _offer(move, answers, failed)
        for move, answers in moves_of(frame.proposal, frame.actor, asked)
        if _named(move) in commands.MOVES and _named(move) not in NOT_BY_HAND
    ]
    others = [o for o in offers if o.refused is not None and o.refused.kind == "permission"]
    mine = [o for o in offers if o not in others]
    shown = {o.name for o in offers}
    return {
        "moved_on": next((p for name, p in failed.items() if name not in shown), None),
        "offers": [o for o in mine if o.move.field == "state"],
        "releases": [o for o in mine if o.move.field == "access"],
        "others": others,
    }


def _named(move: Move) -> str:
    return move.name.replace("_", "-")


def _offer(move: Move, answers: list[Any], failed: Mapping[str, Problem]) -> Offer:
    name = _named(move)
    problem = failed.get(name)
    form = problem if isinstance(problem, forms.Form) else None
    if form is None and name in FORMS:
        form = FORMS[name](prefix=name)
    if isinstance(problem, Refused):
        answers = [problem]
    counted = [(a, _COUNTED.fullmatch(getattr(a, "text", ""))) for a in answers]
    counts = [(found[1], int(found[2])) for _, found in counted if found]
    return Offer(name, move, [a for a, found in counted if not found], form, counts)


@require_POST
@framed("general")
@typed.once
def make_move(request: HttpRequest, frame: Frame, name: str) -> HttpResponse:
    """Make one of the proposal's moves; a refusal is shown beside its button."""
    if name not in commands.MOVES or name in NOT_BY_HAND:
        raise Http404(f"no move {name}")
    facts: dict[str, Any] = {}
    form = FORMS[name](request.POST, prefix=name) if name in FORMS else None
    if form is not None:
        if not form.is_valid():
            return show(request, frame, failed={name: form}, status=422)
        facts["reason"] = form.cleaned_data["reason"]
        if isinstance(form, PostponeForm):
            facts["until"] = form.moment()
    try:
        commands.MOVES[name](frame.proposal, by=frame.actor, **facts)
    except Refused as refusal:
        frame.proposal.refresh_from_db()
        return show(request, frame, failed={name: refusal}, status=pages.status_of(refusal))
    messages.success(request, _happened(frame, name))
    return pages.back(request, "proposals:general", frame.proposal.number)


def _happened(frame: Frame, name: str) -> str:
    proposal = frame.proposal
    subject = f"{proposal.label[:1].upper()}{proposal.label[1:]}"
    said = {
        "consent": f"Your consent to early release of {proposal.label} is recorded.",
        "release-early": f"The data of {proposal.label} are open now.",
        "postpone": f"The release of {proposal.label} is postponed.",
    }
    state = proposal.get_state_display()
    return said.get(name, f"{subject} is now: {state[:1].lower()}{state[1:]}.")
