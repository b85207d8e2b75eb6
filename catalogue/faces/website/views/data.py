"""Open data: the list, the public page of a proposal, and what can be fetched from there."""

from __future__ import annotations

import logging
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from catalogue.faces.website import records, tarring
from catalogue.faces.website.filters import DataFilter
from catalogue.ground import pages
from catalogue.ports.movers import Place, mover_for
from catalogue.ports.outcome import PortError
from catalogue.publication import datacite, landing
from proposals import describe, overviews
from proposals.models import Proposal
from runs import overviews as runs
from runs import queries as run_queries
from runs import reading
from runs.models import Package

log = logging.getLogger(__name__)


def _record(view: pages.View) -> pages.View:
    """Make a view(request, proposal, …) of a page below `/data/<number>`."""

    @wraps(view)
    @pages.guarded
    def shown(request: HttpRequest, number: int, **named: Any) -> Any:
        proposal = overviews.public_record(pages.actor(request), number)
        return view(request, proposal, **named)

    return shown


@require_safe
@pages.guarded
def published(request: HttpRequest) -> HttpResponse:
    """All that is published, open or still under embargo."""
    found = DataFilter(request.GET, queryset=overviews.published())
    context = {"filter": found, "page": pages.page_of(request, pages.narrowed(found))}
    return render(request, "catalogue/data.html", context)


@require_safe
@_record
def landing_page(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    """The page a DOI leads to. Programs that ask for another format by its media type get it."""
    for media_type, name in (
        (records.DATACITE, "landing-datacite"),
        (records.JSONLD, "landing-jsonld"),
        (records.LINKSET, "landing-linkset"),
    ):
        if records.wants(request, media_type):
            return redirect(name, number=proposal.number)
    resource = describe.resource(proposal)
    is_open = proposal.is_open
    status = 410 if proposal.withdrawn_at else 200
    context = {
        "proposal": proposal,
        "resource": resource,
        "is_open": is_open,
        "beamtimes": proposal.beamtimes.all(),
        "package": runs.package_of(proposal) if is_open else None,
        "page": pages.page_of(request, run_queries.open_part(proposal)) if is_open else None,
        "jsonld": records.as_data_block(records.jsonld(proposal)),
    }
    answer = render(request, "catalogue/landing.html", context, status=status)
    answer["Link"] = records.links(proposal)
    return answer


@require_safe
@_record
def as_datacite(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    """The record as it was told to DataCite."""
    document = datacite.metadata(describe.resource(proposal))
    return _document(proposal, document, records.DATACITE)


@require_safe
@_record
def as_jsonld(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    """The record in schema.org's words."""
    return _document(proposal, records.jsonld(proposal), records.JSONLD)


@require_safe
@_record
def as_linkset(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    """The links of the page as a document of their own (RFC 9264)."""
    resource, papers, files = records.offered(proposal)
    document = landing.linkset(resource, documents=papers, downloads=files)
    return _document(proposal, document, records.LINKSET)


def _document(proposal: Proposal, document: dict[str, Any], media_type: str) -> HttpResponse:
    answer = JsonResponse(document, content_type=media_type)
    answer["Link"] = landing.header(landing.links_of_document(describe.resource(proposal)))
    return answer


def _only_open(proposal: Proposal) -> None:
    if not proposal.is_open:
        raise Http404(f"the data of {proposal.label} are not open")


@require_safe
@_record
def files(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    """Every open file with its size and checksum."""
    _only_open(proposal)
    context = {
        "proposal": proposal,
        "page": pages.page_of(request, runs.open_files(proposal)),
    }
    return render(request, "catalogue/files.html", context)


@require_safe
@_record
def one_file(request: HttpRequest, proposal: Proposal, folder: str, name: str) -> HttpResponseBase:
    """One open file, from the best of its copies."""
    _only_open(proposal)
    file = runs.open_file(proposal, folder, name)
    try:
        opened = reading.open_file(file)
    except reading.Unreadable as problem:
        return _unavailable(request, str(problem))
    answer = FileResponse(opened, as_attachment=True, filename=file.name,
                          content_type="application/x-hdf5")  # fmt: skip
    answer["Content-Length"] = str(file.bytes)
    if file.sha256:
        answer["Repr-Digest"] = records.digest(file.sha256)
    return _collected(proposal, answer)


@require_safe
@_record
def package(request: HttpRequest, proposal: Proposal) -> HttpResponseBase:
    """The package of the open part: its bag as one tar stream."""
    _only_open(proposal)
    made = runs.package_of(proposal)
    if made is None or made.finished_at is None:
        raise Http404(f"there is no package of {proposal.label}")
    mover = mover_for(made.store.agent)
    place = Place(mount=Path(made.store.mount), path=made.path)
    try:
        members = [tarring.Member(e.path, e.bytes) for e in mover.listing(place)]
    except PortError as problem:
        log.warning("%s cannot be read: %s", made, problem)
        return _unavailable(request, f"The {made.label} in {made.store} cannot be read now.")
    if not members:
        raise Http404(f"the package of {proposal.label} is not in its store")
    tar = tarring.Tar(proposal.folder, sorted(members, key=lambda m: m.path), made.finished_at)

    def opens(path: str) -> BinaryIO:
        return mover.open_read(place, path)

    answer = StreamingHttpResponse(tar.stream(opens), content_type=records.TAR)
    answer["Content-Length"] = str(tar.length)
    answer["Content-Disposition"] = f'attachment; filename="{_name(made)}"'
    return _collected(proposal, answer)


def _name(made: Package) -> str:
    return f"{made.path.rpartition('/')[2]}.tar"


def _collected(proposal: Proposal, answer: HttpResponseBase) -> HttpResponseBase:
    answer["Link"] = landing.header(landing.links_of_download(describe.resource(proposal)))
    return answer


def _unavailable(request: HttpRequest, problem: str) -> HttpResponse:
    """A store cannot be read just now."""
    return render(request, "catalogue/unavailable.html", {"problem": problem}, status=503)
