"""The demo facility as it is entered: once, as reported, and everything in its place."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.apps import apps

from catalogue.demo import facility
from catalogue.demo.datacite_server import PASSWORD, USERNAME, DataCiteServer
from catalogue.demo.loader import load
from catalogue.ground import lifecycle, tokens
from catalogue.ground.models import Entry, Job, Store, Technique, User
from catalogue.ground.models.people import ROLES
from catalogue.publication.resource import Person
from policies.models import Clause, Hold
from policies.queries import in_force
from proposals.models import Membership, Proposal
from runs.models import Calibration, Replica, Run
from tests.visiting import Visitor

pytestmark = pytest.mark.django_db

# The rows that tell of the present: what is asked, when, and by which process.
NOT_OURS = {"ContentType", "Permission", "Migration", "Session"}


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "stores", tmp_path / "tokens.json"


def counts() -> dict[str, int]:
    return {
        model.__name__: model._base_manager.count()
        for model in apps.get_models()
        if model.__name__ not in NOT_OURS
    }


def test_it_may_be_entered_again(places) -> None:
    load(*places)
    before, kept = counts(), places[1].read_text()
    load(*places)
    assert counts() == before
    assert places[1].read_text() == kept
    assert before["Proposal"] == len(facility.PAST) + len(facility.COMING)


def test_the_past_is_told_as_reported_and_stands_where_it_stood(places) -> None:
    load(*places)
    states = dict(Proposal.objects.values_list("number", "state"))
    coming = {one.number for one in facility.COMING}
    assert {states.pop(number) for number in coming} == {"N"}
    assert states == {2012: "FR", 3493: "FR", 3492: "FR", 900054: "I"}
    first = Proposal.objects.get(number=2012)
    assert first.access == "open"
    assert [b.begin_at.date().isoformat() for b in first.beamtimes.all()] == [
        "2017-09-14",
        "2018-03-29",
    ]
    # Three years after 2 April 2018, 8 o'clock in Hamburg.
    assert first.release_at == first.released_at == datetime(2021, 4, 2, 6, tzinfo=UTC)
    assert Proposal.objects.get(number=3492).metadata_public is False
    derived = Proposal.objects.filter(derived_from=first).values_list("number", flat=True)
    assert set(derived) == {3492, 3493}
    told = Entry.objects.filter(proposal=2012)
    assert set(told.values_list("actor_name", flat=True)) == {"Demo loader"}
    adopted = told.filter(move__in=["adopt", "review", "release"]).order_by("id")
    assert [e.move for e in adopted] == ["adopt", "adopt", "review", "release"]
    assert all("as reported" in e.reason for e in adopted)


def test_each_page_has_something_to_show(places) -> None:
    """What the beamtime that is played leaves empty: what is said of runs, holds, and what waits
    for a second person."""
    load(*places)
    told = Run.objects.filter(causes__name="beam lost").values_list("proposal__number", "comment")
    assert dict(told) == {2012: "no beam from the second half on; the jet was fine"}
    assert Hold.objects.filter(state="active").values_list("proposal__number").get() == (3493,)
    manager = Visitor(User.objects.get(username="manager"))
    assert "Waits for somebody to agree" in manager.get("/proposals/003493/holds")
    leader = Visitor(User.objects.get(username="leader"))
    assert "Agree: lift" in leader.get("/approvals")


def test_its_work_is_done_as_any_other(places, tmp_path: Path, settings) -> None:
    """Runs of the past are copied, archived and never calibrated; test runs stay where they are;
    DOIs are registered."""
    load(*places)
    with DataCiteServer(tmp_path / "dois.json") as registrar:
        settings.REGISTRAR_URL = registrar.url
        settings.REGISTRAR_USER, settings.REGISTRAR_PASSWORD = USERNAME, PASSWORD
        lifecycle.perform_due()
    dois = Proposal.objects.exclude(doi=None).values_list("number", "doi__state")
    assert dict(dois) == {2012: "findable", 3493: "findable", 3492: "registered"}
    assert not Job.objects.filter(state="held").exists()
    copies = Replica.objects.filter(data_group__run__proposal__number=2012, state="verified")
    assert set(copies.values_list("store__identifier", flat=True)) >= {"offline", "mass_storage"}
    assert not Calibration.objects.exists()
    tests = Run.objects.filter(proposal__number=900054)
    assert tests.count() == 2
    assert {r.quality for r in tests} == {""}
    stores = Replica.objects.filter(data_group__run__in=tests).values_list("store__identifier")
    assert {s for (s,) in stores} == {"online"}


def test_programs_have_tokens_that_open_and_that_nobody_else_may_read(places) -> None:
    load(*places)
    kept = json.loads(places[1].read_text())
    assert stat.S_IMODE(places[1].stat().st_mode) == 0o600
    for program in facility.PROGRAMS:
        token = tokens.recognise(kept[program.login], datetime.now(UTC))
        assert token is not None
        assert (token.user.username, token.scopes) == (program.login, list(program.scopes))
    places[1].unlink()
    load(*places)
    new = json.loads(places[1].read_text())
    daq = facility.DAQ.login
    assert tokens.recognise(kept[daq], datetime.now(UTC)) is None, "the lost one is ended"
    assert tokens.recognise(new[daq], datetime.now(UTC)) is not None


def test_people_policy_techniques_and_stores(places, tmp_path: Path) -> None:
    load(*places)
    for one in facility.PEOPLE:
        user = User.objects.get(username=one.login)
        assert user.check_password(facility.PASSWORD)
        assert Person(given=one.first, family=one.last, orcid=user.orcid), "its last digit checks"
    assert {p.office for p in facility.PEOPLE if p.office} == dict(ROLES).keys(), "of every role"
    assert {role for _, role, _ in facility.TEAM} == set(Membership.Role.values)
    assert {login["login"] for login in facility.logins()} == {p.login for p in facility.PEOPLE}
    policy = in_force(datetime.now(UTC))
    assert policy is not None
    short = Clause.objects.filter(policy=policy, grace_unit="seconds")
    assert short.count() == 3
    assert all("seconds stand for months" in clause.text for clause in short)
    assert (
        Technique.objects.get(name="serial femtosecond crystallography").identifier == facility.SFX
    )
    load(tmp_path / "elsewhere", places[1])
    moved = Store.objects.get(identifier="offline")
    assert moved.mount == str(tmp_path / "elsewhere" / "offline"), "stores move with their folder"
