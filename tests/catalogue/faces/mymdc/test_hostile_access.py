"""What belongs to another proposal is neither read, changed, nor found out about."""

from __future__ import annotations

from typing import Any

import pytest

from proposals import commands
from proposals.models import Membership, Proposal
from runs.models import DataGroup, File, Run
from tests.catalogue.faces.mymdc.facts import file_of, made, register
from tests.factories import Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db
KINDS = (
    "proposals_users", "beamtimes", "experiments", "samples", "data_management_plans", "runs",
    "data_groups", "data_groups_repositories", "data_files", "dataset_files", "parameters",
    "reports", "dark_runs", "remote_devices", "proposals_techniques", "users", "proposals",
)  # fmt: skip


@pytest.fixture
def theirs(facility: Facility) -> Proposal:
    """A proposal with something of every kind that belongs to one."""
    proposal = facility.proposal(state="A")
    staff = Legacy(facility)
    run, group = register(staff, facility, proposal)
    made(staff.post("dataset_files", file_of(group, "a.h5")))
    made(staff.post("data_files", {"data_group_id": group["id"], "files": "f" * 50}))
    for path, body in (
        ("samples", {"name": "s", "sample_type_id": _first(staff, "sample_types")}),
        ("data_management_plans", {"name": "p", "identifier": "p"}),
        ("remote_devices", {"name": "d", "identifier": "d"}),
        ("proposals_techniques", {"technique_id": _first(staff, "techniques")}),
    ):
        made(staff.post(path, {**body, "proposal_id": proposal.pk}))
    made(staff.post("reports", {"name": "r.pdf", "cal_report_path": "/r", "run_id": run["id"],
                                "cal_report_at": "2026-11-20"}))  # fmt: skip
    return proposal


def _first(staff: Legacy, path: str) -> int:
    rows = staff.get(path).json()
    found: int = rows[0]["id"] if rows else made(
        staff.post(path, {"name": path, "identifier": path})
    )["id"]  # fmt: skip
    return found


@pytest.fixture
def mine(facility: Facility, theirs: Proposal) -> Proposal:
    return facility.proposal(kind="commissioning", state="A")


@pytest.fixture
def member(facility: Facility, mine: Proposal) -> Legacy:
    """A program with all scopes that are for what people do, acting for a member of `mine`."""
    person = facility.person()
    commands.add_member(mine, user=person, data_access=2, by=facility.staff)
    return Legacy(facility, person, scopes=["read", "write", "assess", "administer"])


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_others_are_not_there(
    facility: Facility, theirs: Proposal, member: Legacy, kind: str
) -> None:
    staff = Legacy(facility)
    known = {row["id"] for row in member.get(f"{kind}?page_size=500").json()}
    hidden = [row for row in staff.get(f"{kind}?page_size=500").json() if row["id"] not in known]
    if kind not in ("parameters", "dark_runs"):
        assert hidden
    for row in hidden:
        path = f"{kind}/{row['id']}"
        assert member.get(path).status_code == 404
        assert member.put(path, {}).status_code in (404, 405)
        assert member.delete(path).status_code in (404, 405)
        for name, value in row.items():
            if isinstance(value, str | int) and not isinstance(value, bool):
                answer = member.get(f"{kind}?id={row['id']}&{name}={value}")
                assert (answer.headers["X-Total-Count"], answer.json()) == ("0", [])


def test_addresses_of_others_are_not_there(theirs: Proposal, member: Legacy) -> None:
    n = theirs.number
    for path in (
        f"proposals/by_number/{n}", f"proposals/{n}/statistics", f"proposals/{n}/logbook",
        f"proposals/by_number/{n}/runs", f"proposals/by_number/{n}/runs/7",
        f"runs/runs_by_proposal?proposal_number={n}",
        f"runs/all_raw_data_groups_ids?proposal_number={n}&run_number=7",
        f"data_files/search_data_files?proposal_number={n}&run_number=7",
        f"dataset_files/search_dataset_files?proposal_number={n}&run_number=7",
        f"runs/run_influxdb_parameters?proposal_number={n}&run_number=7",
    ):  # fmt: skip
        answer = member.get(path)
        assert answer.status_code == 404, path
        assert theirs.title not in answer.content.decode()
    at = f"instruments/{theirs.instrument_id}"
    assert theirs.title not in member.get(f"{at}/active_proposal").content.decode()
    assert member.get(f"{at}/active_logbooks").json() == []


def test_others_are_not_named_in_what_is_written(
    theirs: Proposal, mine: Proposal, member: Legacy
) -> None:
    run, group, file = Run.objects.get(), DataGroup.objects.get(), File.objects.get()
    own = {"proposal_id": mine.pk}
    tries: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "samples", {"name": "x", "sample_type_id": 1, "proposal_id": theirs.pk}),
        ("POST", "dataset_files", file_of({"id": group.pk, "data_group_type_id": 1}, "b.h5")),
        ("POST", "dataset_files/bulk_create",
         {"dataset_files": [file_of({"id": group.pk, "data_group_type_id": 1}, "b.h5")]}),
        ("POST", "dataset_files/bulk_delete", {"dataset_files": {"ids": [file.pk]}}),
        ("POST", "dataset_files/bulk_update",
         {"dataset_files": [{"id": file.pk, "byte_size": 1}]}),
        ("POST", "data_files", {"data_group_id": group.pk, "files": "g" * 50}),
        ("POST", "reports", {"name": "q.pdf", "cal_report_path": "/q", "run_id": run.pk,
                             "cal_report_at": "2026-11-20"}),
        ("PUT", f"proposals/{mine.pk}", {"proposals_users_attributes": [
            {"id": Membership.objects.filter(proposal=theirs).first().pk, "_destroy": True}]}),
        ("POST", "parameters/bulk_delete", {"parameter": {"data_group_id": group.pk}}),
        ("POST", "beamtimes", {"begin_at": "2026-01-01", "end_at": "2026-01-02",
                               "proposal_id": theirs.pk}),
        ("POST", "proposals_users", {"user_id": mine.pk, "proposal_id": theirs.pk}),
        ("POST", "remote_devices", {"name": "x", **own, "proposal_id": theirs.pk}),
    ]  # fmt: skip
    before = (File.objects.count(), Membership.objects.count())
    for method, path, body in tries:
        answer = member.send(method, path, body)
        text = answer.content.decode()
        if answer.status_code == 201:
            assert answer.json() == [], path
        assert theirs.folder not in text, path
        assert str(theirs.number) not in text, path
    assert (File.objects.count(), Membership.objects.count()) == before
    checked = member.post("dataset_files/bulk_check", {"dataset_files": [
        {"id": file.pk}, {"filename": "a.h5", "data_group_id": group.pk}]})  # fmt: skip
    assert checked.json() == []


def test_who_may_make_no_proposal_learns_of_no_number(theirs: Proposal, member: Legacy) -> None:
    me = member.get("me").json()["id"]

    def answer(number: int) -> tuple[int, str]:
        found = member.post("proposals", {"proposal": {
            "number": number, "title": "x", "instrument_id": theirs.instrument_id,
            "instrument_cycle_id": theirs.cycle_id, "principal_investigator_id": me,
            "main_proposer_id": me}})  # fmt: skip
        return found.status_code, found.content.decode()

    assert answer(theirs.number) == answer(999_998)
    assert answer(theirs.number)[0] == 403


def test_what_nobody_is_told_to_set_is_not_set(mine: Proposal, member: Legacy) -> None:
    me = member.get("me").json()
    for path in (f"users/{me['id']}", "users", "me"):
        for method in ("PUT", "PATCH", "POST"):
            sent = {"user": {"is_staff": True, "is_service": True, "email": "x@y"}}
            assert member.send(method, path, sent).status_code in (404, 405)
    state = {"state": "CLO", "kind": "test", "access": "open", "last_run_number": 5, "number": 1}
    member.put(f"proposals/{mine.pk}", {"proposal": state})
    row = Proposal.objects.get(pk=mine.pk)
    assert (row.state, row.kind, row.access, row.last_run_number, row.number) == (
        mine.state, mine.kind, mine.access, mine.last_run_number, mine.number,
    )  # fmt: skip


def test_a_deputy_s_program_makes_nobody_the_leader(mine: Proposal, member: Legacy) -> None:
    place = mine.memberships.exclude(role="pi").get()
    led = mine.memberships.get(role="pi").user_id
    Membership.objects.filter(pk=place.pk).update(role="deputy")
    for column in ("principal_investigator_id", "main_proposer_id"):
        answer = member.put(f"proposals/{mine.pk}", {"proposal": {column: place.user_id}})
        assert answer.status_code == 403, answer.content
    place.refresh_from_db()
    assert (place.role, mine.memberships.get(role="pi").user_id) == ("deputy", led)
