"""What a landing page tells programs: schema.org JSON-LD, and where things are (FAIR Signposting).

The page itself is a template of the website; both results are put into it (and, for Signposting,
into the `Link` header) as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from catalogue.publication.linked_data import compact, conditions_of_access
from catalogue.publication.resource import Access, Organization, Person, Resource

# Beyond this many items the header would grow past what servers pass on; they go to a link set.
ITEMS_IN_HEADER = 50
_SHORTEST, _LONGEST = 50, 5000  # what search engines accept as a description
_KEPT_IN_URI = "/:;?#[]@!$&'()*+,=-._~%"


@dataclass(frozen=True, slots=True)
class Document:
    """A description of the resource in some format, at a URL of its own."""

    url: str
    type: str
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """Data that a reader may fetch without an account."""

    url: str
    type: str
    name: str = ""
    bytes: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A typed link (RFC 8288)."""

    rel: str
    href: str
    type: str | None = None
    profile: str | None = None


def jsonld(
    resource: Resource,
    *,
    catalogue: Organization,
    documents: Sequence[Document] = (),
    downloads: Sequence[Download] = (),
) -> dict[str, Any]:
    """The schema.org Dataset; `catalogue` is the site itself, by name and address.

    Downloads are told only while the data are open.
    """
    open_now = resource.access is Access.OPEN
    span = resource.dates.span
    dataset = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": resource.uri,
        "name": resource.title,
        "description": _description(resource),
        "url": resource.url,
        "identifier": resource.doi_url,
        "creator": [_person(person) for person in resource.creators],
        "publisher": _organization(resource.publisher),
        "datePublished": _iso(resource.dates.issued or resource.dates.available),
        "dateModified": _iso(resource.dates.updated),
        "inLanguage": resource.language,
        "version": resource.version,
        "keywords": list(resource.keywords),
        "measurementTechnique": [technique.uri for technique in resource.techniques],
        "variableMeasured": list(resource.variables),
        "temporalCoverage": str(span) if span else None,
        "license": resource.license.url,
        "isAccessibleForFree": open_now,
        "conditionsOfAccess": conditions_of_access(resource),
        "funder": [_organization(grant.funder) for grant in resource.grants],
        "isBasedOn": [work.uri for work in resource.related if work.relation == "IsDerivedFrom"],
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "name": catalogue.name,
            "url": catalogue.url,
        },
        "distribution": [_distribution(it) for it in downloads] if open_now else [],
        "subjectOf": [
            {"@type": "DigitalDocument", "url": it.url, "encodingFormat": it.type}
            for it in documents
        ],
    }
    return compact(dataset)


def links(
    resource: Resource,
    *,
    documents: Sequence[Document] = (),
    downloads: Sequence[Download] = (),
    linkset_url: str | None = None,
) -> tuple[Link, ...]:
    """Signposting of the landing page, level 1; level 2 as well where `linkset_url` is given.

    With more than ITEMS_IN_HEADER downloads and a link set, the items are in the link set alone.
    """
    every = _all_links(resource, documents, downloads)
    if linkset_url is None:
        return every
    if sum(link.rel == "item" for link in every) > ITEMS_IN_HEADER:
        every = tuple(link for link in every if link.rel != "item")
    return (*every, Link("linkset", linkset_url, "application/linkset+json"))


def linkset(
    resource: Resource,
    *,
    documents: Sequence[Document] = (),
    downloads: Sequence[Download] = (),
) -> dict[str, Any]:
    """The link set document (RFC 9264): the page's links, and the links back from each target."""
    context: dict[str, Any] = {"anchor": resource.url}
    for link in _all_links(resource, documents, downloads):
        context.setdefault(link.rel, []).append(_target(link))
    others = [
        *({"anchor": it.url, "describes": [_page(resource)]} for it in documents),
        *(
            {"anchor": it.url, "collection": [_page(resource)]}
            for it in _offered(resource, downloads)
        ),
    ]
    return {"linkset": [context, *others]}


def links_of_document(resource: Resource) -> tuple[Link, ...]:
    """Signposting of a metadata document: it describes the landing page."""
    return (Link("describes", resource.url, "text/html"),)


def links_of_download(resource: Resource) -> tuple[Link, ...]:
    """Signposting of a file or package: it belongs to the landing page."""
    return (Link("collection", resource.url, "text/html"),)


def header(signposts: Sequence[Link]) -> str:
    """The value of a `Link` header; addresses are percent-encoded to ASCII."""
    return ", ".join(_in_header(link) for link in signposts)


def _all_links(
    resource: Resource, documents: Sequence[Document], downloads: Sequence[Download]
) -> tuple[Link, ...]:
    return (
        *((Link("cite-as", resource.doi_url),) if resource.doi_url else ()),
        Link("type", "https://schema.org/Dataset"),
        Link("type", "https://schema.org/AboutPage"),
        *(Link("author", person.orcid_url) for person in resource.creators if person.orcid_url),
        Link("license", resource.license.url),
        *(Link("describedby", it.url, it.type, it.profile) for it in documents),
        *(Link("item", it.url, it.type) for it in _offered(resource, downloads)),
    )


def _offered(resource: Resource, downloads: Sequence[Download]) -> Sequence[Download]:
    return downloads if resource.access is Access.OPEN else ()


def _page(resource: Resource) -> dict[str, str]:
    return {"href": resource.url, "type": "text/html"}


def _target(link: Link) -> dict[str, Any]:
    """A target of a link set; a profile is an extension attribute there, so a list."""
    target: dict[str, Any] = {"href": link.href}
    if link.type:
        target["type"] = link.type
    if link.profile:
        target["profile"] = [link.profile]
    return target


def _in_header(link: Link) -> str:
    parts = [f"<{quote(link.href, safe=_KEPT_IN_URI)}>", f'rel="{link.rel}"']
    if link.type:
        parts.append(f'type="{link.type}"')
    if link.profile:
        parts.append(f'profile="{quote(link.profile, safe=_KEPT_IN_URI)}"')
    return "; ".join(parts)


def _description(resource: Resource) -> str:
    """The abstract within the length that search engines accept."""
    words = resource.description
    if len(words) < _SHORTEST:
        where = ", ".join(instrument.name for instrument in resource.instruments)
        at = f"{where}, {resource.facility.name}" if where else resource.facility.name
        words = f"{words} {resource.kind} of proposal {resource.proposal:06d}, taken at {at}."
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _person(person: Person) -> dict[str, Any]:
    return compact(
        {
            "@type": "Person",
            "@id": person.orcid_url,
            "name": person.name,
            "givenName": person.given,
            "familyName": person.family,
            "affiliation": [_organization(place) for place in person.affiliations],
        }
    )


def _organization(organization: Organization) -> dict[str, Any]:
    return compact(
        {
            "@type": "Organization",
            "@id": organization.ror,
            "name": organization.name,
            "url": organization.page,
        }
    )


def _distribution(download: Download) -> dict[str, Any]:
    return compact(
        {
            "@type": "DataDownload",
            "name": download.name,
            "contentUrl": download.url,
            "encodingFormat": download.type,
            "contentSize": None if download.bytes is None else f"{download.bytes} B",
            "sha256": download.sha256,
        }
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
