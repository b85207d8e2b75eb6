"""A good body for each resource of the legacy trees, about the suites' rows."""

from __future__ import annotations

from typing import Any

WHEN = "2022-03-04T05:06:07.000+01:00"
LATER = "2022-03-05T05:06:07.000+01:00"
TERM = {"name": "A word", "identifier": "A_WORD", "flg_available": True, "description": "Why"}
TERMS = (
    "facilities", "data_group_types", "data_types", "experiment_types", "parameter_types",
    "instrument_types", "sample_types",
)  # fmt: skip
VALUES = dict.fromkeys(("value", "minimum", "maximum", "mean", "standard_deviation"), 1.5)

METADATA: dict[str, dict[str, Any]] = {
    **dict.fromkeys(TERMS, TERM),
    "remote_devices": {"name": "SPB123", "identifier": "D1", "proposal_id": -1},
    "units": {**TERM, "symbol": "w", "origin": "Other"},
    "topics": {"name": "A topic"},
    "repositories": {**TERM, "mount_point": "/mnt/a", "transfer_agent_identifier": "a"},
    "samples": {"name": "Salt", "sample_type_id": 1, "proposal_id": -1, "url": ""},
    "beamtimes": {"proposal_id": -3, "begin_at": WHEN, "end_at": LATER},
    "data_groups": {
        "language": "en", "data_group_type_id": 1, "experiment_id": -1, "user_id": -1,
        "prefix_path": "/webstorage/XFEL/raw",
    },
    "digital_object_identifiers": {
        "doi": "10.5072/ABC", "context_class": "Run", "context_model": "runs", "context_id": -1,
    },
    "experiments": {"name": "Second", "experiment_type_id": 1, "proposal_id": -1},
    "instrument_cycles": {
        "identifier": "202299", "instrument_id": -1, "begin_at": WHEN, "end_at": LATER,
    },
    "proposals_users": {"proposal_id": -1, "user_id": -7, "data_access_role": 2},
    "data_files": {"data_group_id": -1, "files": "[{'filename':'RAW-R0001-DA02-S00000.h5'}]"},
    "dataset_files": {
        "data_group_id": -1, "filename": "RAW-R0001-DA02-S00000.h5", "data_group_type_id": 1,
        "byte_size": 9876543210, "checksum": "00ff00ff", "format": "hdf5",
    },
    "data_source_groups": {
        "name": "DM/GROUP", "topic_id": -1, "group_identifier": "G", "user_id": -1,
    },
    "data_source_group_versions": {
        "name": "v1", "data_source_group_id": 0, "flg_status": "N", "xml_content": "[]",
    },
    "dark_runs": {
        "proposal_id": -1, "detector_id": -2, "pdu_physical_names": '["PDU"]',
        "operation_mode_id": -1, "runs_info": "[1]", "detector_identifier": "DET",
    },
    "parameters": {
        "data_source": "A/MOTOR", "name": "Position", **VALUES, "data_type_id": 30,
        "parameter_type_id": 1, "unit_id": 1,
    },
    "instruments": {**TERM, "facility_id": 3, "topic_id": -1, "instrument_type_id": 1,
                    "repository_id": -1, "dsg_host": "host", "flg_online_resource": False},
    "runs": {"run_number": 77, "experiment_id": -1, "begin_at": WHEN, "first_train": 1},
    "reports": {"name": "a.pdf", "cal_report_path": "/a", "cal_report_at": WHEN, "run_id": -1},
    "proposals": {
        "number": 900999, "title": "One more", "instrument_id": 1, "instrument_cycle_id": -1,
        "principal_investigator_id": -7, "main_proposer_id": -7, "begin_at": WHEN, "end_at": LATER,
    },
    "techniques": {**TERM, "url": "https://example.org/technique"},
    "proposals_techniques": {"proposal_id": -1, "technique_id": -1},
    "data_management_plans": {"name": "Plan", "identifier": "DMP-2", "proposal_id": -3},
    "data_groups_repositories": {"data_group_id": -1, "repository_id": 11, "flg_available": True},
}  # fmt: skip

CALIBRATION: dict[str, dict[str, Any]] = {
    "detector_types": {"name": "A type", "flg_available": True, "description": None},
    "detectors": {"name": "A det", "identifier": "A_DET", "karabo_name": "A_DET_K"},
    "physical_detector_units": {
        "physical_name": "A unit", "karabo_da": "DA01", "uuid": 7000, "detector_type_id": -1,
        "detector_id": -1,
    },
    "parameters": {"name": "A quantity", "unit_id": -1, "flg_text": False},
    "calibrations": {"name": "A kind", "unit_id": -1, "max_value": 2.5},
    "reports": {"name": "a.pdf", "file_path": "/a.pdf"},
    "calibration_constants": {
        "name": "A constant", "detector_type_id": -1, "calibration_id": -2, "condition_id": -8,
    },
    "calibration_constant_versions": {
        "name": "A version", "file_name": "a.h5", "path_to_file": "/a/", "data_set_name": "/a",
        "begin_at": WHEN, "calibration_constant_id": -1, "physical_detector_unit_id": -2,
    },
}  # fmt: skip

BODIES = {"metadata": METADATA, "calibration": CALIBRATION}
