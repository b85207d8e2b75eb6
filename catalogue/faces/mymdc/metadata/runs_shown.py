"""How runs are told: their own columns, how far copies and corrections are, and what hangs on them.
The number of queries does not depend on the number of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.columns import Column
from catalogue.ground.models import Job, Store
from runs import lookup
from runs.models import Calibration, Run

# NA (none) and E (error) are written down; the letters of the others are our choice.
CALIBRATION: Final = {
    Calibration.State.REQUESTED: "R",
    Calibration.State.RUNNING: "IP",
    Calibration.State.HELD: "E",
    Calibration.State.FAILED: "E",
    Calibration.State.AVAILABLE: "A",
}
PROCESSING: Final = {
    "flg_cal_data_status": "calibration_status",
    "cal_pipeline_reply": "calibration_reply",
    "cal_pipeline_full_feedback": "calibration_feedback",
    "cal_num_requests": "calibration_requests",
    "cal_last_request_at": "calibration_requested_at",
    "cal_last_begin_at": "calibration_begin_at",
    "cal_last_end_at": "calibration_end_at",
    "cal_input_path": "input_path",
    "cal_output_path": "output_path",
    "migration_request_at": "migration_requested_at",
    "migration_begin_at": "migration_begin_at",
    "migration_end_at": "migration_end_at",
}
OWN: Final = (
    "run_number", "run_folder", "run_alias", "experiment_id", "sample_id", "begin_at", "end_at",
    "first_train", "last_train", "flg_available", "flg_status", "original_format", "system_msg",
    "description", "flg_run_quality", "size", "num_files",
)  # fmt: skip


def scalars(columns: Sequence[Column], rows: Sequence[Run]) -> list[dict[str, Any]]:
    """What is told of runs where they are one of many: no rows inside."""
    own = {column.name: column for column in columns if column.name in OWN}
    calibrations, copies = lookup.calibrations_of(rows), lookup.copies_of(rows)
    found = []
    for run in rows:
        made = {"run_folder": run.folder, "num_files": run.file_count}
        told = {name: made[name] if name in made else own[name].of(run) for name in OWN}
        told |= _processing(run)
        if run.pk in calibrations:
            told |= _calibrated(calibrations[run.pk])
        if run.pk in copies:
            told |= _copied(copies[run.pk])
        told["flg_auto_run_quality"] = 1 if run.proposal.assesses_by_itself else -1
        told["created_at"] = wire.shown(run.created_at)
        found.append({"id": run.pk, **told})
    return found


def _processing(run: Run) -> dict[str, Any]:
    """What programs outside say of their copies and corrections."""
    said = getattr(run, "external_processing", None)
    told = {name: wire.shown(getattr(said, field, None)) for name, field in PROCESSING.items()}
    told["flg_cal_data_status"] = told["flg_cal_data_status"] or "NA"
    return told


def _calibrated(calibrations: Sequence[Calibration]) -> dict[str, Any]:
    """Our own corrections, which stand before what others say."""
    last = calibrations[-1]
    return {
        "flg_cal_data_status": CALIBRATION[Calibration.State(last.state)],
        "cal_pipeline_reply": last.reason or last.get_state_display(),
        "cal_num_requests": len(calibrations),
        "cal_last_request_at": wire.shown(last.created_at),
        "cal_last_end_at": wire.shown(last.finished_at),
    }


def _copied(copies: Sequence[Job]) -> dict[str, Any]:
    """Our own copies to offline storage, which stand before what others say."""
    begun = [job.started_at for job in copies if job.started_at is not None]
    ended = [job.finished_at for job in copies if job.finished_at is not None]
    return {
        "migration_request_at": wire.shown(copies[0].created_at),
        "migration_begin_at": wire.shown(min(begun, default=None)),
        "migration_end_at": wire.shown(max(ended) if len(ended) == len(copies) else None),
    }


def whole(columns: Sequence[Column], rows: Sequence[Run]) -> list[dict[str, Any]]:
    """Everything that is told of runs."""
    techniques, reports = lookup.technique_links(rows), lookup.reports_of(rows)
    groups = lookup.groups_of(rows)
    found = scalars(columns, rows)
    for told, run in zip(found, rows, strict=True):
        mine = groups.get(run.pk, [])
        told["experiment"] = _experiment(run)
        told["sample"] = _sample(run)
        told["techniques"] = [_technique(link) for link in techniques.get(run.pk, [])]
        told["data_groups_repositories"] = [_group(held) for held in mine]
        raw = [r for held in mine if held.group.kind == "RAW" for r in _there(held)]
        told["raw_repositories"] = list({r["id"]: r for r in raw}.values())
        told["reports"] = [_report(report) for report in reports.get(run.pk, [])]
    return found


def _experiment(run: Run) -> dict[str, Any] | None:
    row = run.experiment
    if row is None:
        return None
    return {
        "id": row.pk,
        "name": row.name,
        "doi": f"xfel.mdc.exp.{row.pk}",
        "abstract": row.abstract,
        "experiment_folder": row.folder,
        "experiment_type_id": row.type_id,
        "proposal_id": row.proposal_id,
        "flg_available": row.available,
        "publisher": row.publisher,
        "contributor": row.contributor,
        "description": row.description,
    }


def _sample(run: Run) -> dict[str, Any] | None:
    row = run.sample
    if row is None:
        return None
    return {
        "id": row.pk,
        "name": row.name,
        "url": row.url,
        "sample_type_id": row.type_id,
        "proposal_id": row.proposal_id,
        "flg_available": row.available,
        "description": row.description,
    }


def _technique(link: Any) -> dict[str, Any]:
    row = link.technique
    return {
        "id": row.pk,
        "identifier": row.identifier,
        "name": row.name,
        "url": row.url,
        "flg_available": row.available,
        "description": row.description,
        "runs_techniques_id": link.pk,
    }


def _group(held: lookup.Held) -> dict[str, Any]:
    group = held.group
    of = group.experiment
    experiment = {"id": of.pk, "name": of.name, "doi": f"xfel.mdc.exp.{of.pk}"} if of else None
    return {
        "id": group.pk,
        "name": group.name,
        "language": group.language,
        "doi": f"xfel.mdc.dg.{group.pk}",
        "format": group.format,
        "data_passport": group.passport,
        "experiment": experiment,
        "data_group_type": {
            "id": group.kind_id,
            "name": group.get_kind_display(),
            "identifier": group.kind,
        },
        "repositories": _there(held),
    }


def _there(held: lookup.Held) -> list[dict[str, Any]]:
    """The stores that hold a copy of the group."""
    return [repository(store, kind) for store, kind in held.stores]


def repository(store: Store, kind: int | None) -> dict[str, Any]:
    """A store as it stands inside of other rows."""
    return {
        "id": store.pk,
        "name": store.name,
        "identifier": store.identifier,
        "img_url": store.image_url,
        "mount_point": store.mount,
        "transfer_agent_identifier": store.agent_identifier,
        "transfer_agent_server_url": store.agent_url,
        "flg_context": store.context,
        "flg_available": store.available,
        "rank": store.rank,
        "data_group_type_id": kind,
        "description": store.description,
    }


def _report(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "cal_report_path": row.path,
        "cal_report_at": wire.shown(row.made_at),
        "run_id": row.run_id,
        "description": row.description,
    }
