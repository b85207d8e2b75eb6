"""What is asked of a proposal by its number: its runs, and sums over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import URLPattern

from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.errors import Missing
from catalogue.faces.mymdc.listing import page_of
from catalogue.faces.mymdc.metadata import runs_shown
from catalogue.faces.mymdc.metadata.proposals import NUMBER, UNKNOWN, Proposals
from catalogue.faces.mymdc.metadata.runs import Runs
from catalogue.faces.mymdc.resource import at
from catalogue.ground import words
from catalogue.ground.actor import Actor
from proposals import listings
from proposals.models import Proposal
from runs import lookup, summing
from runs.models import Run

RUN = r"(?P<run>-?[0-9]{1,18})"
MEGABYTE = 10**6


class Numbered(Proposals):
    """Further addresses of proposals; their rows are served by `Proposals`."""

    def urls(self) -> list[URLPattern]:
        return [
            at(f"{self.path}/by_number/{NUMBER}/runs", get=self.runs),
            at(f"{self.path}/by_number/{NUMBER}/runs/{RUN}", get=self.runs),
            at(f"{self.path}/{NUMBER}/statistics", get=self.statistics),
        ]

    def runs(self, call: Call, number: str, run: str | None = None) -> Answer:
        """A page of its runs by number, each with the repositories that hold data of it."""
        proposal = _known(call.actor, number)
        found = lookup.runs_told(call.actor).filter(proposal=proposal).order_by("number")
        if run is not None:
            found = found.filter(number=int(run))
        page = page_of(call, found, _with_places)
        named = {"id": proposal.pk, "number": proposal.number, "title": proposal.title}
        return Answer({"proposal": named, "runs": page.data}, headers=page.headers)

    def statistics(self, call: Call, number: str) -> Answer:
        """Sums over its runs, for those who know it from inside."""
        proposal = self.numbered(call, number)
        if not proposal.inside:
            raise Missing(UNKNOWN.format(number))
        sums = summing.of_proposal(proposal)
        return Answer(
            {
                "number": proposal.number,
                "title": proposal.title,
                "num_runs": sums["runs"],
                "num_team": len(proposal.memberships.all()),
                "total_size": words.bytes_text(sums["bytes"]),
                "total_size_mb": sums["bytes"] // MEGABYTE,
                "num_files": sums["files"],
                "num_cal": sums["corrections"],
                "num_cal_const": sums["constants"],
            }
        )


def _known(actor: Actor, number: str) -> Proposal:
    proposal = listings.numbered(actor, int(number))
    if proposal is None:
        raise Missing(UNKNOWN.format(number))
    return proposal


def _with_places(rows: Sequence[Run]) -> list[dict[str, Any]]:
    places = summing.places_of(rows)
    return [
        {**told, "repositories": {p["identifier"]: _place(p) for p in places.get(told["id"], [])}}
        for told in runs_shown.scalars(Runs.columns, rows)
    ]


def _place(place: dict[str, Any]) -> dict[str, Any]:
    return {
        "identifier": place["identifier"],
        "name": place["name"],
        "mount_point": place["mount"],
        "data_groups": place["groups"],
        "flg_available": place["available"],
    }


RESOURCES = (Numbered,)
