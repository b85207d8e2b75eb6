"""Static HTML for packages: readable from a disk, without network, scripts or other files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from html import escape
from typing import Any

from catalogue.publication.linked_data import conditions_of_access
from catalogue.publication.resource import FileFact, Person, Resource, visible

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; padding: 0 1rem; max-width: 72rem; }
p { max-width: 72ch; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
tr { border-bottom: 1px solid #8884; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
code { overflow-wrap: anywhere; }
"""


def page(title: str, body: Iterable[str], *, language: str = "en", head: str = "") -> str:
    """A whole HTML5 document; `body` and `head` are markup, `title` is text."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{text(language)}">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title)}</title>",
            f"<style>{_STYLE}</style>",
            head,
            "</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
    )


def text(words: str) -> str:
    """`words` with what markup would misread, or a page cannot hold, taken care of."""
    return escape(visible(words))


def json_script(document: Mapping[str, Any]) -> str:
    """JSON-LD in a `script` element; `<` is written so that no text in it can end the element."""
    content = json.dumps(document, ensure_ascii=False, indent=1).replace("<", "\\u003c")
    return f'<script type="application/ld+json">\n{content}\n</script>'


def heading(level: int, words: str) -> str:
    return f"<h{level}>{text(words)}</h{level}>"


def paragraph(words: str) -> str:
    return f"<p>{text(words)}</p>"


def prose(words: str) -> str:
    """Paragraphs where the text has empty lines."""
    return "\n".join(paragraph(part) for part in words.split("\n\n") if part.strip())


def link(url: str, words: str) -> str:
    """A link where the address is one a browser may follow, else the words alone."""
    if url.lower().startswith(("javascript:", "data:", "vbscript:")):
        return text(words)
    return f'<a href="{text(url)}">{text(words)}</a>'


def rows(pairs: Iterable[tuple[str, str]]) -> str:
    """A table of two columns, name and value, both markup; empty values are left out."""
    lines = [
        f'<tr><th scope="row">{name}</th><td>{value}</td></tr>' for name, value in pairs if value
    ]
    return "\n".join(["<table>", *lines, "</table>"])


def facts(resource: Resource, created: date) -> str:
    """What a reader asks first: identifier, rights, where and when, whom to ask."""
    beamtimes = ", ".join(
        f"{period.begin.isoformat()} to {period.end.isoformat()}"
        for period in resource.dates.collected
    )
    contact = resource.contact
    mail = link(f"mailto:{contact.email}", contact.email) if contact.email else ""
    return rows(
        [
            ("Identifier", link(resource.uri, resource.uri)),
            ("Page", link(resource.url, resource.url)),
            ("Access", text(conditions_of_access(resource))),
            ("Licence", link(resource.license.url, resource.license.name)),
            ("Publisher", text(resource.publisher.name)),
            ("Facility", text(resource.facility.name)),
            ("Instrument", text(", ".join(it.name for it in resource.instruments))),
            ("Technique", text(", ".join(it.name for it in resource.techniques))),
            ("Proposal", text(f"{resource.proposal:06d}")),
            ("Beamtime", text(beamtimes)),
            ("Package made", text(created.isoformat())),
            ("Contact", f"{link(contact.url, contact.name)} {mail}".strip()),
        ]
    )


def people(resource: Resource) -> str:
    """Everybody once, in order."""
    everybody = dict.fromkeys((*resource.creators, *resource.contributors))
    return "\n".join(["<ul>", *(f"<li>{_person(person)}</li>" for person in everybody), "</ul>"])


def _person(person: Person) -> str:
    name = link(person.orcid_url, person.name) if person.orcid_url else text(person.name)
    places = ", ".join(place.name for place in person.affiliations)
    return f"{name}, {text(places)}" if places else name


def number(amount: int) -> str:
    """Digits in groups of three, a thin space between."""
    return f"{amount:,}".replace(",", "\u2009")


def file_table(files: Sequence[FileFact], href: Callable[[FileFact], str]) -> str:
    """Name, size, description and checksum of each file, linked to it."""
    lines = [
        f"<tr><td>{link(href(fact), fact.path)}</td>"
        f'<td class="number">{number(fact.bytes)}</td>'
        f"<td>{text(fact.description)}</td><td><code>{fact.sha256}</code></td></tr>"
        for fact in files
    ]
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("File", "Bytes", "Description", "SHA-256")
    )
    return "\n".join(
        ["<table>", f"<thead><tr>{head}</tr></thead>", "<tbody>", *lines, "</tbody>", "</table>"]
    )
