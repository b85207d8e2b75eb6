"""Endpoints of jobs: who reads them, retry and cancel."""

from __future__ import annotations

import pytest

from catalogue.ground import lifecycle
from catalogue.ground.models import Job
from proposals.models import Proposal
from runs.models import Run
from tests.calling import Caller, Callers, done, refused
from tests.factories import Facility


@pytest.fixture
def held(facility: Facility, run: Run, callers: Callers) -> str:
    """The path of a job that is held: a file of the run differs from what is registered."""
    file = min(facility.raw_folder(run).iterdir())
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(bytes(content))
    path = f"proposals/{run.proposal.number}/runs/{run.number}/assess"
    done(callers.leader.post(path, {"quality": "good"}))
    lifecycle.perform_due()
    return f"jobs/{Job.objects.get(name='runs.migrate').pk}"


def test_a_held_job_says_why_and_who_must_act(callers: Callers, held: str) -> None:
    told = done(callers.leader.get(held))
    assert told["state"] == "held"
    assert told["who"] == "data manager"
    assert "RAW-R0001-DA01-S00000.h5" in told["reason"] + str(told["evidence"])
    assert told["attempts"] == 1
    assert done(callers.leader.get("jobs?state=held"))["results"] == [told]


def test_staff_retry_when_the_byte_is_back(
    callers: Callers, facility: Facility, run: Run, held: str
) -> None:
    refused(callers.leader.post(f"{held}/retry"), 403)
    file = min(facility.raw_folder(run).iterdir())
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(bytes(content))
    assert done(callers.staff.post(f"{held}/retry", {"reason": "repaired"}))["state"] == "waiting"
    lifecycle.perform_due()
    assert done(callers.staff.get(held))["state"] == "done"
    refused(callers.staff.post(f"{held}/retry"), 409)


def test_cancelling_takes_a_reason(callers: Callers, held: str) -> None:
    for body in (None, {}, {"reason": " "}):
        problem = refused(callers.staff.post(f"{held}/cancel", body), 422)
        assert problem["type"].endswith("/reason-missing")
    refused(callers.staff.post(f"{held}/cancel", {"reason": "x", "force": True}), 422, "force")
    told = done(callers.staff.post(f"{held}/cancel", {"reason": "not wanted"}))
    assert (told["state"], told["reason"]) == ("cancelled", "not wanted")


def test_jobs_of_no_proposal_are_for_those_who_see_all(
    callers: Callers, facility: Facility, held: str
) -> None:
    Job.objects.update(proposal=None)
    refused(callers.leader.get(held), 404)
    done(callers.staff.get(held))
    done(Caller(facility.person("auditor")).get(held))


def test_jobs_are_narrowed(callers: Callers, held: str, proposal: Proposal) -> None:
    def count(query: str) -> int:
        return len(done(callers.staff.get(f"jobs?{query}"))["results"])

    assert count(f"proposal={proposal.number:06d}") == count("") > 2
    assert count("proposal=1") == 0
    assert count("name=runs.migrate") == 1
    assert count("name=runs.migrate&state=done") == 0
    assert count("state=held&state=done&state=waiting") == count("")


def test_staff_hold_what_waits_and_let_it_go(
    callers: Callers, facility: Facility, run: Run, proposal: Proposal
) -> None:
    done(callers.leader.post(f"proposals/{proposal.number}/runs/1/assess", {"quality": "good"}))
    found = done(callers.staff.get("jobs?state=waiting&name=runs.migrate"))["results"][0]
    path = f"jobs/{found['id']}"
    refused(callers.leader.post(f"{path}/hold", {"reason": "wait"}), 403)
    refused(callers.staff.post(f"{path}/hold", {}), 422)
    told = done(callers.staff.post(f"{path}/hold", {"reason": "the network is mended"}))
    assert (told["state"], told["reason"]) == ("held", "the network is mended")
    assert told["who"] == facility.staff.name
    assert found["id"] in [j["id"] for j in done(callers.staff.get("jobs?state=held"))["results"]]
    assert done(callers.staff.post(f"{path}/retry"))["state"] == "waiting"
    lifecycle.perform_due()
    refused(callers.staff.post(f"{path}/hold", {"reason": "too late"}), 409)
