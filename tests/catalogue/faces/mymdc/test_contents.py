"""What belongs to a proposal, over the legacy API: team, beamtimes, experiments, samples, plans,
techniques, remote devices."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.metadata.contents import Experiments
from catalogue.ground.models import ExperimentType, SampleType, Technique
from proposals import commands
from proposals.models import Proposal, RemoteDevice
from tests.factories import Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db
TAKEN = ["has already been taken"]
FIXED = ["cannot be updated"]


@pytest.fixture
def legacy(facility: Facility) -> Legacy:
    return Legacy(facility)


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    return facility.proposal()


def experiment(proposal: Proposal, name: str = "LCP SFX") -> dict[str, Any]:
    kind, _ = ExperimentType.objects.get_or_create(name="SFX", identifier="SFX")
    return {
        "name": name, "experiment_type_id": str(kind.pk), "proposal_id": str(proposal.pk),
        "flg_available": "true", "publisher": "XFEL", "contributor": "", "description": "",
        "doi": "made up",
    }  # fmt: skip


def test_experiments_are_numbered_and_named_by_the_catalogue(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    row = legacy.post("experiments/", {"experiment": experiment(proposal)}).json()
    second = legacy.post("experiments/", {"experiment": experiment(proposal, "Dark 2")}).json()
    expected = {
        "experiment_number": 1,
        "experiment_folder": "e0001",
        "doi": f"xfel.mdc.exp.{row['id']}",
        "proposal_id": proposal.pk,
        "proposal_last_run": 0,
        "experiment_last_run": 0,
        "first_prefix_path": f"/gpfs/exfel/exp/SPB/202601/{proposal.folder}/e0001/",
        "publisher": "XFEL",
        "flg_available": True,
    }
    assert {name: row[name] for name in expected} == expected
    assert (second["experiment_number"], second["experiment_folder"]) == (2, "e0002")
    taken = legacy.post("experiments", experiment(proposal)).json()
    assert taken == {"info": {"name": TAKEN}}
    elsewhere = legacy.post("experiments", experiment(facility.proposal())).json()
    assert elsewhere["experiment_number"] == 1
    path = f"experiments/{row['id']}"
    assert legacy.put(path, {"name": "n" * 61}).json() == {
        "info": {"name": ["is too long (maximum is 60 characters)"]}
    }
    moved = legacy.put(path, {"proposal_id": elsewhere["proposal_id"]}).json()
    assert moved == {"info": {"proposal_id": FIXED}}
    after = legacy.put(path, {"doi": "other", "name": "LCP 2", "flg_available": "0"}).json()
    assert after == {**row, "name": "LCP 2", "flg_available": False}
    found = legacy.get(f"experiments?proposal_id={proposal.pk}&doi={second['doi']}").json()
    assert found == [second]
    assert legacy.get("experiments?doi=none").content == b"[]"
    assert legacy.delete(path).status_code == 204


def test_an_experiment_with_runs_stays(legacy: Legacy, facility: Facility) -> None:
    proposal = facility.proposal(state="A")
    run = facility.run(proposal)
    path = f"experiments/{run.experiment_id}"
    row = legacy.get(path).json()
    assert (row["experiment_last_run"], row["proposal_last_run"]) == (run.number, run.number)
    assert row["begin_at"] == wire.shown(run.begin_at)
    refused = legacy.delete(path)
    assert (refused.status_code, "There are data" in refused.json()["info"]) == (422, True)


def test_samples(legacy: Legacy, proposal: Proposal) -> None:
    kind = SampleType.objects.create(name="Solid", identifier="SOLI")
    given = {
        "name": "KR2", "url": "https://example.org/", "sample_type_id": str(kind.pk),
        "proposal_id": proposal.pk, "flg_proposal_system": "upex",
        "proposal_system_id": 1234567890987654321, "flg_available": True, "description": "",
    }  # fmt: skip
    row = legacy.post("samples", {"sample": given}).json()
    expected = {**given, "sample_type_id": kind.pk, "proposal_system_id": "1234567890987654321"}
    assert row == {"id": row["id"], **expected}
    taken = legacy.post("samples", given).json()["info"]
    assert taken == dict.fromkeys(
        ("name", "flg_proposal_system", "proposal_id", "proposal_system_id"), TAKEN
    )
    plain = {**given, "flg_proposal_system": None, "proposal_system_id": ""}
    for name in ("a", "b"):
        assert legacy.post("samples", {**plain, "name": name}).status_code == 201
    after = legacy.put(f"samples/{row['id']}", {"proposal_system_id": "-123"}).json()
    assert after == {**row, "proposal_system_id": "-123"}
    long = legacy.put(f"samples/{row['id']}", {"name": "n" * 128}).json()
    assert long == {"info": {"name": ["is too long (maximum is 127 characters)"]}}
    past = legacy.get(f"samples/?proposal_id={proposal.pk}&page=100&page_size=3")
    assert past.content == b"[]"
    assert legacy.delete(f"samples/{row['id']}").status_code == 204


def test_plans(legacy: Legacy, proposal: Proposal) -> None:
    given = {"name": "DMP", "identifier": "DMP-1", "proposal_id": proposal.pk}
    more = {"estimated_raw_data_size": 15, "data_support_scope": "all of it"}
    row = legacy.post("data_management_plans", {**given, **more}).json()
    assert (row["estimated_raw_data_size"], row["data_support_scope"]) == ("15", "all of it")
    path = f"data_management_plans/{row['id']}"
    assert legacy.put(path, {"detector_details": "AGIPD"}).json() == {
        **row, "detector_details": "AGIPD",
    }  # fmt: skip
    shown = legacy.get(f"proposals/{proposal.pk}").json()
    assert shown["data_management_plan_id"] == row["id"]
    found = legacy.get(f"data_management_plans/?proposal_id={proposal.pk}").json()
    assert [plan["id"] for plan in found] == [row["id"]]
    missing = legacy.post("data_management_plans", {"name": "x"}).json()["info"]
    assert missing == {"identifier": ["can't be blank"], "proposal_id": ["can't be blank"]}
    assert legacy.delete(path).status_code == 204


def test_members(legacy: Legacy, facility: Facility, proposal: Proposal) -> None:
    person = facility.person()
    given = {"proposal_id": proposal.pk, "user_id": person.pk, "flg_support": "true"}
    row = legacy.post("proposals_users", {"proposal_user": given}).json()
    assert row == {
        "id": row["id"], "proposal_id": proposal.pk, "user_id": person.pk, "data_access_role": 2,
        "flg_lab_access": False, "flg_support": True, "flg_deputy_local_contact": False,
        "role_description": "",
    }  # fmt: skip
    taken = legacy.post("proposals_users", given).json()["info"]
    assert taken == {"proposal_id": TAKEN, "user_id": TAKEN}
    path = f"proposals_users/{row['id']}"
    assert legacy.put(path, {"data_access_role": "1"}).json()["data_access_role"] == 1
    wrong = legacy.put(path, {"data_access_role": 3}).json()
    assert wrong == {"info": {"data_access_role": ["is not included in the list"]}}
    theirs = Legacy(facility, person, scopes=["read", "write"])
    assert theirs.get(path).status_code == 200
    assert theirs.put(path, {"data_access_role": 2}).status_code == 403
    assert legacy.delete(path).status_code == 204
    assert theirs.get(path).status_code == 404


def test_beamtimes_of_users_never_overlap(legacy: Legacy, facility: Facility) -> None:
    proposal, other = facility.proposal(), facility.proposal()
    taken = other.beamtimes.get()
    given = {
        "proposal_id": proposal.pk, "begin_at": "2030-01-01T08:00:00",
        "end_at": "2030-01-05T08:00:00", "description": "first block",
    }  # fmt: skip
    row = legacy.post("beamtimes", {"beamtime": given}).json()
    assert (row["begin_at"], row["description"], row["flg_available"]) == (
        "2030-01-01T08:00:00.000+01:00", "first block", True,
    )  # fmt: skip
    path = f"beamtimes/{row['id']}"
    body = {"begin_at": taken.begin_at.isoformat(), "end_at": taken.end_at.isoformat()}
    clash = legacy.put(path, body)
    assert (clash.status_code, "is given to" in clash.json()["info"]) == (422, True)
    backwards = legacy.put(path, {"end_at": "2029-01-01T08:00:00"}).json()["info"]
    assert set(backwards) == {"end_at"}
    assert legacy.put(path, {"flg_available": 0}).json() == {**row, "flg_available": False}
    shown = legacy.get(f"proposals/{proposal.pk}").json()["beamtimes"]
    assert [block["id"] for block in shown] == [proposal.beamtimes.first().pk, row["id"]]
    assert legacy.delete(path).status_code == 204


def test_techniques_of_a_proposal(legacy: Legacy, proposal: Proposal) -> None:
    one, two = (Technique.objects.create(name=n, identifier=n) for n in ("SFX", "XES"))
    given = {"proposal_id": proposal.pk, "technique_id": one.pk}
    row = legacy.post("proposals_techniques", {"proposal_technique": given}).json()
    assert row == {"id": row["id"], **given}
    taken = legacy.post("proposals_techniques", given).json()["info"]
    assert taken == {"proposal_id": TAKEN, "technique_id": TAKEN}
    path = f"proposals_techniques/{row['id']}"
    assert legacy.put(path, {"technique_id": two.pk}).json() == {**row, "technique_id": two.pk}
    assert legacy.get(f"proposals_techniques?technique_id={two.pk}").json()[0]["id"] == row["id"]
    shown = legacy.get(f"proposals/{proposal.pk}").json()["techniques"]
    assert [t["identifier"] for t in shown] == ["XES"]
    assert legacy.delete(path).status_code == 204
    assert not proposal.techniques.exists()


def test_remote_devices(legacy: Legacy, facility: Facility, proposal: Proposal) -> None:
    given = {"name": "SPB123", "identifier": "X", "proposal_id": proposal.pk}
    row = legacy.post("remote_devices", {"remote_device": given}).json()
    assert (row["flg_status"], row["proposal_id"]) == ("R", proposal.pk)
    nobodys = legacy.post("remote_devices", {**given, "proposal_id": ""}).json()
    assert nobodys["proposal_id"] is None
    member = facility.person()
    commands.add_member(proposal, user=member, data_access=2, by=facility.staff)
    theirs = Legacy(facility, member, scopes=["read", "write"])
    path = f"remote_devices/{row['id']}"
    assert theirs.put(path, {"flg_status": "F"}).json()["flg_status"] == "F"
    refused = theirs.put(f"remote_devices/{nobodys['id']}", {"proposal_id": proposal.pk})
    assert refused.status_code == 403
    stolen = theirs.put(path, {"proposal_id": ""})
    assert stolen.status_code == 403
    assert legacy.delete(path).status_code == 204
    assert RemoteDevice.objects.count() == 1


PARTS = (
    "experiments", "samples", "data_management_plans", "proposals_users", "beamtimes",
    "proposals_techniques", "remote_devices",
)  # fmt: skip


def _one_of_each(facility: Facility, legacy: Legacy, proposal: Proposal) -> dict[str, int]:
    kind, _ = SampleType.objects.get_or_create(name="Solid", identifier="SOLI")
    technique, _ = Technique.objects.get_or_create(name="SFX", identifier="SFX")
    mine, year = {"proposal_id": proposal.pk}, 2030 + proposal.pk
    bodies: dict[str, dict[str, Any]] = {
        "experiments": experiment(proposal),
        "samples": {**mine, "name": "KR2", "sample_type_id": kind.pk},
        "data_management_plans": {**mine, "name": "x", "identifier": "x"},
        "proposals_users": {**mine, "user_id": facility.person().pk},
        "beamtimes": {**mine, "begin_at": f"{year}-01-01", "end_at": f"{year}-02-01"},
        "proposals_techniques": {**mine, "technique_id": technique.pk},
        "remote_devices": {**mine, "name": "x"},
    }  # fmt: skip
    return {path: legacy.post(path, body).json()["id"] for path, body in bodies.items()}


def test_a_stranger_meets_none_of_it(
    facility: Facility, legacy: Legacy, proposal: Proposal
) -> None:
    ids = _one_of_each(facility, legacy, proposal)
    assert set(ids) == set(PARTS)
    stranger = Legacy(facility, facility.person(), scopes=["read", "write"])
    for path, pk in ids.items():
        assert stranger.get(path).content == b"[]", path
        for method in ("GET", "PUT", "DELETE"):
            answer = stranger.send(method, f"{path}/{pk}", {})
            assert (answer.status_code, answer.json()) == (404, {"info": "Resource not found!"})
    unknown = stranger.post("samples", {"name": "x", "proposal_id": proposal.pk}).json()["info"]
    assert unknown["proposal"] == ["must exist"]


def test_lists_take_as_many_queries_however_long(facility: Facility, legacy: Legacy) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert legacy.get(path).status_code == 200
        return len(caught)

    _one_of_each(facility, legacy, facility.proposal())
    legacy.get("me")
    few = {path: queries(path) for path in PARTS}
    for _ in range(3):
        _one_of_each(facility, legacy, facility.proposal())
    assert {path: queries(path) for path in PARTS} == few
    assert max(few.values()) <= 6


def test_of_two_experiments_at_once_neither_is_taken_for_the_other(
    legacy: Legacy, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = legacy.post("experiments", experiment(proposal)).json()
    told, asked = Experiments.refuse_taken, []

    def only_later(self: Experiments, values: dict[str, Any], row: Any) -> None:
        asked.append(values)
        if len(asked) > 1:  # the other one came between the first look and the writing
            told(self, values, row)

    monkeypatch.setattr(Experiments, "refuse_taken", only_later)
    again = legacy.post("experiments", {**experiment(proposal), "publisher": "another"})
    assert again.json() == {"info": {"name": TAKEN}}
    assert legacy.get(f"experiments/{row['id']}").json() == row
