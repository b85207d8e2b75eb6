"""What goes into a package, where, and what is written beside it; copying is somebody else's.

By default one bag of version 0.97, because DataCrate 1.0 accepts no newer: an RO-Crate 1.2 as
payload, a DataCrate's catalogue as tag files. Without the DataCrate it is a bag of version 1.0.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from catalogue.publication import bagit, datacite, datacrate, rocrate
from catalogue.publication.resource import FileFact, Resource, RunFact, visible

PAYLOAD = "data/"
DATACITE_FILE = "metadata/datacite.xml"
SOFTWARE = "Lightkeeper"


class Planned(NamedTuple):
    """A file to copy: what is known of it, and its path in the bag."""

    file: FileFact
    path: str


@dataclass(frozen=True, slots=True)
class PackagePlan:
    """A whole bag: `payload` is to be copied, `generated` to be written, both by path in the bag.

    `generated` holds the crate's two metadata files under `data/` and every tag file.
    """

    version: bagit.Version
    payload: tuple[Planned, ...]
    generated: Mapping[str, bytes]

    @property
    def bytes(self) -> int:
        """Size of the whole bag."""
        copied = sum(planned.file.bytes for planned in self.payload)
        return copied + sum(len(content) for content in self.generated.values())

    @property
    def files(self) -> int:
        """Number of files in the whole bag."""
        return len(self.payload) + len(self.generated)


def plan(
    resource: Resource,
    files: Sequence[FileFact],
    runs: Sequence[RunFact],
    *,
    created: date,
    datacrate_too: bool = True,
) -> PackagePlan:
    """The bag of these files; the same arguments give the same bytes, in whatever order they come.

    Raises ValueError where there is nothing to package, a file's run is missing from `runs`, or a
    name cannot be in a bag (bagit.UnsafePathError).
    """
    if not files:
        raise ValueError("there is nothing to package")
    version: bagit.Version = "0.97" if datacrate_too else "1.0"
    ordered = sorted(files, key=lambda fact: fact.place)
    crate = _crate(resource, ordered, runs, created)
    described = [*ordered, *_facts_of(crate)]
    tags: dict[str, bytes] = {}
    if resource.doi is not None:
        tags[DATACITE_FILE] = datacite.xml(resource)
    if datacrate_too:
        tags |= _catalogue(resource, described, runs, created)
    written = bagit.tag_files(
        [bagit.ManifestLine(PAYLOAD + it.place, it.bytes, it.sha256) for it in described],
        _info(resource, datacrate_too),
        bagging_date=created,
        version=version,
        extra_tag_files=tags,
    )
    generated = {PAYLOAD + name: content for name, content in crate.items()} | written
    return PackagePlan(
        version=version,
        payload=tuple(Planned(fact, PAYLOAD + fact.place) for fact in ordered),
        generated=MappingProxyType(generated),
    )


def _crate(
    resource: Resource, files: Sequence[FileFact], runs: Sequence[RunFact], created: date
) -> dict[str, bytes]:
    document = rocrate.metadata(resource, files, runs, created=created)
    preview = rocrate.preview_html(resource, files, runs, created=created)
    return {rocrate.METADATA_FILE: _json(document), rocrate.PREVIEW_FILE: preview.encode()}


def _facts_of(crate: Mapping[str, bytes]) -> list[FileFact]:
    """The crate's own two files, as the bag's manifest and the DataCrate need them."""
    told = {
        rocrate.METADATA_FILE: ("application/ld+json", "Description of these data, for programs"),
        rocrate.PREVIEW_FILE: ("text/html", "Description of these data, for people"),
    }
    return [
        FileFact(
            path=name,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            description=told[name][1],
            encoding_format=told[name][0],
            run=None,
            kind="",
        )
        for name, content in crate.items()
    ]


def _catalogue(
    resource: Resource, files: Sequence[FileFact], runs: Sequence[RunFact], created: date
) -> dict[str, bytes]:
    catalog = datacrate.catalog_json(resource, files, runs, created=created)
    pages = datacrate.catalog_files(catalog)
    return {
        datacrate.CATALOG_JSON: _json(catalog),
        datacrate.CATALOG_HTML: datacrate.catalog_html(catalog).encode(),
        **{path: page.encode() for path, page in pages.items()},
    }


def _info(resource: Resource, datacrate_too: bool) -> dict[str, str]:
    """bag-info.txt; empty values are left out."""
    info = {
        "Source-Organization": resource.publisher.name,
        "Contact-Name": resource.contact.name,
        "Contact-Email": resource.contact.email or "",
        "External-Description": resource.description,
        "External-Identifier": resource.uri,
        "Internal-Sender-Identifier": f"p{resource.proposal:06d}",
        "Internal-Sender-Description": resource.title,
        "Bag-Software-Agent": SOFTWARE,
    }
    if datacrate_too:
        info["BagIt-Profile-Identifier"] = datacrate.PROFILE
        info["DataCrate-Specification-Identifier"] = datacrate.SPECIFICATION
    return {label: visible(value) for label, value in info.items() if visible(value)}


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1).encode()
