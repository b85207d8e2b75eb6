"""Programs of the facility, for those who administer: what may call the API, and for whom.

A secret is shown in the answer to the form that made it and is kept nowhere: not in a message, not
in the session, and the browser is told not to keep the page.
"""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from catalogue.faces.website.forms import (
    PeopleForm,
    ProgramForm,
    RevokeForm,
    RotateForm,
    ScopesForm,
)
from catalogue.ground import journal, pages
from catalogue.ground import programs as verbs
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Program
from catalogue.ground.refusal import Refused


@require_safe
@login_required
@pages.guarded
def programs(request: HttpRequest) -> HttpResponse:
    """All programs, and the form for a new one."""
    return _programs(request, ProgramForm(initial={"scopes": ["read"]}))


def _programs(request: HttpRequest, form: Form, *, status: int = 200) -> HttpResponse:
    rows = verbs.listed(pages.actor(request))
    context = {"page": pages.page_of(request, rows), "form": form}
    return render(request, "catalogue/programs.html", context, status=status)


@require_POST
@login_required
@never_cache
@sensitive_variables("secret")
@pages.guarded
def create(request: HttpRequest) -> HttpResponse:
    """Make a program; its page, with the secret."""
    actor = pages.actor(request)
    form = ProgramForm(request.POST)
    if not form.is_valid():
        return _programs(request, form, status=422)
    facts = form.cleaned_data
    try:
        made, secret = verbs.create(
            name=facts["name"],
            scopes=facts["scopes"],
            acts_for=verbs.people_with(form.addresses()),
            account=verbs.account_named(facts["account"]),
            by=actor,
        )
    except Invalid as problem:
        _add(form, problem)
        return _programs(request, form, status=422)
    return _program(request, actor, made, secret=secret)


@require_safe
@login_required
@never_cache
@pages.guarded
def program(request: HttpRequest, number: int) -> HttpResponse:
    """One program: what it may do, for whom, when it came last, and what was done with it."""
    actor = pages.actor(request)
    return _program(request, actor, verbs.one(actor, number))


@sensitive_variables("secret")
def _program(
    request: HttpRequest,
    actor: Actor,
    row: Program,
    *,
    secret: str = "",
    failed: Form | None = None,
    refused: Refused | None = None,
) -> HttpResponse:
    people = list(verbs.people_of(row))
    emails = "\n".join(user.email for user in people if user.email)
    forms = {
        "scopes": ScopesForm(initial={"scopes": row.scopes}),
        "people": PeopleForm(initial={"emails": emails}),
        "rotate": RotateForm(),
        "revoke": RevokeForm(),
    }
    if failed is not None:
        forms[_FORMS[type(failed)]] = failed
    context = {
        "program": row,
        "people": people,
        "forms": forms,
        "secret": secret,
        "refused": refused,
        "page": pages.page_of(request, journal.of(row).select_related("on_behalf")),
    }
    status = 422 if failed is not None else pages.status_of(refused) if refused else 200
    return render(request, "catalogue/program.html", context, status=status)


_FORMS = {ScopesForm: "scopes", PeopleForm: "people", RotateForm: "rotate", RevokeForm: "revoke"}


@require_POST
@login_required
@pages.guarded
def set_scopes(request: HttpRequest, number: int) -> HttpResponse:
    """Say what a program may do."""
    actor = pages.actor(request)
    row = verbs.one(actor, number)
    form = ScopesForm(request.POST)
    if not form.is_valid():
        return _program(request, actor, row, failed=form)
    try:
        verbs.set_scopes(row, scopes=form.cleaned_data["scopes"], by=actor)
    except Refused as refusal:
        return _program(request, actor, row, refused=refusal)
    messages.success(request, f"The scopes of {row.name} are set.")
    return pages.back(request, "program", row.pk)


@require_POST
@login_required
@pages.guarded
def set_people(request: HttpRequest, number: int) -> HttpResponse:
    """Name the people a program acts for."""
    actor = pages.actor(request)
    row = verbs.one(actor, number)
    form = PeopleForm(request.POST)
    if not form.is_valid():
        return _program(request, actor, row, failed=form)
    try:
        verbs.set_acts_for(row, people=verbs.people_with(form.addresses()), by=actor)
    except Invalid as problem:
        _add(form, problem)
        return _program(request, actor, row, failed=form)
    except Refused as refusal:
        return _program(request, actor, row, refused=refusal)
    messages.success(request, f"Whom {row.name} acts for is set.")
    return pages.back(request, "program", row.pk)


@require_POST
@login_required
@never_cache
@sensitive_variables("secret")
@pages.guarded
def rotate(request: HttpRequest, number: int) -> HttpResponse:
    """Give a program a new secret, and show it."""
    actor = pages.actor(request)
    row = verbs.one(actor, number)
    form = RotateForm(request.POST)
    end_tokens = form.is_valid() and form.cleaned_data["end_tokens"]
    try:
        secret = verbs.rotate(row, by=actor, end_tokens=end_tokens)
    except Refused as refusal:
        return _program(request, actor, row, refused=refusal)
    return _program(request, actor, row, secret=secret)


@require_POST
@login_required
@pages.guarded
def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """Shut a program out, with its tokens."""
    actor = pages.actor(request)
    row = verbs.one(actor, number)
    form = RevokeForm(request.POST)
    if form.is_valid() and form.cleaned_data["named"] != row.name:
        form.add_error("named", f"This program is called “{row.name}”.")
    if not form.is_valid():
        return _program(request, actor, row, failed=form)
    try:
        verbs.revoke(row, by=actor, reason=form.cleaned_data["reason"])
    except Refused as refusal:
        return _program(request, actor, row, refused=refusal)
    messages.success(request, f"{row.name} is revoked; its tokens are of no use any more.")
    return pages.back(request, "program", row.pk)


def _add(form: Form, problem: Invalid) -> None:
    """Say it at its field."""
    form.add_error(problem.field if problem.field in form.fields else None, problem.rule)
