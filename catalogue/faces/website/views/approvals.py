"""What takes two people: what was asked for, and agreeing to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from catalogue.faces.website.forms import WithdrawForm
from catalogue.ground import access as words
from catalogue.ground import inputs, pages, typed
from catalogue.ground.actor import Actor
from catalogue.ground.lifecycle import explain_many
from catalogue.ground.models import Approval
from catalogue.ground.refusal import Refused
from proposals import access, approvals, queries, withdrawing
from proposals.models import Proposal

MOVES = ("agree", "decline", "take_back")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with what the door answers to each of its moves."""

    row: Approval
    agree: list[Any]
    decline: list[Any]
    take_back: list[Any]

    @property
    def refused(self) -> Refused | None:
        """Why the reader cannot agree."""
        first = self.agree[0] if self.agree else None
        return first if isinstance(first, Refused) else None

    @property
    def own(self) -> bool:
        return not any(isinstance(a, Refused) for a in self.take_back)

    @property
    def theirs_to_decline(self) -> bool:
        first = self.decline[0] if self.decline else None
        return not self.own and (not isinstance(first, Refused) or first.kind == "reason")


@require_safe
@login_required
@pages.guarded
def approval_list(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, and what was decided."""
    return _list(request, WithdrawForm())


def _list(
    request: HttpRequest,
    form: WithdrawForm,
    *,
    failed: tuple[int, Refused] | None = None,
    status: int = 200,
) -> HttpResponse:
    actor = pages.actor(request)
    page = pages.page_of(request, approvals.waiting(actor))
    decided = approvals.visible(actor).exclude(state=Approval.State.ASKED)
    context = {
        "page": page,
        "waiting": _asked(list(page), actor),
        "decided": pages.page_of(request, decided, parameter="decided"),
        "form": form,
        "may_withdraw": words.WITHDRAW in words.facility_wide(actor, access.today()),
        "failed": failed,
    }
    return render(request, "catalogue/approvals.html", context, status=status)


def _asked(rows: list[Approval], actor: Actor) -> list[Asked]:
    told = explain_many([Approval.agree, Approval.decline, Approval.take_back], rows, actor)
    return [Asked(row, **{name: told[row.pk][name] for name in MOVES}) for row in rows]


@require_POST
@login_required
@pages.guarded
@typed.once
def decide(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """Agree, decline or take back; a refusal is shown where the button is."""
    if name not in approvals.VERBS:
        raise Http404(f"no decision {name}")
    actor = pages.actor(request)
    row = approvals.visible(actor).get(pk=number)
    reason = inputs.free_text(request.POST.get("reason", ""), 2000, "reason")
    facts = {"reason": reason} if name == "decline" else {}
    try:
        approvals.VERBS[name](row, by=actor, **facts)
    except Refused as refusal:
        status = pages.status_of(refusal)
        return _list(request, WithdrawForm(), failed=(row.pk, refusal), status=status)
    messages.success(request, f"{row.get_state_display()}: {row.act} of {row.subject_label}.")
    return pages.back(request, "approvals")


@require_POST
@login_required
@pages.guarded
@typed.once
def ask_to_withdraw(request: HttpRequest) -> HttpResponse:
    """Ask that what was published of a proposal is withdrawn."""
    actor = pages.actor(request)
    if words.WITHDRAW not in words.facility_wide(actor, access.today()):
        raise Refused(
            "What was published is withdrawn by data managers.",
            kind="permission",
            who="data managers",
        )
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=422)
    try:
        proposal = queries.one(actor, form.cleaned_data["proposal"])
        withdrawing.ask_to_withdraw(proposal, by=actor, reason=form.cleaned_data["reason"])
    except Proposal.DoesNotExist:
        form.add_error("proposal", "There is none with this number, or none that you may know of.")
        return _list(request, form, status=422)
    except Refused as refusal:
        form.add_error(None, refusal.why)
        return _list(request, form, status=pages.status_of(refusal))
    messages.success(request, "Asked for. Now a second data manager has to agree.")
    return pages.back(request, "approvals")
