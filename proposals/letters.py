"""The work of telling people: finding out who is to be told, and sending each their letter.

One job for an event finds the people, one job for each of them sends. A mail server that fails
holds up that person's letter and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.urls import reverse
from django.utils.module_loading import import_string

from catalogue.ground import calendar, clock, notices
from catalogue.ground.actor import SCHEDULE, WORKER, Actor
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.lifecycle import Outcome, Work, World, performs
from catalogue.ground.models import Doi, Job, Notice, User
from catalogue.ground.notices import Told
from catalogue.ports.mail import Letter, Post, post_from
from proposals import notices as about
from proposals import queries
from proposals.models import Proposal

TELLS = ("proposals.tell_held", "proposals.tell_findable", "proposals.tell_release")


def post() -> Post:
    """The facility's mail, by the settings EMAIL_URL and MAIL_FROM."""
    return post_from(
        server=settings.MAIL_SERVER, sender=settings.MAIL_FROM, folder=settings.MAIL_FOLDER
    )


def gathered(name: str, subject: Proposal | Job, scope: str, now: datetime) -> Wanted:
    """The job that tells what happened in this window, asked for once by all that happens in it."""
    window = notices.window(now)
    event = f"{name.rpartition('_')[2]}:{scope}:{int(window.begin.timestamp())}"
    params = {"event": event, **window.facts}
    return Wanted(name, subject, after=window.end, params=params, lane=f"notice:{event}"[:160])


def tell(work: Work, kind: str, people: Callable[[], Iterable[User]], **facts: object) -> Outcome:
    """Write a notice down for each of these people, and ask for its sending."""
    job = work.job
    found = list(people())

    def record() -> None:
        rows = notices.write_down(
            found, kind, job.params["event"], proposal=job.proposal, facts=facts
        )
        enqueue([Wanted(about.SEND, row) for row in rows], by=WORKER)

    return Outcome(record, {"people": len(found)})


# ---------------------------------------------------------------- events of proposals


def _held(job: Job, world: World) -> Iterable[Wanted]:
    """Held by the catalogue for somebody; who holds a job by hand knows of it."""
    if not world.by.system or job.name == about.SEND or job.name in TELLS:
        return
    wanted = gathered("proposals.tell_held", job, f"{job.proposal}:{job.who[:60]}", world.now)
    wanted.params["who"] = job.who
    yield wanted


@performs("proposals.tell_held", plan=_held)
def tell_held(work: Work) -> Outcome:
    """Tell those who must act of the jobs that are held."""
    who, again = work.job.params["who"], bool(work.job.params.get("again"))
    proposal = about.proposal_of(work.job.proposal)
    return tell(work, about.HELD, lambda: about.who_act(who, proposal), who=who, again=again)


def tell_again_of_held(now: datetime) -> int:
    """Ask for another notice, week after week, of what has waited for an office since; part of the
    schedule. Of all that an office has held for one proposal, that of the oldest is told."""
    held = Job.objects.filter(
        state=Job.State.HELD, who__in=about.OFFICES, created_at__lte=now - about.HELD_AGAIN
    )
    oldest: dict[tuple[int | None, str], Job] = {}
    for job in held.exclude(name__in=(about.SEND, *TELLS)).order_by("pk"):
        oldest.setdefault((job.proposal, job.who), job)
    fresh = [wanted for job in oldest.values() for wanted in _again(job, now)]
    return len(enqueue(fresh, by=SCHEDULE))


def _again(job: Job, now: datetime) -> Iterable[Wanted]:
    """The notice of the week that a held job is in, unless it was asked for."""
    last = job.tries.first()
    tried = last.ended_at if last is not None else None
    weeks = (now - max(job.created_at, job.after, tried or job.created_at)) // about.HELD_AGAIN
    event = f"held:{job.pk}:{weeks}"
    told = Job.objects.filter(
        subject_type=job._meta.label_lower, subject_id=job.pk, name="proposals.tell_held"
    )
    if weeks >= 1 and event not in {one.params["event"] for one in told}:
        params = {"event": event, "who": job.who, "again": True}
        yield Wanted("proposals.tell_held", job, params=params, lane=f"notice:{event}")


def _findable(doi: Doi, world: World) -> Iterable[Wanted]:
    """The first time that a proposal's DOI is findable; later ones only renew its metadata."""
    if doi.proposal is None or doi.findable_at != world.facts.get("at"):
        return
    event = f"findable:{doi.pk}"
    yield Wanted("proposals.tell_findable", doi, params={"event": event}, lane=f"notice:{event}")


@performs("proposals.tell_findable", plan=_findable)
def tell_findable(work: Work) -> Outcome:
    """Tell the team that the DOI of their data is findable."""
    return tell(work, about.FINDABLE, lambda: _team(work))


def _released(proposal: Proposal, world: World) -> Iterable[Wanted]:
    yield _release(proposal, 0)


def _release(proposal: Proposal, days: int) -> Wanted:
    at = proposal.release_at if days else proposal.released_at
    event = f"release:{proposal.number}:{days}:{at.isoformat() if at else ''}"
    params = {"event": event, "days": days, "release_at": at.isoformat() if at else ""}
    return Wanted("proposals.tell_release", proposal, params=params, lane=f"notice:{event}")


@performs("proposals.tell_release", plan=_released)
def tell_release(work: Work) -> Outcome:
    """Tell the team that their data will open, or have opened."""
    facts = {name: work.job.params[name] for name in ("days", "release_at")}
    return tell(work, about.RELEASE, lambda: _team(work), **facts)


def _team(work: Work) -> list[User]:
    proposal = about.proposal_of(work.job.proposal)
    return about.whole_team(proposal) if proposal is not None else []


def tell_of_releases(now: datetime) -> int:
    """Ask for the notices of releases that lie 90 and 30 days ahead; part of the schedule.

    Days are the calendar's, in the facility's zone. Where several are due at once, since the clock
    jumped or the proposal was reviewed late, only the nearest is told: the others would be false.
    """
    zone = clock.facility_zone()
    horizon = calendar.add(now, calendar.Span(max(about.AHEAD) + 1, "days"), zone)
    due: dict[str, Wanted] = {}
    for proposal in queries.opening_before(now, horizon):
        assert proposal.release_at is not None
        passed = [d for d in about.AHEAD if _told_from(proposal.release_at, d) <= now]
        if passed:
            wanted = _release(proposal, min(passed))
            due[wanted.lane] = wanted
    asked = set(Job.objects.filter(lane__in=due).values_list("lane", flat=True))
    fresh = [wanted for lane, wanted in due.items() if lane not in asked]
    return len(enqueue(fresh, by=SCHEDULE))


def _told_from(release_at: datetime, days: int) -> datetime:
    return calendar.before(release_at, calendar.Span(days, "days"), clock.facility_zone())


# ---------------------------------------------------------------- one letter


@performs(about.SEND)
def send_notice(work: Work) -> Outcome:
    """Send one letter, if its reader still wants it and may still read of it."""
    notice: Notice = work.subject(Notice)
    if notice.sent_at is not None or notice.left_out:
        return Outcome()
    why_not = _why_not(notice)
    told = None if why_not else _told(notice)
    if told is None:
        why = why_not or "By now there was nothing to tell, or it was not for them to read."
        return Outcome(lambda: notices.was_left_out(notice, why), {"left out": why})
    letter = letter_of(notice, told)
    receipt = post().send(letter)

    def record() -> None:
        if receipt.sent:
            notices.was_sent(notice, letter.heading)
        else:
            notices.was_left_out(notice, receipt.says)

    return Outcome(record, {"says": receipt.says})


def _why_not(notice: Notice) -> str:
    person = notice.person
    if not person.is_active:
        return "The account is closed."
    if not notices.choices(person).get(notice.kind, False):
        return "They do not want notices of this kind any more."
    try:
        validate_email(notices.address_of(person))
    except ValidationError:
        return "There is no e-mail address that a letter can be sent to."
    return ""


def _told(notice: Notice) -> Told | None:
    kind = notices.kind_of(notice.kind)
    assert kind is not None
    told: Told | None = import_string(kind.told)(notice, Actor.of(notice.person, face="mail"))
    return told


def letter_of(notice: Notice, told: Told) -> Letter:
    """The letter with the way to the thing, and the way to stop letters like it."""
    kind = notices.kind_of(notice.kind)
    assert kind is not None
    token = notices.stop_token(notice.person, notice.kind)
    stop = settings.SITE_URL + reverse("stop-notices", args=[token])
    text = (
        f"{told.text}\n\n{settings.SITE_URL}{told.path}\n\n-- \n"
        f"{settings.FACILITY} · Lightkeeper. {kind.label}: {kind.about}\n"
        f"No more of these: {stop}\n"
        f"Which notices you get: {settings.SITE_URL}{reverse('notices')}\n"
    )
    return Letter(
        to=notices.address_of(notice.person),
        subject=told.heading,
        text=text,
        key=f"notice-{notice.pk}-{notice.kind}",
        site=settings.SITE_URL.partition("://")[2].partition("/")[0].partition(":")[0],
        stop_url=stop,
    )
