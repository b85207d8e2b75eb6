"""Signing in by OpenID against a provider that lies: what is believed, and what is not."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import time_machine
from django.test import Client

from catalogue.ground import clock, tokens
from catalogue.ground.identity import accounts, config, linking, provider
from catalogue.ground.models import Appointment, Entry, Identity, User
from tests.factories import Facility, InstrumentFactory
from tests.openid import CLIENT, SECRET, Provider, key

pytestmark = pytest.mark.django_db
BEGIN = "/sign-in/openid"


def begin(client: Client, path: str = BEGIN) -> str:
    answer = client.get(path)
    assert answer.status_code == 302, answer.content[-500:]
    return str(answer["Location"])


def sign_in(openid: Provider, client: Client | None = None, path: str = BEGIN) -> Any:
    """The whole way; the answer to the address that leads back."""
    client = client or Client()
    answer = client.get(openid.visit(begin(client, path)))
    answer.visitor = client
    return answer


def user_of(client: Client) -> User | None:
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk) if pk else None


def refused(answer: Any) -> str:
    """Nobody is signed in, and it is said why on the sign-in page; what is said."""
    assert answer.status_code == 302, answer.content[-500:]
    assert answer["Location"] == "/sign-in"
    assert user_of(answer.visitor) is None
    page = answer.visitor.get("/sign-in").content.decode()
    assert 'data-tone="error"' in page
    return page


# ---------------------------------------------------------------- as it should be


def test_what_is_asked_of_the_provider(openid: Provider) -> None:
    location = begin(Client())
    asked = {n: v[0] for n, v in parse_qs(urlsplit(location).query).items()}
    assert location.startswith(f"{openid.issuer}/authorize?")
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert min(len(asked["state"]), len(asked["nonce"]), len(asked["code_challenge"])) >= 32
    assert asked["redirect_uri"] == "http://testserver/sign-in/openid/return"


def test_the_first_sign_in_opens_an_account(openid: Provider) -> None:
    openid.person = {
        "sub": "ada", "name": "Ada <b>", "given_name": "Ada", "family_name": "Lovelace",
        "email": "ada@example.org", "email_verified": True, "preferred_username": "admin",
        "orcid": "https://orcid.org/0000-0002-1825-0097",
    }  # fmt: skip
    answer = sign_in(openid, path=f"{BEGIN}?next=/proposals")
    assert answer["Location"] == "/proposals"
    user = user_of(answer.visitor)
    assert user is not None
    assert (user.first_name, user.last_name, user.email) == ("Ada", "Lovelace", "ada@example.org")
    assert (user.provider, user.orcid) == ("oidc", "0000-0002-1825-0097")
    assert user.username.startswith("oidc-")
    assert not user.has_usable_password()
    assert not user.is_staff
    assert not user.is_superuser
    identity = Identity.objects.get()
    assert (identity.issuer, identity.subject) == (openid.issuer, "ada")
    assert {e.move for e in Entry.objects.all()} == {"open account", "take over from the provider"}
    again = sign_in(openid)
    assert user_of(again.visitor) == user
    assert User.objects.count() == 1


def test_sub_is_who_one_is_and_case_counts(openid: Provider) -> None:
    people = set()
    for sub in ("ada", "Ada", "ada "):
        openid.person["sub"] = sub
        people.add(user_of(sign_in(openid).visitor))
    assert len(people - {None}) == 3


def test_a_session_that_was_there_before_is_not_the_one_after(openid: Provider) -> None:
    """Session fixation: the key that somebody else may know is of no use after the sign-in."""
    client = Client()
    location = begin(client)
    before = client.session.session_key
    client.get(openid.visit(location))
    assert client.session.session_key != before
    stranger = Client()
    stranger.cookies["sessionid"] = before
    assert user_of(stranger) is None


def test_the_session_ends_after_its_hours(openid: Provider, settings: Any) -> None:
    settings.OIDC = openid.settings(session_hours=1.0)
    answer = sign_in(openid)
    assert 3500 < answer.visitor.session.get_expiry_age() <= 3600


# ---------------------------------------------------------------- what is not believed


def lies(**changed: Any) -> Callable[[Provider], None]:
    return lambda openid: openid.claims.update(changed)


def unsigned(openid: Provider) -> None:
    openid.sign = lambda told: jwt.encode(told, None, algorithm="none")


def none_in_other_letters(openid: Provider) -> None:
    def sign(told: dict[str, Any]) -> str:
        def part(value: object) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

        return f"{part({'alg': 'nOnE', 'kid': 'one'})}.{part(told)}."

    openid.sign = sign


def by_our_secret(openid: Provider) -> None:
    openid.sign = lambda told: jwt.encode(
        told, SECRET * 3, algorithm="HS256", headers={"kid": "one"}
    )


def by_the_public_key_as_a_secret(openid: Provider) -> None:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key().public_key()))["n"]
    openid.sign = lambda told: jwt.encode(told, public, algorithm="HS256", headers={"kid": "one"})


def by_another_key(openid: Provider) -> None:
    openid.sign = lambda told: openid.signed(told, by=key("another"))


def turned_over(openid: Provider) -> None:
    def sign(told: dict[str, Any]) -> str:
        head, body, signature = openid.signed(told).split(".")
        other = openid.signed(told | {"sub": "eve"}).split(".")[1]
        assert body != other
        return f"{head}.{other}.{signature}"

    openid.sign = sign


def no_token(openid: Provider) -> None:
    openid.sign = lambda told: ""


def another_person(openid: Provider) -> None:
    openid.info = {"sub": "eve"}


def now(seconds: float) -> int:
    return int(time.time() + seconds)


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(lies(nonce="x" * 32), id="wrong nonce"),
        pytest.param(lies(nonce=None), id="no nonce"),
        pytest.param(lies(nonce=""), id="empty nonce"),
        pytest.param(lies(aud="somebody-else"), id="wrong audience"),
        pytest.param(lies(aud=[]), id="no audience in the list"),
        pytest.param(lies(aud=None), id="no audience"),
        pytest.param(lies(aud=[CLIENT, "other"]), id="several, and no party"),
        pytest.param(lies(azp="other"), id="wrong party"),
        pytest.param(lies(iss="https://elsewhere.example"), id="wrong issuer"),
        pytest.param(lies(iss=None), id="no issuer"),
        pytest.param(lies(sub=None), id="no subject"),
        pytest.param(lies(sub=""), id="empty subject"),
        pytest.param(lies(sub="x" * 256), id="long subject"),
        pytest.param(lies(sub="ada\n"), id="odd subject"),
        pytest.param(lambda o: o.claims.update(exp=now(-120)), id="expired"),
        pytest.param(lies(exp=None), id="never expires"),
        pytest.param(lambda o: o.claims.update(iat=now(120), exp=now(500)), id="from the future"),
        pytest.param(lambda o: o.claims.update(iat=now(-1000)), id="old"),
        pytest.param(lambda o: o.claims.update(nbf=now(120)), id="not yet"),
        pytest.param(lies(at_hash="AAAA"), id="another access token"),
        unsigned, none_in_other_letters, by_our_secret, by_the_public_key_as_a_secret,
        by_another_key, turned_over, no_token, another_person,
    ],
)  # fmt: skip
def test_a_token_that_is_not_in_order_signs_nobody_in(
    openid: Provider, lie: Callable[[Provider], None]
) -> None:
    lie(openid)
    assert "was not in order" in refused(sign_in(openid))
    assert openid.tokens == 1, "it came to the token at all"
    assert not User.objects.exists()


def test_the_clocks_may_differ_but_not_by_much(openid: Provider, settings: Any) -> None:
    openid.claims = {"iat": now(40), "exp": now(400)}
    assert user_of(sign_in(openid).visitor) is not None
    settings.OIDC = openid.settings(skew=100_000.0)
    openid.claims = {"iat": now(400), "exp": now(800)}
    refused(sign_in(openid))
    assert config.oidc().complaints() == ["OIDC_SKEW_SECONDS must be at most 300."]  # type: ignore[union-attr]


def test_a_code_is_good_once(openid: Provider) -> None:
    client = Client()
    back = openid.visit(begin(client))
    client.get(back)
    client.post("/sign-out")
    answer = client.get(back)
    assert (answer["Location"], user_of(client)) == ("/sign-in", None)
    assert openid.tokens == 1


def test_a_code_of_another_sign_in_is_refused_by_its_verifier(openid: Provider) -> None:
    """Somebody's code, put into a sign-in that was begun elsewhere."""
    stolen = parse_qs(urlsplit(openid.visit(begin(Client()))).query)["code"][0]
    client = Client()
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    answer = client.get(f"/sign-in/openid/return?code={stolen}&state={state}&iss={openid.issuer}")
    answer.visitor = client
    refused(answer)
    assert openid.tokens == 0


def test_what_was_not_begun_here_comes_to_nothing(openid: Provider) -> None:
    """Login CSRF: a link that would sign the victim in as somebody else."""
    back = openid.visit(begin(Client()))
    for query in (back, "/sign-in/openid/return", "/sign-in/openid/return?code=a",
                  "/sign-in/openid/return?error=x", back + "\x00"):  # fmt: skip
        answer = Client().get(query)
        answer.visitor = Client()
        refused_page = answer["Location"]
        assert refused_page == "/sign-in"
    assert openid.tokens == 0


def test_a_sign_in_that_takes_too_long_is_begun_anew(openid: Provider) -> None:
    client = Client()
    back = openid.visit(begin(client))
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        answer = client.get(back)
        answer.visitor = client
        refused(answer)
    assert openid.tokens == 0


def test_an_answer_of_another_issuer_is_not_taken(openid: Provider) -> None:
    client = Client()
    back = openid.visit(begin(client))
    for changed in (back.replace("iss=", "iss=x"), back.partition("&iss=")[0]):
        answer = client.get(changed)
        assert answer["Location"] == "/sign-in"
        back = openid.visit(begin(client))
    assert openid.tokens == 0


def test_an_error_signs_nobody_out(openid: Provider, facility: Facility) -> None:
    client = Client()
    client.force_login(facility.person())
    assert client.get("/sign-in/openid/return?error=login_required").status_code == 302
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    client.get(f"/sign-in/openid/return?error=x&state={state}&iss={openid.issuer}")
    assert user_of(client) is not None


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", "x:y",
                                    "/\\elsewhere.example", "javascript:alert(1)"])  # fmt: skip
def test_it_leads_to_pages_of_ours_alone(openid: Provider, target: str) -> None:
    client = Client()
    location = client.get(BEGIN, {"next": target})["Location"]
    assert client.get(openid.visit(location))["Location"] == "/"


# ---------------------------------------------------------------- a provider in trouble


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token",
                                  "/userinfo"])  # fmt: skip
def test_a_provider_that_fails_signs_nobody_in(openid: Provider, path: str) -> None:
    client = Client()
    if path == "/.well-known/openid-configuration":
        openid.broken = {path}
        answer = client.get(BEGIN)
    else:
        location = begin(client)
        openid.broken = {path}
        answer = client.get(openid.visit(location))
    answer.visitor = client
    assert "does not answer as it should" in refused(answer)


def test_a_provider_that_is_not_there_keeps_nobody_else_out(
    openid: Provider, settings: Any, facility: Facility
) -> None:
    settings.OIDC = openid.settings(issuer="http://127.0.0.1:9", seconds=0.5)
    answer = Client().get(BEGIN)
    assert answer["Location"] == "/sign-in"
    person = facility.person()
    person.set_password("a-long-password-1")
    person.save()
    client = Client()
    client.post("/sign-in", {"username": person.username, "password": "a-long-password-1"})
    assert user_of(client) == person


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"userinfo_endpoint": None},
    ],
)
def test_a_description_that_does_not_fit_is_not_believed(
    openid: Provider, described: dict[str, Any]
) -> None:
    openid.described = described
    with pytest.raises(provider.ProviderUnreachable):
        provider.endpoints(config.oidc())  # type: ignore[arg-type]


# ---------------------------------------------------------------- claims and offices

SPB = "urn:geant:example.org:group:spb:role=scientist"


@pytest.mark.parametrize("claim", ["entitlements", "eduperson_entitlement"])
def test_entitlements_become_offices_and_end_with_them(
    openid: Provider, settings: Any, claim: str
) -> None:
    InstrumentFactory(identifier="SPB")
    settings.OIDC = openid.settings(
        roles={SPB: "instrument_scientist@SPB", "urn:geant:example.org:group:dm": "data_manager"}
    )
    openid.person[claim] = [f"{SPB}#aai.example.org", "urn:geant:example.org:group:dm:sub", "no", 7]
    user = user_of(sign_in(openid).visitor)
    assert user is not None
    held = {(a.role, a.given_by) for a in user.appointments.all()}
    assert held == {("instrument_scientist", "oidc"), ("data_manager", "oidc")}
    today = clock.now().astimezone(clock.facility_zone()).date()
    assert {a.until for a in user.appointments.all()} == {today + timedelta(days=30)}
    Appointment.objects.create(user=user, role="data_manager")
    openid.person[claim] = []
    sign_in(openid)
    assert [(a.role, a.given_by) for a in user.appointments.all()] == [("data_manager", "")]
    facts = Entry.objects.filter(move="set offices").latest("pk").facts
    assert len(facts["offices taken away"]) == 2


def test_an_address_that_is_another_accounts_is_left_to_it(
    openid: Provider, facility: Facility
) -> None:
    """Never by e-mail address alone, verified or not."""
    person = facility.person()
    for verified in (True, False, "true", None):
        openid.person.update(email=person.email, email_verified=verified)
        user = user_of(sign_in(openid).visitor)
        assert user is not None
        assert user != person
        assert user.email == ""
    person.refresh_from_db()
    assert person.identities.count() == 0


def test_an_address_that_is_not_verified_is_not_taken_over(openid: Provider) -> None:
    openid.person.update(email="ada@example.org", email_verified="yes")
    user = user_of(sign_in(openid).visitor)
    assert user is not None
    assert user.email == ""


def test_unknown_people_can_be_kept_out(openid: Provider, settings: Any) -> None:
    settings.OIDC = openid.settings(opens_accounts=False)
    assert "link it on your page" in refused(sign_in(openid))
    assert not User.objects.exists()


# ---------------------------------------------------------------- linking


def link(openid: Provider, client: Client) -> Any:
    answer = client.post("/identities/link")
    assert answer.status_code == 302
    return client.get(openid.visit(answer["Location"]), follow=True)


def test_linking_takes_both(openid: Provider, facility: Facility) -> None:
    person = facility.person()
    client = Client()
    client.force_login(person)
    answer = link(openid, client)
    assert "is linked" in answer.content.decode()
    assert openid.asked["prompt"] == "login"
    assert openid.asked["max_age"] == "0"
    assert person.identities.get().subject == "ada"
    assert user_of(sign_in(openid).visitor) == person
    entry = Entry.objects.get(move="link identity")
    assert (entry.actor, entry.subject_id) == (person, person.pk)


def test_a_session_at_the_provider_is_not_enough(openid: Provider, facility: Facility) -> None:
    client = Client()
    client.force_login(facility.person())
    for stale in (now(-3600), None, "soon", True):
        openid.claims = {"auth_time": stale}
        assert "did not ask anew" in link(openid, client).content.decode()
    assert not Identity.objects.exists()


def test_linking_takes_a_form_of_ours(openid: Provider, facility: Facility) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(facility.person())
    assert client.get("/identities/link").status_code == 405
    assert client.post("/identities/link").status_code == 403
    assert Client().post("/identities/link")["Location"].startswith("/sign-in")


def test_who_is_signed_in_meanwhile_is_not_linked(openid: Provider, facility: Facility) -> None:
    client = Client()
    client.force_login(facility.person())
    back = openid.visit(client.post("/identities/link")["Location"])
    states = client.session["oidc_states"]
    other = facility.person()
    client.force_login(other)
    session = client.session
    session["oidc_states"] = states
    session.save()
    page = client.get(back, follow=True).content.decode()
    assert "Somebody else is signed in" in page
    assert not Identity.objects.exists()


def test_an_unused_account_gives_its_identity_up(openid: Provider, facility: Facility) -> None:
    shell = user_of(sign_in(openid).visitor)
    assert shell is not None
    person = facility.person()
    client = Client()
    client.force_login(person)
    link(openid, client)
    assert person.identities.count() == 1
    shell.refresh_from_db()
    assert not shell.is_active
    assert user_of(sign_in(openid).visitor) == person


def test_a_used_account_keeps_it(openid: Provider, facility: Facility) -> None:
    """Somebody's team, offices or tokens must not be lost by a link."""
    shell = user_of(sign_in(openid).visitor)
    assert shell is not None
    tokens.issue(shell, name="script", scopes=["read"])
    client = Client()
    client.force_login(facility.person())
    assert "has been used" in link(openid, client).content.decode()
    assert Identity.objects.get().user == shell


def test_detaching_ends_what_it_gave(openid: Provider, facility: Facility, settings: Any) -> None:
    settings.OIDC = openid.settings(roles={"urn:geant:example.org:group:dm": "data_manager"})
    openid.person["entitlements"] = "urn:geant:example.org:group:dm"
    person = facility.person()
    client = Client()
    client.force_login(person)
    link(openid, client)
    there = sign_in(openid).visitor
    assert person.appointments.count() == 1
    pk = person.identities.get().pk
    assert client.post("/identities/unlink", {"identity": "x"}).status_code == 422
    stranger = Client()
    stranger.force_login(facility.person())
    assert stranger.post("/identities/unlink", {"identity": pk}).status_code == 404
    assert client.post("/identities/unlink", {"identity": pk}).status_code == 303
    assert person.appointments.count() == 0
    assert there.get("/tokens").status_code == 302, "signed out"
    assert client.get("/tokens").status_code == 200, "but not who did it"


def test_the_last_way_in_is_not_taken_away(openid: Provider) -> None:
    client = sign_in(openid).visitor
    pk = Identity.objects.get().pk
    assert client.post("/identities/unlink", {"identity": pk}).status_code == 409
    assert Identity.objects.exists()


def test_an_identity_of_a_closed_account_signs_nobody_in(openid: Provider) -> None:
    client = sign_in(openid).visitor
    user = user_of(client)
    assert user is not None
    accounts.close(user, by=accounts.PROVIDER, reason="left")
    assert client.get("/tokens").status_code == 302
    assert "is closed" in refused(sign_in(openid))
    assert linking.of(user).count() == 1


# ---------------------------------------------------------------- signing out


def test_signing_out_goes_on_to_the_provider(openid: Provider) -> None:
    client = sign_in(openid).visitor
    location = urlsplit(client.post("/sign-out")["Location"])
    asked = parse_qs(location.query)
    assert f"{location.scheme}://{location.netloc}{location.path}" == f"{openid.issuer}/logout"
    assert asked["post_logout_redirect_uri"] == ["http://localhost:8765/"]
    assert asked["id_token_hint"][0].count(".") == 2
    assert user_of(client) is None


def test_a_dead_provider_keeps_nobody_signed_in(openid: Provider) -> None:
    client = sign_in(openid).visitor
    provider.forget()
    openid.broken = {"/.well-known/openid-configuration"}
    assert client.post("/sign-out")["Location"] == "/"
    assert user_of(client) is None


def test_without_a_provider_there_is_nothing_of_it(facility: Facility) -> None:
    page = Client().get("/sign-in").content.decode()
    assert "openid" not in page.lower()
    assert Client().get(BEGIN)["Location"] == "/sign-in"
    client = Client()
    client.force_login(facility.person())
    assert "Link an account" not in client.get("/identities").content.decode()
