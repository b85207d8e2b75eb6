"""A Resource as DataCite metadata, kernel 4.5, in JSON and in XML.

The JSON is what DataCite's REST API takes as a DOI's attributes; the XML is what lies in packages
and what OAI-PMH hands out. Both come from one dictionary, so they cannot say different things.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datacite import schema45

from catalogue.publication.resource import (
    Access,
    Grant,
    Instrument,
    Organization,
    Person,
    Resource,
    Technique,
    visible,
)

KERNEL = "4.5"
SCHEMA_VERSION = "http://datacite.org/schema/kernel-4"

# Confederation of Open Access Repositories, vocabulary of access rights 1.1. A withdrawn resource
# keeps its metadata on a tombstone page, which is the vocabulary's "metadata only access".
_COAR = {
    Access.OPEN: ("c_abf2", "open access"),
    Access.EMBARGOED: ("c_f1cf", "embargoed access"),
    Access.METADATA_ONLY: ("c_14cb", "metadata only access"),
    Access.WITHDRAWN: ("c_14cb", "metadata only access"),
}
_COAR_SCHEME = "http://purl.org/coar/access_right"

# The facility's roles, in lower case, in DataCite's words; any other role is a project member.
_CONTRIBUTOR_TYPES = {
    "principal investigator": "ProjectLeader",
    "local contact": "DataCollector",
    "instrument scientist": "DataCollector",
    "data manager": "DataManager",
}

_PANET_SCHEME = "http://purl.org/pan-science/PaNET/PaNET.owl"
_ROR = {"scheme": "ROR", "uri": "https://ror.org"}


def metadata(resource: Resource) -> dict[str, Any]:
    """The attributes of the DOI; validates against DataCite's JSON schema 4.5.

    An embargo is told twice, as DataCite recommends: the date `Available` and the access right.
    """
    document: dict[str, Any] = {
        "schemaVersion": SCHEMA_VERSION,
        "doi": resource.doi,
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": resource.kind},
        "creators": [_person(person) for person in resource.creators],
        "titles": [{"title": resource.title}],
        "publisher": _publisher(resource.publisher),
        "publicationYear": f"{resource.publication_year:04d}",
        "subjects": [
            *(_subject(technique) for technique in resource.techniques),
            *({"subject": keyword} for keyword in resource.keywords if visible(keyword)),
        ],
        "contributors": list(_contributors(resource)),
        "dates": list(_dates(resource)),
        "language": resource.language,
        "alternateIdentifiers": [
            {
                "alternateIdentifier": f"{resource.proposal:06d}",
                "alternateIdentifierType": "Proposal number",
            }
        ],
        "relatedIdentifiers": list(_related(resource)),
        "relatedItems": [
            _instrument_item(instrument)
            for instrument in resource.instruments
            if instrument.pid is None
        ],
        "sizes": list(resource.sizes),
        "formats": list(resource.formats),
        "version": resource.version,
        "rightsList": list(_rights(resource)),
        "descriptions": [
            {"description": resource.description, "descriptionType": "Abstract"},
        ],
        "fundingReferences": [_grant(grant) for grant in resource.grants],
    }
    cleaned: dict[str, Any] = _clean(document)
    return cleaned


def xml(resource: Resource) -> bytes:
    """The same in XML, UTF-8; a resource without a DOI is refused: XML requires the identifier."""
    if resource.doi is None:
        raise ValueError("DataCite XML needs a DOI")
    text: str = schema45.tostring(metadata(resource))
    return text.encode()


def problems(document: Mapping[str, Any]) -> list[str]:
    """What is wrong with a DataCite JSON document, one line each; empty when it is valid."""
    errors = sorted(schema45.validator.iter_errors(document), key=lambda error: error.json_path)
    return [f"{error.json_path}: {error.message}" for error in errors]


def _person(person: Person) -> dict[str, Any]:
    return {
        "name": person.sort_name,
        "nameType": "Personal",
        "givenName": person.given,
        "familyName": person.family,
        "nameIdentifiers": [
            {
                "nameIdentifier": person.orcid_url,
                "nameIdentifierScheme": "ORCID",
                "schemeUri": "https://orcid.org",
            }
        ]
        if person.orcid_url
        else [],
        "affiliation": [_affiliation(organization) for organization in person.affiliations],
    }


def _affiliation(organization: Organization) -> dict[str, Any]:
    if organization.ror is None:
        return {"name": organization.name}
    return {
        "name": organization.name,
        "affiliationIdentifier": organization.ror,
        "affiliationIdentifierScheme": _ROR["scheme"],
        "schemeUri": _ROR["uri"],
    }


def _publisher(organization: Organization) -> dict[str, Any]:
    if organization.ror is None:
        return {"name": organization.name}
    return {
        "name": organization.name,
        "publisherIdentifier": organization.ror,
        "publisherIdentifierScheme": _ROR["scheme"],
        "schemeUri": _ROR["uri"],
    }


def _organization(organization: Organization, contributor_type: str) -> dict[str, Any]:
    return {
        "name": organization.name,
        "nameType": "Organizational",
        "contributorType": contributor_type,
        "nameIdentifiers": [
            {
                "nameIdentifier": organization.ror,
                "nameIdentifierScheme": _ROR["scheme"],
                "schemeUri": _ROR["uri"],
            }
        ]
        if organization.ror
        else [],
    }


def _contributors(resource: Resource) -> Iterable[dict[str, Any]]:
    """The facility, whom to ask, then people; creators with a role appear here once more."""
    yield _organization(resource.facility, "HostingInstitution")
    yield {
        "name": resource.contact.name,
        "nameType": "Organizational",
        "contributorType": "ContactPerson",
    }
    for person in resource.creators:
        if person.role.lower() in _CONTRIBUTOR_TYPES:
            yield _person(person) | {"contributorType": _CONTRIBUTOR_TYPES[person.role.lower()]}
    for person in resource.contributors:
        yield _person(person) | {
            "contributorType": _CONTRIBUTOR_TYPES.get(person.role.lower(), "ProjectMember")
        }


def _subject(technique: Technique) -> dict[str, Any]:
    return {
        "subject": technique.name,
        "subjectScheme": "PaNET",
        "schemeUri": _PANET_SCHEME,
        "valueUri": technique.uri,
    }


def _dates(resource: Resource) -> Iterable[dict[str, Any]]:
    dates = resource.dates
    for period in dates.collected:
        yield {"date": str(period), "dateType": "Collected", "dateInformation": "Beamtime"}
    told = (
        ("Submitted", dates.submitted),
        ("Issued", dates.issued),
        ("Available", dates.available),
        ("Updated", dates.updated),
        ("Withdrawn", dates.withdrawn),
    )
    for date_type, day in told:
        if day is not None:
            yield {"date": day.isoformat(), "dateType": date_type}


def _related(resource: Resource) -> Iterable[dict[str, Any]]:
    """Other works, and the instruments that have an identifier (`IsCollectedBy`, new in 4.5)."""
    for instrument in resource.instruments:
        if instrument.pid is not None:
            yield {
                "relatedIdentifier": instrument.pid,
                "relatedIdentifierType": "URL",
                "relationType": "IsCollectedBy",
                "resourceTypeGeneral": "Instrument",
            }
    for related in resource.related:
        yield {
            "relatedIdentifier": related.identifier,
            "relatedIdentifierType": related.identifier_type,
            "relationType": related.relation,
            "resourceTypeGeneral": related.resource_type,
        }


def _instrument_item(instrument: Instrument) -> dict[str, Any]:
    """An instrument without an identifier: a related item is the only place DataCite has for it."""
    return {
        "relatedItemType": "Instrument",
        "relationType": "IsCollectedBy",
        "titles": [{"title": instrument.name}],
    }


def _rights(resource: Resource) -> Iterable[dict[str, Any]]:
    term, words = _COAR[resource.access]
    yield {
        "rights": words,
        "rightsUri": f"{_COAR_SCHEME}/{term}",
        "rightsIdentifier": term,
        "rightsIdentifierScheme": "COAR Access Rights",
        "schemeUri": _COAR_SCHEME,
    }
    yield {
        "rights": resource.license.name,
        "rightsUri": resource.license.url,
        "rightsIdentifier": resource.license.id,
        "rightsIdentifierScheme": "SPDX",
        "schemeUri": "https://spdx.org/licenses/",
    }


def _grant(grant: Grant) -> dict[str, Any]:
    return {
        "funderName": grant.funder.name,
        "funderIdentifier": grant.funder.ror,
        "funderIdentifierType": "ROR" if grant.funder.ror else None,
        "awardNumber": grant.number,
        "awardUri": grant.url if grant.number else None,
        "awardTitle": grant.title,
    }


def _clean(value: Any) -> Any:
    """Texts without what XML cannot hold; nothing empty; no member of a list twice."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        cleaned = {key: _clean(member) for key, member in value.items()}
        return {key: member for key, member in cleaned.items() if member not in (None, "", [], {})}
    if isinstance(value, list):
        members: list[Any] = []
        for member in map(_clean, value):
            if member not in (None, "", [], {}) and member not in members:
                members.append(member)
        return members
    return value
