"""Changing what belongs to a proposal: its team, beamtimes, run types, samples and description."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from catalogue.ground.models import Entry, Technique, User
from catalogue.ground.refusal import Refused
from proposals import commands, content
from proposals.models import Experiment, Membership, Proposal, Sample
from tests.calling import Caller, Callers, callers, done, refused
from tests.factories import BEGIN, Facility

__all__ = ["callers"]


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    return facility.proposal()


@pytest.fixture
def one(proposal: Proposal) -> str:
    return f"proposals/{proposal.number}"


def test_what_was_removed_meanwhile_is_not_removed_or_changed_again(
    facility: Facility, callers: Callers, proposal: Proposal, one: str
) -> None:
    """As for two callers at the same time, who both found it."""
    done(callers.leader.post(f"{one}/samples", {"name": "salt"}), 201)
    first, second = Sample.objects.get(), Sample.objects.get()
    content.remove_sample(first, by=facility.staff)
    for late in (
        lambda: content.remove_sample(second, by=facility.staff),
        lambda: content.change_sample(second, to={"name": "x"}, by=facility.staff),
    ):
        with pytest.raises(Refused, match="meanwhile"):
            late()
    assert Entry.objects.filter(move="remove sample").count() == 1


class TestDescription:
    def test_the_office_changes_the_record_the_team_what_it_says_of_its_work(
        self, facility: Facility, callers: Callers, one: str
    ) -> None:
        Technique.objects.create(identifier="PaNET01188", name="small angle X-ray scattering")
        origin = facility.proposal()
        record = {
            "title": "A better title", "abstract": "What and why", "metadata_public": False,
            "derived_from": origin.number,
        }  # fmt: skip
        about = {
            "keywords": "water, ice", "techniques": ["PaNET01188"],
            "logbook": "https://log.example/900100",
        }  # fmt: skip
        for name in ("title", "abstract", "metadata_public"):
            refused(callers.leader.patch(one, about | {name: record[name]}), 403)
        done(callers.staff.patch(one, record))
        done(callers.leader.patch(one, about))
        told = done(callers.staff.get(one))
        assert {name: told[name] for name in record | about} == record | about

    def test_the_published_record_stands_after_the_review(
        self, facility: Facility, callers: Callers, proposal: Proposal, one: str
    ) -> None:
        facility.take(proposal, "FR")
        refused(callers.staff.patch(one, {"title": "Another"}), 409)
        done(callers.staff.patch(one, {"keywords": "ice"}))

    @pytest.mark.parametrize(
        "change",
        [{"title": ""}, {"title": None}, {"derived_from": 999_999}, {"derived_from": 900_100},
         {"logbook": "here"}, {"logbook": "javascript:alert(1)"}, {"techniques": ["x"]},
         {"keywords": "a\nb"}, {"state": "R"}, {"instrument": "FXE"}],
    )  # fmt: skip
    def test_bad_values_are_named(
        self, callers: Callers, proposal: Proposal, one: str, change: dict[str, Any]
    ) -> None:
        refused(callers.staff.patch(one, change), 422, next(iter(change)))
        proposal.refresh_from_db()
        assert proposal.title == "Study 900100"

    def test_withdrawing_needs_a_reason(self, callers: Callers, one: str) -> None:
        refused(callers.staff.post(f"{one}/withdraw", {}), 422)
        refused(callers.leader.post(f"{one}/withdraw", {"reason": "no"}), 403)
        told = done(callers.staff.post(f"{one}/withdraw", {"reason": "entered twice"}))
        assert told["withdrawn_at"]

    def test_what_does_not_change_is_not_journaled(self, callers: Callers, one: str) -> None:
        done(callers.staff.patch(one, {"title": "Study 900100"}))
        assert not Entry.objects.filter(move="amend").exists()


class TestMembers:
    @pytest.fixture
    def member(self, facility: Facility, callers: Callers, one: str) -> str:
        login = facility.person().username
        made = callers.leader.post(f"{one}/members", {"login": login}, idempotency_key="m")
        done(made, 201)
        assert made["Location"] == f"/api/v1/{one}/members/{login}"
        return f"{one}/members/{login}"

    def test_what_is_not_given_stays(self, callers: Callers, member: str) -> None:
        done(callers.leader.patch(member, {"role": "deputy", "until": "2027-01-31"}))
        told = done(callers.leader.patch(member, {"data_access": 2}))
        assert (told["role"], told["data_access"], told["until"]) == ("deputy", 2, "2027-01-31")
        assert done(callers.leader.patch(member, {"until": None}))["until"] is None
        assert done(callers.leader.get(member))["role"] == "deputy"

    def test_removed(self, callers: Callers, one: str, member: str) -> None:
        assert callers.leader.send("delete", member).status_code == 204
        refused(callers.leader.get(member), 404)
        assert len(done(callers.leader.get(f"{one}/members"))) == 1
        entry = Entry.objects.get(move="remove member")
        assert entry.facts["person"].startswith("Ada")
        assert (entry.facts["role"], entry.facts["data_access"]) == ("member", 1)

    def test_the_journal_tells_what_somebody_might_before(
        self, facility: Facility, callers: Callers, one: str, member: str
    ) -> None:
        done(callers.leader.patch(member, {"data_access": 2, "until": "2027-01-31"}))
        facts = Entry.objects.get(move="change member").facts
        assert (facts["data_access before"], facts["data_access"]) == (1, 2)
        assert ("until before" in facts, "role before" in facts) == (True, False)
        login = member.rpartition("/")[2]
        user = User.objects.get(username=login)
        proposal = Proposal.objects.get(number=int(one.rpartition("/")[2]))
        commands.add_member(proposal, user=user, data_access=0, by=facility.staff)
        facts = Entry.objects.filter(move="add member").latest("id").facts
        assert (facts["data access before"], facts["until before"]) == (2, "2027-01-31")

    def test_the_principal_investigator_hands_over_first(
        self, facility: Facility, callers: Callers, one: str, member: str
    ) -> None:
        leader = f"{one}/members/{facility.leader.username}"
        refused(callers.staff.send("delete", leader), 409)
        refused(callers.staff.patch(member, {"role": "pi"}), 422, "role")
        done(callers.staff.patch(leader, {"role": "deputy"}))
        done(callers.staff.patch(member, {"role": "pi"}))
        assert callers.staff.send("delete", leader).status_code == 204

    def test_it_is_for_who_manages_the_team(
        self, facility: Facility, callers: Callers, one: str, member: str
    ) -> None:
        login = member.rpartition("/")[2]
        worker = Membership.objects.get(user__username=login)
        who = Caller(worker.user)
        done(who.get(member))
        refused(who.patch(member, {"data_access": 2}), 403)
        refused(who.send("delete", member), 403)


class TestBeamtimes:
    @pytest.fixture
    def beamtime(self, callers: Callers, one: str) -> str:
        told = done(callers.staff.get(f"{one}/beamtimes"))
        return f"{one}/beamtimes/{told[0]['id']}"

    def test_moved_and_the_team_s_access_with_it(
        self, callers: Callers, one: str, beamtime: str
    ) -> None:
        told = done(callers.staff.patch(beamtime, {"end_at": "2027-02-01T08:00:00Z"}))
        assert told["end_at"] == "2027-02-01T08:00:00Z"
        assert done(callers.staff.get(one))["team_until"] == "2028-02-01"
        refused(callers.leader.patch(beamtime, {"end_at": "2027-02-02T08:00:00Z"}), 403)

    def test_it_may_overlap_itself_but_no_other(
        self, facility: Facility, callers: Callers, one: str, beamtime: str
    ) -> None:
        done(callers.staff.patch(beamtime, {"begin_at": "2026-11-20T09:00:00Z"}))
        other = f"proposals/{facility.proposal().number}"
        theirs = done(callers.staff.get(f"{other}/beamtimes"))[0]
        refused(callers.staff.patch(beamtime, {"end_at": theirs["end_at"]}), 409)
        own = {"begin_at": "2027-03-01T08:00:00Z", "end_at": "2027-03-02T08:00:00Z"}
        done(callers.staff.post(f"{one}/beamtimes", own), 201)
        refused(callers.staff.patch(beamtime, own), 422, "begin_at")

    def test_others_confirm_an_overlap(
        self, facility: Facility, callers: Callers, one: str, beamtime: str
    ) -> None:
        test = f"proposals/{facility.proposal(kind='test').number}/beamtimes"
        theirs = f"{test}/{done(callers.staff.get(test))[0]['id']}"
        begin = {"begin_at": "2026-11-20T09:00:00Z"}
        problem = refused(callers.staff.patch(theirs, begin), 409)
        assert problem["details"]["may_be_confirmed"]
        done(callers.staff.patch(theirs, begin | {"despite_overlap": True}))

    @pytest.mark.parametrize(
        ("change", "field"),
        [({"begin_at": "2027-06-01T08:00:00Z"}, "end_at"), ({"end_at": "soon"}, "end_at"),
         ({"begin_at": None}, "begin_at"), ({"state": "x"}, "state")],
    )  # fmt: skip
    def test_bad_times_are_named(
        self, callers: Callers, beamtime: str, change: dict[str, Any], field: str
    ) -> None:
        refused(callers.staff.patch(beamtime, change), 422, field)

    def test_given_back(self, callers: Callers, one: str, beamtime: str) -> None:
        with time_machine.travel(BEGIN.replace(year=2026, month=11, day=1), tick=False):
            assert callers.staff.send("delete", beamtime).status_code == 204
        assert done(callers.staff.get(f"{one}/beamtimes")) == []
        assert done(callers.staff.get(one))["team_until"] is None

    def test_not_given_back_once_data_were_taken(
        self, facility: Facility, callers: Callers, proposal: Proposal, beamtime: str
    ) -> None:
        facility.take(proposal, "A")
        facility.run(proposal)
        with time_machine.travel(BEGIN.replace(day=21), tick=False):
            refused(callers.staff.send("delete", beamtime), 409)

    def test_they_stand_after_the_review(
        self, facility: Facility, callers: Callers, proposal: Proposal, beamtime: str
    ) -> None:
        facility.take(proposal, "FR")
        refused(callers.staff.patch(beamtime, {"end_at": "2027-02-01T08:00:00Z"}), 409)
        refused(callers.staff.send("delete", beamtime), 409)


@pytest.mark.parametrize(
    ("kind", "body"),
    [("experiments", {"name": "old", "type": "LCP SFX"}), ("samples", {"name": "old"})],
)
class TestParts:
    @pytest.fixture
    def part(
        self, facility: Facility, callers: Callers, proposal: Proposal, one: str, kind: str,
        body: dict[str, Any],
    ) -> str:  # fmt: skip
        facility.experiment(proposal)
        made = callers.leader.post(f"{one}/{kind}", body)
        done(made, 201)
        return str(made["Location"])

    def test_renamed_and_described(self, callers: Callers, part: str, kind: str) -> None:
        done(callers.leader.patch(part, {"name": "new"}))
        told = done(callers.leader.patch(part, {"description": "white"}))
        assert (told["name"], told["description"]) == ("new", "white")
        assert done(callers.leader.get(part)) == told
        assert Entry.objects.filter(move=f"change {kind[:-1]}").count() == 2

    def test_a_name_that_is_taken(
        self, callers: Callers, one: str, part: str, kind: str, body: dict[str, Any]
    ) -> None:
        done(callers.leader.post(f"{one}/{kind}", body | {"name": "other"}), 201)
        refused(callers.leader.patch(part, {"name": "other"}), 422, "name")

    def test_taken_away_while_there_are_no_data_of_it(
        self, facility: Facility, callers: Callers, proposal: Proposal, part: str, kind: str
    ) -> None:
        facility.take(proposal, "A")
        run = facility.run(proposal)
        name = kind[:-1]
        one_of = {"experiment": Experiment, "sample": Sample}[name]
        setattr(run, name, one_of.objects.get(name="old"))
        run.save()
        refused(callers.leader.send("delete", part), 409)
        setattr(run, name, None)
        run.save()
        assert callers.leader.send("delete", part).status_code == 204
        refused(callers.leader.get(part), 404)

    def test_found_by_name_in_order(
        self, callers: Callers, one: str, part: str, kind: str, body: dict[str, Any]
    ) -> None:
        for name in ("b", "a", "c"):
            done(callers.leader.post(f"{one}/{kind}", body | {"name": name}), 201)
        path = f"{one}/{kind}"
        names = [p["name"] for p in done(callers.leader.get(f"{path}?order=-name"))["results"]]
        assert names == sorted(names, reverse=True)
        page = done(callers.leader.get(f"{path}?page_size=2&order=-id"))
        assert [p["name"] for p in page["results"]] == ["c", "a"]
        page = done(callers.leader.get(page["next"]))
        assert page["results"][0]["name"] == "b"
        found = done(callers.leader.get(f"{path}?name=old"))["results"]
        assert [p["name"] for p in found] == ["old"]
        refused(callers.leader.get(f"{path}?order=size"), 422, "order")
