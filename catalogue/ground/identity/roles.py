"""Offices that are given from outside: by LDAP groups, or by a provider's entitlements.

A rule says which office a group gives: `{"cn=spb-staff,ou=groups,dc=x": "instrument_scientist@SPB",
"data-managers": ["data_manager", "auditor"]}`. What a source gave it takes away again; what staff
gave is not touched (`Appointment.given_by`). No rule makes anybody an administrator of the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from catalogue.ground import journal
from catalogue.ground.actor import Actor
from catalogue.ground.models import Appointment, Instrument, User
from catalogue.ground.models.people import INSTRUMENT_ROLES, ROLES

_KNOWN = frozenset(role for role, _ in ROLES)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who is in `group` has this office; at an instrument, where the office is one of those."""

    group: str
    role: str
    instrument: str = ""


def rules(given: Any, setting: str) -> list[Rule]:
    """The rules as the setting writes them. Raises `ImproperlyConfigured`, naming what is wrong."""
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"{setting} must be a JSON object: group to office.")
    found: list[Rule] = []
    for group, offices in given.items():
        for office in [offices] if isinstance(offices, str) else offices:
            role, _, instrument = str(office).partition("@")
            if role not in _KNOWN:
                known = ", ".join(sorted(_KNOWN))
                raise ImproperlyConfigured(f"{setting}: {role!r} is none of {known}.")
            if bool(instrument) != (role in INSTRUMENT_ROLES):
                where = "at an instrument (role@SPB)" if not instrument else "for all instruments"
                raise ImproperlyConfigured(f"{setting}: the office {role} is held {where}.")
            found.append(Rule(str(group), role, instrument))
    return found


@transaction.atomic
def mirror(
    user: User, source: str, given: Iterable[Rule], *, by: Actor, until: date | None = None
) -> bool:
    """Make the offices that `source` has given to `user` those of `given`; whether any changed.
    `until`: the last day they hold without being given again."""
    User.objects.select_for_update().get(pk=user.pk)
    wanted = _wanted(given)
    held = Appointment.objects.filter(user=user, given_by=source).select_related(
        "user", "instrument"
    )
    removed: list[str] = []
    for office in held:
        group = wanted.pop((office.role, office.instrument_id), None)
        if group is None:
            removed.append(f"{office} ({office.given_for})")
            office.delete()
        elif (office.given_for, office.until) != (group, until):
            office.given_for, office.until = group, until
            office.save(update_fields=["given_for", "until"])
    added = [
        Appointment.objects.create(
            user=user, role=role, instrument_id=instrument, given_by=source, given_for=group,
            until=until,
        )
        for (role, instrument), group in wanted.items()
    ]  # fmt: skip
    if added or removed:
        told = sorted(f"{office} ({office.given_for})" for office in added)
        facts = {"offices given": told, "offices taken away": sorted(removed)}
        journal.write(user, "set offices", by=by, facts=facts)
    return bool(added or removed)


def held_from(source: str) -> dict[int, set[tuple[str, str]]]:
    """All offices that `source` has given, by account: role, and the instrument's identifier."""
    held: dict[int, set[tuple[str, str]]] = {}
    rows = Appointment.objects.filter(given_by=source)
    for user, role, instrument in rows.values_list("user", "role", "instrument__identifier"):
        held.setdefault(user, set()).add((role, instrument or ""))
    return held


def instruments_of(given: Iterable[Rule]) -> set[str]:
    """Those that the rules name and the catalogue has; the empty name stands for all of them."""
    named = {rule.instrument for rule in given} - {""}
    known = Instrument.objects.filter(identifier__in=named).values_list("identifier", flat=True)
    return {"", *known}


def _wanted(given: Iterable[Rule]) -> dict[tuple[str, int | None], str]:
    """Offices with the group that gives them; of several groups the first. Those at an instrument
    that the catalogue does not have are left out."""
    listed = list(given)
    named = {rule.instrument for rule in listed} - {""}
    places = dict(Instrument.objects.filter(identifier__in=named).values_list("identifier", "pk"))
    wanted: dict[tuple[str, int | None], str] = {}
    for rule in listed:
        if not rule.instrument:
            wanted.setdefault((rule.role, None), rule.group[:255])
        elif rule.instrument in places:
            wanted.setdefault((rule.role, places[rule.instrument]), rule.group[:255])
    return wanted
