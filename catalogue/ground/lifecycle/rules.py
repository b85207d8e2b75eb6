"""What is attached to a move: guards that refuse, work it starts, further moves it brings about.

Rules are written down by dotted name in the `apps.py` of whoever attaches them, so that an upper
app can hang itself on a lower one without being imported by it. `attach` resolves the names once
all apps are loaded; a name that leads nowhere is found by the system check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from catalogue.ground.jobs import Wanted
from catalogue.ground.lifecycle.moves import Move, all_moves, lifecycles
from catalogue.ground.lifecycle.world import World
from catalogue.ground.models import Thing
from catalogue.ground.refusal import Refused


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a move will bring about: a sentence, when (None: at once), and to how many bytes."""

    text: str
    when: Any = None
    bytes: int | None = None


Guard = Callable[[Any, World], Refused | str | None]
Plan = Callable[[Any, World], Iterable[Wanted]]
Follow = Callable[[Any, World], None]
Foresee = Callable[[Any, World], Iterable[Consequence]]
AccessRule = Callable[[World, str, Any], Refused | None]


class _Job(Protocol):
    plan: Plan


@dataclass(slots=True)
class Rules:
    """All that is attached to one move, as dotted names in the order of attachment."""

    refuse: list[str] = field(default_factory=list)
    start: list[str] = field(default_factory=list)
    then: list[str] = field(default_factory=list)
    foresee: list[str] = field(default_factory=list)


_rules: dict[str, Rules] = {}
_access: dict[str, str] = {}
_plans: dict[str, Plan] = {}


def when(
    moves: Any | Iterable[Any],
    *,
    refuse: str = "",
    start: str = "",
    then: str = "",
    foresee: str = "",
) -> None:
    """Attach to one move or several: `refuse` a guard, `start` the name of a job, `then` a function
    that makes further moves in the same transaction, `foresee` one that foretells what neither
    of them says."""
    for method in moves if isinstance(moves, tuple | list) else (moves,):
        rules = _rules.setdefault(Move.of(method).key, Rules())
        for kind, name in (
            ("refuse", refuse), ("start", start), ("then", then), ("foresee", foresee),
        ):  # fmt: skip
            known: list[str] = getattr(rules, kind)
            if name and name not in known:
                known.append(name)


def guarded_by(model: type[Thing], rule: str) -> None:
    """Name the access rule of a model: (world, permission, thing) -> Refused | None."""
    _access[model._meta.label_lower] = rule


def plan_of(job: str, plan: Plan) -> None:
    """Say which rows of work the job `job` means for a thing (see `performs`)."""
    _plans[job] = plan


def rule_of(move: Move) -> Rules:
    """What is attached to `move`."""
    return _rules.get(move.key, Rules())


@cache
def _resolved(name: str) -> Any:
    return import_string(name)


def guards(move: Move) -> Iterator[Guard]:
    return (_resolved(name) for name in rule_of(move).refuse)


def follows(move: Move) -> Iterator[Follow]:
    return (_resolved(name) for name in rule_of(move).then)


def foresights(move: Move) -> Iterator[Foresee]:
    return (_resolved(name) for name in rule_of(move).foresee)


def wanted(move: Move, thing: Thing, world: World) -> list[Wanted]:
    """The jobs that `move` starts for `thing`, which is already where the move leads."""
    return [w for job in rule_of(move).start for w in _plans[job](thing, world)]


def reads(move: Move, *, ahead: bool = False) -> list[str]:
    """The relations that guards and plans of `move` read, fetched once for all of them; with
    `ahead` also those that its foresights read."""
    functions: list[object] = [*guards(move), *(_plans[j] for j in rule_of(move).start)]
    functions += foresights(move) if ahead else ()
    return sorted({r for f in functions for r in getattr(f, "reads", ())})


def access_rule(model: type[Thing]) -> AccessRule | None:
    name = _access.get(model._meta.label_lower)
    rule: AccessRule | None = _resolved(name) if name else None
    return rule


def attach() -> None:
    """Register the check that every attached name leads somewhere."""
    register(check_names)


def check_names(**_: object) -> list[CheckMessage]:
    """Every rule names something that exists, and every lifecycle says who may move it."""
    problems: list[CheckMessage] = []
    for key, rules in _rules.items():
        for name in [*rules.refuse, *rules.then, *rules.foresee]:
            try:
                _resolved(name)
            except ImportError as missing:
                problems.append(
                    Error(f"{key}: {name} leads nowhere ({missing})", id="lifecycle.E1")
                )
        problems += [
            Error(f"{key}: nobody performs the job {job}", id="lifecycle.E2")
            for job in rules.start
            if job not in _plans
        ]
    for model in lifecycles():
        if all(m.spec.by == "system" for m in all_moves(model)):
            continue
        if access_rule(model) is None:
            problems.append(Error(f"{model.__name__}: no access rule", id="lifecycle.E3"))
    return problems
