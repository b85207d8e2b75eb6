"""Who calls, whom they may read of, and what takes a directory or a browser."""

from __future__ import annotations

import pytest

from catalogue.ground.models import User
from proposals import commands
from tests.factories import Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db


def test_me_is_the_person_who_is_acted_for(facility: Facility) -> None:
    person = facility.person()
    User.objects.filter(pk=person.pk).update(provider="ldap", uid="ada", nickname="ada")
    me = Legacy(facility, person, scopes=["read"]).get("me").json()
    assert me["id"] == person.pk
    assert {
        name: me[name]
        for name in ("email", "first_name", "last_name", "name", "nickname", "provider", "uid")
    } == {
        "email": person.email,
        "first_name": "Ada",
        "last_name": person.last_name,
        "name": f"Ada {person.last_name}",
        "nickname": "ada",
        "provider": "ldap",
        "uid": "ada",
    }
    assert not any("key" in name or "password" in name for name in me)


def test_one_reads_of_those_one_works_with(facility: Facility) -> None:
    proposal, stranger = facility.proposal(), facility.person()
    member, mate = facility.person(), facility.person()
    for user in (member, mate):
        commands.add_member(proposal, user=user, data_access=1, by=facility.staff)
    theirs = Legacy(facility, member, scopes=["read"])
    seen = {row["id"] for row in theirs.get("users").json()}
    assert seen == {member.pk, mate.pk, facility.leader.pk}
    assert theirs.get(f"users/{mate.pk}").json()["email"] == mate.email
    assert theirs.get(f"users/{stranger.pk}").status_code == 404
    assert theirs.get(f"users?email={stranger.email}").content == b"[]"
    assert theirs.get("users?email=").content == b"[]"
    everybody = Legacy(facility).get(f"users?email={stranger.email.upper()}").json()
    assert [row["id"] for row in everybody] == [stranger.pk]


def test_the_proposals_of_a_person(facility: Facility) -> None:
    proposal, other = facility.proposal(), facility.proposal()
    member = facility.person()
    User.objects.filter(pk=member.pk).update(uid="ada.l-1")
    for each in (proposal, other):
        commands.add_member(each, user=member, data_access=1, by=facility.staff)
    office = Legacy(facility)
    assert office.get("users/ada.l-1/proposals").json() == [
        {"proposal_id": p.pk, "proposal_number": p.number} for p in (proposal, other)
    ]
    assert office.get("users/nobody/proposals").status_code == 404
    mate = facility.person()
    commands.add_member(other, user=mate, data_access=1, by=facility.staff)
    seen = Legacy(facility, mate, scopes=["read"]).get("users/ada.l-1/proposals").json()
    assert [row["proposal_id"] for row in seen] == [other.pk]


def test_accounts_are_opened_on_the_site(facility: Facility) -> None:
    legacy = Legacy(facility)
    assert legacy.post("users", {"user": {"email": "x@example.org"}}).status_code == 405
    assert legacy.put(f"users/{facility.person().pk}", {}).status_code == 405
    refused = legacy.post("ldap_import", {"user": {"email": "x@example.org"}})
    assert refused.status_code == 422
    assert "No directory is connected" in refused.json()["info"]
    assert legacy.post("ldap_import", {}).json() == {"info": {"email": ["can't be blank"]}}
    assert not User.objects.filter(email="x@example.org").exists()


def test_there_are_no_sessions(facility: Facility) -> None:
    legacy = Legacy(facility)
    body = {"user": {"email": "x@example.org", "password": "x", "provider": "local"}}
    assert legacy.post("sessions", body).status_code == 422
    assert legacy.delete("sessions").status_code == 404
