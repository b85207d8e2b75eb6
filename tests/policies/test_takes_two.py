"""What takes two people: never one in two roles, never a program, and each act exactly once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction

from catalogue.ground import clock, lifecycle
from catalogue.ground.actor import COMMAND, WORKER, Actor
from catalogue.ground.lifecycle import advance
from catalogue.ground.models import Approval, Doi, Entry, Job, Program
from catalogue.ground.refusal import Refused
from policies import commands, drafting, queries
from policies.models import Policy
from proposals import approvals, describe, publishing, withdrawing
from proposals import commands as proposals
from proposals.models import Membership, Proposal
from tests.calling import Caller, done, refused
from tests.factories import BEGIN, CLAUSES, Facility
from tests.visiting import Visitor, queries_of, sound

pytestmark = pytest.mark.django_db
NOW = BEGIN + timedelta(hours=1)
QUERIES = [11, 13]
"""Of the page of what takes two, however much waits there of a proposal: for a data manager, and
for the staff of its instrument."""


@pytest.fixture
def second(facility: Facility) -> Actor:
    return Actor.of(facility.person("data_manager"), face="page")


def draft(facility: Facility, **facts: Any) -> Policy:
    given = {"name": "Standard", "clauses": CLAUSES, "valid_from": clock.now(), "reason": "new"}
    return commands.draft_policy(by=facility.staff, **{**given, **facts})


class TestAPolicy:
    def test_is_drafted_by_one_and_binds_when_another_agrees(
        self, facility: Facility, second: Actor
    ) -> None:
        with time_machine.travel(NOW, tick=False) as travel:
            made = draft(facility)
            run = facility.run(facility.proposal(state="A"))
            lifecycle.perform_due()
            assert queries.in_force(clock.now()) is None
            with pytest.raises(Refused, match="takes two"):
                advance(made.adopt, by=second, at=NOW, valid_from=NOW, person="me")
            travel.shift(timedelta(days=3))
            approvals.agree(Approval.objects.get(), by=second)
            found = queries.in_force(clock.now())
            assert found == made
            assert found.valid_from == clock.now(), "not from before somebody agreed"
            judged = Job.objects.filter(name="policies.judge_run", subject_id=run.pk)
            assert judged.filter(created_at=clock.now()).exists()
        told = Entry.objects.filter(subject_type="policies.policy").order_by("id")
        assert [(e.move, e.actor_name) for e in told] == [
            ("draft", facility.staff.name), ("adopt", second.name),
        ]  # fmt: skip

    def test_that_is_declined_never_judges(self, facility: Facility, second: Actor) -> None:
        draft(facility)
        request = Approval.objects.get()
        with pytest.raises(Refused, match="reason"):
            approvals.decline(request, by=second, reason=" ")
        approvals.decline(request, by=second, reason="too short a grace")
        assert Policy.objects.get().state == "discarded"
        assert queries.in_force(clock.now() + timedelta(days=999)) is None
        with pytest.raises(Refused):
            approvals.agree(request, by=second)

    def test_is_not_adopted_by_a_verb_for_the_console(self, facility: Facility) -> None:
        with pytest.raises(Refused, match="takes two"):
            commands.adopt_policy(
                name="Mine", clauses=CLAUSES, by=facility.staff, valid_from=clock.now()
            )
        assert not Policy.objects.exists()

    @pytest.mark.parametrize("role", ["user_office", "auditor", ""])
    def test_is_the_data_managers_business(self, facility: Facility, role: str) -> None:
        other = facility.person(role)
        with pytest.raises(Refused, match="data managers"):
            draft(replace_staff(facility, other))
        draft(facility)
        with pytest.raises(Refused):
            approvals.agree(Approval.objects.get(), by=Actor.of(other, face="page"))
        assert queries.in_force(clock.now()) is None


def replace_staff(facility: Facility, user: Any) -> Facility:
    other = object.__new__(Facility)
    other.__dict__.update(facility.__dict__, staff=Actor.of(user, face="page"))
    return other


class TestTwoPeople:
    def test_are_two_accounts(self, facility: Facility) -> None:
        draft(facility)
        with pytest.raises(Refused, match="takes two people"):
            approvals.agree(Approval.objects.get(), by=facility.staff)

    def test_are_not_two_accounts_of_one_person(self, facility: Facility, second: Actor) -> None:
        for user in (facility.staff.user, second.user):
            user.orcid = "0000-0002-1825-0097"
            user.save()
        draft(facility)
        with pytest.raises(Refused, match="takes two people"):
            approvals.agree(Approval.objects.get(), by=second)

    @pytest.mark.parametrize("lost", ["office", "account"])
    def test_are_two_who_may(self, facility: Facility, second: Actor, lost: str) -> None:
        """Who asked and has left since asks for nothing any more."""
        draft(facility)
        if lost == "office":
            facility.staff.user.appointments.all().delete()
        else:
            facility.staff.user.is_active = False
            facility.staff.user.save()
        with pytest.raises(Refused, match="asked for it, may not draft and approve policies any"):
            approvals.agree(Approval.objects.get(), by=second)
        assert Approval.objects.get().state == "asked"
        approvals.decline(Approval.objects.get(), by=second, reason="asked by one who left")

    def test_are_no_programs(self, facility: Facility, second: Actor) -> None:
        draft(facility)
        request = Approval.objects.get()
        scopes = frozenset({"read", "write", "administer", "adopt"})
        for by in (
            replace(second, through=Program(name="x"), scopes=scopes),
            Actor.of(facility.daq.user, face="api", scopes=scopes),
            COMMAND,
            WORKER,
        ):
            with pytest.raises(Refused):
                approvals.agree(request, by=by)
        assert Approval.objects.get().state == "asked"

    def test_are_two_in_the_database_too(self, facility: Facility) -> None:
        draft(facility)
        rows = Approval.objects.filter(state="asked")
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(state="agreed", decided_by=facility.staff.user)

    def test_many_requests_take_as_many_queries_as_few(
        self, facility: Facility, second: Actor
    ) -> None:
        """The number is frozen: one that grows is looked at, not raised."""
        proposal = facility.proposal(state="A")
        leader = Actor.of(facility.leader, face="page")

        def ask(times: int) -> None:
            for n in range(2 * times):
                hold = commands.hold(proposal, reason=f"an audit {n}", by=leader)
                asked = commands.ask_to_lift(hold, by=facility.staff, reason="it is over")
                if n % 2:
                    approvals.decline(asked, by=leader, reason="it is not")

        here = facility.person("local_contact", True)
        ask(1)
        few = [queries_of(Visitor(user), "/approvals") for user in (second.user, here)]
        ask(4)
        many = [queries_of(Visitor(user), "/approvals") for user in (second.user, here)]
        assert many == few == QUERIES

    def test_only_who_asked_takes_it_back(self, facility: Facility, second: Actor) -> None:
        draft(facility)
        request = Approval.objects.get()
        with pytest.raises(Refused, match="decline"):
            approvals.take_back(request, by=second)
        approvals.take_back(request, by=facility.staff)
        assert Policy.objects.get().state == "discarded"


class TestAHold:
    def test_is_asked_for_once_and_overtaken_by_its_owner(
        self, facility: Facility, second: Actor
    ) -> None:
        proposal = facility.proposal()
        made = commands.hold(proposal, reason="stop", by=facility.staff)
        with pytest.raises(Refused, match="You placed it"):
            commands.ask_to_lift(made, by=facility.staff, reason="x")
        request = commands.ask_to_lift(made, by=second, reason="x")
        with pytest.raises(Refused, match="already"):
            commands.ask_to_lift(made, by=second, reason="y")
        with pytest.raises(Refused, match="takes two people"):
            commands.lift(made, by=second, reason="x")
        commands.lift(made, by=facility.staff, reason="mine to end")
        request.refresh_from_db()
        assert request.state == "taken_back"

    def test_is_not_lifted_by_one_program_in_two_names(
        self, facility: Facility, second: Actor
    ) -> None:
        made = commands.hold(facility.proposal(), reason="stop", by=facility.staff)
        third = Actor.of(facility.person("data_manager"), face="page")
        program = Program(name="x")
        one, other = (
            replace(a, through=program, scopes=frozenset({"write"})) for a in (second, third)
        )
        with pytest.raises(Refused, match="by a person"):
            commands.ask_to_lift(made, by=one, reason="x")
        request = commands.ask_to_lift(made, by=second, reason="x")
        with pytest.raises(Refused, match="a program agrees for nobody"):
            approvals.agree(request, by=other)
        made.refresh_from_db()
        assert made.state == "active"

    def test_of_the_catalogue_itself_is_nobody_s_own(self, facility: Facility) -> None:
        made = commands.hold(facility.proposal(), reason="stop", by=COMMAND)
        with pytest.raises(Refused, match="takes two"):
            commands.lift(made, by=facility.staff, reason="x")


@pytest.fixture
def published(facility: Facility) -> Proposal:
    with time_machine.travel(NOW, tick=False):
        proposal = facility.proposal(state="A")
        facility.run(proposal)
        proposals.finish(proposal, by=facility.staff)
        lifecycle.perform_due()
        proposals.review(proposal, by=facility.staff)
    doi = Doi.objects.create(
        name=describe.doi_name(proposal.number), url=describe.landing_url(proposal.number),
        proposal=proposal.number,
    )  # fmt: skip
    Proposal.objects.filter(pk=proposal.pk).update(doi=doi)
    advance(doi.publish, by=WORKER, metadata={}, at=clock.now())
    proposal.refresh_from_db()
    return proposal


class TestAPublication:
    def test_is_withdrawn_by_two_data_managers(
        self, facility: Facility, second: Actor, published: Proposal, monkeypatch: Any
    ) -> None:
        said: list[Any] = []

        class Registrar:
            def publish(self, name: str, metadata: Any, url: str) -> None:
                said.append(metadata)

        monkeypatch.setattr(publishing, "registrar", Registrar)
        Job.objects.filter(name="proposals.register_doi").delete()
        leader = Actor.of(facility.leader, face="page")
        proposals.consent(published, by=leader)
        proposals.release_early(published, by=facility.staff)
        Job.objects.filter(name="proposals.register_doi").delete()
        for nobody in (leader, Actor.of(facility.person("instrument_leader", True), face="page")):
            with pytest.raises(Refused):
                withdrawing.ask_to_withdraw(published, by=nobody, reason="x")
            with pytest.raises(Refused):
                withdrawing.withdraw(published, by=nobody, reason="x")
        request = withdrawing.ask_to_withdraw(published, by=facility.staff, reason="wrong sample")
        Visitor().get(f"/data/{published.number:06d}")
        with pytest.raises(Refused):
            approvals.agree(request, by=facility.staff)
        approvals.agree(request, by=second)
        page = sound(Visitor().get(f"/data/{published.number:06d}", 410)).text
        assert "Withdrawn" in page
        Visitor().get(f"/data/{published.number:06d}/files", 404)
        lifecycle.perform_due()
        assert [m["dates"][-1]["dateType"] for m in said] == ["Withdrawn"] or any(
            d["dateType"] == "Withdrawn" for d in said[0]["dates"]
        )
        assert Doi.objects.get().state == "findable", "a DOI is never taken away"

    def test_is_asked_for_on_the_proposals_page(
        self, facility: Facility, second: Actor, published: Proposal
    ) -> None:
        one, path = Visitor(facility.staff.user), f"/proposals/{published.number:06d}"
        page = sound(one.get(path))
        assert f"{path}/withdraw" in page.links
        assert "Nothing changes until a second data manager agrees." in page.text
        asked = sound(one.get(f"{path}/withdraw")).text
        assert "its DOI leads to stays, and says that they were withdrawn." in asked
        html = one.post(f"{path}/withdraw", 422, number="1", reason="wrong sample").content.decode()
        assert "wrong sample" in html, "what was typed is kept"
        one.post(f"{path}/withdraw", number=str(published.number), reason="wrong sample")
        waiting = Approval.objects.get()
        page = sound(Visitor(second.user).get(path))
        assert f"/approvals#approval-{waiting.pk}" in page.links
        assert "“wrong sample” Waits for somebody to agree" in page.text
        published.refresh_from_db()
        assert published.withdrawn_at is None, "nothing before the second"
        approvals.agree(waiting, by=second)
        assert f"p{published.number:06d} was withdrawn" in sound(one.get(path)).text

    @pytest.mark.parametrize("role", ["user_office", "auditor"])
    def test_is_not_asked_for_by_others(
        self, facility: Facility, published: Proposal, role: str
    ) -> None:
        visitor = Visitor(facility.person(role))
        path = f"/proposals/{published.number:06d}"
        assert "Withdraw the publication" not in visitor.get(path)
        visitor.post(f"{path}/withdraw", 403, number=str(published.number), reason="x")
        assert not Approval.objects.exists()

    def test_is_released_early_by_two_people_who_are_there(
        self, facility: Facility, second: Actor, published: Proposal
    ) -> None:
        """The principal investigator who is a data manager as well is still one person; and who
        consented has to lead the team."""
        leader = facility.leader
        leader.appointments.create(role="data_manager")
        proposals.consent(published, by=Actor.of(leader, face="page"))
        with pytest.raises(Refused, match="two people"):
            proposals.release_early(published, by=Actor.of(leader, face="page"))
        Membership.objects.filter(proposal=published, user=leader).update(role="member")
        with pytest.raises(Refused, match="does not lead"):
            proposals.release_early(published, by=second)
        Membership.objects.filter(proposal=published, user=leader).update(role="pi")
        leader.orcid = second.user.orcid = "0000-0002-1825-0097"
        leader.save()
        second.user.save()
        with pytest.raises(Refused, match="two people"):
            proposals.release_early(published, by=second)
        proposals.release_early(published, by=facility.staff)


class TestThroughTheApi:
    def test_policy_and_publication(
        self, facility: Facility, second: Actor, published: Proposal
    ) -> None:
        one, two = Caller(facility.staff.user), Caller(second.user)
        body = {"name": "Standard", "valid_from": "2026-12-01T00:00:00Z", "clauses": CLAUSES,
                "reason": "because"}  # fmt: skip
        made = done(one.post("policies", body), 201)
        assert (made["state"], len(made["clauses"])) == ("draft", 2)
        waiting = done(two.get("approvals?state=asked"))["results"]
        path = f"approvals/{waiting[0]['id']}"
        problem = refused(one.post(f"{path}/agree"), 409)
        assert "takes two people" in problem["detail"]
        refused(two.post(f"{path}/decline"), 422)
        assert done(two.post(f"{path}/agree"))["state"] == "agreed"
        assert done(one.get(f"policies/{made['id']}"))["state"] == "adopted"
        asked = done(one.post(f"proposals/{published.number}/withdraw/ask", {"reason": "x"}), 201)
        assert (
            "takes two"
            in refused(one.post(f"proposals/{published.number}/withdraw", {"reason": "x"}), 409)[
                "detail"
            ]
        )
        stranger = Caller(facility.person())
        refused(stranger.get(f"approvals/{asked['id']}"), 404)
        refused(stranger.post(f"approvals/{asked['id']}/agree"), 404)
        assert done(stranger.get("approvals"))["results"] == []
        refused(stranger.post("policies", body), 403)
        refused(two.post(f"approvals/{asked['id']}/nonsense"), 404)

    @pytest.mark.parametrize(
        ("clauses", "field"),
        [
            ([], "clauses"),
            ("all", "clauses"),
            ([1], "clauses[1]"),
            ([{"text": "x", "kinds": "RAW"}], "clauses[1].kinds"),
            ([{"text": "x", "qualities": ["fine"]}], "clauses[1]"),
            ([{"text": "x", "keep_count": -1}], "clauses[1].keep_count"),
            ([{"text": "x", "keep_count": 10**6, "keep_unit": "years"}], "clauses[1]"),
            ([{"text": "x", "state": "adopted"}], "clauses[1].state"),
            ([{"text": "x", "policy": 1}], "clauses[1].policy"),
            ([{"keep_count": 1}], "clauses[1].text"),
        ],
    )
    def test_clauses_that_break_a_rule(
        self, facility: Facility, clauses: object, field: str
    ) -> None:
        body = {"name": "S", "valid_from": "2026-12-01T00:00:00Z", "clauses": clauses}
        refused(Caller(facility.staff.user).post("policies", {**body, "reason": "x"}), 422, field)
        assert not Policy.objects.exists()


def test_the_next_version_begins_with_the_clauses_in_force(facility: Facility) -> None:
    binding = facility.policy()
    staff = Visitor(facility.staff.user)
    form = staff.get("/policy/draft")
    typed = unescape(form.partition('name="clauses"')[2].partition(">")[2].partition("</text")[0])
    staff.post("/policy/draft", name="Standard", valid_from="2026-12-01", reason="the same",
               clauses=typed)  # fmt: skip
    made = Policy.objects.get(state="draft")
    assert drafting.as_given(made) == drafting.as_given(binding)


@pytest.mark.parametrize("odd", ["[" * 5000, "[{", "[NaN]", '[{"text": "a", "text": "b"}]'])
def test_clauses_that_are_no_json_are_given_back_as_they_were_typed(
    facility: Facility, odd: str
) -> None:
    said = Visitor(facility.staff.user).post(
        "/policy/draft", 422, name="N", valid_from="2026-12-01", reason="x", clauses=odd
    )
    page = sound(said.content.decode()).text
    assert "Enter a valid JSON." in page
    assert odd in page


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_no_policy_binds_in_a_year_without_calendar(facility: Facility, day: str) -> None:
    said = Visitor(facility.staff.user).post(
        "/policy/draft", 422, name="N", valid_from=day, reason="x",
        clauses='[{"text": "t", "kinds": ["RAW"], "keep_count": 1}]',
    )  # fmt: skip
    assert "The year lies between" in said.content.decode()


def test_the_page_of_drafts(facility: Facility, second: Actor) -> None:
    facility.policy()
    one, two = Visitor(facility.staff.user), Visitor(second.user)
    assert "Draft the next version" in sound(one.get("/policy")).text
    assert "Draft the next version" not in Visitor(facility.person()).get("/policy")
    Visitor(facility.person("auditor")).get("/policy/draft", 403)
    form = sound(one.get("/policy/draft"))
    assert "minimum_replicas" in form.text
    bad = one.post("/policy/draft", 422, name="N", valid_from="2026-12-01", reason="x",
                   clauses='[{"text": "t", "kinds": ["JUNK"]}]').content.decode()  # fmt: skip
    assert "JUNK" in sound(bad).text
    one.post("/policy/draft", name="Standard", valid_from="2026-12-01", reason="a longer grace",
             clauses='[{"text": "t", "kinds": ["RAW"], "keep_count": 1}]')  # fmt: skip
    made = Policy.objects.get(state="draft")
    assert made.version == 2
    page = sound(two.get(f"/policy/versions/{made.pk}")).text
    assert "a longer grace" in page
    assert "judges nothing yet" in page
    assert "binds when another data manager agrees" in sound(two.get("/policy")).text
    assert "Standard, version 2" not in Visitor().get("/policy"), "drafts are internal"
    two.post(f"/approvals/{Approval.objects.get().pk}/agree")
    assert "It binds from" in sound(two.get(f"/policy/versions/{made.pk}")).text
