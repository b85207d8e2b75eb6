"""The one default policy: its clauses, at the pace of a facility and at that of a demo.

Chosen where the domain names no number: RAW stays online for a month and two verified copies
remain; ten years in mass storage, and never the last copy there. What no clause speaks of is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NAME = "Standard"
KEPT = ["good", "unclear"]
DATA = ["RAW", "PROC", "REDU"]
ARCHIVES = ["mass_storage", "tape"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the short terms are: (number, unit) for data online, and for the notice before a
    removal. Terms of years are the same everywhere. `note` ends the text of each short clause."""

    online: tuple[int, str]
    grace: tuple[int, str]
    note: str = ""


FACILITY = Pace(online=(1, "months"), grace=(7, "days"))
DEMO = Pace(
    online=(20, "seconds"),
    grace=(10, "seconds"),
    note=" In this demo seconds stand for months and days.",
)


def clauses(pace: Pace) -> list[dict[str, Any]]:
    """The clauses as `policies.commands.adopt_policy` takes them."""
    return [{"order": order, **clause} for order, clause in enumerate(_clauses(pace), 1)]


def _clauses(pace: Pace) -> Iterator[dict[str, Any]]:
    online, grace = _span("keep", pace.online), _span("grace", pace.grace)
    yield {
        "text": f"Data of runs that are not interesting go after a time of notice.{pace.note}",
        "kinds": DATA,
        "qualities": ["not_interesting"],
        "tiers": ["online", "offline", *ARCHIVES],
        **_span("keep", (0, "days")),
        **grace,
        "counted_from": "assessed",
        "minimum_replicas": 0,
        "remaining_tiers": [],
    }
    yield {
        "text": f"Raw data leave the online store when two other copies are safe.{pace.note}",
        "kinds": ["RAW"],
        "qualities": KEPT,
        "tiers": ["online"],
        **online,
        **grace,
        "counted_from": "closed",
        "minimum_replicas": 2,
        "remaining_tiers": ["offline", *ARCHIVES],
        **_span("verified_within", (1, "years")),
    }
    yield {
        "text": f"Corrected data leave the online store when another copy is safe.{pace.note}",
        "kinds": ["PROC", "REDU"],
        "qualities": KEPT,
        "tiers": ["online"],
        **online,
        **grace,
        "counted_from": "closed",
        "minimum_replicas": 1,
        "remaining_tiers": ["offline", *ARCHIVES],
        **_span("verified_within", (1, "years")),
    }
    yield {
        "text": "Raw data stay at hand for five years, longer where the archive has one copy only.",
        "kinds": ["RAW"],
        "qualities": KEPT,
        "tiers": ["offline"],
        **_span("keep", (5, "years")),
        "counted_from": "beamtime_end",
        "minimum_replicas": 2,
        "remaining_tiers": ARCHIVES,
        **_span("verified_within", (1, "years")),
    }
    yield {
        "text": "Raw data are archived for ten years, and never is the last archived copy removed.",
        "kinds": ["RAW"],
        "qualities": KEPT,
        "tiers": ARCHIVES,
        **_span("keep", (10, "years")),
        "counted_from": "beamtime_end",
        "minimum_replicas": 1,
        "remaining_tiers": ARCHIVES,
        **_span("verified_within", (1, "years")),
    }


def _span(name: str, span: tuple[int, str]) -> dict[str, Any]:
    return {f"{name}_count": span[0], f"{name}_unit": span[1]}
