"""Digital object identifiers."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from catalogue.faces.mymdc.call import Call
from catalogue.faces.mymdc.columns import flag, integer, text
from catalogue.faces.mymdc.metadata import rules
from catalogue.faces.mymdc.resource import Resource, Unique
from catalogue.ground import identifiers
from catalogue.ground.actor import Actor
from catalogue.ground.models import Doi
from proposals import listings


def _published(doi: Doi) -> bool:
    return bool(doi.state == Doi.State.FINDABLE)


def _by_the_registrar(value: Any) -> str | None:
    return "becomes true when the registrar has made it findable" if value else None


class DigitalObjectIdentifiers(Resource):
    path, wrapper = "digital_object_identifiers", "digital_object_identifier"
    columns = (
        text("doi", 255, read="name", write="name", lookup="name__iexact", required=True),
        flag("flg_published", read=_published, write="published", lookup="published", fixed=True,
             default=False, empty=False, rules=(_by_the_registrar,)),
        text("context_class", 60, required=True, lookup="context_class"),
        text("context_model", 60, required=True, lookup="context_model"),
        integer("context_id", lookup="context_id"),
        rules.available(),
        rules.description(),
    )  # fmt: skip
    unique = (Unique(("doi",)),)

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return listings.dois(actor)

    def everywhere(self) -> QuerySet[Any]:
        return identifiers.everything()

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        values.pop("published")
        return identifiers.enter(name=values.pop("name"), facts=values, by=call.actor)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        identifiers.change(row, to=values, by=call.actor)

    def remove(self, call: Call, row: Any) -> None:
        identifiers.remove(row, by=call.actor)


RESOURCES: tuple[type[Resource], ...] = (DigitalObjectIdentifiers,)
