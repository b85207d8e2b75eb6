"""What `manage.py lifecycle` tells, and the diagrams in the READMEs made from it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from catalogue.ground.lifecycle import diagram, rules
from catalogue.ground.lifecycle.moves import all_moves, lifecycles
from runs.models import Run


def test_every_move_of_every_lifecycle_is_told() -> None:
    out = StringIO()
    call_command("lifecycle", stdout=out)
    text = out.getvalue()
    for model in lifecycles():
        for move in all_moves(model):
            assert f"  {move.name}: " in text
            assert move.spec.label in text
    assert "may refuse: policies.guards.may_go" in text
    assert "starts: runs.migrate, policies.judge_run" in text


def test_the_diagrams_in_the_readmes_are_as_the_moves_are() -> None:
    call_command("lifecycle", "--check", stdout=StringIO())


def test_a_diagram_that_is_out_of_date_is_seen() -> None:
    head = diagram.begin(Run, "status")
    stale = f"before\n{head}\nold\n{diagram.END}\nafter\n"
    fresh = diagram.renewed(stale)
    assert "open --> closed : Close run" in fresh
    assert fresh.startswith("before\n")
    assert fresh.endswith("\nafter\n")
    assert diagram.renewed(fresh) == fresh


def test_a_rule_that_leads_nowhere_is_found_at_start_up(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = rules.Rules(refuse=["runs.guards.no_such_guard"], start=["runs.no_such_job"])
    monkeypatch.setitem(rules._rules, "runs.run.close", nowhere)
    found = {problem.id for problem in rules.check_names()}
    assert found == {"lifecycle.E1", "lifecycle.E2"}
