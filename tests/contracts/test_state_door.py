"""State changes only through the door: the lint sees a planted breach, and none in our code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db.models import Field, Model
from django_fsm import FSMFieldMixin

from tests.contracts.lints import state_door
from tests.contracts.lints.source import PACKAGES, Source, modules, told

FIELDS = {"Run": {"state", "quality"}, "Job": {"state"}}
MOVES = {"Run": {"close", "assess"}, "DarkRequest": {"finish"}}


def our_models() -> list[type[Model]]:
    return [model for model in apps.get_models() if model.__module__.split(".")[0] in PACKAGES]


def state_fields(model: type[Model]) -> Iterator[Field]:
    for field in model._meta.get_fields():
        if isinstance(field, FSMFieldMixin):
            yield field


def moves_of(model: type[Model]) -> set[str]:
    return {
        transition.name
        for field in state_fields(model)
        for transition in getattr(model, f"get_all_{field.name}_transitions")(model())
    }


def lint(text: str, path: str = "runs/commands.py") -> list[str]:
    found = state_door.breaches([Source(path, text)], fields=FIELDS, moves=MOVES)
    return [breach.what for breach in found]


@pytest.mark.parametrize(
    "planted",
    [
        "run.state = 'closed'",
        "run.state: str = 'closed'",
        "run.state += 'x'",
        "a, (run.state, *b) = values",
        "for run.state in states: pass",
        "with opened() as run.state: pass",
        "setattr(run, 'state', 'closed')",
        "object.__setattr__(run, 'state', 'closed')",
        "run.__dict__['state'] = 'closed'",
        "vars(run)['state'] = 'closed'",
        "Run.objects.filter(pk=1).update(state='closed')",
        "Run.objects.update(**{'state': 'closed'})",
        "Run.objects.update(**dict(state='closed'))",
        "Run(number=1, state='closed')",
        "models.Run(state='closed')",
        "Run.objects.create(state='closed')",
        "Run._base_manager.filter(pk=1).update(state='closed')",
        "models.Run.objects.create(quality='good')",
        "chosen.update(quality='good')",
        "proposal.runs.filter(pk=1).update(quality='good')",
        "queries.open_runs().update(state='closed')",
        "Run.objects.update_or_create(number=1, defaults={'state': 'closed'})",
        "Run.objects.get_or_create(number=1, defaults=dict(state='closed'))",
        "Run.objects.bulk_update(runs, ['comment', 'state'])",
        "Run.objects.bulk_update(runs, fields=['state'])",
        "Run.objects.bulk_create(runs, update_fields=['state'])",
        "run.save(update_fields=['state'])",
        "cursor.execute('UPDATE runs_run SET state = %s WHERE id = %s', [a, b])",
        "run.close()",
        "group.run.assess(quality='good')",
        "dark_request.finish()",
    ],
)
def test_a_planted_breach_is_seen(planted: str) -> None:
    assert lint(planted)


@pytest.mark.parametrize(
    "allowed",
    [
        "advance(run.close, by=by)",
        "if run.state == 'closed': pass",
        "Run.objects.filter(state='closed').update(comment='')",
        "Run.objects.create(number=1)",
        "Assessment.objects.create(run=run, quality='good')",
        "Assessment(quality='good')",
        "file.close()",
        "setattr(run, name, value)",
        "stream.run.flush()",
        "cursor.execute('SELECT state FROM runs_run')",
        "run.save(update_fields=['comment'])",
        "state: str",
        "class Page:\n    state: str\n",
    ],
)
def test_what_is_allowed_is_left_alone(allowed: str) -> None:
    assert lint(allowed) == []


@pytest.mark.parametrize(
    "path", ["catalogue/ground/lifecycle/door.py", "runs/migrations/0002_x.py"]
)
def test_the_door_itself_and_migrations_are_left_alone(path: str) -> None:
    assert lint("run.state = 'closed'", path) == []


def test_a_file_named_like_the_door_is_not_the_door() -> None:
    assert lint("run.state = 'closed'", "catalogue/ground/lifecycles.py")


def test_there_are_states_to_guard() -> None:
    guarded = {model.__name__ for model in our_models() if list(state_fields(model))}
    assert {"Proposal", "Run", "Replica", "Calibration", "DarkRequest", "Doi", "Job"} <= guarded


def test_every_state_field_refuses_plain_assignment() -> None:
    open_fields = [
        str(field) for model in our_models() for field in state_fields(model) if not field.protected
    ]
    assert open_fields == []


def test_nothing_of_ours_writes_a_state_past_the_door() -> None:
    models = [model for model in our_models() if list(state_fields(model))]
    found = state_door.breaches(
        modules(),
        fields={model.__name__: {field.name for field in state_fields(model)} for model in models},
        moves={model.__name__: moves_of(model) for model in models},
    )
    assert not found, told(found)
