"""What counts as another copy: the same files, in another place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from catalogue.ground import clock, lifecycle
from catalogue.ground.actor import Actor
from catalogue.ground.models import Job, Store
from runs import commands as runs
from runs import reporting
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


def test_a_store_that_is_shown_under_a_second_mount_point_holds_one_copy(
    announced, facility: Facility, tmp_path: Path
) -> None:
    """No name tells it: a link, or a mount of the same folder. Reading the data does."""
    run, traveller = announced
    mass = next(r for r in _elsewhere(run) if r.store.identifier == "mass_storage")
    offline = facility.stores["offline"]
    second = tmp_path / "second"
    second.symlink_to(offline.mount)
    Replica.objects.filter(pk=mass.pk).delete()
    alias = Store.objects.create(
        identifier="archive", name="archive", mount=str(second), tier="mass_storage",
        agent=Store.EXTERNAL,
    )  # fmt: skip
    daq = Actor.of(facility.daq.user, face="api", scopes=frozenset({"daq", "transfer"}))
    told = reporting.report_copied(mass.data_group, alias, by=daq)
    lifecycle.perform_due()
    told.refresh_from_db()
    assert told.state == "corrupt"
    assert (
        "one and the same file" in Job.objects.get(name="runs.verify_replica", state="held").reason
    )
    traveller.shift(WEEK)
    lifecycle.perform_due()
    assert _online(run).state == "verified"
    assert len(list(facility.raw_folder(run).iterdir())) == 3
