"""Made-up calls to every operation of the two legacy documents, about the suites' rows: nothing
breaks, and what comes back is what the documents say.

Their rules are the clients' (texts for numbers, unknown attributes ignored, any body on any
method), so what is refused and what is not is for other tests. `FUZZ_EXAMPLES` says how many calls
to each operation the test marked `fuzz` makes, in each mode: good data and bad data.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import Client
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from catalogue.faces.mymdc.described.document import document, operations
from tests.catalogue.faces.mymdc.conftest import PROGRAM
from tests.legacy import Legacy

FEW = 2
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
CONTRADICTED = {
    "negative_data_rejection",
    "positive_data_acceptance",
    "unsupported_method",
    "allow_header_conformance",
}
IDS = [-12, -11, -7, -3, -2, -1, 1, 2, 11, 12, 30, 145]
NUMBERS = [0, 900061, 900966]
TREES = {tree: list(dict.fromkeys(o.resource for o in operations(tree)))
         for tree in ("metadata", "calibration")}  # fmt: skip
PLACES = [(tree, resource) for tree, found in TREES.items() for resource in found]
NAMES = ["/".join(place) for place in PLACES]
MODES = pytest.mark.parametrize("mode", list(GenerationMode))


@contextmanager
def one_connection() -> Iterator[None]:
    """Requests of a WSGI client keep the connection of the test, as those of Django's own do (which
    connects these signals again when it is done)."""
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    try:
        yield
    finally:
        signals.request_started.connect(close_old_connections)
        signals.request_finished.connect(close_old_connections)


@pytest.mark.parametrize(("tree", "resource"), PLACES, ids=NAMES)
@MODES
def test_nothing_breaks(
    suite_rows: None, db: None, tree: str, resource: str, mode: GenerationMode
) -> None:
    _fuzz(tree, resource, mode, FEW)


@pytest.mark.fuzz
@pytest.mark.skipif(not EXAMPLES, reason="FUZZ_EXAMPLES says how many")
@pytest.mark.parametrize(("tree", "resource"), PLACES, ids=NAMES)
@MODES
def test_nothing_breaks_for_long(
    suite_rows: None, db: None, tree: str, resource: str, mode: GenerationMode
) -> None:
    _fuzz(tree, resource, mode, EXAMPLES)


def test_every_operation_is_tried() -> None:
    tried = sum(len(_of(tree)[resource]) for tree, resource in PLACES)
    assert tried == sum(1 for tree in TREES for _ in operations(tree)) > 240


@pytest.mark.parametrize("tree", TREES)
def test_the_documents_are_valid_and_for_everybody(db: None, tree: str) -> None:
    answer = Client().get(f"/{tree}//api/openapi.json")
    assert answer.status_code == 200
    told = answer.json()
    validate_schema(told)
    assert set(told["paths"]) == {f"/{tree}/api{one.path}" for one in operations(tree)}


@cache
def _of(tree: str) -> dict[str, list[Any]]:
    """The operations of a tree's document by resource."""
    load_all_checks()
    schema = schemathesis.openapi.from_dict(document(tree))
    schema.app = get_wsgi_application()
    found = defaultdict(list)
    for one in schema.get_all_operations():
        operation = one.ok()
        found[operation.path.split("/")[3]].append(operation)
    return found


def _fuzz(tree: str, resource: str, mode: GenerationMode, examples: int) -> None:
    sent = Legacy.of(*PROGRAM, tree=tree).headers
    headers = {name.title(): value for name, value in sent.items()}
    problems = []
    for operation in _of(tree)[resource]:
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
            continue  # nothing could be wrong but the address
        try:
            with one_connection():
                _try(operation, mode, headers, examples)
        except (FailureGroup, Exception) as problem:  # noqa: BLE001 - told below
            problems.append(f"{operation.label}: {_said(problem)}")
    assert not problems, "\n\n".join(problems)


def _said(problem: BaseException) -> str:
    inner = getattr(problem, "exceptions", ())
    if inner:
        return "\n".join(_said(one) for one in inner)
    return f"{type(problem).__name__} {str(problem)[:2000]}"


def _try(operation: Any, mode: GenerationMode, headers: dict[str, str], examples: int) -> None:
    checks = [check for check in CHECKS.get_all() if check.__name__ not in CONTRADICTED]

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def attempt(case: Any, data: Any) -> None:
        real = _real(operation.path, data)
        case.path_parameters = {**case.path_parameters, **real}
        case.headers = {}
        with transaction.atomic():
            case.call_and_validate(headers=dict(headers), checks=checks)
            transaction.set_rollback(True)

    attempt()


def _real(path: str, data: Any) -> dict[str, Any]:
    """Mostly ids and numbers of rows that are there; now and then one as it was made up."""
    found = {}
    for name, known in (("id", IDS), ("number", NUMBERS), ("run_number", [1, 2]),
                        ("topic_id", IDS), ("uid", ["suiteuser", "1"])):  # fmt: skip
        if f"{{{name}}}" in path and data.draw(st.integers(0, 9)):
            found[name] = data.draw(st.sampled_from(known))
    return found
