"""Who may not: another team's proposal is not found anywhere, a visitor is asked for an account."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver

from catalogue.faces.api_root.urls import version_1
from catalogue.ground import clock, lifecycle
from catalogue.ground.actor import WORKER
from catalogue.ground.models import Detector
from proposals.models import Proposal
from runs import calibrating
from runs.models import Replica, Run
from tests.calling import Caller, Callers, done, refused
from tests.factories import Facility

OPEN = {"health", "problems/<slug:slug>", "openapi.json", "docs", ""}
# What everybody with an account may read.
EVERYBODY_S = ("instruments/", "detectors/", "constants/")
# Bodies with which the owner would get past every check of values.
BODIES = {
    "proposals/{n}": {"assesses_by_itself": True},
    "proposals/{n}/moves/{name}": {},
    "proposals/{n}/beamtimes": {
        "begin_at": "2027-01-01T08:00:00Z", "end_at": "2027-01-02T08:00:00Z",
    },
    "proposals/{n}/beamtimes/{id}": {"end_at": "2027-01-02T08:00:00Z"},
    "proposals/{n}/members": {"login": "daq"},
    "proposals/{n}/members/{login}": {"data_access": 2},
    "proposals/{n}/deputies": {"login": "daq"},
    "proposals/{n}/prolong": {"until": "2033-01-01", "reason": "because"},
    "proposals/{n}/experiments/{id}": {"name": "mine"},
    "proposals/{n}/samples/{id}": {"name": "mine"},
    "proposals/{n}/withdraw": {"reason": "because"},
    "proposals/{n}/runs/{r}/withdraw": {"reason": "because"},
    "proposals/{n}/runs/{r}/files/check": {"kind": "RAW", "files": []},
    "proposals/{n}/experiments": {"name": "Dark", "type": "Dark"},
    "proposals/{n}/samples": {"name": "salt"},
    "proposals/{n}/runs": {"number": 9, "begin_at": "2026-11-20T09:00:00Z"},
    "proposals/{n}/runs/{r}": {"comment": "mine"},
    "proposals/{n}/runs/{r}/heartbeat": {"bytes": 1},
    "proposals/{n}/runs/{r}/close": {"end_at": "2026-11-20T10:00:00Z"},
    "proposals/{n}/runs/{r}/abort": {"reason": "because"},
    "proposals/{n}/runs/{r}/assess": {"quality": "good"},
    "proposals/{n}/runs/{r}/files": {"kind": "RAW", "files": []},
    "proposals/{n}/holds": {"reason": "because"},
    "proposals/{n}/holds/{id}/lift": {"reason": "because"},
}  # fmt: skip


def _routes(patterns: object, above: str = "") -> Iterator[str]:
    """The routes below /api/v1/ as they are written."""
    for pattern in patterns:  # type: ignore[attr-defined]
        route = above + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


ROUTES = sorted(set(_routes(version_1)) - OPEN)
OF_A_PROPOSAL = [r for r in ROUTES if r.startswith("proposals/")]
METHODS = ("get", "post", "patch", "delete")


def _short(route: str) -> str:
    """`proposals/<proposal_number:number>/runs` -> `proposals/{n}/runs`."""
    named = {"number": "{n}", "run": "{r}"}
    return re.sub(r"<\w+:(\w+)>", lambda m: named.get(m[1], f"{{{m[1]}}}"), route)


@pytest.fixture
def world(facility: Facility, proposal: Proposal, run: Run, callers: Callers) -> dict[str, str]:
    """Rows for every id in a route."""
    detector: Detector = facility.detector()
    made = calibrating.request_calibration(run, by=facility.staff, detector=detector)
    one = f"proposals/{proposal.number}"
    hold = done(callers.leader.post(f"{one}/holds", {"reason": "mine"}), 201)
    sample = done(callers.leader.post(f"{one}/samples", {"name": "salt"}), 201)
    member = facility.person().username
    done(callers.leader.post(f"{one}/members", {"login": member}), 201)
    return {
        "login": member,
        "samples": str(sample["id"]),
        "experiments": str(run.experiment_id),
        "beamtimes": str(proposal.beamtimes.get().pk),
        "replicas": str(Replica.objects.get().pk),
        "number": str(proposal.number),
        "run": str(run.number),
        "name": "RAW-R0001-DA01-S00000.h5",
        "calibrations": str(made.pk),
        "dark-requests": "1",
        "holds": str(hold["id"]),
        "jobs": str(done(callers.leader.get("jobs"))["results"][0]["id"]),
    }


def _real(route: str, world: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] == "id":
            return world.get(route[: match.start()].rstrip("/").rpartition("/")[2], "1")
        if match[1] == "name" and "/moves/" in route:
            return "pause"
        return world.get(match[1], "1")

    return re.sub(r"<\w+:(\w+)>", value, route)


def test_the_routes_are_all_looked_at() -> None:
    assert len(OF_A_PROPOSAL) >= 28
    assert {"jobs", "jobs/<row_id:id>", "me", "stores", "proposals"} <= set(ROUTES)
    assert not BODIES.keys() - {_short(r) for r in ROUTES}


def _answers(caller: Caller, routes: list[str], world: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """What `caller` gets at these routes by every method that they take."""
    for route in routes:
        path, body = _real(route, world), BODIES.get(_short(route), {})
        for method in METHODS:
            answer = caller.get(path) if method == "get" else caller.send(method, path, body)
            if answer.streaming:
                assert b"".join(answer.streaming_content)
            if answer.status_code != 405:
                yield f"{method} {path}", answer


def test_another_team_s_things_are_not_found(world: dict[str, str], callers: Callers) -> None:
    seen = 0
    kept = [r for r in ROUTES if "<" in r and not r.startswith(EVERYBODY_S)]
    for call, answer in _answers(callers.stranger, kept, world):
        assert answer.status_code == 404, (call, answer.content)
        assert "Study" not in str(refused(answer, 404))
        seen += 1
    assert seen > 40


def test_a_visitor_is_asked_for_an_account(world: dict[str, str], callers: Callers) -> None:
    seen = 0
    for call, answer in _answers(callers.visitor, ROUTES, world):
        assert answer.status_code == 401, (call, answer.content)
        refused(answer, 401)
        assert "WWW-Authenticate" in answer
        seen += 1
    assert seen > 45


def _none_yet(call: str) -> bool:
    """No calibration has a report, there is no request for constants, and no file "check"."""
    return any(part in call for part in ("report", "dark-requests/")) or (
        call.startswith("get") and call.endswith("files/check")
    )


def test_the_leader_finds_them(world: dict[str, str], callers: Callers) -> None:
    """Else the two tests above would prove nothing."""
    for call, answer in _answers(callers.leader, OF_A_PROPOSAL, world):
        awaited = {200, 201, 204, 403, 409} | ({404} if _none_yet(call) else set())
        assert answer.status_code in awaited, (call, answer.status_code)


def test_lists_show_only_what_one_may_know_of(
    facility: Facility, world: dict[str, str], callers: Callers
) -> None:
    assert done(callers.stranger.get("proposals"))["results"] == []
    assert done(callers.stranger.get("jobs"))["results"] == []
    other = facility.proposal()
    shown = done(callers.leader.get("proposals"))["results"]
    assert other.number not in [p["number"] for p in shown]
    assert len(done(callers.staff.get("proposals"))["results"]) == 2


def test_an_origin_that_one_may_not_know_of_is_not_told(
    facility: Facility, proposal: Proposal, callers: Callers
) -> None:
    derived = facility.proposal(derived_from=proposal)
    leader = Callers(facility, derived).leader
    assert done(leader.get(f"proposals/{derived.number}"))["derived_from"] is None
    assert done(leader.get("proposals"))["results"][0]["derived_from"] is None
    seen = done(callers.staff.get(f"proposals/{derived.number}"))
    assert seen["derived_from"] == proposal.number


def test_mount_points_are_for_staff_and_programs(callers: Callers) -> None:
    for who, inside in ((callers.staff, True), (callers.daq, True), (callers.leader, False)):
        stores = done(who.get("stores"))
        assert all(("mount" in s) == inside for s in stores)
        assert {s["identifier"] for s in stores} >= {"online", "offline"}


class TestOpenData:
    """A proposal that was reviewed and released, seen from outside."""

    @pytest.fixture
    def path(self, facility: Facility, proposal: Proposal, callers: Callers) -> str:
        one = f"proposals/{proposal.number}"
        for number, quality in ((1, "good"), (2, "not_interesting"), (3, "unclear")):
            made = facility.run(proposal)
            assert made.number == number
            mark = {"quality": quality, "comment": "between us"}
            done(callers.leader.post(f"{one}/runs/{number}/assess", mark))
        facility.run(proposal)
        rows = [{"name": "notes.txt", "bytes": 1, "sha256": "0" * 64}]
        other = {"kind": "UNK", "files": rows}
        done(callers.daq.post(f"{one}/runs/1/files", other), 201)
        done(callers.staff.post(f"{one}/moves/finish"))
        lifecycle.perform_due()
        done(callers.staff.post(f"{one}/moves/review"))
        lifecycle.perform_due()
        proposal.refresh_from_db()
        assert proposal.doi is not None
        # What the job does once a registrar has answered; here there is none.
        lifecycle.advance(proposal.doi.publish, by=WORKER, metadata={}, at=clock.now())
        return one

    def _release(self, callers: Callers, path: str) -> None:
        done(callers.leader.post(f"{path}/moves/consent"))
        done(callers.staff.post(f"{path}/moves/release-early"))

    def test_under_embargo_only_the_description_is_public(
        self, path: str, callers: Callers
    ) -> None:
        for who in (callers.stranger, callers.visitor):
            told = done(who.get(path))
            assert told["title"].startswith("Study")
            assert told["principal_investigator"]["name"]
            assert not told.keys() & {"daq_configuration", "team_until", "path"}
            assert done(who.get(f"{path}/runs"))["results"] == []
            missing = 404 if who is callers.stranger else 401
            for part in ("runs/1", "runs/1/files", "runs/1/files/RAW-R0001-DA01-S00000.h5"):
                refused(who.get(f"{path}/{part}"), missing)

    def test_open_runs_are_readable_by_everybody(self, path: str, callers: Callers) -> None:
        self._release(callers, path)
        for who in (callers.stranger, callers.visitor):
            runs = done(who.get(f"{path}/runs"))["results"]
            assert [r["number"] for r in runs] == [3, 1]
            assert "between us" not in str(runs)
            assert "replicas" not in str(runs)
            files = done(who.get(f"{path}/runs/1/files"))["results"]
            assert {f["kind"] for f in files} == {"RAW"}
            got = who.get(f"{path}/runs/1/files/{files[0]['name']}")
            assert hashlib.sha256(b"".join(got.streaming_content)).hexdigest() == files[0]["sha256"]
            missing = 404 if who is callers.stranger else 401
            for part in ("runs/2", "runs/4", "runs/1/files/notes.txt"):
                refused(who.get(f"{path}/{part}"), missing)

    def test_what_is_internal_stays_so(self, path: str, callers: Callers) -> None:
        self._release(callers, path)
        parts = ("members", "journal", "moves", "checklist", "holds", "samples", "experiments",
                 "runs/1/assess", "runs/1/data-groups", "runs/1/assessments",
                 "runs/1/calibrations", "runs/1/verdicts")  # fmt: skip
        for part in parts:
            refused(callers.stranger.get(f"{path}/{part}"), 403)
            refused(callers.visitor.get(f"{path}/{part}"), 401)


def test_the_user_office_sees_what_data_there_are_but_not_the_data(
    facility: Facility, run: Run
) -> None:
    office = Caller(facility.person("user_office"))
    path = f"proposals/{run.proposal.number}/runs/{run.number}/files"
    name = done(office.get(path))["results"][0]["name"]
    refused(office.get(f"{path}/{name}"), 403)
