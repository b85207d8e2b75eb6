"""What programs read most, from a catalogue of some years and from one of 1/100 of the data.

    DATABASE_URL=postgres://… python benchmarks/legacy_reads.py

Limits: one run of the legacy API at a median of 15 ms, the 100 runs of a proposal at 60 ms, each
with at most 10 queries, as many for much data as for little, and in at most 1.3 times the time; a
list of 1,000 replicas of one proposal in 100 ms; a poll of the event feed with nothing new in
10 ms. Each is measured for staff and for a member of the teams, whose rights are asked by
proposal, in this process through all the middleware with an OAuth2 token. The large catalogue has
1,000,000 files of 20,000 runs (`filling.py`). Its databases are made for it and dropped afterwards.
"""

from __future__ import annotations

import argparse
import itertools
import json
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

QUERIES = 10
RATIO = 1.3
WHO = {
    "staff": ("read", "daq", "adopt", "transfer", "write"),
    "member": ("read",),
    "newcomer": ("read",),
}
BOTH = ("staff", "member")
BETWEEN = 20
"""Requests to one catalogue before it is the other's turn: what disturbs one, disturbs both."""


@dataclass(frozen=True)
class Figure:
    """What is read, and how long it may take: addresses without end, the limit in milliseconds
    (None: told only), and whether queries and the ratio of the sizes have limits too. With
    `together`, so many addresses make one of it."""

    name: str
    paths: Callable[[filling.Filled], Iterator[str]]
    limit: float | None
    compared: bool = False
    share: int = 1
    who: tuple[str, ...] = BOTH
    together: int = 1


def _runs(filled: filling.Filled) -> Iterator[str]:
    some = list(filled.runs[: filling.ASKED * 100])
    random.Random(7).shuffle(some)
    return (f"/metadata/api/runs/{pk}" for pk in itertools.cycle(some))


def _by_number(filled: filling.Filled) -> Iterator[str]:
    numbers = itertools.cycle(filled.proposals[: filling.ASKED])
    return (f"/metadata/api/proposals/by_number/{n}/runs?page_size=100" for n in numbers)


def _native_replicas(filled: filling.Filled) -> Iterator[str]:
    return itertools.repeat(f"/api/v1/proposals/{filling.MANY_REPLICAS}/replicas?page_size=1000")


def _legacy_replicas(filled: filling.Filled) -> Iterator[str]:
    path = "/metadata/api/data_groups_repositories?page_size=500&page="
    return (f"{path}{n}" for n in itertools.cycle((1, 2)))


def _events(filled: filling.Filled) -> Iterator[str]:
    return itertools.repeat("/api/v1/events?limit=1000&after=e0")


FIGURES = (
    Figure("GET runs/{id}", _runs, 15, compared=True),
    Figure("GET proposals/by_number/N/runs?page_size=100", _by_number, 60, True, share=4),
    Figure("1,000 replicas of a proposal, native", _native_replicas, 100, share=10),
    Figure(
        "1,000 replicas of a proposal, legacy, in two pages",
        _legacy_replicas,
        100,
        share=10,
        who=("newcomer",),
        together=2,
    ),
    Figure("1,000 events, native", _events, None, share=10),
)


class Catalogue:
    """One filled database, and who asks it."""

    def __init__(self, url: str, size: filling.Size, site: asking.Site) -> None:
        self.url = url
        self.use()
        self.filled = filling.fill(size)
        self.callers = {
            who: asking.Caller(site, getattr(self.filled, who), scopes)
            for who, scopes in WHO.items()
        }

    def use(self) -> None:
        asking.use(self.url)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--requests", type=int, default=200, help="of each kind, to each size")
    requests = parser.parse_args().requests
    print(machine())
    with ExitStack() as stack:
        urls = [stack.enter_context(database(f"lightkeeper_bench_{s}")) for s in SIZES]
        asking.set_up(urls[0])
        site = asking.Site()
        small, large = (
            Catalogue(url, size, site) for url, size in zip(urls, SIZES.values(), strict=True)
        )
        try:
            kept = [measure(f, who, small, large, requests) for f in FIGURES for who in f.who]
            kept += [polled(who, large, requests) for who in BOTH]
        finally:
            from django.db import connections  # why: after setup

            connections.close_all()
    return 0 if all(kept) else 1


SIZES = {"small": filling.SMALL, "large": filling.LARGE}


def measure(figure: Figure, who: str, small: Catalogue, large: Catalogue, requests: int) -> bool:
    """Ask both by turns; print what is limited. Whether all of it is kept."""
    both = (small, large) if figure.compared else (large,)
    took: list[list[float]] = [[] for _ in both]
    asked = []
    paths = [figure.paths(each.filled) for each in both]
    for place, each in enumerate(both):
        each.use()
        # Not all runs have corrections and reports.
        asked.append(max(each.callers[who].queries(next(paths[place])) for _ in range(5)))
    times = max(requests // figure.share, 5)
    while len(took[-1]) < times:
        for place, each in enumerate(both):
            each.use()
            caller = each.callers[who]
            for _ in range(figure.together):
                caller.get(next(paths[place]))  # connects
            some = itertools.islice(paths[place], min(BETWEEN, times) * figure.together)
            each_took = caller.milliseconds(some)
            took[place] += map(sum, zip(*[iter(each_took)] * figure.together, strict=True))
    name = f"{figure.name}, {who}"
    middle = [asking.median(each) for each in took]
    if figure.limit is None:
        print(f"{name}: {middle[-1]:.1f} ms, {asked[-1]} queries")
        return True
    kept = asking.told(name, middle[-1], figure.limit, "ms")
    if not figure.compared:
        print(f"    {asked[-1]} queries")
        return kept
    kept &= asking.told("    queries", asked[-1], min(QUERIES, asked[0]), "", 0)
    return asking.told("    beside 1/100 of the data", middle[1] / middle[0], RATIO, "x", 2) & kept


def polled(who: str, large: Catalogue, requests: int) -> bool:
    """The feed when nothing is new."""
    large.use()
    caller = large.callers[who]
    after = json.loads(caller.get("/api/v1/events?after=now").body)["next"]
    path = f"/api/v1/events?after={after}"
    asked = caller.queries(path)
    took = asking.median(caller.milliseconds(itertools.repeat(path, requests)))
    kept = asking.told(f"poll of the feed with nothing new, {who}", took, 10, "ms")
    print(f"    {asked} queries")
    return kept


if __name__ == "__main__":
    raise SystemExit(main())
