"""The judgement on the cases people will ask about, with the sentences they will read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from catalogue.ground.calendar import Span
from policies.facts import ClauseFact, PolicyFact
from tests.policies.cases import (
    CLOSED,
    DAY,
    DULL,
    MARKED,
    NOW,
    ONLINE,
    TAPE,
    a_run,
    berlin,
    mas,
    off,
    on,
    only,
    replica,
    said,
    tap,
)

# ---------------------------------------------------------------- time


def test_raw_of_good_runs_on_tape() -> None:
    verdict = said(tap)
    assert verdict.reasons[0] == (
        "Kept on tape until 2 June 2037: RAW of Good runs, ten years after the beamtime"
        " (policy 'Standard', version 3, clause 2)."
    )
    assert not verdict.removable
    assert verdict.keep_until == berlin(2037, 6, 2, 8, 0)
    assert verdict.remove_at == berlin(2037, 7, 2, 8, 0)
    assert (verdict.clause, verdict.policy) == (2, "Standard, version 3")


def test_the_time_ends_on_the_moment() -> None:
    end = MARKED + timedelta(hours=12)
    before, then = said(on, now=end - timedelta(microseconds=1)), said(on, now=end)
    assert (before.removable, then.removable) == (False, True)
    assert then.keep_until == before.keep_until == end


def test_ten_years_are_ten_years_in_the_facilitys_zone() -> None:
    run = a_run(tap, off, beamtime_end=berlin(2028, 2, 29, 23, 30))
    assert said(tap, run).keep_until == berlin(2038, 2, 28, 23, 30)


def test_days_keep_the_time_of_day_over_the_change_of_the_clocks() -> None:
    policy = only(DULL, keep=Span(1, "days"), grace=Span(1, "days"))
    run = a_run(on, quality="not_interesting", assessed_at=berlin(2026, 10, 24, 14, 0))
    run = replace(run, closed_at=None)
    verdict = said(on, run, berlin(2026, 10, 24, 15, 0), policy)
    assert verdict.keep_until == berlin(2026, 10, 25, 14, 0)
    assert verdict.keep_until - berlin(2026, 10, 24, 14, 0).astimezone(UTC) == timedelta(hours=25)
    assert verdict.remove_at == berlin(2026, 10, 26, 14, 0)


@pytest.mark.parametrize(
    ("counted_from", "missing", "sentence"),
    [
        ("assessed", "assessed_at", "12 hours after the mark, and the run has no mark"),
        ("closed", "closed_at", "12 hours after the end of the run, and the run has no end"),
        ("beamtime_end", "beamtime_end", "after the beamtime, and the beamtime has no end yet"),
        ("reviewed", "reviewed_at", "after the review, and the proposal has not been reviewed"),
    ],
)
def test_what_has_not_begun_does_not_end(counted_from: str, missing: str, sentence: str) -> None:
    policy = only(ONLINE, counted_from=counted_from)
    run = replace(a_run(), **{missing: None})
    verdict = said(on, run, NOW + 10_000 * DAY, policy)
    assert (verdict.removable, verdict.keep_until, verdict.remove_at) == (False, None, None)
    wanted = sentence.replace("12 hours", "twelve hours")
    assert verdict.reasons[0].startswith("Kept online: RAW of Good runs, twelve hours after")
    assert wanted in verdict.reasons[0]


def test_it_is_counted_from_the_first_verification_of_this_replica() -> None:
    policy = only(ONLINE, counted_from="verified")
    again = replace(on, verified_at=NOW, first_verified_at=MARKED)
    run = a_run(again, off, mas)
    assert said(again, run, policy=policy).keep_until == MARKED + timedelta(hours=12)
    once = replace(on, verified_at=MARKED + timedelta(hours=1))
    assert said(once, a_run(once, off, mas), policy=policy).keep_until == MARKED + timedelta(
        hours=13
    )


def test_a_mark_on_an_open_run_takes_effect_at_its_close() -> None:
    run = a_run(on, quality="not_interesting", assessed_at=CLOSED - timedelta(hours=3))
    assert said(on, run).keep_until == CLOSED


def test_for_ever() -> None:
    verdict = said(tap, policy=only(TAPE, keep=None))
    assert (verdict.removable, verdict.keep_until, verdict.remove_at) == (False, None, None)
    assert verdict.reasons[0] == (
        "Kept on tape for ever: RAW of Good runs (policy 'Standard', version 3, clause 2)."
    )


def test_what_no_clause_speaks_of_is_kept() -> None:
    verdict = said(off)
    assert (verdict.removable, verdict.clause, verdict.keep_until) == (False, None, None)
    (only_reason,) = verdict.reasons
    assert only_reason == (
        "Kept offline for ever: no clause of policy 'Standard', version 3, speaks of RAW of Good"
        " runs."
    )


# ---------------------------------------------------------------- which clause


def test_the_first_clause_in_order_wins_however_they_are_given() -> None:
    strict = replace(ONLINE, order=0, keep=None)
    assert said(on, policy=PolicyFact("Standard", 3, (ONLINE, strict))).clause == 0
    assert said(on, policy=PolicyFact("Standard", 3, (strict, ONLINE))).clause == 0


def test_an_empty_set_means_any() -> None:
    wide = only(ONLINE, kinds=frozenset(), qualities=frozenset(), tiers=frozenset())
    assert said(on, policy=wide).removable
    assert said(on, policy=only(ONLINE, remaining_tiers=frozenset())).removable


@pytest.mark.parametrize(
    "changes",
    [
        {"kinds": frozenset({"PROC"})},
        {"qualities": frozenset({"unclear"})},
        {"tiers": frozenset({"tape"})},
        {"experiments_excluded": frozenset({"Dark", "LCP SFX"})},
        {"proposal_states": frozenset({"FR", "CLO"})},
    ],
)
def test_a_clause_that_is_about_something_else_does_not_speak(changes: dict[str, Any]) -> None:
    assert said(on, policy=only(ONLINE)).clause == 1
    assert said(on, policy=only(ONLINE, **changes)).clause is None


def test_the_clauses_own_words_come_last() -> None:
    verdict = said(on, a_run(on, quality="not_interesting"))
    assert verdict.reasons[-1] == "Nobody asked for these data."


# ---------------------------------------------------------------- copies


def test_enough_copies() -> None:
    verdict = said(on)
    assert verdict.removable
    clause, notice = verdict.reasons
    assert clause == (
        "Had to be kept online until 23 November 2026, 02:21: RAW of Good runs, twelve hours after"
        " the mark (policy 'Standard', version 3, clause 1)."
    )
    assert notice == (
        "Bytes may go on 30 November 2026, 09:00 at the earliest, seven days after a notice that"
        " has yet to be given."
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": "expected"}, None),
        ({"state": "copying"}, "being copied"),
        ({"state": "copied"}, "not verified"),
        ({"state": "scheduled"}, "scheduled for removal"),
        ({"state": "trashed"}, "in the trash"),
        ({"state": "removed"}, None),
        ({"state": "lost"}, "lost"),
        ({"state": "corrupt"}, "corrupt"),
        ({"verified_at": None}, "without a date of verification"),
        ({"verified_at": NOW + DAY}, "its verification is dated ahead of now"),
        ({"verified_at": NOW - 91 * DAY}, "last verified 24 August 2026"),
        ({"tier": "export"}, "another tier"),
        ({"store": "online-1"}, "the same store"),
        ({"kind": "PROC"}, None),
    ],
)
def test_what_does_not_count_as_a_copy(changes: dict[str, Any], why: str | None) -> None:
    spoilt = replace(mas, **changes)
    verdict = said(on, a_run(on, off, spoilt))
    assert (verdict.removable, verdict.keep_until, verdict.remove_at) == (False, None, None)
    rest = f" Not counted: {spoilt.store} ({why})." if why else ""
    assert verdict.reasons[0] == (
        "Kept: two other verified copies must remain offline, in mass storage or on tape,"
        f" verified within 90 days, and there is one.{rest}"
    )


def test_two_replicas_in_one_store_are_one_copy() -> None:
    twin = replace(off, id=5)
    assert not said(on, a_run(on, off, twin)).removable


def test_a_verification_is_recent_up_to_the_moment() -> None:
    """90 days before 23 November, by the clock on the wall: across the change of October."""
    limit = berlin(2026, 8, 25, 9, 0)
    old = replace(mas, verified_at=limit)
    assert said(on, a_run(on, off, old)).removable
    older = replace(mas, verified_at=limit - timedelta(seconds=1))
    assert not said(on, a_run(on, off, older)).removable


@pytest.mark.parametrize("quality", ["good", "unclear", ""])
def test_the_last_raw_is_never_removable_whatever_the_clause(quality: str) -> None:
    policy = only(DULL, qualities=frozenset(), counted_from="closed")
    alone = a_run(tap, quality=quality, assessed_at=MARKED if quality else None)
    verdict = said(tap, alone, NOW + 40_000 * DAY, policy)
    assert not verdict.removable
    assert "Kept: one other verified copy must remain, and there is none." in verdict.reasons
    with_copy = replace(alone, replicas=(tap, off))
    assert said(tap, with_copy, NOW, policy).removable


def test_the_last_proc_may_go() -> None:
    policy = only(DULL, qualities=frozenset())
    proc = replica(9, "offline-1", "offline", kind="PROC")
    assert said(proc, a_run(proc), policy=policy).removable
    assert not said(
        proc, a_run(proc), policy=only(DULL, qualities=frozenset(), minimum_replicas=1)
    ).removable


def test_raw_of_a_not_interesting_run_may_go_as_the_last() -> None:
    run = a_run(on, quality="not_interesting")
    verdict = said(on, run, MARKED)
    assert verdict.removable
    assert verdict.remove_at == berlin(2026, 11, 29, 14, 21)
    assert verdict.reasons[0] == (
        "Had to be kept online until 22 November 2026, 14:21: RAW of Not interesting runs, only"
        " until the mark (policy 'Standard', version 3, clause 3)."
    )
    assert not said(on, run, MARKED, only(DULL, minimum_replicas=1)).removable


# ---------------------------------------------------------------- marks


def test_no_mark_counts_as_unclear() -> None:
    policy = only(ONLINE, counted_from="closed")
    unmarked = a_run(quality="", assessed_at=None)
    verdict = said(on, unmarked, policy=policy)
    assert verdict.removable
    assert "RAW of runs without a mark, which count as Unclear, twelve hours" in verdict.reasons[0]
    assert verdict.keep_until == said(on, a_run(quality="unclear"), policy=policy).keep_until


def test_a_clause_for_no_mark_can_only_be_stricter() -> None:
    unmarked = a_run(quality="", assessed_at=None)
    usual = replace(ONLINE, counted_from="closed", keep=Span(1, "hours"))
    longer = replace(usual, order=7, qualities=frozenset({""}), keep=Span(2, "days"))
    shorter = replace(longer, order=8, keep=Span(0, "days"))
    for_ever = replace(longer, order=9, keep=None)

    def kept(*clauses: ClauseFact) -> tuple[bool, int | None]:
        verdict = said(on, unmarked, policy=PolicyFact("Standard", 3, clauses))
        return verdict.removable, verdict.clause

    assert kept(usual) == (True, 1)
    assert kept(usual, longer) == (False, 7)
    assert kept(usual, for_ever) == (False, 9)
    assert kept(usual, shorter)[0] is True
    assert kept(shorter) == (False, None)
    assert kept(longer) == (False, None)
    assert kept(replace(usual, keep=None), shorter) == (False, 1)
    later = said(on, unmarked, policy=PolicyFact("Standard", 3, (usual, longer)))
    assert later.keep_until == CLOSED + 2 * DAY


def test_a_run_without_a_mark_has_no_time_since_its_mark() -> None:
    taken_back = a_run(on, off, quality="", assessed_at=MARKED)
    policy = only(DULL, qualities=frozenset())
    assert not said(on, taken_back, policy=policy).removable
    assert said(on, replace(taken_back, quality="unclear"), policy=policy).removable
