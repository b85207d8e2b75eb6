"""What every test shares: profiles, services, and the rule that a needed service is not skipped.

Tests marked `services` need PostgreSQL and Redis. Without them they are skipped with the reason;
under `--require-services` that skip is a failure, so that a run cannot pass by testing nothing.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import settings as hypothesis_settings

POSTGRES = os.environ.get(
    "LIGHTKEEPER_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres"
)
REDIS = os.environ.get("LIGHTKEEPER_TEST_REDIS", "redis://127.0.0.1:6379/9")
POSTGRES_OLDEST = 150000

hypothesis_settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis_settings.register_profile("here", deadline=None)
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-services",
        action="store_true",
        help="a test marked `services` or `identity` that would be skipped fails instead",
    )


@pytest.fixture(scope="session", autouse=True)
def what_costs_time_and_proves_nothing() -> None:
    """Each test's client would list all static files anew (the live server has a handler of its
    own), and each invented password would be hashed a million times."""
    from django.conf import settings  # why: pytest-django makes them ready later

    settings.WHITENOISE_USE_FINDERS = False
    quick = "django.contrib.auth.hashers.MD5PasswordHasher"
    settings.PASSWORD_HASHERS = [quick, *settings.PASSWORD_HASHERS]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With the services, only tests that could tell the difference: all others passed without."""
    if not config.getoption("--require-services"):
        return
    kept = [item for item in items if _uses_services(item)]
    config.hook.pytest_deselected(items=[item for item in items if not _uses_services(item)])
    items[:] = kept


def _uses_services(item: pytest.Item) -> bool:
    databases = {"db", "transactional_db", "django_db_setup", "facility", "live_server"}
    asked = databases & set(getattr(item, "fixturenames", ()))
    marks = ("django_db", "services", "identity")
    marked = any(item.get_closest_marker(mark) for mark in marks)
    return bool(asked or marked)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    needed = item.get_closest_marker("services") or item.get_closest_marker("identity")
    required = item.config.getoption("--require-services") and needed
    if required and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped under --require-services: {call.excinfo}"
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a services test early, and say which service is missing."""
    if item.get_closest_marker("services"):
        missing = why_no_postgres() or why_no_redis()
        if missing:
            pytest.skip(missing)
    if item.get_closest_marker("identity"):
        missing = why_no_directory()
        if missing:
            pytest.skip(missing)

    if "provider" in getattr(item, "fixturenames", ()):
        missing = why_no_provider()
        if missing:
            pytest.skip(missing)


def provider_folder() -> Path:
    """Where `make test-identity` has installed the OpenID provider."""
    usual = Path(__file__).parent.parent / ".venv" / "openid-provider"
    return Path(os.environ.get("LIGHTKEEPER_TEST_PROVIDER", usual))


def why_no_provider() -> str | None:
    """Why the tests cannot have an OpenID provider and a browser here, or None when they can."""
    if shutil.which("node") is None:
        return "Node.js is not installed"
    if not (provider_folder() / "node_modules" / "oidc-provider").is_dir():
        return "the OpenID provider is not installed (make test-identity)"
    if find_spec("playwright") is None:
        return "playwright is not installed (extra `browser`)"
    return None


def why_no_directory() -> str | None:
    """Why the tests cannot have an LDAP server here, or None when they can."""
    if find_spec("ldap") is None or find_spec("django_auth_ldap") is None:
        return "python-ldap is not installed (extra `ldap`)"
    if not (shutil.which("slapd") or shutil.which("slapd", path="/usr/sbin:/usr/local/sbin")):
        return "slapd is not installed"
    return None if Path("/etc/ldap/schema/core.schema").is_file() else "slapd has no schemas"


def answers(url: str) -> bool:
    """Whether something accepts connections at the host and port of `url`."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), timeout=2):
            return True
    except OSError:
        return False


def why_no_postgres() -> str | None:
    """Why the tests cannot use PostgreSQL here, or None when they can."""
    if find_spec("psycopg") is None:
        return "psycopg is not installed (extra `production`)"
    if not answers(POSTGRES):
        return "no PostgreSQL at LIGHTKEEPER_TEST_POSTGRES"
    import psycopg  # why: belongs to the extra `production`, looked for above

    try:
        with psycopg.connect(POSTGRES, connect_timeout=2) as connection:
            version = connection.info.server_version
    except psycopg.OperationalError as error:
        return f"PostgreSQL at LIGHTKEEPER_TEST_POSTGRES refuses: {error}"
    return None if version >= POSTGRES_OLDEST else f"PostgreSQL 15 is needed, this is {version}"


def why_no_redis() -> str | None:
    """Why the tests cannot use Redis here, or None when they can."""
    if find_spec("redis") is None:
        return "redis is not installed (extra `production`)"
    return None if answers(REDIS) else "no Redis at LIGHTKEEPER_TEST_REDIS"


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A PostgreSQL whose user may create databases; make your own database in it."""
    missing = why_no_postgres()
    if missing:
        pytest.skip(missing)
    return POSTGRES


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis database that belongs to these tests alone; what it holds may be flushed."""
    missing = why_no_redis()
    if missing:
        pytest.skip(missing)
    return REDIS


class PrivateRedis:
    """A Redis server of one test's own, which the test may stop and start again."""

    def __init__(self, program: str, folder: Path, port: int) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self._command = [
            *(program, "--port", str(port), "--bind", "127.0.0.1"),
            *("--dir", str(folder), "--save", "", "--appendonly", "yes"),
            *("--appendfsync", "always", "--logfile", str(folder / "redis.log")),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, with what it held before; returns when it answers."""
        self._process = subprocess.Popen(self._command)
        until = time.monotonic() + 10
        while not answers(self.url):
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"redis-server did not start: {self._command}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it at once; what was acknowledged stays on its disk."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def private_redis(tmp_path: Path) -> Iterator[PrivateRedis]:
    """A started Redis of this test's own: `.url`, `.stop()`, `.start()`."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    folder = tmp_path / "redis"
    folder.mkdir()
    server = PrivateRedis(program, folder, free_port())
    server.start()
    yield server
    server.stop()


def free_port() -> int:
    """A TCP port on the loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def facility(db: None, tmp_path: Path) -> object:
    """A small facility with stores as folders below tmp_path."""
    from tests.factories import Facility  # why: needs the apps, which pytest-django loads later

    return Facility(tmp_path / "stores")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The database of the tests may be emptied. The journal refuses that by a trigger, and tests
    with transactions of their own are cleared away by emptying all tables; so this database alone
    lacks it. The tests of it put it back; what refuses changes stays in force for all."""
    from django.db import connection  # why: pytest-django loads the settings later

    on = " ON ground_entry" if connection.vendor == "postgresql" else ""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER IF EXISTS journal_keeps_all{on}")
