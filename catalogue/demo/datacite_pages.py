"""The stand-in's two pages for people: what it is and which DOIs it holds, and one DOI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from catalogue.publication import pages

_WHAT = (
    "This is not DataCite: it is a stand-in that speaks DataCite's REST API on this machine, for "
    "demonstration and tests, and the DOIs it holds resolve nowhere else."
)
_STATES = {
    "draft": "draft",
    "registered": "registered, internal only",
    "findable": "findable",
}


def home(records: Sequence[dict[str, Any]]) -> str:
    """What this is, and its DOIs."""
    lines = [
        f"<tr><td>{_link(record)}</td><td>{pages.text(_STATES[record['state']])}</td>"
        f"<td>{_page(record)}</td></tr>"
        for record in records
    ]
    head = (
        '<tr><th scope="col">DOI</th><th scope="col">State</th><th scope="col">Leads to</th></tr>'
    )
    table = ["<table>", f"<thead>{head}</thead>", "<tbody>", *lines, "</tbody>", "</table>"]
    listed = table if lines else [pages.paragraph("It holds no DOI yet.")]
    title = "A stand-in for DataCite"
    return pages.page(title, [pages.heading(1, title), pages.paragraph(_WHAT), *listed])


def doi(record: dict[str, Any]) -> str:
    """One DOI; what is not findable shows no metadata, as at DataCite."""
    facts = [
        ("State", pages.text(_STATES[record["state"]])),
        ("Leads to", _page(record)),
        ("Changed", pages.text(record["updated"])),
    ]
    if record["state"] == "findable":
        titles = "; ".join(title["title"] for title in record["titles"])
        creators = "; ".join(creator["name"] for creator in record["creators"])
        facts += [
            ("Title", pages.text(titles)),
            ("Creators", pages.text(creators)),
            ("Publication year", pages.text(str(record["publicationYear"]))),
        ]
    back = f"<p>{pages.link('/', 'All DOIs of this stand-in')}</p>"
    body = [back, pages.heading(1, record["doi"]), pages.paragraph(_WHAT), pages.rows(facts)]
    return pages.page(record["doi"], body)


def _link(record: dict[str, Any]) -> str:
    return pages.link(f"/dois/{quote(record['doi'], safe='/')}", record["doi"])


def _page(record: dict[str, Any]) -> str:
    url = str(record.get("url") or "")
    return pages.link(url, url) if url else ""
