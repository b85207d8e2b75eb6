"""Signing in by slapd and by the certified provider, as a person does it: in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from catalogue.ground.identity import sync
from catalogue.ground.models import User
from tests.browser.conftest import NARROW, Watch, wider_than_its_window
from tests.factories import Facility, InstrumentFactory
from tests.identity.conftest import SPB, People, configured
from tests.identity.slapd import PASSWORD, Slapd

pytestmark = [pytest.mark.identity, pytest.mark.django_db(transaction=True)]

ADA = {
    "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace",
    "email": "ada@elsewhere.example", "email_verified": True,
    "orcid": "https://orcid.org/0000-0002-1825-0097", "entitlements": [f"{SPB}#aai"],
}  # fmt: skip


@pytest.fixture
def instrument(transactional_db: None) -> Any:
    return InstrumentFactory(identifier="SPB")


def by_password(page: Any, login: str, password: str = PASSWORD) -> None:
    page.goto("/sign-in")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def at_the_provider(page: Any, provider: People, login: str, *, known: bool = False) -> None:
    """Show the provider who one is, and agree."""
    page.wait_for_url(f"{provider.issuer}/interaction/**")
    page.locator("[name=login]").fill(login)
    page.locator("[name=password]").fill("whatever")
    page.get_by_role("button", name="Sign-in").click()
    if not known:
        page.get_by_role("button", name="Continue").click()
    page.wait_for_url(re.compile("^http://localhost"))


@pytest.fixture
def away(open_page: Callable[..., Any], watch: Watch, provider: People) -> Any:
    """A page on which one may go to the provider, which asks the world for its letters."""

    def make(path: str = "/sign-in", **named: Any) -> Any:
        page = open_page("/sign-in", **named)
        page.context.route(re.compile("googleapis"), lambda route: route.abort())
        page.goto(path)
        return page

    yield make
    watch.forgive(f"left the site: {provider.issuer}", "googleapis", "Failed to load resource")


def test_ldap_groups_give_offices_and_who_vanishes_is_signed_out(
    directory: Slapd,
    instrument: Any,
    open_page: Callable[..., Any],
    accessible: Callable[[Any], None],
    settings: Any,
) -> None:
    configured(settings, directory, roles={"spb": "instrument_scientist@SPB"})
    dn = directory.person("ada")
    directory.group("spb", dn)
    page = open_page("/sign-in")
    assert page.get_by_text("account of somewhere else").count() == 0
    by_password(page, "ada", "wrong")
    assert page.get_by_text("Please enter a correct").is_visible()
    accessible(page)
    by_password(page, "ada")
    assert page.get_by_text("Ada Lovelace").first.is_visible()
    user = User.objects.get(username="ada")
    assert user.appointments.get().role == "instrument_scientist"
    page.goto("/identities")
    assert page.get_by_text("the facility’s directory").count() >= 1
    accessible(page)
    directory.remove(dn)
    directory.person("bob")
    sync.sync()
    page.goto("/tokens")
    assert page.url.endswith("/sign-in?next=/tokens")
    assert not user.appointments.exists()
    by_password(page, "ada")
    assert page.get_by_text("Please enter a correct").is_visible()


def test_guessing_is_told_when_to_come_again(
    directory: Slapd, open_page: Callable[..., Any], accessible: Callable[[Any], None], watch: Watch
) -> None:
    directory.person("ada")
    page = open_page("/sign-in", size=NARROW)
    for _ in range(5):
        by_password(page, "ada", "wrong")
    assert page.get_by_text("Try again after").is_visible()
    accessible(page)
    assert not wider_than_its_window(page)
    watch.forgive("429")


def test_entitlements_give_offices_and_their_removal_takes_them(
    provider: People, instrument: Any, away: Callable[..., Any], accessible: Callable[[Any], None]
) -> None:
    provider.known({"ada": ADA})
    page = away("/sign-in?next=/identities")
    accessible(page)
    page.get_by_role("link", name="Sign in with Test AAI").click()
    at_the_provider(page, provider, "ada")
    assert page.url.endswith("/identities")
    accessible(page)
    user = User.objects.get()
    assert (user.full_name, user.orcid) == ("Ada Lovelace", "0000-0002-1825-0097")
    assert user.appointments.get().instrument.identifier == "SPB"

    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{provider.issuer}/session/end**")
    page.get_by_role("button", name="Yes").click()
    page.wait_for_url(re.compile("^http://localhost"))
    assert page.get_by_role("link", name="Sign in").first.is_visible()

    provider.known({"ada": ADA | {"entitlements": []}})
    page.goto("/sign-in")
    page.get_by_role("link", name="Sign in with Test AAI").click()
    at_the_provider(page, provider, "ada")  # asks again: one is signed out there too
    assert User.objects.get() == user
    assert not user.appointments.exists()


def test_an_identity_is_linked_with_an_ldap_person_by_both(
    provider: People,
    directory: Slapd,
    facility: Facility,
    away: Callable[..., Any],
    accessible: Callable[[Any], None],
) -> None:
    """The same address at the provider joins nothing; signing in at both does."""
    provider.known({"eve": ADA | {"email": "ada@facility.example"}, "ada": ADA})
    directory.person("ada")
    page = away()
    by_password(page, "ada")
    page.get_by_text("Ada Lovelace").first.wait_for()
    user = User.objects.get(username="ada")
    stranger = away()
    stranger.get_by_role("link", name="Sign in with Test AAI").click()
    at_the_provider(stranger, provider, "eve")
    assert user.identities.count() == 1, "LDAP's alone"

    page.goto("/identities")
    page.get_by_role("button", name="Link an account of Test AAI").click()
    at_the_provider(page, provider, "ada")
    assert page.get_by_text("Your identity is linked").is_visible()
    accessible(page)
    assert user.identities.count() == 2
    fresh = away(size=NARROW)
    assert not wider_than_its_window(fresh)
    fresh.get_by_role("link", name="Sign in with Test AAI").click()
    at_the_provider(fresh, provider, "ada")
    fresh.goto("/identities")
    assert fresh.get_by_text("login ada").is_visible()
    assert not wider_than_its_window(fresh)
    fresh.get_by_role("button", name=re.compile("^Unlink")).click()
    assert fresh.get_by_text("Sign in again").is_visible()
    assert user.identities.count() == 1
