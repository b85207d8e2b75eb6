"""Registering files in bulk over REST, beside COPY of the same rows into the same tables.

    DATABASE_URL=postgres://… python benchmarks/bulk_register.py [--rounds 3]

Limits: at least 10,000 rows a second and at least 1/10 of the rate of COPY, both for requests of
5,000 rows and for one stream of 100,000 lines; the server's memory grows by at most 50 MB for the
stream. A database of its own is made on the server of DATABASE_URL and dropped afterwards.

The server is a real gunicorn (one worker) on the loopback. The clock runs from the first byte sent
to the last byte of the answer; the bodies are made before. COPY gets its text ready-made, too.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

RATE = 10_000
SHARE = 1 / 10
GROWTH_MB = 50
BATCH = 5_000
STREAM = 100_000
DEFAULT = "postgres://postgres@127.0.0.1:5432/postgres"


@dataclass(frozen=True)
class Made:
    """What one of the two ways took: rows a second."""

    rest: float
    copy: float

    @property
    def share(self) -> float:
        return self.rest / self.copy


# ---------------------------------------------------------------- a database and a server


@contextlib.contextmanager
def own_database(url: str) -> Iterator[str]:
    """A new database on the server of `url`; its address. Dropped at the end."""
    import psycopg  # why: in the extra `production`, and only after the arguments are read

    name = f"lightkeeper_bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class Server:
    """gunicorn with one worker, serving the site."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        log = (folder / "gunicorn.log").open("ab")
        command = [
            *(sys.executable, "-m", "gunicorn", "catalogue.wsgi:application"),
            *("--workers", "1", "--bind", f"127.0.0.1:{self.port}", "--timeout", "300"),
        ]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if self.call("GET", "/api/v1/health")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the server did not start; see gunicorn.log")

    def call(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=named)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text)

    def memory_mb(self, what: str) -> float:
        """VmRSS (now) or VmHWM (highest so far) of the worker."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        status = Path(f"/proc/{children.split()[0]}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(what))
        return int(line.split()[1]) / 1024

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


# ---------------------------------------------------------------- rows


def files(run: int, count: int, start: int = 0) -> list[dict[str, object]]:
    """Rows as a DAQ registers them: 16 modules, many sequences."""
    return [
        {
            "name": f"RAW-R{run:04d}-AGIPD{n % 16:02d}-S{n // 16:05d}.h5",
            "bytes": 1_000_000 + n,
            "sha256": hashlib.sha256(f"{run}/{n}".encode()).hexdigest(),
        }
        for n in range(start, start + count)
    ]


class Catalogue:
    """The rows that the measurement needs, made by the product's own verbs."""

    def __init__(self, folder: Path) -> None:
        from catalogue.ground import tokens  # why: Django is set up by now, not before
        from tests.factories import Facility

        self.facility = Facility(folder / "stores")
        self.proposal = self.facility.proposal(state="A")
        daq = self.facility.daq.user
        assert daq is not None
        _, self.token = tokens.issue(daq, name="bench", scopes=["daq", "read"])

    def run(self) -> int:
        """A new open run; its number."""
        return self.facility.run(self.proposal, files=0, closed=False).number

    def post(self, server: Server, run: int, body: bytes, *, stream: bool) -> float:
        """Register; the seconds it took."""
        path = f"/api/v1/proposals/{self.proposal.number}/runs/{run}/files"
        kind = "application/x-ndjson" if stream else "application/json"
        path += "?kind=RAW" if stream else ""
        began = time.perf_counter()
        status, answer = server.call(
            "POST", path, body, Authorization=f"Bearer {self.token}", Content_Type=kind
        )
        seconds = time.perf_counter() - began
        if status != 201:
            raise SystemExit(f"{status}: {answer}")
        return seconds

    def copy(self, run: int, pieces: list[list[dict[str, object]]]) -> float:
        """COPY the same rows into the same tables, a transaction for each piece, after the group
        of the run has been made; the seconds it took."""
        from django.db import connection, transaction  # why: as above

        from runs.models import DataGroup, Run

        found = Run.objects.get(proposal=self.proposal, number=run)
        now = "2026-11-22 12:00:00+00"
        group = DataGroup.objects.create(run=found, kind="RAW", created_at=now)
        store = self.facility.stores["online"].pk
        texts = [
            "".join(
                f"{group.pk}\t{r['name']}\t{r['bytes']}\t{r['sha256']}\t\t{now}{REST}\n"
                for r in piece
            )
            for piece in pieces
        ]
        replica = f"{group.pk}\t{store}\tcopied\t{len(pieces[0])}\t1\t\t\t{now}\n"
        began = time.perf_counter()
        for number, text in enumerate(texts):
            with transaction.atomic(), connection.cursor() as cursor:
                raw: Any = cursor
                with raw.copy(COPY_FILES) as copy:
                    copy.write(text)
                if number == 0:
                    with raw.copy(COPY_REPLICA) as copy:
                        copy.write(replica)
        return time.perf_counter() - began


COPY_FILES = (
    "COPY runs_file (data_group_id, name, bytes, sha256, adler32, registered_at,"
    " kind, format, available, immutable) FROM STDIN"
)
REST = "\t\t\tt\tf"  # kind, format, available, immutable
COPY_REPLICA = (
    "COPY runs_replica (data_group_id, store_id, state, file_count, bytes, checksum, verdict,"
    " created_at) FROM STDIN"
)


# ---------------------------------------------------------------- measuring


def requests_of_5000(catalogue: Catalogue, server: Server, batches: int) -> Made:
    """Several requests to one run, and as many COPYs to another."""
    total = batches * BATCH
    run = catalogue.run()
    bodies = [
        json.dumps({"kind": "RAW", "files": files(run, BATCH, n * BATCH)}).encode()
        for n in range(batches)
    ]
    rest = sum(catalogue.post(server, run, body, stream=False) for body in bodies)
    peer = catalogue.run()
    copy = catalogue.copy(peer, [files(peer, BATCH, n * BATCH) for n in range(batches)])
    return Made(total / rest, total / copy)


def one_stream(catalogue: Catalogue, server: Server) -> Made:
    """One stream to one run, and one COPY to another."""
    run = catalogue.run()
    body = b"".join(json.dumps(row).encode() + b"\n" for row in files(run, STREAM))
    rest = catalogue.post(server, run, body, stream=True)
    peer = catalogue.run()
    copy = catalogue.copy(peer, [files(peer, STREAM)])
    return Made(STREAM / rest, STREAM / copy)


def growth(catalogue: Catalogue, folder: Path) -> tuple[float, float]:
    """Memory in MB of a new server that has answered once, and by how much it grows at most while
    it takes a stream."""
    server = Server(folder)
    try:
        warm = catalogue.run()
        body = json.dumps({"kind": "RAW", "files": files(warm, 10)}).encode()
        catalogue.post(server, warm, body, stream=False)
        before = server.memory_mb("VmRSS")
        one_stream(catalogue, server)
        return before, server.memory_mb("VmHWM") - before
    finally:
        server.stop()


def told(what: str, rounds: list[Made]) -> bool:
    """Print the median round; whether it keeps the limits."""
    median = sorted(rounds, key=lambda made: made.rest)[len(rounds) // 2]
    copy = statistics.median(made.copy for made in rounds)
    share = median.rest / copy
    kept = median.rest >= RATE and share >= SHARE
    print(
        f"{what}: {median.rest:,.0f} rows/s over REST (limit {RATE:,}), COPY {copy:,.0f} rows/s, "
        f"ratio {share:.3f} (limit {SHARE:.3f}): {'kept' if kept else 'MISSED'}"
    )
    return kept


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return f"{os.cpu_count()} × {model}, Python {platform.python_version()}"


def measure(folder: Path, rounds: int, batches: int) -> bool:
    """Everything, on the database that the settings name by now; whether all limits are kept."""
    from django.db import connection  # why: Django is set up by now

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        print(f"{machine()}, PostgreSQL {cursor.fetchone()[0]}")
    catalogue = Catalogue(folder)
    server = Server(folder)
    try:
        requests_of_5000(catalogue, server, 1)  # warms both up
        batched = [requests_of_5000(catalogue, server, batches) for _ in range(rounds)]
        streamed = [one_stream(catalogue, server) for _ in range(rounds)]
    finally:
        server.stop()
    before, grown = growth(catalogue, folder)
    good = told(f"{batches} requests of {BATCH:,} files", batched)
    good &= told(f"one stream of {STREAM:,} files", streamed)
    small = grown <= GROWTH_MB
    print(
        f"memory for the stream: {before:.0f} MB, grown by {grown:.1f} MB at most "
        f"(limit {GROWTH_MB}): {'kept' if small else 'MISSED'}"
    )
    return good and small


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, default=10, help="requests of 5,000 in a round")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="lightkeeper-bench-") as temporary,
        own_database(os.environ.get("DATABASE_URL", DEFAULT)) as url,
    ):
        folder = Path(temporary)
        (folder / "data" / "static").mkdir(parents=True)
        os.environ.update(
            DATABASE_URL=url,
            LIGHTKEEPER_DATA=str(folder / "data"),
            DJANGO_SETTINGS_MODULE="catalogue.settings",
            LOG_LEVEL="ERROR",
        )
        import django  # why: the settings read the environment that was made above

        django.setup()
        from django.core.management import call_command  # why: as above
        from django.db import connections

        call_command("migrate", verbosity=0)
        try:
            return 0 if measure(folder, asked.rounds, asked.batches) else 1
        finally:
            connections.close_all()


if __name__ == "__main__":
    raise SystemExit(main())
