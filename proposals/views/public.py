"""The tab Public Information: what the world is told of a proposal, and how it will look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from catalogue.ground import access as words
from catalogue.ground import pages, typed
from proposals import content, describe, queries
from proposals.forms import AboutForm, RecordForm
from proposals.frame import Frame, framed
from proposals.models import REVIEWED, Proposal

RECORD = ("title", "abstract", "metadata_public")


@require_safe
@framed("public")
def public(request: HttpRequest, frame: Frame) -> HttpResponse:
    """What is published of the proposal, with a preview; editable by those who may."""
    return _show(request, frame)


def _show(
    request: HttpRequest,
    frame: Frame,
    *,
    record: RecordForm | None = None,
    about: AboutForm | None = None,
    status: int = 200,
) -> HttpResponse:
    proposal = frame.proposal
    reviewed = proposal.state in REVIEWED
    resource, unfit = describe.preview(proposal)
    context = {
        "record": record or RecordForm(now=_record(proposal), prefix="record"),
        "about": about or AboutForm(now=_about(proposal), prefix="about"),
        "record_stays": frame.why_not(words.PREPARE) or content.why_record_stays(proposal),
        "about_stays": frame.why_not(words.EDIT),
        "resource": resource,
        "unfit": unfit,
        "techniques": proposal.techniques.all(),
        "reviewed": reviewed,
    }
    return frame.show(request, "proposals/public.html", context, status=status)


def _record(proposal: Proposal) -> dict[str, Any]:
    return {name: getattr(proposal, name) for name in RECORD}


def _about(proposal: Proposal) -> dict[str, Any]:
    return {"keywords": proposal.keywords, "techniques": list(proposal.techniques.all())}


@require_POST
@framed("public")
@typed.once
def change_record(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Change title, abstract, or whether everybody may know of it."""
    form = RecordForm(request.POST, now=_record(frame.proposal), prefix="record")
    status = _change(frame, form, _record)
    if status:
        return _show(request, frame, record=form, status=status)
    return _done(request, frame)


@require_POST
@framed("public")
@typed.once
def change_about(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Change keywords and techniques."""
    form = AboutForm(request.POST, now=_about(frame.proposal), prefix="about")
    status = _change(frame, form, _about)
    if status:
        return _show(request, frame, about=form, status=status)
    return _done(request, frame)


def _change(frame: Frame, form: typed.EditForm, now: Any) -> int:
    def act() -> None:
        content.amend(frame.proposal, to=_values(form.cleaned_data), by=frame.actor)

    return typed.attempt_change(
        form, act, held=frame.proposal, now=lambda: now(queries.again(frame.proposal))
    )


def _values(typed_in: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, with lists in the place of queries."""
    return {k: list(v) if k == "techniques" else v for k, v in typed_in.items()}


def _done(request: HttpRequest, frame: Frame) -> HttpResponse:
    messages.success(request, "The public information is kept.")
    return pages.back(request, "proposals:public", frame.proposal.number)
