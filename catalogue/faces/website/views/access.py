"""Who may do what: the table of the rules, and what gives one person what they may do."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalogue.faces.website.forms import WhyForm
from catalogue.ground import pages
from catalogue.ground.actor import Actor
from catalogue.ground.models import User
from proposals import queries, reasons
from proposals.models import Proposal


@require_safe
@login_required
@pages.guarded
def table(request: HttpRequest) -> HttpResponse:
    """The table roles by permissions as the rules have it; everybody with an account reads it."""
    actor = pages.actor(request)
    return render(request, "catalogue/access.html", _context(actor, WhyForm()))


def _context(actor: Actor, form: WhyForm, **more: Any) -> dict[str, Any]:
    return {
        "form": form,
        "permissions": reasons.PERMISSIONS,
        "roles": reasons.roles(),
        "scopes": reasons.scopes(),
        "may_ask": reasons.may_ask_of_others(actor),
        **more,
    }


@require_safe
@login_required
@pages.guarded
def why(request: HttpRequest) -> HttpResponse:
    """What somebody may do, everywhere or with one proposal, and by which rule. Without a login it
    is about the reader."""
    actor = pages.actor(request)
    form = WhyForm(request.GET)
    if not form.is_valid():
        return render(request, "catalogue/access.html", _context(actor, form), status=422)
    facts = form.cleaned_data
    proposal: Proposal | None = None
    try:
        person = reasons.asked_about(actor, facts["person"])
        if facts["proposal"] is not None:
            proposal = queries.one(actor, facts["proposal"])
    except User.DoesNotExist:
        form.add_error("person", "Nobody with this login or e-mail address has an account here.")
    except Proposal.DoesNotExist:
        form.add_error("proposal", "There is none with this number, or none that you may know of.")
    else:
        scopes = frozenset(facts["scopes"]) or None
        story = reasons.why(reasons.asked(person, scopes), proposal)
        found = {"person": person, "proposal": proposal, "story": story, "as_token": scopes}
        return render(request, "catalogue/access.html", _context(actor, form, **found))
    return render(request, "catalogue/access.html", _context(actor, form), status=422)
