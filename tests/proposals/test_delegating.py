"""Who stands in for the leaders of a team, and how long it has access: verbs, API and page."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine

from catalogue.ground import access as words
from catalogue.ground import calendar
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Entry, Job
from catalogue.ground.refusal import Refused
from proposals import access, commands, content, delegating, registering
from proposals.models import Membership, Preparation, Proposal
from tests.calling import Callers, done, refused
from tests.factories import BEGIN, Facility
from tests.visiting import People, Visitor, sound

LATER = date(2029, 6, 30)


def acting(user: object) -> Actor:
    return Actor.of(user, face="page")  # type: ignore[arg-type]


class TestDeputies:
    def test_a_deputy_leads_but_names_no_leaders(self, facility: Facility) -> None:
        proposal = facility.proposal()
        people = People(facility, proposal)
        deputy = acting(people.stranger)
        member = delegating.name_deputy(proposal, user=people.stranger, by=acting(people.principal))
        assert member.data_access == Membership.DataAccess.WORK
        allowed = access.allowed_on(deputy, proposal)
        assert {words.TEAM, words.SWITCH, words.CONSENT} <= allowed
        assert not allowed & {words.DELEGATE, words.PROLONG}
        commands.add_member(proposal, user=facility.person(), by=deputy)
        for role in ("deputy", "proposer"):
            with pytest.raises(Refused, match="name deputies"):
                commands.add_member(proposal, user=facility.person(), role=role, by=deputy)
        mate = proposal.memberships.get(user=people.worker)
        with pytest.raises(Refused, match="name deputies"):
            content.change_member(mate, to={"role": "deputy"}, by=deputy)
        with pytest.raises(Refused, match="name deputies"):
            content.remove_member(proposal.memberships.get(role="pi"), by=deputy)
        with pytest.raises(Refused, match="name deputies"):
            delegating.end_deputy(member, by=deputy)
        for led in ({"leader": people.stranger}, {"main_proposer": people.stranger}):
            with pytest.raises(Refused, match="name deputies"):
                registering.lead(proposal, by=deputy, **led)
        assert proposal.memberships.get(role="pi").user == people.principal

    def test_a_deputy_takes_no_leader_s_access_and_prolongs_nobody_s(
        self, facility: Facility
    ) -> None:
        proposal = facility.proposal()
        proposal.refresh_from_db()
        people = People(facility, proposal)
        deputy, end = acting(people.stranger), proposal.team_until
        assert end is not None
        own = delegating.name_deputy(
            proposal, user=people.stranger, by=acting(people.principal), until=end - timedelta(9)
        )
        principal = proposal.memberships.get(user=people.principal)
        for member, to in (
            (own, {"until": end}),
            (own, {"until": None}),
            (principal, {"until": date(2026, 1, 1)}),
            (principal, {"data_access": 0}),
        ):
            with pytest.raises(Refused, match="name deputies"):
                content.change_member(member, to=to, by=deputy)
        content.change_member(principal, to={"description": "leads"}, by=deputy)
        mate = proposal.memberships.get(user=people.worker)
        content.change_member(mate, to={"until": end}, by=deputy)
        with pytest.raises(Refused, match="prolong"):
            content.change_member(mate, to={"until": end + timedelta(1)}, by=deputy)
        with pytest.raises(Refused, match="prolong"):
            commands.add_member(
                proposal, user=facility.person(), until=end + timedelta(1), by=deputy
            )
        leader = acting(people.principal)
        content.change_member(mate, to={"until": end + timedelta(1)}, by=leader)
        with pytest.raises(Invalid, match="must not be later"):
            content.change_member(mate, to={"until": date(2099, 1, 1)}, by=leader)

    def test_before_any_beamtime_too_a_deputy_gives_no_more_than_the_rule_would(
        self, facility: Facility
    ) -> None:
        proposal = facility.proposal()
        content.remove_beamtime(proposal.beamtimes.get(), by=facility.staff)
        people = People(facility, proposal)
        deputy, leader = acting(people.stranger), acting(people.principal)
        delegating.name_deputy(proposal, user=people.stranger, by=leader)
        mate = proposal.memberships.get(user=people.worker)
        year = calendar.add(access.today(), commands.AFTER_BEAM)
        content.change_member(mate, to={"until": year}, by=deputy)
        for day in (year + timedelta(1), calendar.add(year, calendar.Span(5, "years"))):
            with pytest.raises(Refused, match="prolong"):
                content.change_member(mate, to={"until": day}, by=deputy)
            with pytest.raises(Refused, match="prolong"):
                commands.add_member(proposal, user=facility.person(), until=day, by=deputy)
        content.change_member(mate, to={"until": year + timedelta(1)}, by=leader)

    def test_groups_follow_a_deputy_at_once(self, facility: Facility) -> None:
        proposal = facility.proposal()
        Preparation.objects.create(proposal=proposal, groups=[{"name": "g", "members": []}])
        renewals = Job.objects.filter(name="proposals.renew_access")
        leader = acting(facility.leader)
        delegating.name_deputy(proposal, user=facility.person(), by=leader)
        assert renewals.count() == 1

    def test_an_ended_deputy_stays_in_the_team(self, facility: Facility) -> None:
        proposal = facility.proposal()
        leader = acting(facility.leader)
        member = delegating.name_deputy(proposal, user=facility.person(), by=leader)
        assert delegating.end_deputy(member, by=leader).role == "member"
        with pytest.raises(Refused, match="no deputy"):
            delegating.end_deputy(member, by=leader)
        told = Entry.objects.filter(move__in=["name deputy", "end deputy"])
        assert {e.actor for e in told} == {facility.leader}

    def test_who_leads_is_no_deputy(self, facility: Facility) -> None:
        proposal = facility.proposal()
        with pytest.raises(Invalid, match="leads the team already"):
            delegating.name_deputy(proposal, user=facility.leader, by=facility.staff)

    @pytest.mark.parametrize("who", ["reader", "worker", "stranger", "auditor"])
    def test_nobody_else_names_one(self, facility: Facility, who: str) -> None:
        proposal = facility.proposal()
        by = acting(getattr(People(facility, proposal), who))
        with pytest.raises(Refused):
            delegating.name_deputy(proposal, user=facility.person(), by=by)

    def test_over_the_api(self, callers: Callers, proposal: Proposal, facility: Facility) -> None:
        one = f"proposals/{proposal.number}"
        person = facility.person()
        body = {"login": person.username, "until": "2029-01-31"}
        told = done(callers.leader.post(f"{one}/deputies", body), 201)
        assert (told["role"], told["until"]) == ("deputy", "2029-01-31")
        refused(callers.leader.post(f"{one}/deputies", {"login": "nobody"}), 422, "login")
        gone = callers.leader.send("delete", f"{one}/deputies/{person.username}")
        assert gone.status_code == 204
        assert done(callers.leader.get(f"{one}/members/{person.username}"))["role"] == "member"
        refused(callers.leader.send("delete", f"{one}/deputies/{person.username}"), 409)


class TestProlonging:
    def test_the_leader_prolongs_with_a_reason(self, facility: Facility) -> None:
        proposal = facility.proposal()
        leader = acting(facility.leader)
        delegating.prolong_access(proposal, until=LATER, by=leader, reason="the thesis is late")
        proposal.refresh_from_db()
        assert proposal.team_until == LATER
        entry = Entry.objects.get(move="prolong access")
        assert (entry.reason, entry.facts["until"]) == ("the thesis is late", "2029-06-30")

    def test_it_lasts_when_beamtimes_change(self, facility: Facility) -> None:
        proposal = facility.proposal()
        delegating.prolong_access(proposal, until=LATER, by=facility.staff, reason="late")
        begin = BEGIN + timedelta(days=60)
        commands.add_beamtime(
            proposal, begin_at=begin, end_at=begin + timedelta(days=1), by=facility.staff
        )
        proposal.refresh_from_db()
        assert proposal.team_until == LATER
        begin = BEGIN + timedelta(days=365 * 3)
        commands.add_beamtime(
            proposal, begin_at=begin, end_at=begin + timedelta(days=1), by=facility.staff
        )
        proposal.refresh_from_db()
        assert proposal.team_until is not None
        assert proposal.team_until > LATER, "the rule gives more by now"

    def test_who_lost_access_gets_it_back_by_the_office_alone(self, facility: Facility) -> None:
        proposal = facility.proposal()
        leader, office = acting(facility.leader), acting(facility.person("user_office"))
        with time_machine.travel(BEGIN + timedelta(days=500), tick=False):
            facts = {"until": LATER, "reason": "late"}
            with pytest.raises(Refused):
                delegating.prolong_access(proposal, by=leader, **facts)
            delegating.prolong_access(proposal, by=office, **facts)
            assert words.SEE_DATA in access.allowed_on(leader, Proposal.objects.get())

    @pytest.mark.parametrize("until", [date(2026, 12, 1), date(2020, 1, 1), date(2099, 1, 1)])
    def test_odd_days_are_refused(self, facility: Facility, until: date) -> None:
        proposal = facility.proposal()
        with pytest.raises(Invalid, match="must"):
            delegating.prolong_access(proposal, until=until, by=facility.staff, reason="late")

    @pytest.mark.parametrize("who", ["reader", "worker", "local_contact", "auditor"])
    def test_nobody_else_prolongs(self, facility: Facility, who: str) -> None:
        proposal = facility.proposal()
        by = acting(getattr(People(facility, proposal), who))
        with pytest.raises(Refused):
            delegating.prolong_access(proposal, until=LATER, by=by, reason="late")

    def test_over_the_api(self, callers: Callers, proposal: Proposal) -> None:
        path = f"proposals/{proposal.number}/prolong"
        refused(callers.leader.post(path, {"until": "2029-06-30"}), 422)
        refused(callers.leader.post(path, {"until": "soon", "reason": "late"}), 422, "until")
        refused(callers.leader.post(path, {"until": "2020-01-01", "reason": "late"}), 422, "until")
        told = done(callers.leader.post(path, {"until": "2029-06-30", "reason": "late"}))
        assert told["team_until"] == "2029-06-30"


class TestPage:
    def test_a_person_is_found_by_login_mail_or_name(self, facility: Facility) -> None:
        proposal = facility.proposal()
        leader = Visitor(facility.leader)
        path = f"/proposals/{proposal.number}/team"
        found = [facility.person() for _ in range(3)]
        for user, name in zip(found, ("Zweig", "Zweig", "Unik"), strict=True):
            user.last_name = name
            user.save()
        form = {"role": "member", "data_access": "1", "until": ""}
        leader.post(f"{path}/add", login=found[0].email.upper(), **form)
        leader.post(f"{path}/add", login="ada unik", **form)
        html = leader.post(f"{path}/add", 422, login="zweig", **form).content.decode()
        assert "2 people may be meant" in sound(html).text
        assert f'type="radio" name="login" value="{found[1].username}"' in html
        leader.post(f"{path}/add", login=found[1].username, **form)
        assert proposal.memberships.filter(user__in=found).count() == 3
        assert (
            "Nobody with an account"
            in leader.post(f"{path}/add", 422, login="quux", **form).content.decode()
        )

    def test_only_who_may_add_people_is_told_of_people(self, facility: Facility) -> None:
        proposal = facility.proposal()
        people = People(facility, proposal)
        path = f"/proposals/{proposal.number}/team/people?login="
        name = people.stranger.last_name
        assert people.stranger.username in Visitor(people.principal).get(path + name)
        assert Visitor(people.principal).get(path + "%00%00").strip() == ""
        Visitor(people.reader).get(path + name, 403)
        Visitor(people.stranger).get(path + name, 404)

    def test_deputies_and_the_end_of_access(self, facility: Facility) -> None:
        proposal = facility.proposal()
        leader = Visitor(facility.leader)
        person = facility.person()
        path = f"/proposals/{proposal.number}/team"
        facts = {"deputy-login": person.username, "deputy-until": ""}
        assert "is a deputy now" in leader.said(f"{path}/deputies", **facts)
        member = proposal.memberships.get(user=person)
        assert "is no deputy any more" in leader.said(f"{path}/{member.pk}/end-deputy")
        wrong = {"prolong-until": "2020-01-01", "prolong-reason": "late"}
        assert "Must be later" in leader.post(f"{path}/prolong", 422, **wrong).content.decode()
        right = {"prolong-until": "2029-06-30", "prolong-reason": "late"}
        assert "has access until 30 June 2029" in leader.said(f"{path}/prolong", **right)

    def test_two_who_change_a_member_see_each_other(self, facility: Facility) -> None:
        proposal = facility.proposal()
        people = People(facility, proposal)
        member = proposal.memberships.get(user=people.reader)
        leader = Visitor(people.principal)
        path = f"/proposals/{proposal.number}/team/{member.pk}"
        seen = leader.get(path).split('name="seen" value="')[1].split('"')[0]
        content.change_member(member, to={"data_access": 2}, by=facility.staff)
        form = {"seen": seen, "role": "member", "data_access": "0", "until": ""}
        html = leader.post(path, 409, **form).content.decode()
        assert "As it is now" in sound(html).text
        member.refresh_from_db()
        assert member.data_access == 2
        form["seen"] = html.split('name="seen" value="')[1].split('"')[0]
        leader.post(path, **form)
        member.refresh_from_db()
        assert member.data_access == 0

    def test_a_double_click_adds_one_entry(self, facility: Facility) -> None:
        proposal = facility.proposal()
        leader = Visitor(facility.leader)
        form = {"login": facility.person().username, "role": "member", "data_access": "1",
                "until": "", "once": "mark"}  # fmt: skip
        for _ in range(2):
            leader.post(f"/proposals/{proposal.number}/team/add", **form)
        added = Entry.objects.filter(move="add member", actor=facility.leader)
        assert added.count() == 1

    def test_the_leader_is_not_taken_out(self, facility: Facility) -> None:
        proposal = facility.proposal()
        member = proposal.memberships.get(role="pi")
        visitor = Visitor(facility.leader)
        path = f"/proposals/{proposal.number}/team/{member.pk}/remove"
        html = visitor.post(path, 409).content.decode()
        assert "hands over to somebody else first" in sound(html).text
