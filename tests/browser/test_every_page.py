"""Every page of the site, wide and light, narrow and dark: axe finds nothing in it, it fits its
window, and nothing of it is cut. The stories look at the states that people bring pages into; here
no page is left out, since the addresses are those of the table of permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from catalogue.ground import lifecycle
from catalogue.ground.models import Technique
from runs import commands
from runs.models import CauseTag
from tests.browser.conftest import NARROW, WIDE, wider_than_its_window
from tests.contracts.permission_table import PAGES
from tests.contracts.permission_world import World
from tests.factories import Facility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OF_A_RUN = {f"proposals/{{n}}/runs/{act}": "?run=1" for act in ("edit", "calibrate", "foretold")}
CUT = """() => [
  ...[...document.querySelectorAll("nav.tabs, .table-wide:not(.grants)")]
    .filter((e) => innerWidth > 860 && e.scrollWidth > e.clientWidth),
  ...[...document.querySelectorAll(".options > label")]
    .filter((e) => e.scrollHeight > e.clientHeight + 1),
].map((e) => `${e.className || e.textContent.trim()} needs ${e.scrollWidth} x ${e.scrollHeight}`)"""
"""What is larger than its place. Narrow, tabs are pushed aside; the table of rights keeps its head
and its first column in sight."""


@pytest.fixture
def world(facility: Facility) -> World:
    """Something of every kind, of which much is said."""
    made = World(facility)
    commands.assess(made.run, quality="good", comment="strong rings", by=facility.staff)
    cause = CauseTag.objects.create(name="beam lost")
    commands.set_causes(made.run, causes=[cause], by=facility.staff)
    gone = facility.run(made.proposal)
    commands.withdraw(gone, by=facility.staff, reason="by mistake")
    for n in range(8):
        name = f"time resolved serial femtosecond crystallography, way {n}"
        Technique.objects.create(identifier=f"PaNET{n:05d}", name=name)
    online = facility.stores["online"]
    online.name, online.quota_bytes = "Online store at the instruments", 2_000_000_000
    online.save()
    lifecycle.perform_due()
    return made


def pages(world: World, page: Page) -> Iterator[str]:
    """The address of each page that the reader of `page` gets whole."""
    for short, row in PAGES.items():
        if "GET" not in row or not row["GET"].there:
            continue
        path = f"/{world.address(short)}{OF_A_RUN.get(short, '')}"
        answer = page.request.get(path)
        kind = answer.headers.get("content-type", "")
        if answer.status == 200 and "html" in kind and "<html" in answer.text():
            yield path


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")])
def test_every_page_is_accessible_and_fits(
    world: World, open_page: Callable[..., Page], accessible: Callable[[Page], None],
    size: tuple[int, int], scheme: str,
) -> None:  # fmt: skip
    page = open_page("/", user=world.users["data manager"], size=size, scheme=scheme)
    wrong: list[str] = []
    seen = 0
    for path in pages(world, page):
        page.goto(path)
        seen += 1
        try:
            accessible(page)
        except AssertionError as error:
            wrong.append(str(error))
        if wider_than_its_window(page):
            wrong.append(f"{path}: wider than its window")
        wrong += [f"{path}: cut: {part}" for part in page.evaluate(CUT)]
    assert not wrong, "\n".join(wrong)
    assert seen > 50
