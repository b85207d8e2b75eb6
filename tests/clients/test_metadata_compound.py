"""What metadata_client does in several calls, and what its own suite does not reach: copies of runs
reported and reported gone, files in bulk, searches. Everything is taken away again."""

import pytest
from metadata_client.modules.data_group_repository import DataGroupRepository
from metadata_client.modules.dataset_file import DatasetFile

EXPERIMENT, SAMPLE, PERSON = -1, -1, -1
RAW = 1
STORE = {"id": 11, "identifier": "XFEL_GPFS_OFFLINE_RAW_CC"}
PROPOSAL = "000000"
FILES = [{"filename": "RAW-R0001-DA01-S00000.h5", "sequence": 0, "relative_path": "r0001/"}]


@pytest.fixture
def run(metadata, unlike):
    """A run of the suites' proposal with a group of raw data, as a DAQ registers it."""
    number = 1000 + unlike.number(8000)
    made = metadata.register_run(
        EXPERIMENT,
        SAMPLE,
        {"run_number": number, "begin_at": "2014-06-25T08:30:00.000+02:00", "first_train": 5},
        {"data_group_type_id": RAW, "creator_id": PERSON, "prefix_path": "/webstorage/raw/"},
    )
    assert made["success"], made
    yield {"number": number, **made["data"]}
    metadata.delete_run_api(made["data"]["run_id"])
    gone = metadata.delete_data_group_api(made["data"]["data_group_id"])
    assert gone.status_code == 204, gone.content


def at_stores(metadata, run):
    """By id of the store: whether the run's raw data are told to be there."""
    rows = metadata.get_all_by_data_group_id_api(run["data_group_id"]).json()
    return {row["repository_id"]: row["flg_available"] for row in rows}


def test_a_copy_is_reported_reported_gone_and_found_again(metadata, run):
    steps = (
        (metadata.register_run_replica, "registered", True),
        (metadata.register_run_replica, "registered", True),
        (metadata.unregister_run_replica, "unregistered", False),
        (metadata.get_run_register_repositories, "unregistered", False),
        (metadata.register_run_replica, "registered", True),
        (metadata.unregister_run_replica, "unregistered", False),
    )
    rows = set()
    for act, told, there in steps:
        done = act(PROPOSAL, run["number"], STORE["identifier"])
        assert (done["success"], done["info"]) == (True, f"Run replica {told} successfully")
        assert done["data"] == [
            {
                "data_group_id": run["data_group_id"],
                "repository_id": str(STORE["id"]),
                "flg_available": str(there).lower(),
            }
        ]
        assert at_stores(metadata, run) == {STORE["id"]: there}
        rows |= {row["id"] for row in metadata.get_all_by_data_group_id_api(
            run["data_group_id"]).json()}  # fmt: skip
    assert len(rows) == 1, "the row keeps its id"


def test_a_copy_of_a_run_that_is_not_there_is_not_reported(metadata):
    done = metadata.register_run_replica(PROPOSAL, 9999, STORE["identifier"])
    assert (done["success"], done["app_info"]) == (False, "Resource not found!")


def test_a_pair_is_set_whether_it_is_there_or_not(metadata, run):
    pair = {"data_group_id": run["data_group_id"], "repository_id": STORE["id"]}
    for there in ("true", "false", "true"):
        done = DataGroupRepository.set_from_dict(metadata, {**pair, "flg_available": there})
        assert done["success"], done
        assert done["data"]["flg_available"] is (there == "true")


def test_a_run_is_registered_filled_and_closed_in_one_call(metadata, unlike):
    number = 1000 + unlike.number(8000)
    done = metadata.register_run_data_and_results(
        EXPERIMENT,
        SAMPLE,
        {
            "run_number": number,
            "begin_at": "2014-06-25T08:30:00.000+02:00",
            "end_at": "2014-06-25T08:40:00.000+02:00",
            "first_train": 5,
            "last_train": 50,
        },
        {"data_group_type_id": RAW, "creator_id": PERSON, "prefix_path": "/webstorage/raw/"},
        FILES,
    )
    assert (done["success"], done["info"]) == (True, "Run closed successfully"), done
    made = done["data"]
    try:
        shown = metadata.get_run_by_id_api(made["run_id"]).json()
        assert (shown["flg_status"], shown["last_train"]) == (2, 50)
        told = metadata.get_proposal_runs(PROPOSAL, number)["data"]["runs"]
        assert [run["run_number"] for run in told] == [number]
        found = metadata.search_data_files(number, PROPOSAL)
        assert (found["success"], found["info"]) == (True, "Search data files return successfully")
        assert [row["files"] for row in found["data"]] == [str(FILES).replace(" ", "")]
    finally:
        assert metadata.delete_data_file_api(made["data_file_id"]).status_code == 204
        assert metadata.delete_run_api(made["run_id"]).status_code == 204
        assert metadata.delete_data_group_api(made["data_group_id"]).status_code == 204


def test_a_run_without_lists_of_files_has_none(metadata, run):
    found = metadata.search_data_files(run["number"], PROPOSAL)
    assert (found["success"], found["app_info"]) == (False, {})


def file(run, number, **more):
    return {
        "filename": f"RAW-R0001-DA01-S{number:05d}.h5",
        "flg_available": True,
        "flg_immutable": False,
        "file_creation_at": "2025-05-27 13:52:41 +0200",
        "data_group_id": int(run["data_group_id"]),
        "data_group_type_id": RAW,
        "byte_size": 1000 + number,
        "checksum": f"{number:08x}",
        "format": "hdf5",
        "year": 2025,
        **more,
    }


def test_files_in_bulk(metadata, run):
    sent = [file(run, number) for number in range(1, 21)]
    made = metadata.create_bulk_dataset_file_api(sent)
    assert made.status_code == 201, made.content
    rows = made.json()
    assert [row["checksum"] for row in rows] == [record["checksum"] for record in sent]
    again = metadata.create_bulk_dataset_file_api(sent)
    assert (again.status_code, again.json()) == (201, rows), "sent again after a crash"
    conflict = metadata.create_bulk_dataset_file_api([file(run, 3, byte_size=7), file(run, 30)])
    assert conflict.status_code == 422
    assert list(conflict.json()["info"]) == ["dataset_files[0].filename"]

    changes = [{"id": row["id"], "byte_size": 5, "format": "tiff"} for row in rows[:3]]
    changed = metadata.update_bulk_dataset_file_api(changes)
    assert changed.status_code == 201, changed.content
    assert {(row["byte_size"], row["format"]) for row in changed.json()} == {(5, "tiff")}
    checked = metadata.check_bulk_dataset_file_api(sent)
    assert [row["id"] for row in checked.json()] == [row["id"] for row in rows[3:]]

    found = DatasetFile.search_dataset_files(metadata, run["number"], PROPOSAL)
    assert (found["success"], len(found["data"])) == (True, 20)
    shown = metadata.get_run_by_id_api(run["run_id"]).json()
    sizes = [row["byte_size"] for row in found["data"]]
    assert (shown["num_files"], shown["size"]) == (20, sum(sizes))

    gone = metadata.delete_bulk_dataset_file_api([{"id": row["id"]} for row in rows[:5]])
    assert gone.status_code == 201, gone.content
    assert len(DatasetFile.search_dataset_files(metadata, run["number"], PROPOSAL)["data"]) == 15
    named = [
        {"data_group_id": row["data_group_id"], "filename": row["filename"]} for row in rows[5:]
    ]
    assert metadata.delete_bulk_dataset_file_api(named).status_code == 201
    nothing = DatasetFile.search_dataset_files(metadata, run["number"], PROPOSAL)
    assert (nothing["success"], nothing["app_info"]) == (False, {})


def test_values_in_bulk(metadata, run):
    value = {
        "data_source": "MID/XTD6/ATT/MOTOR/COMPOUND",
        **dict.fromkeys(("value", "minimum", "maximum", "mean", "standard_deviation"), "1.5"),
        "data_type_id": "30",
        "parameter_type_id": "1",
        "unit_id": "1",
        "unit_prefix": "",
        "flg_available": "true",
        "description": "",
        "data_groups_parameters_attributes": [{"data_group_id": run["data_group_id"]}],
    }
    sent = {"parameters": [{**value, "name": f"value {n}"} for n in range(5)]}
    made = metadata.create_bulk_parameter_api(sent)
    assert made.status_code == 201, made.content
    assert [row["name"] for row in made.json()] == [f"value {n}" for n in range(5)]
    gone = metadata.delete_bulk_parameter_api_by_data_group_id(run["data_group_id"])
    assert (gone.status_code, len(gone.json())) == (201, 5)
