"""DOIs that programs outside have made: entering them, and what is said of them.

Those of proposals are made by the catalogue, which tells the registrar; they are not touched here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from catalogue.ground import access, clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.models import Doi
from catalogue.ground.refusal import Refused


def everything() -> QuerySet[Doi]:
    """All DOIs, for the rule that no two have the same name."""
    return Doi.objects.all()


@transaction.atomic
def enter(*, name: str, facts: Mapping[str, Any], by: Actor) -> Doi:
    """A DOI of something that is kept elsewhere. It is a draft: the registrar was told nothing."""
    _require(by)
    doi = Doi(name=name, url="", **facts)
    doi.save(force_insert=True)
    journal.write(doi, "enter", by=by, after=doi.state, facts=dict(facts))
    return doi


@transaction.atomic
def change(doi: Doi, *, to: Mapping[str, Any], by: Actor) -> None:
    """What is said of a DOI. Its name stands once the registrar knows it."""
    _require(by)
    row = Doi.objects.select_for_update().get(pk=doi.pk)
    changes = {name: value for name, value in to.items() if getattr(row, name) != value}
    if not changes:
        return
    if row.proposal is not None or row.state != Doi.State.DRAFT:
        raise Refused(f"{row.label} is kept by the catalogue; programs do not change it.")
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))
    journal.write(row, "change", by=by, facts=changes)


@transaction.atomic
def remove(doi: Doi, *, by: Actor) -> None:
    """Forget a draft; what a registrar knows is never deleted."""
    _require(by)
    row = Doi.objects.select_for_update().get(pk=doi.pk)
    if row.proposal is not None or row.state != Doi.State.DRAFT:
        raise Refused(f"{row.label} is registered or a proposal's; it is never deleted.")
    journal.write(row, "remove", by=by, before=row.state)
    row.delete()


def _require(by: Actor) -> None:
    today = clock.now().astimezone(clock.facility_zone()).date()
    if access.ADMINISTER not in access.facility_wide(by, today):
        raise Refused("DOIs are entered by data managers.", kind="permission", who="data managers")
