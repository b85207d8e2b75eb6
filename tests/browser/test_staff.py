"""What facility staff do in a browser: make proposals, import many, look at the board, let held
jobs go, see what lies where."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from catalogue.ground import clock, lifecycle
from catalogue.ground.models import Job, JobAttempt
from proposals.models import Proposal
from runs import commands, storage
from tests.browser.conftest import NARROW, Watch, wider_than_its_window
from tests.factories import Facility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., Page]
Accessible = Callable[[Page], None]


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    facility.policy()
    return facility.proposal(state="A", calibrates_by_itself=False)


def held(proposal: Proposal, count: int) -> list[Job]:
    """Jobs that are held since the disk is full, with what was tried."""
    now = clock.now()
    made = []
    for n in range(count):
        job = Job.objects.create(
            name="runs.migrate", lane=f"lane {n}", subject_type="proposals.proposal",
            subject_id=proposal.pk, subject_label=f"run {n + 1:04d} of p900100", state="held",
            proposal=proposal.number, after=now, created_at=now, asked_by="worker", attempts=8,
            reason="No space left on offline.", who="data manager",
        )  # fmt: skip
        for tries, end in enumerate(("waiting", "held")):
            at = now - timedelta(hours=5 * n + 2 - tries)
            JobAttempt.objects.create(
                job=job, claim=f"{n} {tries}", began_at=at - timedelta(seconds=40), ended_at=at,
                end=end, reason="No space left on offline.", worker="node7:4711",
                evidence={"free_bytes": 12_000},
            )  # fmt: skip
        made.append(job)
    return made


def test_a_mistake_is_said_while_it_is_typed_and_one_proposal_is_made(
    facility: Facility, proposal: Proposal, open_page: Open, accessible: Accessible
) -> None:
    page = open_page("/proposals/new", user=facility.person("user_office"))
    number = page.get_by_label("Number")
    number.fill("900100")
    page.get_by_label("Title").fill("A study of <b>bold</b> \u202e🔬")
    said = page.locator("#wrong-title")
    expect(said).to_contain_text("There is already p900100, with: Study 900100")
    expect(page.get_by_label("Title")).to_have_attribute("aria-invalid", "true")
    accessible(page)
    number.fill("900300")
    expect(said).to_be_empty()
    expect(page.locator("#foreseen")).to_contain_text(
        "Proposal 900300 is new: at SPB, cycle 202601"
    )
    begin = proposal.beamtimes.get().begin_at.astimezone(clock.facility_zone())
    page.get_by_label("Beamtime begins").fill(f"{begin + timedelta(days=1):%Y-%m-%dT%H:%M}")
    page.get_by_label("Beamtime ends").fill(f"{begin + timedelta(days=2):%Y-%m-%dT%H:%M}")
    expect(page.locator("#wrong-beamtime_begin")).to_contain_text("is given to proposal 900100")
    page.get_by_label("Beamtime begins").fill(f"{begin + timedelta(days=11):%Y-%m-%dT%H:%M}")
    page.get_by_label("Beamtime ends").fill(f"{begin + timedelta(days=12):%Y-%m-%dT%H:%M}")
    expect(page.locator("#foreseen")).to_contain_text("Can be made")
    page.get_by_role("button", name="Make the proposal").dblclick()
    expect(page.locator("#notices")).to_contain_text("Proposal 900300 is")
    assert Proposal.objects.count() == 2


def test_without_scripts_the_form_keeps_what_was_typed(
    facility: Facility, open_page: Open, watch: Watch
) -> None:
    page = open_page(
        "/proposals/new",
        user=facility.person("user_office"),
        size=NARROW,
        java_script_enabled=False,
    )
    page.get_by_label("Number").fill("1234567")
    page.get_by_label("Title").fill("Kept")
    page.get_by_role("button", name="Make the proposal").click()
    expect(page.locator("#wrong-number")).to_contain_text("from 0 to 999999")
    expect(page.get_by_label("Title")).to_have_value("Kept")
    page.get_by_label("Number").fill("123")
    page.get_by_role("button", name="Make the proposal").click()
    expect(page.get_by_role("heading", name="Kept")).to_be_visible()
    watch.forgive("status of 422")


def test_a_sheet_is_tried_put_right_and_entered(
    facility: Facility, open_page: Open, accessible: Accessible
) -> None:
    page = open_page("/proposals/import", user=facility.person("user_office"))
    accessible(page)
    sheet = "number;title;instrument;cycle\n900300;Eins;SPB;202601\n900301;Zwei;SPX;202601\n"
    page.get_by_label("CSV file").set_input_files(
        {"name": "round.csv", "mimeType": "text/csv", "buffer": sheet.encode()}
    )
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("alert")).to_contain_text("1 line cannot be entered, so nothing can.")
    expect(page.locator("#line-3")).to_contain_text("there is no instrument 'SPX'")
    accessible(page)
    page.get_by_text("Put it right here").click()
    page.get_by_label("The sheet").fill(sheet.replace("SPX", "SPB"))
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#line-3")).to_contain_text("Proposal 900301 is new")
    assert not Proposal.objects.exists()
    accessible(page)
    page.get_by_role("button", name="Enter 2 proposals").click()
    expect(page.get_by_role("heading", name="Imported")).to_be_visible()
    assert Proposal.objects.count() == 2
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert not wider_than_its_window(page)


def test_the_board_says_what_waits_and_leads_to_the_move(
    facility: Facility, proposal: Proposal, open_page: Open, accessible: Accessible
) -> None:
    new = facility.proposal()
    held(proposal, 1)
    user = facility.person("local_contact", instrument=True)
    page = open_page("/", user=user)
    page.get_by_role("link", name="Beamtimes").click()
    lane = page.get_by_role("region", name="New")
    expect(lane).to_contain_text("Waits for you")
    expect(page.get_by_role("region", name="Beamtime", exact=False).last).to_be_visible()
    expect(page.get_by_role("link", name="1 job held")).to_be_visible()
    accessible(page)
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert not wider_than_its_window(page)
    accessible(page)
    lane.get_by_role("link", name=new.folder).click()
    expect(page.get_by_role("button", name="Prepare beamtime")).to_be_visible()


def test_held_jobs_are_picked_by_key_and_let_go(
    facility: Facility, proposal: Proposal, open_page: Open, accessible: Accessible
) -> None:
    jobs = held(proposal, 3)
    page = open_page("/jobs?state=held", user=facility.staff.user)
    accessible(page)
    everything = page.get_by_label("All on this page")
    everything.focus()
    page.keyboard.press("Space")
    expect(page.locator("#picked")).to_have_text("3 picked")
    page.get_by_label(f"Pick job {jobs[0].pk}").uncheck()
    expect(page.locator("#picked")).to_have_text("2 picked")
    page.get_by_label("Reason (needed").fill("space was made")
    page.get_by_role("button", name="Retry or release").click()
    done = page.get_by_role("status").filter(has_text="What was done")
    expect(done.get_by_text("waits for a worker now")).to_have_count(2)
    now = Job.objects.filter(pk__in=[j.pk for j in jobs]).values_list("state", flat=True)
    assert sorted(now) == ["held", "waiting", "waiting"]
    accessible(page)
    page.goto(f"/jobs/{jobs[0].pk}")
    expect(page.get_by_text("node7:4711").first).to_be_visible()
    accessible(page)
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert not wider_than_its_window(page)
    page.goto("/jobs/rates")
    drawn(page, 1)
    accessible(page)
    assert not wider_than_its_window(page)
    page.goto("/jobs?state=held")
    assert not wider_than_its_window(page)
    accessible(page)


def drawn(page: Page, count: int) -> None:
    """That many plots are there and were drawn."""
    plots = page.locator("figure img")
    expect(plots).to_have_count(count)
    for n in range(count):
        plots.nth(n).scroll_into_view_if_needed()
        page.wait_for_function(
            "n => { const i = document.querySelectorAll('figure img')[n];"
            " return i.complete && i.naturalWidth > 0; }",
            arg=n,
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_storage_is_plotted_with_its_numbers(
    facility: Facility, proposal: Proposal, open_page: Open, accessible: Accessible, scheme: str
) -> None:
    for quality in ("good", "not_interesting"):
        run = facility.run(proposal)
        commands.assess(run, quality=quality, by=facility.staff)
    lifecycle.perform_due()
    storage.recount(clock.now())
    page = open_page("/storage", user=facility.staff.user, scheme=scheme)
    drawn(page, 2)
    current = page.locator("figure img").first.evaluate("i => i.currentSrc")
    assert f"scheme={scheme}" in current
    accessible(page)
    page.get_by_role("link", name="by proposal").click()
    expect(page.get_by_role("link", name="p900100").first).to_be_visible()
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert not wider_than_its_window(page)
    accessible(page)
