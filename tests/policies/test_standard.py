"""The default policy: the same clauses at two paces, and put in force once."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from catalogue.ground import clock
from policies import queries, standard
from policies.models import Policy

SHORT = {"keep_count", "keep_unit", "grace_count", "grace_unit", "text"}


def test_only_the_short_terms_differ() -> None:
    for ours, demo in zip(
        standard.clauses(standard.FACILITY), standard.clauses(standard.DEMO), strict=True
    ):
        assert ours.keys() == demo.keys()
        changed = {name for name in ours if ours[name] != demo[name]}
        assert changed <= SHORT
        assert bool(changed) == ("In this demo seconds stand" in demo["text"])


@pytest.mark.django_db
def test_it_is_adopted_once(capsys) -> None:
    call_command("adopt_default_policy")
    call_command("adopt_default_policy")
    assert [str(policy) for policy in Policy.objects.all()] == ["Standard, version 1"]
    said = capsys.readouterr().out
    assert "Adopted: policy 'Standard', version 1." in said
    assert "In force: policy 'Standard', version 1." in said
    fact = queries.policy_fact(queries.in_force(clock.now()))
    online = next(c for c in fact.clauses if c.kinds == {"RAW"} and c.tiers == {"online"})
    assert online.minimum_replicas == 2
    assert (online.keep.count, online.keep.unit) == (1, "months")
    archived = [c for c in fact.clauses if "mass_storage" in c.tiers and "good" in c.qualities]
    assert all(clause.minimum_replicas >= 1 for clause in archived), "never the last one"
