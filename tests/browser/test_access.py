"""Who may do what, and what takes two people, as staff use them in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from catalogue.ground.actor import Actor
from policies import commands
from policies.models import Hold
from tests.browser.conftest import NARROW, wider_than_its_window
from tests.factories import Facility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_staff_ask_why_somebody_may(
    facility: Facility, open_page: Callable[..., Page], accessible: Callable[[Any], None]
) -> None:
    proposal = facility.proposal()
    for size in (None, NARROW):
        page = open_page("/access", user=facility.staff.user, **({"size": size} if size else {}))
        accessible(page)
        page.get_by_label("Login or e-mail address").fill(facility.leader.username)
        page.get_by_label("Proposal").fill(str(proposal.number))
        page.get_by_role("button", name="Show what and why").click()
        told = page.locator("#told")
        expect(told).to_contain_text("Principal investigator in the team, data access: work")
        expect(told).to_contain_text("Nobody else may know of it")
        accessible(page)
        assert not wider_than_its_window(page)


def test_a_hold_of_somebody_else_is_lifted_by_two(
    facility: Facility, open_page: Callable[..., Page], accessible: Callable[[Any], None]
) -> None:
    proposal = facility.proposal(state="A")
    hold = commands.hold(proposal, reason="an audit", by=Actor.of(facility.staff.user, face="page"))
    page = open_page(f"/proposals/{proposal.number}/holds", user=facility.leader)
    page.get_by_label("Why it should end").fill("the audit is over")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_role("link", name="Waits for somebody to agree")).to_be_visible()
    accessible(page)
    other = open_page(
        "/approvals", user=facility.person("local_contact", instrument=True), size=NARROW
    )
    expect(other.get_by_text("The hold is lifted")).to_be_visible()
    accessible(other)
    assert not wider_than_its_window(other)
    other.get_by_role("button", name="Agree").click()
    expect(other.locator("#notices")).to_contain_text("Agreed and done")
    assert Hold.objects.get(pk=hold.pk).state == "lifted"
