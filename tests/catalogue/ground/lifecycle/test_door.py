"""The door: one transaction, with a journal entry and jobs, or nothing at all."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from catalogue.ground import clock, lifecycle
from catalogue.ground.actor import VISITOR, WORKER, Actor
from catalogue.ground.lifecycle import Refused, rules
from catalogue.ground.models import Entry, Job
from proposals import commands
from proposals.models import Proposal
from runs import commands as runs
from tests.factories import BEGIN, Facility


def test_a_move_tells_the_journal_and_asks_for_its_work(facility: Facility) -> None:
    proposal = facility.proposal()
    commands.prepare(proposal, by=facility.staff)
    assert proposal.state == "WLC"
    entry = Entry.objects.get(move="prepare")
    assert (entry.before, entry.after, entry.actor) == ("N", "WLC", facility.staff.user)
    assert entry.proposal == proposal.number
    assert entry.face == "page"
    job = Job.objects.get()
    assert (job.name, job.subject_id) == ("proposals.configure_directory", proposal.pk)


def test_nothing_changes_when_a_follower_fails(
    facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = facility.proposal()
    entries = Entry.objects.count()

    def fails(thing: object, world: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(rules, "follows", lambda move: [fails])
    with pytest.raises(RuntimeError):
        commands.prepare(proposal, by=facility.staff)
    proposal.refresh_from_db()
    assert proposal.state == "N"
    assert Entry.objects.count() == entries
    assert not Job.objects.exists()


def test_the_row_passed_in_is_only_a_name_for_the_row_in_the_database(facility: Facility) -> None:
    proposal = facility.proposal()
    stale = Proposal.objects.get(pk=proposal.pk)
    commands.prepare(proposal, by=facility.staff)
    assert stale.state == "N"
    with pytest.raises(Refused) as refusal:
        commands.prepare(stale, by=facility.staff)
    assert refusal.value.kind == "state"
    assert "waiting for LDAP configuration" in str(refusal.value)


def test_unsaved_changes_of_the_caller_do_not_slip_in(facility: Facility) -> None:
    proposal = facility.proposal()
    proposal.title = "changed in memory only"
    commands.prepare(proposal, by=facility.staff)
    assert Proposal.objects.get(pk=proposal.pk).title != "changed in memory only"


def test_the_state_cannot_be_assigned(facility: Facility) -> None:
    proposal = facility.proposal()
    with pytest.raises(AttributeError):
        proposal.state = "FR"


@pytest.mark.parametrize("actor", [VISITOR, "stranger", "wrong scope"])
def test_who_may_not_move_it_is_refused_with_the_reason(facility: Facility, actor: object) -> None:
    if actor == "stranger":
        actor = Actor.of(facility.person(), face="page")
    elif actor == "wrong scope":
        assert facility.staff.user is not None
        actor = Actor.of(facility.staff.user, face="api", scopes=frozenset({"read"}))
    proposal = facility.proposal()
    with pytest.raises(Refused) as refusal:
        commands.prepare(proposal, by=actor)  # type: ignore[arg-type]
    assert refusal.value.kind == "permission"
    assert "data managers" in refusal.value.who


def test_moves_of_the_catalogue_are_not_for_people(facility: Facility) -> None:
    proposal = facility.proposal()
    commands.prepare(proposal, by=facility.staff)
    with pytest.raises(Refused, match="made by the catalogue itself"):
        lifecycle.advance(proposal.directory_configured, by=facility.staff, at=clock.now())
    lifecycle.advance(proposal.directory_configured, by=WORKER, at=clock.now())


def test_a_move_that_needs_a_reason_is_refused_without(facility: Facility) -> None:
    proposal = facility.proposal()
    with pytest.raises(Refused, match="needs a reason"):
        commands.cancel(proposal, by=facility.staff, reason="  ")
    commands.cancel(proposal, by=facility.staff, reason="withdrawn by the PI")
    assert Entry.objects.get(move="cancel").reason == "withdrawn by the PI"


def test_explain_refuses_what_advance_refuses(facility: Facility) -> None:
    first = facility.proposal(state="A")
    second = facility.proposal(state="R")
    (answer,) = lifecycle.explain(second.activate, second, facility.staff, at=clock.now())
    assert isinstance(answer, Refused)
    with pytest.raises(Refused) as refusal:
        commands.activate(second, by=facility.staff)
    assert refusal.value.why == answer.why
    assert first.label in answer.why


def test_explain_changes_nothing(facility: Facility) -> None:
    run = facility.run(facility.proposal(state="A"))
    before = (Entry.objects.count(), Job.objects.count(), run.quality)
    lifecycle.explain(run.assess, run, facility.staff, mark="good", at=BEGIN, name="x")
    run.refresh_from_db()
    assert (Entry.objects.count(), Job.objects.count(), run.quality) == before


def test_explaining_many_rows_takes_as_many_queries_as_one(
    facility: Facility, django_assert_num_queries
) -> None:
    facility.policy()
    proposal = facility.proposal(state="A")
    made = [facility.run(proposal) for _ in range(6)]
    facts = {"mark": "not_interesting", "at": BEGIN, "name": "x"}

    def explain(count: int) -> int:
        rows = list(type(made[0]).objects.filter(pk__in=[r.pk for r in made[:count]]))
        with connection.execute_wrapper(counting := Counting()):
            answers = lifecycle.explain_many([rows[0].assess], rows, facility.staff, **facts)
        assert len(answers) == count
        return counting.queries

    assert explain(2) == explain(6)


class Counting:
    """Counts the queries of a block."""

    def __init__(self) -> None:
        self.queries = 0

    def __call__(self, execute, sql, params, many, context):
        self.queries += 1
        return execute(sql, params, many, context)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_wins(tmp_path) -> None:
    facility = Facility(tmp_path)
    proposals = [facility.proposal(state="R") for _ in range(2)]
    gate = threading.Barrier(2)
    outcomes: list[str] = []

    def activate(proposal: Proposal) -> None:
        try:
            gate.wait()
            commands.activate(proposal, by=facility.staff)
            outcomes.append("done")
        except Refused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=activate, args=[p]) for p in proposals]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(outcomes) == ["done", "refused"]
    assert Proposal.objects.filter(state="A").count() == 1


@pytest.mark.django_db(transaction=True)
def test_run_numbers_are_handed_out_once(tmp_path) -> None:
    facility = Facility(tmp_path)
    proposal = facility.proposal(state="A")
    numbers: list[int] = []

    def ask() -> None:
        try:
            numbers.extend(runs.next_number(proposal, by=facility.daq) for _ in range(5))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(numbers) == list(range(1, 21))


def test_hints_go_out_only_after_the_commit(
    facility: Facility, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(
        "catalogue.ground.jobs.outbox.current_app.send_task",
        lambda name, args, **_: sent.extend(args),
    )
    proposal = facility.proposal()
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        commands.prepare(proposal, by=facility.staff)
        assert not sent
    assert sent == [Job.objects.get().pk]
