"""The run table in a real browser: triage by keyboard and by mouse, two people at once, a lost
connection, and what axe says of each state."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from catalogue.ground import lifecycle, tokens
from catalogue.ground.models import User
from proposals.models import Proposal
from runs import commands
from runs.models import CauseTag, Run
from tests.browser.conftest import NARROW, Watch, wider_than_its_window
from tests.factories import Facility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SOON = 2_000
"""Milliseconds in which a change has to be seen."""


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    """An active proposal with four closed runs, and causes to choose from."""
    facility.policy()
    facility.detector()
    for name in ("beam lost", "wrong sample"):
        CauseTag.objects.create(name=name)
    made = facility.proposal(state="A", calibrates_by_itself=False)
    for _ in range(4):
        facility.run(made)
    return made


@pytest.fixture
def table(
    facility: Facility, proposal: Proposal, open_page: Callable[..., Page]
) -> Callable[..., Page]:
    """`table(query="", user=leader, **window)`: the run table in a browser of its own."""

    def make(query: str = "", user: User | None = None, **window: Any) -> Page:
        path = f"/proposals/{proposal.number}/runs{query}"
        page = open_page(path, user=user or facility.leader, **window)
        expect(page.locator("#live")).to_contain_text("live")
        return page

    return make


def qualities() -> list[str]:
    return [r.quality for r in Run.objects.order_by("number")]


def row(page: Page, number: int) -> Any:
    return page.locator(f"#run-r{number:04d}")


def says(page: Page) -> Any:
    return expect(page.locator("#says"))


def test_triage_without_a_mouse(
    table: Callable[..., Page], accessible: Callable[[Page], None]
) -> None:
    page = table()
    page.evaluate("window.sameDocument = true")
    press = page.keyboard.press
    press("ArrowDown")
    press("ArrowDown")
    expect(row(page, 3).locator("a.number")).to_be_focused()
    says(page).to_contain_text("RAW (3.0 kB) is copied to offline storage.")
    says(page).to_contain_text("RAW (3.0 kB) is removed from online storage on")
    press("3")
    says(page).to_contain_text("Run 0003 is marked Not interesting.")
    says(page).to_contain_text("RAW is not copied to offline storage.")
    expect(row(page, 3).locator("a.number")).to_be_focused()
    press("2")
    says(page).to_contain_text("Run 0003 is marked Unclear.")
    press("u")
    says(page).to_contain_text("Run 0003 is marked as before.")
    assert qualities() == ["", "", "not_interesting", ""]
    press("t")
    expect(page.get_by_label("beam lost")).to_be_focused()
    accessible(page)
    press("Space")
    page.get_by_label("Comment", exact=True).fill("no beam since 02:40 <b>")
    page.get_by_role("button", name="Keep").press("Enter")
    expect(row(page, 3)).to_contain_text("beam lost no beam since 02:40 <b>")
    expect(row(page, 3).locator("a.number")).to_be_focused()
    press("c")
    expect(page.get_by_label("Comment", exact=True)).to_be_focused()
    press("Escape")
    assert page.evaluate("window.sameDocument") is True


def test_a_selection_is_made_and_marked_by_keys(
    table: Callable[..., Page], accessible: Callable[[Page], None]
) -> None:
    page = table()
    press = page.keyboard.press
    for _ in range(3):
        press("j")
    expect(row(page, 2).locator("a.number")).to_be_focused()
    press("x")
    press("Shift+ArrowDown")
    says(page).to_contain_text("2 runs selected")
    accessible(page)
    press("1")
    says(page).to_contain_text("2 runs are marked Good.")
    assert qualities() == ["good", "good", "", ""]
    press("Escape")
    press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    accessible(page)
    press("Escape")
    page.get_by_label("Sample, comment, cause").fill("123 jk?")
    assert qualities() == ["good", "good", "", ""]


def test_triage_by_mouse_of_a_selection_with_undo(
    facility: Facility, proposal: Proposal, table: Callable[..., Page],
    accessible: Callable[[Page], None],
) -> None:  # fmt: skip
    for run in Run.objects.all():
        commands.assess(run, quality="unclear", by=facility.staff)
    page = table()
    row(page, 4).get_by_role("button", name="Good", exact=True).hover()
    says(page).to_contain_text("RAW (3.0 kB) is copied to offline storage.")
    row(page, 4).get_by_role("checkbox").check()
    row(page, 2).get_by_role("checkbox").click(modifiers=["Shift"])
    says(page).to_contain_text("3 runs selected")
    commands.withdraw(Run.objects.get(number=3), by=facility.staff, reason="by mistake")
    bar = page.get_by_role("group", name="With the selected runs")
    bar.get_by_role("button", name="Not interesting").click()
    says(page).to_contain_text("2 runs are marked Not interesting.")
    says(page).to_contain_text("Run 0003 was not marked.")
    accessible(page)
    expect(row(page, 4).get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Undo 2 marks").click()
    says(page).to_contain_text("2 runs are marked as before.")
    assert qualities() == ["unclear"] * 4
    bar.get_by_role("button", name="Calibrate").click()
    expect(page.get_by_role("checkbox", name="AGIPD1M-1")).to_be_checked()
    accessible(page)
    page.get_by_role("button", name="Ask for calibration").click()
    says(page).to_contain_text("are asked to be calibrated")
    lifecycle.perform_due()
    expect(row(page, 4)).to_contain_text("No constants for AGIPD00", timeout=SOON)
    row(page, 4).locator(".who summary").click()
    expect(row(page, 4)).to_contain_text("before: Not interesting")
    page.get_by_text("More filters").click()
    page.get_by_text("Columns", exact=True).click()
    accessible(page)


def test_two_browsers_see_each_other_within_two_seconds(
    facility: Facility, proposal: Proposal, live_server: Any, table: Callable[..., Page],
    watch: Watch,
) -> None:  # fmt: skip
    other = facility.person("data_manager")
    mine, theirs = table(), table(user=other)
    mine.mouse.move(0, 0)
    theirs.mouse.move(0, 0)
    row(mine, 2).get_by_role("button", name="Good", exact=True).click()
    pressed = row(theirs, 2).get_by_role("button", name="Good", exact=True)
    expect(pressed).to_have_attribute("aria-pressed", "true", timeout=SOON)
    mine.evaluate("document.activeElement.blur()")
    mine.mouse.move(0, 0)
    number = registered_over_rest(facility, proposal, live_server.url)
    for page in (mine, theirs):
        expect(row(page, number)).to_be_visible(timeout=SOON)
    # Both mark the same run; the second has not heard of the first.
    theirs.route("**/changes?*", lambda route: route.abort())
    row(mine, 4).get_by_role("button", name="Not interesting").click()
    says(mine).to_contain_text("is marked Not interesting")
    row(theirs, 4).get_by_role("button", name="Good", exact=True).click()
    says(theirs).to_contain_text(f"{facility.leader.full_name} marked it Not interesting on")
    theirs.get_by_role("button", name="Mark Good all the same").click()
    says(theirs).to_contain_text("Run 0004 is marked Good.")
    expect(row(mine, 4).get_by_role("button", name="Good", exact=True)).to_have_attribute(
        "aria-pressed", "true", timeout=SOON
    )
    watch.forgive("ERR_FAILED", "409")


def registered_over_rest(facility: Facility, proposal: Proposal, site: str) -> int:
    """The number of a run that the DAQ registers as programs do."""
    assert facility.daq.user is not None
    _, token = tokens.issue(facility.daq.user, name="test", scopes=("daq",))
    head = {"Authorization": f"Bearer {token}"}
    base = f"{site}/api/v1/proposals/{proposal.number}/runs"
    number = int(requests.post(f"{base}/next-number", headers=head, timeout=10).json()["number"])
    run = {"number": number, "begin_at": "2026-11-20T09:00:00Z"}
    made = requests.post(base, headers=head, json=run, timeout=10)
    assert made.status_code == 201, made.text
    return number


def test_new_runs_wait_while_somebody_works_in_the_table(
    facility: Facility, proposal: Proposal, table: Callable[..., Page]
) -> None:
    page = table()
    page.mouse.move(0, 0)
    page.keyboard.press("j")
    facility.run(proposal, closed=False)
    announced = page.get_by_role("link", name="1 new run – show")
    expect(announced).to_be_visible(timeout=SOON + 1000)
    expect(row(page, 5)).to_have_count(0)
    expect(row(page, 4).locator("a.number")).to_be_focused()
    announced.click()
    expect(row(page, 5).locator("a.number")).to_be_focused()


def test_what_is_read_stays_in_its_place_when_rows_above_change(
    facility: Facility, proposal: Proposal, table: Callable[..., Page]
) -> None:
    page = table(size=(1440, 420))
    page.mouse.move(0, 0)
    row(page, 1).scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 0
    before = row(page, 1).bounding_box()
    commands.edit(Run.objects.get(number=4), by=facility.staff, comment="came anew")
    facility.run(proposal, closed=False)
    expect(row(page, 4)).to_contain_text("came anew", timeout=SOON)
    expect(page.locator("#fresh")).to_have_text("1 new run – show", timeout=SOON)
    assert row(page, 1).bounding_box() == before


def test_a_lost_connection_is_said_and_recovers(
    facility: Facility, proposal: Proposal, table: Callable[..., Page], watch: Watch
) -> None:
    page = table()
    page.mouse.move(0, 0)
    page.context.set_offline(True)
    offline = page.locator("#offline")
    expect(offline).to_contain_text("The connection is lost.", timeout=5_000)
    expect(page.locator("#live")).to_contain_text(
        re.compile(r"not updated since \d\d:\d\d"), timeout=12_000
    )
    commands.assess(Run.objects.get(number=2), quality="good", by=facility.staff)
    page.context.set_offline(False)
    expect(offline).to_be_hidden(timeout=5_000)
    pressed = row(page, 2).get_by_role("button", name="Good", exact=True)
    expect(pressed).to_have_attribute("aria-pressed", "true", timeout=SOON)
    watch.forgive("ERR_INTERNET_DISCONNECTED")


def test_whoever_was_signed_out_is_told_so_and_the_page_stays(
    table: Callable[..., Page], watch: Watch
) -> None:
    page = table()
    press = page.keyboard.press
    press("j")
    says(page).to_contain_text("RAW (3.0 kB) is copied")
    page.context.clear_cookies(name="sessionid")
    press("j")
    expect(page.locator("#live")).to_have_text("no longer live: load the page again")
    for key in "ct1":
        says(page).not_to_contain_text("You have been signed out")
        press(key)
        says(page).to_contain_text("You have been signed out")
        page.evaluate("document.getElementById('says').replaceChildren()")
    expect(page.locator("h1")).to_have_count(1)
    assert qualities() == ["", "", "", ""]
    watch.forgive("403")


def test_a_second_edit_shows_both_versions(
    facility: Facility, proposal: Proposal, table: Callable[..., Page],
    accessible: Callable[[Page], None], watch: Watch,
) -> None:  # fmt: skip
    page = table()
    row(page, 1).get_by_role("link", name="Edit run 0001").click()
    page.get_by_label("Comment", exact=True).fill("mine")
    commands.edit(Run.objects.get(number=1), by=facility.staff, comment="theirs")
    page.get_by_role("button", name="Keep").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("was changed by somebody else meanwhile")
    expect(dialog).to_contain_text("theirs")
    expect(page.get_by_label("Comment", exact=True)).to_have_value("mine")
    accessible(page)
    page.get_by_role("button", name="Keep mine").click()
    expect(row(page, 1)).to_contain_text("mine")
    watch.forgive("409")


def test_a_narrow_window_shows_cards_with_the_same_marks(
    table: Callable[..., Page], accessible: Callable[[Page], None]
) -> None:
    page = table(size=NARROW, has_touch=True)
    assert wider_than_its_window(page) is False
    row(page, 3).get_by_role("button", name="Unclear").tap()
    says(page).to_contain_text("Run 0003 is marked Unclear.")
    row(page, 2).get_by_role("checkbox").tap()
    expect(page.get_by_role("group", name="With the selected runs")).to_be_visible()
    assert wider_than_its_window(page) is False
    accessible(page)


def test_without_javascript_all_of_it_is_forms(
    proposal: Proposal, table: Callable[..., Page], facility: Facility,
    open_page: Callable[..., Page],
) -> None:  # fmt: skip
    page = open_page(
        f"/proposals/{proposal.number}/runs", user=facility.leader, java_script_enabled=False
    )
    row(page, 3).get_by_role("checkbox").check()
    row(page, 4).get_by_role("checkbox").check()
    page.get_by_role("button", name="What follows").click()
    expect(page.get_by_text("2 runs selected")).to_be_visible()
    page.get_by_role("button", name="Mark Good").click()
    expect(page.locator("#notices")).to_contain_text("2 runs are marked Good.")
    row(page, 2).get_by_role("link", name="Edit run 0002").click()
    page.get_by_label("wrong sample").check()
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#notices")).to_contain_text("Run 0002 is kept as you changed it.")
    assert qualities() == ["", "", "good", "good"]


def slow_marks(page: Page) -> None:
    """Each mark is answered half a second later."""
    page.evaluate(
        "() => { window.fetch = ((real) => async (address, how) => {"
        " if (how?.method === 'POST') await new Promise((on) => setTimeout(on, 500));"
        " return real(address, how); })(window.fetch); }"
    )


def test_marks_in_quick_succession_are_all_made_once(table: Callable[..., Page]) -> None:
    page = table()
    slow_marks(page)
    press = page.keyboard.press
    press("j")
    for mark in ("1", "2", "3"):
        press(mark)
        press(mark)
        press("j")
    press("1")
    says(page).to_contain_text("Run 0001 is marked Good.")
    assert qualities() == ["good", "not_interesting", "unclear", "good"]
    assert [r.assessments.count() for r in Run.objects.all()] == [1, 1, 1, 1]


def test_a_refused_mark_stays_said_when_one_has_gone_on(
    facility: Facility, table: Callable[..., Page], watch: Watch
) -> None:
    page = table()
    page.route("**/changes?*", lambda route: route.abort())
    commands.assess(Run.objects.get(number=4), quality="unclear", by=facility.staff)
    page.keyboard.press("j")
    page.keyboard.press("1")
    says(page).to_contain_text("Run 0004 was not marked.")
    page.keyboard.press("j")
    says(page).to_contain_text("Run 0003")
    says(page).to_contain_text("Run 0004 was not marked.")
    page.keyboard.press("Escape")
    says(page).not_to_contain_text("Run 0004")
    watch.forgive("ERR_FAILED", "409")


def test_a_range_goes_on_after_its_first_run_was_updated(
    facility: Facility, table: Callable[..., Page]
) -> None:
    page = table()
    page.keyboard.press("j")
    page.keyboard.press("x")
    commands.assess(Run.objects.get(number=4), quality="good", by=facility.staff)
    pressed = row(page, 4).get_by_role("button", name="Good", exact=True)
    expect(pressed).to_have_attribute("aria-pressed", "true", timeout=SOON)
    row(page, 2).get_by_role("checkbox").click(modifiers=["Shift"])
    says(page).to_contain_text("3 runs selected")


def test_times_stay_the_readers_in_rows_that_come_anew(
    facility: Facility, table: Callable[..., Page]
) -> None:
    page = table(timezone_id="Asia/Tokyo")
    times = row(page, 2).locator("td[data-label^=Start] time")
    before = times.inner_text()
    expect(times).to_have_attribute("title", re.compile("At the facility"))
    commands.edit(Run.objects.get(number=2), by=facility.staff, comment="came anew")
    expect(row(page, 2)).to_contain_text("came anew", timeout=SOON)
    assert times.inner_text() == before


def test_all_tabs_and_columns_are_in_sight_wherever_the_reader_is(
    facility: Facility, table: Callable[..., Page]
) -> None:
    comment = "\u202eno beam since 02:40 🐙 <b>" * 9
    for run in Run.objects.all():
        commands.edit(run, by=facility.staff, comment=comment, alias="first-light")
        mark = "not_interesting" if run.number % 2 else "good"
        commands.assess(run, quality=mark, by=facility.staff)
        commands.set_causes(run, causes=list(CauseTag.objects.all()), by=facility.staff)
    lifecycle.perform_due()
    for zone in ("Europe/Berlin", "UTC"):
        page = table(timezone_id=zone)
        for part in (".table-wide", "nav.tabs"):
            wide = page.locator(part).first.evaluate("e => [e.scrollWidth, e.clientWidth]")
            assert wide[0] <= wide[1], (zone, part, wide)


def test_what_was_typed_goes_with_the_second_escape_only(
    table: Callable[..., Page], accessible: Callable[[Page], None]
) -> None:
    page = table()
    press = page.keyboard.press
    press("j")
    press("c")
    comment = page.get_by_label("Comment", exact=True)
    expect(comment).to_be_focused()
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    press("c")
    expect(comment).to_be_focused()
    page.keyboard.type("no beam since 02:40")
    press("Escape")
    warned = page.get_by_role("dialog").get_by_role("alert")
    expect(warned).to_contain_text("is not kept yet")
    expect(comment).to_have_value("no beam since 02:40")
    expect(comment).to_be_focused()
    accessible(page)
    page.keyboard.type(", still")
    expect(warned).to_have_count(0)
    press("Escape")
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(row(page, 4).locator("a.number")).to_be_focused()
    assert Run.objects.get(number=4).comment == ""


def test_what_cannot_be_kept_is_said_in_the_dialog(
    table: Callable[..., Page], watch: Watch
) -> None:
    page = table()
    row(page, 1).get_by_role("link", name="Edit run 0001").click()
    page.get_by_label("Comment", exact=True).fill("typed")
    page.route("**/runs/edit", lambda route: route.abort())
    page.get_by_role("button", name="Keep").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.get_by_label("Comment", exact=True)).to_have_value("typed")
    watch.forgive("ERR_FAILED")
