"""Who is told of what happens to a proposal, and in which words.

Who is told is found when the letter is due, and whether they may still read of it is asked again
when it is sent; the words are made from what is so at that moment.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q

from catalogue.ground import access as words
from catalogue.ground import calendar, clock, telling
from catalogue.ground.actor import Actor
from catalogue.ground.models import Appointment, Doi, Notice, User
from catalogue.ground.notices import Told
from catalogue.ground.words import count_text
from proposals import access, queries
from proposals.models import Proposal

HELD, FINDABLE, RELEASE = "held", "findable", "release"
SEND = "proposals.send_notice"
"""A letter that is held is shown among the jobs; no letter tells of it."""

AHEAD = (90, 30)
"""Days before the release on which the team is told; once more on the day."""

HELD_AGAIN = timedelta(days=7)
"""How long after it was held, and then how often, those who must act are told again of a job."""

_ACTS = {
    "data manager": ("data_manager",),
    "local contact": ("local_contact", "instrument_scientist"),
    "instrument scientist": ("instrument_scientist", "local_contact"),
}
OFFICES = tuple(_ACTS)
"""As a job names who must act; one that somebody holds by hand names that person."""
_LISTED = 10


# ---------------------------------------------------------------- who


def team_with(proposal: Proposal, permission: str) -> list[User]:
    """The members of the team who may do this, by the team's roles as they are in force today."""
    members = [m.user for m in queries.team(proposal)]
    return [u for u in members if permission in access.allowed_on(_reader(u), proposal)]


def whole_team(proposal: Proposal) -> list[User]:
    """Everybody in the team, also those whose access has ended since: a team reads its data for a
    year, and they open after three."""
    return [m.user for m in queries.team(proposal)]


def who_act(who: str, proposal: Proposal | None) -> list[User]:
    """The people behind "data manager" or "local contact", as a job names who must act; data
    managers where nobody holds the office it names."""
    in_force = Q(until__isnull=True) | Q(until__gte=access.today())
    offices = Appointment.objects.filter(in_force).select_related("user")
    roles = _ACTS.get(who, ())
    here = Q(instrument__isnull=True)
    if proposal is not None:
        here |= Q(instrument=proposal.instrument_id)
    found = [o.user for o in offices.filter(here, role__in=roles)]
    return found or [o.user for o in offices.filter(role="data_manager")]


def _reader(user: User) -> Actor:
    return Actor.of(user, face="mail")


def proposal_of(number: int | None) -> Proposal | None:
    """The proposal with this number, if there is one."""
    if number is None:
        return None
    return Proposal.objects.select_related("instrument", "doi").filter(number=number).first()


def known_to(notice: Notice, actor: Actor, permission: str) -> Proposal | None:
    """The proposal that a notice is about, if its reader may still do this there."""
    proposal = proposal_of(notice.proposal)
    if proposal is None or permission not in access.allowed_on(actor, proposal):
        return None
    return proposal


def known_of(notice: Notice, actor: Actor) -> Proposal | None:
    """The proposal that a notice is about, if its reader may know of it at all: by what they may
    do there, or since it is published."""
    known = access.visible(actor).select_related("instrument", "doi")
    return known.filter(number=notice.proposal).first() if notice.proposal is not None else None


def name_of(proposal: Proposal) -> str:
    """ "p900054, “Time-resolved studies”": on one line, whatever its title holds."""
    title = " ".join(proposal.title.split())
    return f"{proposal.folder}, “{title[:120]}”"


# ---------------------------------------------------------------- what


def told_held(notice: Notice, actor: Actor) -> Told | None:
    """The jobs that are held for this reader's office now, of the proposal or of none."""
    jobs = queries.jobs(actor).filter(
        state="held", proposal=notice.proposal, who=notice.facts["who"]
    )
    jobs = jobs.exclude(name=SEND).order_by("-id")
    count = jobs.count()
    if not count:
        return None
    proposal = proposal_of(notice.proposal)
    where = f" of {proposal.folder}" if proposal is not None else ""
    lines = [
        f"- {telling.job_words(job)}, {job.subject_label}: {' '.join(job.reason.split())[:300]}"
        for job in jobs[:_LISTED]
    ]
    if count > _LISTED:
        lines.append(f"- and {count - _LISTED} more")
    are = "is" if count == 1 else "are"
    if notice.facts.get("again"):
        are += " still"
    an = "An" if notice.facts["who"][:1] in "aeiou" else "A"
    text = (
        f"{count_text(count, 'job')}{where} {are} held and cannot go on by "
        f"{'itself' if count == 1 else 'themselves'}. {an} {notice.facts['who']} must act:\n\n"
        + "\n".join(lines)
        + "\n\nNothing half-made is left. Put right what stopped them, then let them go again."
    )
    path = "/jobs?state=held"
    if count == 1:
        path = f"/jobs/{jobs[0].pk}"
    elif proposal is not None:
        path += f"&proposal={proposal.number}"
    return Told(f"{count_text(count, 'job')}{where} {are} held", text, path)


def told_findable(notice: Notice, actor: Actor) -> Told | None:
    """That the proposal's DOI can be found and cited."""
    proposal = known_of(notice, actor)
    if proposal is None or proposal.doi is None or proposal.doi.state != Doi.State.FINDABLE:
        return None
    opens = ""
    if proposal.access == Proposal.Access.EMBARGOED and proposal.release_at is not None:
        day = calendar.say_day(proposal.release_at, clock.facility_zone())
        opens = f" Its data stay with the team until {day}."
    text = (
        f"The DOI of {name_of(proposal)} is findable: {proposal.doi.name}. "
        f"Its public page can be read and cited by everybody.{opens}"
    )
    return Told(f"{proposal.folder}: its DOI is findable", text, f"/data/{proposal.number:06d}")


def told_release(notice: Notice, actor: Actor) -> Told | None:
    """That the data will open on a day, or have opened; nothing where the day was changed since."""
    proposal = known_of(notice, actor)
    if proposal is None or proposal.withdrawn_at is not None:
        return None
    if not notice.facts["days"]:
        return _opened(proposal)
    release_at = proposal.release_at
    if proposal.access != Proposal.Access.EMBARGOED or release_at is None:
        return None
    if release_at.isoformat() != notice.facts["release_at"]:
        return None
    zone = clock.facility_zone()
    today, day = access.today(), release_at.astimezone(zone).date()
    ahead = max((day - today).days, 0)
    when = f"in {count_text(ahead, 'day')}" if ahead else "today"
    text = (
        f"The data of {name_of(proposal)}, open to everybody {when}, on "
        f"{calendar.say_when(release_at, zone)} ({zone.key}): RAW and PROC of its Good and Unclear "
        "runs. Until then only the team and staff read them. Staff can release them earlier with "
        "the principal investigator's consent, or postpone the day with a reason."
    )
    inside = words.SEE_METADATA in access.allowed_on(actor, proposal)
    path = f"/{'proposals' if inside else 'data'}/{proposal.number:06d}"
    return Told(f"{proposal.folder}: data open {when}", text, path)


def _opened(proposal: Proposal) -> Told | None:
    if proposal.access != Proposal.Access.OPEN or proposal.released_at is None:
        return None
    when = calendar.say_when(proposal.released_at, clock.facility_zone())
    text = (
        f"The data of {name_of(proposal)}, are open since {when}: everybody can read RAW and PROC "
        "of its Good and Unclear runs, and cite them."
    )
    return Told(f"{proposal.folder}: data are open", text, f"/data/{proposal.number:06d}")
