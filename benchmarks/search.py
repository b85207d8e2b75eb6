"""How long the search box takes, in a catalogue of some years.

    DATABASE_URL=postgres://… python benchmarks/search.py

Limit: 200 ms of the server's time at the median for each kind of question, for staff (who see
everything), for a member of some teams, and for a visitor, whose rights are asked by proposal.
The catalogue has 1,000,000 files of 20,000 runs (`filling.py`); its database is made for it and
dropped afterwards, or is kept as `--database` for the next time.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import asking, filling  # noqa: E402 - as a script, not as a module
from benchmarks.place import database, machine  # noqa: E402

LIMIT = 200
ASKED = (
    ("a proposal by number", f"p{filling.FIRST}"),
    ("a bare number", "12"),
    ("a run by both numbers", f"{filling.FIRST} r0012"),
    ("a run by number", "r0012"),
    ("a word of many titles", "study"),
    ("a word of many comments", "beam"),
    ("a rare word", "unicorn"),
    ("a word of no text", "nothingofthekind"),
    ("a sample", "sample 2"),
    ("a person", "user04"),
    ("a DOI", "10.5072/XFEL.EU-DATA-700001-00"),
    ("one file", "RAW-R0012-AGIPD00-S00003.h5"),
    ("the files of a run number", "RAW-R0012"),
    ("files of ten run numbers, corrected", "CORR-R001"),
    ("files of a name that is nowhere", "ZZZ-R0001"),
    ("corrected files in small letters", "corr-r0099-agipd00-s00015"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--times", type=int, default=15, help="each question is asked")
    parser.add_argument("--database", default="", help="address of a database to keep and use")
    arguments = parser.parse_args()
    print(machine())
    kept = arguments.database
    with nullcontext(kept) if kept else database("lightkeeper_bench_search") as url:
        asking.set_up(url)
        site = asking.Site()
        filled = filling.fill(filling.LARGE)
        _say_something()
        try:
            within = [
                _measure(site, who, cookie, what=what, text=text, times=arguments.times)
                for who, cookie in _readers(filled).items()
                for what, text in ASKED
            ]
        finally:
            from django.db import connections  # why: after setup

            connections.close_all()
    return 0 if all(within) else 1


def _measure(site: Any, who: str, cookie: str, *, what: str, text: str, times: int) -> bool:
    path = f"/search?q={quote(text)}"
    headers = {"Cookie": cookie, "Accept": "text/html"}

    def ask() -> None:
        answer = site.ask("GET", path, headers)
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status}: {answer.body[:500]!r}")

    ask()
    middle = asking.median([asking.timed(ask) for _ in range(times)])
    return asking.told(f"{what}, {who}", middle, LIMIT, f"ms ({middle / LIMIT:.2f} of it)")


def _readers(filled: filling.Filled) -> dict[str, str]:
    """Who asks, with the cookie of their session."""
    from django.conf import settings  # why: after setup
    from django.test import Client

    from catalogue.ground.models import User

    cookies = {}
    for who in ("staff", "member"):
        client = Client()
        client.force_login(User.objects.get(email=getattr(filled, who)))
        name = settings.SESSION_COOKIE_NAME
        cookies[who] = f"{name}={client.cookies[name].value}"
    return {**cookies, "visitor": ""}


def _say_something() -> None:
    """Comments on the runs, as a shift writes them; and what PostgreSQL should know of the rows."""
    from django.db import connection  # why: after setup

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE runs_run SET comment = CASE WHEN id % 3 = 0 THEN 'beam lost, shutter closed '"
            " ELSE 'good hits, aligned ' END || id WHERE comment = ''"
        )
        cursor.execute("UPDATE runs_run SET comment = 'a unicorn' WHERE id = 77")
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    sys.exit(main())
