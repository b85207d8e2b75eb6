"""How a model writes down its table of moves.

A move is a method that sets facts of its own row; `@move` adds from where to where it leads, what
people call it, and who may make it. Moves are made by `catalogue.ground.lifecycle` and by nobody
else: the state fields are protected against assignment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, cast

from django_fsm import FSMModelMixin, transition

from catalogue.ground.models.recorded import Recorded

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class MoveSpec:
    """What is written beside a move: `label` is the verb on the button, `by` the permission it
    needs (a word of `catalogue.ground.access`; "system" means that only workers make it)."""

    label: str
    by: str
    reason: bool = False
    undo: str = ""


def move(
    field: Any,
    *,
    source: str | Sequence[str],
    target: Any,
    label: str,
    by: str,
    reason: bool = False,
    undo: str = "",
) -> Callable[[F], F]:
    """Declare a move of `field` from `source` (one, several, or "*") to `target`.

    `reason` says that it is refused without one; `undo` names the move that takes it back.
    """
    spec = MoveSpec(label=label, by=by, reason=reason, undo=undo)
    declare = transition(field=field, source=source, target=target, custom={"spec": spec})
    return cast(Callable[[F], F], declare)


class Thing(FSMModelMixin, Recorded):
    """A row with a lifecycle.

    `lock_first` names the foreign keys whose rows the door locks before this one, nearest last,
    so that moves of siblings which must see each other are made one after the other. `lock_with`
    names those that are read, not locked, together with the row.
    """

    lock_first: ClassVar[tuple[str, ...]] = ()
    lock_with: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True
