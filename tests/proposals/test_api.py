"""Endpoints of proposals: good and bad input."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from catalogue.ground import lifecycle
from catalogue.ground.models import Entry
from proposals.models import Membership, Proposal
from tests.calling import Caller, Callers, done, refused
from tests.factories import BEGIN, CycleFactory, Facility, InstrumentFactory

NEW = {"number": 2012, "title": "Serial crystallography", "instrument": "SPB", "cycle": "202601"}


@pytest.fixture
def one(proposal: Proposal) -> str:
    return f"proposals/{proposal.number}"


def test_a_new_proposal_is_told_in_full(callers: Callers) -> None:
    answer = callers.staff.post("proposals", {**NEW, "kind": "commissioning", "abstract": "α\nβ"})
    made = done(answer, 201)
    assert answer["Location"] == "/api/v1/proposals/2012"
    assert made["folder"] == "p002012"
    assert made["path"] == "SPB/202601/p002012"
    assert (made["kind"], made["abstract"], made["state"]) == ("commissioning", "α\nβ", "N")
    assert made["metadata_public"] is True
    assert made["created_at"].endswith("Z")
    assert done(callers.staff.get("proposals/002012")) == made


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": 1_000_000}, "number"),
        ({"number": -1}, "number"),
        ({"number": 10**40}, "number"),
        ({"number": "x"}, "number"),
        ({"number": 2012.0}, "number"),
        ({"number": True}, "number"),
        ({"number": None}, "number"),
        ({"number": [1]}, "number"),
        ({"title": ""}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"title": "a\nb"}, "title"),
        ({"title": "nul\x00"}, "title"),
        ({"title": 7}, "title"),
        ({"instrument": "XYZ"}, "instrument"),
        ({"instrument": {"a": 1}}, "instrument"),
        ({"cycle": "209901"}, "cycle"),
        ({"kind": "holiday"}, "kind"),
        ({"kind": ["user"]}, "kind"),
        ({"derived_from": 3}, "derived_from"),
        ({"metadata_public": "yes"}, "metadata_public"),
        ({"metadata_public": 1}, "metadata_public"),
        ({"abstract": "x" * 20_001}, "abstract"),
        ({"state": "A"}, "state"),
        ({"\u202e": 1}, "\u202e"),
    ],
)
def test_a_bad_proposal_is_refused_and_leaves_nothing(
    callers: Callers, change: dict[str, Any], field: str
) -> None:
    before = (Proposal.objects.count(), Entry.objects.count())
    refused(callers.staff.post("proposals", NEW | change), 422, field)
    assert (Proposal.objects.count(), Entry.objects.count()) == before


def test_a_number_is_given_once(callers: Callers) -> None:
    done(callers.staff.post("proposals", NEW), 201)
    refused(callers.staff.post("proposals", NEW), 422, "number")


def test_only_staff_make_proposals(callers: Callers, facility: Facility) -> None:
    for who in (callers.leader, callers.stranger, callers.daq):
        refused(who.post("proposals", NEW), 403)
    InstrumentFactory(identifier="FXE")
    scientist = Caller(facility.person("instrument_scientist", instrument=True))
    refused(scientist.post("proposals", NEW | {"instrument": "FXE"}), 403)
    done(scientist.post("proposals", NEW), 201)


def test_switches(callers: Callers, one: str) -> None:
    told = done(callers.leader.patch(one, {"assesses_by_itself": True}))
    assert (told["assesses_by_itself"], told["calibrates_by_itself"]) == (True, True)
    refused(callers.leader.patch(one, {"assesses_by_itself": "on"}), 422, "assesses_by_itself")
    refused(callers.leader.patch(one, {"number": 1}), 422, "number")
    refused(callers.daq.patch(one, {"assesses_by_itself": False}), 403)


class TestMoves:
    def test_each_is_foretold_with_its_consequences_or_its_refusal(
        self, callers: Callers, facility: Facility
    ) -> None:
        new = facility.proposal()
        moves = {m["name"]: m for m in done(callers.staff.get(f"proposals/{new.number}/moves"))}
        assert moves.keys() == {
            "prepare",
            "cancel",
            "adopt",
            "consent",
            "release-early",
            "postpone",
        }
        assert moves["prepare"]["allowed"] is True
        assert "online" in moves["prepare"]["consequences"][0]["text"]
        assert moves["cancel"]["takes"] == moves["cancel"]["needs"] == ["reason"]
        assert moves["adopt"]["allowed"] is False
        assert moves["adopt"]["refusal"]["kind"] == "permission"
        assert moves["adopt"]["refusal"]["who"]
        assert moves["release-early"]["refusal"]["why"]

    def test_what_is_foretold_as_refused_is_refused_alike(self, facility: Facility) -> None:
        new = facility.proposal()
        leader = Callers(facility, new).leader
        path = f"proposals/{new.number}/moves"
        for move in done(leader.get(path)):
            body: dict[str, Any] = {
                "reason": "because", "state": "R", "until": "2030-01-01T00:00:00Z",
            }  # fmt: skip
            body = {fact: body[fact] for fact in move["takes"]}
            if not move["allowed"]:
                problem = refused(leader.post(f"{path}/{move['name']}", body), 403)
                assert problem["detail"] == move["refusal"]["why"]

    def test_a_state_that_does_not_fit_is_a_conflict(self, callers: Callers, one: str) -> None:
        problem = refused(callers.staff.post(f"{one}/moves/prepare"), 409)
        assert problem["refusal"] == "state"

    def test_a_missing_reason_is_asked_for(self, callers: Callers, facility: Facility) -> None:
        path = f"proposals/{facility.proposal().number}/moves/cancel"
        for body in (None, {}, {"reason": "  "}):
            problem = refused(callers.staff.post(path, body), 422)
            assert problem["type"].endswith("/reason-missing")
        told = done(callers.staff.post(path, {"reason": "no beam"}))
        assert told["state"] == "C"
        assert Entry.objects.filter(move="cancel", reason="no beam").exists()

    @pytest.mark.parametrize(
        ("name", "body", "field"),
        [
            ("pause", {"reason": "x"}, "reason"),
            ("pause", {"until": "2030-01-01T00:00:00Z"}, "until"),
            ("adopt", {}, "state"),
            ("adopt", {"state": "Z"}, "state"),
            ("postpone", {"reason": "x"}, "until"),
            ("postpone", {"reason": "x", "until": "2030-01-01T00:00:00"}, "until"),
            ("postpone", {"reason": "x", "until": "soon"}, "until"),
            ("confirm-daq", {}, "configuration"),
            ("confirm-daq", {"configuration": []}, "configuration"),
            ("confirm-daq", {"configuration": {"a": "\x00"}}, "configuration"),
            ("confirm-daq", {"configuration": {"a": 2**70}}, "configuration"),
        ],
    )
    def test_bad_facts_are_named(
        self, callers: Callers, one: str, name: str, body: dict[str, Any], field: str
    ) -> None:
        refused(callers.staff.post(f"{one}/moves/{name}", body), 422, field)

    def test_deep_configurations_are_refused(self, callers: Callers, one: str) -> None:
        deep: dict[str, Any] = {}
        for _ in range(20):
            deep = {"a": deep}
        answer = callers.daq.post(f"{one}/moves/confirm-daq", {"configuration": deep})
        refused(answer, 422, "configuration")
        wide = {"a": list(range(20_000))}
        answer = callers.daq.post(f"{one}/moves/confirm-daq", {"configuration": wide})
        refused(answer, 422, "configuration")

    @pytest.mark.parametrize("name", ["withdraw", "request-folders", "delete", "release", "x y"])
    def test_other_names_are_no_moves(self, callers: Callers, one: str, name: str) -> None:
        refused(callers.staff.post(f"{one}/moves/{name}"), 404)

    def test_the_daq_confirms_its_own_step(self, callers: Callers, facility: Facility) -> None:
        path = f"proposals/{facility.proposal().number}"
        done(callers.staff.post(f"{path}/moves/prepare"))
        lifecycle.perform_due()
        body = {"configuration": {"writers": 16, "kinds": ["RAW"], "ratio": 0.5, "on": True}}
        refused(callers.staff.post(f"{path}/moves/confirm-daq", body), 403)
        told = done(callers.daq.post(f"{path}/moves/confirm-daq", body))
        assert told["state"] == "DDC"
        assert told["daq_configuration"] == body["configuration"]


class TestBeamtimes:
    @pytest.fixture
    def later(self, facility: Facility) -> dict[str, str]:
        begin = BEGIN + timedelta(days=100)
        end = begin + timedelta(days=2)
        return {"begin_at": begin.isoformat(), "end_at": end.isoformat()}

    def test_a_block_of_beam(self, callers: Callers, one: str, later: dict[str, str]) -> None:
        made = done(callers.staff.post(f"{one}/beamtimes", later), 201)
        told = done(callers.leader.get(f"{one}/beamtimes"))
        assert len(told) == 2
        assert told[1] == made
        assert made["begin_at"].endswith("Z")

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"end_at": "2026-01-01T00:00:00Z"}, "end_at"),
            ({"begin_at": "2027-02-28T08:00:00"}, "begin_at"),
            ({"begin_at": "2027-02-29T08:00:00Z"}, "begin_at"),
            ({"begin_at": "0001-01-01T00:00:00Z"}, "begin_at"),
            ({"begin_at": "9999-12-31T23:59:59-23:00"}, "begin_at"),
            ({"begin_at": 1_700_000_000}, "begin_at"),
            ({"begin_at": ""}, "begin_at"),
            ({"despite_overlap": "true"}, "despite_overlap"),
        ],
    )
    def test_bad_dates_are_named(
        self, callers: Callers, one: str, later: dict[str, str], change: dict[str, Any], field: str
    ) -> None:
        refused(callers.staff.post(f"{one}/beamtimes", later | change), 422, field)
        assert len(done(callers.staff.get(f"{one}/beamtimes"))) == 1

    def test_user_beamtimes_on_one_instrument_never_overlap(
        self, callers: Callers, facility: Facility, one: str, later: dict[str, str]
    ) -> None:
        done(callers.staff.post(f"{one}/beamtimes", later), 201)
        other = f"proposals/{facility.proposal().number}/beamtimes"
        for body in (later, later | {"despite_overlap": True}):
            problem = refused(callers.staff.post(other, body), 409)
            assert problem["details"]["may_be_confirmed"] is False

    def test_for_others_staff_confirm(
        self, callers: Callers, facility: Facility, one: str, later: dict[str, str]
    ) -> None:
        done(callers.staff.post(f"{one}/beamtimes", later), 201)
        other = f"proposals/{facility.proposal(kind='test').number}/beamtimes"
        problem = refused(callers.staff.post(other, later), 409)
        assert problem["details"]["may_be_confirmed"] is True
        done(callers.staff.post(other, later | {"despite_overlap": True}), 201)

    def test_the_team_does_not_give_itself_beam(
        self, callers: Callers, one: str, later: dict[str, str]
    ) -> None:
        refused(callers.leader.post(f"{one}/beamtimes", later), 403)


class TestMembers:
    def test_added_changed_and_listed(self, callers: Callers, facility: Facility, one: str) -> None:
        person = facility.person()
        body = {"login": person.username, "data_access": 2, "until": "2027-01-31"}
        made = done(callers.leader.post(f"{one}/members", body), 201)
        assert (made["role"], made["data_access"], made["until"]) == ("member", 2, "2027-01-31")
        done(callers.leader.post(f"{one}/members", {"login": person.username}), 201)
        told = done(callers.leader.get(f"{one}/members"))
        assert told[0]["login"] == facility.leader.username
        assert len(told) == 2
        assert "@" not in str(told)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"login": "nobody-here"}, "login"),
            ({"login": ""}, "login"),
            ({"login": "a\x00b"}, "login"),
            ({"role": "boss"}, "role"),
            ({"role": "pi"}, "role"),
            ({"data_access": 3}, "data_access"),
            ({"data_access": True}, "data_access"),
            ({"data_access": "2"}, "data_access"),
            ({"until": "31.1.2027"}, "until"),
            ({"until": "2027-02-30"}, "until"),
            ({"until": "20270130"}, "until"),
            ({"until": 5}, "until"),
        ],
    )
    def test_bad_members_are_named(
        self, callers: Callers, facility: Facility, one: str, change: dict[str, Any], field: str
    ) -> None:
        body = {"login": facility.person().username}
        refused(callers.staff.post(f"{one}/members", body | change), 422, field)
        assert Membership.objects.count() == 1


def test_run_types_and_samples_are_made_once(callers: Callers, one: str) -> None:
    for _ in range(2):
        done(callers.leader.post(f"{one}/experiments", {"name": "dark", "type": "Dark"}), 201)
        done(callers.leader.post(f"{one}/samples", {"name": "salt", "description": "NaCl"}), 201)
    experiments = done(callers.leader.get(f"{one}/experiments"))["results"]
    assert [(e["name"], e["type"]) for e in experiments] == [("dark", "Dark")]
    samples = done(callers.leader.get(f"{one}/samples"))["results"]
    assert [(s["name"], s["description"]) for s in samples] == [("salt", "NaCl")]
    body = {"name": "dark", "type": "Test DAQ"}
    refused(callers.leader.post(f"{one}/experiments", body), 422, "type")
    refused(callers.leader.post(f"{one}/experiments", {"name": "x", "type": "?"}), 422, "type")
    refused(callers.leader.post(f"{one}/samples", {"name": "a\tb"}), 422, "name")
    refused(callers.leader.post(f"{one}/samples", {}), 422, "name")


def test_the_journal_tells_who_did_what_through_which_face(
    callers: Callers, facility: Facility, one: str
) -> None:
    done(callers.staff.post(f"{one}/moves/pause"))
    entry = done(callers.leader.get(f"{one}/journal?page_size=1"))["results"][0]
    assert (entry["move"], entry["before"], entry["after"]) == ("pause", "A", "I")
    assert entry["face"] == "api"
    assert facility.staff.user is not None
    assert entry["actor"] == facility.staff.user.full_name


def test_cycles_are_named_not_numbered(callers: Callers, proposal: Proposal) -> None:
    CycleFactory(identifier="1")
    assert done(callers.staff.get("proposals?cycle=1"))["results"] == []
