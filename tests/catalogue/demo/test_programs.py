"""The facility's own programs of the demo: what they do, and what they say through their client."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from catalogue.demo import facility
from catalogue.demo.beamtime import plan
from catalogue.demo.beamtime.daq_program import DaqProgram
from catalogue.demo.beamtime.stage import StepFailedError
from catalogue.demo.layout import Layout
from catalogue.demo.loader import load
from catalogue.demo.programs import connecting, daq
from catalogue.demo.programs.transfer import Transfer, bring
from catalogue.ground import clock, programs
from catalogue.ground.models import Program, Store, User
from catalogue.ports.movers import Entry, Place, mover_for

FOLDER = "SPB/202602/p900060/raw"


class Answer(SimpleNamespace):
    """What the site answers, as `requests` gives it."""

    ok = True
    status_code = 200

    def json(self) -> Any:
        return self.body

    def raise_for_status(self) -> None:
        assert self.ok


def success(data: Any) -> dict[str, Any]:
    return {"success": True, "info": "", "app_info": {}, "data": data}


class Client:
    """The client of a site that has one proposal, and keeps what it is told."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.groups: list[dict[str, Any]] = []
        self.files: list[dict[str, Any]] = []
        self.lists: list[tuple[int, list[dict[str, Any]]]] = []
        self.reported: list[tuple[int, int, str]] = []
        self.registry: set[str] = set()
        self.events: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.oauth_client = SimpleNamespace(session=SimpleNamespace(get=self.feed))

    def feed(self, url: str, *, params: dict[str, Any], timeout: float) -> Answer:
        self.asked.append(params)
        begin = int(params.get("after", 0))
        page = self.events[begin : begin + 2]
        end = begin + len(page)
        told = {"events": page, "next": str(end), "more": end < len(self.events)}
        return Answer(body=told)

    def get_proposal_runs(self, number: int, run: int | None, page: int, size: int) -> Any:
        found = [r for r in self.runs if run in (None, r["run_number"])]
        return success({"proposal": {}, "runs": found[(page - 1) * size : page * size]})

    def get_proposal_info(self, number: int, instruments: None) -> Any:
        return success({"def_proposal_path": f"/gpfs/exfel/exp/{FOLDER}"})

    def register_run_replica(self, proposal: int, run: int, store: str) -> Any:
        self.reported.append((proposal, run, store))
        self.registry.add(store)
        return success([{}])

    def get_all_repositories_by_identifier_api(self, identifier: str) -> Answer:
        return Answer(body=[{"id": 7, "identifier": identifier}])

    def get_run_all_raw_data_groups_ids_api(self, run: int, proposal: int) -> Answer:
        return Answer(body=[40 + run])

    def get_all_by_data_group_id_and_repository_id_api(self, group: int, store: int) -> Answer:
        return Answer(body=[{"id": 1, "flg_available": False}] if self.registry else [])

    # what a DAQ needs

    def get_technique_by_identifier_api(self, identifier: str) -> Answer:
        return Answer(body=[{"id": 5, "identifier": identifier}])

    def get_all_data_group_types(self) -> Any:
        return success([{"id": 2, "identifier": "CAL"}, {"id": 1, "identifier": "RAW"}])

    def get_current_user(self) -> Answer:
        return Answer(body={"id": 9})

    def get_proposal_experiments(self, number: int) -> Any:
        return success([{"id": 3, "name": plan.TEST.type.name}, {"id": 4, "name": "Dark"}])

    def register_run(self, experiment: int, sample: None, run: Any, group: Any) -> Any:
        made = {
            **run, "id": 100 + len(self.runs), "flg_status": daq.OPEN, "sample_id": sample,
            "experiment_id": experiment, "num_files": 0,
        }  # fmt: skip
        self.runs.append(made)
        self.groups.append(group)
        return success({"run_id": str(made["id"])})

    def check_bulk_dataset_file_api(self, rows: list[dict[str, Any]]) -> Answer:
        names = {row["filename"] for row in rows}
        return Answer(body=[file for file in self.files if file["filename"] in names])

    def create_bulk_dataset_file_api(self, rows: list[dict[str, Any]]) -> Answer:
        self.files += rows
        return Answer(body=rows, status_code=201)

    def get_all_data_files_by_data_group_id_api(self, group: int) -> Answer:
        return Answer(body=[{"files": files} for of, files in self.lists if of == group])

    def register_run_data(self, *given: Any) -> Any:
        self.lists.append((given[3], given[5]))
        return success({})

    def close_run(self, *given: Any) -> Any:
        (run,) = [r for r in self.runs if r["id"] == given[2]]
        run |= {**given[4], "flg_status": 2}
        return success({})


@pytest.fixture
def client() -> Client:
    return Client()


# ---------------------------------------------------------------- transfer


@pytest.fixture
def stores(tmp_path: Path) -> Path:
    run = tmp_path / "online" / FOLDER / "r0003"
    run.mkdir(parents=True)
    (run / "RAW-R0003-DA01-S00000.h5").write_bytes(b"one")
    (run / "RAW-R0003-DA01-S00001.h5").write_bytes(b"second")
    return tmp_path


def wanted(**more: Any) -> dict[str, Any]:
    return {
        "run_number": 3, "run_folder": "r0003", "flg_status": 2, "flg_run_quality": 1,
        "num_files": 2, "repositories": {"online": {}}, **more,
    }  # fmt: skip


def event(run: int | None) -> dict[str, Any]:
    return {"subject": {"kind": "run", "proposal": 900060, "run": run}}


def test_what_is_wanted_is_brought_and_reported_once(client: Client, stores: Path) -> None:
    client.runs = [wanted()]
    client.events = [event(None), event(3), event(3)]
    transfer = Transfer(client, "http://site", stores)
    transfer.look()
    assert client.reported == [(900060, 3, "offline")]
    brought = stores / "offline" / FOLDER / "r0003"
    assert (brought / "RAW-R0003-DA01-S00001.h5").read_bytes() == b"second"
    client.runs = [wanted(repositories={"online": {}, "offline": {}})]
    transfer.look()
    assert len(client.reported) == 1
    assert [asked.get("after") for asked in client.asked] == [None, "2", "3"], "nothing is missed"


@pytest.mark.parametrize(
    "less",
    [
        {"flg_status": 1},
        {"flg_run_quality": -1},
        {"flg_run_quality": 0},
        {"num_files": 0},
        {"repositories": {}},
    ],
)
def test_nothing_else_is_touched(client: Client, stores: Path, less: dict[str, Any]) -> None:
    client.runs, client.events = [wanted(**less)], [event(3)]
    Transfer(client, "http://site", stores).look()
    assert client.reported == []
    assert not (stores / "offline").exists()


def test_a_corrupt_copy_is_brought_again_once_its_source_is_another(
    client: Client, stores: Path
) -> None:
    """The registry of copies tells that one was reported, and the run that it does not count."""
    client.runs, client.events = [wanted()], [event(3)]
    transfer = Transfer(client, "http://site", stores)
    transfer.look()
    client.events.append(event(3))
    transfer.look()
    assert len(client.reported) == 1, "the same bytes would be as corrupt as before"
    source = stores / "online" / FOLDER / "r0003" / "RAW-R0003-DA01-S00000.h5"
    source.write_bytes(b"ONE")
    os.utime(source, ns=(0, source.stat().st_mtime_ns + 1))
    transfer.look()
    assert len(client.reported) == 2, "it looked by itself: nobody tells of a repaired file"
    assert (stores / "offline" / FOLDER / "r0003" / source.name).read_bytes() == b"ONE"


def test_what_fails_is_tried_again_and_holds_up_nobody(client: Client, stores: Path) -> None:
    other = wanted(run_number=2, run_folder="r0002")
    client.runs, client.events = [other, wanted()], [event(2), event(3)]
    transfer = Transfer(client, "http://site", stores)
    transfer.look()
    assert client.reported == [(900060, 3, "offline")]
    raw = stores / "online" / FOLDER
    shutil.copytree(raw / "r0003", raw / "r0002")
    transfer.look()
    assert client.reported[1:] == [(900060, 2, "offline")]


def test_a_copy_that_was_cut_off_is_made_again(stores: Path) -> None:
    source, destination = stores / "online" / FOLDER / "r0003", stores / "copy"
    assert bring(source, destination) == 2
    assert bring(source, destination) == 0
    (destination / "RAW-R0003-DA01-S00001.h5").write_bytes(b"secOND")
    assert bring(source, destination) == 1
    assert (destination / "RAW-R0003-DA01-S00001.h5").read_bytes() == b"second"


# ---------------------------------------------------------------- DAQ


def test_a_run_whose_files_are_listed_in_the_daqs_own_words(client: Client, tmp_path: Path) -> None:
    client.runs = [{"id": 6, "run_number": 6, "run_alias": "another"}]
    writes = daq.Daq(client, tmp_path)
    writes.begin(plan.TEST)
    run = writes.close(plan.TEST)
    assert run["run_number"] == 7, "the DAQ counts by itself"
    assert run["runs_techniques_attributes"] == [{"technique_id": 5}]
    assert run["last_train"] == run["first_train"] + 19
    folder = tmp_path / "online" / FOLDER / "r0007"
    assert client.groups == [
        {"data_group_type_id": 1, "creator_id": 9, "prefix_path": f"{folder}/"}
    ]
    assert client.files == []
    ((group, files),) = client.lists
    assert group == 47
    on_disk = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert {file["filename"]: file["size"] for file in files} == on_disk
    assert {file["relative_path"] for file in files} == {"r0007/"}
    assert writes.close(plan.TEST) == run, "closed again, it is the same"
    assert len(client.lists) == 1


def test_a_run_whose_files_are_registered_one_by_one(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daq, "FILE_BY_FILE", (plan.TEST,))
    daq.Daq(client, tmp_path).begin(plan.TEST)
    client.files.pop()
    again = daq.Daq(client, tmp_path)
    again.begin(plan.TEST)
    again.close(plan.TEST)
    folder = tmp_path / "online" / FOLDER / "r0001"
    entries = [
        Entry(path=f["filename"], bytes=f["byte_size"], adler32=f["checksum"]) for f in client.files
    ]
    assert len({entry.path for entry in entries}) == len(entries) == len(list(folder.iterdir()))
    read = mover_for("posix").verify(Place(mount=folder.parent, path=folder.name), entries)
    assert read.files == len(entries), "with the checksums that the files have"
    assert client.lists == []


def test_a_refusal_is_told_in_the_words_of_the_site(client: Client, tmp_path: Path) -> None:
    with pytest.raises(connecting.FailedError, match="“test” is not registered"):
        daq.Daq(client, tmp_path).write(plan.TEST)
    refused = {"success": False, "info": "Error creating run", "app_info": "It is closed."}
    with pytest.raises(connecting.FailedError, match=r"It is closed\."):
        connecting.told(refused)
    nothing = {"success": False, "info": "Error getting sample", "app_info": {}, "data": {}}
    assert connecting.listed(nothing) == []
    with pytest.raises(connecting.FailedError, match="422: no"):
        connecting.answered(Answer(ok=False, status_code=422, text="no"))  # type: ignore[arg-type]


def test_the_step_fails_with_the_daqs_words(tmp_path: Path) -> None:
    """Without its secrets it ends at once; the step says where its log is."""
    layout = Layout(tmp_path)
    layout.make()
    with (
        DaqProgram(layout, "http://127.0.0.1:9") as program,
        pytest.raises(StepFailedError, match="could not begin the run “test”") as failed,
    ):
        program.do("begin", plan.TEST)
    assert failed.value.evidence == {"log": str(layout.logs / "daq.log")}
    assert "OAUTHLIB_INSECURE_TRANSPORT" not in os.environ


# ---------------------------------------------------------------- the facility


@pytest.fixture
def entered(tmp_path: Path, db: None) -> Layout:
    layout = Layout(tmp_path)
    layout.make()
    assert layout.settle(facility.METADATA_CLIENT)
    load(layout.stores, layout.tokens, way=layout.way, secrets=layout.programs)
    return layout


def test_each_program_has_an_application_with_the_scopes_it_needs(entered: Layout) -> None:
    kept = json.loads(entered.programs.read_text())
    assert stat.S_IMODE(entered.programs.stat().st_mode) == 0o600
    assert {row.name: row.scopes for row in Program.objects.all()} == {
        "SPB DAQ": ["daq"],
        "Transfer service": ["transfer"],
    }
    for program in facility.CLIENT_PROGRAMS:
        row = Program.objects.get(client_id=kept[program.login]["id"])
        account = User.objects.get(username=program.login)
        assert list(row.acts_for.all()) == [account]
        assert account.is_service
        assert account.email == kept[program.login]["email"]
    assert Store.objects.get(agent=Store.EXTERNAL).identifier == "offline"
    before = entered.programs.read_text()
    load(entered.stores, entered.tokens, way=entered.way, secrets=entered.programs)
    assert entered.programs.read_text() == before
    entered.programs.unlink()
    load(entered.stores, entered.tokens, way=entered.way, secrets=entered.programs)
    new = json.loads(entered.programs.read_text())
    assert {login: one["id"] for login, one in new.items()} == {
        login: one["id"] for login, one in kept.items()
    }
    assert new["transfer"]["secret"] != kept["transfer"]["secret"], "the lost one is of no use"
    assert programs.Unrecognised.BEARER is programs.recognise("x", None, clock.now())


def test_a_facility_keeps_the_programs_it_was_made_with(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.make()
    assert layout.way == facility.NATIVE
    assert layout.settle(facility.METADATA_CLIENT)
    assert layout.way == facility.METADATA_CLIENT
    layout.database.touch()
    assert layout.settle(None)
    assert layout.settle(facility.METADATA_CLIENT)
    assert not layout.settle(facility.NATIVE)
    assert layout.way == facility.METADATA_CLIENT
