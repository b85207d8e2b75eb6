"""When a page is usable: the Largest Contentful Paint of the run table in the system's Chromium.

    DATABASE_URL=postgres://… python benchmarks/usable.py [--size small|large] [--rounds N]

A database is filled beside the one named (see `filling.py`), with 5,000 runs in one proposal and a
million files in the catalogue, or with 1/100 of that. A server in this process answers the browser
on this machine; each round is a browser of its own with nothing in its cache. The first round, in
which the server itself begins, is left out.

Ends 1 when a median is over its limit: 1,000 ms.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import asking, filling  # noqa: E402 - as a script, not as a module
from benchmarks.place import SERVER, database, machine  # noqa: E402

LIMIT_MS = 1_000.0
SIZES = {"small": filling.SMALL, "large": filling.LARGE}
TABLE = f"/proposals/{filling.MANY_RUNS:06d}/runs"
WINDOWS = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}
PAINT = """() => new Promise((told) => {
  new PerformanceObserver((list) => told(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true });
  setTimeout(() => told(-1), 5000);
})"""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing: what counts is printed by the measurement."""


@contextmanager
def served() -> Iterator[str]:
    """The site with its static files, on a free port of this machine."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler  # why: after setup
    from django.core.wsgi import get_wsgi_application

    application: Any = StaticFilesHandler(get_wsgi_application())  # type: ignore[no-untyped-call]
    with make_server("127.0.0.1", 0, application, _Server, _Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def session(email: str) -> tuple[str, str]:
    """Name and value of the cookie of somebody who is signed in."""
    from django.conf import settings  # why: after setup
    from django.test import Client

    from catalogue.ground.models import User

    client = Client()
    client.force_login(User.objects.get(email=email))
    name = settings.SESSION_COOKIE_NAME
    return name, client.cookies[name].value


def paints(
    browser: Any, site: str, cookie: tuple[str, str], window: dict[str, int], rounds: int
) -> list[float]:
    """After how many milliseconds the largest thing stood there, round by round."""
    found = []
    name, value = cookie
    for _ in range(rounds + 1):
        with browser.new_context(viewport=window) as context:
            context.add_cookies([{"name": name, "value": value, "url": site}])
            page = context.new_page()
            answer = page.goto(f"{site}{TABLE}", wait_until="load")
            if answer is None or answer.status != 200 or not page.locator("#run-rows tr").count():
                raise SystemExit(f"{page.url} shows no runs")
            paint = page.evaluate(PAINT)
            if paint < 0:
                raise SystemExit("The browser told of no paint.")
            found.append(paint)
    return found[1:]


def main() -> int:
    from playwright.sync_api import sync_playwright  # why: belongs to the extra `browser`

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--size", choices=SIZES, default="large")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    print(machine())
    asking.set_up(os.environ.get("DATABASE_URL", SERVER))
    from tests.browser.screenshots import launch  # why: imports playwright

    kept = True
    with database("lightkeeper_bench_usable") as url:
        asking.use(url)
        filled = filling.fill(SIZES[arguments.size])
        cookie = session(filled.member)
        asking.use(url)  # without a connection that a thread would share
        with served() as site, sync_playwright() as playwright:
            browser = launch(playwright)
            for name, window in WINDOWS.items():
                found = asking.median(paints(browser, site, cookie, window, arguments.rounds))
                what = f"run table usable, {name} ({arguments.size} catalogue)"
                kept &= asking.told(what, found, LIMIT_MS, "ms")
            browser.close()
        asking.use(os.environ.get("DATABASE_URL", SERVER))
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
