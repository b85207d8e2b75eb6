"""What happened and why, narrowed in the address; and a plan for groups and folders, shown before
it is done."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from catalogue.ground import clock, journal, lifecycle, sealing
from proposals.models import Proposal
from tests.browser.conftest import NARROW, wider_than_its_window
from tests.factories import Facility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    made = facility.proposal(state="A", calibrates_by_itself=False, prepared=True)
    facility.run(made)
    journal.write(made, "withdraw", by=facility.staff, reason="the shutter was closed")
    journal.number_all(clock.now())
    sealing.seal_all(clock.now())
    return made


def test_the_history_and_the_journal_are_narrowed_and_exported(
    facility: Facility, proposal: Proposal, open_page: Callable[..., Page], accessible: Any
) -> None:
    page = open_page(f"/proposals/{proposal.number:06d}/history", user=facility.staff.user)
    accessible(page)
    page.get_by_label("Words of the reason").fill("shutter")
    page.get_by_label("Words of the reason").press("Enter")
    expect(page.locator(".story > li")).to_have_count(1)
    expect(page.locator(".story")).to_contain_text("the shutter was closed")
    accessible(page)
    page.get_by_role("link", name="The same in the facility’s journal").click()
    expect(page.get_by_role("heading", name="Journal", exact=True)).to_be_visible()
    expect(page.get_by_text(sealing.status().anchor)).to_be_visible()
    accessible(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export to be checked").click()
    assert download.value.suggested_filename.endswith(".ndjson")
    for path in (f"/proposals/{proposal.number:06d}/history", "/journal"):
        narrow = open_page(path, user=facility.staff.user, size=NARROW)
        assert not wider_than_its_window(narrow), path


def test_a_plan_is_shown_and_then_done(
    facility: Facility, proposal: Proposal, open_page: Callable[..., Page], accessible: Any
) -> None:
    address = f"/proposals/{proposal.number:06d}/preparation"
    folder = Path(facility.stores["online"].mount) / proposal.path / "usr"
    folder.chmod(0o700)
    page = open_page(address, user=facility.staff.user)
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("A worker is at it")).to_be_visible()
    lifecycle.perform_due()
    page.reload()
    expect(page.get_by_role("row", name="chmod 2770")).to_be_visible()
    accessible(page)
    narrow = open_page(address, user=facility.staff.user, size=NARROW, scheme="dark")
    assert not wider_than_its_window(narrow)
    accessible(narrow)
    page.get_by_role("button", name="Apply the plan").click()
    expect(page.get_by_text("A worker puts groups and folders right")).to_be_visible()
    lifecycle.perform_due()
    page.reload()
    expect(page.get_by_text("As it should be")).to_be_visible()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o2770
    page.get_by_role("link", name="What differs on all proposals").click()
    expect(page.get_by_text("Nothing differs")).to_be_visible()
    accessible(page)
