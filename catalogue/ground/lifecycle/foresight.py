"""The door's dry run: what a move would bring about, or why it is refused.

`explain` asks the same guards and the same plans as `advance`, on a copy of the row on which the
move has been made; so what is foretold is what happens.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from django.db.models import prefetch_related_objects

from catalogue.ground.actor import Actor
from catalogue.ground.lifecycle import rules
from catalogue.ground.lifecycle.door import first_refusal
from catalogue.ground.lifecycle.moves import Move, all_moves
from catalogue.ground.lifecycle.rules import Consequence
from catalogue.ground.lifecycle.world import World
from catalogue.ground.models import Thing
from catalogue.ground.refusal import Refused

Answer = Refused | Consequence

# A reason is asked for when the move is made; a dry run supposes that it will be given.
_SUPPOSED = "to be given"


def explain(
    move: Callable[..., Any], thing: Thing | None = None, by: Actor | None = None, **facts: Any
) -> list[Answer]:
    """What `move` of `thing` would bring about: `[Refused]`, or the consequences in order."""
    row: Thing = thing if thing is not None else move.__self__  # type: ignore[attr-defined]
    if by is None:
        raise TypeError("explain needs the actor: by=")
    return _explain(Move.of(move), row, World(by=by, facts=facts, reason=_SUPPOSED))


def explain_many(
    moves: Sequence[Callable[..., Any]], things: Sequence[Thing], by: Actor, **facts: Any
) -> dict[int, dict[str, list[Answer]]]:
    """`explain` of several moves for many rows of one model: row id -> move name -> answers.

    The relations that the rules say they read are fetched for all rows at once, and what rows
    share is kept in one memo, so the number of queries does not grow with the rows.
    """
    known = [Move.of(m) for m in moves]
    lookups = sorted({r for m in known for r in rules.reads(m, ahead=True)})
    prefetch_related_objects(list(things), *lookups)
    world = World(by=by, facts=facts, reason=_SUPPOSED)
    return {t.pk: {m.name: _explain(m, t, world) for m in known} for t in things}


def moves_of(
    thing: Thing, by: Actor, fields: Collection[str] | None = None
) -> list[tuple[Move, list[Answer]]]:
    """The moves that people may make from where `thing` stands, each with its answers; moves that
    need facts beyond a reason are asked without them. With `fields` only the moves of these."""
    world = World(by=by, reason=_SUPPOSED)
    return [
        (move, _explain(move, thing, world))
        for move in all_moves(type(thing))
        if fields is None or move.field in fields
        if move.spec.by != "system" and move.starts_from(str(getattr(thing, move.field)))
    ]


def _explain(move: Move, thing: Thing, world: World) -> list[Answer]:
    refusal = first_refusal(move, thing, world)
    if refusal is not None:
        return [refusal]
    after = _as_if(move, thing, world)
    return [*_starts(move, after, world), *_foreseen(move, after, world)]


def _as_if(move: Move, thing: Thing, world: World) -> Thing:
    """A copy of `thing` on which the move has been made; its relations are shared, not copied."""
    after = copy.copy(thing)
    after._state = copy.copy(thing._state)
    if move.parameters <= {"reason", *world.facts}:
        move.make(after, world.facts, world.reason)
    return after


def _starts(move: Move, after: Thing, world: World) -> Iterable[Consequence]:
    for wanted in rules.wanted(move, after, world):
        if wanted.says:
            yield Consequence(text=wanted.says, when=wanted.after, bytes=wanted.bytes)


def _foreseen(move: Move, after: Thing, world: World) -> Iterable[Consequence]:
    for foresee in rules.foresights(move):
        yield from foresee(after, world)
