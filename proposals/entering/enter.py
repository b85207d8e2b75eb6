"""Wishes made proposals by the verbs, all in one transaction or none; tried, they leave nothing.

What is entered again as it is already there is no conflict and changes nothing, so a sheet may be
sent twice. What is there otherwise stays, and the difference is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from catalogue.ground import access as words
from catalogue.ground import calendar, clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Cycle, Instrument, User
from catalogue.ground.refusal import Refused
from proposals import access, commands, queries
from proposals.entering import lookups
from proposals.entering.sheet import Line
from proposals.entering.wish import Problem, Wish, wish
from proposals.models import Membership, Proposal

MADE, ADDED, THERE, REFUSED = "made", "added", "there", "refused"
# Which column a verb means by one of its arguments.
_COLUMN = {"begin_at": "beamtime_begin", "end_at": "beamtime_end", "role": "leader"}


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of a line (or, tried, would): `did` is a word of this module, `says` a sentence,
    `problems` why not. `confirmable`: it would be possible despite an overlap."""

    line: Line
    did: str
    number: int | None = None
    says: str = ""
    problems: tuple[Problem, ...] = ()
    confirmable: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all lines; `kept` says that it is in the catalogue."""

    lines: tuple[Entered, ...]
    kept: bool

    def count(self, did: str) -> int:
        return sum(1 for line in self.lines if line.did == did)

    @property
    def refused(self) -> int:
        return self.count(REFUSED)

    @property
    def made(self) -> int:
        return self.count(MADE)

    @property
    def added(self) -> int:
        return self.count(ADDED)

    @property
    def there(self) -> int:
        return self.count(THERE)


def may_create(by: Actor) -> bool:
    """Whether there is an instrument at which `by` may make proposals."""
    roles = [o.role for o in words.offices(by, access.today())]
    return by.system or words.CREATE in words.allowed(by, roles)


def enter(
    lines: Sequence[Line],
    *,
    by: Actor,
    dry: bool,
    despite_overlap: bool = False,
    source: str = "",
) -> Report:
    """Enter all lines, or none where one is refused; `dry` enters none either, and tells the same.

    `source` names the file, for the journal. Raises `Refused` for who may make no proposals.
    """
    if not may_create(by):
        raise Refused(
            "Proposals are made by the user office, data managers and the staff of instruments.",
            kind="permission",
            who="the user office",
        )
    with transaction.atomic():
        lookups.lock({line.cells.get("instrument", "") for line in lines})
        work = _Work(by, despite_overlap, source)
        done = tuple(work.one(line) for line in lines)
        kept = not dry and not any(line.did == REFUSED for line in done)
        if not kept:
            transaction.set_rollback(True)
    return Report(done, kept)


@dataclass(slots=True)
class _Work:
    """Lines entered one after the other; `here` are the proposals made by lines before."""

    by: Actor
    despite_overlap: bool
    source: str
    here: dict[int, Proposal] = field(default_factory=dict)

    def one(self, line: Line) -> Entered:
        wanted = wish(line.cells, clock.facility_zone())
        if isinstance(wanted, list):
            return Entered(line, REFUSED, problems=tuple(wanted))
        attempt = _Attempt(self, wanted)
        try:
            with transaction.atomic():
                did = attempt.make(line)
                if attempt.problems:
                    raise _TakeBack
        except _TakeBack:
            return Entered(
                line, REFUSED, wanted.number, problems=tuple(attempt.problems),
                confirmable=attempt.confirmable,
            )  # fmt: skip
        return Entered(line, did, wanted.number, attempt.says(did))


class _TakeBack(Exception):
    """A line has problems: what was made of it goes."""


@dataclass(slots=True)
class _Named:
    """The rows that a wish names."""

    instrument: Instrument
    cycle: Cycle
    leader: User | None
    origin: Proposal | None


class _Attempt:
    """One wish, tried step by step so that as many of its problems as possible are told at once."""

    def __init__(self, work: _Work, wanted: Wish) -> None:
        self.work = work
        self.by = work.by
        self.wish = wanted
        self.problems: list[Problem] = []
        self.confirmable = False

    def make(self, line: Line) -> str:
        """Make the proposal, or find it there; a word for which, if there are no problems."""
        named = self._named()
        if named is None:
            return REFUSED
        before = self.work.here.get(self.wish.number)
        if before is not None:
            self._compare(before, named, beamtime=False)
            return ADDED if self._more_beam(before) else THERE
        if not self._step("instrument", lambda: self._may(named.instrument)):
            return REFUSED
        if lookups.taken(self.wish.number):
            there = lookups.known(self.by, self.wish.number)
            if there is None:
                self._wrong("number", f"there is already a proposal {self.wish.number:06d}")
            else:
                self._compare(there, named, beamtime=True)
            return THERE
        proposal = self._create(named)
        if proposal is not None:
            self._parts(proposal, named)
            if self.work.source:
                facts = {"file": self.work.source, "line": line.number}
                journal.write(proposal, "import", by=self.by, facts=facts)
            if not self.problems:
                self.work.here[proposal.number] = proposal
        return MADE

    def _wrong(self, column: str, rule: str, who: str = "") -> None:
        self.problems.append(Problem(column, rule, who))

    def _step(self, column: str, act: Callable[[], object]) -> bool:
        """Do `act`; what a verb has against it is a problem of the column it names, or of this."""
        try:
            with transaction.atomic():
                act()
        except Invalid as invalid:
            self._wrong(_COLUMN.get(invalid.field, invalid.field), invalid.rule)
        except Refused as refusal:
            self.confirmable = self.confirmable or bool(refusal.details.get("may_be_confirmed"))
            self._wrong(column, refusal.why, refusal.who)
        except IntegrityError:  # somebody else was faster
            self._wrong("number", f"there is already a proposal {self.wish.number:06d}")
        else:
            return True
        return False

    def _may(self, instrument: Instrument) -> None:
        commands.require_office(self.by, words.CREATE, instrument)

    def _named(self) -> _Named | None:
        """The rows that the wish names, or None with what is not there."""
        leader = cycle = origin = None
        try:
            instrument = queries.instrument(self.wish.instrument)
        except Instrument.DoesNotExist:
            self._wrong("instrument", f"there is no instrument {self.wish.instrument!r}")
            instrument = None
        if instrument is not None:
            try:
                cycle = queries.cycle(self.wish.cycle, instrument)
            except Cycle.DoesNotExist:
                self._wrong("cycle", f"{instrument} has no cycle {self.wish.cycle!r}")
        if self.wish.leader:
            try:
                leader = lookups.person(self.wish.leader)
            except User.DoesNotExist:
                self._wrong("leader", "nobody with this login or e-mail has an account here")
        if self.wish.derived_from is not None:
            try:
                origin = queries.one(self.by, self.wish.derived_from)
            except Proposal.DoesNotExist:
                self._wrong("derived_from", "you may see no proposal of this number")
        if instrument is None or cycle is None or self.problems:
            return None
        return _Named(instrument, cycle, leader, origin)

    def _create(self, named: _Named) -> Proposal | None:
        made: list[Proposal] = []

        def create() -> None:
            made.append(
                commands.create(
                    number=self.wish.number, title=self.wish.title, instrument=named.instrument,
                    cycle=named.cycle, derived_from=named.origin, by=self.by, **self.wish.options,
                )
            )  # fmt: skip

        return made[0] if self._step("instrument", create) else None

    def _parts(self, proposal: Proposal, named: _Named) -> None:
        self._beam(proposal)
        leader = named.leader
        if leader is not None:
            self._step(
                "leader",
                lambda: commands.add_member(
                    proposal, user=leader, role=Membership.Role.PI,
                    data_access=Membership.DataAccess.WORK, by=self.by,
                ),
            )  # fmt: skip

    def _beam(self, proposal: Proposal) -> None:
        begin, end = self.wish.begin_at, self.wish.end_at
        if begin is None or end is None:
            return
        self._step(
            "beamtime_begin",
            lambda: commands.add_beamtime(
                proposal, begin_at=begin, end_at=end, by=self.by,
                despite_overlap=self.work.despite_overlap,
            ),
        )  # fmt: skip

    def _more_beam(self, proposal: Proposal) -> bool:
        """A further block of a proposal that a line before made; whether it is another one."""
        begin, end = self.wish.begin_at, self.wish.end_at
        if (
            begin is None
            or end is None
            or proposal.beamtimes.filter(begin_at=begin, end_at=end).exists()
        ):
            return False
        self._beam(proposal)
        return True

    def _compare(self, there: Proposal, named: _Named, *, beamtime: bool) -> None:
        """Tell what is said otherwise of the proposal that is there."""
        said = {name: (getattr(there, name), value) for name, value in self.wish.options.items()}
        said["title"] = (there.title, self.wish.title)
        said["instrument"] = (there.instrument, named.instrument)
        said["cycle"] = (there.cycle, named.cycle)
        if named.origin is not None:
            said["derived_from"] = (there.derived_from, named.origin)
        for column, (is_there, wanted) in said.items():
            if is_there != wanted:
                self._differs(there, column, _words(is_there))
        if there.withdrawn_at is not None:
            self._differs(there, "number", "withdrawn")
        if named.leader is not None:
            team = there.memberships.filter(role=Membership.Role.PI).select_related("user").first()
            if team is None or team.user_id != named.leader.pk:
                self._differs(there, "leader", team.user.username if team else "nobody")
        if beamtime and self.wish.begin_at is not None:
            blocks = list(there.beamtimes.all())
            if (self.wish.begin_at, self.wish.end_at) not in {
                (b.begin_at, b.end_at) for b in blocks
            }:
                self._differs(there, "beamtime_begin", ", ".join(map(str, blocks)) or "none")

    def _differs(self, there: Proposal, column: str, is_there: str) -> None:
        self._wrong(column, f"there is already {there.folder}, with: {is_there}")

    def says(self, did: str) -> str:
        """What happened, in a sentence."""
        name = f"Proposal {self.wish.number:06d}"
        if did == THERE:
            return f"{name} is there already, as it is said here."
        beam = ""
        if self.wish.begin_at is not None and self.wish.end_at is not None:
            zone = clock.facility_zone()
            span = (calendar.say_when(t, zone) for t in (self.wish.begin_at, self.wish.end_at))
            beam = "beamtime from {} to {}".format(*span)
        if did == ADDED:
            return f"{name} gets a further {beam}."
        parts = [f"at {self.wish.instrument}, cycle {self.wish.cycle}"]
        parts += [beam] if beam else ["no beamtime yet"]
        parts += [f"led by {self.wish.leader}"] if self.wish.leader else ["nobody leads it yet"]
        return f"{name} is new: {', '.join(parts)}."


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "nothing"
    text = str(value)
    return text if len(text) <= 120 else f"{text[:120]}…"


def line_of(texts: Mapping[str, str]) -> Line:
    """The texts of a form as the one line of a sheet."""
    return Line(1, dict(texts))
