"""What stands above every page of a proposal: its name, its state and the tabs, for this reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from catalogue.ground import access as words
from catalogue.ground import pages
from catalogue.ground.actor import Actor
from catalogue.ground.models import Entry
from catalogue.ground.refusal import Refused
from proposals import access, overviews, queries
from proposals.models import Proposal


@dataclass(frozen=True, slots=True)
class Frame:
    """A proposal, who looks at it, what they may do with it, and the tab that is open."""

    proposal: Proposal
    actor: Actor
    allowed: frozenset[str]
    tab: str

    def may(self, permission: str) -> bool:
        return permission in self.allowed

    def why_not(self, permission: str) -> Refused | None:
        """Why the reader lacks a permission, and who has it; None where they have it."""
        return access.why_not(self.allowed, permission, self.proposal)

    def show(
        self, request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
    ) -> HttpResponse:
        """The page `template`, which extends `proposals/frame.html`."""
        frame = {
            "frame": self,
            "proposal": self.proposal,
            "tabs": pages.tabs(self.allowed),
            "tombstone": self._tombstone(),
            "counts": overviews.job_counts(self.proposal) if self.may(words.SEE_JOURNAL) else {},
        }
        return render(request, template, {**frame, **context}, status=status)

    def _tombstone(self) -> Entry | None:
        """By whom and why the proposal was withdrawn, for those who may read the journal."""
        known = self.proposal.withdrawn_at is not None and self.may(words.SEE_JOURNAL)
        return overviews.withdrawal(self.proposal) if known else None


def framed(tab: str) -> Callable[[pages.View], pages.View]:
    """Make a view(request, frame, …) of a page below `/proposals/<number>`.

    Whoever only may read what is public is led to the public page; a visitor is asked to sign in;
    for everybody else a proposal that they may not know of is not there.
    """

    def decorate(view: pages.View) -> pages.View:
        @wraps(view)
        @pages.guarded
        def shown(request: HttpRequest, number: int, **named: Any) -> HttpResponseBase:
            actor = pages.actor(request)
            held = pages.offices(request)
            try:
                proposal = queries.one(actor, number, held)
            except Proposal.DoesNotExist:
                if actor.user is None:
                    return _sign_in(request)
                raise Http404(f"no proposal {number:06d} for this reader") from None
            allowed = access.allowed_on(actor, proposal, held)
            if words.SEE_METADATA not in allowed:
                return redirect("landing", number=number)
            return view(request, Frame(proposal, actor, allowed, tab), **named)

        return shown

    return decorate


def _sign_in(request: HttpRequest) -> HttpResponse:
    return redirect(f"{settings.LOGIN_URL}?next={quote(request.get_full_path())}")
