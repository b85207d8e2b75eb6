"""Resources of the constants catalogue: rows of its tables, over its verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import QuerySet

from catalogue.faces.mymdc.call import Call
from catalogue.faces.mymdc.resource import Resource
from catalogue.ground.actor import Actor
from catalogue.ground.models import Entered
from runs.constants import entering, reading


class Kept(Resource):
    """Rows of one table, which everybody may read. `found` are all of them, ready to be shown."""

    kind: ClassVar[type[Entered]]
    found: ClassVar[Callable[[], QuerySet[Any]]]

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return type(self).found()

    def everywhere(self) -> QuerySet[Any]:
        return reading.all_of(type(self).kind)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return entering.enter(type(self).kind, by=call.actor, **values)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        entering.edit(row, by=call.actor, **values)

    def remove(self, call: Call, row: Any) -> None:
        entering.remove(row, by=call.actor)
