"""The header Idempotency-Key: one effect, one answer, however often the call is sent."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction

from catalogue.ground import clock
from catalogue.ground.actor import WORKER
from catalogue.ground.endpoints import idempotency
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.lifecycle import sweep
from catalogue.ground.models import Entry, IdempotencyKey
from proposals.models import Proposal, Sample
from runs.models import Run
from tests.calling import Caller, Callers, done, refused
from tests.factories import Facility


@pytest.fixture
def path(proposal: Proposal) -> str:
    return f"proposals/{proposal.number}/samples"


def test_the_same_call_gets_the_same_answer(callers: Callers, proposal: Proposal) -> None:
    path = f"proposals/{proposal.number}/runs/next-number"
    first = callers.daq.post(path, {}, idempotency_key="a")
    again = callers.daq.post(path, {}, idempotency_key="a")
    assert done(first, 201) == done(again, 201) == {"number": 1}
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert done(callers.daq.post(path, {}, idempotency_key="b"), 201) == {"number": 2}
    assert done(callers.daq.post(path, {}), 201) == {"number": 3}


def test_the_place_of_what_was_made_is_told_again(callers: Callers, proposal: Proposal) -> None:
    body = {"number": 7, "begin_at": "2026-11-20T09:00:00Z"}
    path = f"proposals/{proposal.number}/runs"
    first = callers.daq.post(path, body, idempotency_key="a")
    again = callers.daq.post(path, body, idempotency_key="a")
    assert first["Location"] == again["Location"] == f"/api/v1/{path}/7"
    assert done(first, 201) == done(again, 201)


def test_another_body_with_the_key_is_refused(callers: Callers, path: str) -> None:
    done(callers.leader.post(path, {"name": "a"}, idempotency_key="k"), 201)
    problem = refused(callers.leader.post(path, {"name": "b"}, idempotency_key="k"), 422)
    assert problem["type"].endswith("/key-reused")
    assert not Sample.objects.filter(name="b").exists()


def test_another_address_with_the_key_is_refused(
    callers: Callers, proposal: Proposal, path: str
) -> None:
    done(callers.leader.post(path, {"name": "a"}, idempotency_key="k"), 201)
    other = f"proposals/{proposal.number}/experiments"
    refused(callers.leader.post(other, {"name": "a"}, idempotency_key="k"), 422)


def test_keys_belong_to_their_users(callers: Callers, path: str) -> None:
    done(callers.leader.post(path, {"name": "a"}, idempotency_key="k"), 201)
    done(callers.staff.post(path, {"name": "b"}, idempotency_key="k"), 201)


def test_who_left_the_team_is_not_answered_again(
    callers: Callers, proposal: Proposal, path: str
) -> None:
    done(callers.leader.post(path, {"name": "a"}, idempotency_key="k"), 201)
    yesterday = clock.now().date() - timedelta(days=1)
    proposal.memberships.filter(user=callers.leader.token.user).update(until=yesterday)
    refused(callers.leader.post(path, {"name": "a"}, idempotency_key="k"), 404)


def test_who_may_do_less_in_the_team_is_not_answered_again(
    callers: Callers, proposal: Proposal, path: str
) -> None:
    done(callers.leader.post(path, {"name": "a"}, idempotency_key="k"), 201)
    members = proposal.memberships.filter(user=callers.leader.token.user)
    members.update(role="member", data_access=1)
    refused(callers.leader.post(path, {"name": "a"}, idempotency_key="k"), 403)
    members.update(role="pi", data_access=2)
    again = callers.leader.post(path, {"name": "a"}, idempotency_key="k")
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")


def test_a_token_of_fewer_scopes_is_not_answered_again(callers: Callers, path: str) -> None:
    done(callers.leader.post(path, {"name": "a"}, idempotency_key="k"), 201)
    reader = Caller(callers.leader.token.user, scopes=["read"])
    refused(reader.post(path, {"name": "a"}, idempotency_key="k"), 403)
    assert Sample.objects.count() == 1


def test_an_office_at_an_instrument_that_ended_ends_its_answers(
    facility: Facility, proposal: Proposal
) -> None:
    """Also where the address names no proposal."""
    scientist = facility.person("instrument_scientist", instrument=True)
    body = {
        "number": 900777, "title": "New", "instrument": facility.instrument.identifier,
        "cycle": facility.cycle.identifier,
    }  # fmt: skip
    done(Caller(scientist).post("proposals", body, idempotency_key="k"), 201)
    done(Caller(scientist).post("proposals", body, idempotency_key="k"), 201)
    scientist.appointments.all().delete()
    refused(Caller(scientist).post("proposals", body, idempotency_key="k"), 403)


def test_what_was_answered_about_a_job_is_for_who_may_read_of_it(
    callers: Callers, facility: Facility, proposal: Proposal
) -> None:
    staff = facility.person("data_manager")
    (job,) = enqueue([Wanted("proposals.prepare", proposal)], by=WORKER)
    body = {"reason": "not now"}
    path = f"jobs/{job.pk}/hold"
    done(Caller(staff).post(path, body, idempotency_key="k"))
    assert Caller(staff).post(path, body, idempotency_key="k")["Idempotent-Replayed"] == "true"
    staff.appointments.all().delete()
    refused(Caller(staff).post(path, body, idempotency_key="k"), 404)


def test_a_refused_call_leaves_no_key(callers: Callers, run: Run, proposal: Proposal) -> None:
    path = f"proposals/{proposal.number}/runs/{run.number}/abort"
    refused(callers.daq.post(path, {"reason": "x"}, idempotency_key="k"), 409)
    refused(callers.daq.post(path, {}, idempotency_key="k"), 409)
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("body", [b"null", b"{", b"[]"])
def test_a_body_without_a_value_is_refused_with_a_key_too(
    callers: Callers, path: str, body: bytes
) -> None:
    answer = callers.leader.post(path, body, idempotency_key="k")
    refused(answer, 400 if body == b"{" else 422)


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "ä"])
def test_odd_keys_are_refused(callers: Callers, path: str, key: str) -> None:
    answer = callers.leader.post(path, {"name": "a"}, idempotency_key=key)
    refused(answer, 422, "Idempotency-Key")
    assert not Sample.objects.exists()


def test_a_very_long_address_is_no_problem(callers: Callers, path: str) -> None:
    key = "k" * 200
    address = f"{path}?{'x' * 90}={'y' * 1900}"
    assert callers.leader.post(address, {"name": "a"}, idempotency_key=key).status_code == 201


def test_keys_are_forgotten_after_a_week(callers: Callers, path: str) -> None:
    done(callers.leader.post(path, {"name": "a"}, idempotency_key="k"), 201)
    with time_machine.travel(clock.now() + timedelta(days=6), tick=False):
        sweep()
    assert IdempotencyKey.objects.count() == 1
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        sweep()
    assert IdempotencyKey.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_time_have_one_effect(
    transactional_db: None, facility: Facility, proposal: Proposal
) -> None:
    caller = Caller(facility.daq.user, scopes=["daq", "read"])
    path = f"proposals/{proposal.number}/runs/next-number"
    start = threading.Barrier(4)
    answers = []

    def call() -> None:
        start.wait()
        try:
            answers.append(caller.post(path, {}, idempotency_key="same"))
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status_code for a in answers} <= {201, 409}
    assert {a.json()["number"] for a in answers if a.status_code == 201} == {1}
    assert all(a["Retry-After"] for a in answers if a.status_code == 409)
    proposal.refresh_from_db()
    assert proposal.last_run_number == 1


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_call_under_way_sends_the_same_call_away(
    transactional_db: None, facility: Facility, proposal: Proposal
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has locks that are tried without waiting")
    caller = Caller(facility.daq.user, scopes=["daq", "read"])
    path = f"proposals/{proposal.number}/runs/next-number"
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                assert facility.daq.user is not None
                assert idempotency._alone(idempotency._name(facility.daq.user.pk, None, "same"))
                held.set()
                release.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(30)
        answer = caller.post(path, {}, idempotency_key="same")
        assert refused(answer, 409)["type"].endswith("/key-in-use")
        assert answer["Retry-After"]
    finally:
        release.set()
        thread.join()
    done(caller.post(path, {}, idempotency_key="same"), 201)


def test_the_effect_and_the_key_are_one_transaction(
    callers: Callers, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(IdempotencyKey, "save", full)
    before = Entry.objects.count()
    with pytest.raises(OSError, match="full"):
        callers.leader.post(path, {"name": "a"}, idempotency_key="k")
    assert not Sample.objects.exists()
    assert Entry.objects.count() == before
