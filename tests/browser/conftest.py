"""A real browser on a running site: who looks, with which window, and what must never happen.

Without the browser's driver (extra `browser`) there is nothing here to collect.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import pytest

collect_ignore_glob = [] if find_spec("playwright") else ["*.py"]

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
"""What axe looks for: WCAG 2.2, levels A and AA."""
WIDE, NARROW = (1440, 900), (390, 844)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium, started once."""
    from playwright.sync_api import sync_playwright  # why: belongs to the extra `browser`

    from tests.browser.screenshots import launch  # why: imports the same

    # The driver runs a loop in this thread, which Django takes for asynchronous code.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


class Watch:
    """What a browser had to complain of: errors of scripts, what the content security policy
    stopped, and requests that left the site. A story may `forgive` what it brought about."""

    def __init__(self, site: str) -> None:
        self._host = urlsplit(site).netloc
        self.complaints: list[str] = []

    def over(self, page: Any) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self._host:
            self.complaints.append(f"left the site: {request.url}")

    def forgive(self, *texts: str) -> None:
        """Take back the complaints that hold one of these texts; without any, all of them."""
        self.complaints[:] = [
            c for c in self.complaints if texts and not any(text in c for text in texts)
        ]


@pytest.fixture
def watch(live_server: Any) -> Iterator[Watch]:
    """Looks at every page of the test; nothing may be left to complain of at its end."""
    made = Watch(live_server.url)
    yield made
    assert made.complaints == []


@pytest.fixture
def open_page(chromium: Any, live_server: Any, watch: Watch) -> Iterator[Callable[..., Any]]:
    """`open_page(path, user=None, size=WIDE, scheme="light", **context)`: a page in a browser of
    its own (its own cookies), where `user` is signed in."""
    contexts: list[Any] = []

    def make(
        path: str = "/", user: Any = None, size: tuple[int, int] = WIDE, scheme: str = "light",
        **options: Any,
    ) -> Any:  # fmt: skip
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        if user is not None:
            context.add_cookies([_session(user, live_server.url)])
        page = context.new_page()
        page.set_default_timeout(10_000)
        watch.over(page)
        page.goto(path)
        return page

    yield make
    for context in contexts:
        context.close()


def _session(user: Any, site: str) -> Any:
    """The cookie of a session in which `user` is signed in."""
    from django.conf import settings  # why: the apps are loaded later than this file
    from django.test import Client

    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": site}


@pytest.fixture(scope="session")
def accessible() -> Callable[[Any], None]:
    """`accessible(page)`: fails with what axe finds against WCAG 2.2 A and AA, and where."""
    from axe_playwright_python.sync_playwright import Axe  # why: belongs to the extra `browser`

    axe = Axe()

    def check(page: Any) -> None:
        found = axe.run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
        told = [_violation(v) for v in found.response["violations"]]
        assert not told, f"{page.url}\n" + "\n".join(told)

    return check


def _violation(found: dict[str, Any]) -> str:
    places = [f"{' '.join(map(str, n['target']))}: {n['html'][:160]}" for n in found["nodes"][:5]]
    return "\n  ".join([f"{found['id']} ({found['impact']}): {found['help']}", *places])


def wider_than_its_window(page: Any) -> bool:
    """Whether one would have to scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))
