"""Files over the legacy API, one by one and in bulk, with a checksum of eight digits."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from catalogue.ground import lifecycle
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.models import Entry, Job
from runs import commands
from runs.models import DataGroup, File, Replica, Run
from tests.catalogue.faces.mymdc.facts import file_of, made, register
from tests.factories import BEGIN, Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db
NOW = BEGIN + timedelta(hours=1)
LENGTH = "is the wrong length (should be 8 characters)"
NAME = "RAW-R0007-DA01-S00000.h5"


@pytest.fixture
def legacy(facility: Facility) -> Legacy:
    return Legacy(facility)


@pytest.fixture
def registered(legacy: Legacy, facility: Facility) -> tuple[dict[str, Any], dict[str, Any]]:
    return register(legacy, facility, facility.proposal(state="A"))


def counts_are_right() -> None:
    """The files and bytes that runs and groups claim are those that are registered."""
    for group in DataGroup.objects.all():
        files = group.files.aggregate(size=Sum("bytes"))
        assert (group.file_count, group.bytes) == (group.files.count(), files["size"] or 0)
    for run in Run.objects.all():
        files = File.objects.filter(data_group__run=run)
        size = files.aggregate(size=Sum("bytes"))["size"] or 0
        assert (run.file_count, run.bytes) == (files.count(), size)


def test_the_life_of_a_file(legacy: Legacy, registered: Any) -> None:
    run, group = registered
    sent = file_of(group, NAME, byte_size=9876543210, checksum="0A1B2C3D")
    row = made(legacy.post("dataset_files/", {"dataset_file": sent}))
    assert row == {"id": row["id"], **sent, "checksum": "0a1b2c3d",
                   "file_creation_at": "2026-11-20T09:00:01.000+01:00"}  # fmt: skip
    counts_are_right()
    assert Replica.objects.get().store.identifier == "online", "where its DAQ writes"
    taken = legacy.post("dataset_files/", {"dataset_file": sent})
    assert taken.json()["info"] == {"filename": ["has already been taken"]}
    found = legacy.get(f"dataset_files/?data_group_id={group['id']}&data_group_type_id=1").json()
    assert found == [row]
    assert legacy.get("dataset_files/?data_group_type_id=3").content == b"[]"
    changed = legacy.put(
        f"dataset_files/{row['id']}",
        {"byte_size": 5, "checksum": "ffffffff", "flg_immutable": 1, "data_group_type_id": 3},
    ).json()
    assert (changed["byte_size"], changed["data_group_type_id"]) == (5, 3)
    counts_are_right()
    assert Replica.objects.get().bytes == 5
    query = f"run_number={run['run_number']}&proposal_number=900100"
    assert legacy.get(f"dataset_files/search_dataset_files?{query}").json() == [changed]
    assert legacy.delete(f"dataset_files/{row['id']}").status_code == 204
    counts_are_right()
    assert Run.objects.get(pk=run["id"]).file_count == 0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"checksum": ""}, {"checksum": ["can't be blank", LENGTH, "Invalid checksum"]}),
        ({"checksum": "0a1b2c3"}, {"checksum": [LENGTH, "Invalid checksum"]}),
        ({"checksum": "0a1b2c3x"}, {"checksum": ["Invalid checksum"]}),
        ({"format": "zip"}, {"format": ["is not included in the list"]}),
        ({"byte_size": "many"}, {"byte_size": ["is not a number"]}),
        ({"byte_size": -1}, {"byte_size": ["must be greater than or equal to 0"]}),
        ({"data_group_id": -666}, {"data_group": ["must exist"]}),
        ({"format": "   "}, {"format": ["is not included in the list"]}),
        ({"filename": None}, {"filename": ["can't be blank"]}),
        ({"filename": "../a.h5"}, {"filename": ["must not contain '/' or '\\'"]}),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file(
    legacy: Legacy, registered: Any, wrong: dict[str, Any], told: dict[str, Any]
) -> None:
    sent = {**file_of(registered[1], NAME), **wrong}
    one = legacy.post("dataset_files/", {"dataset_file": sent})
    assert (one.status_code, one.json()["info"]) == (422, told)
    fine = file_of(registered[1], "fine.h5")
    many = legacy.post("dataset_files/bulk_create", {"dataset_files": [fine, sent]})
    named = {f"dataset_files[1].{name}": why for name, why in told.items()}
    assert (many.status_code, many.json()["info"]) == (422, named)
    assert not File.objects.exists()


def test_totals_stay_within_what_is_kept(legacy: Legacy, registered: Any) -> None:
    biggest = 2**63 - 1
    huge = file_of(registered[1], "huge.h5", byte_size=biggest)
    row = made(legacy.post("dataset_files", {"dataset_file": huge}))
    small = file_of(registered[1], "small.h5", byte_size=1)
    refused = legacy.post("dataset_files", {"dataset_file": small})
    assert (refused.status_code, list(refused.json()["info"])) == (422, ["byte_size"])
    both = {"dataset_files": [{**huge, "filename": f"{n}.h5"} for n in range(2)]}
    assert legacy.post("dataset_files/bulk_create", both).status_code == 422
    legacy.put(f"dataset_files/{row['id']}", {"byte_size": 5})
    made(legacy.post("dataset_files", {"dataset_file": small}))
    grown = legacy.put(f"dataset_files/{row['id']}", {"byte_size": biggest})
    assert list(grown.json()["info"]) == ["byte_size"]
    counts_are_right()


def test_files_in_bulk(legacy: Legacy, registered: Any) -> None:
    _, group = registered
    records = [file_of(group, f"{n:04d}.h5", byte_size=n) for n in range(1, 41)]
    body = {"dataset_files": records}
    rows = made(legacy.post("dataset_files/bulk_create", body))
    assert [row["filename"] for row in rows] == [record["filename"] for record in records]
    assert legacy.get(f"dataset_files/{rows[7]['id']}").json() == rows[7]
    counts_are_right()
    assert made(legacy.post("dataset_files/bulk_create", body)) == rows, "sent again after a crash"
    other = {"dataset_files": [*records[:2], {**records[3], "checksum": "00000000"}]}
    conflict = legacy.post("dataset_files/bulk_create", other)
    assert conflict.json()["info"] == {"dataset_files[2].filename": ["has already been taken"]}
    assert File.objects.count() == 40
    told = Entry.objects.filter(move="register files").get()
    assert told.facts == {"kind": "RAW", "files": 40, "bytes": 820}

    named = [{"id": rows[0]["id"], "byte_size": 100},
             {"data_group_id": group["id"], "filename": "0002.h5", "byte_size": 200}]  # fmt: skip
    updated = made(legacy.post("dataset_files/bulk_update", {"dataset_files": named}))
    assert [row["byte_size"] for row in updated] == [100, 200]
    counts_are_right()
    missing = legacy.post("dataset_files/bulk_update", {"dataset_files": [*named, {"id": -666}]})
    assert missing.status_code == 422

    unknown = {"data_group_id": group["id"], "filename": "none.h5"}
    asked = [{**records[4], "byte_size": 6}, records[5], {**records[6], "checksum": "1"}]
    asked += [unknown, {"id": rows[8]["id"]}]
    same = made(legacy.post("dataset_files/bulk_check", {"dataset_files": asked}))
    assert [row["filename"] for row in same] == ["0006.h5", "0009.h5"]

    gone = made(legacy.post("dataset_files/bulk_delete", {"dataset_files": named}))
    assert len(gone) == 2
    ids = {"ids": [row["id"] for row in rows[2:5]]}
    made(legacy.post("dataset_files/bulk_delete", {"dataset_files": ids}))
    counts_are_right()
    assert File.objects.count() == 35
    nobody = legacy.post("dataset_files/bulk_delete", {"dataset_files": ids})
    assert (nobody.status_code, File.objects.count()) == (404, 35)
    everything = {"data_group_id": group["id"]}
    made(legacy.post("dataset_files/bulk_delete", {"dataset_files": everything}))
    assert not File.objects.exists()
    for wrong in (None, [], {}, {"dataset_files": []}, {"dataset_files": "x"},
                  {"dataset_files": [1]}, {"dataset_files": {"ids": [-666]}}):  # fmt: skip
        for action in ("create", "update", "delete", "check"):
            refused = legacy.post(f"dataset_files/bulk_{action}", wrong)
            assert refused.status_code < 500


def test_files_of_several_groups_at_once(legacy: Legacy, facility: Facility) -> None:
    proposal = facility.proposal(state="A")
    groups = [register(legacy, facility, proposal, number)[1] for number in (1, 2)]
    records = [file_of(group, f"{n}.h5") for n in range(3) for group in groups]
    made(legacy.post("dataset_files/bulk_create", {"dataset_files": records}))
    counts_are_right()
    assert [run.file_count for run in Run.objects.order_by("number")] == [3, 3]


def test_a_thousand_files_take_few_statements(legacy: Legacy, registered: Any) -> None:
    def statements(first: int, count: int) -> int:
        records = [file_of(registered[1], f"{n}.h5") for n in range(first, first + count)]
        with CaptureQueriesContext(connection) as seen:
            made(legacy.post("dataset_files/bulk_create", {"dataset_files": records}))
        return sum("INSERT" not in query["sql"] for query in seen)

    statements(0, 1)
    few = statements(1, 10)
    assert statements(100, 400) <= few + 2


# ---------------------------------------------------------------- checksums


def of_daq(facility: Facility, group: dict[str, Any], run: Run) -> list[dict[str, Any]]:
    """Files in the online store, as a DAQ registers them that knows only adler32."""
    rows = []
    for row in facility.write(run):
        content = (facility.raw_folder(run) / str(row["name"])).read_bytes()
        adler32 = f"{zlib.adler32(content):08x}"
        rows.append(file_of(group, str(row["name"]), checksum=adler32, byte_size=len(content)))
    return rows


@pytest.mark.parametrize("broken", [False, True])
def test_a_file_with_eight_digits_is_compared_and_gets_our_sha256(
    legacy: Legacy, facility: Facility, registered: Any, broken: bool
) -> None:
    with time_machine.travel(NOW, tick=False):
        row, group = registered
        run = Run.objects.get(pk=row["id"])
        records = of_daq(facility, group, run)
        made(legacy.post("dataset_files/bulk_create", {"dataset_files": records}))
        replica = Replica.objects.get()
        victim = facility.raw_folder(run) / str(records[1]["filename"])
        if broken:
            whole = victim.read_bytes()
            victim.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        enqueue([Wanted("runs.verify_replica", replica)], by=WORKER)
        lifecycle.perform_due()
    replica.refresh_from_db()
    run.refresh_from_db()
    known = set(File.objects.values_list("sha256", flat=True))
    if broken:
        job = Job.objects.get(name="runs.verify_replica")
        assert (replica.state, job.state, known) == ("corrupt", "held", {""})
        assert (victim.name in job.reason, "adler32" in job.reason) == (True, True)
        assert not run.checksums_are_ours
    else:
        assert (replica.state, run.checksums_are_ours) == ("verified", True)
        assert {len(sha256) for sha256 in known} == {64}
        assert Entry.objects.get(move="add checksums").facts == {"kind": "RAW", "files": 3}


@pytest.mark.parametrize("broken", [False, True])
def test_a_copy_of_files_with_eight_digits_is_compared_with_them(
    legacy: Legacy, facility: Facility, registered: Any, broken: bool
) -> None:
    """A byte that flipped in the source is noticed before it is copied on."""
    with time_machine.travel(NOW, tick=False):
        row, group = registered
        run = Run.objects.get(pk=row["id"])
        records = of_daq(facility, group, run)
        made(legacy.post("dataset_files/bulk_create", {"dataset_files": records}))
        victim = facility.raw_folder(run) / str(records[2]["filename"])
        if broken:
            whole = victim.read_bytes()
            victim.write_bytes(whole[:-1] + bytes([whole[-1] ^ 128]))
        run.refresh_from_db()
        commands.close(run, end_at=NOW, by=facility.daq)
        commands.assess(run, quality="good", by=facility.staff)
        lifecycle.perform_due()
    job = Job.objects.get(name="runs.migrate")
    offline = Replica.objects.get(store=facility.stores["offline"])
    if broken:
        assert (job.state, offline.state, "adler32" in job.reason) == ("held", "copying", True)
    else:
        assert (job.state, offline.state) == ("done", "verified")
        assert not File.objects.filter(sha256="").exists()
