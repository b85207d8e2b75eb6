"""Opening the account of somebody whom LDAP has, by staff; and how the last comparison went."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from catalogue.ground import pages
from catalogue.ground.identity import config, directory
from catalogue.ground.inputs import Invalid
from catalogue.ground.refusal import Refused


class ImportForm(forms.Form):
    """Whom to take over."""

    who = forms.CharField(
        label="Login or e-mail address", max_length=254, help_text="As LDAP has it."
    )

    def named(self) -> dict[str, str]:
        """The word as the one or the other."""
        who: str = self.cleaned_data["who"].strip()
        return {"email": who} if "@" in who else {"login": who}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@pages.guarded
def import_person(request: HttpRequest) -> HttpResponse:
    """The form, and what comes of it."""
    actor = pages.actor(request)
    if not directory.may_import(actor):
        raise Refused(
            "People are taken over from LDAP by the user office and data managers.",
            kind="permission",
            who="user office",
        )
    form = ImportForm(request.POST if request.method == "POST" else None)
    status, refused = 200, None
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                user = directory.import_person(by=actor, **form.named())
            except Invalid as problem:
                form.add_error("who", problem.rule)
            except Refused as refusal:
                refused, status = refusal, pages.status_of(refusal)
            else:
                messages.success(request, f"{user.full_name} ({user.username}) has an account.")
                return pages.back(request, "import-person")
    context = {
        "form": form,
        "refused": refused,
        "connected": config.ldap() is not None,
        "sync": directory.last_sync(),
    }
    return render(request, "catalogue/import_person.html", context, status=status)
