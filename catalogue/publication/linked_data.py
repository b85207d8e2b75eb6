"""People, places and files as flattened JSON-LD in the words of schema.org.

RO-Crate and DataCrate both describe a package this way and differ in frame only: the identifier of
the root, how a file is named, the context. What they share is here, so that both say the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from catalogue.publication.resource import (
    Access,
    Contact,
    FileFact,
    Grant,
    Instrument,
    License,
    Organization,
    Person,
    Related,
    Resource,
    RunFact,
    Technique,
    slug,
    visible,
)

Entity: TypeAlias = dict[str, Any]
Ref: TypeAlias = dict[str, str]

_BASED_ON = {"IsDerivedFrom", "IsNewVersionOf", "Continues", "IsVariantFormOf"}
_CITED = {
    *("Cites", "References", "IsCitedBy", "IsReferencedBy"),
    *("IsDescribedBy", "IsDocumentedBy", "IsSupplementTo"),
}
_NOT_IN_A_PATH = re.compile(r"[\x00-\x20\"#%<>?\[\\\]^`{|}\x7f]")
_KIND_NAMES = {"RAW": "raw data", "PROC": "corrected data", "REDU": "reduced data"}


class Graph:
    """Entities by identifier, each once, in the order in which they were first named."""

    def __init__(self) -> None:
        self._entities: dict[str, Entity] = {}

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._entities

    def add(self, entity: Entity) -> Ref:
        """Add `entity` unless its identifier is known; the reference to it either way."""
        identifier: str = entity["@id"]
        self._entities.setdefault(identifier, compact(entity))
        return {"@id": identifier}

    def entities(self) -> list[Entity]:
        return list(self._entities.values())


def compact(entity: Entity) -> Entity:
    """`entity` without empty properties, with a list of one unpacked, with clean texts."""
    compacted = {key: _compact_value(value) for key, value in entity.items()}
    return {key: value for key, value in compacted.items() if value not in (None, "", [], {})}


def _compact_value(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list | tuple):
        members: list[Any] = []
        seen: set[str] = set()
        for member in map(_compact_value, value):
            mark = str(member)
            if member not in (None, "", [], {}) and mark not in seen:
                members.append(member)
                seen.add(mark)
        return members[0] if len(members) == 1 else members
    return value


def path_uri(path: str) -> str:
    """`path` as a relative reference: what ASCII a URI cannot hold is encoded, letters stay."""
    return _NOT_IN_A_PATH.sub(lambda match: f"%{ord(match.group()):02X}", path)


def by_folder(files: Iterable[FileFact]) -> dict[str, list[FileFact]]:
    """Files sorted by place, under their folder (`raw/r0001/`; empty for those at the root)."""
    folders: dict[str, list[FileFact]] = {}
    for fact in sorted(files, key=lambda fact: fact.place):
        folders.setdefault(fact.folder, []).append(fact)
    return folders


# ---------------------------------------------------------------- whom and what


def organization(graph: Graph, it: Organization, contact: Contact | None = None) -> Ref:
    """An organization; where nobody is named, its own page is the point of contact."""
    if it.uri in graph:
        return {"@id": it.uri}
    point: Ref | None = None
    if contact is not None:
        point = contact_point(graph, contact)
    elif it.page is not None:
        point = contact_point(graph, Contact(name=f"{it.name}, web page", url=it.page))
    return graph.add(
        {
            "@id": it.uri,
            "@type": "Organization",
            "name": it.name,
            "url": it.page,
            "contactPoint": point,
        }
    )


def contact_point(graph: Graph, it: Contact) -> Ref:
    return graph.add(
        {
            "@id": it.uri,
            "@type": "ContactPoint",
            "name": it.name,
            "contactType": "customer service",
            "email": it.email,
            "url": it.url,
        }
    )


def person(graph: Graph, it: Person) -> Ref:
    return graph.add(
        {
            "@id": it.uri,
            "@type": "Person",
            "name": it.name,
            "givenName": it.given,
            "familyName": it.family,
            "affiliation": [organization(graph, place) for place in it.affiliations],
        }
    )


def license_entity(graph: Graph, it: License) -> Ref:
    return graph.add(
        {
            "@id": it.url,
            "@type": "CreativeWork",
            "name": it.name,
            "description": it.description,
            "identifier": it.id,
        }
    )


def technique(graph: Graph, it: Technique) -> Ref:
    return graph.add(
        {
            "@id": it.uri,
            "@type": "DefinedTerm",
            "name": it.name,
            "termCode": it.panet,
            "inDefinedTermSet": "http://purl.org/pan-science/PaNET/PaNET.owl",
        }
    )


def instrument(graph: Graph, it: Instrument) -> Ref:
    return graph.add(
        {
            "@id": it.uri,
            "@type": "IndividualProduct",
            "name": it.name,
            "description": it.description,
            "url": it.url,
        }
    )


def grant(graph: Graph, it: Grant) -> Ref:
    return graph.add(
        {
            "@id": it.uri,
            "@type": "Grant",
            "name": it.title or f"Grant {it.number}".strip(),
            "identifier": it.number,
            "funder": organization(graph, it.funder),
        }
    )


def related_work(graph: Graph, it: Related) -> Ref:
    return graph.add({"@id": it.uri, "@type": "CreativeWork", "name": it.title or it.identifier})


# ---------------------------------------------------------------- the root


def root_properties(graph: Graph, resource: Resource) -> Entity:
    """What any description of the whole says, whatever its frame."""
    span = resource.dates.span
    related: dict[str, list[Ref]] = {"isBasedOn": [], "citation": [], "mentions": []}
    for work in resource.related:
        related[_relation(work)].append(related_work(graph, work))
    return {
        "name": resource.title,
        "description": resource.description,
        "url": resource.url,
        "creditText": resource.citation,
        "inLanguage": resource.language,
        "version": resource.version,
        "keywords": list(resource.keywords),
        "license": license_entity(graph, resource.license),
        "publisher": organization(graph, resource.publisher, resource.contact),
        "sourceOrganization": organization(graph, resource.facility),
        "contributor": [person(graph, it) for it in resource.contributors],
        "measurementTechnique": [technique(graph, it) for it in resource.techniques],
        "variableMeasured": list(resource.variables),
        "temporalCoverage": str(span) if span else None,
        "funder": [organization(graph, it.funder) for it in resource.grants],
        "funding": [grant(graph, it) for it in resource.grants],
        "isAccessibleForFree": resource.access is Access.OPEN,
        "conditionsOfAccess": conditions_of_access(resource),
        **related,
    }


def _relation(work: Related) -> str:
    if work.relation in _BASED_ON:
        return "isBasedOn"
    return "citation" if work.relation in _CITED else "mentions"


def conditions_of_access(resource: Resource) -> str:
    """One sentence for a reader: what is to be had, and from when."""
    opens = resource.dates.available
    if resource.access is Access.OPEN:
        return f"Open under {resource.license.name}."
    if resource.access is Access.EMBARGOED:
        return f"Opens on {opens.isoformat()}." if opens else "Under embargo."
    if resource.access is Access.WITHDRAWN:
        return "Withdrawn; this description is kept."
    return "Only this description is public."


# ---------------------------------------------------------------- the payload


def payload(
    graph: Graph,
    files: Sequence[FileFact],
    runs: Sequence[RunFact],
    resource: Resource,
    named: Callable[[str], Entity],
) -> tuple[list[Ref], list[Ref]]:
    """Add folders, files and the runs that made them; answers (parts of the root, runs as actions).

    `named(place)` gives the identity of a file or folder (`{"@id": …}`) in the caller's frame.
    A file of a run that is not described is an error: the caller forgot the run.
    """
    by_number = {run.number: run for run in runs}
    missing = {fact.run for fact in files if fact.run is not None} - by_number.keys()
    if missing:
        raise ValueError(f"files of runs that are not described: {sorted(missing)}")
    parts: list[Ref] = []
    folders = by_folder(files)
    for folder, members in folders.items():
        refs = [_file(graph, fact, named) for fact in members]
        if folder:
            number = members[0].run
            run = None if number is None else by_number[number]
            raw = "" if run is None else _raw_folder(run)
            based_on = named(raw)["@id"] if raw in folders and raw != folder else None
            refs = [graph.add(_folder(graph, members[0], run, refs, based_on) | named(folder))]
        parts += refs
    acted = [run for run in sorted(runs, key=lambda run: run.number) if _raw_folder(run) in folders]
    actions = [_action(graph, run, named(_raw_folder(run))["@id"], resource) for run in acted]
    return parts, actions


def _raw_folder(run: RunFact) -> str:
    return f"raw/r{run.number:04d}/"


def _file(graph: Graph, fact: FileFact, named: Callable[[str], Entity]) -> Ref:
    return graph.add(
        {
            **named(fact.place),
            "@type": "File",
            "name": fact.path.rpartition("/")[2],
            "description": fact.description,
            "contentSize": str(fact.bytes),
            "encodingFormat": fact.encoding_format,
            "sha256": fact.sha256,
        }
    )


def _folder(
    graph: Graph, first: FileFact, run: RunFact | None, parts: list[Ref], based_on: str | None
) -> Entity:
    what = _KIND_NAMES.get(first.kind, f"{first.kind} data")
    entity: Entity = {
        "@type": "Dataset",
        "name": f"{what[0].upper()}{what[1:]}",
        "description": f"{len(parts)} files of {what}.",
        "hasPart": parts,
    }
    if run is None:
        return entity
    return entity | {
        "name": f"Run {run.number}, {what}",
        "description": f"{run_sentence(run)} {len(parts)} files of {what}.",
        "temporalCoverage": _coverage(run),
        "measurementTechnique": [technique(graph, it) for it in run.techniques],
        "additionalProperty": _quality(graph, run),
        "isBasedOn": {"@id": based_on} if based_on else None,
    }


def _action(graph: Graph, run: RunFact, result: str, resource: Resource) -> Ref:
    """The taking of the data: what was in the beam, with which instrument, and when."""
    instruments = run.instruments or resource.instruments
    return graph.add(
        {
            "@id": run.uri,
            "@type": "CreateAction",
            "name": f"Run {run.number}",
            "description": run_sentence(run),
            "startTime": run.began_at.isoformat() if run.began_at else None,
            "endTime": run.ended_at.isoformat() if run.ended_at else None,
            "agent": organization(graph, resource.facility),
            "instrument": [instrument(graph, it) for it in instruments],
            "object": _sample(graph, run),
            "result": {"@id": result},
        }
    )


def run_sentence(run: RunFact) -> str:
    """`Run 3: LCP SFX, sample KR2, assessed Good.`"""
    said = [
        run.kind,
        f"sample {run.sample}" if run.sample else "",
        f"assessed {run.quality}" if run.quality else "",
    ]
    words = ", ".join(part for part in said if part)
    return f"Run {run.number}: {words}." if words else f"Run {run.number}."


def _coverage(run: RunFact) -> str | None:
    if run.began_at is None or run.ended_at is None:
        return None
    return f"{run.began_at.isoformat()}/{run.ended_at.isoformat()}"


def _quality(graph: Graph, run: RunFact) -> Ref | None:
    if not run.quality:
        return None
    return graph.add(
        {
            "@id": f"#assessment-{slug(run.quality)}",
            "@type": "PropertyValue",
            "name": "Assessment",
            "value": run.quality,
        }
    )


def _sample(graph: Graph, run: RunFact) -> Ref | None:
    if not run.sample:
        return None
    return graph.add({"@id": f"#sample-{slug(run.sample)}", "@type": "Thing", "name": run.sample})
