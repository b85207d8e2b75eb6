"""Data groups, where they are, and lists of their files over the legacy API."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import jobs, lifecycle
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.models import Entry, Job, Store
from proposals.models import Proposal
from runs.models import DataGroup, Replica, Run
from tests.catalogue.faces.mymdc.facts import file_of, group_of, made, register
from tests.factories import BEGIN, Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db
NOW = BEGIN + timedelta(hours=1)
TAKEN = ["has already been taken"]
FILES = "[{'filename':'s0000.h5','sequence':11,'relative_path':'r0001/'}]"


@pytest.fixture
def legacy(facility: Facility) -> Legacy:
    return Legacy(facility)


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    return facility.proposal(state="A")


def test_the_life_of_a_data_group(legacy: Legacy, facility: Facility, proposal: Proposal) -> None:
    run, group = register(legacy, facility, proposal)
    assert group["name"] == "raw_e0001_n0001"
    assert group["doi"] == f"xfel.mdc.dg.{group['id']}"
    again = made(legacy.post("data_groups/", {"data_group": group_of(legacy, run)}))
    assert DataGroup.objects.get(pk=again["id"]).edition == 2
    found = legacy.get(f"data_groups/?experiment_id={run['experiment_id']}&name=raw_e0001_n0001")
    assert [row["id"] for row in found.json()] == [group["id"]]
    changed = legacy.put(
        f"data_groups/{group['id']}",
        {"language": "pt", "flg_writing": "true", "removed_at": "07-05-2020 18:09:44",
         "creator_id": 5, "data_group_type_id": str(group["data_group_type_id"])},
    ).json()  # fmt: skip
    assert (changed["language"], changed["flg_writing"]) == ("pt", True)
    assert changed["removed_at"] == "2020-05-07T18:09:44.000+02:00"
    assert legacy.delete(f"data_groups/{again['id']}").status_code == 204
    assert legacy.get(f"data_groups/{again['id']}").status_code == 404


def test_what_is_wrong_with_a_data_group(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    run, group = register(legacy, facility, proposal)
    sent = group_of(legacy, run)
    blank = legacy.post("data_groups/", {"data_group": {**sent, "prefix_path": None}})
    assert blank.json()["info"] == {
        "prefix_path": ["can't be blank", "is too short (minimum is 2 characters)"]
    }
    fixed = legacy.put(f"data_groups/{group['id']}", {"prefix_path": "bla_bla", "name": "new",
                                                      "data_group_type_id": 2})  # fmt: skip
    why = ["cannot be updated"]
    assert str(fixed.json()["info"]) == str(
        {"name": why, "data_group_type_id": why, "prefix_path": why}
    )
    long = legacy.put(f"data_groups/{group['id']}", {"data_group": {"name": "n" * 61}})
    assert long.json()["info"] == {"name": [*why, "is too long (maximum is 60 characters)"]}
    nobody = legacy.post("data_groups/", {"data_group": {**sent, "user_id": -666}})
    assert nobody.json()["info"] == {"user": ["must exist"]}
    other, _ = register(legacy, facility, facility.proposal(kind="test", state="A"))
    foreign = {**sent, "runs_data_groups_attributes": [{"run_id": other["id"]}]}
    assert legacy.post("data_groups/", {"data_group": foreign}).status_code == 422
    both = [{"run_id": run["id"]}, {"run_id": other["id"]}]
    two = legacy.post("data_groups", {"data_group": {**sent, "runs_data_groups_attributes": both}})
    assert list(two.json()["info"]) == ["runs_data_groups_attributes"]


def test_a_group_may_be_there_before_its_run(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    """A copy that is reported of a group without a run is read once it has one."""
    run, _ = register(legacy, facility, proposal)
    loose = group_of(legacy, run, runs_data_groups_attributes=None)
    group = made(legacy.post("data_groups", {"data_group": loose}))
    made(legacy.post("dataset_files", {"dataset_file": file_of(group, "a.h5")}))
    offline = facility.stores["offline"].pk
    row = {"data_group_id": group["id"], "repository_id": offline, "flg_available": "true"}
    made(legacy.post("data_groups_repositories", {"data_group_repository": row}))
    assert not Job.objects.filter(name="runs.verify_replica").exists()
    joined = {"runs_data_groups_attributes": [{"run_id": run["id"]}]}
    shown = legacy.put(f"data_groups/{group['id']}", joined).json()
    assert shown["runs_data_groups_attributes"] == [{"run_id": run["id"]}]
    assert Job.objects.get(name="runs.verify_replica").state == "waiting"
    there = Run.objects.get(pk=run["id"])
    assert (there.file_count, there.bytes) == (1, 1000)


# ---------------------------------------------------------------- where data lie


def report(legacy: Legacy, group: dict, store: Store, there: object) -> dict:
    """As `set_from_dict` of the client does it."""
    pair = f"data_group_id={group['id']}&repository_id={store.pk}"
    row = {"data_group_id": str(group["id"]), "repository_id": store.pk, "flg_available": there}
    found = legacy.get(f"data_groups_repositories/?{pair}").json()
    body = {"data_group_repository": row}
    if found:
        answer = legacy.put(f"data_groups_repositories/{found[0]['id']}", body)
        assert answer.status_code == 200, answer.content
        return answer.json()
    return made(legacy.post("data_groups_repositories/", body))


def test_a_copy_that_is_reported_counts_once_it_was_read_back(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    """A store of ours and one of an external transfer agent: each is read by our worker."""
    with time_machine.travel(NOW, tick=False):
        run = facility.run(proposal)
        group = {"id": run.data_groups.get().pk}
        Store.objects.filter(identifier="mass_storage").update(agent=Store.EXTERNAL)
        for name in ("offline", "mass_storage"):
            store = Store.objects.get(identifier=name)
            folder = facility.raw_folder(run, name)
            folder.mkdir(parents=True)
            for file in facility.raw_folder(run).iterdir():
                (folder / file.name).write_bytes(file.read_bytes())
            row = report(legacy, group, store, "true")
            replica = Replica.objects.get(pk=row["id"])
            assert (row["flg_available"], replica.state) == (True, "copied")
            lifecycle.perform_due()
            replica.refresh_from_db()
            assert replica.state == "verified", Job.objects.filter(state="held")


def test_what_is_reported_gone_keeps_its_row(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    _, group = register(legacy, facility, proposal)
    store = facility.stores["offline"]
    first = report(legacy, group, store, "true")
    again = legacy.post("data_groups_repositories", {"data_group_repository": {
        "data_group_id": group["id"], "repository_id": store.pk}})  # fmt: skip
    assert again.json()["info"] == {"data_group_id": TAKEN, "repository_id": TAKEN}
    gone = report(legacy, group, store, "false")
    assert (gone["id"], gone["flg_available"]) == (first["id"], False)
    back = report(legacy, group, store, 1)
    assert (back["id"], back["flg_available"]) == (first["id"], True)
    told = Entry.objects.filter(subject_type="runs.replica", subject_id=first["id"])
    assert [e.move for e in told.order_by("id")] == ["report_copied", "report_lost",
                                                     "report_copied"]  # fmt: skip
    never = report(legacy, group, facility.stores["mass_storage"], "false")
    assert never["flg_available"] is False
    assert legacy.delete(f"data_groups_repositories/{first['id']}").status_code == 204


def test_the_last_verified_copy_that_is_lost_is_an_alarm(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    with time_machine.travel(NOW, tick=False):
        run = facility.run(proposal)
        group = {"id": run.data_groups.get().pk}
        online = facility.stores["online"]
        replica = Replica.objects.get(store=online)
        enqueue([Wanted("runs.verify_replica", replica)], by=WORKER)
        lifecycle.perform_due()
        replica.refresh_from_db()
        assert replica.state == "verified"
        row = report(legacy, group, online, "false")
        assert row["flg_available"] is False
        alarm = Job.objects.get(name="runs.last_copy")
        assert (alarm.state, alarm.who) == ("held", "data manager")
        assert "last verified copy" in alarm.reason
        report(legacy, group, online, "true")
        report(legacy, group, online, "false")
        assert Job.objects.filter(name="runs.last_copy").count() == 1
        report(legacy, group, online, "true")
        lifecycle.perform_due()
        lifecycle.retry(alarm, by=facility.staff)
        lifecycle.perform_due()
        alarm.refresh_from_db()
        assert alarm.state == "done", "there is one again"


# ---------------------------------------------------------------- lists of files


def test_lists_of_files_are_kept_as_they_came(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    run, group = register(legacy, facility, proposal)
    sent = {"data_group_id": str(group["id"]), "files": FILES}
    row = made(legacy.post("data_files/", {"data_file": sent}))
    assert (row["files"], row["data_group_id"]) == (FILES, group["id"])
    short = legacy.post("data_files/", {"data_file": {**sent, "files": "1"}})
    assert short.json()["info"] == {"files": ["is too short (minimum is 40 characters)"]}
    blank = legacy.post("data_files/", {"data_file": {**sent, "files": None}})
    assert blank.json()["info"] == {
        "files": ["can't be blank", "is too short (minimum is 40 characters)"]
    }
    query = f"run_number={run['run_number']}&proposal_number={proposal.number}"
    assert legacy.get(f"data_files/search_data_files?{query}").json() == [row]
    assert legacy.get("data_files/search_data_files?run_number=1").status_code == 404
    changed = legacy.put(f"data_files/{row['id']}", {"files": FILES.upper()}).json()
    assert changed["files"] == FILES.upper()
    assert legacy.delete(f"data_files/{row['id']}").status_code == 204


# ---------------------------------------------------------------- deleting


def test_a_run_is_deleted_before_its_data(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    """As the client does it: the run, then its group, which stays with the run type meanwhile."""
    run, group = register(legacy, facility, proposal)
    made(legacy.post("dataset_files", {"dataset_file": file_of(group, "a.h5")}))
    report(legacy, group, facility.stores["offline"], "true")
    legacy.put(f"runs/{run['id']}", {"flg_status": 2})
    waiting = Job.objects.filter(state="waiting")
    assert waiting.exists()
    assert legacy.delete(f"runs/{run['id']}").status_code == 204
    assert not waiting.exists()
    row = DataGroup.objects.get(pk=group["id"])
    assert (row.run_id, row.experiment_id) == (None, run["experiment_id"])
    assert legacy.get(f"data_groups/{group['id']}").status_code == 200
    assert legacy.delete(f"data_groups/{group['id']}").status_code == 204
    assert not Replica.objects.exists()
    told = Entry.objects.filter(move="delete").order_by("id")
    assert [e.subject_type for e in told] == ["runs.run", "runs.datagroup"]


def test_what_has_served_is_not_deleted(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    with time_machine.travel(NOW, tick=False):
        run, group = register(legacy, facility, proposal)
        legacy.put(f"runs/{run['id']}", {"flg_run_quality": 1})
        for path in (f"runs/{run['id']}", f"data_groups/{group['id']}"):
            refused = legacy.delete(path)
            assert (refused.status_code, "Good" in refused.json()["info"]) == (422, True)
        legacy.put(f"runs/{run['id']}", {"flg_run_quality": -1})
        assert "marked before" in legacy.delete(f"runs/{run['id']}").json()["info"]
        other = facility.run(proposal)
        lifecycle.perform_due()
        kept = other.data_groups.get()
        replica = kept.replicas.get()
        (job,) = enqueue([Wanted("runs.verify_replica", replica)], by=WORKER)
        assert jobs.claim(job.pk) is not None
        busy = legacy.delete(f"runs/{other.pk}").json()["info"]
        assert "is being done just now" in busy
        Job.objects.filter(pk=job.pk).update(lease_until=NOW - timedelta(hours=1))
        jobs.lapse_expired(NOW)
        lifecycle.perform_due()
        for path in (f"runs/{other.pk}", f"data_groups/{kept.pk}",
                     f"data_groups_repositories/{replica.pk}"):  # fmt: skip
            assert "is verified" in legacy.delete(path).json()["info"]
        file = kept.files.first()
        assert file is not None
        assert "is verified" in legacy.delete(f"dataset_files/{file.pk}").json()["info"]
        changed = legacy.put(f"dataset_files/{file.pk}", {"checksum": "00000000"})
        assert (changed.status_code, "is verified" in changed.json()["info"]) == (422, True)
    assert Run.objects.count() == 2
