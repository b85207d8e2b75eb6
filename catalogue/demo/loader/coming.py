"""Proposals that were accepted and are still to come: what the board has to wait for."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.db import transaction

from catalogue.demo import facility
from catalogue.demo.loader.by import LOADER
from catalogue.ground import clock
from catalogue.ground.models import Cycle, Instrument, User
from proposals import commands
from proposals.models import Membership, Proposal


@transaction.atomic
def announce(today: date) -> None:
    """Enter those that are not there yet."""
    there = set(Proposal.objects.values_list("number", flat=True))
    for coming in facility.COMING:
        if coming.number not in there:
            _enter(coming, today)


def _enter(coming: facility.ComingProposal, today: date) -> None:
    proposal = commands.create(
        number=coming.number,
        title=coming.title,
        instrument=Instrument.objects.get(identifier=coming.instrument),
        cycle=Cycle.objects.get(identifier=facility.cycle_of(today)),
        kind=coming.kind,
        by=LOADER,
    )
    begin = datetime.combine(
        today + timedelta(days=coming.days_ahead), time(8), clock.facility_zone()
    )
    commands.add_beamtime(proposal, begin_at=begin, end_at=begin + timedelta(days=4), by=LOADER)
    if coming.leader:
        commands.add_member(
            proposal,
            user=User.objects.get(username=coming.leader),
            role=Membership.Role.PI,
            data_access=Membership.DataAccess.WORK,
            by=LOADER,
        )
