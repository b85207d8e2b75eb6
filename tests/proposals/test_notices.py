"""Letters to people: who gets which, once, in time, only what they may still read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client

from catalogue.ground import clock, lifecycle, notices
from catalogue.ground.actor import WORKER
from catalogue.ground.models import Doi, Job, Notice, User
from catalogue.ports.mail import SmtpPost
from catalogue.ports.outcome import Transient
from proposals import commands, letters
from proposals import notices as about
from proposals.models import Proposal
from runs import calibrating
from runs import commands as run_commands
from tests.factories import Facility
from tests.visiting import People, Visitor, sound

OPENS = datetime(2029, 11, 24, 8, 0, tzinfo=UTC)
"""Three calendar years after the end of the first beamtime of `Facility`."""


@pytest.fixture(autouse=True)
def server(settings) -> None:
    settings.MAIL_SERVER = True
    settings.NOTICE_GATHER_SECONDS = 60


def gather() -> None:
    """What is due by now, and what is due once its window has ended."""
    lifecycle.perform_due()
    with time_machine.travel(clock.now() + timedelta(seconds=61), tick=False):
        lifecycle.perform_due()


def to(person: User) -> list[str]:
    return [m.subject for m in mail.outbox if m.to == [person.email]]


def findable(proposal: Proposal) -> None:
    """Its DOI as the registrar's job leaves it."""
    made, _ = Doi.objects.get_or_create(
        name="10.5072/x", url="https://x.example", proposal=proposal.number
    )
    Proposal.objects.filter(pk=proposal.pk).update(doi=made)
    lifecycle.advance(made.publish, by=WORKER, metadata={}, at=clock.now())


def held(facility: Facility, proposal: Proposal, count: int = 1) -> None:
    """Copies that are held since a byte differs."""
    for _ in range(count):
        run = facility.run(proposal)
        victim = min(facility.raw_folder(run).iterdir())
        victim.write_bytes(b"x" * victim.stat().st_size)
        run_commands.assess(run, quality="good", by=facility.staff)
    lifecycle.perform_due()


@pytest.fixture
def active(facility: Facility) -> Proposal:
    facility.policy()
    return facility.proposal(state="A", calibrates_by_itself=False)


def test_who_must_act_hears_of_held_jobs_in_one_letter(
    facility: Facility, active: Proposal
) -> None:
    people = People(facility, active)
    held(facility, active, 3)
    gather()
    assert to(people.data_manager) == ["3 jobs of p900100 are held"]
    for person in (people.principal, people.worker, people.auditor, people.stranger):
        assert to(person) == []
    [letter] = [m for m in mail.outbox if m.to == [people.data_manager.email]]
    assert "sha256 in the catalogue" in letter.body
    assert "http://localhost:8765/jobs?state=held&proposal=900100" in letter.body


def test_what_was_put_right_before_the_letter_left_is_not_told(
    facility: Facility, active: Proposal
) -> None:
    held(facility, active)
    lifecycle.call_off(Job.objects.get(state="held"), by=facility.staff, reason="not wanted")
    gather()
    assert mail.outbox == []
    assert set(Notice.objects.values_list("sent_at", flat=True)) <= {None}


def test_a_job_held_by_hand_is_told_to_nobody(facility: Facility, active: Proposal) -> None:
    run_commands.assess(facility.run(active), quality="good", by=facility.staff)
    job = Job.objects.get(name="runs.migrate")
    lifecycle.hold(job, by=facility.staff, reason="wait for the night")
    gather()
    assert mail.outbox == []
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        assert letters.tell_again_of_held(clock.now()) == 0


def test_what_stays_held_is_told_again_each_week(facility: Facility, active: Proposal) -> None:
    """A letter is overlooked; the copies would wait for ever, and others behind them."""
    people = People(facility, active)
    held(facility, active, 2)
    gather()
    begun = clock.now()
    for day, letters_by_then in ((6, 1), (8, 2), (9, 2), (15, 3), (14, 3), (16, 3)):
        with time_machine.travel(begun + timedelta(days=day), tick=False):
            letters.tell_again_of_held(clock.now())
            lifecycle.perform_due()
        assert len(to(people.data_manager)) == letters_by_then, day
    assert to(people.data_manager)[1:] == ["2 jobs of p900100 are still held"] * 2
    for job in Job.objects.filter(state="held"):
        lifecycle.call_off(job, by=facility.staff, reason="not wanted")
    with time_machine.travel(begun + timedelta(days=40), tick=False):
        assert letters.tell_again_of_held(clock.now()) == 0


def test_what_an_instrument_scientist_must_do_is_told_to_them(
    facility: Facility, active: Proposal
) -> None:
    person = facility.person("instrument_scientist", instrument=True)
    assert about.who_act("instrument scientist", active) == [person]


def test_the_team_hears_of_announced_removals_once(facility: Facility, active: Proposal) -> None:
    people = People(facility, active)
    for _ in range(3):
        run_commands.assess(facility.run(active), quality="not_interesting", by=facility.staff)
    gather()
    subject = "p900100: 3 copies will be removed"
    assert to(people.worker) == to(people.reader) == to(people.principal) == [subject]
    assert to(people.data_manager) == to(people.stranger) == []
    body = next(m.body for m in mail.outbox if m.subject == subject)
    assert "(9.0 kB) of 3 runs" in body
    assert "/proposals/900100/holds" in body


def test_failed_calibrations_are_told_to_those_who_may_ask_again(
    facility: Facility, active: Proposal
) -> None:
    facility.detector()
    people = People(facility, active)
    run = facility.run(active)
    wanted = calibrating.request_calibration(run, by=facility.staff)
    lifecycle.advance(wanted.fail, by=WORKER, at=clock.now(), reason="the engine\nfell over")
    lifecycle.call_off(Job.objects.get(name="runs.calibrate"), by=facility.staff, reason="gone")
    gather()
    assert to(people.worker) == ["p900100: 1 calibration failed"]
    assert to(people.reader) == to(people.stranger) == []
    body = next(m.body for m in mail.outbox if m.to == [people.worker.email])
    assert "the engine fell over" in body
    assert "/proposals/900100/runs/0001" in body


def test_a_findable_doi_is_told_once(facility: Facility) -> None:
    proposal = facility.proposal(state="FR")
    for _ in range(2):
        findable(proposal)
        gather()
    assert to(facility.leader) == ["p900100: its DOI is findable"]


# ---------------------------------------------------------------- releases


def at(moment: datetime) -> None:
    """The world at this moment: a sweep, and what it asks for."""
    with time_machine.travel(moment, tick=False):
        lifecycle.sweep()
        lifecycle.perform_due()


@pytest.fixture
def reviewed(facility: Facility) -> Proposal:
    proposal = facility.proposal(state="FR")
    findable(proposal)
    lifecycle.perform_due()
    mail.outbox.clear()
    proposal.refresh_from_db()
    assert proposal.release_at == OPENS
    return proposal


def test_a_release_is_told_90_and_30_days_ahead_and_on_the_day(
    facility: Facility, reviewed: Proposal
) -> None:
    told: list[int] = []
    day = timedelta(days=1)
    moments = [90 * day + timedelta(minutes=1), 90 * day, 89 * day, 30 * day, 29 * day, 0 * day]
    for before in moments:
        at(OPENS - before)
        at(OPENS - before)  # a second sweep tells nothing anew
        told.append(len(to(facility.leader)))
    # 90 calendar days before 24 November lie in summer time, whose 9:00 is an hour earlier.
    assert told == [1, 1, 1, 2, 2, 3]
    assert to(facility.leader) == [
        "p900100: data open in 90 days",
        "p900100: data open in 30 days",
        "p900100: data are open",
    ]


def test_90_days_are_counted_by_the_calendar(facility: Facility, reviewed: Proposal) -> None:
    summer = datetime(2029, 8, 26, 7, 0, tzinfo=UTC)  # 9:00 in Berlin, as 8:00 UTC in November
    at(summer - timedelta(seconds=1))
    assert to(facility.leader) == []
    at(summer)
    assert len(to(facility.leader)) == 1


def test_when_the_clock_jumps_only_what_is_still_true_is_told(
    facility: Facility, reviewed: Proposal
) -> None:
    at(OPENS - timedelta(days=10))
    assert to(facility.leader) == ["p900100: data open in 10 days"]
    at(OPENS + timedelta(days=400))
    at(OPENS + timedelta(days=401))
    assert to(facility.leader)[1:] == ["p900100: data are open"]


def test_a_postponed_release_is_told_of_its_new_day(facility: Facility, reviewed: Proposal) -> None:
    at(OPENS - timedelta(days=30))
    with time_machine.travel(OPENS - timedelta(days=20), tick=False):
        later = OPENS + timedelta(days=365)
        commands.postpone(reviewed, until=later, by=facility.staff, reason="thesis")
    at(OPENS - timedelta(days=1))
    at(OPENS + timedelta(days=1))
    at(later - timedelta(days=30))
    assert to(facility.leader) == [
        "p900100: data open in 30 days",
        "p900100: data open in 30 days",
    ]


# ---------------------------------------------------------------- once, and only to readers


def test_a_letter_is_sent_once_however_often_its_jobs_are_done(
    facility: Facility, active: Proposal
) -> None:
    held(facility, active)
    gather()
    before = len(mail.outbox)
    assert before
    for job in Job.objects.filter(name__in=["proposals.tell_held", "proposals.send_notice"]):
        Job.objects.filter(pk=job.pk).update(state="waiting", after=clock.now())
    gather()
    assert len(mail.outbox) == before


def test_nobody_is_told_what_they_may_not_read_any_more(
    facility: Facility, active: Proposal
) -> None:
    people = People(facility, active)
    run_commands.assess(facility.run(active), quality="not_interesting", by=facility.staff)
    lifecycle.perform_due()
    with time_machine.travel(clock.now() + timedelta(seconds=61), tick=False):
        lifecycle.perform(Job.objects.get(name="runs.tell_removal").pk)
        assert Notice.objects.filter(person=people.worker).exists()
        active.memberships.filter(user=people.worker).delete()
        User.objects.filter(pk=people.reader.pk).update(is_active=False)
        notices.choose(people.principal, {"removal": False})
        lifecycle.perform_due()
    assert to(people.worker) == to(people.reader) == to(people.principal) == []
    assert all(Notice.objects.values_list("left_out", flat=True))


def test_without_an_address_nothing_is_sent_and_nothing_is_held(
    facility: Facility, active: Proposal
) -> None:
    User.objects.filter(pk=facility.staff.user.pk).update(email="")
    held(facility, active)
    gather()
    assert mail.outbox == []
    assert not Job.objects.filter(name="proposals.send_notice").exclude(state="done").exists()


def test_a_mail_server_that_fails_holds_up_the_letter_and_nothing_else(
    facility: Facility, active: Proposal, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    settings.JOB_ATTEMPTS = 3

    def fails(self: object, letter: object) -> None:
        raise Transient("The mail server does not answer.")

    monkeypatch.setattr(SmtpPost, "send", fails)
    run = facility.run(active)
    run_commands.assess(run, quality="not_interesting", by=facility.staff)
    lifecycle.perform_due()
    for minutes in (2, 4, 8, 16):
        with time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False):
            lifecycle.perform_due()
    job = Job.objects.get(name="proposals.send_notice")
    assert (job.state, job.proposal) == ("held", None)
    assert "after 3 attempts" in job.reason
    assert run.data_groups.get().replicas.get().state == "scheduled"
    assert not Job.objects.filter(name="proposals.tell_held").exists(), "no letter about letters"
    # Who is in the team need not know to whom letters go.
    reader = Visitor(facility.leader)
    assert f"/jobs/{job.pk}" not in sound(reader.get("/jobs")).links
    reader.get(f"/jobs/{job.pk}", 404)


def test_names_begin_no_headers_and_no_lines_of_their_own(facility: Facility) -> None:
    proposal = facility.proposal(state="FR")
    mail.outbox.clear()
    Proposal.objects.filter(pk=proposal.pk).update(team_until="2100-01-01")
    Proposal.objects.filter(pk=proposal.pk).update(title="x\r\nBcc: everybody@example.org\r\n\r\n")
    at(OPENS - timedelta(days=30))
    [letter] = mail.outbox
    raw = letter.message().as_bytes()
    assert b"\nBcc:" not in raw
    assert letter.recipients() == [facility.leader.email]
    assert "“x Bcc: everybody@example.org”" in letter.body


# ---------------------------------------------------------------- stopping


def stop_path(letter) -> str:
    found = re.fullmatch(r"<http://localhost:8765(/notices/stop/\S+)>",
                         letter.extra_headers["List-Unsubscribe"])  # fmt: skip
    assert found is not None
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return found.group(1)


def test_a_letter_is_stopped_in_one_click_without_signing_in(
    facility: Facility, reviewed: Proposal
) -> None:
    at(OPENS - timedelta(days=90))
    path = stop_path(next(m for m in mail.outbox if m.to == [facility.leader.email]))
    client = Client(enforce_csrf_checks=True)  # as a mail program: no cookies, no form of ours
    for _ in range(2):
        page = client.get(path)
        assert page.status_code == 200
        assert "Release of data" in sound(page.content.decode()).text
        assert facility.leader.full_name not in page.content.decode()
    assert notices.choices(facility.leader)["release"], "looking changes nothing"
    for _ in range(2):
        answer = client.post(path, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        sound(answer.content.decode())
    assert notices.choices(facility.leader) == {
        k.name: k.name != "release" for k in notices.kinds()
    }
    at(OPENS - timedelta(days=30))
    assert len(to(facility.leader)) == 1
    client.post(path, {"again": "1"})
    assert notices.choices(facility.leader)["release"]


@pytest.mark.parametrize("token", ["x", "x:y:z", "A" * 5000, "W10:1vQ:x", "%00", "é"])
def test_a_link_that_is_not_ours_leads_nowhere(db: None, token: str) -> None:
    assert Client().get(f"/notices/stop/{token}").status_code == 404
    assert Client().post(f"/notices/stop/{token}").status_code == 404


def test_a_link_for_a_person_who_is_gone_leads_nowhere(facility: Facility) -> None:
    person = facility.person()
    token = notices.stop_token(person, "held")
    assert notices.stop_of(token) is not None
    assert notices.stop_of(notices.stop_token(person, "nothing")) is None
    person.delete()
    assert notices.stop_of(token) is None


def test_each_person_chooses(facility: Facility) -> None:
    person = facility.person()
    visitor = Visitor(person)
    page = visitor.get("/notices")
    sound(page)
    assert page.count(" checked") == len(notices.kinds())
    every = [k.name for k in notices.kinds()]
    visitor.post("/notices/choose", kinds=every, wanted=["held"])
    assert notices.choices(person) == {name: name == "held" for name in every}
    assert visitor.get("/notices").count(" checked") == 1
    visitor.post("/notices/choose", kinds=["removal"], wanted=["removal"])
    assert notices.choices(person)["removal"], "what a form did not show is left as it is"
    assert not notices.choices(person)["release"]
    visitor.post("/notices/choose", 422, kinds=["nonsense"], wanted=["nonsense"])
    assert Client().get("/notices").status_code == 302


def test_letters_of_a_site_without_a_server_can_be_read_in_its_folder(
    facility: Facility, reviewed: Proposal, settings, tmp_path
) -> None:
    settings.MAIL_SERVER, settings.MAIL_FOLDER = False, tmp_path / "mail"
    at(OPENS - timedelta(days=90))
    [path] = (tmp_path / "mail").glob("*-release.eml")
    assert b"data open in 90 days" in path.read_bytes()
    assert str(tmp_path) in Visitor(facility.leader).get("/notices")
    settings.MAIL_FOLDER = None
    at(OPENS - timedelta(days=30))
    [left_out] = Notice.objects.filter(sent_at=None, kind="release")
    assert "nothing was sent" in left_out.left_out
