"""Who leads an instrument: offices that exactly one person holds."""

from __future__ import annotations

from datetime import date
from typing import Final

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from catalogue.ground import access, clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.models import Appointment, Instrument, User
from catalogue.ground.refusal import Refused

LEADING: Final = ("instrument_leader", "deputy_leader")


def led_instruments() -> QuerySet[Instrument]:
    """All instruments with the ids of those who lead them as `leader` and `deputy`."""
    return Instrument.objects.annotate(
        leader=_holder("instrument_leader"), deputy=_holder("deputy_leader")
    )


def _holder(role: str) -> Subquery:
    held = Appointment.objects.filter(instrument=OuterRef("pk"), role=role)
    return Subquery(held.exclude(until__lt=_today()).order_by("pk").values("user")[:1])


def _today() -> date:
    return clock.now().astimezone(clock.facility_zone()).date()


@transaction.atomic
def appoint(instrument: Instrument, role: str, person: User | None, *, by: Actor) -> None:
    """Give an office that leads an instrument to one person, and take it from whoever had it;
    without a person it is vacant."""
    if role not in LEADING:
        raise TypeError(f"no such office: {role}")
    if access.ADMINISTER not in access.facility_wide(by, _today()):
        raise Refused("Offices are given by data managers.", kind="permission", who="data managers")
    Instrument.objects.select_for_update().get(pk=instrument.pk)
    held = Appointment.objects.filter(instrument=instrument, role=role)
    ended = held.exclude(user=person) if person is not None else held
    before = [str(a.user) for a in ended.select_related("user")]
    ended.delete()
    made = False
    if person is not None:
        _, made = Appointment.objects.update_or_create(
            user=person, role=role, instrument=instrument, given_by="", defaults={"until": None}
        )
    if before or made:
        facts = {"office": role, "before": before, "now": str(person or "")}
        journal.write(instrument, "appoint", by=by, facts=facts)
