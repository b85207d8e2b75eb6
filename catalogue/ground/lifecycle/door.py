"""The door: one transaction in which a move is made, told and followed by its work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models, transaction
from django.db.models import prefetch_related_objects

from catalogue.ground import journal
from catalogue.ground.access import SYSTEM
from catalogue.ground.actor import Actor
from catalogue.ground.jobs import enqueue
from catalogue.ground.lifecycle import rules
from catalogue.ground.lifecycle.moves import Move
from catalogue.ground.lifecycle.world import World
from catalogue.ground.models import Entry, Thing
from catalogue.ground.refusal import Refused


def advance(method: Callable[..., Any], /, *, by: Actor, reason: str = "", **facts: Any) -> Entry:
    """Make the move `method` (a bound move such as `run.assess`) with its `facts`; the journal's
    entry of it.

    One transaction: lock the row, permission, state, guards, the move, journal, job rows, further
    moves. Raises `Refused`; then nothing has changed. The row that was passed in carries the new
    facts afterwards.
    """
    thing: Thing = method.__self__  # type: ignore[attr-defined]
    move = Move.of(method)
    with transaction.atomic():
        row = lock(thing)
        prefetch_related_objects([row], *rules.reads(move))
        world = World(by=by, facts=facts, reason=reason.strip())
        refusal = first_refusal(move, row, world)
        if refusal is not None:
            raise refusal
        before = getattr(row, move.field)
        changed = _apply(row, move, world)
        if changed:
            row.save(update_fields=changed)
        entry = journal.write(
            row,
            move.name,
            by=by,
            before=str(before),
            after=str(getattr(row, move.field)),
            reason=world.reason,
            facts=_told(facts),
            at=world.now,
        )
        enqueue(rules.wanted(move, row, world), by=by)
        for follow in rules.follows(move):
            follow(row, world)
    _carry_over(row, thing)
    return entry


def lock(thing: Thing) -> Thing:
    """The row of `thing`, read anew and locked, after those that its siblings share.

    SQLite has no row locks: there every transaction is immediate, so the first to begin is alone.
    """
    for name in thing.lock_first:
        parent: Any = thing
        for part in name.split("__")[:-1]:
            parent = getattr(parent, part)
        relation = parent._meta.get_field(name.split("__")[-1])
        related: Any = relation.related_model
        if getattr(parent, relation.attname) is None:
            continue
        related._base_manager.select_for_update().only("pk").get(
            pk=getattr(parent, relation.attname)
        )
    rows = type(thing)._base_manager.select_for_update(of=("self",))
    row: Thing = rows.select_related(*thing.lock_with).get(pk=thing.pk)
    return row


def first_refusal(move: Move, row: Thing, world: World) -> Refused | None:
    """Why `row` may not make `move`, or None. Asked by `advance` and by `explain` alike."""
    refusal = _permission(move, row, world)
    if refusal is not None:
        return refusal
    state = str(getattr(row, move.field))
    if not move.starts_from(state):
        return Refused(
            f"{row.label[:1].upper()}{row.label[1:]} is {say_state(row, move.field)}; "
            f"“{move.spec.label}” is possible from {_say_sources(move)}.",
            kind="state",
        )
    if move.spec.reason and not world.reason:
        return Refused(f"“{move.spec.label}” needs a reason.", kind="reason")
    for guard in rules.guards(move):
        answer = guard(row, world)
        if answer is not None:
            return answer if isinstance(answer, Refused) else Refused(answer)
    return None


def _permission(move: Move, row: Thing, world: World) -> Refused | None:
    if world.by.system:
        return None
    if move.spec.by == SYSTEM:
        return Refused(f"“{move.spec.label}” is made by the catalogue itself.", kind="permission")
    rule = rules.access_rule(type(row))
    if rule is None:
        return Refused(f"Nobody may make “{move.spec.label}”.", kind="permission")
    return rule(world, move.spec.by, row)


def say_state(row: Thing, field: str) -> str:
    """The state of `row` in the field's words, e.g. "closed"."""
    display = getattr(row, f"get_{field}_display", None)
    text = str(display()) if display else str(getattr(row, field))
    return (text[:1].lower() + text[1:]) or "without one"


def _say_sources(move: Move) -> str:
    field = move.model._meta.get_field(move.field)
    words = dict(getattr(field, "flatchoices", ()))
    names = [str(words.get(s, s) or "none yet").lower() for s in move.sources]
    return " or ".join(names)


def _apply(row: Thing, move: Move, world: World) -> list[str]:
    """Make the move on `row`; the names of the fields it changed."""
    fields = [f for f in row._meta.concrete_fields if not f.primary_key]
    before = {f.attname: row.__dict__.get(f.attname) for f in fields}
    move.make(row, world.facts, world.reason)
    return [f.name for f in fields if row.__dict__.get(f.attname) != before[f.attname]]


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in facts.items() if v not in (None, "", {}, [])}


def _carry_over(row: models.Model, thing: models.Model) -> None:
    """Give the caller's row the values of the saved one; a relation that changed is read anew."""
    for f in row._meta.concrete_fields:
        value = row.__dict__.get(f.attname)
        if f.is_relation and thing.__dict__.get(f.attname) != value:
            thing._state.fields_cache.pop(f.name, None)
        thing.__dict__[f.attname] = value
