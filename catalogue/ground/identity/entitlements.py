"""AARC-G069 entitlements against the rules that give offices for them. Pure."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from aarc_entitlement import G069, ParseError

from catalogue.ground.identity.roles import Rule

log = logging.getLogger(__name__)

MOST, LONGEST = 500, 500
"""Entitlements that are looked at, and characters of one: more is nobody's group."""


def given(entitlements: Iterable[object], rules: Iterable[Rule]) -> list[Rule]:
    """The rules that somebody with these entitlements satisfies. Who is in a group is in the groups
    above it; a role holds in its own group alone. What is no entitlement gives nothing."""
    held = [e for e in (_parsed(text) for text in list(entitlements)[:MOST]) if e is not None]
    return [rule for rule in rules if _satisfied(rule, held)]


def _satisfied(rule: Rule, held: list[G069]) -> bool:
    required = _parsed(rule.group)
    if required is None:
        return False
    return any(
        entitlement.satisfies(required)
        and required.group_authority in (None, entitlement.group_authority)
        for entitlement in held
    )


def _parsed(text: object) -> G069 | None:
    if not isinstance(text, str) or len(text) > LONGEST or not text.isprintable():
        return None
    try:
        return G069(text)
    except ParseError:
        log.debug("no entitlement: %r", text)
        return None
