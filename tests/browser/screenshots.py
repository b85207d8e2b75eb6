"""Pictures of the main pages of a running site, at two widths, light and dark.

    python -m tests.browser.screenshots --site http://localhost:8765 --folder pictures

signs in by the first login that a demo shows (or by --login and --password), follows the links a
person would follow, and writes one PNG per page, width and colour scheme. Ends 1 when a page
answers with an error, scrolls sideways, or the browser complains on its console.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
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


def sign_in(page: Page, site: str, login: str, password: str) -> None:
    """Sign in by the form, or by the first login that a demo offers."""
    page.goto(f"{site}/sign-in")
    if login:
        page.get_by_label("Login", exact=True).fill(login)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
    else:
        page.get_by_role("button", name=re.compile("^Sign in as")).first.click()
    page.wait_for_url(f"{site}/")


def first_link(page: Page, pattern: str) -> str | None:
    """The first address on the page that matches, without the site."""
    for link in page.locator("a[href]").all():
        found = re.fullmatch(pattern, link.get_attribute("href") or "")
        if found:
            return found.group(1)
    return None


def pages_of(page: Page, site: str, proposal: str, run: str) -> Iterator[tuple[str, str]]:
    """Name and path of each page worth a picture. The browser is signed in."""
    yield from (("home", "/"), ("proposals", "/proposals"), ("jobs", "/jobs"))
    yield from (("storage", "/storage"), ("policy", "/policy"), ("open-data", "/data"))
    yield from (("search", "/search?q=a"), ("status", "/status"), ("notices", "/notices"))
    yield "words", "/help"
    page.goto(f"{site}/jobs?state=held")
    if job := first_link(page, r"(/jobs/\d+)"):
        yield "job", job
    page.goto(f"{site}/data?access=open")
    if record := first_link(page, r"(/data/\d+)"):
        yield from (("landing-open", record), ("landing-files", f"{record}/files"))
    page.goto(f"{site}/data?access=embargoed")
    if record := first_link(page, r"(/data/\d+)"):
        yield "landing-embargoed", record
    if not proposal:
        page.goto(f"{site}/proposals?phase=running")
        proposal = (first_link(page, r"/proposals/(\d+)") or "").strip()
    if not proposal:
        return
    base = f"/proposals/{proposal}"
    for name in ("general", "runs", "team", "holds", "history"):
        yield name, base if name == "general" else f"{base}/{name}"
    if not run:
        page.goto(f"{site}{base}/runs?quality=good")
        run = first_link(page, rf"{base}/runs/(\d+)") or ""
    if run:
        yield from (("run", f"{base}/runs/{run}"), ("kept", f"{base}/runs/{run}/kept"))
    yield "not-found", "/proposals/999999"


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
            sign_in(page, arguments.site, arguments.login, arguments.password)
            wanted = list(pages_of(page, arguments.site, arguments.proposal, arguments.run))
            if arguments.only:
                wanted = [(n, p) for n, p in wanted if n in arguments.only.split(",")]
            for width, (x, y) in WIDTHS.items():
                page.set_viewport_size({"width": x, "height": y})
                for scheme in SCHEMES:
                    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                    for name, path in wanted:
                        file = folder / f"{name}-{width}-{scheme}.png"
                        faults += picture(page, arguments.site, name, path, file)
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
