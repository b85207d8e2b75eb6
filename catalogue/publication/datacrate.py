"""A package's contents as a DataCrate 1.0.0: `CATALOG.json` and the pages that say the same.

They are tag files at the root of a bag; the payload they describe is under `data/`.
The pages are made from the JSON-LD alone, as the specification describes it: one for the root
(`CATALOG.html`) and one for each other entity at its pairtree path under `CATALOG_files/`. Files
are the exception: each is a row, with all its properties, on the page of its folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from catalogue.publication import linked_data, pages
from catalogue.publication.linked_data import Entity, Graph, path_uri
from catalogue.publication.resource import FileFact, Resource, RunFact

SPECIFICATION = (
    "https://github.com/UTS-eResearch/datacrate/blob/master"
    "/spec/1.0/data_crate_specification_v1.0.md"
)
PROFILE = (
    "https://raw.githubusercontent.com/UTS-eResearch/datacrate/master"
    "/spec/1.0/profile-datacrate-v1.0.json"
)
CATALOG_JSON = "CATALOG.json"
CATALOG_HTML = "CATALOG.html"
PAGES_FOLDER = "CATALOG_files/pairtree_root"
PAYLOAD = "data/"

# DataCrate's own words for terms of schema.org; every other term has schema.org's name.
_RENAMED = {"File": "MediaObject", "path": "contentUrl"}
_SCHEMA = "http://schema.org/"
_FILE_COLUMNS = ("path", "contentSize", "encodingFormat", "description", "sha256")


def catalog_json(
    resource: Resource, files: Sequence[FileFact], runs: Sequence[RunFact], *, created: date
) -> dict[str, Any]:
    """The JSON-LD, flattened, its context inline and from each term straight to a URI.

    `files` are those of the payload; `created` is the day on which the payload last changed.
    """
    contents = Graph()
    properties = linked_data.root_properties(contents, resource)
    parts, actions = linked_data.payload(contents, files, runs, resource, _named)
    root: Entity = {
        "@id": resource.uri,
        "@type": "Dataset",
        "path": PAYLOAD,
        **properties,
        "identifier": [resource.doi_url, resource.doi],
        "creator": [linked_data.person(contents, person) for person in resource.creators],
        "contactPoint": linked_data.contact_point(contents, resource.contact),
        "about": properties["measurementTechnique"],
        "datePublished": (resource.dates.issued or created).isoformat(),
        "dateModified": created.isoformat(),
        "mentions": [*properties["mentions"], *actions],
        "hasPart": parts,
    }
    graph = [linked_data.compact(root), *contents.entities()]
    return {"@context": _context(graph), "@graph": graph}


def catalog_html(catalog: Mapping[str, Any]) -> str:
    """`CATALOG.html`: the root in words, with the whole JSON-LD in its head."""
    site = _Site(catalog)
    root = site.root
    body = [
        pages.heading(1, str(root["name"])),
        pages.paragraph(str(root["creditText"])),
        *site.tables(root, ""),
    ]
    return pages.page(str(root["name"]), body, head=pages.json_script(catalog))


def catalog_files(catalog: Mapping[str, Any]) -> dict[str, str]:
    """The other pages by their path in the bag."""
    site = _Site(catalog)
    made = {}
    for entity in site.with_a_page():
        path = page_path(entity["@id"])
        up = "../" * path.count("/")
        title = str(entity.get("name", entity["@id"]))
        back = pages.link(f"{up}{CATALOG_HTML}", str(site.root["name"]))
        body = [f"<p>{back}</p>", pages.heading(1, title), *site.tables(entity, up)]
        made[path] = pages.page(title, body)
    return made


def page_path(identifier: str) -> str:
    """Where an entity's page lies: its identifier as a pairtree path (Pairtree 0.1, section 3)."""
    cleaned = "".join(_pairtree_character(byte) for byte in identifier.encode())
    pairs = [cleaned[at : at + 2] for at in range(0, len(cleaned), 2)]
    return "/".join([PAGES_FOLDER, *pairs, "index.html"])


def _pairtree_character(byte: int) -> str:
    if byte < 0x21 or byte > 0x7E or chr(byte) in '"*+,<=>?\\^|':
        return f"^{byte:02x}"
    return {"/": "=", ":": "+", ".": ","}.get(chr(byte), chr(byte))


def _named(place: str) -> Entity:
    return {"@id": path_uri(PAYLOAD + place), "path": PAYLOAD + place}


def _context(graph: Iterable[Entity]) -> dict[str, str]:
    """Only terms that are used, as the specification asks."""
    terms = {key for entity in graph for key in entity if not key.startswith("@")}
    terms |= {entity["@type"] for entity in graph}
    return {term: _SCHEMA + _RENAMED.get(term, term) for term in sorted(terms)}


class _Site:
    """The pages of one catalogue: which entity is described where, and who refers to whom."""

    def __init__(self, catalog: Mapping[str, Any]) -> None:
        self._context: Mapping[str, str] = catalog["@context"]
        graph: list[Entity] = catalog["@graph"]
        self.root = graph[0]
        self._entities = {entity["@id"]: entity for entity in graph}
        self._referring: dict[str, list[Entity]] = {}
        for entity in graph:
            for value in entity.values():
                for target in _references(value):
                    self._referring.setdefault(target, []).append(entity)

    def with_a_page(self) -> list[Entity]:
        return [
            entity
            for entity in self._entities.values()
            if entity is not self.root and entity["@type"] != "File"
        ]

    def tables(self, entity: Entity, up: str) -> list[str]:
        """An entity's properties, its files, what refers to it; `up` leads to the bag's root."""
        parts = _references(entity.get("hasPart"))
        files = [self._entities[it] for it in parts if self._is_file(it)]
        folders = [{"@id": it} for it in parts if not self._is_file(it)]
        shown = {key: value for key, value in entity.items() if key != "@id"}
        if parts:
            shown["hasPart"] = folders
        named = [(self._term(key), self._value(value, up)) for key, value in shown.items()]
        found = [pages.rows([("Identifier", self._identifier(entity["@id"])), *named])]
        if files:
            found += [pages.heading(2, "Files"), self._files(files, up)]
        referring = [it for it in self._referring.get(entity["@id"], []) if it["@type"] != "File"]
        if referring:
            links = "".join(f"<li>{self._link(it['@id'], up)}</li>" for it in referring)
            found += [pages.heading(2, "Named by"), f"<ul>{links}</ul>"]
        return found

    def _is_file(self, identifier: str) -> bool:
        return bool(self._entities[identifier]["@type"] == "File")

    def _files(self, files: Sequence[Entity], up: str) -> str:
        head = "".join(f'<th scope="col">{self._term(column)}</th>' for column in _FILE_COLUMNS)
        lines = []
        for entity in files:
            values = [str(entity.get(column, "")) for column in _FILE_COLUMNS]
            first = pages.link(up + entity["@id"], values[0])
            cells = [first, *(pages.text(value) for value in values[1:])]
            lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        return "\n".join(
            [
                "<table>",
                f"<thead><tr>{head}</tr></thead>",
                "<tbody>",
                *lines,
                "</tbody>",
                "</table>",
            ]
        )

    def _term(self, key: str) -> str:
        """A property's name, linked to its definition."""
        return pages.link(self._context[key], key) if key in self._context else "type"

    def _identifier(self, identifier: str) -> str:
        if identifier.startswith(("http://", "https://", "mailto:")):
            return pages.link(identifier, identifier)
        return pages.text(identifier)

    def _value(self, value: Any, up: str) -> str:
        if isinstance(value, list):
            return "<br>".join(self._value(member, up) for member in value)
        if isinstance(value, dict):
            return self._link(value["@id"], up)
        words = ("no", "yes")[value] if isinstance(value, bool) else str(value)
        if words.startswith(("http://", "https://")):
            return pages.link(words, words)
        return pages.text(words)

    def _link(self, identifier: str, up: str) -> str:
        """A link to the page that describes the entity, under its name."""
        entity = self._entities.get(identifier)
        if entity is None:
            return self._identifier(identifier)
        name = str(entity.get("name", identifier))
        page = CATALOG_HTML if entity is self.root else path_uri(page_path(identifier))
        return pages.link(up + page, name)


def _references(value: Any) -> list[str]:
    """The identifiers that a property's value points to."""
    members = value if isinstance(value, list) else [value]
    return [member["@id"] for member in members if isinstance(member, dict)]
