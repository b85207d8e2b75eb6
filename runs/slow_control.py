"""Values of the slow control, as a DAQ reports them beside the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.refusal import Refused
from proposals import access
from proposals.models import Proposal
from runs.models import DataGroup, Parameter, Run

LINKS = ("runs", "data_groups")


@transaction.atomic
def enter(rows: Sequence[Mapping[str, Any]], *, by: Actor) -> list[Parameter]:
    """Keep values, each with its columns and the `runs` and `data_groups` it belongs to."""
    of = _of(rows)
    _require(by, of)
    now = clock.now()
    made = Parameter.objects.bulk_create(
        Parameter(created_at=now, **{k: v for k, v in row.items() if k not in LINKS})
        for row in rows
    )
    _link(made, rows)
    _tell("register parameters", of, len(made), by)
    return made


def _link(made: Sequence[Parameter], rows: Sequence[Mapping[str, Any]]) -> None:
    for relation, column in (("runs", "run"), ("data_groups", "datagroup")):
        through = getattr(Parameter, relation).through
        through._default_manager.bulk_create(
            (
                through(**{"parameter": parameter, column: thing})
                for parameter, row in zip(made, rows, strict=True)
                for thing in row.get(relation, ())
            ),
            ignore_conflicts=True,
        )


@transaction.atomic
def change(parameter: Parameter, *, to: Mapping[str, Any], by: Actor) -> Parameter:
    """Change a value; the runs and groups that are named are added to those it belongs to."""
    row = Parameter.objects.select_for_update().get(pk=parameter.pk)
    of = _things([row]) + _of([to])
    _require(by, of)
    plain = {k: v for k, v in to.items() if k not in LINKS and getattr(row, k) != v}
    for name, value in plain.items():
        setattr(row, name, value)
    if plain:
        row.save(update_fields=list(plain))
    _link([row], [to])
    _tell("change parameters", of, 1, by)
    return row


@transaction.atomic
def remove(parameters: Sequence[Parameter], *, by: Actor) -> None:
    """Delete values."""
    of = _things(parameters)
    _require(by, of)
    Parameter.objects.filter(pk__in=[p.pk for p in parameters]).delete()
    _tell("delete parameters", of, len(parameters), by)


def _of(rows: Iterable[Mapping[str, Any]]) -> list[Run | DataGroup]:
    return [thing for row in rows for name in LINKS for thing in row.get(name, ())]


def _things(parameters: Sequence[Parameter]) -> list[Run | DataGroup]:
    mine = {"parameters__in": [p.pk for p in parameters]}
    groups = DataGroup.objects.filter(**mine).select_related("run__proposal").distinct()
    return [*Run.objects.filter(**mine).select_related("proposal").distinct(), *groups]


def _require(by: Actor, of: Iterable[Run | DataGroup]) -> None:
    """A value belongs to the proposals of its runs and data; one that belongs to none is for
    whoever may report everywhere."""
    proposals: dict[int, Proposal] = {thing.proposal.pk: thing.proposal for thing in of}
    for proposal in proposals.values():
        access.require(by, words.DAQ, proposal)
    if not proposals and words.DAQ not in words.facility_wide(by, access.today()):
        raise Refused(
            "Values that belong to no run are reported by programs of the DAQ.", kind="permission"
        )


def _tell(move: str, of: Iterable[Run | DataGroup], count: int, by: Actor) -> None:
    """One entry for each run or group concerned."""
    for thing in {(type(t), t.pk): t for t in of}.values():
        journal.write(thing, move, by=by, facts={"parameters": count})
