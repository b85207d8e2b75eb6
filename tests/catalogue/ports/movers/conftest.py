from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalogue.ports.movers import Place
from tests.catalogue.ports.movers import stores


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """A known umask, so that modes can be compared; tests set others."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def source(tmp_path: Path) -> Place:
    """A run in the online store, laid down by its DAQ."""
    place = Place(tmp_path / "online", stores.RUN)
    stores.put(place, stores.files())
    return place


@pytest.fixture
def destination(tmp_path: Path) -> Place:
    """The same run's place in the offline store, prepared down to `raw`."""
    place = Place(tmp_path / "offline", stores.RUN)
    raw = Path(str(place)).parent
    raw.mkdir(parents=True)
    raw.chmod(0o2750)
    return place


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that a process without privileges can reach and write to."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """A folder in memory where there is one, for tests that build a thousand worlds."""
    memory = Path("/dev/shm")  # noqa: S108  (only where the folder of a test is made)
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)
