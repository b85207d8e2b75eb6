"""Tokens of one's own, for scripts: made, seen and revoked by the person alone."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from catalogue.faces.website.forms import TokenForm
from catalogue.ground import clock, inputs, pages, programs
from catalogue.ground import tokens as verbs
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import User


@require_safe
@login_required
@pages.guarded
def tokens(request: HttpRequest) -> HttpResponse:
    """The reader's tokens, and the form for a new one."""
    return _tokens(request, TokenForm())


@sensitive_variables("secret")
def _tokens(
    request: HttpRequest, form: TokenForm, *, secret: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "page": pages.page_of(request, verbs.of(_reader(request))),
        "form": form,
        "secret": secret,
        "now": clock.now(),
        "may_administer": programs.may_administer(pages.actor(request)),
    }
    return render(request, "catalogue/tokens.html", context, status=status)


def _reader(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required
    return request.user


@require_POST
@login_required
@never_cache
@sensitive_variables("secret")
@pages.guarded
def create(request: HttpRequest) -> HttpResponse:
    """Make a token, and show it: its text is in this answer and nowhere else."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _tokens(request, form, status=422)
    facts = form.cleaned_data
    try:
        _, secret = verbs.make(
            _reader(request),
            name=inputs.free_text(facts["name"], 80, "name"),
            scopes=facts["scopes"],
            lifetime=form.lifetime(),
            by=pages.actor(request),
        )
    except Invalid as problem:
        form.add_error(problem.field if problem.field in form.fields else None, problem.rule)
        return _tokens(request, form, status=422)
    return _tokens(request, TokenForm(), secret=secret)


@require_POST
@login_required
@pages.guarded
def revoke(request: HttpRequest) -> HttpResponse:
    """End one of the reader's tokens."""
    digest = inputs.free_text(request.POST.get("token", ""), 200, "token")
    gone = verbs.revoke(_reader(request), digest, by=pages.actor(request))
    messages.success(request, f"The token “{gone.name}” is of no use any more.")
    return pages.back(request, "tokens")
