"""The suites' rows, for tests that go by their ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from catalogue.faces.mymdc.suites import entering

PROGRAM = ("local-ci-client", "local-ci-secret", "suite.user@example.org")


@pytest.fixture(scope="module")
def suite_rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The rows, for all tests of the module; gone after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        entering.enter()
        yield
        transaction.set_rollback(True)
