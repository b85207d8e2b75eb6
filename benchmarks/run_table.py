"""The run table on PostgreSQL, with 5,000 runs in one proposal and a million files in the
catalogue: its first page, a poll while nothing happens, the update of one run.

    DATABASE_URL=postgres://… python benchmarks/run_table.py [--rounds N]

Two databases are filled beside the one named (see `filling.py`): one as a facility has it after
some years, one with 1/100 of the data. Each page is asked for through the whole application, as a
member of the team and as staff, by turns with the other database. Timed is the server alone.

Ends 1 when a limit is missed: at most 12 queries and 150 ms for the first page, 1.3 times what it
takes with 1/100 of the data; at most 3 queries and 10 ms for a poll that is told nothing; at most
5,000 bytes for the update of one run; at most 80,000 bytes of JavaScript, compressed.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import asking, filling  # noqa: E402 - as a script, not as a module
from benchmarks.place import SERVER, database, machine  # noqa: E402

PAGE_MS, PAGE_QUERIES, RATIO = 150.0, 12, 1.3
IDLE_MS, IDLE_QUERIES = 10.0, 3
UPDATE_BYTES, SCRIPT_BYTES = 5_000, 80_000
BETWEEN = 3
"""Requests to one catalogue before it is the other's turn: what disturbs one, disturbs both."""


class Reader:
    """A person who is signed in, in a browser that sends the cookie of their session."""

    def __init__(self, site: asking.Site, email: str) -> None:
        from django.conf import settings  # why: after setup
        from django.test import Client

        from catalogue.ground.models import User

        client = Client()
        client.force_login(User.objects.get(email=email))
        name = settings.SESSION_COOKIE_NAME
        self._headers = {"Cookie": f"{name}={client.cookies[name].value}", "HX-Request": "true"}
        self._site = site

    def ask(self, path: str) -> asking.Answered:
        return self._site.ask("GET", path, self._headers)

    def get(self, path: str, status: int = 200) -> asking.Answered:
        answer = self.ask(path)
        if answer.status != status:
            raise SystemExit(f"{path}: {answer.status}: {answer.body[:500]!r}")
        return answer

    def queries(self, path: str, status: int = 200) -> int:
        with asking.counted() as asked:
            self.get(path, status)
        return len(asked)


TABLE = f"/proposals/{filling.MANY_RUNS:06d}/runs"


class Open:
    """The table open in a browser: the address that it asks what happened since."""

    def __init__(self, reader: Reader) -> None:
        html = reader.get(TABLE).body.decode()
        found = re.search(r'data-cursor="([^"]+)"', html)
        numbers = re.findall(r'<tr id="run-r(\d+)"', html)
        if found is None or not numbers:
            raise SystemExit(f"{TABLE} shows no runs")
        self.reader, self.shown, self.cursor = reader, ",".join(numbers), found[1]
        while self.ask().status != 204:
            pass

    @property
    def address(self) -> str:
        return f"{TABLE}/changes?after={quote(self.cursor)}&shown={self.shown}"

    def ask(self) -> asking.Answered:
        answer = self.reader.ask(self.address)
        self.cursor = answer.headers.get("X-Cursor", self.cursor)
        return answer


def measure(
    site: asking.Site, urls: dict[str, str], who: str, emails: dict[str, str], rounds: int
) -> bool:
    """The first page and the idle poll, for one reader, who has an address in each database."""
    took: dict[str, list[float]] = {size: [] for size in urls}
    for _ in range(rounds):
        for size, url in urls.items():
            asking.use(url)
            reader = Reader(site, emails[size])
            reader.get(TABLE)
            took[size] += [asking.timed(lambda r=reader: r.get(TABLE)) for _ in range(BETWEEN)]
    large, small = asking.median(took["large"]), asking.median(took["small"])
    name = f"first page, {who}"
    kept = asking.told(name, large, PAGE_MS, "ms")
    kept &= asking.told(f"{name}, beside 1/100 of the data", large / small, RATIO, "times", 2)
    asking.use(urls["large"])
    reader = Reader(site, emails["large"])
    reader.get(TABLE)
    kept &= asking.told(name, reader.queries(TABLE), PAGE_QUERIES, "queries", 0)
    page = Open(reader)
    idle = [asking.timed(lambda: reader.get(page.address, 204)) for _ in range(rounds * 3)]
    kept &= asking.told(f"idle poll, {who}", asking.median(idle), IDLE_MS, "ms")
    asked = reader.queries(page.address, 204)
    return kept & asking.told(f"idle poll, {who}", asked, IDLE_QUERIES, "queries", 0)


def update(site: asking.Site, email: str) -> bool:
    """What crosses the wire when one run was marked."""
    from catalogue.ground.actor import COMMAND  # why: after setup
    from runs import commands
    from runs.models import Run

    page = Open(Reader(site, email))
    run = Run.objects.filter(proposal__number=filling.MANY_RUNS).first()
    assert run is not None
    commands.edit(run, by=COMMAND, comment="seen at three in the morning")
    size = len(page.ask().body)
    return asking.told("update of one run", size, UPDATE_BYTES, "bytes", 0)


def scripts(site: asking.Site, email: str) -> bool:
    """All JavaScript of the page, as a server would compress it."""
    from django.contrib.staticfiles import finders  # why: after setup

    html = Reader(site, email).get(TABLE).body.decode()
    names = re.findall(r'<script src="/static/([^"]+)"', html)
    found = [Path(path) for name in names if (path := finders.find(name))]
    if len(found) < len(names) or not found:
        raise SystemExit(f"Not all scripts of the page were found: {names}")
    size = sum(len(gzip.compress(path.read_bytes())) for path in found)
    return asking.told(f"JavaScript in {len(found)} files", size, SCRIPT_BYTES, "bytes", 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    print(machine())
    asking.set_up(os.environ.get("DATABASE_URL", SERVER))
    with ExitStack() as stack:
        sizes = {"small": filling.SMALL, "large": filling.LARGE}
        urls = {
            name: stack.enter_context(database(f"lightkeeper_bench_table_{name}")) for name in sizes
        }
        people: dict[str, dict[str, str]] = {"member": {}, "staff": {}}
        for name, size in sizes.items():
            asking.use(urls[name])
            filled = filling.fill(size)
            people["member"][name], people["staff"][name] = filled.member, filled.staff
        site = asking.Site()
        kept = True
        for who, emails in people.items():
            kept &= measure(site, urls, who, emails, arguments.rounds)
        kept &= update(site, people["member"]["large"])
        kept &= scripts(site, people["member"]["large"])
        asking.use(os.environ.get("DATABASE_URL", SERVER))
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
