"""Runs over the legacy API: envelope and messages, and that they behave as any other run."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue.ground import lifecycle
from catalogue.ground.models import Entry, Job, Technique
from proposals.models import Proposal
from runs import commands
from runs.models import Replica, Run
from tests.catalogue.faces.mymdc.facts import file_of, group_of, made, register, run_of
from tests.factories import BEGIN, Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db
NOW = BEGIN + timedelta(hours=1)
GONE = {"info": "Resource not found!"}


@pytest.fixture
def legacy(facility: Facility) -> Legacy:
    return Legacy(facility)


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    return facility.proposal(state="A")


def of(run: dict[str, object]) -> Run:
    return Run.objects.get(pk=run["id"])


def test_the_life_of_a_run(legacy: Legacy, facility: Facility, proposal: Proposal) -> None:
    run = made(legacy.post("runs/", {"run": run_of(facility, proposal)}))
    assert run["run_folder"] == "r0007"
    assert run["begin_at"] == "2026-11-20T09:00:00.000+01:00"
    assert (run["flg_status"], run["flg_run_quality"], run["num_files"]) == (1, -1, 0)
    assert (run["sample_id"], run["end_at"], run["last_train"]) == (None, None, None)
    assert (run["flg_cal_data_status"], run["techniques"]) == ("NA", [])
    proposal.refresh_from_db()
    assert proposal.last_run_number == 7
    assert legacy.get(f"runs/{run['id']}").json() == run
    found = legacy.get(f"runs/?run_number=7&experiment_id={run['experiment_id']}")
    assert [row["id"] for row in found.json()] == [run["id"]]
    ended = legacy.put(
        f"runs/{run['id']}",
        {"end_at": "2026-11-20T09:05:00+01:00", "last_train": 2000, "flg_status": 2,
         "run_id": run["id"], "experiment_id": run["experiment_id"]},
    ).json()  # fmt: skip
    assert (ended["flg_status"], ended["last_train"]) == (2, 2000)
    assert (of(run).status, of(run).last_train) == ("closed", 2000)
    assert legacy.delete(f"runs/{run['id']}").status_code == 204
    assert legacy.get(f"runs/{run['id']}").json() == GONE


def test_what_is_taken(legacy: Legacy, facility: Facility, proposal: Proposal) -> None:
    sent = run_of(facility, proposal)
    made(legacy.post("runs/", {"run": sent}))
    again = legacy.post("runs/", {"run": sent})
    assert (again.status_code, again.json()["info"]) == (
        422,
        {
            "experiment_id": ["has already been taken"],
            "run_number": ["must be unique per proposal", "has already been taken"],
        },
    )
    other = facility.experiment(proposal, "Powder")
    elsewhere = legacy.post("runs/", {"run": {**sent, "experiment_id": other.pk}})
    assert elsewhere.json()["info"] == {"run_number": ["must be unique per proposal"]}


def test_what_is_wrong_is_told_at_once(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    blank = legacy.post("runs/", {"run": run_of(facility, proposal, first_train=None)})
    assert blank.json()["info"] == {"first_train": ["can't be blank", "is not a number"]}
    run = made(legacy.post("runs/", {"run": run_of(facility, proposal)}))
    wrong = legacy.put(f"runs/{run['id']}", {"run_number": 1234, "last_train": -1, "end_at": ""})
    assert wrong.json()["info"] == {
        "run_number": ["cannot be updated"],
        "run_folder": ["cannot be updated"],
        "last_train": ["must be greater than or equal to 1000"],
    }
    text = legacy.put(f"runs/{run['id']}", {"run": {"run_number": "twelve"}})
    assert text.json()["info"] == {"run_number": ["cannot be updated", "is not a number"]}
    backwards = legacy.put(f"runs/{run['id']}", {"end_at": "2026-11-19T09:00:00+01:00"})
    assert backwards.json()["info"] == {"end_at": ["must not be before begin_at"]}
    missing = legacy.post("runs/", {"run": run_of(facility, proposal, 8, experiment_id=-666)})
    assert missing.json()["info"] == {"experiment": ["must exist"]}
    for number in (0, 10_000):
        asked = legacy.post("runs/", {"run": run_of(facility, proposal, number)})
        assert list(asked.json()["info"]) == ["run_number"]
    assert Run.objects.count() == 1


def test_techniques_are_told_in_the_order_in_which_they_were_named(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    first, second, third = (
        Technique.objects.create(identifier=f"PaNET{n}", name=f"Technique {n}") for n in (3, 2, 1)
    )
    named = [{"technique_id": second.pk}, {"technique_id": first.pk}]
    sent = run_of(facility, proposal, runs_techniques_attributes=named)
    run = made(legacy.post("runs/", {"run": sent}))
    assert [t["id"] for t in run["techniques"]] == [second.pk, first.pk]
    link = run["techniques"][0]["runs_techniques_id"]
    changes = [{"id": link, "_destroy": 1}, {"technique_id": third.pk}, {"technique_id": first.pk}]
    changed = legacy.put(f"runs/{run['id']}", {"runs_techniques_attributes": changes}).json()
    assert [t["id"] for t in changed["techniques"]] == [first.pk, third.pk]
    for empty in ("", None, []):
        same = legacy.put(f"runs/{run['id']}", {"runs_techniques_attributes": empty}).json()
        assert same["techniques"] == changed["techniques"]
    for wrong in ([{"technique_id": -666}], [{"id": link, "_destroy": 1}], "x", [1]):
        refused = legacy.put(f"runs/{run['id']}", {"runs_techniques_attributes": wrong})
        assert refused.status_code == 422


def stores_of(run: Run) -> dict[str, str]:
    rows = Replica.objects.filter(data_group__run=run)
    return {row.store.identifier: row.state for row in rows.select_related("store")}


def story(run: Run, *kinds: str) -> list[tuple[str, str, str]]:
    """What the journal tells of a run and its copies, without who told it."""
    told = Entry.objects.filter(proposal=run.proposal.number, run=run.number).order_by("id")
    kinds = kinds or ("runs.run", "runs.replica")
    return [(e.subject_type, e.move, e.after) for e in told if e.subject_type in kinds]


def test_a_run_of_the_legacy_api_behaves_like_one_of_the_native_api(
    legacy: Legacy, facility: Facility
) -> None:
    """Registered, filled, closed and marked through either face: the same journal, the same jobs,
    the same copies in real stores."""
    facility.policy()
    with time_machine.travel(NOW, tick=False):
        native = facility.run(facility.proposal(state="A", calibrates_by_itself=False))
        commands.assess(native, quality="good", by=facility.staff)
        lifecycle.perform_due()

        proposal = facility.proposal(state="N", kind="commissioning", calibrates_by_itself=False)
        facility.take(proposal, "A", prepared=False)
        run, group = register(legacy, facility, proposal)
        rows = facility.write(of(run))
        listed = "".join(f"{row['name']} {row['bytes']};" for row in rows)
        made(legacy.post("data_files/", {"data_file": {"data_group_id": group["id"],
                                                        "files": listed}}))  # fmt: skip
        closing = {"end_at": "2026-11-20T09:05:00+01:00", "last_train": 2000, "flg_status": 2}
        assert legacy.put(f"runs/{run['id']}", closing).json()["flg_status"] == 2
        assert legacy.put(f"runs/{run['id']}", {"flg_run_quality": 1}).status_code == 200
        lifecycle.perform_due()

    theirs = of(run)
    assert stores_of(theirs) == stores_of(native)
    assert stores_of(theirs)["offline"] == "verified"
    assert (theirs.file_count, theirs.bytes) == (native.file_count, native.bytes) == (3, 3000)
    assert theirs.checksums_are_ours, "found by the scan at its close"
    named = {job.name for job in Job.objects.filter(proposal=proposal.number)}
    expected = {job.name for job in Job.objects.filter(proposal=native.proposal.number)}
    assert named - expected == {"runs.scan"}
    moves = [told for told in story(theirs, "runs.run") if told[1] != "register files"]
    assert moves == [told for told in story(native, "runs.run") if told[1] != "register files"]
    shown = legacy.get(f"runs/{run['id']}").json()
    assert (shown["num_files"], shown["size"], shown["flg_run_quality"]) == (3, 3000, 1)
    assert shown["migration_end_at"] is not None
    assert {r["identifier"] for r in shown["raw_repositories"]} == set(stores_of(theirs))


def test_the_flags_of_a_mark(legacy: Legacy, facility: Facility, proposal: Proposal) -> None:
    run, _ = register(legacy, facility, proposal, flg_run_quality=2)
    assert of(run).quality == "unclear"
    for flag, quality in ((1, "good"), ("0", "not_interesting"), (2, "unclear"), (-1, "")):
        shown = legacy.put(f"runs/{run['id']}", {"flg_run_quality": flag}).json()
        assert (shown["flg_run_quality"], of(run).quality) == (int(flag), quality)
    told = Entry.objects.filter(subject_type="runs.run", subject_id=run["id"]).order_by("id")
    assert [e.move for e in told] == ["register", *["assess"] * 4, "adopt_no_mark"]
    refused = legacy.put(f"runs/{run['id']}", {"flg_run_quality": 5})
    assert refused.json()["info"] == {"flg_run_quality": ["is not included in the list"]}


def test_a_proposal_that_marks_by_itself_marks_what_a_daq_registers_without_a_mark(
    legacy: Legacy, facility: Facility
) -> None:
    proposal = facility.proposal(state="A", assesses_by_itself=True)
    run, _ = register(legacy, facility, proposal, flg_run_quality=-1)
    assert of(run).quality == "good"
    assert legacy.get(f"runs/{run['id']}").json()["flg_auto_run_quality"] == 1


def test_the_flags_of_how_a_run_ends(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    run, _ = register(legacy, facility, proposal)
    address = f"runs/{run['id']}"
    assert legacy.put(address, {"flg_status": -1, "end_at": "2026-11-20T09:01:00+01:00"}).json()[
        "flg_status"
    ] == -1  # fmt: skip
    assert of(run).status == "aborted"
    assert legacy.put(address, {"flg_status": 1}).json()["flg_status"] == 1
    assert legacy.put(address, {"flg_status": "2"}).json()["flg_status"] == 2
    told = Entry.objects.filter(subject_type="runs.run", subject_id=run["id"]).order_by("id")
    moves = [(e.move, e.after) for e in told if e.move != "register"]
    assert moves == [("abort", "aborted"), ("adopt_status", "open"), ("close", "closed")]
    closed, _ = register(legacy, facility, proposal, 8, flg_status=2, last_train=1001,
                         end_at="2026-11-20T10:00:00+01:00")  # fmt: skip
    assert of(closed).status == "closed"


def test_a_correction_after_the_close_is_told(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    run, _ = register(legacy, facility, proposal)
    legacy.put(f"runs/{run['id']}", {"flg_status": 2, "end_at": "2026-11-20T09:05:00+01:00"})
    corrected = legacy.put(f"runs/{run['id']}", {"first_train": 9223372036854775802,
                                                 "last_train": "9223372036854775807"})  # fmt: skip
    assert corrected.json()["last_train"] == 9223372036854775807
    same = legacy.put(f"runs/{run['id']}", {"last_train": 9223372036854775807})
    assert same.status_code == 200
    told = Entry.objects.filter(subject_id=run["id"], move="correct").get()
    assert told.facts == {"first_train": 9223372036854775802, "last_train": 9223372036854775807}
    endless = legacy.put(f"runs/{run['id']}", {"end_at": ""})
    assert endless.json()["info"] == {"end_at": ["a run that is closed has an end"]}


def test_what_others_say_of_their_processing_is_kept_beside(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    run, _ = register(legacy, facility, proposal)
    said = {"flg_cal_data_status": "E", "cal_pipeline_reply": "FAILED", "cal_num_requests": 3,
            "cal_last_begin_at": "2026-11-20T10:00:00.000+01:00",
            "migration_end_at": "2026-11-20T11:00:00.000+01:00"}  # fmt: skip
    shown = legacy.put(f"runs/{run['id']}", {"run": said}).json()
    assert {name: shown[name] for name in said} == said
    assert Entry.objects.filter(subject_id=run["id"], move="report processing").count() == 1


def test_runs_of_a_proposal_and_the_groups_of_their_raw_data(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    for number in (12, 3, 7):
        register(legacy, facility, proposal, number)
    listed = legacy.get(f"runs/runs_by_proposal?proposal_number={proposal.number}&page_size=2")
    assert [run["run_number"] for run in listed.json()] == [3, 7]
    assert listed["X-Total-Count"] == "3"
    run = listed.json()[0]
    proc = group_of(legacy, run) | {"data_group_type_id": 3}
    made(legacy.post("data_groups", {"data_group": proc}))
    query = f"run_number=3&proposal_number={proposal.number}"
    raw = legacy.get(f"runs/all_raw_data_groups_ids?{query}").json()
    assert raw == [group["id"] for group in run["data_groups_repositories"]]
    for unknown in ("run_number=4&proposal_number=0", "run_number=x", ""):
        assert legacy.get(f"runs/all_raw_data_groups_ids?{unknown}").json() == GONE
    assert legacy.get("runs/runs_by_proposal?proposal_number=899999").json() == GONE
    refused = legacy.get(f"runs/run_influxdb_parameters?{query}")
    assert (refused.status_code, refused.json()) == (
        422, {"info": "The catalogue keeps no time series of the slow control"},
    )  # fmt: skip


def test_who_may_not_know_of_a_run_does_not_meet_it(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    run, group = register(legacy, facility, proposal)
    file = made(legacy.post("dataset_files/", {"dataset_file": file_of(group, "a.h5")}))
    outsider = Legacy(facility, facility.person(), scopes=("read", "write", "assess"))
    for path in (f"runs/{run['id']}", f"data_groups/{group['id']}", f"dataset_files/{file['id']}",
                 f"runs/runs_by_proposal?proposal_number={proposal.number}"):  # fmt: skip
        assert (outsider.get(path).status_code, outsider.get(path).json()) == (404, GONE)
    for path in ("runs", "data_groups", "dataset_files", "data_groups_repositories"):
        assert outsider.get(path).content == b"[]"
    assert outsider.put(f"runs/{run['id']}", {"flg_run_quality": 1}).status_code == 404
    member = Legacy(facility, facility.leader, scopes=("read",))
    assert member.get(f"runs/{run['id']}").status_code == 200
    assert member.put(f"runs/{run['id']}", {"flg_run_quality": 1}).status_code == 403
    assert member.put(f"runs/{run['id']}", {"first_train": 1}).status_code == 403
    assert member.delete(f"runs/{run['id']}").status_code == 403


def test_a_run_is_shown_with_few_queries_however_much_hangs_on_it(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    run, group = register(legacy, facility, proposal)
    legacy.get("me")  # when the program was used last is noted once a minute
    for n in range(3):
        made(legacy.post("dataset_files", {"dataset_file": file_of(group, f"{n}.h5")}))
        another = group_of(legacy, run) | {"data_group_type_id": n + 2}
        made(legacy.post("data_groups", {"data_group": another}))
    report = {"name": "x.pdf", "cal_report_path": "/usr", "run_id": run["id"],
              "cal_report_at": "2026-11-20"}  # fmt: skip
    made(legacy.post("reports", {"report": report}))
    with CaptureQueriesContext(connection) as seen:
        legacy.get(f"runs/{run['id']}")
    assert len(seen) <= 9, [query["sql"][:120] for query in seen]
    with CaptureQueriesContext(connection) as one:
        assert len(legacy.get("runs/?page_size=1").json()) == 1
    few = len(one)
    for number in range(20, 25):
        register(legacy, facility, proposal, number)
    with CaptureQueriesContext(connection) as many:
        assert len(legacy.get("runs/").json()) == 6
    assert len(many) == few
