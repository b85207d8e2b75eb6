"""What everybody has: my work, one box for everything, letters, the status, words explained, the
reader's clock, pages for what goes wrong. In a real browser, wide and narrow, light and dark."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from catalogue.ground import lifecycle, notices
from proposals.models import Proposal
from runs import commands
from runs.models import Run
from tests.browser.conftest import NARROW, Watch, wider_than_its_window
from tests.factories import Facility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Page]
Accessible = Callable[[Page], None]


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    """Active, with a run to be marked and one whose removal is announced."""
    facility.policy()
    made = facility.proposal(state="A", calibrates_by_itself=False)
    facility.run(made)
    gone = facility.run(made)
    commands.assess(gone, quality="not_interesting", by=facility.staff)
    Run.objects.filter(pk=gone.pk).update(comment="shutter closed")
    lifecycle.sweep()
    lifecycle.perform_due()
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_my_work_by_the_key_to_a_run(
    facility: Facility, proposal: Proposal, open_page: Open, accessible: Accessible, scheme: str
) -> None:
    page = open_page("/", user=facility.leader, scheme=scheme)
    expect(page.get_by_role("heading", name="Removal announced")).to_be_visible()
    accessible(page)
    page.keyboard.press("/")
    box = page.get_by_role("searchbox", name="Search everything")
    expect(box).to_be_focused()
    page.keyboard.type("shutter /")
    expect(box).to_have_value("shutter /")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Runs (1)")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="p900100 r0002").click()
    expect(page).to_have_url(re.compile(r"/proposals/900100/runs/0002$"))


@pytest.mark.parametrize(
    "path", ["/", "/search?q=study", "/notices", "/status", "/help", "/nothing"]
)
def test_no_page_scrolls_sideways_at_390_pixels(
    facility: Facility,
    proposal: Proposal,
    open_page: Open,
    accessible: Accessible,
    watch: Watch,
    path: str,
) -> None:
    page = open_page(path, user=facility.staff.user, size=NARROW, scheme="dark")
    assert not wider_than_its_window(page)
    accessible(page)
    watch.forgive("404")


def test_a_word_is_explained_by_key_and_by_finger(
    facility: Facility, proposal: Proposal, open_page: Open, accessible: Accessible
) -> None:
    page = open_page("/", user=facility.leader)
    mark = page.get_by_role("button", name="What is “mark”?")
    mark.focus()
    page.keyboard.press("Enter")
    note = page.locator(".help-note:popover-open")
    expect(note).to_contain_text("what the team thinks of a run")
    accessible(page)
    page.keyboard.press("Escape")
    expect(note).to_have_count(0)
    mark.click()
    note.get_by_role("link", name="All words").click()
    expect(page).to_have_url(re.compile(r"/help#mark$"))
    accessible(page)


def test_letters_are_chosen_and_stopped(
    facility: Facility, open_page: Open, accessible: Accessible
) -> None:
    page = open_page("/notices", user=facility.staff.user)
    accessible(page)
    page.get_by_label("Held jobs").uncheck()
    page.get_by_role("button", name="Keep this choice").click()
    expect(page.get_by_text("Kept. It holds")).to_be_visible()
    expect(page.get_by_label("Held jobs")).not_to_be_checked()
    token = notices.stop_token(facility.staff.user, "release")
    stranger = open_page(f"/notices/stop/{token}", size=NARROW)
    accessible(stranger)
    stranger.get_by_role("button", name="Stop these notices").click()
    expect(stranger.get_by_role("heading", name="No more of these")).to_be_visible()
    accessible(stranger)
    assert not wider_than_its_window(stranger)
    assert not notices.choices(facility.staff.user)["release"]


def test_the_status_is_said_in_words(
    facility: Facility, proposal: Proposal, open_page: Open, accessible: Accessible
) -> None:
    page = open_page("/status", user=facility.staff.user)
    expect(page.get_by_role("heading", level=1)).to_have_text("The catalogue is well")
    expect(page.get_by_text("The queue and the workers are at work.")).to_be_visible()
    accessible(page)


def test_times_are_the_readers_and_one_click_from_the_facilitys(
    facility: Facility, proposal: Proposal, open_page: Open, accessible: Accessible
) -> None:
    path = f"/proposals/{proposal.number}/runs/0001"
    abroad = open_page(path, user=facility.leader, timezone_id="America/New_York")
    # The run began on 20 November 2026 at 8:00 UTC: 9:00 at the facility, 3:00 in New York.
    time = abroad.locator('time[data-form="when"][datetime^="2026-11-20T08:00"]').first
    expect(time).to_have_text("20 November 2026, 03:00 EST")
    expect(time).to_have_attribute(
        "title", "At the facility: 20 November 2026, 09:00 (Europe/Berlin)"
    )
    expect(abroad.locator("#zone-line")).to_contain_text("Times are yours (America/New_York)")
    accessible(abroad)
    time.click()
    expect(time).to_have_text("20 November 2026, 09:00 (Europe/Berlin)")
    abroad.get_by_role("button", name="Facility’s").click()
    expect(time).to_have_text("20 November 2026, 09:00")
    expect(abroad.locator("#zone-line")).to_contain_text("Times are the facility’s")
    abroad.get_by_role("button", name="My times").click()
    expect(time).to_have_text("20 November 2026, 03:00 EST")
    at_home = open_page(path, user=facility.leader, timezone_id="Europe/Berlin")
    home = at_home.locator('time[data-form="when"][datetime^="2026-11-20T08:00"]').first
    expect(home).to_have_text("20 November 2026, 09:00")
    expect(at_home.locator("#zone-choice")).to_be_hidden()


def test_what_is_not_there_has_a_way_on_and_a_reference(
    open_page: Open, accessible: Accessible, watch: Watch
) -> None:
    page = open_page("/nothing")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    expect(page.get_by_text("Staff find this in the log by")).to_be_visible()
    accessible(page)
    page.get_by_role("main").get_by_role("link", name="To the open data").click()
    expect(page).to_have_url(re.compile(r"/data$"))
    watch.forgive("404")


def test_without_a_connection_the_page_and_what_was_typed_stay(
    facility: Facility, open_page: Open, accessible: Accessible, watch: Watch
) -> None:
    page = open_page("/notices", user=facility.staff.user)
    page.get_by_label("Held jobs").uncheck()
    page.context.set_offline(True)
    offline = page.locator("#offline")
    expect(offline).to_contain_text("The connection is lost.")
    page.get_by_role("link", name="Storage").click()
    expect(offline).to_contain_text("that page cannot be fetched")
    page.get_by_role("button", name="Keep this choice").click()
    expect(offline).to_contain_text("nothing was sent, and what you typed is still here")
    expect(page.get_by_label("Held jobs")).not_to_be_checked()
    accessible(page)
    page.context.set_offline(False)
    expect(offline).to_be_hidden()
    page.get_by_role("button", name="Keep this choice").click()
    expect(page.get_by_text("Kept. It holds")).to_be_visible()
    watch.forgive("ERR_INTERNET_DISCONNECTED")
