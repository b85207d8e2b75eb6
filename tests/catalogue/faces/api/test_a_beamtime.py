"""A proposal's way through the API, as the programs and people of a beamtime call it."""

from __future__ import annotations

import pytest

from catalogue.ground import lifecycle
from runs.models import Run
from tests.calling import Caller, done
from tests.factories import CycleFactory, Facility


@pytest.fixture
def office(facility: Facility) -> Caller:
    return Caller(facility.staff.user)


@pytest.fixture
def daq(facility: Facility) -> Caller:
    return Caller(facility.daq.user, scopes=["daq", "read"])


def _accepted(facility: Facility, office: Caller) -> str:
    """A new proposal with a beamtime and a leader; its path."""
    CycleFactory()
    leader = facility.person()
    body = {"number": 900200, "title": "Lysozyme", "instrument": "SPB", "cycle": "202601"}
    made = office.post("proposals", body)
    assert done(made, 201)["state"] == "N"
    one = made["Location"].removeprefix("/api/v1/")
    dates = {"begin_at": "2026-11-20T08:00:00+01:00", "end_at": "2026-11-24T08:00:00+01:00"}
    done(office.post(f"{one}/beamtimes", dates), 201)
    member = {"login": leader.username, "role": "pi", "data_access": 2}
    done(office.post(f"{one}/members", member), 201)
    return one


def test_from_acceptance_to_a_copied_run(facility: Facility, office: Caller, daq: Caller) -> None:
    one = _accepted(facility, office)
    done(office.post(f"{one}/moves/prepare"))
    lifecycle.perform_due()
    assert done(daq.get(one))["state"] == "WDC"
    done(daq.post(f"{one}/moves/confirm-daq", {"configuration": {"writers": 1}}))
    done(office.post(f"{one}/moves/declare-ready"))
    assert done(office.post(f"{one}/moves/activate"))["state"] == "A"

    done(office.post(f"{one}/experiments", {"name": "LCP SFX", "type": "Dark"}), 201)
    done(office.post(f"{one}/samples", {"name": "lysozyme"}), 201)
    number = done(daq.post(f"{one}/runs/next-number"), 201)["number"]
    body = {
        "number": number, "begin_at": "2026-11-20T09:00:00Z", "experiment": "LCP SFX",
        "sample": "lysozyme", "first_train": 100,
    }  # fmt: skip
    made = daq.post(f"{one}/runs", body)
    assert done(made, 201)["experiment"] == "LCP SFX"
    run = made["Location"].removeprefix("/api/v1/")
    beat = done(daq.post(f"{run}/heartbeat", {"bytes": 10, "last_train": 200}))
    assert (beat["heartbeat_bytes"], beat["last_train"]) == (10, 200)

    row = Run.objects.get(proposal__number=900200, number=number)
    files = facility.write(row)
    there = done(daq.post(f"{run}/files", {"kind": "RAW", "files": files}), 201)
    assert there == {"created": 3, "known": 0, "bytes": 3000}
    again = done(daq.post(f"{run}/files", {"kind": "RAW", "files": files}), 200)
    assert again == {"created": 0, "known": 3, "bytes": 0}
    done(daq.post(f"{run}/close", {"end_at": "2026-11-20T09:05:00Z", "last_train": 300}))
    foretold = {m["quality"]: m for m in done(office.get(f"{run}/assess"))}
    assert any("offline" in c["text"] for c in foretold["good"]["consequences"])
    assert done(office.post(f"{run}/assess", {"quality": "good"}))["quality"] == "good"
    jobs = done(office.get("jobs?name=runs.migrate"))["results"]
    assert [j["state"] for j in jobs] == ["waiting"]
    lifecycle.perform_due()
    assert done(office.get(f"jobs/{jobs[0]['id']}"))["state"] == "done"
    groups = done(office.get(f"{run}/data-groups"))
    states = {r["store"]: r["state"] for r in groups[0]["replicas"]}
    assert states["offline"] == states["mass_storage"] == "verified"
    got = office.get(f"{run}/files/{files[0]['name']}")
    assert len(b"".join(got.streaming_content)) == 1000
