"""What each operation of the legacy API does here, and the page that tells it.

python -m tests.catalogue.faces.mymdc.coverage
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from catalogue.faces.mymdc.described.document import Operation, operations
from tests.catalogue.faces.mymdc.bodies import BODIES, METADATA

TOP = Path(__file__).resolve().parents[4]
PAGE = TOP / "docs" / "legacy-api.md"

# What needs a part that is not there, and what it says.
REFUSED: dict[str, str] = {
    "metadata GET /instruments/{id}/active_logbooks": "no logbook is connected; the list is empty",
    "metadata GET /runs/run_influxdb_parameters": "no time series of the slow control are kept",
    "metadata GET /proposals/{number}/logbook": "no logbook is connected; there is none",
    "metadata POST /ldap_import": "no directory is connected; with LDAP it takes the person over",
    "metadata POST /sessions": "programs come with a token, not with a person's password",
    "metadata DELETE /sessions": "there are no sessions of programs",
}

FILE = METADATA["dataset_files"]
SAME = {
    "parameter_id": -1,
    "value": 2.5,
    "lower_deviation_value": 0.5,
    "upper_deviation_value": 0.5,
}
VALUES = [SAME, {**SAME, "parameter_id": -2, "value": 1.5}]
CONDITION = {
    "condition": {"name": "asked", "event_at": "", "parameters_conditions_attributes": VALUES}
}
RUN = "run_number=1&proposal_number=000000"
ONE = "calibration_constant_ids=[-1, -2]&event_at=2014-05-27&snapshot_at="

# An action: what is asked for, with which body, and the status that is awaited.
ASKED: dict[str, tuple[str, Any, int]] = {
    "metadata POST /dataset_files/bulk_create": (
        "dataset_files/bulk_create", {"dataset_files": [FILE, {**FILE, "filename": "b.h5"}]}, 201),
    "metadata POST /dataset_files/bulk_check": (
        "dataset_files/bulk_check", {"dataset_files": [FILE]}, 201),
    "metadata POST /dataset_files/bulk_update": (
        "dataset_files/bulk_update", {"dataset_files": [{**FILE, "byte_size": 5}]}, 201),
    "metadata POST /dataset_files/bulk_delete": (
        "dataset_files/bulk_delete", {"dataset_files": [FILE]}, 201),
    "metadata GET /dataset_files/search_dataset_files": (
        f"dataset_files/search_dataset_files?{RUN}", None, 200),
    "metadata GET /data_files/search_data_files": (
        f"data_files/search_data_files?{RUN}", None, 200),
    "metadata GET /data_source_groups/{topic_id}/last_deployed": (
        "data_source_groups/-1/last_deployed", None, 200),
    "metadata GET /data_source_groups/{topic_id}/last_modified": (
        "data_source_groups/-1/last_modified", None, 200),
    "metadata POST /parameters/bulk_create": (
        "parameters/bulk_create", {"parameters": [METADATA["parameters"]]}, 201),
    "metadata POST /parameters/bulk_delete": (
        "parameters/bulk_delete", {"parameter": {"data_group_id": -1}}, 201),
    "metadata GET /instruments/{id}/active_proposal": ("instruments/-1/active_proposal", None, 200),
    "metadata GET /instruments/{id}/active_logbooks": ("instruments/-1/active_logbooks", None, 200),
    "metadata GET /runs/all_raw_data_groups_ids": (f"runs/all_raw_data_groups_ids?{RUN}", None, 200),
    "metadata GET /runs/run_influxdb_parameters": (f"runs/run_influxdb_parameters?{RUN}", None, 422),
    "metadata GET /runs/runs_by_proposal": ("runs/runs_by_proposal?proposal_number=0", None, 200),
    "metadata GET /proposals/by_number/{number}": ("proposals//by_number/900061", None, 200),
    "metadata GET /proposals/by_number_daq_info/{number}": (
        "proposals//by_number_daq_info/900061", None, 200),
    "metadata GET /proposals/by_number/{number}/runs": ("proposals/by_number/0/runs", None, 200),
    "metadata GET /proposals/by_number/{number}/runs/{run_number}": (
        "proposals/by_number/0/runs/1", None, 200),
    "metadata PUT /proposals/{id}/update_special": (
        "proposals/-1/update_special", {"proposal": {"flg_auto_run_quality": -1}}, 200),
    "metadata GET /proposals/{number}/statistics": ("proposals/0/statistics", None, 200),
    "metadata GET /proposals/{number}/logbook": ("proposals/0/logbook", None, 404),
    "metadata POST /techniques/{id}/add_instruments": (
        "techniques/-1/add_instruments", {"technique": {"instrument_ids": [1]}}, 201),
    "metadata GET /users/{uid}/proposals": ("users/suiteuser/proposals", None, 200),
    "metadata GET /me": ("me", None, 200),
    "metadata POST /ldap_import": ("ldap_import", {"email": "a@example.org", "uid": "a"}, 422),
    "metadata POST /sessions": ("sessions", {"user": {"email": "a@example.org", "password": "x", "provider": "local"}}, 422),
    "metadata DELETE /sessions": ("sessions", {"user": {"email": "a@example.org"}}, 404),
    "calibration GET /detectors/get_all_by_instrument": (
        "detectors/get_all_by_instrument?instrument_id=1", None, 200),
    "calibration GET /physical_detector_units/get_all_by_detector": (
        "physical_detector_units//get_all_by_detector?detector_id=-2&pdu_snapshot_at=", None, 200),
    "calibration GET /calibrations/{id}/get_calibration_constant": (
        "calibrations/-1/get_calibration_constant?calibration_id=-1&detector_type_id=-1&condition_id=-1", None, 200),
    "calibration GET /calibrations/{id}/get_all_calibration_constants": (
        "calibrations/-1/get_all_calibration_constants?calibration_id=-1&detector_type_id=-1&condition_ids=[-1, -2]", None, 200),
    "calibration POST /reports/set": ("reports/set", {"report": BODIES["calibration"]["reports"]}, 201),
    "calibration GET /conditions/get_expected_condition": (
        "conditions/get_expected_condition", CONDITION, 200),
    "calibration GET /conditions/get_possible_conditions": (
        "conditions/get_possible_conditions", CONDITION, 200),
    "calibration POST /conditions/set_expected_condition": (
        "conditions/set_expected_condition", CONDITION, 200),
    "calibration GET /conditions/{id}": ("conditions/-1", None, 200),
    **{
        f"calibration GET /calibration_constants/{{id}}/{name}": (
            f"calibration_constants/-1/{name}?{ONE}&physical_detector_unit_id=-1", None, 200)
        for name in ("get_version", "get_prior_in_time_version", "get_closest_version", "get_all_versions")
    },
    "calibration GET /calibration_constants/{id}/get_closest_version_by_detector": (
        f"calibration_constants/-1/get_closest_version_by_detector?{ONE}&detector_id=-2&karabo_da=", None, 200),
    "calibration GET /calibration_constant_versions/get_by_detector_conditions": (
        "calibration_constant_versions/get_by_detector_conditions?detector_identifier=TEST_DET_CI-2&calibration_id=[-1]&karabo_da=&event_at=&begin_at_strategy=closest",
        {"parameters_conditions_attributes": VALUES}, 200),
    "calibration GET /me": ("me", None, 200),
}  # fmt: skip


PREVIOUS = "the id of the row made before"
_FILE = [("dataset_files", {"dataset_file": FILE})]
_DEPLOYED = [
    ("data_source_groups", {"data_source_group": METADATA["data_source_groups"]}),
    ("data_source_group_versions", {**METADATA["data_source_group_versions"],
                                    "data_source_group_id": PREVIOUS, "flg_status": "D"}),
]  # fmt: skip
# What is made before an action is asked for.
BEFORE: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "metadata POST /dataset_files/bulk_check": _FILE,
    "metadata POST /dataset_files/bulk_update": _FILE,
    "metadata POST /dataset_files/bulk_delete": _FILE,
    "metadata GET /data_source_groups/{topic_id}/last_deployed": _DEPLOYED,
    "metadata GET /data_source_groups/{topic_id}/last_modified": _DEPLOYED,
}


def state(operation: Operation) -> str:
    """Whether it is served, or what it says instead."""
    reason = REFUSED.get(operation.key)
    return f"truthful refusal: {reason}" if reason else "served"


def proof(operation: Operation) -> str:
    """The test that proves it."""
    if operation.key in REFUSED:
        name = "test_of_what_is_refused"
    else:
        name = "test_of_a_resource" if operation.verb else "test_of_an_action"
    return f"{name}[{operation.key}]"


def page() -> str:
    """The page, whole."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The legacy API, operation by operation"
    yield ""
    yield "Made by `python -m tests.catalogue.faces.mymdc.coverage`; a test sees that it is up to date. The tests stand in"
    yield "`tests/catalogue/faces/mymdc/test_every_operation.py`, those of tokens in `test_oauth.py` beside it. Both clients' own"
    yield "suites (`make test-clients`), our tests that call the clients (`tests/clients/`) and made-up calls (`make fuzz`) try"
    yield "them besides. A *truthful refusal* answers with the reason, since the part that would do it does not exist here."
    for tree in BODIES:
        found = list(operations(tree))
        served = sum(1 for one in found if one.key not in REFUSED)
        yield ""
        yield f"## /{tree}/api: {len(found)} operations, {served} served, {len(found) - served} refused"
        yield ""
        yield "| operation | state | proved by |"
        yield "|---|---|---|"
        yield f"| POST /../oauth/token | served | test_oauth.py::test_a_program_gets_a_token[/{tree}/oauth/token] |"
        for one in found:
            yield f"| {one.name} | {state(one)} | {proof(one)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.exit(0)
