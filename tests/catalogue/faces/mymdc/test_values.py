"""Parameters, reports and dark runs over the legacy API."""

from __future__ import annotations

from typing import Any

import pytest

from catalogue.ground.models import DataType, Entry, ParameterType, Unit
from proposals.models import Proposal
from runs import calibrating
from runs.models import DarkRequest, Parameter, Report
from tests.catalogue.faces.mymdc.facts import made, register
from tests.factories import Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db
TAKEN = ["has already been taken"]


@pytest.fixture
def legacy(facility: Facility) -> Legacy:
    return Legacy(facility)


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    return facility.proposal(state="A")


@pytest.fixture
def value(db: None) -> dict[str, Any]:
    kind = DataType.objects.create(name="float", identifier="FLOAT")
    type_ = ParameterType.objects.create(name="Generic", identifier="GENERIC")
    unit = Unit.objects.create(name="hertz", identifier="HERTZ", symbol="Hz", origin="SI derived")
    return {
        "data_source": "MID/XTD6/ATT/MOTOR", "name": "Velocity", "value": "15.6",
        "minimum": "15.0", "maximum": 16, "mean": "15.5", "standard_deviation": "0.51",
        "data_type_id": str(kind.pk), "parameter_type_id": type_.pk, "unit_id": unit.pk,
        "unit_prefix": "", "flg_available": "true", "description": "",
        "data_groups_parameters_attributes": None,
    }  # fmt: skip


# ---------------------------------------------------------------- parameters


def test_the_life_of_a_value(
    legacy: Legacy, facility: Facility, proposal: Proposal, value: dict[str, Any]
) -> None:
    row = made(legacy.post("parameters/", {"parameter": value}))
    assert (row["value"], row["maximum"], row["standard_deviation"]) == (15.6, 16.0, 0.51)
    assert made(legacy.post("parameters/", {"parameter": value}))["id"] != row["id"]
    found = legacy.get("parameters/?data_source=MID/XTD6/ATT/MOTOR&name=Velocity")
    assert len(found.json()) == 2
    run, group = register(legacy, facility, proposal)
    links = {"data_groups_parameters_attributes": [{"data_group_id": group["id"]}],
             "runs_parameters_attributes": [{"run_id": run["id"]}]}  # fmt: skip
    changed = legacy.put(f"parameters/{row['id']}", {"parameter": {"mean": 1, **links}})
    assert changed.json()["mean"] == 1.0
    there = Parameter.objects.get(pk=row["id"])
    assert [there.runs.get().pk, there.data_groups.get().pk] == [run["id"], group["id"]]
    assert Entry.objects.filter(move="change parameters").count() == 2
    assert legacy.delete(f"runs/{run['id']}").status_code == 204, "the links go with it"
    assert legacy.delete(f"parameters/{row['id']}").status_code == 204


def test_what_is_wrong_with_a_value(legacy: Legacy, value: dict[str, Any]) -> None:
    wrong = {**value, "value": None, "mean": "NaN", "name": "n" * 256, "unit_id": -666}
    told = {
        "name": ["is too long (maximum is 255 characters)"],
        "value": ["can't be blank", "is not a number"],
        "mean": ["is not a number"],
    }
    refused = legacy.post("parameters", {"parameter": wrong}).json()["info"]
    assert refused == {**told, "unit": ["must exist"]}
    many = legacy.post("parameters/bulk_create", {"parameters": [value, wrong]}).json()["info"]
    assert many == {f"parameters[1].{name}": why for name, why in told.items()}
    nowhere = {**value, "runs_parameters_attributes": [{"run_id": -666}]}
    refused = legacy.post("parameters/bulk_create", {"parameters": [nowhere]})
    assert refused.json()["info"] == {"parameters[0].run": ["must exist"]}
    assert not Parameter.objects.exists()


def test_values_in_bulk(
    legacy: Legacy, facility: Facility, proposal: Proposal, value: dict[str, Any]
) -> None:
    _, group = register(legacy, facility, proposal)
    link = {"data_groups_parameters_attributes": [{"data_group_id": group["id"]}]}
    records = [{**value, **link, "name": f"Velocity{n}"} for n in range(30)]
    rows = made(legacy.post("parameters/bulk_create", {"parameters": records}))
    assert [row["name"] for row in rows] == [record["name"] for record in records]
    assert legacy.get(f"parameters/{rows[3]['id']}").json() == rows[3]
    assert Entry.objects.get(move="register parameters").facts == {"parameters": 30}
    ids = {"parameter": {"ids": [rows[0]["id"], str(rows[1]["id"])]}}
    gone = made(legacy.post("parameters/bulk_delete", ids))
    assert [row["id"] for row in gone] == [rows[0]["id"], rows[1]["id"]]
    assert legacy.post("parameters/bulk_delete", ids).status_code == 404
    made(legacy.post("parameters/bulk_delete", {"parameter": {"data_group_id": group["id"]}}))
    assert not Parameter.objects.exists()
    for wrong in (None, {}, {"parameter": {}}, {"parameter": {"ids": "x"}}, {"parameters": [1]}):
        for action in ("create", "delete"):
            assert legacy.post(f"parameters/bulk_{action}", wrong).status_code == 422


def test_values_are_told_to_who_may_know_of_their_runs(
    legacy: Legacy, facility: Facility, proposal: Proposal, value: dict[str, Any]
) -> None:
    run, _ = register(legacy, facility, proposal)
    link = {"runs_parameters_attributes": [{"run_id": run["id"]}]}
    linked = made(legacy.post("parameters", {"parameter": {**value, **link}}))
    made(legacy.post("parameters", {"parameter": value}))
    member = Legacy(facility, facility.leader, scopes=("read", "write"))
    assert [row["id"] for row in member.get("parameters").json()] == [linked["id"]]
    assert member.post("parameters", {"parameter": value}).status_code == 403
    assert member.delete(f"parameters/{linked['id']}").status_code == 403
    outsider = Legacy(facility, facility.person(), scopes=("read",))
    assert outsider.get("parameters").content == b"[]"


# ---------------------------------------------------------------- reports


def test_the_life_of_a_report(legacy: Legacy, facility: Facility, proposal: Proposal) -> None:
    run, _ = register(legacy, facility, proposal)
    sent = {"name": "FXE_r9037_v2.pdf", "cal_report_path": "/usr/Reports/r9037/",
            "cal_report_at": "2023-05-25T08:30:00.000+02:00", "run_id": str(run["id"]),
            "description": ""}  # fmt: skip
    row = made(legacy.post("reports/", {"report": sent}))
    assert row == {"id": row["id"], **sent, "run_id": run["id"]}
    again = legacy.post("reports/", {"report": sent}).json()["info"]
    assert again == {"name": TAKEN, "cal_report_path": TAKEN, "run_id": TAKEN}
    assert legacy.get(f"reports/?run_id={run['id']}").json() == [row]
    named = ["cannot contain spaces and must end with .pdf"]
    long = {"report": {"name": "n" * 129}}
    assert legacy.put(f"reports/{row['id']}", long).json()["info"] == {
        "name": ["is too long (maximum is 128 characters)", *named]
    }
    spaces = {**sent, "name": "a report.pdf"}
    assert legacy.post("reports", {"report": spaces}).json()["info"] == {"name": named}
    changed = legacy.put(f"reports/{row['id']}", {"report": {"description": "better"}}).json()
    assert changed == {**row, "description": "better"}
    assert legacy.get(f"runs/{run['id']}").json()["reports"] == [changed]
    assert "has reports" in legacy.delete(f"runs/{run['id']}").json()["info"]
    assert legacy.delete(f"reports/{row['id']}").status_code == 204
    assert not Report.objects.exists()


# ---------------------------------------------------------------- dark runs


def dark_of(facility: Facility, proposal: Proposal, **more: Any) -> dict[str, Any]:
    return {
        "proposal_id": proposal.pk, "detector_id": facility.detector().pk,
        "detector_identifier": "SPB_DET_AGIPD1M-1", "detector_type_id": None,
        "pdu_physical_names": '["AGIPD00 (Q1M1)", "AGIPD01 (Q1M2)"]', "runs_info": "[1]",
        "pdu_karabo_das": ["t1", "t2"], "operation_mode_id": -1,
        "operation_mode_identifier": "FIXED_GAIN", "operation_mode_name": "Fixed gain",
        "flg_status": "R", "size": "", "report_url": "", "input_path": "", "output_path": "",
        "calcat_feedback": "", "description": "", **more,
    }  # fmt: skip


def test_the_life_of_a_dark_run(legacy: Legacy, facility: Facility, proposal: Proposal) -> None:
    sent = dark_of(facility, proposal)
    row = made(legacy.post("dark_runs/", {"dark_run": sent}))
    assert {name: row[name] for name in sent} == sent
    request = DarkRequest.objects.get(pk=row["id"])
    assert (request.external, request.state) == (True, "requested")
    done = {"flg_status": "F", "size": "1,5Gb", "calcat_feedback": "done",
            "report_url": "https://www.new_example.com:123#report"}  # fmt: skip
    changed = legacy.put(f"dark_runs/{row['id']}", {"dark_run": done}).json()
    assert {name: changed[name] for name in done} == done
    assert changed["runs_info"] == "[1]"
    request.refresh_from_db()
    assert (request.state, request.finished_at is not None) == ("finished", True)
    told = Entry.objects.filter(subject_type="runs.darkrequest").order_by("id")
    assert [e.move for e in told] == ["request", "correct", "adopt"]
    for query, found in (("flg_status=F", 1), ("flg_status=R", 0), ("operation_mode_id=-1", 1),
                         (f"proposal_id={proposal.pk}", 1), ("detector_id=-5", 0)):  # fmt: skip
        assert len(legacy.get(f"dark_runs/?{query}").json()) == found
    long = legacy.put(f"dark_runs/{row['id']}", {"dark_run": {"report_url": "#" * 251}})
    assert long.json()["info"] == {"report_url": ["URL length allows only 250 characters"]}
    strange = legacy.put(f"dark_runs/{row['id']}", {"dark_run": {"flg_status": "X"}})
    assert strange.json()["info"] == {"flg_status": ["is not included in the list"]}
    nul = {"dark_run": {"pdu_karabo_das": [{"a": ["t\x00"]}]}}
    refused = legacy.put(f"dark_runs/{row['id']}", nul)
    assert refused.json()["info"] == {"pdu_karabo_das": ["is invalid"]}
    assert legacy.delete(f"dark_runs/{row['id']}").status_code == 204


def test_our_own_dark_requests_are_read_only(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    facility.detector()
    run = facility.run(proposal, type_name="Dark")
    request = calibrating.request_dark(run, by=facility.staff)
    row = legacy.get(f"dark_runs/{request.pk}").json()
    assert (row["flg_status"], row["runs_info"]) == ("R", "[1]")
    assert row["detector_identifier"] == "SPB_DET_AGIPD1M-1"
    for body in ({"flg_status": "F"}, {"description": "theirs"}):
        refused = legacy.put(f"dark_runs/{request.pk}", {"dark_run": body})
        assert (refused.status_code, "itself" in refused.json()["info"]) == (422, True)
    assert legacy.delete(f"dark_runs/{request.pk}").status_code == 422
    outsider = Legacy(facility, facility.person(), scopes=("read",))
    assert outsider.get(f"dark_runs/{request.pk}").status_code == 404
