"""What counts as another copy: the same files, in another place."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import clock, lifecycle
from catalogue.ground.models import Store
from runs import commands as runs
from runs.models import DataGroup, Replica, Run
from tests.factories import BEGIN, Facility

NOW = BEGIN + timedelta(hours=1)
WEEK = timedelta(days=7, minutes=1)


@pytest.fixture
def announced(facility: Facility):
    """A Good run with three verified copies, of which the one online is to go in a week."""
    facility.policy()
    with time_machine.travel(NOW, tick=False) as traveller:
        run = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
        runs.assess(run, quality="good", by=facility.staff)
        lifecycle.perform_due()
        assert _online(run).state == "scheduled"
        yield run, traveller


def _online(run: Run) -> Replica:
    return Replica.objects.get(data_group__run=run, store__identifier="online")


def _elsewhere(run: Run) -> list[Replica]:
    return list(Replica.objects.filter(data_group__run=run).exclude(store__identifier="online"))


def test_copies_of_another_group_of_the_same_kind_are_no_copies(
    announced, facility: Facility
) -> None:
    """A program may register several groups of raw data of one run; they hold different files."""
    run, traveller = announced
    second = DataGroup.objects.create(run=run, kind="RAW", edition=2, created_at=clock.now())
    Replica.objects.filter(pk__in=[r.pk for r in _elsewhere(run)]).update(data_group=second)
    traveller.shift(WEEK)
    lifecycle.perform_due()
    assert _online(run).state == "verified"
    assert len(list(facility.raw_folder(run).iterdir())) == 3


def test_stores_that_are_names_of_one_place_hold_one_copy(announced, facility: Facility) -> None:
    run, traveller = announced
    here = facility.stores["online"].mount
    for replica in _elsewhere(run):
        alias = Store.objects.create(
            identifier=f"alias {replica.pk}", name=f"alias {replica.pk}", mount=f"{here}/./",
            tier=replica.store.tier, agent=Store.EXTERNAL,
        )  # fmt: skip
        Replica.objects.filter(pk=replica.pk).update(store=alias)
    traveller.shift(WEEK)
    lifecycle.perform_due()
    assert _online(run).state == "verified"
    assert len(list(facility.raw_folder(run).iterdir())) == 3


def test_two_names_of_one_other_place_are_one_copy_too(announced, facility: Facility) -> None:
    """The policy asks for two other copies."""
    run, traveller = announced
    offline, mass = (facility.stores[name] for name in ("offline", "mass_storage"))
    Store.objects.filter(pk=mass.pk).update(mount=offline.mount)
    traveller.shift(WEEK)
    lifecycle.perform_due()
    assert _online(run).state == "verified"
