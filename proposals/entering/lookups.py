"""The rows that a wish names, as far as who enters it may know of them."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from catalogue.ground import access as words
from catalogue.ground.actor import Actor
from catalogue.ground.models import Cycle, Instrument, User
from proposals import access, queries
from proposals.models import Proposal


def instruments_for(by: Actor) -> QuerySet[Instrument]:
    """The instruments at which `by` may make proposals."""
    day = access.today()
    held = list(words.offices(by, day))
    if words.CREATE in words.facility_wide(by, day, held):
        return Instrument.objects.all()
    here = [o.instrument_id for o in held if words.CREATE in words.allowed(by, [o.role])]
    return Instrument.objects.filter(pk__in=[i for i in here if i is not None])


def cycles() -> QuerySet[Cycle]:
    """All cycles, the newest first."""
    return Cycle.objects.select_related("instrument").order_by("-identifier", "instrument")


def lock(identifiers: Collection[str]) -> None:
    """Nobody else gives beam of these instruments away until the transaction ends; in one order,
    so that two imports do not wait for each other."""
    rows = Instrument.objects.filter(identifier__in=identifiers).order_by("pk")
    list(rows.select_for_update().values_list("pk", flat=True))


def person(text: str) -> User:
    """The active person with this login or e-mail address. Raises `User.DoesNotExist`, also where
    several have the address."""
    try:
        return queries.person(text)
    except User.DoesNotExist:
        rows = list(User.objects.filter(email__iexact=text, is_active=True, is_service=False)[:2])
        if "@" not in text or len(rows) != 1:
            raise
        return rows[0]


def taken(number: int) -> bool:
    """Whether there is a proposal of this number; for who may make one there."""
    return Proposal.objects.filter(number=number).exists()


def known(by: Actor, number: int) -> Proposal | None:
    """The proposal of this number, if `by` may read all of what it is."""
    return (
        Proposal.objects.filter(access.holding(by, words.SEE_METADATA), number=number)
        .select_related("instrument", "cycle", "derived_from")
        .first()
    )
