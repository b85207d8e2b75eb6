"""The sentences of a verdict: the field's words, whole sentences, who and when and by what rule."""

from __future__ import annotations

from datetime import datetime, tzinfo

from catalogue.ground.calendar import Span, say, say_day, say_when
from catalogue.ground.words import listed, spelt
from policies.facts import TIERS, Case, ClauseFact, HoldFact, ReplicaFact

_WHERE = {
    "elsewhere": "elsewhere",
    "online": "online",
    "offline": "offline",
    "mass_storage": "in mass storage",
    "tape": "on tape",
    "export": "for export",
}
_RUNS = {
    "good": "Good runs",
    "unclear": "Unclear runs",
    "not_interesting": "Not interesting runs",
    "": "runs without a mark",
}
_EVENT = {
    "assessed": "the mark",
    "closed": "the end of the run",
    "verified": "its verification",
    "beamtime_end": "the beamtime",
    "reviewed": "the review",
}
_NOT_YET = {
    "assessed": "the run has no mark",
    "closed": "the run has no end",
    "verified": "it has not been verified",
    "beamtime_end": "the beamtime has no end yet",
    "reviewed": "the proposal has not been reviewed",
}
_STATE = {
    "expected": "it has not arrived",
    "copying": "it is being copied",
    "copied": "it has not been verified",
    "removed": "it has been removed",
    "lost": "it is lost",
    "corrupt": "it is corrupt, which a person looks into",
}
_OTHER_STATE = {
    "expected": "not arrived",
    "copying": "being copied",
    "copied": "not verified",
    "scheduled": "scheduled for removal",
    "trashed": "in the trash",
    "removed": "removed",
    "lost": "lost",
    "corrupt": "corrupt",
}

RUN_IS_OPEN = "Kept: the run is still open."


def of_state(replica: ReplicaFact) -> str:
    return f"Not to be removed as a copy: {_STATE[replica.state]}."


def of_hold(hold: HoldFact, zone: tzinfo) -> str:
    until = f" until {say_when(hold.until, zone)}" if hold.until else ""
    return f"Kept: held by {hold.by}{until}: {hold.reason.rstrip('.')}."


def of_no_clause(case: Case) -> str:
    where = _WHERE[case.replica.tier]
    policy = f"policy {case.policy.name!r}, version {case.policy.version}"
    return f"Kept {where} for ever: no clause of {policy}, speaks of {_data(case)}."


def of_clause(case: Case, clause: ClauseFact, end: datetime | None) -> str:
    """What the clause says of this replica; `end` is when its time is over, if that is known."""
    where = _WHERE[case.replica.tier]
    number = f"version {case.policy.version}, clause {clause.order}"
    source = f"(policy {case.policy.name!r}, {number})."
    if clause.keep is None:
        return f"Kept {where} for ever: {_data(case)} {source}"
    after = f"{say(clause.keep, in_words=True)} after" if clause.keep.count else "only until"
    rule = f"{_data(case)}, {after} {_EVENT[clause.counted_from]}"
    if end is None:
        return f"Kept {where}: {rule}, and {_NOT_YET[clause.counted_from]} {source}"
    date = _moment(end, clause.keep, case.zone)
    if end > case.now:
        return f"Kept {where} until {date}: {rule} {source}"
    return f"Had to be kept {where} until {date}: {rule} {source}"


def of_copies(clause: ClauseFact, needed: int, found: int, uncounted: list[str]) -> str:
    """That too few copies would remain; `uncounted` are the others, each with why."""
    tiers = [_WHERE[tier] for tier in TIERS if tier in clause.remaining_tiers]
    where = f" {listed(tiers, 'or')}" if tiers else ""
    copies = "copy" if needed == 1 else "copies"
    lately = f", verified within {say(clause.verified_within)}" if clause.verified_within else ""
    there = "is" if found == 1 or (not found and needed == 1) else "are"
    rest = f" Not counted: {'; '.join(sorted(uncounted))}." if uncounted else ""
    return (
        f"Kept: {spelt(needed)} other verified {copies} must remain{where}{lately},"
        f" and there {there} {spelt(found) if found else 'none'}.{rest}"
    )


def of_other_state(replica: ReplicaFact) -> str:
    """Why another replica is no copy, by its state."""
    if replica.state == "verified":
        return "without a date of verification"
    return _OTHER_STATE[replica.state]


def of_other_age(verified_at: datetime, zone: tzinfo) -> str:
    return f"last verified {say_day(verified_at, zone)}"


def of_promise(other: ReplicaFact) -> str:
    where = _WHERE[other.tier]
    return f"Kept: it must remain when the replica kept {where} so far ({other.store}) goes."


def of_removal(
    clause: ClauseFact, notice_at: datetime | None, remove_at: datetime, zone: tzinfo
) -> str:
    """From when bytes may go, and which notice that takes."""
    date = _moment(remove_at, clause.grace, zone)
    if notice_at is None:
        after = f"{say(clause.grace, in_words=True)} after" if clause.grace.count else "upon"
        return f"Bytes may go on {date} at the earliest, {after} a notice that has yet to be given."
    return (
        f"Bytes may go on {date} at the earliest; notice was given on {say_when(notice_at, zone)}."
    )


def of_old_notice(notice_at: datetime, zone: tzinfo) -> str:
    given = say_when(notice_at, zone)
    return f"The notice of {given} came before the present mark and does not count."


def _data(case: Case) -> str:
    unmarked = ", which count as Unclear" if case.quality != case.run.quality else ""
    return f"{case.replica.kind} of {_RUNS[case.run.quality]}{unmarked}"


def _moment(when: datetime, span: Span, zone: tzinfo) -> str:
    """As exact as the span that led there: years give a day, seconds give seconds."""
    if span.unit in {"months", "years"}:
        return say_day(when, zone)
    return say_when(when, zone, seconds=span.unit == "seconds")
