"""Pictures of the pages of a running site, at two widths, light and dark.

    python -m tests.browser.screenshots --site http://localhost:8765 --folder pictures

signs in by the first login that a demo shows (or by --login and --password), follows the links a
person would follow, and writes one PNG per page, width and colour scheme; then the pages of the
user office and of data managers, where the site is a demo. Ends 1 when no proposal with runs was
found, a page answers with an error or scrolls sideways, or the browser complains on its console.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
WIDTHS = {"wide": (1440, 900), "narrow": (390, 844)}
SCHEMES = ("light", "dark")


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium, without its background traffic."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


def sign_in(page: Page, site: str, login: str, password: str, role: str = "") -> bool:
    """Sign in by the form, or by a login that a demo offers: the first, or the first of a role.
    Whether there was one."""
    page.context.clear_cookies()
    page.goto(f"{site}/sign-in")
    if login:
        page.get_by_label("Login", exact=True).fill(login)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
    else:
        offered = page.locator(".logins li").filter(has_text=role).get_by_role("button")
        if not offered.count():
            return False
        offered.first.click()
    page.wait_for_url(f"{site}/")
    return True


def links(page: Page, pattern: str) -> list[str]:
    """What is in the group of the pattern, of each address on the page that matches, once each."""
    addresses = [link.get_attribute("href") or "" for link in page.locator("a[href]").all()]
    return list(dict.fromkeys(m.group(1) for a in addresses if (m := re.fullmatch(pattern, a))))


def first_link(page: Page, pattern: str) -> str | None:
    """The first of them."""
    return next(iter(links(page, pattern)), None)


def played(page: Page, site: str) -> tuple[str, str]:
    """A proposal and a run of it that tells something: of those that the reader may see, one with
    Good runs before one with any; those whose beamtime runs first."""
    numbers: list[str] = []
    for query in ("?phase=running", ""):
        page.goto(f"{site}/proposals{query}")
        numbers += links(page, r"/proposals/(\d+)")
    for query in ("?quality=good", ""):
        for number in dict.fromkeys(numbers):
            page.goto(f"{site}/proposals/{number}/runs{query}")
            if run := first_link(page, rf"/proposals/{number}/runs/(\d+)"):
                return number, run
    return "", ""


TABS = (
    *("public", "runs", "samples", "logbook", "team", "repositories", "constants"),
    *("publication", "plan", "history", "holds"),
)


def pages_of(page: Page, site: str, proposal: str, run: str) -> Iterator[tuple[str, str]]:
    """Name and path of each page worth a picture. The browser is signed in."""
    yield from (("home", "/"), ("proposals", "/proposals"), ("jobs", "/jobs"))
    yield from (("storage", "/storage"), ("policy", "/policy"), ("open-data", "/data"))
    yield from (("search", "/search?q=a"), ("status", "/status"), ("notices", "/notices"))
    yield from (("words", "/help"), ("search-nothing", "/search?q=zzz"), ("search-help", "/search"))
    yield from (("job-rates", "/jobs/rates"), ("board", "/proposals/board"), ("access", "/access"))
    yield from (("tokens", "/tokens"), ("identities", "/identities"))
    page.goto(f"{site}/jobs?state=held")
    if job := first_link(page, r"(/jobs/\d+)"):
        yield "job", job
    page.goto(f"{site}/data?access=open")
    if record := first_link(page, r"(/data/\d+)"):
        yield from (("landing-open", record), ("landing-files", f"{record}/files"))
    page.goto(f"{site}/data?access=embargoed")
    if record := first_link(page, r"(/data/\d+)"):
        yield "landing-embargoed", record
    yield "not-found", "/proposals/999999"
    if not proposal:
        return
    base = f"/proposals/{proposal}"
    yield "general", base
    yield from ((name, f"{base}/{name}") for name in TABS)
    if run:
        yield from (("run", f"{base}/runs/{run}"), ("kept", f"{base}/runs/{run}/kept"))
        yield "withdraw-run", f"{base}/runs/{run}/withdraw"


def pages_of_office(proposal: str) -> Iterator[tuple[str, str]]:
    """Those of the user office."""
    yield from (("office-home", "/"), ("office-board", "/proposals/board?instrument="))
    yield from (("office-new", "/proposals/new"), ("office-import", "/proposals/import"))
    if proposal:
        base = f"/proposals/{proposal}"
        yield from (("office-general", base), ("office-team", f"{base}/team"))
        yield from (("office-preparation", f"{base}/preparation"),)
        yield "office-withdraw", f"{base}/withdraw"


def pages_of_managers(proposal: str) -> Iterator[tuple[str, str]]:
    """Those of data managers."""
    yield from (("manager-home", "/"), ("manager-jobs", "/jobs"), ("manager-storage", "/storage"))
    yield from (("journal", "/journal"), ("approvals", "/approvals"), ("drift", "/proposals/drift"))
    yield from (("programs", "/programs"), ("import-person", "/people/import"))
    yield from (("manager-status", "/status"), ("draft", "/policy/draft"))
    if proposal:
        yield "manager-publication", f"/proposals/{proposal}/publication"


def picture(page: Page, site: str, name: str, path: str, file: Path) -> list[str]:
    """Take it; what is wrong with the page."""
    faults: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        if message.type == "error" and name != "not-found":
            faults.append(f"{path}: console: {message.text}")

    page.on("console", complain)
    answer = page.goto(f"{site}{path}")
    page.wait_for_load_state("load")
    page.wait_for_timeout(400)  # fragments that htmx loads
    status = answer.status if answer else 0
    if status != 200 and name != "not-found":
        faults.append(f"{path}: status {status}")
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        faults.append(f"{path}: wider than the window ({file.stem})")
    page.screenshot(path=file, full_page=True)
    page.remove_listener("console", complain)
    return faults


def every_picture(
    page: Page, site: str, pages: Iterable[tuple[str, str]], folder: Path, only: str
) -> list[str]:
    """Each page in each width and scheme; what is wrong with them."""
    faults: list[str] = []
    wanted = [(n, p) for n, p in pages if not only or n in only.split(",")]
    for width, (x, y) in WIDTHS.items():
        page.set_viewport_size({"width": x, "height": y})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            for name, path in wanted:
                file = folder / f"{name}-{width}-{scheme}.png"
                faults += picture(page, site, name, path, file)
    return faults


def take(arguments: argparse.Namespace) -> list[str]:
    """All pictures; the faults that were seen."""
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            page = browser.new_page()
            faults += picture(page, arguments.site, "welcome", "/", folder / "welcome.png")
            faults += picture(page, arguments.site, "sign-in", "/sign-in", folder / "sign-in.png")
            site, only = arguments.site, arguments.only
            sign_in(page, site, arguments.login, arguments.password)
            proposal, run = arguments.proposal, arguments.run
            if not (proposal and run):
                found = played(page, site)
                proposal, run = proposal or found[0], run or (found[1] if not proposal else "")
            if not proposal:
                faults.append("no proposal with runs was found")
            faults += every_picture(page, site, pages_of(page, site, proposal, run), folder, only)
            others = (("user office", pages_of_office), ("data manager", pages_of_managers))
            for role, pages in others:
                if sign_in(page, site, "", "", role):
                    faults += every_picture(page, site, pages(proposal), folder, only)
        finally:
            browser.close()
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--site", default="http://localhost:8765")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--login", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--proposal", default="", help="number with its zeros; else the first one")
    parser.add_argument("--run", default="", help="number with its zeros; else the first Good one")
    parser.add_argument("--only", default="", help="names of pages, separated by commas")
    faults = take(parser.parse_args())
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
