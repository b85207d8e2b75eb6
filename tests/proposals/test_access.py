"""Who may see and do what: lists and single rows by one rule, and the table of the domain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalogue.ground import access as words
from catalogue.ground.actor import VISITOR, Actor
from catalogue.ground.models import Appointment, Program
from proposals import access, commands
from proposals.models import Membership, Proposal
from runs import access as runs
from runs.models import Run
from tests.factories import BEGIN, Facility, InstrumentFactory, UserFactory

NOW = BEGIN + timedelta(hours=1)
PERMISSIONS = sorted(words._VOCABULARY - {"system"})
SCOPES = st.one_of(st.none(), st.frozensets(st.sampled_from(sorted(words.SCOPES)), max_size=3))

FACILITY_ROLES = ("user_office", "data_manager", "auditor")
INSTRUMENT_ROLES = ("local_contact", "instrument_scientist", "instrument_leader", "deputy_leader")


@pytest.mark.django_db
@settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes here
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_the_rule_for_lists_is_the_rule_for_one(facility: Facility, data: st.DataObject) -> None:
    """Random people with random offices, memberships and tokens; every permission."""
    with time_machine.travel(NOW, tick=False):
        if Proposal.objects.count() < 3:
            other = InstrumentFactory(identifier="FXE")
            for _ in range(2):
                facility.proposal()
            facility.instrument = other
            facility.proposal()
        person = UserFactory(
            is_active=data.draw(st.booleans(), "active"),
            is_service=data.draw(st.booleans(), "service"),
        )
        day = access.today()
        dates = st.sampled_from([None, day, day - timedelta(days=1), day + timedelta(days=9)])
        for proposal in Proposal.objects.all():
            if data.draw(st.booleans(), "member"):
                Membership.objects.create(
                    proposal=proposal, user=person, added_at=NOW,
                    role=data.draw(st.sampled_from(["member", "deputy", "proposer"]), "role"),
                    data_access=data.draw(st.integers(0, 2), "data access"),
                    until=data.draw(dates, "until"),
                )  # fmt: skip
            ends = data.draw(dates, "team until")
            Proposal.objects.filter(pk=proposal.pk).update(team_until=ends)
        for role in data.draw(st.sets(st.sampled_from(FACILITY_ROLES), max_size=1), "offices"):
            Appointment.objects.create(user=person, role=role, until=data.draw(dates))
        for role in data.draw(st.sets(st.sampled_from(INSTRUMENT_ROLES), max_size=2), "at"):
            Appointment.objects.create(
                user=person, role=role, instrument=facility.instrument, until=data.draw(dates)
            )
        actor = Actor.of(person, face="api", scopes=data.draw(SCOPES, "scopes"))
        if data.draw(st.booleans(), "through a program"):
            actor = replace(actor, through=Program(name="DAQ"))
        for permission in PERMISSIONS:
            rows = set(
                Proposal.objects.filter(access.holding(actor, permission)).values_list(
                    "number", flat=True
                )
            )
            single = {
                p.number
                for p in Proposal.objects.select_related("instrument")
                if permission in access.allowed_on(actor, p)
            }
            assert rows == single, permission


@pytest.mark.django_db
def test_data_that_may_be_read_in_lists_may_be_read_alone(facility: Facility) -> None:
    with time_machine.travel(NOW, tick=False):
        proposal = facility.proposal(state="A")
        run = facility.run(proposal)
        people = [
            VISITOR,
            Actor.of(facility.leader, face="page"),
            Actor.of(facility.person(), face="page"),
            Actor.of(facility.person("user_office"), face="page"),
            facility.staff,
            facility.daq,
        ]
        for who in people:
            listed = runs.readable(who).filter(pk=run.pk).exists()
            assert listed == runs.may_read_data(who, Run.objects.get(pk=run.pk)), who.name


def roles(facility: Facility, proposal: Proposal) -> dict[str, Actor]:
    """One actor for each row of the domain's table."""

    def member(role: str, level: int) -> Actor:
        person = facility.person()
        commands.add_member(proposal, user=person, role=role, data_access=level, by=facility.staff)
        return Actor.of(person, face="page")

    return {
        "visitor": VISITOR,
        "stranger": Actor.of(facility.person(), face="page"),
        "read": member("member", 1),
        "work": member("member", 2),
        "pi": Actor.of(facility.leader, face="page"),
        "proposer": member("proposer", 2),
        "contact": Actor.of(facility.person("local_contact", True), face="page"),
        "leader": Actor.of(facility.person("instrument_leader", True), face="page"),
        "office": Actor.of(facility.person("user_office"), face="page"),
        "manager": facility.staff,
        "auditor": Actor.of(facility.person("auditor"), face="page"),
    }


# Rows of the table "Who may do what" of the domain: who holds each permission on a proposal.
TABLE = {
    words.SEE_METADATA: "read work pi proposer contact leader office manager auditor",
    words.SEE_DATA: "read work pi proposer contact leader manager",
    words.PACKAGE: "read work pi proposer contact leader manager",
    words.ASSESS: "work pi proposer contact leader manager",
    words.CALIBRATE: "work pi proposer contact leader manager",
    words.SWITCH: "pi proposer contact leader manager",
    words.EDIT: "work pi proposer contact leader manager",
    words.TEAM: "pi proposer contact leader office manager",
    words.OPERATE: "contact leader manager",
    words.REVIEW: "leader manager",
    words.CONSENT: "pi proposer",
    words.RELEASE: "manager",
    words.HOLD: "work pi proposer contact leader manager",
    words.CANCEL: "contact leader office manager",
    words.ADMINISTER: "manager",
    words.DAQ: "",
    words.ADOPT: "",
}


@pytest.mark.django_db
def test_the_table_of_who_may_do_what(facility: Facility) -> None:
    with time_machine.travel(NOW, tick=False):
        proposal = facility.proposal()
        people = roles(facility, proposal)
        for permission, holders in TABLE.items():
            found = {n for n, a in people.items() if permission in access.allowed_on(a, proposal)}
            assert found == set(holders.split()), permission


@pytest.mark.django_db
def test_no_program_consents_or_releases(facility: Facility) -> None:
    """Else a program's token and one member of staff would open data without their team."""
    proposal = facility.proposal()
    program = Actor.of(facility.daq.user, face="api", scopes=frozenset(words.SCOPES))
    may = access.allowed_on(program, proposal)
    assert {words.CONSENT, words.RELEASE} & may == set()
    assert words.REVIEW in may
    leader = Actor.of(facility.leader, face="api", scopes=frozenset(["write"]))
    assert words.CONSENT in access.allowed_on(leader, proposal)


@pytest.mark.django_db
def test_the_team_of_another_proposal_is_a_stranger(facility: Facility) -> None:
    with time_machine.travel(NOW, tick=False):
        mine, theirs = facility.proposal(), facility.proposal()
        me = facility.person()
        commands.add_member(mine, user=me, data_access=2, by=facility.staff)
        actor = Actor.of(me, face="page")
        assert access.allowed_on(actor, theirs) == frozenset()
        assert list(access.visible(actor)) == [mine]


@pytest.mark.django_db
def test_the_team_s_access_ends_a_year_after_the_beamtime(facility: Facility) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        proposal = facility.proposal()
        leader = Actor.of(facility.leader, face="page")
        assert list(access.visible(leader)) == [proposal]
        clock.move_to(NOW + timedelta(days=3 + 365))
        assert list(access.visible(leader)) == [proposal]
        clock.move_to(NOW + timedelta(days=4 + 366))
        assert list(access.visible(leader)) == []
        day = access.today() + timedelta(days=100)
        commands.add_member(
            proposal, user=facility.leader, role="pi", data_access=2, until=day, by=facility.staff
        )
        assert list(access.visible(leader)) == [proposal], "prolonged"
