"""A real Celery worker on PostgreSQL and Redis, which a test may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.factories import Facility


def environment_of_another() -> dict[str, str]:
    """The environment of another process that works on the database of this test."""
    database = connection.settings_dict
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "catalogue.settings",
        "DATABASE_URL": (
            f"postgres://{database['USER'] or 'postgres'}:{database['PASSWORD']}"
            f"@{database['HOST'] or '127.0.0.1'}:{database['PORT'] or 5432}/{database['NAME']}"
        ),
    }


class Worker:
    """`celery worker` with its schedule, in a process group of its own."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.log = folder / "worker.log"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            **environment_of_another(),
            "BROKER_URL": broker,
            "LIGHTKEEPER_DATA": str(folder),
            "JOB_LEASE_SECONDS": "2",
            "JOB_BACKOFF_SECONDS": "0.5",
            "SWEEP_SECONDS": "0.5",
        }

    def start(self) -> None:
        """Start it; jobs that wait are found by its schedule."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "catalogue.celery", "worker", "-B"),
                    *("--schedule", str(self._folder / "beat"), "--concurrency", "2"),
                    *("--loglevel", "INFO", "--without-gossip", "--without-mingle"),
                ],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL to all of its processes: nothing of it says good-bye."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None


@pytest.fixture
def on_postgres() -> None:
    """The whole run is on PostgreSQL; the worker uses its database."""
    if connection.vendor != "postgresql":
        pytest.skip("needs DATABASE_URL on PostgreSQL (make test-services)")


@pytest.fixture
def site(on_postgres: None, transactional_db: None, tmp_path: Path) -> Facility:
    """A facility whose rows another process can see."""
    return Facility(tmp_path / "stores")


@pytest.fixture
def worker_on(tmp_path: Path) -> Iterator[Callable[[str], Worker]]:
    """Makes workers on a broker; kills them at the end."""
    made: list[Worker] = []

    def make(broker: str) -> Worker:
        folder = tmp_path / "worker"
        folder.mkdir(exist_ok=True)
        made.append(Worker(folder, broker))
        return made[-1]

    yield make
    for worker in made:
        worker.kill()


def until(what: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until `what()` is true; fails with its name after `seconds`."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what.__doc__ or what.__name__}"
        time.sleep(0.02)
