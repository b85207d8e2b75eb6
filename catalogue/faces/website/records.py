"""What a public page offers to programs: descriptions in several formats, and downloads."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from catalogue.publication import landing
from catalogue.publication.landing import Document, Download
from catalogue.publication.resource import Organization, Resource
from proposals import describe
from proposals.models import Proposal
from runs import overviews
from runs.models import Package

DATACITE = "application/vnd.datacite.datacite+json"
JSONLD = "application/ld+json"
LINKSET = "application/linkset+json"
TAR = "application/x-tar"


def catalogue_itself() -> Organization:
    """The catalogue that the records belong to."""
    return describe.facility()


def url(name: str, *args: Any) -> str:
    """An address with the site's name, as records carry it."""
    site = describe.landing_url(0).partition("/data/")[0]
    return site + reverse(name, args=args)


def documents(proposal: Proposal) -> tuple[Document, ...]:
    """The record in the formats that programs ask for."""
    return (
        Document(url("landing-datacite", proposal.number), DATACITE),
        Document(url("landing-jsonld", proposal.number), JSONLD),
    )


def downloads(proposal: Proposal, package: Package | None) -> tuple[Download, ...]:
    """What a reader may fetch without an account."""
    if package is None or not proposal.is_open:
        return ()
    name = f"{proposal.folder}.tar"
    return (Download(url("landing-package", proposal.number), TAR, name=name),)


def offered(proposal: Proposal) -> tuple[Resource, tuple[Document, ...], tuple[Download, ...]]:
    """The resource with its documents and downloads."""
    package = overviews.package_of(proposal)
    return describe.resource(proposal), documents(proposal), downloads(proposal, package)


def jsonld(proposal: Proposal) -> dict[str, Any]:
    """The record as schema.org describes it."""
    resource, papers, files = offered(proposal)
    return landing.jsonld(resource, catalogue=catalogue_itself(), documents=papers, downloads=files)


def as_data_block(document: dict[str, Any]) -> SafeString:
    """JSON for a `script` element of type application/ld+json: a block of data, which browsers do
    not run and to which the content security policy therefore does not apply. No text in it can
    end the element."""
    text = json.dumps(document, ensure_ascii=False, indent=1)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return mark_safe(text)  # noqa: S308 - what markup would read is escaped above


def links(proposal: Proposal) -> str:
    """The `Link` header of the landing page (FAIR Signposting)."""
    resource, papers, files = offered(proposal)
    address = url("landing-linkset", proposal.number)
    return landing.header(
        landing.links(resource, documents=papers, downloads=files, linkset_url=address)
    )


def digest(sha256: str) -> str:
    """The value of a `Repr-Digest` header (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"


def wants(request: HttpRequest, media_type: str) -> bool:
    """Whether a program asks for this media type by name (browsers name text/html first)."""
    return media_type in request.headers.get("Accept", "")
