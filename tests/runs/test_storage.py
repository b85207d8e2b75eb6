"""What lies in the stores, counted by the schedule or by the page; and what goes when."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from itertools import pairwise

import pytest
import time_machine

from catalogue.ground import clock, lifecycle
from catalogue.ground.actor import Actor
from catalogue.ground.models import Job
from proposals.models import Proposal
from runs import commands, storage
from runs.models import Replica, StoreCount, StoreUse
from tests.factories import Facility
from tests.visiting import People, Visitor, queries_of, sound


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    facility.policy()
    return facility.proposal(state="A", calibrates_by_itself=False)


@pytest.fixture
def people(facility: Facility, proposal: Proposal) -> People:
    return People(facility, proposal)


def amounts(overview: storage.Overview) -> dict[str, tuple[int, int]]:
    return {u.store.name: (u.amount.replicas, u.amount.used) for u in overview.stores}


def test_the_schedule_counts_what_the_page_would(facility: Facility, proposal: Proposal) -> None:
    for quality in ("good", "not_interesting", ""):
        run = facility.run(proposal)
        if quality:
            commands.assess(run, quality=quality, by=facility.staff)
    lifecycle.perform_due()
    live = storage.overview(facility.staff)
    assert StoreUse.objects.count() == 0
    assert storage.recount(clock.now()) > 0
    kept = storage.overview(facility.staff)
    key = lambda row: row.key  # noqa: E731
    assert sorted(kept.rows, key=key) == sorted(live.rows, key=key)
    assert amounts(kept)["online"] == (3, 9000)
    assert amounts(kept)["offline"] == (1, 3000)


def test_it_counts_once_a_minute_and_writes_what_changed(
    facility: Facility, proposal: Proposal
) -> None:
    facility.run(proposal)
    now = clock.now()
    assert storage.recount(now) == 1
    facility.run(proposal, files=1)
    assert storage.recount(now + timedelta(seconds=59)) == 0
    assert storage.recount(now + timedelta(seconds=60)) == 1
    assert storage.recount(now + timedelta(seconds=120)) == 0
    assert StoreCount.objects.get().counted_at == now + timedelta(seconds=120)
    use = StoreUse.objects.get()
    assert (use.replicas, use.used) == (2, 4000)
    Replica.objects.all().delete()
    assert storage.recount(now + timedelta(seconds=180)) == 1
    assert StoreUse.objects.count() == 0


def test_numbers_that_nobody_counted_for_long_are_counted_by_the_page(
    facility: Facility, proposal: Proposal
) -> None:
    storage.recount(clock.now())
    facility.run(proposal)
    assert amounts(storage.overview(facility.staff))["online"] == (0, 0)
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=False):
        found = storage.overview(facility.staff)
        assert amounts(found)["online"] == (1, 3000)
        assert found.counted_at == clock.now()


@pytest.mark.parametrize("counted", [False, True])
def test_everybody_is_told_of_their_own_proposals_only(
    facility: Facility, proposal: Proposal, people: People, counted: bool
) -> None:
    other = facility.proposal(state="A", kind="commissioning")
    facility.run(proposal, files=1)
    facility.run(other, files=2)
    if counted:
        storage.recount(clock.now())

    def used(user: object) -> int:
        return amounts(storage.overview(Actor.of(user, face="page")))["online"][1]

    assert used(people.reader) == 1000
    assert used(people.data_manager) == used(people.local_contact) == 3000
    assert used(people.stranger) == 0


def test_what_is_full_is_said(facility: Facility, proposal: Proposal, people: People) -> None:
    facility.run(proposal)
    store = facility.stores["online"]
    store.quota_bytes = 3100
    store.save()
    seen = sound(Visitor(people.reader).get("/storage"))
    assert "100 B free of 3.1 kB" in seen.text
    assert "nearly full" in seen.text


def test_the_page_parts_it_by_instrument_proposal_and_mark(
    facility: Facility, proposal: Proposal, people: People
) -> None:
    run = facility.run(proposal)
    commands.assess(run, quality="good", by=facility.staff)
    facility.run(proposal, files=1)
    lifecycle.perform_due()
    visitor = Visitor(people.reader)

    def table(query: str) -> dict[str, dict[str, str]]:
        sound(visitor.get(f"/storage?{query}"))
        rows = csv.DictReader(io.StringIO(visitor.get(f"/storage/numbers.csv?{query}")))
        return {next(iter(row.values())): row for row in rows}

    assert table("by=instrument")["SPB"]["bytes"] == "10000"
    assert table("by=instrument&store=online")["SPB"]["bytes"] == "4000"
    assert table("by=proposal")[proposal.folder]["copies"] == "4"
    marks = table("by=quality&store=online")
    assert {mark: row["bytes"] for mark, row in marks.items()} == {
        "Good": "3000",
        "No mark": "1000",
    }
    assert table("by=store")["offline"]["bytes"] == "3000"
    assert f"/proposals/{proposal.number}" in sound(visitor.get("/storage?by=proposal")).links


@pytest.mark.parametrize(
    ("query", "status"),
    [("by=colour", 422), ("store=nowhere", 404), ("store=%00", 422), ("parts=x&page=9", 200)],
)
def test_odd_addresses_are_told_so(people: People, query: str, status: int) -> None:
    visitor = Visitor(people.data_manager)
    visitor.get(f"/storage?{query}", status)
    visitor.get(f"/storage/plot.svg?{query}", status)


def test_what_goes_when_is_told_by_the_day(
    facility: Facility, proposal: Proposal, people: People
) -> None:
    run = facility.run(proposal)
    with time_machine.travel(clock.now(), tick=False):
        commands.assess(run, quality="not_interesting", by=facility.staff)
        lifecycle.perform_due()
        replica = Replica.objects.get(state="scheduled")
        assert replica.remove_at is not None
        day = replica.remove_at.astimezone(clock.facility_zone()).date()
        going = storage.going(facility.staff)
        assert [(g.begin, g.copies, g.total) for g in going if g.copies] == [(day, 1, 3000)]
        assert len(going) == storage.NEAR + storage.FAR
        assert all(g.end < n.begin for g, n in pairwise(going))
        assert [g.copies for g in storage.going(facility.staff, facility.stores["offline"])] == [
            0
        ] * len(going)
        visitor = Visitor(people.reader)
        assert "3.0 kB are announced" in sound(visitor.get("/storage")).text
        rows = csv.DictReader(io.StringIO(visitor.get("/storage/leaving.csv")))
        assert [(r["from"], r["copies"]) for r in rows if r["copies"] != "0"] == [
            (day.isoformat(), "1")
        ]
        stranger = storage.going(Actor.of(people.stranger, face="page"))
        assert sum(g.copies for g in stranger) == 0


def test_what_should_be_gone_already_counts_for_today(
    facility: Facility, proposal: Proposal
) -> None:
    run = facility.run(proposal)
    commands.assess(run, quality="not_interesting", by=facility.staff)
    lifecycle.perform_due()
    with time_machine.travel(clock.now() + timedelta(days=30), tick=False):
        assert storage.going(facility.staff)[0].copies == 1


def test_days_on_which_the_policy_looks_again_are_told(
    facility: Facility, proposal: Proposal
) -> None:
    run = facility.run(proposal)
    begin = clock.now()
    for days in (3, 3, 40, 400):
        Job.objects.create(
            name="policies.judge_run", lane=f"x{days}", subject_type="runs.run", subject_id=run.pk,
            subject_label="x", proposal=proposal.number, after=begin + timedelta(days=days),
            created_at=begin, asked_by="worker",
        )  # fmt: skip
    assert [g.looked_at for g in storage.going(facility.staff) if g.looked_at] == [1, 1]


def test_plots_are_for_who_may_see_the_page(people: People) -> None:
    for path in ("plot.svg", "leaving.svg", "numbers.csv", "leaving.csv"):
        assert Visitor().get(f"/storage/{path}", 302) == ""
    for scheme in ("light", "dark"):
        answer = Visitor(people.reader).client.get(f"/storage/plot.svg?scheme={scheme}")
        assert answer.headers["Content-Type"] == "image/svg+xml"
        assert answer.content.startswith(b"<?xml")


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("role", ["data_manager", "local_contact"])
def test_the_page_asks_as_often_for_much_as_for_little(
    facility: Facility, role: str, counted: bool
) -> None:
    facility.policy()
    proposal = facility.proposal(state="A", kind="commissioning")
    facility.run(proposal)
    if counted:
        storage.recount(clock.now())
    visitor = Visitor(facility.person(role, instrument=role == "local_contact"))
    paths = [f"/storage?by={by}" for by in ("instrument", "proposal", "quality")]
    few = [queries_of(visitor, path) for path in paths]
    for _ in range(3):
        facility.run(facility.proposal(state="A", kind="commissioning"))
    if counted:
        storage.recount(clock.now() + timedelta(hours=1))
    assert [queries_of(visitor, path) for path in paths] == few
    assert max(few) <= 16
