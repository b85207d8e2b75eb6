"""Reference tables: entering, changing and removing their rows, for those who administer them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import Model, OuterRef, QuerySet, Subquery

from catalogue.ground import access, clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.models import DataKind, Store
from catalogue.ground.models.recorded import Recorded
from catalogue.ground.refusal import Refused

R = TypeVar("R", bound=Recorded)
Objection = Callable[[Any], str | None]
"""Why a column of a row has to stay as it is, or None."""

_RELIED_ON: Final[dict[tuple[type[Recorded], str], Objection]] = {}


def rely_on(table: type[R], column: str, objection: Objection) -> None:
    """Have `objection` asked before `column` of a row of `table` is changed: an app says so of what
    its own rows are built on."""
    _RELIED_ON[table, column] = objection


def objection_to(row: Recorded, column: str) -> str | None:
    """Why a column of a row, which is as it is stored, has to stay as it is, or None."""
    objection = _RELIED_ON.get((type(row), column))
    return objection(row) if objection is not None else None


def all_of(table: type[R]) -> QuerySet[R]:
    """The rows of a reference table; everybody who has an account may read them."""
    return table._default_manager.all()


def stores() -> QuerySet[Store]:
    """All stores, each with the id of the kind of data it is for as `kind_id`."""
    kinds = DataKind.objects.filter(identifier=OuterRef("kind")).values("pk")
    return Store.objects.annotate(kind_id=Subquery(kinds[:1]))


@transaction.atomic
def enter(table: type[R], values: Mapping[str, Any], *, by: Actor) -> R:
    """A new row."""
    _require(by)
    row = table(**values)
    row.save(force_insert=True)
    journal.write(row, "enter", by=by, facts=_told(values))
    return row


@transaction.atomic
def change(row: R, values: Mapping[str, Any], *, by: Actor) -> R:
    """Other values for some columns of a row."""
    _require(by)
    locked = type(row)._default_manager.select_for_update().get(pk=row.pk)
    changed = {name: value for name, value in values.items() if getattr(locked, name) != value}
    for name in changed:
        why = objection_to(locked, name)
        if why is not None:
            raise Refused(why, kind="state", who="a data manager")
    for name, value in changed.items():
        setattr(locked, name, value)
    if changed:
        locked.save(update_fields=list(changed))
        journal.write(locked, "change", by=by, facts=_told(changed))
    return locked


@transaction.atomic
def relate(row: Recorded, name: str, others: Collection[Model], *, by: Actor) -> None:
    """Name all rows that the relation `name` of a row leads to from now on."""
    _require(by)
    relation = getattr(row, name)
    before = {other.pk for other in relation.all()}
    if before != {other.pk for other in others}:
        relation.set(others)
        journal.write(row, "relate", by=by, facts={name: sorted(str(o) for o in others)})


@transaction.atomic
def remove(row: Recorded, *, by: Actor) -> None:
    """Delete a row that no other refers to. Raises `ProtectedError`."""
    _require(by)
    journal.write(row, "remove", by=by)
    row.delete()


def _require(by: Actor) -> None:
    today = clock.now().astimezone(clock.facility_zone()).date()
    if access.ADMINISTER not in access.facility_wide(by, today):
        raise Refused(
            "Reference tables are changed by data managers.", kind="permission", who="Data managers"
        )


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Model) else value for name, value in values.items()
    }
