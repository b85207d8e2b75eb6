"""Endpoints of holds and verdicts."""

from __future__ import annotations

from typing import Any

import pytest

from catalogue.ground import lifecycle
from policies.models import Hold
from proposals.models import Proposal
from runs.models import Run
from tests.calling import Callers, done, refused
from tests.factories import Facility


@pytest.fixture
def holds(proposal: Proposal) -> str:
    return f"proposals/{proposal.number}/holds"


def test_a_hold_keeps_what_was_to_go_until_it_is_lifted(
    callers: Callers, facility: Facility, run: Run, holds: str
) -> None:
    facility.policy()
    path = f"proposals/{run.proposal.number}/runs/{run.number}"
    done(callers.leader.post(f"{path}/assess", {"quality": "not_interesting"}))
    lifecycle.perform_due()

    def online() -> dict[str, Any]:
        verdicts = done(callers.leader.get(f"{path}/verdicts"))
        return next(v for v in verdicts if v["store"] == "online")

    told = online()
    assert (told["kind"], told["state"], told["removable"]) == ("RAW", "scheduled", True)
    assert told["remove_at"].endswith("Z")
    assert told["policy"].startswith("Standard")
    made = done(callers.leader.post(holds, {"reason": "for the thesis", "run": run.number}), 201)
    assert (made["run"], made["state"], made["kinds"]) == (run.number, "active", [])
    told = online()
    assert (told["state"], told["removable"]) == ("verified", False)
    assert "for the thesis" in told["sentence"]
    done(callers.leader.post(f"{holds}/{made['id']}/lift", {"reason": "written"}))
    lifecycle.perform_due()
    assert online()["state"] == "scheduled"
    assert [h["state"] for h in done(callers.leader.get(holds))["results"]] == ["lifted"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "x", "run": 99}, "run"),
        ({"reason": "x", "run": 0}, "run"),
        ({"reason": "x", "run": True}, "run"),
        ({"reason": "x", "kinds": ["raw"]}, "kinds"),
        ({"reason": "x", "kinds": "RAW"}, "kinds"),
        ({"reason": "x", "kinds": ["RAW", "RAW"]}, "kinds"),
        ({"reason": "x", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"reason": "x", "until": "2030-01-01T00:00:00"}, "until"),
        ({"reason": 1}, "reason"),
        ({"reason": "x\x00"}, "reason"),
        ({"reason": "x", "by": "me"}, "by"),
    ],
)
def test_bad_holds_are_refused(
    callers: Callers, run: Run, holds: str, body: dict[str, Any], field: str
) -> None:
    refused(callers.leader.post(holds, body), 422, field)
    assert not Hold.objects.exists()


def test_a_hold_and_its_end_take_a_reason(callers: Callers, holds: str) -> None:
    for body in ({}, {"reason": " "}):
        problem = refused(callers.leader.post(holds, body), 422)
        assert problem["type"].endswith("/reason-missing")
    made = done(callers.leader.post(holds, {"reason": "x"}), 201)
    path = f"{holds}/{made['id']}/lift"
    assert refused(callers.leader.post(path), 422)["type"].endswith("/reason-missing")
    done(callers.leader.post(path, {"reason": "y"}))
    refused(callers.leader.post(path, {"reason": "y"}), 409)


def test_a_hold_belongs_to_its_proposal(callers: Callers, facility: Facility, holds: str) -> None:
    made = done(callers.leader.post(holds, {"reason": "x"}), 201)
    other = f"proposals/{facility.proposal().number}/holds"
    refused(callers.staff.post(f"{other}/{made['id']}/lift", {"reason": "y"}), 404)
    refused(callers.staff.post(f"{other}/99999999999999999/lift", {"reason": "y"}), 404)


def test_programs_of_the_daq_hold_nothing(callers: Callers, holds: str) -> None:
    refused(callers.daq.post(holds, {"reason": "x"}), 403)


def test_without_a_policy_everything_is_kept(callers: Callers, run: Run) -> None:
    path = f"proposals/{run.proposal.number}/runs/{run.number}/verdicts"
    verdicts = done(callers.leader.get(path))
    assert [v["removable"] for v in verdicts] == [False]
    assert verdicts[0]["sentence"]
