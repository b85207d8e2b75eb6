from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogue.publication.judges import seeded_cache


@pytest.fixture(scope="session")
def crate_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What rocrate-validator needs to work without a network."""
    return seeded_cache(tmp_path_factory.mktemp("ro-crate"))
