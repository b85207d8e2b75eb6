"""The script of the beamtime: what it says when a step fails, and where it goes on."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalogue.demo import facility
from catalogue.demo.beamtime import copying, plan, play, preparing
from catalogue.demo.beamtime.play import STEPS, Step
from catalogue.demo.beamtime.stage import Stage, StepFailedError, Told
from catalogue.demo.layout import Layout, site
from catalogue.demo.loader import load
from catalogue.demo.verification.kept import sha256_of

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def layout(tmp_path: Path, transactional_db) -> Layout:
    layout = Layout(tmp_path)
    layout.make()
    load(layout.stores, layout.tokens)
    return layout


def clogged(stage: Stage) -> Told:
    """The jet is aligned.

    Only the first line is the step's name.
    """
    raise StepFailedError("The nozzle is clogged.", pressure="3 bar")


def elsewhere(stage: Stage) -> Told:
    """A page is shown."""
    return Told("it is shown", f"{stage.site}/nowhere")


def refused(stage: Stage) -> Told:
    """The scientist reviews."""
    stage.scientist.post(f"{stage.own}/moves/review")
    raise AssertionError("it was allowed")


def played(layout: Layout, live_server, *steps: object) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(play, "STEPS", tuple(Step(1, step) for step in steps))
        port = int(live_server.url.rpartition(":")[2])
        return play.play(layout, port, NOBODY, look_again=False)


def test_steps_are_told_with_their_page_and_kept(layout: Layout, live_server, capsys) -> None:
    assert played(layout, live_server, preparing.enter) == 0
    said = capsys.readouterr().out
    page = f"{site(live_server.thread.port)}/proposals/{facility.PLAYED:06d}"
    assert "begins" in said
    assert page in said
    assert "The beamtime is over" in said
    (entry,) = [json.loads(line) for line in layout.story.read_text().splitlines()]
    assert (entry["step"], entry["point"], entry["page"]) == (1, 1, page)
    assert played(layout, live_server, preparing.enter) == 0, "entered again, it is the same"
    assert "goes on from there" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("step", "name", "reason", "evidence"),
    [
        (clogged, "The jet is aligned.", "The nozzle is clogged.", "pressure: 3 bar"),
        (elsewhere, "A page is shown.", "/nowhere does not open", "status: 404"),
        (refused, "The scientist reviews.", "was answered 403", "who: "),
    ],
)
def test_a_step_that_fails_is_named_with_reason_and_evidence(
    layout: Layout, live_server, capsys, step, name: str, reason: str, evidence: str
) -> None:
    assert played(layout, live_server, preparing.enter, step, preparing.enter) == 1
    said = capsys.readouterr().err
    assert f"FAILED at the step: {name}\n" in said
    assert reason in said
    assert evidence in said
    assert len(layout.story.read_text().splitlines()) == 1, "nothing is played after it"


def test_a_site_that_does_not_answer_is_said(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(play, "START", 0.0)
    assert play.play(Layout(tmp_path), 9, NOBODY, look_again=False) == 1
    assert "does not answer" in capsys.readouterr().err


def test_waiting_ends_and_shows_what_was_seen_last(layout: Layout) -> None:
    stage = Stage(layout, NOBODY, NOBODY)
    seen = iter(["claimed", "held"])
    assert stage.wait("a job", lambda: next(seen) == "held") is True
    with pytest.raises(StepFailedError, match="in vain for the moon") as failed:
        stage.wait("the moon", lambda: None, seconds=0.0, phase=lambda: "waning")
    assert failed.value.evidence == {"phase": "waning"}


def test_a_byte_flipped_twice_is_as_before(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    before = sha256_of(path)
    copying.flip(path)
    assert sha256_of(path) != before
    assert path.stat().st_size == 100
    copying.flip(path)
    assert sha256_of(path) == before


def test_the_plan_is_what_the_beamtime_promises() -> None:
    kinds = [run.kind for run in plan.RUNS]
    assert {"dark", "test", "data"} == set(kinds)
    assert kinds.count("data") >= 4
    assert len({run.alias for run in plan.RUNS}) == len(plan.RUNS) >= 6
    assert {step.point for step in STEPS} == set(play.POINTS) == set(range(1, 9))


def test_a_run_is_specified_by_what_is_registered_of_it(tmp_path: Path) -> None:
    """Whoever checks later gives the same facts, and asks for the same pixels."""
    began = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    zone = began.astimezone(facility.ZONE)
    facts = {"folder": tmp_path, "run": 3, "alias": plan.FIRST.alias, "first_train": 7}
    assert plan.spec(begin_at=began, **facts) == plan.spec(begin_at=zone, **facts)
    assert plan.spec(begin_at=began, **facts).ended_at - began < timedelta(seconds=5)
