"""The page of a run in a real browser: its pictures are seen, keys lead to the neighbours, live
parts come by themselves and leave alone what somebody is at."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from catalogue.ground import lifecycle
from proposals.models import Proposal
from runs import commands
from runs.workers import contents as worker
from tests.browser.conftest import NARROW, wider_than_its_window
from tests.detector_runs import Here, take
from tests.factories import Facility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def proposal(facility: Facility, settings, monkeypatch: pytest.MonkeyPatch) -> Proposal:
    """An active proposal with three runs; the second is a detector's, Good, and looked into."""
    settings.FILE_VIEWER = "embedded"
    monkeypatch.setattr(worker, "viewer_for", lambda name: Here())
    facility.policy()
    facility.detector()
    made = facility.proposal(state="A", calibrates_by_itself=False)
    facility.run(made)
    run = take(facility, made)
    commands.assess(run, quality="good", comment="strong <b>rings</b>", by=facility.staff)
    facility.run(made, type_name="Dark")
    lifecycle.perform_due()
    return made


def path(proposal: Proposal, number: int) -> str:
    return f"/proposals/{proposal.number:06d}/runs/{number:04d}"


def seen(page: Page) -> list[list[int]]:
    """The true sizes of the pictures that were loaded."""
    return page.evaluate(
        "[...document.querySelectorAll('.figures img')]"
        ".map((image) => [image.naturalWidth, image.naturalHeight])"
    )


def test_the_page_shows_pictures_files_and_story(
    facility: Facility, proposal: Proposal, open_page: Callable[..., Page],
    accessible: Callable[[Page], None],
) -> None:  # fmt: skip
    page = open_page(path(proposal, 2), user=facility.leader)
    expect(page.locator("#kept")).to_contain_text("(policy 'Standard', version 1, clause 2)")
    assert [min(size) > 200 for size in seen(page)] == [True, True]
    expect(page.get_by_role("img", name="Mean image of SPB_DET_AGIPD1M-1")).to_be_visible()
    expect(page.locator("#sources")).to_contain_text("30 trains, 10000 to 10029")
    expect(page.locator("#story")).to_contain_text("RAW copied to offline storage and read back")
    expect(page.locator("#story")).to_contain_text("“strong <b>rings</b>”")
    expect(page.locator("#story")).to_contain_text("Remove a copy: RAW, online storage")
    page.get_by_text("Numbers of 2 modules").click()
    page.get_by_text("1 mark so far").click()
    accessible(page)


def test_keys_lead_to_the_neighbours(
    facility: Facility, proposal: Proposal, open_page: Callable[..., Page]
) -> None:
    page = open_page(path(proposal, 2), user=facility.leader)
    heading = page.get_by_role("heading", level=2)
    page.keyboard.press("]")
    expect(heading).to_contain_text("Run 0003")
    page.keyboard.press("]")
    expect(page.locator("#beside-says")).to_have_text("This is the last run.")
    page.keyboard.press("[")
    expect(heading).to_contain_text("Run 0002")
    page.get_by_label("Comment").press("[")
    expect(heading).to_contain_text("Run 0002"), "a key is a letter where one types"
    page.goto(path(proposal, 2).rpartition("/")[0] + "?q=LCP")
    page.get_by_role("link", name="0002").first.click()
    expect(page.get_by_text("This is the last run of those shown")).to_be_visible()
    page.keyboard.press("[")
    expect(heading).to_contain_text("Run 0001")
    expect(page.get_by_text("This is the first run of those shown")).to_be_visible()


def test_a_picture_comes_by_itself_and_the_focus_stays(
    facility: Facility, proposal: Proposal, open_page: Callable[..., Page]
) -> None:
    run = take(facility, proposal)
    page = open_page(path(proposal, run.number), user=facility.leader)
    expect(page.locator("#pictures")).to_contain_text("The files are being looked into")
    page.evaluate("window.sameDocument = true")
    why = page.get_by_label("Why, in a few words")
    why.fill("a strong")
    lifecycle.perform_due()
    expect(page.locator(".figures img").first).to_be_visible(timeout=15_000)
    expect(why).to_be_focused()
    expect(why).to_have_value("a strong")
    assert page.evaluate("window.sameDocument") is True


def test_the_parts_are_narrowed_without_a_reload(
    facility: Facility, proposal: Proposal, open_page: Callable[..., Page]
) -> None:
    run = take(facility, proposal, modules=16)
    lifecycle.perform_due()
    page = open_page(path(proposal, run.number), user=facility.leader)
    page.evaluate("window.sameDocument = true")
    page.get_by_label("Part of a source's name").fill("xgm")
    page.get_by_role("search", name="Sources").get_by_role("button").click()
    expect(page.locator("#sources tbody tr")).to_have_count(4)
    page.get_by_label("Part of a file's name").fill("agipd1")
    page.get_by_role("search", name="Files").get_by_role("button").click()
    expect(page.locator("#files tbody tr")).to_have_count(7)
    assert page.evaluate("window.sameDocument") is True


def test_it_fits_a_telephone(
    facility: Facility, proposal: Proposal, open_page: Callable[..., Page],
    accessible: Callable[[Page], None],
) -> None:  # fmt: skip
    page = open_page(path(proposal, 2), user=facility.leader, size=NARROW, scheme="dark")
    expect(page.locator("#kept")).to_contain_text("clause 2)")
    assert wider_than_its_window(page) is False
    accessible(page)


def test_who_may_not_read_the_data_sees_no_picture(
    facility: Facility, proposal: Proposal, open_page: Callable[..., Page]
) -> None:
    office = facility.person("user_office")
    page = open_page(path(proposal, 2), user=office)
    expect(page.locator("#pictures")).to_contain_text("for those who may read them")
    assert seen(page) == []
