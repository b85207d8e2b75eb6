"""`make test-clients`: the published clients' own suites, unmodified, against running servers.

On SQLite and on PostgreSQL a server with several web workers is started on an empty database with
the suites' rows; both suites run beside each other, three times in a row on the same database; then
our own tests of what the suites do not reach. Anything but all tests passed is a failure. Without
PostgreSQL that half is left out, with the reason; in CI that is a failure too.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from xml.etree import ElementTree

from tests.conftest import POSTGRES, free_port, why_no_postgres

HERE = Path(__file__).resolve().parent
TREES = {"metadata": 89, "calibration": 58}
"""The clients, and how many tests their suites have."""
WORKERS = 4
SLOWEST = 600.0
COMPLAINTS = (" ERROR ", "[ERROR]", "CRITICAL", "Traceback")
SHOWN = 200  # lines of a run that went wrong
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR")


@dataclass(frozen=True)
class Count:
    """How one run of pytest ended."""

    passed: int
    others: int
    seconds: float
    output: str

    def __str__(self) -> str:
        others = f", {self.others} not" if self.others else ""
        return f"{self.passed} passed{others} in {self.seconds:.0f} s"


class Run:
    """All of it; `failures` says what went wrong."""

    def __init__(self, environments: Path, rounds: int) -> None:
        self._environments = environments
        self._rounds = rounds
        self.failures: list[str] = []

    def on(self, database: str, url: str) -> None:
        """The suites and our tests against a server on one database."""
        with tempfile.TemporaryDirectory(prefix="lightkeeper-clients-") as folder:
            data = Path(folder, "site")
            try:
                with _server(data, url) as site:
                    for number in range(1, self._rounds + 1):
                        self._beside(f"{database}, round {number}", site, folder, self._suite)
                    self._beside(f"{database}, ours", site, folder, self._ours)
            except ServerError as problem:
                self.failures.append(f"{database}: {problem}")
                print(f"FAILED {database}: {problem}", flush=True)

    def _beside(self, name: str, site: str, folder: str, what: object) -> None:
        assert callable(what)
        with ThreadPoolExecutor(len(TREES)) as pool:
            counts = list(pool.map(lambda tree: what(tree, site, folder), TREES))
        for tree, count in zip(TREES, counts, strict=True):
            awaited = TREES[tree] if what == self._suite else None
            good = not count.others and (count.passed == awaited if awaited else count.passed > 0)
            print(f"{'ok' if good else 'FAILED':<6} {name}: {tree}_client: {count}", flush=True)
            if not good:
                print("\n".join(count.output.splitlines()[-SHOWN:]), flush=True)
                self.failures.append(f"{name}: {tree}_client: {count}, {awaited or 'some'} awaited")

    def _suite(self, tree: str, site: str, folder: str) -> Count:
        plugins = [f"-p{name}" for name in ("no:cacheprovider", "suite_secrets", "tick")]
        shown = ["--show-capture=no", "--tb=short"]
        return self._pytest(
            tree, site, folder, [*plugins, *shown, "--pyargs", f"{tree}_client.tests"]
        )

    def _ours(self, tree: str, site: str, folder: str) -> Count:
        found = sorted(str(path) for path in HERE.glob(f"test_{tree}_*compound.py"))
        options = ["-c", str(HERE / "clients.ini"), "--confcutdir", str(HERE)]
        return self._pytest(tree, site, folder, [*options, *found])

    def _pytest(self, tree: str, site: str, folder: str, options: Sequence[str]) -> Count:
        """Run it in an empty folder, without the one it stands in on the path of modules."""
        work = tempfile.mkdtemp(dir=folder)
        told = Path(work, "told.xml")
        python = self._environments / tree / "bin" / "python"
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {
            "PYTHONPATH": str(HERE / "plugins"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OAUTHLIB_INSECURE_TRANSPORT": "1",
            "LIGHTKEEPER_SUITE_SITE": site,
        }
        began = time.monotonic()
        command = [str(python), "-P", "-m", "pytest", "-q", f"--junitxml={told}", *options]
        try:
            done = subprocess.run(
                command, cwd=work, env=environment, timeout=SLOWEST, check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Count(0, 1, SLOWEST, f"ended after {SLOWEST:.0f} seconds")
        output = done.stdout.decode(errors="replace")
        passed, others = _counted(told)
        # pytest that ended badly without a failed test has not run them all
        others = others or int(done.returncode != 0)
        return Count(passed, others, time.monotonic() - began, output)


def _counted(told: Path) -> tuple[int, int]:
    """Of a report of pytest's: how many tests passed, and how many did not for any reason."""
    if not told.exists():
        return 0, 1
    cases = list(ElementTree.parse(told).iter("testcase"))  # noqa: S314 - written by our own pytest
    others = sum(1 for case in cases if case.find("failure") is not None
                 or case.find("error") is not None or case.find("skipped") is not None)  # fmt: skip
    return len(cases) - others, others


# ---------------------------------------------------------------- servers and databases


class ServerError(Exception):
    """The server did not start, or did not end as it should; the message holds its words."""


@contextmanager
def _server(data: Path, url: str) -> Iterator[str]:
    """A server with an empty database; its address. Raises `ServerError`."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "tests.clients.server", "--port", str(port)),
        *("--data", str(data), "--workers", str(WORKERS), "--database", url),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    try:
        line = process.stdout.readline().decode()
        if "answers" not in line:
            process.wait(60)
            raise ServerError(line + process.stdout.read().decode())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        rest = process.stdout.read().decode()
        code = process.wait(60)
    if code or rest:
        raise ServerError(f"the server ended with {code}: {rest}")
    log = (data / "logs" / "web.log").read_text(errors="replace")
    if any(word in log for word in COMPLAINTS):
        # a fault of ours even where no test sees it
        raise ServerError(f"the server complained; its log ends:\n{log[-4000:]}")


@contextmanager
def _database(url: str) -> Iterator[str]:
    """The address of a new PostgreSQL database beside the one that `url` names."""
    import psycopg  # why: belongs to the extra `production`; `why_no_postgres` looked for it

    name = f"lightkeeper_clients_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _on_postgres(run: Run) -> None:
    with _database(POSTGRES) as url:
        run.on("PostgreSQL", url)


def main(arguments: Sequence[str]) -> int:
    """0 if every suite passed as often as it should."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients.run", description=__doc__)
    parser.add_argument("--environments", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    chosen = parser.parse_args(arguments)
    run = Run(chosen.environments.absolute(), chosen.rounds)
    halves: list[Callable[[], None]] = []
    if chosen.only != "postgresql":
        halves.append(lambda: run.on("SQLite", ""))
    missing = why_no_postgres()
    if chosen.only != "sqlite":
        if missing is None:
            halves.append(lambda: _on_postgres(run))
        elif os.environ.get("CI"):
            run.failures.append(f"PostgreSQL: left out: {missing}")
        else:
            print(f"left out: PostgreSQL: {missing}")
    # Beside each other: the suites spend most of their time waiting.
    with ThreadPoolExecutor(2) as pool:
        for half in [pool.submit(half) for half in halves]:
            half.result()
    for failure in run.failures:
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
