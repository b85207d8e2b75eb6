"""What the database itself refuses, whoever writes into it and past whatever rule of ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from proposals.models import Beamtime, Membership, Proposal
from runs.models import DataGroup, File, Replica, Run
from tests.factories import BEGIN, Facility, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    return facility.proposal(state="A")


@pytest.fixture
def run(facility: Facility, proposal: Proposal) -> Run:
    return facility.run(proposal)


def again(row: Any, **changes: Any) -> None:
    """Insert a copy of the row."""
    row.pk = None
    type(row)._base_manager.bulk_create([_with(row, changes)])


def _with(row: Any, changes: dict[str, Any]) -> Any:
    for name, value in changes.items():
        row.__dict__[name] = value
    return row


def change(model: Any, **changes: Any) -> None:
    model.objects.update(**changes)


REFUSED: dict[str, Callable[[], None]] = {
    "two active user proposals at one instrument": lambda: again(
        Proposal.objects.get(), number=900999, url=""
    ),
    "a proposal beyond six digits": lambda: change(Proposal, number=1_000_000),
    "a proposal with a number below zero": lambda: change(Proposal, number=-1),
    "a proposal number twice": lambda: again(Proposal.objects.get(), state="N", url=""),
    "open data that were never released": lambda: change(Proposal, access="open"),
    "two principal investigators": lambda: again(
        Membership.objects.get(), user_id=UserFactory().pk
    ),
    "a beamtime that ends before it begins": lambda: change(Beamtime, end_at=BEGIN - 9 * DAY),
    "a run number twice": lambda: again(Run.objects.get()),
    "run 0": lambda: change(Run, number=0),
    "a run beyond four digits": lambda: change(Run, number=10_000),
    "a run that ends before it begins": lambda: change(Run, end_at=BEGIN - DAY),
    "a closed run without an end": lambda: change(Run, end_at=None),
    "trains that run backwards": lambda: change(Run, first_train=2, last_train=1),
    "a mark without a time": lambda: change(Run, quality="good"),
    "a time without a mark": lambda: change(Run, assessed_at=BEGIN),
    "a run of less than nothing": lambda: change(Run, bytes=-1),
    "two groups of one kind and edition": lambda: again(DataGroup.objects.get()),
    "a group that belongs nowhere": lambda: change(DataGroup, run=None, experiment=None),
    "a file twice in a group": lambda: again(File.objects.all()[0]),
    "a file of less than nothing": lambda: change(File, bytes=-1),
    "two live replicas in one store": lambda: again(Replica.objects.get()),
    "a verified replica without a checksum": lambda: change(
        Replica, state="verified", verified_at=BEGIN
    ),
    "a verified replica without a date": lambda: change(
        Replica, state="verified", checksum="a" * 64
    ),
    "a removal that has no day": lambda: change(
        Replica, state="scheduled", verified_at=BEGIN, checksum="a" * 64
    ),
}
DAY = timedelta(days=1)


@pytest.mark.parametrize("what", REFUSED)
def test_it_refuses(run: Run, what: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        REFUSED[what]()


def test_what_is_gone_is_in_nobody_s_way(run: Run) -> None:
    change(Replica, state="removed")
    again(Replica.objects.get(), state="copied")
    assert Replica.objects.count() == 2
