"""The runs of a proposal by its number, and sums over them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from runs.models import Replica
from tests.factories import Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db


@pytest.fixture
def legacy(facility: Facility) -> Legacy:
    return Legacy(facility)


def test_the_runs_of_a_proposal_are_told_by_number(facility: Facility, legacy: Legacy) -> None:
    proposal = facility.proposal(state="A")
    runs = [facility.run(proposal, files=2) for _ in range(3)]
    path = f"proposals/by_number/{proposal.number}/runs"
    answer = legacy.get(f"{path}?page=1&page_size=2")
    told = answer.json()
    assert told["proposal"] == {
        "id": proposal.pk, "number": proposal.number, "title": proposal.title,
    }  # fmt: skip
    assert [run["run_number"] for run in told["runs"]] == [1, 2]
    assert (answer["X-Total-Count"], answer["X-Total-Pages"]) == ("3", "2")
    one: dict[str, Any] = told["runs"][0]
    assert (one["id"], one["num_files"], one["flg_run_quality"]) == (runs[0].pk, 2, -1)
    online = facility.stores["online"]
    assert one["repositories"] == {
        "online": {
            "identifier": "online",
            "name": "online",
            "mount_point": online.mount,
            "data_groups": 1,
            "flg_available": True,
        }
    }
    assert [r["run_number"] for r in legacy.get(f"{path}/2").json()["runs"]] == [2]
    assert legacy.get(f"{path}/77").json()["runs"] == []
    assert legacy.get(f"{path}?page=9").json()["runs"] == []
    unknown = legacy.get("proposals/by_number/000017/runs")
    assert unknown.json() == {"info": "Proposal number 000017 not found"}


def test_a_copy_that_is_gone_is_in_no_repository(facility: Facility, legacy: Legacy) -> None:
    proposal = facility.proposal(state="A")
    run = facility.run(proposal, files=2)
    Replica.objects.filter(data_group__run=run).delete()
    told = legacy.get(f"proposals/by_number/{proposal.number}/runs").json()
    assert told["runs"][0]["repositories"] == {}


def test_more_runs_take_no_more_queries(facility: Facility, legacy: Legacy) -> None:
    proposal = facility.proposal(state="A")

    def queries() -> int:
        path = f"proposals/by_number/{proposal.number}/runs?page_size=100"
        with CaptureQueriesContext(connection) as caught:
            assert legacy.get(path).status_code == 200
        return len(caught)

    facility.run(proposal)
    queries()
    few = queries()
    for _ in range(4):
        facility.run(proposal)
    assert queries() == few <= 10


def test_sums(facility: Facility, legacy: Legacy) -> None:
    proposal = facility.proposal(state="A")
    for _ in range(2):
        facility.run(proposal, files=3, size=1_000_000)
    assert legacy.get(f"proposals/{proposal.number}/statistics").json() == {
        "number": proposal.number,
        "title": proposal.title,
        "num_runs": 2,
        "num_team": 1,
        "total_size": "6.0 MB",
        "total_size_mb": 6,
        "num_files": 6,
        "num_cal": 0,
        "num_cal_const": 0,
    }
    empty = facility.proposal()
    sums = legacy.get(f"proposals/{empty.number}/statistics").json()
    assert (sums["num_files"], sums["total_size_mb"]) == (0, 0)


def test_a_stranger_learns_nothing_by_number(facility: Facility) -> None:
    proposal = facility.proposal(state="A")
    facility.run(proposal)
    stranger = Legacy(facility, facility.person(), scopes=["read"])
    missing = {"info": f"Proposal number {proposal.number} not found"}
    for path in (
        f"proposals/by_number/{proposal.number}/runs",
        f"proposals/by_number/{proposal.number}/runs/1",
        f"proposals/{proposal.number}/statistics",
    ):
        answer = stranger.get(path)
        assert (answer.status_code, answer.json()) == (404, missing)
