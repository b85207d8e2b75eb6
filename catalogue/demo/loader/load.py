"""The order in which the demo facility is entered."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from django.db import transaction

from catalogue.demo import facility
from catalogue.demo.loader import people, places
from catalogue.demo.loader.by import LOADER
from catalogue.demo.loader.coming import announce
from catalogue.demo.loader.history import enter
from catalogue.ground import clock
from policies import commands, queries, standard


def load(
    stores: Path, tokens: Path, *, way: str = facility.NATIVE, secrets: Path | None = None
) -> None:
    """Enter the whole demo facility, with its stores as folders below `stores`; the programs'
    tokens are kept in the file `tokens`, which nobody else may read. In a facility whose DAQ and
    transfer service use `metadata_client`, ids and `secrets` of their applications are kept too."""
    today: date = clock.now().astimezone(clock.facility_zone()).date()
    with transaction.atomic():
        places.enter_facility(today)
        places.enter_stores(stores, way)
        people.enter_people()
        _adopt_policy()
    people.enter_programs(tokens)
    if way == facility.METADATA_CLIENT and secrets is not None:
        people.enter_applications(secrets)
    for past in facility.PAST:
        enter(past)
    announce(today)


def _adopt_policy() -> None:
    """The default policy at the demo's pace; its texts say so."""
    if queries.in_force(clock.now()) is None:
        commands.adopt_policy(
            name=standard.NAME,
            clauses=standard.clauses(standard.DEMO),
            by=LOADER,
            valid_from=clock.now(),
            description="The default policy, for the demo with seconds in the place of months.",
        )
