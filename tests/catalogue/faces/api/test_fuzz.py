"""Made-up calls to every operation of the OpenAPI document, about real things: what the document
promises is kept, and nothing breaks.

`FUZZ_EXAMPLES` says how many calls to each operation the test marked `fuzz` makes, in each mode:
good data and bad data. Without it a few are made. `FUZZ_ONLY` (a regular expression) picks the
operations, and `FUZZ_AS=staff` has a data manager call them: what takes a person is closed to
programs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest
import schemathesis
import schemathesis.specs.openapi.checks
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection

from catalogue.ground import clock
from catalogue.ground.models import Approval
from policies import commands as policies
from policies.models import Policy
from proposals.models import Experiment, Proposal
from runs import calibrating
from runs.models import Replica, Run
from tests.calling import Caller, Callers, done
from tests.constant_rows import Catalogue
from tests.factories import CLAUSES, Facility

FEW = 5
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
ONLY = re.compile(os.environ.get("FUZZ_ONLY", ""))
AS_STAFF = os.environ.get("FUZZ_AS", "") == "staff"

# Addresses whose answers are told elsewhere: files and reports are no JSON.
LEFT_OUT = ["/files/{name}", "/report"]

STILL_THERE = (ParameterLocation.BODY, ParameterLocation.QUERY)

# What good data may meet besides: values that break a rule that is no schema's (a name that is
# taken, an end before its begin), and a tag that is another's.
CONFIG = {
    "checks": {
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "304", "401", "403", "404", "409", "412", "422"]
        },
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "405", "409", "412", "415", "422"]
        },
    }
}  # fmt: skip


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests of a WSGI client keep the connection of the test, as those of Django's own do."""
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    yield
    signals.request_started.connect(close_old_connections)
    signals.request_finished.connect(close_old_connections)


@pytest.fixture
def real(facility: Facility, run: Run, callers: Callers) -> dict[str, str]:
    """By the end of a path's part before it: what to put in place of a parameter of that path."""
    detector = facility.detector()
    proposal: Proposal = run.proposal
    one = f"proposals/{proposal.number}"
    dark = facility.run(proposal, type_name="Dark")
    made = calibrating.request_calibration(run, by=facility.staff, detector=detector)
    asked = calibrating.request_dark(dark, by=facility.staff, detector=detector)
    sample = done(callers.leader.post(f"{one}/samples", {"name": "salt"}), 201)
    hold = done(callers.leader.post(f"{one}/holds", {"reason": "mine"}), 201)
    member, deputy = facility.person().username, facility.person().username
    done(callers.leader.post(f"{one}/members", {"login": member}), 201)
    done(callers.leader.post(f"{one}/members", {"login": deputy}), 201)
    done(callers.leader.post(f"{one}/deputies", {"login": deputy}), 201)
    policies.draft_policy(
        name="Next", clauses=CLAUSES, valid_from=clock.now(), reason="new", by=facility.staff
    )
    constants = Catalogue()
    condition = constants.condition()
    unit = detector.units.all()[0]
    return {
        "proposals": str(proposal.number),
        "runs": str(run.number),
        "members": member,
        "samples": str(sample["id"]),
        "experiments": str(Experiment.objects.filter(proposal=proposal)[0].pk),
        "beamtimes": str(proposal.beamtimes.get().pk),
        "calibrations": str(made.pk),
        "dark-requests": str(asked.pk),
        "holds": str(hold["id"]),
        "replicas": str(Replica.objects.filter(data_group__run=run)[0].pk),
        "jobs": str(done(callers.staff.get("jobs"))["results"][0]["id"]),
        "instruments": facility.instrument.identifier,
        "detectors": detector.identifier,
        "deputies": deputy,
        "policies": str(Policy.objects.all()[0].pk),
        "approvals": str(Approval.objects.get().pk),
        "conditions": str(condition.pk),
        "constants": str(constants.version(unit, condition).pk),
        "detector-units": unit.physical_name,
    }


MODES = pytest.mark.parametrize("mode", list(GenerationMode))


@MODES
def test_what_it_promises_is_kept(
    facility: Facility, real: dict[str, str], document: dict[str, Any], one_connection: None,
    mode: GenerationMode,
) -> None:  # fmt: skip
    _fuzz(facility, real, document, mode, FEW)


@pytest.mark.fuzz
@pytest.mark.skipif(not EXAMPLES, reason="FUZZ_EXAMPLES says how many")
@MODES
def test_what_it_promises_is_kept_for_long(
    facility: Facility, real: dict[str, str], document: dict[str, Any], one_connection: None,
    mode: GenerationMode,
) -> None:  # fmt: skip
    _fuzz(facility, real, document, mode, EXAMPLES)


def _fuzz(
    facility: Facility, real: Mapping[str, str], document: dict[str, Any], mode: GenerationMode,
    examples: int,
) -> None:  # fmt: skip
    """Good or bad calls to every operation; all that broke a promise are told together."""
    program = Caller(
        facility.staff.user if AS_STAFF else facility.daq.user,
        scopes=["read", "write", "daq", "adopt", "assess", "calibrate"],
    )
    # Under the name that the document gives it, else the probes without a token would have it too.
    token = {"Authorization": program.headers["authorization"]}
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(CONFIG))
    schema.app = get_wsgi_application()
    tried, problems = 0, []
    for found in schema.get_all_operations():
        operation = found.ok()
        if any(operation.path.endswith(part) for part in LEFT_OUT):
            continue
        if not ONLY.search(operation.label):
            continue
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
            continue  # nothing could be wrong but the address
        tried += 1
        try:
            _try(operation, mode, real, token, examples)
        except BaseException as problem:  # noqa: BLE001 - failures come as groups, told below
            problems.append(f"{operation.label}: {_said(problem)}")
    assert not problems, "\n\n" + "\n\n".join(problems)
    assert ONLY.pattern or tried > (75 if mode is GenerationMode.POSITIVE else 55)


def _said(problem: BaseException) -> str:
    inner = getattr(problem, "exceptions", ())
    return "\n".join(_said(one) for one in inner) if inner else f"{problem}"


def _try(
    operation: Any, mode: GenerationMode, real: Mapping[str, str], headers: Any, examples: int
) -> None:
    about = _about(operation.path, real)

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def attempt(case: Any) -> None:
        case.path_parameters = {**case.path_parameters, **about}
        # Bad data that gave way to the real path and token is no longer there to be rejected.
        bad = any(case.meta.is_negative_at(place) for place in STILL_THERE)
        passed_by = [] if bad else [negative_data_rejection]
        case.call_and_validate(
            headers=dict(headers), checks=CHECKS.get_all(), excluded_checks=passed_by
        )

    attempt()


def _about(path: str, real: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a path whose things there are: `samples/{id}` is about a real sample."""
    parts = path.split("/")
    return {
        part.strip("{}"): real[before]
        for before, part in pairwise(parts)
        if part.startswith("{") and before in real
    }
