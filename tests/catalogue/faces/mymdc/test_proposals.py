"""Proposals over the legacy API: what is kept, what is refused, who may know and change what."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue.faces.mymdc.metadata.proposals import Proposals
from catalogue.ground.actor import COMMAND
from catalogue.ground.models import Doi, Entry
from proposals import commands
from proposals.models import PREPARATION, Membership, Proposal
from tests.factories import CycleFactory, Facility, InstrumentFactory
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db
TAKEN = ["has already been taken"]
FIXED = ["cannot be updated"]


@pytest.fixture
def legacy(facility: Facility) -> Legacy:
    return Legacy(facility)


@pytest.fixture
def given(facility: Facility) -> dict[str, Any]:
    """What a program says of a new proposal."""
    person = facility.person()
    return {
        "number": 700123,
        "title": "A study",
        "abstract": "Of crystals",
        "url": "https://portal.example.org/700123",
        "instrument_id": str(facility.instrument.pk),
        "instrument_identifier": "of no interest",
        "instrument_cycle_id": facility.cycle.pk,
        "principal_investigator_id": person.pk,
        "main_proposer_id": person.pk,
        "begin_at": "2024-02-27T08:00:00+01:00",
        "end_at": "2024-02-29T08:00:00.000+01:00",
        "release_at": "2031-01-01T00:00:00+01:00",
        "flg_beamtime_status": "N",
        "beamtime_start_at": "2024-02-28T08:00:00+01:00",
        "beamtime_end_at": "2024-02-28T20:00:00+01:00",
        "flg_proposal_system": "U",
        "flg_available": "true",
        "description": "",
    }


def test_a_proposal_is_given_back_as_it_was_said(
    legacy: Legacy, given: dict[str, Any], facility: Facility
) -> None:
    made = legacy.post("proposals/", {"proposal": given})
    row = made.json()
    assert made.status_code == 201, row
    assert {
        name: row[name]
        for name in (
            "number", "title", "abstract", "url", "proposal_folder", "def_proposal_path",
            "instrument_id", "instrument_identifier", "instrument_cycle_id",
            "principal_investigator_id", "main_proposer_id", "begin_at", "end_at", "release_at",
            "beamtime_start_at", "flg_beamtime_status", "flg_proposal_system", "flg_available",
            "flg_public", "flg_auto_run_quality", "flg_preferred_data_output", "doi", "last_run",
        )
    } == {
        "number": 700123,
        "title": "A study",
        "abstract": "Of crystals",
        "url": "https://portal.example.org/700123",
        "proposal_folder": "p700123",
        "def_proposal_path": "/gpfs/exfel/exp/SPB/202601/p700123/raw",
        "instrument_id": facility.instrument.pk,
        "instrument_identifier": "SPB",
        "instrument_cycle_id": facility.cycle.pk,
        "principal_investigator_id": given["principal_investigator_id"],
        "main_proposer_id": given["main_proposer_id"],
        "begin_at": "2024-02-27T08:00:00.000+01:00",
        "end_at": "2024-02-29T08:00:00.000+01:00",
        # three calendar years after the end, whatever was said
        "release_at": "2027-02-28T08:00:00.000+01:00",
        "beamtime_start_at": "2024-02-28T08:00:00.000+01:00",
        "flg_beamtime_status": "N",
        "flg_proposal_system": "U",
        "flg_available": True,
        "flg_public": False,
        "flg_auto_run_quality": -1,
        "flg_preferred_data_output": "R",
        "doi": None,
        "last_run": 0,
    }  # fmt: skip
    for path in (
        f"proposals/{row['id']}",
        "proposals//by_number/700123",
        "proposals//by_number_daq_info/700123",
    ):
        assert legacy.get(path).json() == row
    assert legacy.get("proposals/?number=700123&page=1&page_size=3").json() == [row]
    assert legacy.delete(f"proposals/{row['id']}").status_code == 204
    gone = legacy.delete(f"proposals/{row['id']}")
    assert (gone.status_code, gone.json()) == (404, {"info": "Resource not found!"})


def test_a_number_that_is_unknown_is_told_as_it_was_asked(legacy: Legacy) -> None:
    for number in ("-99", "012345"):
        for path in ("by_number", "by_number_daq_info"):
            answer = legacy.get(f"proposals//{path}/{number}")
            assert answer.status_code == 404
            assert answer.json() == {"info": f"Proposal number {number} not found"}


def test_what_is_taken_is_told_on_all_that_follows_from_the_number(
    legacy: Legacy, given: dict[str, Any]
) -> None:
    legacy.post("proposals", given)
    again = legacy.post("proposals", {"proposal": given})
    assert again.status_code == 422
    assert again.json() == {
        "info": {
            "def_proposal_path": TAKEN, "number": TAKEN, "proposal_folder": TAKEN, "url": TAKEN,
        }
    }  # fmt: skip
    assert Proposal.objects.filter(number=700123).count() == 1


def test_what_cannot_be_updated(legacy: Legacy, given: dict[str, Any]) -> None:
    row = legacy.post("proposals", given).json()
    changed = {
        "number": 7,
        "title": "Another",
        "begin_at": "2024-02-26T08:00:00+01:00",
        "release_at": "2031-01-01T00:00:00+01:00",
        "beamtime_start_at": None,
        "beamtime_end_at": "2024-02-28T21:00:00+01:00",
        "flg_proposal_system": "L",
        "abstract": "not kept",
    }
    refused = legacy.put(f"proposals/{row['id']}", {"proposal": changed})
    assert refused.status_code == 422
    assert refused.json() == {"info": {name: FIXED for name in changed if name != "abstract"}}
    assert legacy.get(f"proposals/{row['id']}").json() == row
    wrong = legacy.put(f"proposals/{row['id']}", {"number": "many"}).json()
    assert wrong == {"info": {"number": ["cannot be updated", "is not a number"]}}
    same = legacy.put(f"proposals/{row['id']}", {k: row[k] for k in changed})
    assert same.json() == row


def test_a_partial_update_changes_what_it_names(
    legacy: Legacy, given: dict[str, Any], facility: Facility
) -> None:
    row = legacy.post("proposals", given).json()
    other, proposer = InstrumentFactory(identifier="FXE"), facility.person()
    to = {
        "abstract": "",
        "instrument_id": other.pk,
        "main_proposer_id": proposer.pk,
        "end_at": "2024-03-01T08:00:00+01:00",
        "flg_available": "false",
        "flg_auto_run_quality": "1",
        "num_scheduled_shifts": "5",
        "local_contact_id": given["principal_investigator_id"],
        "logbook_info": {"logbook_identifier": "x", "logbook_url": "https://log.example.org/1"},
        "meeting": "zoom.example.org",
    }
    after = legacy.put(f"proposals/{row['id']}", to).json()
    expected = {
        "abstract": "",
        "instrument_id": other.pk,
        "instrument_identifier": "FXE",
        "main_proposer_id": proposer.pk,
        "principal_investigator_id": row["principal_investigator_id"],
        "end_at": "2024-03-01T08:00:00.000+01:00",
        "release_at": row["release_at"],
        "def_proposal_path": row["def_proposal_path"],
        "flg_available": False,
        "flg_auto_run_quality": 1,
        "num_scheduled_shifts": 5,
        "meeting": "zoom.example.org",
        "local_contact_id": given["principal_investigator_id"],
    }
    assert {name: after[name] for name in expected} == expected
    assert after["logbook_info"]["logbook_url"] == "https://log.example.org/1"
    roles = Membership.objects.filter(proposal=row["id"]).values_list("user", "role")
    assert dict(roles) == {
        given["principal_investigator_id"]: "pi",
        proposer.pk: "proposer",
    }
    moves = Entry.objects.filter(proposal=700123).order_by("id").values_list("move", flat=True)
    assert list(moves) == ["create", "register", "lead", "change", "lead", "switch"]


def test_the_leader_hands_over(legacy: Legacy, given: dict[str, Any], facility: Facility) -> None:
    row = legacy.post("proposals", given).json()
    heir = facility.person()
    after = legacy.put(f"proposals/{row['id']}", {"principal_investigator_id": heir.pk}).json()
    assert after["principal_investigator_id"] == heir.pk
    assert after["main_proposer_id"] == given["main_proposer_id"]
    roles = Membership.objects.filter(proposal=row["id"]).values_list("user", "role")
    assert dict(roles) == {heir.pk: "pi", given["main_proposer_id"]: "proposer"}


@pytest.mark.parametrize("codes", ["TN", "TRT", "TRN", "RNT", "NTN", ["F", "T"], ["FR", "R"]])
def test_a_state_is_read_as_it_was_written(
    legacy: Legacy, given: dict[str, Any], codes: list[str]
) -> None:
    row = legacy.post("proposals", given).json()
    for code in codes:
        after = legacy.put(f"proposals/{row['id']}", {"flg_beamtime_status": code}).json()
        assert after["flg_beamtime_status"] == code, after
        found = legacy.get(f"proposals?flg_beamtime_status={code}").json()
        assert [p["id"] for p in found] == [row["id"]]


def test_a_reported_state_is_the_move_adopt(
    facility: Facility, legacy: Legacy, given: dict[str, Any]
) -> None:
    row = legacy.post("proposals", {**given, "flg_beamtime_status": "R"}).json()
    entry = Entry.objects.filter(proposal=700123).latest("id")
    assert (row["flg_beamtime_status"], entry.move, entry.after) == ("R", "adopt", "R")
    assert entry.program_name
    without = Legacy(facility, scopes=["read", "write"])
    same = without.put(f"proposals/{row['id']}", {"flg_beamtime_status": "R"})
    assert same.status_code == 200
    other = without.put(f"proposals/{row['id']}", {"flg_beamtime_status": "A"})
    assert other.status_code == 403
    unknown = legacy.put(f"proposals/{row['id']}", {"flg_beamtime_status": "X"})
    assert unknown.json() == {"info": {"flg_beamtime_status": ["is not included in the list"]}}


def test_tests_are_not_made_of_what_was_reviewed(facility: Facility, legacy: Legacy) -> None:
    proposal = facility.proposal(state="FR")
    refused = legacy.put(f"proposals/{proposal.pk}", {"flg_beamtime_status": "T"})
    assert refused.status_code == 422
    proposal.refresh_from_db()
    assert (proposal.kind, proposal.state) == ("user", "FR")


def test_data_do_not_become_public_by_a_flag(legacy: Legacy, given: dict[str, Any]) -> None:
    refused = legacy.post("proposals", {**given, "flg_public": True})
    assert refused.json() == {"info": {"flg_public": ["becomes true when the data are released"]}}
    row = legacy.post("proposals", {**given, "flg_public": False}).json()
    again = legacy.put(f"proposals/{row['id']}", {"flg_public": "true"})
    assert again.status_code == 422
    assert again.json()["info"]["flg_public"][0] == "cannot be updated"


@pytest.mark.parametrize(
    ("change", "info"),
    [
        ({"number": ""}, {"number": ["can't be blank", "is not a number"]}),
        ({"number": 1234567}, {"number": ["must be from 0 to 999999"]}),
        ({"title": " "}, {"title": ["can't be blank"]}),
        ({"instrument_id": 4711}, {"instrument": ["must exist"]}),
        ({"instrument_id": None}, {"instrument_id": ["can't be blank"]}),
        ({"num_scheduled_shifts": 40000},
         {"num_scheduled_shifts": ["must be less than or equal to 32767"]}),
        ({"end_at": "9998-06-01T00:00:00Z"}, {"end_at": ["lies too far ahead"]}),
        ({"end_at": "2020-01-01T00:00:00Z"}, {"end_at": ["must not be before begin_at"]}),
        ({"flg_auto_run_quality": 3},
         {"flg_auto_run_quality": ["is not included in the list"]}),
        ({"logbook_info": {"logbook_url": "javascript:alert(1)"}},
         {"logbook_info": ["must be an address like https://…"]}),
        ({"proposals_users_attributes": [{"id": 3}]}, {"proposals_users": ["must exist"]}),
        ({"proposals_users_attributes": "all"}, {"proposals_users": ["is invalid"]}),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_new_proposal(
    legacy: Legacy, given: dict[str, Any], change: dict[str, Any], info: dict[str, list[str]]
) -> None:
    refused = legacy.post("proposals", {**given, **change})
    assert (refused.status_code, refused.json()) == (422, {"info": info})
    assert not Proposal.objects.exists()
    assert not Entry.objects.exclude(proposal=None).exists()


def test_the_team_is_written_with_the_proposal(
    legacy: Legacy, given: dict[str, Any], facility: Facility
) -> None:
    member, other = facility.person(), facility.person()
    team = [
        {"user_id": member.pk, "data_access_role": 1, "flg_lab_access": "1"},
        {"user_id": other.pk},
    ]
    row = legacy.post("proposals", {**given, "proposals_users_attributes": team}).json()
    by_user = {m["user_id"]: m for m in row["team"]}
    assert by_user[member.pk]["data_access_role"] == 1
    assert by_user[member.pk]["flg_lab_access"] is True
    assert by_user[other.pk]["data_access_role"] == 2
    assert {i["email"] for i in row["users_info"]} >= {member.email, other.email}
    change = [
        {"id": by_user[other.pk]["id"], "_destroy": 1},
        {"id": by_user[member.pk]["id"], "role_description": "sample preparation"},
    ]
    after = legacy.put(f"proposals/{row['id']}", {"proposals_users_attributes": change}).json()
    assert other.pk not in {m["user_id"] for m in after["team"]}
    kept = next(m for m in after["team"] if m["user_id"] == member.pk)
    assert kept == {**by_user[member.pk], "role_description": "sample preparation"}
    leader = next(
        m["id"] for m in after["team"] if m["user_id"] == given["principal_investigator_id"]
    )
    kept_too = legacy.put(
        f"proposals/{row['id']}", {"proposals_users_attributes": [{"id": leader, "_destroy": 1}]}
    )
    assert kept_too.status_code == 422


def test_only_what_nothing_depends_on_is_deleted(facility: Facility, legacy: Legacy) -> None:
    used, prepared, new = (
        facility.proposal(), facility.proposal(state="R"), facility.proposal(),
    )  # fmt: skip
    facility.experiment(used)
    for proposal, why in ((used, "experiments or samples"), (prepared, "no longer new")):
        refused = legacy.delete(f"proposals/{proposal.pk}")
        assert refused.status_code == 422
        assert why in refused.json()["info"]
    assert legacy.delete(f"proposals/{new.pk}").status_code == 204
    assert set(Proposal.objects.all()) == {used, prepared}


def test_who_is_a_stranger_knows_of_nothing(facility: Facility) -> None:
    proposal = facility.proposal()
    stranger = Legacy(facility, facility.person(), scopes=["read", "write"])
    number = proposal.number
    assert stranger.get("proposals").content == b"[]"
    for path in (f"proposals/{proposal.pk}", f"proposals/{number}/logbook"):
        assert stranger.get(path).status_code == 404
    unknown = stranger.get(f"proposals/by_number/{number}")
    assert unknown.json() == {"info": f"Proposal number {number} not found"}
    assert stranger.put(f"proposals/{proposal.pk}", {"abstract": ""}).status_code == 404
    assert stranger.delete(f"proposals/{proposal.pk}").status_code == 404


def test_of_a_published_proposal_everybody_reads_the_record_only(
    facility: Facility, legacy: Legacy
) -> None:
    proposal = facility.proposal(state="FR")
    doi = Doi.objects.create(name="10.5072/X", state=Doi.State.FINDABLE, url="")
    Proposal.objects.filter(pk=proposal.pk).update(
        meeting="zoom.example.org", description="internal", logbook="https://log.example.org/",
        doi=doi,
    )  # fmt: skip
    stranger = Legacy(facility, facility.person(), scopes=["read", "write"])
    inside = legacy.get(f"proposals/{proposal.pk}").json()
    row = stranger.get(f"proposals/{proposal.pk}").json()
    assert row["doi"] == "10.5072/X"
    assert row["title"] == inside["title"]
    hidden = {"team": [], "users_ids": [], "users_info": [], "meeting": "", "logbook_info": {},
              "description": "", "last_run": None}  # fmt: skip
    assert {name: row[name] for name in hidden} == hidden
    assert inside["team"]
    assert stranger.get(f"proposals/{proposal.number}/logbook").status_code == 404
    refused = stranger.put(f"proposals/{proposal.pk}", {"url": "https://example.org/"})
    assert refused.status_code == 403


def test_a_member_changes_what_is_the_teams(facility: Facility) -> None:
    proposal = facility.proposal()
    member = facility.person()
    commands.add_member(proposal, user=member, data_access=2, by=facility.staff)
    theirs = Legacy(facility, member, scopes=["read", "write"])
    assert theirs.put(f"proposals/{proposal.pk}", {"meeting": "zoom"}).json()["meeting"] == "zoom"
    assert theirs.put(f"proposals/{proposal.pk}", {"url": "https://x.org"}).status_code == 403
    assert theirs.put(
        f"proposals/{proposal.pk}", {"principal_investigator_id": member.pk}
    ).status_code == 403  # fmt: skip
    special = f"proposals/{proposal.pk}/update_special"
    assert theirs.put(special, {"flg_auto_run_quality": 1}).status_code == 403
    leader = Legacy(facility, facility.leader, scopes=["read", "write"])
    body = {"flg_auto_run_quality": 1, "flg_preferred_data_output": "P", "title": "no matter"}
    after = leader.put(special, {"proposal": body}).json()
    assert (after["flg_auto_run_quality"], after["flg_preferred_data_output"]) == (1, "P")
    assert after["title"] == proposal.title


def test_filters(facility: Facility, legacy: Legacy) -> None:
    one, two = facility.proposal(), facility.proposal(kind="test")

    def found(query: str) -> list[int]:
        return [row["id"] for row in legacy.get(f"proposals?{query}").json()]

    assert found(f"number={one.number}") == [one.pk]
    assert found(f"proposal_folder={two.folder}") == [two.pk]
    assert found("proposal_folder=p1") == []
    assert found(f"principal_investigator_id={facility.leader.pk}") == [two.pk]
    assert found("flg_beamtime_status=T") == [two.pk]
    assert found("flg_public=false") == [one.pk, two.pk]
    assert found("number=x") == []
    assert found("unknown=1&page_size=1&page=2") == [two.pk]


def test_a_longer_list_takes_no_more_queries(facility: Facility, legacy: Legacy) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert legacy.get("proposals?page_size=50").status_code == 200
        return len(caught)

    facility.proposal()
    queries()
    few = queries()
    for _ in range(4):
        facility.proposal()
    assert queries() == few <= 13


def test_who_has_the_beam(facility: Facility, legacy: Legacy) -> None:
    path = f"instruments/{facility.instrument.pk}/active_proposal"
    assert legacy.get(path).json() == {"info": "Resource not found!"}
    proposal = facility.proposal(state="A")
    assert legacy.get(path).json() == legacy.get(f"proposals/{proposal.pk}").json()
    logbooks = f"instruments/{facility.instrument.pk}/active_logbooks"
    assert legacy.get(logbooks).content == b"[]"
    legacy.put(
        f"proposals/{proposal.pk}", {"logbook_info": {"logbook_url": "https://log.example.org/"}}
    )
    assert [row["id"] for row in legacy.get(logbooks).json()] == [proposal.pk]
    assert legacy.get(f"{logbooks}?flg_available=false").content == b"[]"
    stranger = Legacy(facility, facility.person(), scopes=["read"])
    assert stranger.get(path).status_code == 404
    logbook = legacy.get(f"proposals/{proposal.number}/logbook").json()
    assert logbook["proposal_number"] == proposal.number


def test_a_program_that_reads_registers_nothing(facility: Facility, given: dict[str, Any]) -> None:
    reader = Legacy(facility, scopes=["read"])
    assert reader.post("proposals", given).status_code == 403


@pytest.mark.parametrize("kind", list(Proposal.Kind))
def test_the_filter_and_the_rows_tell_the_same_state(
    facility: Facility, legacy: Legacy, kind: Proposal.Kind
) -> None:
    proposal = facility.proposal(kind=kind.value)
    for state in Proposal.State:
        commands.adopt(proposal, state=state.value, by=COMMAND)
        told = legacy.get(f"proposals/{proposal.pk}").json()["flg_beamtime_status"]
        found = legacy.get(f"proposals?flg_beamtime_status={told}").json()
        assert [row["id"] for row in found] == [proposal.pk]
        assert told == ("T" if kind == "test" and state in PREPARATION else state)


def test_what_is_prepared_stays_where_it_is(facility: Facility, legacy: Legacy) -> None:
    other = InstrumentFactory(identifier="FXE")
    later = CycleFactory(identifier="202602")
    new, prepared = facility.proposal(), facility.proposal(state="R")
    assert legacy.put(f"proposals/{new.pk}", {"instrument_cycle_id": later.pk}).status_code == 200
    for to in ({"instrument_id": other.pk}, {"instrument_cycle_id": later.pk}):
        assert legacy.put(f"proposals/{prepared.pk}", to).status_code == 422
    block = prepared.beamtimes.get()
    Proposal.objects.filter(pk=prepared.pk).update(instrument=other)
    new.beamtimes.update(begin_at=block.begin_at, end_at=block.end_at)
    clash = legacy.put(f"proposals/{new.pk}", {"instrument_id": other.pk})
    assert (clash.status_code, "is given to" in clash.json()["info"]) == (422, True)
    scientist = facility.person("instrument_scientist", instrument=True)
    theirs = Legacy(facility, scientist)
    assert theirs.put(f"proposals/{new.pk}", {"instrument_id": other.pk}).status_code == 403


def test_of_two_at_once_one_is_told_that_it_is_taken(
    legacy: Legacy, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    legacy.post("proposals", given)
    told, asked = Proposals.refuse_taken, []

    def only_later(self: Proposals, values: dict[str, Any], row: Any) -> None:
        asked.append(values)
        if len(asked) > 1:  # the other one came between the first look and the writing
            told(self, values, row)

    monkeypatch.setattr(Proposals, "refuse_taken", only_later)
    again = legacy.post("proposals", {**given, "url": ""})
    assert again.status_code == 422
    assert again.json() == {
        "info": {"def_proposal_path": TAKEN, "number": TAKEN, "proposal_folder": TAKEN}
    }
