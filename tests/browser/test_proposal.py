"""A proposal from new to closed in a real browser, as staff and its team click through its pages;
each form with what it refuses, accessible in every state that is reached."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from playwright.sync_api import Page, expect

from catalogue.ground import clock, lifecycle
from catalogue.ground.models import SampleType, Technique
from proposals import commands, content
from proposals.models import Proposal
from runs import commands as runs
from tests.browser.conftest import NARROW, Watch, wider_than_its_window
from tests.factories import ExperimentTypeFactory, Facility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., Page]
Check = Callable[[Page], None]
# Answers that a form is refused with, which the browser's console tells of too.
REFUSED = ("status of 409", "status of 422")


def state(proposal: Proposal) -> str:
    proposal.refresh_from_db()
    return str(proposal.state)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def test_a_proposal_from_new_to_closed(
    facility: Facility, open_page: Open, accessible: Check, watch: Watch
) -> None:
    facility.policy()
    leader = facility.person()
    proposal = commands.create(
        number=900700, title="Light on <b>lysozyme</b>", instrument=facility.instrument,
        cycle=facility.cycle, by=facility.staff, calibrates_by_itself=False,
    )  # fmt: skip
    page = open_page("/proposals/900700", user=facility.staff.user)
    expect(page.get_by_role("button", name="Prepare beamtime")).to_be_disabled()
    expect(page.get_by_text("It has no beamtime yet")).to_be_visible()
    accessible(page)

    # -- its beamtime, with a slip of the keyboard first
    page.get_by_text("Add a beamtime", exact=True).click()
    begin = clock.now() - timedelta(hours=1)
    page.get_by_label("Begins").fill(f"{begin + timedelta(days=2):%Y-%m-%dT%H:%M}")
    page.get_by_label("Ends").fill(f"{begin + timedelta(days=1):%Y-%m-%dT%H:%M}")
    press(page, "Add the beamtime")
    expect(page.get_by_role("alert")).to_contain_text("must end after it begins")
    accessible(page)
    page.get_by_label("Ends").fill(f"{begin + timedelta(days=5):%Y-%m-%dT%H:%M}")
    press(page, "Add the beamtime")
    expect(page.get_by_role("status")).to_contain_text("p900700 has a beamtime")

    # -- its principal investigator, found by name
    page.get_by_role("link", name="Team").click()
    field = page.get_by_label("Login, e-mail or name").first
    field.press_sequentially(leader.last_name)
    expect(page.locator("#people option")).to_have_count(1)
    field.fill(leader.full_name)
    page.get_by_label("Role").select_option("pi")
    page.get_by_label("Data access").select_option("2")
    press(page, "Put into the team")
    expect(page.get_by_role("status")).to_contain_text(f"{leader.full_name} is in the team.")

    _beamtime(facility, proposal, page)
    _afterwards(proposal, page, accessible)
    watch.forgive(*REFUSED)


def _beamtime(facility: Facility, proposal: Proposal, page: Page) -> None:
    """Prepared, taken up, paused and taken up again; a run is taken."""
    page.get_by_role("link", name="General").click()
    press(page, "Prepare beamtime")
    expect(page.get_by_role("status")).to_contain_text("waiting for LDAP configuration")
    lifecycle.perform_due()
    assert state(proposal) == "WDC"
    commands.confirm_daq(proposal, configuration={"writers": 16}, by=facility.daq)
    page.reload()
    for name in ("Declare ready", "Activate", "Pause", "Activate"):
        press(page, name)
    expect(page.locator('[aria-current="step"]')).to_contain_text("Active")
    run = facility.run(proposal)
    runs.assess(run, quality="good", by=facility.staff)
    lifecycle.perform_due()


def _afterwards(proposal: Proposal, page: Page, accessible: Check) -> None:
    """Finished, reviewed with its checklist, closed when nothing is left online."""
    page.reload()
    press(page, "Finish beamtime")
    expect(page.get_by_text("runs without assessment: 0")).to_be_visible()
    accessible(page)
    press(page, "Review")
    expect(page.get_by_role("status")).to_contain_text("finished and reviewed")
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_disabled()
    for days in (8, 16, 40):  # announced, moved to the trash, gone
        with time_machine.travel(clock.now() + timedelta(days=days), tick=True):
            lifecycle.perform_due()
    page.reload()
    press(page, "Close")
    expect(page.get_by_text("A job is at work.")).to_be_visible()
    lifecycle.perform_due()
    page.reload()
    expect(page.locator('[aria-current="step"]')).to_contain_text("Closed")
    accessible(page)
    assert state(proposal) == "CLO"


def test_the_team_keeps_samples_words_and_its_plan(
    facility: Facility, open_page: Open, accessible: Check, watch: Watch
) -> None:
    proposal = facility.proposal(state="A")
    facility.run(proposal)
    SampleType.objects.create(name="Solid", identifier="SOLID")
    Technique.objects.create(identifier="PaNET01168", name="SFX")
    ExperimentTypeFactory(name="Dark")
    page = open_page("/proposals/900100/samples", user=facility.leader)
    page.get_by_text("Add a sample", exact=True).click()
    page.get_by_label("Name").first.fill("KR2 <i>wild</i> \u202eeman\u202c 😀")
    press(page, "Add the sample")
    expect(page.get_by_text("KR2 <i>wild</i>").first).to_be_visible()
    expect(page.get_by_text("kept: 1 run")).to_be_visible()
    accessible(page)

    # -- two people change the same words
    page.get_by_role("link", name="Public Information").click()
    page.get_by_label("Keywords").fill("mine")
    content.amend(proposal, to={"keywords": "theirs"}, by=facility.staff)
    press(page, "Keep keywords and techniques")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("theirs")
    expect(alert).to_contain_text("mine")
    accessible(page)
    press(page, "Put mine in its place")
    expect(page.get_by_role("status")).to_contain_text("is kept")
    proposal.refresh_from_db()
    assert proposal.keywords == "mine"
    watch.forgive(*REFUSED)


def test_a_plan_is_compared_and_a_mistake_leaves_a_tombstone(
    facility: Facility, open_page: Open, accessible: Check, watch: Watch
) -> None:
    proposal = facility.proposal(state="A")
    facility.run(proposal)
    page = open_page("/proposals/900100", user=facility.leader)
    page.get_by_role("link", name="Data Management Plan").click()
    page.get_by_role("link", name="Make a plan").click()
    page.get_by_label("Raw data").fill("1.5")
    press(page, "Keep the plan")
    expect(page.get_by_role("alert")).to_contain_text("A number with its unit")
    accessible(page)
    page.get_by_label("Raw data").fill("6 kB")
    press(page, "Keep the plan")
    expect(page.get_by_text("50 %")).to_be_visible()
    width = page.locator("figure img").evaluate("i => i.decode().then(() => i.naturalWidth)")
    assert width > 0
    accessible(page)

    page.goto("/proposals/900100/runs/0001/withdraw")
    page.get_by_label("Reason").fill("the shutter was closed")
    press(page, "Withdraw")
    expect(page.locator("#notices")).to_contain_text("Run 0001 is withdrawn.")
    watch.forgive(*REFUSED)


def test_the_pages_fit_a_telephone_and_need_no_script(
    facility: Facility, open_page: Open, accessible: Check, watch: Watch
) -> None:
    proposal = facility.proposal(state="A")
    runs.assess(facility.run(proposal), quality="good", comment="good hits", by=facility.staff)
    lifecycle.perform_due()
    page = open_page("/", user=facility.leader, size=NARROW)
    for tab in ("", "/public", "/samples", "/logbook", "/team", "/repositories", "/publication",
                "/plan"):  # fmt: skip
        page.goto(f"/proposals/900100{tab}")
        assert not wider_than_its_window(page), tab
        accessible(page)

    plain = open_page("/proposals/900100/team", user=facility.leader, java_script_enabled=False)
    twins = [facility.person() for _ in range(2)]
    for twin in twins:
        twin.last_name = "Twin"
        twin.save()
    plain.get_by_label("Login, e-mail or name").first.fill("Twin")
    plain.get_by_role("button", name="Put into the team").click()
    plain.get_by_role("radio", name=twins[1].username).check()
    plain.get_by_role("button", name="Put into the team").click()
    assert proposal.memberships.filter(user=twins[1]).exists()
    watch.forgive(*REFUSED)
