"""The beamtime board: the proposals of an instrument and a cycle by where they stand, and for each
what it waits for, who can do that, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from catalogue.ground import access as words
from catalogue.ground import clock
from catalogue.ground.actor import Actor
from catalogue.ground.models import Cycle, Instrument, Job
from proposals import access, overviews, queries
from proposals.models import PREPARATION, REVIEWED, RUNNING, Beamtime, Proposal

COLUMNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("New", ("N",)),
    ("In preparation", PREPARATION[1:]),
    ("Ready", ("R",)),
    ("Beamtime", RUNNING),
    ("Finished", ("F",)),
    ("Reviewed", ("FR", "WCLD")),
    ("Closed or cancelled", ("CLO", "C")),
)
OVER = ("F", *REVIEWED, "C")
"""States after the beam: what is left of a block that was finished sooner is nobody's."""
MOST = 50
"""Cards of a column; the list has the others."""

_TO_BE: Mapping[str, str] = {
    "N": "to be prepared",
    "DDC": "to be declared ready",
    "R": "to be activated",
    "F": "to be reviewed",
}
_JOBS = ("WLC", "WFC", "WCLD")
_STAFF = frozenset({"local_contact", "instrument_scientist"})


@dataclass(frozen=True, slots=True)
class Wait:
    """What a proposal waits for, who can do it (in short), and since when."""

    what: str
    who: str
    since: datetime
    days: int


@dataclass(frozen=True, slots=True)
class Card:
    """A proposal on the board."""

    proposal: Proposal
    wait: Wait | None
    mine: bool
    held: int
    beamtime: Beamtime | None
    beamtime_is: str


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    states: tuple[str, ...]
    cards: list[Card]
    total: int


def waiting_ids(actor: Actor) -> QuerySet[Proposal, Any]:
    """The ids of what waits for `actor`."""
    return overviews.waiting_for(actor).order_by().values("pk")


def cycles() -> list[tuple[str, str]]:
    """The cycles to choose from, the newest first; those of several instruments once."""
    found = Cycle.objects.order_by("-identifier").values_list("identifier", flat=True)
    return [(name, name) for name in dict.fromkeys(found)]


def columns(actor: Actor, rows: QuerySet[Proposal]) -> list[Column]:
    """The columns of the board for `rows`, with a number of queries that does not grow."""
    now = clock.now()
    found = list(rows.filter(withdrawn_at__isnull=True).order_by("state_since")[: 20 * MOST])
    mine = set(waiting_ids(actor).filter(pk__in=[p.pk for p in found]).values_list("pk", flat=True))
    held = _held(found)
    by_state: dict[str, list[Proposal]] = {}
    for proposal in found:
        by_state.setdefault(str(proposal.state), []).append(proposal)
    made = []
    for label, states in COLUMNS:
        inside = [p for state in states for p in by_state.get(state, [])]
        cards = [_card(p, now, p.pk in mine, held.get(p.number, 0)) for p in inside[:MOST]]
        made.append(Column(label, states, cards, len(inside)))
    return made


def _held(proposals: Iterable[Proposal]) -> dict[int, int]:
    """How many jobs of each proposal, by number, are held."""
    rows = Job.objects.filter(proposal__in=[p.number for p in proposals], state=Job.State.HELD)
    return dict(rows.order_by().values_list("proposal").annotate(n=Count("pk")))


def _card(proposal: Proposal, now: datetime, mine: bool, held: int) -> Card:
    block, word = _next(proposal, now)
    return Card(proposal, waits(proposal, now, held), mine, held, block, word)


def _next(proposal: Proposal, now: datetime) -> tuple[Beamtime | None, str]:
    """The block that runs, else the next, else the last one; once no more beam is taken, the last
    that began ("none" where none did)."""
    blocks = sorted(proposal.beamtimes.all(), key=lambda b: b.begin_at)
    if proposal.state in OVER:
        begun = [block for block in blocks if block.begin_at <= now]
        return (begun[-1], "last") if begun else (None, "none")
    for block in blocks:
        if block.end_at > now:
            return block, "now" if block.begin_at <= now else "next"
    return (max(blocks, key=lambda b: b.end_at), "last") if blocks else (None, "")


def waits(proposal: Proposal, now: datetime, held: int = 0) -> Wait | None:
    """What `proposal` waits for; None where it waits for nobody."""
    state, since = str(proposal.state), proposal.state_since
    if state in _JOBS:
        what, who = (
            ("a held job", "who the job names") if held else ("a job", "nobody, it is at work")
        )
        return _wait(what, who, since, now)
    if state == "WDC":
        return _wait("the DAQ's configuration", "the DAQ", since, now)
    if state in RUNNING:
        ends = [b.end_at for b in proposal.beamtimes.all()]
        if ends and max(ends) > now:
            return None
        over = max([*ends, since])
        return _wait("its beamtime is over: to be finished", who_may(words.OPERATE), over, now)
    for permission, states in overviews.WAITS.items():
        if state in states:
            return _wait(_TO_BE[state], who_may(permission), since, now)
    if proposal.access == Proposal.Access.EMBARGOED and proposal.consented_at is not None:
        agreed = proposal.consented_at
        return _wait("early release is agreed", who_may(words.RELEASE), agreed, now)
    return None


def _wait(what: str, who: str, since: datetime, now: datetime) -> Wait:
    return Wait(what, who, since, max((now - since).days, 0))


def who_may(permission: str) -> str:
    """Who has `permission`, in few words: of the staff of an instrument one word, and data managers
    only where nobody else has it."""
    roles = {role for role, granted in words.GRANTS.items() if permission in granted}
    said = []
    if roles >= _STAFF:
        said.append("instrument staff")
    elif "instrument_leader" in roles:
        said.append("the instrument leader")
    if "user_office" in roles:
        said.append("the user office")
    return " or ".join(said) or "data managers"


def home(actor: Actor) -> tuple[str, str]:
    """The instrument and the cycle whose board `actor` sees who chose none: where they have an
    office, or the first with proposals; the cycle of today, or the newest with proposals there."""
    seen = queries.listed(actor).order_by()
    offices = words.offices(actor, access.today()).exclude(instrument=None)
    instrument = (
        Instrument.objects.filter(pk__in=offices.values("instrument")).first()
        or Instrument.objects.filter(pk__in=seen.values("instrument")).first()
    )
    if instrument is None:
        return "", ""
    now = clock.now()
    used = Cycle.objects.filter(pk__in=seen.filter(instrument=instrument).values("cycle"))
    current = used.filter(begin_at__lte=now, end_at__gt=now).order_by("-begin_at").first()
    cycle = current or used.order_by("-identifier").first()
    return instrument.identifier, cycle.identifier if cycle is not None else ""
