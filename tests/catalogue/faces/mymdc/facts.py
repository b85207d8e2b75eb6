"""What a DAQ sends of a run and its data, for the tests of the legacy API."""

from __future__ import annotations

from typing import Any

from proposals.models import Proposal
from tests.factories import Facility
from tests.legacy import Legacy


def run_of(facility: Facility, proposal: Proposal, number: int = 7, **more: Any) -> dict[str, Any]:
    """As `register_run` of the client sends it: texts for numbers, empty texts for null."""
    experiment = proposal.experiments.first() or facility.experiment(proposal)
    return {
        "run_number": number, "run_alias": "", "experiment_id": str(experiment.pk),
        "sample_id": "", "begin_at": "2026-11-20T09:00:00.000+01:00", "end_at": "",
        "first_train": 1000, "last_train": "", "flg_available": "true", "flg_status": "1",
        "original_format": "", "system_msg": "", "description": "",
        "runs_techniques_attributes": "", **more,
    }  # fmt: skip


def group_of(legacy: Legacy, run: dict[str, Any], **more: Any) -> dict[str, Any]:
    """As `register_run` sends the data group."""
    kinds = {kind["identifier"]: kind["id"] for kind in legacy.get("data_group_types").json()}
    return {
        "name": "", "language": "en", "doi": None, "data_group_type_id": kinds["RAW"],
        "experiment_id": run["experiment_id"], "user_id": legacy.get("me").json()["id"],
        "prefix_path": "/gpfs/exfel/exp/SPB/raw", "flg_available": "true",
        "flg_writing": "false", "flg_public": "false", "format": "", "data_passport": "",
        "removed_at": "", "description": "",
        "runs_data_groups_attributes": [{"run_id": run["id"]}], **more,
    }  # fmt: skip


def made(answer: Any) -> dict[str, Any]:
    """What was created."""
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def register(
    legacy: Legacy, facility: Facility, proposal: Proposal, number: int = 7, **more: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A run and its group of raw data."""
    run = made(legacy.post("runs/", {"run": run_of(facility, proposal, number, **more)}))
    group = made(legacy.post("data_groups/", {"data_group": group_of(legacy, run)}))
    return run, group


def file_of(group: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    """As `create_dataset_file_api` sends it."""
    return {
        "filename": name, "flg_available": True, "flg_immutable": False,
        "file_creation_at": "2026-11-20 09:00:01 +0100", "data_group_id": group["id"],
        "data_group_type_id": group["data_group_type_id"], "byte_size": 1000,
        "checksum": "0a1b2c3d", "format": "hdf5", "year": 2026, **more,
    }  # fmt: skip
