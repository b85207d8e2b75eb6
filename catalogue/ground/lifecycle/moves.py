"""Moves as values: which model, which field, from where to where, by whom."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.apps import apps
from django_fsm import GET_STATE, RETURN_VALUE, FSMFieldMixin

from catalogue.ground.models import MoveSpec, Thing


@dataclass(frozen=True, slots=True)
class Move:
    """One move of one model's lifecycle."""

    model: type[Thing]
    name: str
    field: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    spec: MoveSpec

    @property
    def key(self) -> str:
        """e.g. "runs.run.assess"; the name under which rules are kept and the journal tells it."""
        return f"{self.model._meta.label_lower}.{self.name}"

    @classmethod
    def of(cls, method: Callable[..., Any], model: type[Thing] | None = None) -> Move:
        """The move behind a decorated method, bound (`run.assess`) or not (`Run.assess`)."""
        bound_to = getattr(method, "__self__", None)
        if model is None:
            model = type(bound_to) if bound_to is not None else _owner(method)
        meta = cast(Any, method)._django_fsm
        transitions = list(meta.transitions.values())
        field = cast(FSMFieldMixin, meta.field)
        targets = _targets(transitions[0].target, [c[0] for c in field.choices or []])
        return cls(
            model=model,
            name=method.__name__,
            field=field.name,
            sources=tuple(str(t.source) for t in transitions),
            targets=targets,
            spec=transitions[0].custom["spec"],
        )

    @property
    def parameters(self) -> frozenset[str]:
        """The facts that the move takes."""
        method = inspect.unwrap(getattr(self.model, self.name))
        return frozenset(inspect.signature(method).parameters) - {"self"}

    def make(self, row: Thing, facts: Mapping[str, Any], reason: str) -> None:
        """Make the move on `row` in memory; only the door does this to a row that is saved."""
        given = {"reason": reason} if "reason" in self.parameters else {}
        getattr(row, self.name)(**given, **facts)

    def starts_from(self, state: str) -> bool:
        """Whether a row in `state` may make this move."""
        return "*" in self.sources or state in self.sources


def _owner(method: Callable[..., Any]) -> type[Thing]:
    for model in lifecycles():
        if model.__dict__.get(method.__name__) is method:
            return model
    raise LookupError(f"{method.__qualname__} is not a move of an installed model")


def _targets(target: Any, choices: list[str]) -> tuple[str, ...]:
    if isinstance(target, GET_STATE | RETURN_VALUE):
        return tuple(str(s) for s in target.allowed_states or choices)
    return (str(target),)


def lifecycles() -> list[type[Thing]]:
    """All models that have a lifecycle."""
    return [m for m in apps.get_models() if issubclass(m, Thing)]


def all_moves(model: type[Thing]) -> Iterator[Move]:
    """The moves of `model`, in the order in which they are written down."""
    for name, attribute in vars(model).items():
        if hasattr(attribute, "_django_fsm"):
            yield Move.of(attribute, model)
            if name != attribute.__name__:
                raise LookupError(f"{model.__name__}.{name} is a move under another name")
