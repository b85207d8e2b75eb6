"""Looking into files as a job: when it starts, what it keeps, that it is done once for the same
files and anew for more, and that nobody is called for a picture."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from catalogue.ground import lifecycle
from catalogue.ground.models import Job
from catalogue.ground.refusal import Refused
from catalogue.ports.outcome import Permanent, Transient
from catalogue.ports.pictures import viewer_for
from proposals.models import Proposal
from runs import calibrating, commands, contents, deleting, looking, reading
from runs.models import Artifact, Calibration, Contents, Run
from runs.workers import contents as worker
from tests.detector_runs import Here, take
from tests.factories import Facility


@pytest.fixture(autouse=True)
def looked_at(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FILE_VIEWER = "embedded"
    monkeypatch.setattr(worker, "viewer_for", lambda name: Here())


def jobs(*states: str) -> int:
    return Job.objects.filter(name="runs.look", state__in=states).count()


def of(run: Run, kind: str = "RAW") -> Contents:
    return Contents.objects.get(group__run=run, group__kind=kind)


def test_a_closed_run_is_looked_into(
    facility: Facility, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "viewer_for", viewer_for)  # in a process of its own
    run = take(facility, proposal)
    lifecycle.perform_due()
    found = of(run)
    assert (found.trains, found.first_train, found.last_train) == (30, 10_000, 10_029)
    assert found.source_count == found.sources.count() == 10
    assert [m["number"] for m in found.modules] == [0, 1]
    names = {found.picture.content_type, found.plot.content_type, found.train_table.content_type}
    assert names == {"image/png", "image/svg+xml", "text/csv"}
    for artifact in Artifact.objects.all():
        with reading.open_artifact(artifact) as file:
            assert hashlib.sha256(file.read()).hexdigest() == artifact.sha256
    source = found.sources.get(name="SPB_DET_AGIPD1M-1/DET/0CH0:xtdf")
    assert (source.section, source.trains) == ("instrument", 3)
    assert ["image.data", "uint16", [2, 512, 128]] in source.keys
    assert not (Path(facility.stores["artifacts"].mount) / ".work" / "look-1").exists()


def test_an_open_run_is_not(facility: Facility, proposal: Proposal) -> None:
    take(facility, proposal, closed=False)
    assert not Job.objects.filter(name="runs.look").exists()


def test_a_facility_without_a_viewer_has_no_such_jobs(
    facility: Facility, proposal: Proposal, settings
) -> None:
    settings.FILE_VIEWER = "null"
    take(facility, proposal)
    assert not Job.objects.filter(name="runs.look").exists()


def test_further_copies_of_the_same_files_are_not_looked_into(
    facility: Facility, proposal: Proposal
) -> None:
    run = take(facility, proposal)
    lifecycle.perform_due()
    commands.assess(run, quality="good", by=facility.staff)
    lifecycle.perform_due()
    assert run.data_groups.get().replicas.filter(state="verified").count() == 2
    assert jobs("done") == 1


def test_it_is_the_same_if_it_is_done_twice(facility: Facility, proposal: Proposal) -> None:
    run = take(facility, proposal)
    lifecycle.perform_due()
    before = Contents.objects.values().get()
    rows = set(Artifact.objects.values_list("pk", "path"))
    assert looking.look_again(run, by=facility.staff) == 1
    lifecycle.perform_due()
    after = Contents.objects.values().get()
    assert {k: v for k, v in after.items() if k != "looked_at"} == {
        k: v for k, v in before.items() if k != "looked_at"
    }
    assert set(Artifact.objects.values_list("pk", "path")) == rows


def test_corrected_data_are_looked_into_when_they_come(
    facility: Facility, proposal: Proposal
) -> None:
    detector = facility.detector()
    dark = take(facility, proposal, "dark", trains=40, record_every=5)
    commands.assess(dark, quality="good", by=facility.staff)
    calibrating.request_dark(dark, by=facility.staff)
    lifecycle.perform_due()
    run = take(facility, proposal)
    commands.assess(run, quality="good", by=facility.staff)
    calibrating.request_calibration(run, by=facility.staff, detector=detector)
    lifecycle.perform_due()
    assert Calibration.objects.get().state == "available", Calibration.objects.get().reason
    raw, corrected = of(run), of(run, "PROC")
    assert corrected.modules[0]["mean"] < 500 < raw.modules[0]["mean"]
    assert corrected.modules[0]["bad_pixels"] > 0
    assert [c.group.kind for c in contents.of_run(run)] == ["PROC", "RAW"]
    assert jobs("waiting", "held") == 0


def test_files_that_are_none_of_the_format_are_said(facility: Facility, proposal: Proposal) -> None:
    run = facility.run(proposal)
    lifecycle.perform_due()
    found = of(run)
    assert (found.trains, found.picture) == (0, None)
    assert "cannot be read as HDF5" in found.unread[0]
    assert found.why_none.startswith("There is no picture")
    assert (jobs("done"), jobs("held")) == (1, 0)


@pytest.mark.parametrize("problem", [Permanent("the disk is round"), Transient("it is away")])
def test_nobody_is_called_for_a_picture(
    facility: Facility, proposal: Proposal, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    class Broken:
        def look(self, *_: object, **__: object) -> None:
            raise problem

    monkeypatch.setattr(worker, "viewer_for", lambda name: Broken())
    monkeypatch.setattr(worker, "ATTEMPTS", 1)
    run = take(facility, proposal)
    lifecycle.perform_due()
    assert (jobs("done"), jobs("held")) == (1, 0)
    assert of(run).why_none == f"The files could not be looked into: {problem}."
    assert not contents.is_current(run.data_groups.get()), "it is tried again with the next copy"


def test_trouble_that_passes_is_tried_again(
    facility: Facility, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def look(self, *_: object, **__: object) -> None:
            raise Transient("it is away")

    monkeypatch.setattr(worker, "viewer_for", lambda name: Away())
    take(facility, proposal)
    lifecycle.perform_due()
    job = Job.objects.get(name="runs.look")
    assert (job.state, job.reason) == ("waiting", "it is away")


def test_a_run_made_by_mistake_can_still_be_deleted(facility: Facility, proposal: Proposal) -> None:
    run = take(facility, proposal)
    lifecycle.perform_due()
    deleting.delete_run(run, by=facility.daq)
    assert set(Artifact.objects.values_list("run", flat=True)) == {None}
    assert Contents.objects.get().group.run is None


def test_a_group_that_was_deleted_meanwhile_is_left_alone(
    facility: Facility, proposal: Proposal
) -> None:
    run = take(facility, proposal)
    waiting = Job.objects.get(name="runs.look")
    deleting.delete_group(run.data_groups.get(), by=facility.daq)
    waiting.refresh_from_db()
    assert waiting.state == "cancelled"
    lifecycle.perform_due()
    assert not Contents.objects.exists()


def test_looking_again_is_asked_by_those_who_may(facility: Facility, proposal: Proposal) -> None:
    run = take(facility, proposal, closed=False)
    with pytest.raises(Refused, match="still open"):
        looking.look_again(run, by=facility.staff)
    empty = facility.run(proposal, files=0)
    with pytest.raises(Refused, match="No store holds a copy"):
        looking.look_again(empty, by=facility.staff)
    with pytest.raises(Refused, match="is for"):
        looking.look_again(empty, by=facility.daq)
