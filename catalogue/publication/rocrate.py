"""A package's contents as an RO-Crate 1.2: `ro-crate-metadata.json` and its HTML preview.

The crate's root is the folder that holds both; paths in it are those of `FileFact.place`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from catalogue.publication import linked_data, pages
from catalogue.publication.linked_data import Entity, Graph, path_uri
from catalogue.publication.resource import FileFact, Resource, RunFact

METADATA_FILE = "ro-crate-metadata.json"
PREVIEW_FILE = "ro-crate-preview.html"
VERSION = "https://w3id.org/ro/crate/1.2"
CONTEXT = "https://w3id.org/ro/crate/1.2/context"


def metadata(
    resource: Resource, files: Sequence[FileFact], runs: Sequence[RunFact], *, created: date
) -> dict[str, Any]:
    """The crate's JSON-LD, flattened; `created` is the day the crate is made.

    The preview is not described: RO-Crate 1.2 recommends to leave it out. Passes the validator's
    required checks always, and its recommended ones where every person has an ORCID and an
    affiliation and every organization a ROR (it asks for those identifiers).
    """
    contents = Graph()
    properties = linked_data.root_properties(contents, resource)
    parts, actions = linked_data.payload(contents, files, runs, resource, _named)
    descriptor: Entity = {
        "@id": METADATA_FILE,
        "@type": "CreativeWork",
        "name": "RO-Crate metadata descriptor",
        "about": {"@id": "./"},
        "conformsTo": {"@id": VERSION},
    }
    root: Entity = {
        "@id": "./",
        "@type": "Dataset",
        **properties,
        "identifier": _identifier(contents, resource),
        "datePublished": _published(resource, created).isoformat(),
        "dateModified": created.isoformat(),
        "author": [linked_data.person(contents, person) for person in resource.creators],
        "mentions": [*properties["mentions"], *actions],
        "hasPart": parts,
    }
    head = [linked_data.compact(descriptor), linked_data.compact(root)]
    return {"@context": CONTEXT, "@graph": [*head, *contents.entities()]}


def preview_html(
    resource: Resource, files: Sequence[FileFact], runs: Sequence[RunFact], *, created: date
) -> str:
    """The same for a reader with a browser and nothing else: one static page, no script."""
    body = [
        pages.heading(1, resource.title),
        pages.paragraph(resource.citation),
        pages.facts(resource, created),
        pages.heading(2, "Description"),
        pages.prose(resource.description),
        pages.heading(2, "People"),
        pages.people(resource),
    ]
    by_number = {run.number: run for run in runs}
    for folder, members in linked_data.by_folder(files).items():
        run = None if members[0].run is None else by_number[members[0].run]
        body.append(pages.heading(2, folder or "Files"))
        if run is not None:
            body.append(pages.paragraph(linked_data.run_sentence(run)))
        body.append(pages.file_table(members, lambda fact: path_uri(fact.place)))
    link = f'<link rel="describedby" type="application/ld+json" href="{METADATA_FILE}">'
    return pages.page(resource.title, body, language=resource.language, head=link)


def _named(place: str) -> Entity:
    return {"@id": path_uri(place)}


def _identifier(graph: Graph, resource: Resource) -> linked_data.Ref | None:
    """The DOI as a property value.

    Its URL is the `@id` and not said again: a checker without a network would try to open it.
    """
    if resource.doi is None or resource.doi_url is None:
        return None
    return graph.add(
        {
            "@id": resource.doi_url,
            "@type": "PropertyValue",
            "name": "DOI",
            "propertyID": "https://registry.identifiers.org/registry/doi",
            "value": f"doi:{resource.doi}",
        }
    )


def _published(resource: Resource, created: date) -> date:
    """The day of publication; a crate made before that day was published when it was made."""
    told = resource.dates.issued or resource.dates.available or created
    return min(told, created)
