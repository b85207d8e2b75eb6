"""A policy as text: each clause in one paragraph, from its facts alone, for people who ask what
the rules are. (What a policy says of one replica is said by `policies.sentences`.)"""

from __future__ import annotations

from catalogue.ground.calendar import Span, say
from catalogue.ground.words import listed, spelt
from policies.facts import TIERS, ClauseFact

_TIERS = {
    "elsewhere": "stores elsewhere",
    "online": "online storage",
    "offline": "offline storage",
    "mass_storage": "mass storage",
    "tape": "tape",
    "export": "the export store",
}
_KINDS = {
    "RAW": "raw data",
    "CAL": "calibration constants",
    "PROC": "corrected data",
    "REDU": "reduced data",
    "SIM": "simulated data",
    "UNK": "data of unknown kind",
}
_QUALITIES = {
    "good": "Good",
    "unclear": "Unclear",
    "not_interesting": "Not interesting",
    "": "unmarked",
}
_EVENTS = {
    "assessed": "the mark was set",
    "closed": "the run ended",
    "verified": "the copy was verified",
    "beamtime_end": "the beamtime ended",
    "reviewed": "the proposal was reviewed",
}


def clause(fact: ClauseFact) -> list[str]:
    """The sentences of one clause: what it speaks of, how long that is kept, what must remain, and
    how long before it goes that is announced."""
    found = [f"{_subject(fact)} {_kept(fact)}."]
    if fact.keep is not None:
        found.append(_remaining(fact))
        found.append(_notice(fact))
    return found


def _subject(fact: ClauseFact) -> str:
    kinds = [words for kind, words in _KINDS.items() if kind in fact.kinds]
    data = listed(kinds) if kinds else "data of every kind"
    marks = [words for quality, words in _QUALITIES.items() if quality in fact.qualities]
    runs = f"of {listed(marks, 'or')} runs" if marks else "of all runs"
    if fact.experiments_excluded:
        runs += f" (not of {listed(sorted(fact.experiments_excluded), 'or')})"
    tiers = [_TIERS[tier] for tier in TIERS if tier in fact.tiers]
    where = f"in {listed(tiers, 'or')}" if tiers else "in any store"
    while_ = (
        f", while the proposal is {listed(sorted(fact.proposal_states), 'or')},"
        if fact.proposal_states
        else ""
    )
    return f"{data[:1].upper()}{data[1:]} {runs} {where}{while_}"


def _kept(fact: ClauseFact) -> str:
    if fact.keep is None:
        return "are kept for ever"
    event = _EVENTS[fact.counted_from]
    if fact.keep.count == 0:
        return f"need not be kept once {event}"
    return f"are kept for {_span(fact.keep)} after {event}"


def _remaining(fact: ClauseFact) -> str:
    if not fact.minimum_replicas:
        if fact.qualities == {"not_interesting"} or "RAW" not in fact.kinds:
            return "No other copy has to remain."
        return "No other copy has to remain, but the last verified copy of raw data always does."
    copies = "copy" if fact.minimum_replicas == 1 else "copies"
    tiers = [_TIERS[tier] for tier in TIERS if tier in fact.remaining_tiers]
    where = f" in {listed(tiers, 'or')}" if tiers else ""
    within = fact.verified_within
    lately = f", verified within the last {_last(within)}" if within else ""
    number = spelt(fact.minimum_replicas)
    return f"Even then {number} other verified {copies} must remain{where}{lately}."


def _notice(fact: ClauseFact) -> str:
    if fact.grace.count == 0:
        return "They go as soon as that is announced."
    return f"That they go is announced {_span(fact.grace)} before."


def _last(span: Span) -> str:
    """ "year", "six months": what follows on "the last"."""
    return span.unit[:-1] if span.count == 1 else _span(span)


def _span(span: Span) -> str:
    return say(span, in_words=True)
