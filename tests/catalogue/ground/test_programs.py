"""Programs: what staff do with them, who acts through them, and what is kept of their secrets."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.module_loading import import_string
from hypothesis import given
from hypothesis import strategies as st
from oauth2_provider.models import AccessToken

from catalogue import settings as product
from catalogue.ground import access, clock, lifecycle, program_secrets, programs
from catalogue.ground.actor import COMMAND, Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.lifecycle.schedule import timed
from catalogue.ground.models import Entry, Program, User
from catalogue.ground.programs import Unrecognised
from catalogue.ground.refusal import Refused
from proposals import access as of_proposals
from runs import commands as runs
from tests.factories import BEGIN, Facility, UserFactory

TOKEN = "/metadata/oauth/token"


def bearer(program: Program, secret: str) -> str:
    """A token, got as a program gets one."""
    answer = Client().post(
        TOKEN,
        {
            "grant_type": "client_credentials",
            "client_id": program.client_id,
            "client_secret": secret,
        },
    )
    assert answer.status_code == 200, answer.content
    return str(answer.json()["access_token"])


def made(facility: Facility, *, name: str = "DAQ SPB", **facts: object) -> tuple[Program, str]:
    facts.setdefault("scopes", ["daq", "read"])
    return programs.create(name=name, by=facility.staff, **facts)  # type: ignore[arg-type]


def entry(program: Program) -> Entry:
    """The last thing told of a program."""
    last = Entry.objects.filter(subject_type="ground.program", subject_id=program.pk).first()
    assert last is not None
    return last


# ---------------------------------------------------------------- secrets


def test_of_a_secret_only_a_salted_hash_is_kept(facility: Facility) -> None:
    (one, secret), (other, _) = made(facility), made(facility, name="Transfer")
    kept = Program.objects.get(pk=one.pk).client_secret
    assert secret not in kept
    assert kept.startswith("program_sha256$")
    assert check_password(secret, kept)
    assert not check_password(secret + "x", kept)
    assert not check_password(secret, Program.objects.get(pk=other.pk).client_secret)
    assert make_password(secret, hasher="program_sha256") != kept  # salted
    one.save()  # hashing again would shut the program out
    assert check_password(secret, Program.objects.get(pk=one.pk).client_secret)


def test_secrets_have_256_bits_and_nothing_to_encode() -> None:
    many = {program_secrets.new() for _ in range(50)}
    assert len(many) == 50
    for secret in many:
        assert len(secret) == 43  # 256 bits in base64
        assert secret.replace("-", "").replace("_", "").isalnum()


def test_passwords_of_people_keep_the_slow_hash() -> None:
    first = import_string(product.PASSWORD_HASHERS[0])  # the tests have a quick one before it
    assert first().algorithm == "pbkdf2_sha256"


# ---------------------------------------------------------------- verbs


def test_who_does_not_administer_is_refused(facility: Facility) -> None:
    program, _ = made(facility)
    others = [
        Actor.of(facility.person("user_office"), face="page"),
        Actor.of(facility.person("instrument_leader", instrument=True), face="page"),
        Actor.of(facility.person(), face="page"),
        facility.daq,
        Actor.of(facility.staff.user, face="api", scopes=frozenset(access.SCOPES)),
    ]
    for by in others:
        for verb in (
            lambda by=by: programs.create(name="Mine", scopes=["read"], by=by),
            lambda by=by: programs.rotate(program, by=by),
            lambda by=by: programs.revoke(program, by=by),
            lambda by=by: programs.set_acts_for(program, people=[by.user], by=by),
            lambda by=by: programs.set_scopes(program, scopes=["write"], by=by),
            lambda by=by: list(programs.listed(by)),
        ):
            with pytest.raises(Refused) as refusal:
                verb()
            assert refusal.value.kind == "permission"
    assert Program.objects.count() == 1
    assert programs.create(name="Console", scopes=[], by=COMMAND)[0].created_by is None


def test_each_verb_is_told_in_the_journal_without_the_secret(facility: Facility) -> None:
    person = facility.person()
    program, secret = made(facility, acts_for=[person])
    first = entry(program)
    assert (first.move, first.actor) == ("create", facility.staff.user)
    assert first.facts["acts for"] == [person.email]
    secrets = [secret, programs.rotate(program, by=facility.staff)]
    assert entry(program).move == "rotate secret"
    programs.set_scopes(program, scopes=["read"], by=facility.staff)
    assert entry(program).facts == {"scopes before": ["daq", "read"], "scopes": ["read"]}
    programs.set_acts_for(program, people=[], by=facility.staff)
    assert entry(program).facts == {"added": [], "removed": [person.email]}
    programs.revoke(program, by=facility.staff, reason="Out of use.")
    assert (entry(program).move, entry(program).reason) == ("revoke", "Out of use.")
    told = str([e.facts for e in Entry.objects.all()])
    assert not any(secret in told for secret in secrets)


def test_what_does_not_change_is_not_told(facility: Facility) -> None:
    program, _ = made(facility)
    before = Entry.objects.count()
    programs.set_scopes(program, scopes=["read", "daq", "read"], by=facility.staff)
    programs.set_acts_for(program, people=[], by=facility.staff)
    assert Entry.objects.count() == before


@pytest.mark.parametrize(
    "facts",
    [
        {"name": " "},
        {"name": "two\nlines"},
        {"name": "x" * 81},
        {"name": "daq spb"},
        {"scopes": ["everything"]},
    ],
)
def test_what_breaks_a_rule_is_not_made(facility: Facility, facts: dict[str, object]) -> None:
    made(facility)
    with pytest.raises(Invalid):
        made(facility, **{"name": "Other", **facts})
    assert Program.objects.count() == 1


def test_accounts_must_be_open_service_accounts(facility: Facility) -> None:
    with pytest.raises(Invalid):
        made(facility, account=facility.person())
    closed = UserFactory(is_active=False)
    with pytest.raises(Invalid):
        made(facility, acts_for=[closed])
    with pytest.raises(Invalid):
        programs.account_named(facility.staff.user.username)
    assert programs.account_named("daq") == facility.daq.user
    assert programs.account_named(" ") is None


def test_people_are_named_by_address_in_any_case(facility: Facility) -> None:
    person = facility.person()
    assert programs.people_with([f" {person.email.upper()} ", "", person.email]) == [person]
    with pytest.raises(Invalid, match="nobody"):
        programs.people_with(["nobody@example.org"])
    person.is_active = False
    person.save()
    with pytest.raises(Invalid):
        programs.people_with([person.email])


def test_a_program_is_confidential_and_has_one_grant(facility: Facility) -> None:
    program, _ = made(facility)
    for wrong in ({"client_type": "public"}, {"authorization_grant_type": "password"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Program.objects.filter(pk=program.pk).update(**wrong)


# ---------------------------------------------------------------- who acts


def test_the_person_acts_through_the_program(facility: Facility) -> None:
    person, other = facility.person(), facility.person()
    program, secret = made(facility, acts_for=[person])
    token = bearer(program, secret)
    for email in (person.email, person.email.upper()):
        actor = programs.recognise(token, email, clock.now(), face="mymdc")
        assert isinstance(actor, Actor)
        assert (actor.user, actor.through, actor.face) == (person, program, "mymdc")
        assert actor.scopes == {"daq", "read"}
    for wrong in ("", None, "nobody@example.org", other.email, "x" * 300, "a\x00b", "%", "_"):
        assert programs.recognise(token, wrong, clock.now()) is Unrecognised.EMAIL, wrong
    assert programs.recognise("unknown", person.email, clock.now()) is Unrecognised.BEARER


def test_an_address_for_letters_serves_if_it_is_one_person_s(facility: Facility) -> None:
    one, other = facility.person(), facility.person()
    User.objects.filter(pk__in=[one.pk, other.pk]).update(contact_email="group@example.org")
    program, secret = made(facility, acts_for=[one])
    token = bearer(program, secret)
    actor = programs.recognise(token, "Group@example.org", clock.now())
    assert isinstance(actor, Actor)
    assert actor.user == one
    programs.set_acts_for(program, people=[one, other], by=facility.staff)
    refused = programs.recognise(token, "group@example.org", clock.now())
    assert refused is Unrecognised.EMAIL
    User.objects.filter(pk=other.pk).update(email="group@example.org")
    actor = programs.recognise(token, "group@example.org", clock.now())
    assert isinstance(actor, Actor)
    assert actor.user == other


def test_nobody_acts_after_the_account_was_closed(facility: Facility) -> None:
    person = facility.person()
    program, secret = made(facility, acts_for=[person], account=facility.daq.user)
    token = bearer(program, secret)
    User.objects.filter(pk__in=[person.pk, facility.daq.user.pk]).update(is_active=False)
    assert programs.recognise(token, person.email, clock.now()) is Unrecognised.EMAIL
    assert programs.recognise(token, None, clock.now(), own=True) is Unrecognised.NOBODY


def test_without_a_name_it_is_the_program_s_own_account(facility: Facility) -> None:
    program, secret = made(facility, account=facility.daq.user)
    token = bearer(program, secret)
    actor = programs.recognise(token, None, clock.now(), own=True)
    assert isinstance(actor, Actor)
    assert (actor.user, actor.through) == (facility.daq.user, program)
    assert programs.recognise(token, None, clock.now()) is Unrecognised.EMAIL
    lonely, secret = made(facility, name="Lonely")
    answer = programs.recognise(bearer(lonely, secret), None, clock.now(), own=True)
    assert answer is Unrecognised.NOBODY


def test_tokens_live_two_hours(facility: Facility) -> None:
    person = facility.person()
    program, secret = made(facility, acts_for=[person])
    with time_machine.travel(BEGIN, tick=False):
        token = bearer(program, secret)
    last = BEGIN + timedelta(seconds=7199)
    assert isinstance(programs.recognise(token, person.email, last), Actor)
    over = BEGIN + timedelta(seconds=7200)
    assert programs.recognise(token, person.email, over) is Unrecognised.BEARER


def test_revoking_ends_everything_at_once(facility: Facility) -> None:
    person = facility.person()
    program, secret = made(facility, acts_for=[person])
    token = bearer(program, secret)
    programs.revoke(program, by=facility.staff)
    assert not AccessToken.objects.exists()
    assert entry(program).facts == {"tokens ended": 1}
    assert programs.recognise(token, person.email, clock.now()) is Unrecognised.BEARER
    late = AccessToken(application=program, scope="daq", expires=clock.now() + timedelta(hours=1))
    late._raw_token = "written while it was revoked"
    late.save()
    again = programs.recognise("written while it was revoked", person.email, clock.now())
    assert again is Unrecognised.BEARER
    for verb in (programs.rotate, programs.revoke):
        with pytest.raises(Refused, match="revoked"):
            verb(program, by=facility.staff)


def test_rotating_leaves_tokens_unless_they_are_to_end(facility: Facility) -> None:
    person = facility.person()
    program, secret = made(facility, acts_for=[person])
    token = bearer(program, secret)
    newer = programs.rotate(program, by=facility.staff)
    kept = Program.objects.get(pk=program.pk).client_secret
    assert check_password(newer, kept)
    assert not check_password(secret, kept)
    assert isinstance(programs.recognise(token, person.email, clock.now()), Actor)
    programs.rotate(program, by=facility.staff, end_tokens=True)
    assert programs.recognise(token, person.email, clock.now()) is Unrecognised.BEARER


def test_a_scope_that_is_taken_away_is_gone_from_tokens_too(facility: Facility) -> None:
    person = facility.person()
    program, secret = made(facility, acts_for=[person])
    token = bearer(program, secret)
    programs.set_scopes(program, scopes=["read", "write"], by=facility.staff)
    actor = programs.recognise(token, person.email, clock.now())
    assert isinstance(actor, Actor)
    assert actor.scopes == {"read"}


def test_the_use_is_noted_once_a_minute(facility: Facility) -> None:
    person = facility.person()
    program, secret = made(facility, acts_for=[person])
    with time_machine.travel(BEGIN, tick=False):
        token = bearer(program, secret)
    assert Program.objects.get(pk=program.pk).last_used_at == BEGIN
    for after, noted in ((59, 0), (60, 60), (61, 60)):
        programs.recognise(token, person.email, BEGIN + timedelta(seconds=after))
        used = Program.objects.get(pk=program.pk).last_used_at
        assert used == BEGIN + timedelta(seconds=noted)


def test_expired_tokens_are_forgotten_by_the_schedule(
    facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "FORGOTTEN_AT_ONCE", 3)
    program, secret = made(facility)
    with time_machine.travel(BEGIN, tick=False):
        for _ in range(7):
            bearer(program, secret)
    with time_machine.travel(BEGIN + timedelta(hours=1), tick=False):
        bearer(program, secret)
    assert programs.forget_expired(BEGIN + timedelta(seconds=7199)) == 0
    assert programs.forget_expired(BEGIN + timedelta(seconds=7200)) == 7
    assert AccessToken.objects.count() == 1
    assert "catalogue.ground.programs.forget_expired" in timed()


# ---------------------------------------------------------------- what they may do


def acting(user: User, *scopes: str) -> Actor:
    """Somebody through a program; only its being there counts here."""
    return Actor(
        user=user, name="x", face="mymdc", scopes=frozenset(scopes), through=Program(name="P")
    )


def test_roles_are_narrowed_by_scopes_and_reports_are_the_program_s(facility: Facility) -> None:
    person = facility.person()
    roles = ["principal investigator"]
    reading = access.allowed(acting(person, "read"), roles)
    assert reading == {access.SEE_METADATA, access.SEE_DATA, access.SEE_JOURNAL}
    assert access.allowed(acting(person, "read", "write"), []) == frozenset()
    reporting = access.allowed(acting(person, "daq", "adopt", "transfer"), [])
    assert reporting == {access.SEE_METADATA, access.DAQ, access.ADOPT, access.TRANSFER}
    assert access.allowed(acting(person, "calibrate"), []) == {access.CONSTANTS}
    assert access.EDIT in access.allowed(acting(person, "daq"), roles)
    assert access.CONSENT not in access.allowed(acting(person, "write"), roles)
    assert access.RELEASE not in access.allowed(acting(person, "write"), ["data_manager"])
    service = acting(facility.daq.user, "assess")
    assert access.allowed(service, []) == access.SCOPES["assess"]
    person.is_active = False
    assert access.allowed(acting(person, "daq"), []) == frozenset()


@given(
    roles=st.lists(st.sampled_from(sorted(access.GRANTS)), max_size=3),
    scopes=st.sets(st.sampled_from(sorted(access.SCOPES))),
)
def test_nobody_may_more_through_a_program_but_report(roles: list[str], scopes: set[str]) -> None:
    user = User(username="x")
    through = access.allowed(acting(user, *scopes), roles)
    alone = access.allowed(Actor.of(user, face="page"), roles)
    given_away = frozenset[str]().union(*(access.SCOPES[s] for s in scopes))
    assert through <= given_away
    reporting = scopes & access.REPORTING_SCOPES
    assert through - alone <= access.REPORTS | {access.SEE_METADATA}
    if not reporting:
        assert through <= alone
    if not reporting - {"calibrate"}:
        assert through - alone <= {access.CONSTANTS}
    assert not through & {access.CONSENT, access.RELEASE}


def test_every_scope_has_its_words() -> None:
    assert set(access.SCOPE_WORDS) == set(access.SCOPES)
    assert set(access.PERSONAL_SCOPES) | access.REPORTING_SCOPES <= set(access.SCOPES)


def test_a_program_reports_for_a_person_and_the_journal_names_both(facility: Facility) -> None:
    person = facility.person()
    proposal = facility.proposal(state="A")
    program, secret = made(facility, acts_for=[person])
    actor = programs.recognise(bearer(program, secret), person.email, clock.now())
    assert isinstance(actor, Actor)
    assert proposal in of_proposals.visible(actor)
    number = runs.next_number(proposal, by=actor)
    run = runs.register(proposal, number=number, begin_at=BEGIN, by=actor)
    told = Entry.objects.get(subject_type="runs.run", subject_id=run.pk, move="register")
    assert (told.actor, told.actor_name) == (person, person.full_name)
    assert (told.program, told.program_name) == (program, "DAQ SPB")
    with pytest.raises(Refused):
        lifecycle.advance(proposal.pause, by=actor)
    alone = Actor.of(person, face="page")
    assert proposal not in of_proposals.visible(alone)
    with pytest.raises(Refused):
        runs.next_number(proposal, by=alone)


def test_who_signs_in_with_an_address_is_found_however_many_are_written_to_there(
    facility: Facility,
) -> None:
    people = [facility.person() for _ in range(6)]
    owner = people[-1]
    User.objects.filter(pk__in=[p.pk for p in people[:-1]]).update(contact_email=owner.email)
    program, _ = programs.create(name="Group", scopes=["read"], acts_for=people, by=facility.staff)
    assert programs._person(program, owner.email) == owner
    User.objects.filter(pk=owner.pk).update(email="somebody.else@example.org")
    assert programs._person(program, owner.email) is None
