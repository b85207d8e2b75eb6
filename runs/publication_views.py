"""The tab Publication: DOI, the day on which the data open, and packages of what is open."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from catalogue.ground import pages, typed
from catalogue.ground.refusal import Refused
from catalogue.publication import datacite
from proposals import describe
from proposals.frame import Frame, framed
from proposals.models import REVIEWED
from proposals.views import general
from runs import overviews, packaging, queries

SIZE = 10


@require_safe
@framed("publication")
def publication(request: HttpRequest, frame: Frame) -> HttpResponse:
    """What is published, when, and under which name."""
    return _show(request, frame)


def _show(
    request: HttpRequest, frame: Frame, *, refused: Refused | None = None, status: int = 200
) -> HttpResponse:
    proposal = frame.proposal
    page = pages.page_of(request, queries.packages(proposal), size=SIZE)
    document, problems = _document(frame)
    answers = [refused] if refused else packaging.explain(proposal, frame.allowed)
    context = {
        "reviewed": proposal.state in REVIEWED,
        "doi_name": describe.doi_name(proposal.number),
        "embargo": packaging.opens(proposal),
        "record": json.dumps(document, indent=2, ensure_ascii=False),
        "problems": problems,
        "answers": answers,
        "package_refused": next((a for a in answers if isinstance(a, Refused)), None),
        "page": page,
        "jobs": overviews.working_on(list(page)),
        **general.offered(frame, {}, ("access",)),
    }
    return frame.show(request, "runs/publication.html", context, status=status)


def _document(frame: Frame) -> tuple[dict[str, Any], list[str]]:
    """The record as it would be told to the registrar now, and what is wrong with it."""
    resource, unfit = describe.preview(frame.proposal)
    if resource is None:
        return {}, [unfit]
    name = resource.doi or describe.doi_name(frame.proposal.number)
    document = datacite.metadata(replace(resource, doi=name))
    return document, datacite.problems(document)


@require_POST
@framed("publication")
@typed.once
def ask_for_package(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Ask for a package of the open part."""
    try:
        packaging.request_package(frame.proposal, by=frame.actor)
    except Refused as refusal:
        return _show(request, frame, refused=refusal, status=pages.status_of(refusal))
    messages.success(request, "A package is asked for. It is made by a job; you need not wait.")
    return pages.back(request, "runs:publication", frame.proposal.number, anchor="#packages")
