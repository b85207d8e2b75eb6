"""The clauses of a draft, as they come from outside: checked one by one, named by their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalogue.ground import inputs
from catalogue.ground.inputs import Invalid
from catalogue.ground.models.facility import KINDS
from policies import queries
from policies.models import EVENTS, UNITS, Clause, Policy
from proposals.models import Proposal

MOST = 50
LISTS = ("kinds", "qualities", "tiers", "experiments_excluded", "proposal_states",
         "remaining_tiers")  # fmt: skip
KNOWN = {"kinds": [kind for kind, _ in KINDS], "proposal_states": Proposal.State.values}
COUNTS = ("keep_count", "minimum_replicas", "verified_within_count", "grace_count")
CHOICES = {
    "keep_unit": tuple(u for u, _ in UNITS),
    "verified_within_unit": tuple(u for u, _ in UNITS),
    "grace_unit": tuple(u for u, _ in UNITS),
    "counted_from": tuple(e for e, _ in EVENTS),
}
EMPTY = ("keep_count", "verified_within_count")
LARGEST = {"minimum_replicas": 100}


def clauses_from(value: object) -> list[dict[str, Any]]:
    """What `policies.commands.draft_policy` takes. Raises `Invalid`, which names clause and field;
    a misspelt word is an error and not a clause that quietly speaks of nothing."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST:
        raise Invalid("clauses", f"must be a list of 1 to {MOST} clauses", None)
    return [_clause(one, order) for order, one in enumerate(value, 1)]


def _clause(given: object, order: int) -> dict[str, Any]:
    where = f"clauses[{order}]"
    if not isinstance(given, Mapping):
        raise Invalid(where, "must be an object", None)
    found: dict[str, Any] = {"order": order, "remaining_tiers": []}
    for name, value in given.items():
        if name != "order":  # the place in the list says it
            found[name] = _value(str(name), value, f"{where}.{str(name)[:80]}")
    if "text" not in found:
        raise Invalid(f"{where}.text", "is required", None)
    try:
        queries.clause_fact(Clause(**found))
    except ValueError as wrong:
        raise Invalid(where, str(wrong), None) from None
    return found


def _value(name: str, value: object, where: str) -> Any:
    if name == "text":
        return inputs.free_text(value, 300, where)
    if name in LISTS:
        return _words(name, value, where)
    if name in COUNTS:
        if value is None and name in EMPTY:
            return None
        most = LARGEST.get(name, 1_000_000)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise Invalid(where, f"must be a whole number from 0 to {most}", value)
        return value
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise Invalid(where, f"must be one of {', '.join(CHOICES[name])}", value)
        return value
    raise Invalid(where, "is not a field of a clause", None)


def _words(name: str, value: object, where: str) -> list[str]:
    if not isinstance(value, list) or len(value) > 100:
        raise Invalid(where, "must be a list of words", None)
    words = [inputs.free_text(one, 80, where) for one in value]
    for word in words if name in KNOWN else ():
        if word not in KNOWN[name]:
            raise Invalid(where, f"must be of {', '.join(KNOWN[name])}", word)
    return words


def as_given(policy: Policy | None) -> list[dict[str, Any]]:
    """The clauses of a policy as they would be given, to begin a new version with."""
    names = ("text", *LISTS, *COUNTS, *CHOICES)
    clauses = policy.clauses.all() if policy is not None else ()
    return [{name: getattr(clause, name) for name in names} for clause in clauses]
