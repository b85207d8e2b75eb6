"""An active proposal with a closed run, and who calls about it; the OpenAPI document."""

from __future__ import annotations

from typing import Any

import pytest

from tests.calling import Caller, callers, done, proposal, run

__all__ = ["callers", "document", "proposal", "run"]


@pytest.fixture
def document(db: None) -> dict[str, Any]:
    told: dict[str, Any] = done(Caller().get("openapi.json"))
    return told
