"""Many records in one body: checked together, so that what their ids name is asked for once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.call import Call
from catalogue.faces.mymdc.columns import BLANK, EXISTS, Column, checked
from catalogue.faces.mymdc.errors import Wrong
from catalogue.ground.actor import Actor

MOST: Final = 10_000
SHOWN: Final = 20
"""Complaints told of one call."""


def of(call: Call, wrapper: str) -> list[dict[str, Any]]:
    """The records in the body, below `wrapper`. Raises `Wrong`."""
    records = call.body.get(wrapper) if isinstance(call.body, dict) else None
    if not isinstance(records, list) or not records:
        raise Wrong({wrapper: [BLANK if records in (None, []) else "is invalid"]})
    if len(records) > MOST:
        raise Wrong({wrapper: [f"is too long (maximum is {MOST} records)"]})
    if not all(isinstance(record, dict) for record in records):
        raise Wrong({wrapper: ["is invalid"]})
    return records


def at(wrapper: str, position: int, info: Any) -> dict[str, Any]:
    """What is wrong with one record of a list, by names that say with which."""
    told = info if isinstance(info, Mapping) else {"record": [info]}
    return {f"{wrapper}[{position}].{name}": why for name, why in told.items()}


def refuse(wrong: Mapping[str, Any]) -> None:
    """Raise `Wrong` with the first complaints, if there are any."""
    if wrong:
        raise Wrong(dict(list(wrong.items())[:SHOWN]))


def new(
    columns: Sequence[Column], records: Sequence[Mapping[str, Any]], wrapper: str, actor: Actor
) -> list[dict[str, Any]]:
    """The values of new rows, one for each record. Raises `Wrong`."""
    plain = [replace(column, exists=None) if column.exists else column for column in columns]
    found: list[dict[str, Any]] = []
    wrong: dict[str, Any] = {}
    for position, record in enumerate(records):
        try:
            found.append(checked(plain, record, None, actor))
        except Wrong as error:
            wrong |= at(wrapper, position, error.info)
    refuse(wrong)
    for column in columns:
        if column.exists is None:
            continue
        name = str(column.argument)
        wanted = {values[name] for values in found} - {None}
        there = {row.pk: row for row in column.exists(actor).filter(pk__in=wanted)}
        for position, values in enumerate(found):
            if values[name] is not None and values[name] not in there:
                wrong |= at(wrapper, position, {column.association: [EXISTS]})
            values[name] = there.get(values[name])
    refuse(wrong)
    return found


def whole(value: Any, name: str) -> int | None:
    """A whole number inside of a record. Raises `Wrong`."""
    try:
        return wire.integer(value)
    except wire.Unreadable as error:
        raise Wrong({name: [str(error)]}) from None


def whole_of(record: Mapping[str, Any], name: str) -> int | None:
    """The same, by its name in the record."""
    return whole(record.get(name), name)
