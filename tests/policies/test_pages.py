"""The policy as a page, what it says of a run's copies, and holds placed and lifted by form."""

from __future__ import annotations

import re

import pytest

from catalogue.ground import lifecycle
from catalogue.ground.actor import Actor
from catalogue.ground.calendar import Span
from catalogue.ground.models import Approval
from policies import commands as policies
from policies import wording
from policies.facts import ClauseFact
from policies.models import Hold, Policy
from proposals.models import Proposal
from runs import commands
from runs.models import Replica, Run
from tests.factories import Facility
from tests.visiting import HTMX, People, Visitor, queries_of, sound


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    facility.policy()
    return facility.proposal(state="A", calibrates_by_itself=False)


@pytest.fixture
def run(facility: Facility, proposal: Proposal) -> Run:
    return facility.run(proposal)


@pytest.fixture
def people(facility: Facility, proposal: Proposal) -> People:
    return People(facility, proposal)


def test_everybody_reads_the_policy_in_force(proposal: Proposal) -> None:
    text = sound(Visitor().get("/policy")).text
    assert "“Standard”, version 1" in text
    assert (
        "Raw data and corrected data of Not interesting runs in online storage, offline storage or "
        "mass storage need not be kept once the mark was set." in text
    )
    assert "Even then two other verified copies must remain in offline storage or mass" in text
    assert "is announced seven days before" in text


@pytest.mark.django_db
def test_without_a_policy_nothing_is_removed_and_the_page_says_so() -> None:
    assert "Nothing is ever removed." in sound(Visitor().get("/policy")).text


def _clause(**facts: object) -> ClauseFact:
    plain: dict[str, object] = {
        "order": 1, "kinds": frozenset(), "qualities": frozenset(), "tiers": frozenset(),
        "keep": Span(10, "years"), "counted_from": "beamtime_end", "minimum_replicas": 1,
        "remaining_tiers": frozenset(), "verified_within": None, "grace": Span(0, "days"),
    }  # fmt: skip
    return ClauseFact(**(plain | facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "Data of every kind of all runs in any store are kept for ten years after"),
        ({"keep": None}, "are kept for ever."),
        ({"qualities": frozenset({"good", ""})}, "of Good or unmarked runs"),
        ({"experiments_excluded": frozenset({"Dark"})}, "of all runs (not of Dark)"),
        ({"verified_within": Span(6, "months")}, "verified within the last six months."),
        ({"minimum_replicas": 0, "kinds": frozenset({"RAW"})}, "the last verified copy of raw"),
        ({"grace": Span(0, "days")}, "They go as soon as that is announced."),
    ],
)
def test_a_clause_is_told_from_its_facts_alone(facts: dict[str, object], said: str) -> None:
    assert said in " ".join(wording.clause(_clause(**facts)))


def test_what_is_kept_is_a_page_and_a_part_of_the_runs_page(run: Run, people: People) -> None:
    visitor = Visitor(people.reader)
    path = f"/proposals/{run.proposal.number:06d}/runs/0001"
    assert f'hx-get="{path}/kept"' in visitor.get(path)
    whole, part = visitor.get(f"{path}/kept"), visitor.get(f"{path}/kept", htmx=True)
    sound(whole)
    assert part.strip().startswith('<div id="kept">')
    for html in (whole, part):
        assert "Not to be removed as a copy: it has not been verified." in html
        assert 'href="/policy#clause-2"' in html
    Visitor(people.stranger).get(f"{path}/kept", 404)


def test_a_hold_takes_an_announced_removal_back(
    facility: Facility, run: Run, people: People
) -> None:
    commands.assess(run, quality="not_interesting", by=facility.staff)
    lifecycle.perform_due()
    replica = Replica.objects.get(data_group__run=run)
    assert replica.state == "scheduled"
    visitor = Visitor(people.worker)
    path = f"/proposals/{run.proposal.number}/holds"
    storage = Visitor(people.reader).get("/storage")
    assert "Scheduled for removal" in sound(storage).text
    said = visitor.said(f"{path}/place", run="1", reason="needed for a thesis")
    assert "Hold on run 0001 of p900100 is placed." in sound(said).text
    replica.refresh_from_db()
    assert replica.state == "verified"
    assert "needed for a thesis" in visitor.get(f"/proposals/{run.proposal.number}/runs/1/kept")
    assert "Nothing is announced to go." in Visitor(people.reader).get("/storage")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reason": ""}, "This field is required."),
        ({"reason": "x", "run": "77"}, "There is no run 0077 in p900100."),
        ({"reason": "x", "run": "0"}, "greater than or equal to 1"),
        ({"reason": "x", "run": "one"}, "Enter a whole number."),
        ({"reason": "x", "until": "2020-01-01"}, "must lie in the future"),
        ({"reason": "x", "until": "soon"}, "Enter a valid date."),
        ({"reason": "x", "until": "9999-12-31"}, "The year lies between 1970 and 2199."),
        ({"reason": "x", "kinds": "EVERYTHING"}, "is not one of the available choices"),
        ({"reason": "x" * 2001}, "at most 2000 characters"),
        ({"reason": "x\x00"}, "Null characters are not allowed."),
    ],
)
def test_a_hold_that_is_not_valid_is_given_back_with_the_reason(
    run: Run, people: People, fields: dict[str, str], said: str
) -> None:
    path = f"/proposals/{run.proposal.number}/holds/place"
    html = Visitor(people.worker).post(path, 422, **fields).content.decode()
    assert said in sound(html).text
    assert Hold.objects.count() == 0


def test_who_may_hold_and_lift(facility: Facility, run: Run, people: People) -> None:
    path = f"/proposals/{run.proposal.number}/holds"
    for who in (people.reader, people.auditor, people.user_office):
        assert "Place the hold" not in Visitor(who).get(path)
        Visitor(who).post(f"{path}/place", 403, reason="mine")
    made = policies.hold(run.proposal, reason="an audit", by=facility.staff)
    assert "To hold data is for" in Visitor(people.reader).get(path)
    Visitor(people.reader).post(f"{path}/{made.pk}/lift", 403, reason="enough")
    worker = Visitor(people.worker)
    assert "needs a reason" in worker.post(f"{path}/{made.pk}/lift", 422).content.decode()
    refused = worker.post(f"{path}/{made.pk}/lift", 409, reason="the audit is over")
    assert "takes two people" in refused.content.decode()
    own = policies.hold(run.proposal, reason="mine", by=Actor.of(people.worker, face="page"))
    worker.post(f"{path}/{own.pk}/lift", reason="the audit is over")
    worker.post(f"{path}/{own.pk}/lift", 409, reason="again")
    own.refresh_from_db()
    assert own.state == "lifted"


def test_a_hold_of_somebody_else_is_lifted_by_two(
    facility: Facility, run: Run, people: People
) -> None:
    path = f"/proposals/{run.proposal.number}/holds"
    made = policies.hold(run.proposal, reason="an audit", by=facility.staff)
    worker, principal = Visitor(people.worker), Visitor(people.principal)
    assert "needs a reason" in worker.post(f"{path}/{made.pk}/ask", 422).content.decode()
    for odd in ("x\x00", "x" * 2001):
        worker.post(f"{path}/{made.pk}/ask", 422, reason=odd)
    Visitor(people.reader).post(f"{path}/{made.pk}/ask", 403, reason="me too")
    assert "Ask for it" in sound(worker.get(path)).text
    worker.post(f"{path}/{made.pk}/ask", reason="the audit is over")
    assert "the audit is over" in sound(principal.get(path)).text
    request = Approval.objects.get()
    assert "This takes two people" in sound(worker.get("/approvals")).text
    for odd in ("x\x00", "x" * 2001):
        principal.post(f"/approvals/{request.pk}/decline", 422, reason=odd)
    worker.post(f"/approvals/{request.pk}/agree", 409)
    Visitor(people.reader).post(f"/approvals/{request.pk}/agree", 403)
    Visitor(people.stranger).post(f"/approvals/{request.pk}/agree", 404)
    assert "the audit is over" not in Visitor(people.stranger).get("/approvals")
    made.refresh_from_db()
    assert made.state == "active"
    assert "The hold is lifted" in sound(principal.get("/approvals")).text
    principal.post(f"/approvals/{request.pk}/agree")
    made.refresh_from_db()
    assert made.state == "lifted"
    principal.post(f"/approvals/{request.pk}/agree", 409)


def marks_in(html: str, action: str) -> list[str]:
    """The marks of the forms on a page that lead to `action`."""
    return re.findall(rf'action="{action}"[^>]*>.*?name="once" value="([^"]+)"', html)


def test_a_click_too_many_does_nothing_more(facility: Facility, run: Run, people: People) -> None:
    """Placing a hold, asking to lift it, agreeing: each form sent twice, as its page gave it."""
    path = f"/proposals/{run.proposal.number}/holds"
    staff, worker = Visitor(facility.staff.user), Visitor(people.worker)
    [once] = marks_in(staff.get(path), f"{path}/place")
    for _ in range(2):
        staff.post(f"{path}/place", reason="an audit", once=once)
    made = Hold.objects.get()
    [once] = marks_in(worker.get(path), f"{path}/{made.pk}/ask")
    for _ in range(2):
        worker.post(f"{path}/{made.pk}/ask", reason="the audit is over", once=once)
    agree = f"/approvals/{Approval.objects.get().pk}/agree"
    principal = Visitor(people.principal)
    [once] = marks_in(principal.get("/approvals"), agree)
    for _ in range(2):
        principal.post(agree, once=once)
    made.refresh_from_db()
    assert made.state == "lifted"
    assert "That was sent twice and done once." in sound(principal.get("/approvals")).text


def test_a_policy_drafted_by_a_double_click_is_one_draft(facility: Facility) -> None:
    facility.policy()
    staff = Visitor(facility.staff.user)
    [once] = marks_in(staff.get("/policy/draft"), "/policy/draft")
    typed = {"name": "Standard", "valid_from": "2026-12-01", "reason": "longer",
             "clauses": '[{"text": "t", "kinds": ["RAW"], "keep_count": 1}]'}  # fmt: skip
    for _ in range(2):
        staff.post("/policy/draft", once=once, **typed)
    assert Policy.objects.filter(state="draft").count() == 1


def test_a_hold_of_another_proposal_is_not_there(
    facility: Facility, run: Run, people: People
) -> None:
    other = facility.proposal()
    made = policies.hold(other, reason="not yours", by=facility.staff)
    path = f"/proposals/{run.proposal.number}/holds/{made.pk}/lift"
    Visitor(people.worker).post(path, 404, reason="mine")
    Visitor(facility.staff.user).post(path, 404, reason="by the wrong address")


# path (n: the proposal) -> queries, with session, person and rights included
FROZEN = {"/proposals/{n}/holds": 13, "/proposals/{n}/runs/0001/kept": 16, "/policy": 8}


def test_many_rows_take_as_many_queries_as_few(facility: Facility, run: Run) -> None:
    """The numbers are frozen: one that grows is looked at, not raised."""
    staff = Visitor(facility.staff.user)
    paths = {path: path.format(n=run.proposal.number) for path in FROZEN}
    policies.hold(run.proposal, reason="one", by=facility.staff)
    commands.assess(run, quality="good", by=facility.staff)
    few = {path: queries_of(staff, real) for path, real in paths.items()}
    for n in range(5):
        policies.hold(run.proposal, reason=f"more {n}", run=run if n % 2 else None,
                      by=facility.staff)  # fmt: skip
    lifecycle.perform_due()
    assert {path: queries_of(staff, real) for path, real in paths.items()} == few
    assert few == FROZEN
    assert staff.client.get(paths["/proposals/{n}/holds"], headers=HTMX).status_code == 200
