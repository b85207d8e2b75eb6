"""The status page tells what rows tell, and asks nothing that could keep its reader waiting."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from catalogue.ground import clock, health, lifecycle
from catalogue.ground.models import Job, Sign
from catalogue.ports.movers import PosixMover
from runs import watching
from tests.factories import Facility
from tests.visiting import Visitor, queries_of, sound

QUERIES = 13
"""Of the page with all its figures: frozen."""


def page(user) -> str:
    return " ".join(sound(Visitor(user).get("/status")).text.split())


def test_a_new_site_says_that_nothing_is_known_yet(facility: Facility) -> None:
    text = page(facility.person())
    assert "The catalogue is well" in text
    assert "No worker has told of itself yet." in text


def test_a_round_of_the_schedule_proves_queue_and_workers(facility: Facility) -> None:
    lifecycle.sweep()
    text = page(facility.person())
    assert "The queue and the workers are at work." in text
    assert "Store online well It is mounted and answers." in text
    with time_machine.travel(clock.now() + timedelta(minutes=10), tick=False):
        late = page(facility.person())
    assert "Not all is well" in late
    assert "No word from the workers" in late


def test_a_store_that_is_not_mounted_is_said(facility: Facility) -> None:
    mount = Path(facility.stores["offline"].mount)
    mount.rename(mount.with_name("elsewhere"))
    lifecycle.sweep()
    assert "Store offline not well It cannot be read now." in page(facility.person())
    staff = page(facility.staff.user)
    assert "online" in staff
    assert "B" in staff


def test_a_store_that_hangs_hangs_nobody(
    facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go, began = threading.Event(), []

    def hang(self: object, mount: Path) -> int:
        if mount.name == "online":
            began.append(mount)
            let_go.wait(30)
        return 5_000_000_000_000

    monkeypatch.setattr(PosixMover, "free_bytes", hang)
    monkeypatch.setattr(watching, "PATIENCE", 0.05)
    now = clock.now()
    try:
        assert watching.look_at_stores(now) == len(facility.stores)
        assert watching.look_at_stores(now) == 0, "once a minute"
        later = now + timedelta(minutes=2)
        watching.look_at_stores(later)
        assert len(began) == 1, "no second look while the first hangs"
        assert "It does not answer" in page(facility.staff.user)
        assert "5.0 TB" in page(facility.staff.user)
    finally:
        let_go.set()
    sign = Sign.objects.get(name="store:online")
    assert not sign.well


def test_jobs_that_nobody_takes_up_are_said(facility: Facility) -> None:
    facility.proposal(state="A", prepared=True)
    Job.objects.update(state="waiting", after=clock.now() - timedelta(hours=1))
    assert "Jobs wait for a worker longer than usual." in page(facility.person())


def test_the_registrar_is_as_it_was_when_last_asked(facility: Facility, settings) -> None:
    assert "No registrar is configured" in page(facility.staff.user)
    settings.REGISTRAR_URL = "https://registrar.example"
    assert "It was not needed so far." in page(facility.staff.user)
    facility.proposal(state="FR")
    Job.objects.filter(name="proposals.register_doi").update(
        state="held", reason="secret of the registrar", started_at=clock.now()
    )
    text = page(facility.person())
    assert "DOI registrar not well" in text
    assert "secret of the registrar" not in text


def test_figures_are_for_those_who_look_after_it(facility: Facility) -> None:
    lifecycle.sweep()
    assert "Versions" in page(facility.staff.user)
    assert "Django" in page(facility.staff.user)
    assert "Versions" not in page(facility.person())
    assert Visitor().client.get("/status").status_code == 302
    assert queries_of(Visitor(facility.staff.user), "/status") <= QUERIES


def test_signs_are_kept_one_of_a_name(db: None) -> None:
    for n in range(3):
        health.note("schedule", facts={"n": n}, says="x" * 999)
    [sign] = Sign.objects.all()
    assert sign.facts == {"n": 2}
    assert len(sign.says) == 255
