"""A run from its registration to the removal of what is no longer needed online."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import jobs, lifecycle
from catalogue.ground.models import Entry, Job
from catalogue.ports.movers import PosixMover
from runs import commands
from runs.models import Replica
from tests.factories import BEGIN, Facility

NOW = BEGIN + timedelta(hours=1)


def states(run) -> dict[str, str]:
    """Store -> state of the raw replica there."""
    return {
        r.store.identifier: r.state
        for r in Replica.objects.filter(data_group__run=run, data_group__kind="RAW")
    }


def test_a_good_run_is_copied_archived_and_leaves_online_storage(facility: Facility) -> None:
    facility.policy()
    with time_machine.travel(NOW, tick=False) as clock:
        proposal = facility.proposal(state="A", calibrates_by_itself=False)
        run = facility.run(proposal)
        commands.assess(run, quality="good", by=facility.staff)
        lifecycle.perform_due()
        assert states(run) == {
            "online": "scheduled",
            "offline": "verified",
            "mass_storage": "verified",
        }
        for store in ("offline", "mass_storage"):
            assert len(list(facility.raw_folder(run, store).iterdir())) == 3
        clock.shift(timedelta(days=7, minutes=1))
        lifecycle.perform_due()
        assert states(run)["online"] == "trashed"
        assert not facility.raw_folder(run).exists()
        clock.shift(timedelta(days=7, minutes=1))
        lifecycle.perform_due()
    assert states(run)["online"] == "removed"
    assert Job.objects.exclude(state="done").count() == 0


def test_a_run_without_interest_goes_after_its_grace_unless_marked_anew(facility: Facility) -> None:
    facility.policy()
    with time_machine.travel(NOW, tick=False) as clock:
        proposal = facility.proposal(state="A")
        run = facility.run(proposal)
        commands.assess(run, quality="not_interesting", by=facility.staff)
        lifecycle.perform_due()
        assert states(run) == {"online": "scheduled"}
        clock.shift(timedelta(days=6))
        lifecycle.perform_due()
        assert states(run) == {"online": "scheduled"}
        commands.assess(run, quality="unclear", by=facility.staff)
        lifecycle.perform_due()
        clock.shift(timedelta(days=2))
        lifecycle.perform_due()
        assert states(run)["offline"] == "verified"
        assert states(run)["online"] == "scheduled", "safe elsewhere, with a new notice"
        assert facility.raw_folder(run).exists()
    story = Entry.objects.filter(run=run.number).order_by("id")
    assert [e.after for e in story if e.move == "assess"] == ["not_interesting", "unclear"]
    assert [e.reason for e in story if e.move == "keep"] == ["The run was marked anew."]


def test_a_mark_on_an_open_run_takes_effect_at_its_close(facility: Facility) -> None:
    facility.policy()
    with time_machine.travel(NOW, tick=False):
        run = facility.run(facility.proposal(state="A"), closed=False)
        commands.assess(run, quality="good", by=facility.staff)
        lifecycle.perform_due()
        assert states(run) == {"online": "copied"}, "nothing is copied from an open run"
        commands.close(run, end_at=NOW, by=facility.daq)
        lifecycle.perform_due()
        assert states(run)["offline"] == "verified"


def test_a_flipped_byte_holds_the_copy_and_names_the_file(facility: Facility) -> None:
    with time_machine.travel(NOW, tick=False):
        run = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
        victim = sorted(facility.raw_folder(run).iterdir())[1]
        whole = victim.read_bytes()
        victim.chmod(0o640)
        victim.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        commands.assess(run, quality="good", by=facility.staff)
        lifecycle.perform_due()
        job = Job.objects.get(name="runs.migrate")
        assert job.state == "held"
        assert victim.name in job.reason
        assert len(job.evidence["expected"]) == len(job.evidence["found"]) == 64
        assert job.evidence["expected"] != job.evidence["found"]
        assert states(run)["offline"] == "copying"
        assert not list(facility.raw_folder(run, "offline").glob(f"*{victim.name}*"))
        victim.write_bytes(whole)
        lifecycle.retry(job, by=facility.staff, reason="the byte was put back")
        lifecycle.perform_due()
        assert states(run)["offline"] == "verified"
    told = Entry.objects.filter(subject_type="ground.job", subject_id=job.pk).order_by("id")
    assert [e.move for e in told] == ["hold", "retry", "finish"]


@pytest.mark.parametrize("mark", ["good", "unclear", "not_interesting"])
def test_what_is_foretold_is_what_happens(facility: Facility, mark: str) -> None:
    facility.policy()
    with time_machine.travel(NOW, tick=False):
        run = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
        foretold = lifecycle.explain(
            run.assess, run, facility.staff, mark=mark, at=NOW, name="somebody"
        )
        texts = [a.text for a in foretold]
        commands.assess(run, quality=mark, by=facility.staff)
        names = set(Job.objects.filter(state="waiting").values_list("name", flat=True))
        assert ("runs.migrate" in names) == any("is copied to offline" in t for t in texts)
        lifecycle.perform_due()
        dates = {a.when for a in foretold if "removed from online" in a.text}
        removed = set(Replica.objects.filter(state="scheduled").values_list("remove_at", flat=True))
        if mark == "not_interesting":
            assert dates == removed != set()


def test_a_running_copy_is_taken_back_whole(
    facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark changes to Not interesting while the copy runs."""
    with time_machine.travel(NOW, tick=False):
        run = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
        commands.assess(run, quality="good", by=facility.staff)
        real = PosixMover.copy

        def changes_his_mind(mover, source, destination, entries, **more):
            receipt = real(mover, source, destination, entries[:2])
            assert receipt.files == 2
            commands.assess(run, quality="not_interesting", by=facility.staff)
            assert not jobs.extend(lease := holder()), lease
            return real(mover, source, destination, entries, cancelled=lambda: True)

        def holder():
            job = Job.objects.get(name="runs.migrate")
            return jobs.Lease(job.pk, job.claim)

        monkeypatch.setattr(PosixMover, "copy", changes_his_mind)
        lifecycle.perform_due()
        monkeypatch.undo()
        assert Job.objects.get(name="runs.migrate").state == "cancelled"
        assert states(run)["offline"] == "expected"
        target = facility.raw_folder(run, "offline")
        assert not target.exists() or not list(target.iterdir())
        assert facility.raw_folder(run).exists()
        commands.assess(run, quality="good", by=facility.staff)
        lifecycle.perform_due()
        assert states(run)["offline"] == "verified", "and it can be copied again"
