"""The page of a run, from a catalogue of some years and from one of 1/100 of the data.

    DATABASE_URL=postgres://… python benchmarks/run_page.py

Limits: the page at a median of 250 ms, a page of files in the middle of a run of 100,000 files at
60 ms, each in at most 1.3 times the time that they take in the small catalogue, for staff and for a
member of the teams alike. Asked in this process through all the middleware, in a session. The large
catalogue has 1,100,000 files of 20,000 runs (`filling.py`). Its databases are made for it and
dropped afterwards.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import asking, filling  # noqa: E402 - as a script, not as a module
from benchmarks.place import database, machine  # noqa: E402

RATIO = 1.3
SIZES = {"small": filling.SMALL, "large": filling.LARGE}
FILES = 100_000
BETWEEN = 10
"""Requests to one catalogue before it is the other's turn: what disturbs one, disturbs both."""

_MANY = """
    INSERT INTO runs_file (data_group_id, name, bytes, sha256, adler32, registered_at, kind, format,
                           available, immutable)
    SELECT %s, 'X-' || lpad(n::text, 8, '0') || '.h5', 1000, repeat('0', 64), '', now(), '', '',
           true, false
    FROM generate_series(1, %s) AS n
"""


class Catalogue:
    """One filled database, with a run of many files, and who looks at it."""

    def __init__(self, url: str, size: filling.Size, site: asking.Site) -> None:
        self._url, self._site = url, site
        self.use()
        filled = filling.fill(size)
        from django.db import connection  # why: after setup

        from runs.models import DataGroup, Run  # why: as above

        rows = Run.objects.filter(pk__in=filled.runs).select_related("proposal")
        asked = set(filled.proposals[: filling.ASKED])
        self.runs = [_path(run) for run in rows if run.proposal.number in asked]
        random.Random(7).shuffle(self.runs)
        group = DataGroup.objects.filter(
            kind="RAW", run__proposal__number=filled.proposals[0]
        ).select_related("run__proposal")[0]
        with connection.cursor() as cursor:
            cursor.execute(_MANY, [group.pk, FILES])
            cursor.execute("ANALYZE")
        self.many = _path(group.run)
        self.cookies = {"staff": _cookie(filled.staff), "member": _cookie(filled.member)}

    def use(self) -> None:
        asking.use(self._url)

    def get(self, path: str, who: str, part: str = "") -> None:
        """Look; a status other than 200 is the end of the measurement."""
        headers = {"Cookie": self.cookies[who]}
        headers |= {"HX-Request": "true", "HX-Target": part} if part else {}
        answer = self._site.ask("GET", path, headers)
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status}: {answer.body[:500]!r}")


def _path(run: object) -> str:
    return f"/proposals/{run.proposal.number:06d}/runs/{run.number:04d}"  # type: ignore[attr-defined]


def _cookie(email: str) -> str:
    from django.conf import settings  # why: after setup
    from django.test import Client

    from catalogue.ground.models import User

    client = Client()
    client.force_login(User.objects.get(email=email))
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


def _pages(catalogue: Catalogue) -> Iterator[str]:
    return itertools.cycle(catalogue.runs)


def _files(catalogue: Catalogue) -> Iterator[str]:
    somewhere = random.Random(7)
    while True:
        yield f"{catalogue.many}?of=RAW&after=X-{somewhere.randrange(FILES - 100):08d}.h5"


@dataclass(frozen=True)
class Figure:
    """What is looked at, the part of the page that is asked for (all of it, if empty), and how many
    milliseconds it may take."""

    name: str
    paths: Callable[[Catalogue], Iterator[str]]
    part: str
    limit: float


FIGURES = (
    Figure("the page of a run", _pages, "", 250),
    Figure(f"25 of {FILES} files of a run", _files, "files", 60),
)


def measure(figure: Figure, who: str, both: tuple[Catalogue, Catalogue], requests: int) -> bool:
    """Ask both by turns; whether the limits are kept."""
    took: list[list[float]] = [[], []]
    ways = [figure.paths(each) for each in both]
    while len(took[-1]) < requests:
        for place, each in enumerate(both):
            each.use()
            each.get(next(ways[place]), who, figure.part)  # connects
            for path in itertools.islice(ways[place], BETWEEN):
                took[place].append(asking.timed(lambda p=path, c=each: c.get(p, who, figure.part)))
    middle = [asking.median(each) for each in took]
    kept = asking.told(f"{figure.name}, {who}", middle[1], figure.limit, "ms")
    return asking.told("    beside 1/100 of the data", middle[1] / middle[0], RATIO, "x", 2) & kept


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--requests", type=int, default=60, help="of each kind, to each size")
    requests = parser.parse_args().requests
    print(machine())
    with ExitStack() as stack:
        urls = [stack.enter_context(database(f"lightkeeper_bench_page_{s}")) for s in SIZES]
        asking.set_up(urls[0])
        site = asking.Site()
        small, large = (Catalogue(u, s, site) for u, s in zip(urls, SIZES.values(), strict=True))
        try:
            kept = [
                measure(figure, who, (small, large), requests)
                for figure in FIGURES
                for who in ("staff", "member")
            ]
        finally:
            from django.db import connections  # why: after setup

            connections.close_all()
    return 0 if all(kept) else 1


if __name__ == "__main__":
    raise SystemExit(main())
