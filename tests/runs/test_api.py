"""Endpoints of runs: numbers, registration, heartbeat, end, marks, calibrations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings

from catalogue.ground import clock, lifecycle
from catalogue.ground.models import Detector, Technique
from catalogue.ports.movers import Place, mover_for
from proposals.models import Proposal
from runs.models import Artifact, Assessment, Calibration, DarkRequest, Run
from tests.calling import Caller, Callers, done, refused
from tests.factories import Facility

NEW = {"number": 7, "begin_at": "2026-11-20T09:00:00Z"}
BIG = 2**63 - 1


@pytest.fixture
def runs(proposal: Proposal) -> str:
    return f"proposals/{proposal.number}/runs"


@pytest.fixture
def opened(facility: Facility, proposal: Proposal, runs: str) -> str:
    """The path of an open run."""
    return f"{runs}/{facility.run(proposal, files=0, closed=False).number}"


class TestNumbers:
    def test_each_is_handed_out_once(self, callers: Callers, runs: str) -> None:
        numbers = [done(callers.daq.post(f"{runs}/next-number"), 201)["number"] for _ in range(3)]
        assert numbers == [1, 2, 3]

    def test_not_to_people_and_not_while_there_is_no_beam(
        self, callers: Callers, runs: str, proposal: Proposal
    ) -> None:
        refused(callers.staff.post(f"{runs}/next-number"), 403)
        refused(callers.daq.post(f"{runs}/next-number", {"count": 3}), 422, "count")
        done(callers.staff.post(f"proposals/{proposal.number}/moves/pause"))
        problem = refused(callers.daq.post(f"{runs}/next-number"), 409)
        assert problem["refusal"] == "state"
        assert problem["who"] == "the local contact"


class TestRegistration:
    def test_a_run_is_told_in_full(
        self, callers: Callers, runs: str, facility: Facility, proposal: Proposal
    ) -> None:
        facility.experiment(proposal)
        done(callers.leader.post(f"proposals/{proposal.number}/samples", {"name": "salt"}), 201)
        Technique.objects.create(identifier="PaNET01168", name="SFX")
        body = NEW | {
            "experiment": "LCP SFX", "sample": "salt", "techniques": ["PaNET01168"],
            "first_train": BIG, "alias": "first light", "comment": "a\nb",
        }  # fmt: skip
        answer = callers.daq.post(runs, body)
        made = done(answer, 201)
        assert answer["Location"] == f"/api/v1/{runs}/7"
        for name, value in body.items():
            assert made[name] == value
        assert (made["status"], made["quality"], made["silent"]) == ("open", None, False)
        assert made["folder"] == "r0007"
        assert done(callers.leader.get(f"{runs}/0007")) == made
        assert done(callers.daq.post(f"{runs}/next-number"), 201)["number"] == 8

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"number": 0}, "number"),
            ({"number": 10_000}, "number"),
            ({"number": 1.5}, "number"),
            ({"number": False}, "number"),
            ({"begin_at": "2026-11-20T09:00:00"}, "begin_at"),
            ({"begin_at": "2026-11-20"}, "begin_at"),
            ({"begin_at": None}, "begin_at"),
            ({"experiment": "nothing"}, "experiment"),
            ({"sample": "nothing"}, "sample"),
            ({"sample": ""}, "sample"),
            ({"techniques": ["PaNET99999"]}, "techniques"),
            ({"techniques": "PaNET01168"}, "techniques"),
            ({"techniques": [1]}, "techniques[0]"),
            ({"first_train": -1}, "first_train"),
            ({"first_train": 2**63}, "first_train"),
            ({"first_train": "5"}, "first_train"),
            ({"alias": "x" * 65}, "alias"),
            ({"comment": "\x07"}, "comment"),
            ({"quality": "good"}, "quality"),
        ],
    )
    def test_bad_runs_are_refused(
        self, callers: Callers, runs: str, change: dict[str, Any], field: str
    ) -> None:
        refused(callers.daq.post(runs, NEW | change), 422, field)
        assert not Run.objects.exists()

    def test_a_number_is_taken_once(self, callers: Callers, runs: str) -> None:
        done(callers.daq.post(runs, NEW), 201)
        refused(callers.daq.post(runs, NEW), 422, "number")

    def test_people_register_no_runs(self, callers: Callers, runs: str) -> None:
        refused(callers.staff.post(runs, NEW), 403)

    def test_another_proposal_s_sample_is_not_named(
        self, callers: Callers, runs: str, facility: Facility
    ) -> None:
        other = f"proposals/{facility.proposal().number}/samples"
        done(callers.staff.post(other, {"name": "theirs"}), 201)
        refused(callers.daq.post(runs, NEW | {"sample": "theirs"}), 422, "sample")


class TestHeartbeat:
    def test_it_tells_how_far_the_run_is(self, callers: Callers, opened: str) -> None:
        told = done(callers.daq.post(f"{opened}/heartbeat", {"bytes": 12, "last_train": 34}))
        assert (told["heartbeat_bytes"], told["last_train"]) == (12, 34)
        later = clock.now() + timedelta(seconds=settings.SILENT_RUN_SECONDS + 1)
        with time_machine.travel(later, tick=False):
            assert done(callers.leader.get(opened))["silent"] is True

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "bytes"),
            ({"bytes": -1}, "bytes"),
            ({"bytes": 2**63}, "bytes"),
            ({"bytes": 1.0}, "bytes"),
            ({"bytes": True}, "bytes"),
            ({"bytes": "12"}, "bytes"),
            ({"bytes": 1, "last_train": -5}, "last_train"),
            ({"bytes": 1, "trains": 5}, "trains"),
        ],
    )
    def test_bad_heartbeats_are_refused(
        self, callers: Callers, opened: str, body: dict[str, Any], field: str
    ) -> None:
        refused(callers.daq.post(f"{opened}/heartbeat", body), 422, field)

    def test_a_closed_run_has_none(self, callers: Callers, run: Run, runs: str) -> None:
        refused(callers.daq.post(f"{runs}/{run.number}/heartbeat", {"bytes": 1}), 409)

    def test_trains_run_forward(self, callers: Callers, runs: str) -> None:
        done(callers.daq.post(runs, NEW | {"first_train": 100}), 201)
        body = {"bytes": 1, "last_train": 99}
        refused(callers.daq.post(f"{runs}/7/heartbeat", body), 422, "last_train")


class TestEnd:
    END = {"end_at": "2026-11-20T10:00:00Z"}

    def test_closing(self, callers: Callers, opened: str) -> None:
        told = done(callers.daq.post(f"{opened}/close", self.END | {"first_train": 1,
                                                                   "last_train": 2}))  # fmt: skip
        assert told["status"] == "closed"
        assert (told["first_train"], told["last_train"]) == (1, 2)
        assert told["end_at"] == "2026-11-20T10:00:00Z"
        refused(callers.daq.post(f"{opened}/close", self.END), 409)

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "end_at"),
            ({"end_at": "2026-11-20T10:00:00"}, "end_at"),
            ({"end_at": "2026-11-20T07:59:59Z"}, "end_at"),
            ({**END, "first_train": 9, "last_train": 8}, "last_train"),
            ({**END, "timeout": True}, "timeout"),
        ],
    )
    def test_bad_ends_are_refused(
        self, callers: Callers, opened: str, body: dict[str, Any], field: str
    ) -> None:
        refused(callers.daq.post(f"{opened}/close", body), 422, field)
        assert done(callers.daq.get(opened))["status"] == "open"

    def test_aborting_takes_a_reason(self, callers: Callers, opened: str) -> None:
        problem = refused(callers.daq.post(f"{opened}/abort", {}), 422)
        assert problem["type"].endswith("reason-missing")
        told = done(callers.daq.post(f"{opened}/abort", {"reason": "beam lost"}))
        assert told["status"] == "aborted"

    def test_people_end_no_runs(self, callers: Callers, opened: str) -> None:
        refused(callers.leader.post(f"{opened}/close", self.END), 403)


class TestEditing:
    def test_what_is_not_given_stays(
        self, callers: Callers, facility: Facility, proposal: Proposal, run: Run, runs: str
    ) -> None:
        facility.experiment(proposal, "Dark")
        path = f"{runs}/{run.number}"
        done(callers.leader.patch(path, {"comment": "ice"}))
        told = done(callers.leader.patch(path, {"experiment": "Dark"}))
        assert (told["comment"], told["experiment_type"]) == ("ice", "Dark")
        refused(callers.leader.patch(path, {"sample": "none such"}), 422, "sample")
        refused(callers.leader.patch(path, {"status": "open"}), 422, "status")


class TestMarks:
    def test_each_mark_is_foretold_and_kept(
        self, callers: Callers, facility: Facility, run: Run, runs: str
    ) -> None:
        facility.policy()
        path = f"{runs}/{run.number}"
        foretold = {m["quality"]: m for m in done(callers.leader.get(f"{path}/assess"))}
        assert foretold.keys() == {"good", "unclear", "not_interesting"}
        assert all(m["allowed"] for m in foretold.values())
        texts = [c["text"] for c in foretold["not_interesting"]["consequences"]]
        assert any("removed from online storage" in t for t in texts)
        done(callers.leader.post(f"{path}/assess", {"quality": "unclear"}))
        told = done(callers.leader.post(f"{path}/assess", {"quality": "good", "comment": "rings"}))
        assert told["quality"] == "good"
        history = done(callers.leader.get(f"{path}/assessments"))["results"]
        assert [(a["quality"], a["previous"], a["comment"]) for a in history] == [
            ("good", "unclear", "rings"),
            ("unclear", "", ""),
        ]

    @pytest.mark.parametrize("quality", ["", "Good", "bad", None, 1, True, ["good"], {"a": 1}])
    def test_other_marks_are_refused(
        self, callers: Callers, run: Run, runs: str, quality: Any
    ) -> None:
        answer = callers.leader.post(f"{runs}/{run.number}/assess", {"quality": quality})
        refused(answer, 422, "quality")
        assert not Assessment.objects.exists()

    def test_readers_of_the_team_do_not_mark(
        self, callers: Callers, facility: Facility, proposal: Proposal, run: Run, runs: str
    ) -> None:
        reader = facility.person()
        body = {"login": reader.username, "data_access": 1}
        done(callers.leader.post(f"proposals/{proposal.number}/members", body), 201)
        path = f"{runs}/{run.number}/assess"
        assert [m["allowed"] for m in done(Caller(reader).get(path))] == [False] * 3
        refused(Caller(reader).post(path, {"quality": "good"}), 403)


class TestCalibrations:
    @pytest.fixture
    def detector(self, facility: Facility) -> Detector:
        return facility.detector()

    def test_asked_for_once_while_open(
        self, callers: Callers, run: Run, runs: str, detector: Detector
    ) -> None:
        path = f"{runs}/{run.number}/calibrations"
        body = {"detector": detector.identifier, "units": ["AGIPD01"]}
        made = done(callers.leader.post(path, body), 201)
        assert (made["state"], made["units"]) == ("requested", ["AGIPD01"])
        assert done(callers.leader.post(path, {}), 201)["id"] == made["id"]
        assert [c["id"] for c in done(callers.leader.get(path))["results"]] == [made["id"]]
        assert (
            done(callers.leader.get(f"{runs}/{run.number}"))["calibrations"][0]["id"] == made["id"]
        )

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"detector": "none such"}, "detector"),
            ({"detector": 1}, "detector"),
            ({"units": ["AGIPD77"]}, "units"),
            ({"units": ["AGIPD01", "AGIPD01"]}, "units"),
            ({"units": "AGIPD01"}, "units"),
            ({"engine": "mine"}, "engine"),
        ],
    )
    def test_bad_requests_are_refused(
        self, callers: Callers, run: Run, runs: str, detector: Detector,
        body: dict[str, Any], field: str,
    ) -> None:  # fmt: skip
        refused(callers.leader.post(f"{runs}/{run.number}/calibrations", body), 422, field)
        assert not Calibration.objects.exists()

    def test_asking_again_is_for_those_that_stopped(
        self, callers: Callers, run: Run, runs: str, detector: Detector
    ) -> None:
        path = f"{runs}/{run.number}/calibrations"
        made = done(callers.leader.post(path, {}), 201)
        refused(callers.leader.post(f"{path}/{made['id']}/ask-again"), 409)
        lifecycle.perform_due()
        held = done(callers.leader.get(path))["results"][0]
        assert held["state"] == "held"
        assert "No constants for" in held["reason"]
        again = done(callers.leader.post(f"{path}/{made['id']}/ask-again", {"reason": "x"}))
        assert again["state"] == "requested"
        refused(callers.leader.post(f"{path}/{made['id'] + 1}/ask-again"), 404)

    def test_not_for_dark_runs(
        self, callers: Callers, facility: Facility, proposal: Proposal, runs: str,
        detector: Detector,
    ) -> None:  # fmt: skip
        dark = facility.run(proposal, type_name="Dark")
        refused(callers.leader.post(f"{runs}/{dark.number}/calibrations", {}), 409)

    def test_constants_are_asked_for_from_dark_runs_only(
        self, callers: Callers, facility: Facility, proposal: Proposal, run: Run, runs: str,
        detector: Detector,
    ) -> None:  # fmt: skip
        refused(callers.leader.post(f"{runs}/{run.number}/dark-requests", {}), 409)
        dark = facility.run(proposal, type_name="Dark")
        path = f"{runs}/{dark.number}/dark-requests"
        made = done(callers.leader.post(path, {}), 201)
        assert made["state"] == "requested"
        assert done(callers.leader.post(path, {}), 201)["id"] == made["id"]
        assert len(done(callers.leader.get(path))["results"]) == 1

    def test_reports_are_sent_with_their_checksum(
        self, callers: Callers, facility: Facility, run: Run, runs: str, detector: Detector
    ) -> None:
        content = b"%PDF-1.7 the report"
        store = facility.stores["artifacts"]
        place = Place(mount=facility.folder / "artifacts", path="reports")
        receipt = mover_for("posix").write(place, {"calibration.pdf": content})
        path = f"{runs}/{run.number}/calibrations"
        made = done(callers.leader.post(path, {}), 201)
        refused(callers.leader.get(f"{path}/{made['id']}/report"), 404)
        report = Artifact.objects.create(
            run=run, proposal=run.proposal, kind="report", store=store, bytes=len(content),
            path="reports/calibration.pdf", sha256=receipt.entries[0].sha256,
            content_type="application/pdf", created_at=clock.now(),
        )  # fmt: skip
        Calibration.objects.filter(pk=made["id"]).update(report=report)
        told = done(callers.leader.get(path))["results"][0]["report"]
        assert told["bytes"] == len(content)
        got = callers.leader.get(told["url"])
        assert b"".join(got.streaming_content) == content
        assert got["Content-Type"] == "application/pdf"
        assert 'filename="calibration.pdf"' in got["Content-Disposition"]
        refused(callers.stranger.get(told["url"]), 404)
        assert not DarkRequest.objects.exists()


def test_the_checklist_counts_what_is_not_done(
    callers: Callers, facility: Facility, proposal: Proposal, run: Run
) -> None:
    facility.run(proposal, files=0, closed=False)
    told = done(callers.staff.get(f"proposals/{proposal.number}/checklist"))
    counts = {c["what"]: c["count"] for c in told}
    assert counts["runs still open"] == 1
    assert counts["runs without assessment"] == 2


def test_a_token_that_only_reads_asks_for_no_package(
    facility: Facility, proposal: Proposal
) -> None:
    path = f"proposals/{proposal.number}/packages"
    leader = proposal.memberships.get(role="pi").user
    reading = Caller(leader, scopes=["read"])
    done(reading.get(path))
    refused(reading.post(path), 403)
    refused(Caller(facility.daq.user, scopes=["daq", "read"]).post(path), 403)
    refused(Caller(leader).post(path), 409)


def test_a_package_is_for_open_data(callers: Callers, proposal: Proposal) -> None:
    path = f"proposals/{proposal.number}/packages"
    assert refused(callers.leader.post(path), 409)["refusal"] == "state"
    refused(callers.leader.post(path, {"kind": "RAW"}), 422, "kind")
    assert done(callers.leader.get(path)) == {"results": [], "next": None}
