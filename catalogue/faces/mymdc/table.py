"""Resources that are plain reference tables: every operation is a verb of the ground."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet

from catalogue.faces.mymdc.call import Call
from catalogue.faces.mymdc.resource import Resource
from catalogue.ground import reference
from catalogue.ground.actor import Actor
from catalogue.ground.models.recorded import Recorded


class Table(Resource):
    """A reference table; `model` is its table."""

    model: ClassVar[type[Recorded]]

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return reference.all_of(self.model)

    def everywhere(self) -> QuerySet[Any]:
        return reference.all_of(self.model)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return reference.enter(self.model, values, by=call.actor)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        reference.change(row, values, by=call.actor)

    def remove(self, call: Call, row: Any) -> None:
        reference.remove(row, by=call.actor)
