"""The run table and the page of a run: marks by form and by htmx, what is foretold beside them,
the live rows, calibrations, reports."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from catalogue.ground import clock, lifecycle
from catalogue.ground.actor import WORKER
from catalogue.ground.lifecycle import advance
from catalogue.ground.models import (
    CalibrationKind,
    Condition,
    Constant,
    ConstantVersion,
    DetectorType,
)
from proposals.models import Proposal
from runs import calibrating, commands
from runs.models import Artifact, Calibration, Run
from tests.factories import BEGIN, Facility
from tests.visiting import People, Visitor, queries_of, sound


@pytest.fixture
def people(facility: Facility, proposal: Proposal) -> People:
    return People(facility, proposal)


@pytest.fixture
def worker(people: People) -> Visitor:
    """A member of the team who works on the data."""
    return Visitor(people.worker)


def table(proposal: Proposal, query: str = "") -> str:
    return f"/proposals/{proposal.number:06d}/runs{query}"


def page(run: Run, part: str = "") -> str:
    return f"/proposals/{run.proposal.number:06d}/runs/{run.number:04d}{part}"


def test_a_mark_by_form_leads_back_to_the_filtered_table(
    proposal: Proposal, run: Run, worker: Visitor
) -> None:
    back = table(proposal, "?quality=none")
    answer = worker.post(page(run, "/assess"), quality="good", comment="fine", next=back)
    assert answer["Location"] == back
    run.refresh_from_db()
    assert run.quality == "good"
    assert run.assessments.get().comment == "fine"
    assert "Run 0001 is marked Good." in sound(worker.get(back)).text


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", "\\\\elsewhere", "/\\elsewhere"]
)
def test_a_form_never_leads_elsewhere(run: Run, worker: Visitor, target: str) -> None:
    answer = worker.post(page(run, "/assess"), quality="good", next=target)
    assert answer["Location"] == page(run)


def test_undo_on_the_runs_page_is_a_new_mark(run: Run, worker: Visitor) -> None:
    for quality in ("good", "not_interesting"):
        worker.post(page(run, "/assess"), quality=quality)
    html = worker.get(page(run))
    assert "Undo: mark Good again" in sound(html).text
    worker.post(page(run, "/assess"), quality="good", comment="Undone.")
    assert [a.quality for a in run.assessments.order_by("id")] == [
        "good",
        "not_interesting",
        "good",
    ]


def test_who_may_not_mark_has_no_buttons_and_is_refused(
    proposal: Proposal, run: Run, people: People
) -> None:
    for who in (people.reader, people.auditor, people.user_office):
        visitor = Visitor(who)
        for path in (table(proposal), page(run)):
            assert 'name="quality" value="good"' not in visitor.get(path)
        refused = visitor.post(page(run, "/assess"), 403, quality="good").content.decode()
        assert "To assess is for" in sound(refused).text
        visitor.post(page(run, "/assess"), 403, htmx=True, quality="good")
    run.refresh_from_db()
    assert run.quality == ""


@pytest.mark.parametrize("quality", ["", "excellent", "good\x00", "GOOD"])
def test_a_mark_is_one_of_the_three(run: Run, worker: Visitor, quality: str) -> None:
    refused = worker.post(page(run, "/assess"), 422, quality=quality).content.decode()
    assert "A mark is one of the three." in sound(refused).text


def test_the_page_of_a_dark_run_asks_for_constants(
    facility: Facility, proposal: Proposal, worker: Visitor
) -> None:
    dark = facility.run(proposal, type_name="Dark")
    html = worker.get(page(dark))
    assert "SPB has no detector in the catalogue." in html
    worker.post(page(dark, "/constants"), 422)
    facility.detector()
    worker.post(page(dark, "/constants"))
    assert dark.dark_requests.get().state == "requested"
    assert "Requested" in sound(worker.get(page(dark))).text
    refused = worker.post(page(dark, "/calibrate"), 409).content.decode()
    assert "is a dark run: ask for new constants instead." in sound(refused).text


def test_calibration_is_asked_for_held_and_asked_again(
    facility: Facility, proposal: Proposal, run: Run, people: People, worker: Visitor
) -> None:
    facility.detector()
    reader = Visitor(people.reader)
    assert "To ask for calibration is for" in reader.get(page(run))
    reader.post(page(run, "/calibrate"), 403)
    worker.post(page(run, "/calibrate/again"), 409)
    assert worker.post(page(run, "/calibrate"))["Location"] == page(run) + "#work"
    lifecycle.perform_due()
    html = worker.get(page(run))
    assert "No constants for AGIPD00" in html
    assert "It goes on by itself when they arrive." in sound(html).text
    worker.post(page(run, "/calibrate/again"))
    assert run.calibrations.get().state == "requested"


def test_while_jobs_work_the_page_asks_for_that_part_alone(
    facility: Facility, run: Run, worker: Visitor
) -> None:
    facility.detector()
    calibrating.request_calibration(run, by=facility.staff)
    part = worker.get(page(run), htmx=True)
    assert part.strip().startswith("<section")
    assert 'hx-trigger="every 2s"' in part
    assert "waits for a worker" in part
    lifecycle.perform_due()
    assert "hx-trigger" not in worker.get(page(run), htmx=True), "nothing works any more"


CONTENT = b"%PDF-1.4 a report"


@pytest.fixture
def calibration(facility: Facility, run: Run) -> Calibration:
    """An available calibration with its constants and its report, kept in a store."""
    detector = facility.detector()
    made = calibrating.request_calibration(run, by=facility.staff)
    store = facility.stores["artifacts"]
    folder = Path(store.mount) / "reports"
    folder.mkdir()
    (folder / "calibration-000001.pdf").write_bytes(CONTENT)
    report = Artifact.objects.create(
        run=run, proposal=run.proposal, kind="report", store=store, bytes=len(CONTENT),
        path="reports/calibration-000001.pdf", sha256=hashlib.sha256(CONTENT).hexdigest(),
        content_type="application/pdf", created_at=clock.now(),
    )  # fmt: skip
    constant = Constant.objects.create(
        kind=CalibrationKind.objects.create(name="Offset"),
        detector_type=DetectorType.objects.get(),
        name="Offset as always",
        condition=Condition.objects.create(name="as always"),
    )
    made.constants.set(
        ConstantVersion.objects.create(
            constant=constant, unit=unit, name=f"offset-{unit.aggregator}", path="x", bytes=1,
            store=facility.stores["constants"], sha256="0" * 64, begin_at=BEGIN, created_at=BEGIN,
        )
        for unit in detector.units.all()
    )  # fmt: skip
    advance(made.begin, by=WORKER, engine="embedded 1")
    advance(made.available, by=WORKER, at=clock.now(), configuration={}, software={}, report=report)
    return made


def test_a_calibration_names_its_constants_and_its_report(
    run: Run, calibration: Calibration, people: People
) -> None:
    visitor = Visitor(people.reader)
    seen = sound(visitor.get(page(run)))
    assert "2 constants used" in seen.text
    assert "offset-AGIPD01" in seen.text
    address = page(run, "/reports/calibration-000001.pdf")
    table = sound(Visitor(people.reader).get(f"/proposals/{run.proposal.number}/runs"))
    assert address in table.links
    assert address in seen.links
    answer = visitor.client.get(address)
    assert b"".join(answer.streaming_content) == CONTENT
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Length"] == str(len(CONTENT))


def test_a_report_is_for_those_who_may_read_the_data(
    facility: Facility, run: Run, calibration: Calibration, people: People
) -> None:
    address = page(run, "/reports/calibration-000001.pdf")
    refused = Visitor(people.auditor).get(address, 403)
    assert "You may not read the data of run 0001" in sound(refused).text
    Visitor(people.stranger).get(address, 404)
    Visitor(people.reader).get(page(run, "/reports/other.pdf"), 404)
    Visitor(people.reader).get(page(run, "/reports/..%2Fsecret-key"), 404)
    stored = Path(facility.stores["artifacts"].mount) / "reports/calibration-000001.pdf"
    stored.write_bytes(CONTENT + b"more")
    assert "is not as long as" in Visitor(people.reader).get(address, 409)


def test_a_comment_is_kept_and_a_too_long_one_is_given_back(run: Run, worker: Visitor) -> None:
    worker.post(page(run, "/comment"), comment="jet unstable")
    run.refresh_from_db()
    assert run.comment == "jet unstable"
    long = "x" * 5001
    refused = worker.post(page(run, "/comment"), 422, comment=long).content.decode()
    assert long in refused
    assert "at most 5000 characters" in sound(refused).text


# path (n: the proposal) -> queries, with session, person and rights included
FROZEN = {
    "/proposals/{n}/runs/0001": 45,
    "/storage": 15,
    "/jobs": 10,
}


def test_many_rows_take_as_many_queries_as_few(facility: Facility, proposal: Proposal) -> None:
    """The numbers are frozen: one that grows is looked at, not raised."""
    facility.policy()
    facility.detector()
    staff = Visitor(facility.staff.user)

    def grow(times: int) -> None:
        for n in range(times):
            run = facility.run(proposal, files=2 + n, type_name="LCP SFX" if n % 2 else "Dark")
            commands.assess(run, quality=("good", "unclear", "not_interesting")[n % 3],
                            by=facility.staff)  # fmt: skip
            (calibrating.request_calibration if n % 2 else calibrating.request_dark)(
                run, by=facility.staff
            )
        lifecycle.perform_due()

    grow(3)
    paths = {path: path.format(n=proposal.number) for path in FROZEN}
    few = {path: queries_of(staff, real) for path, real in paths.items()}
    grow(6)
    assert {path: queries_of(staff, real) for path, real in paths.items()} == few
    assert few == FROZEN
