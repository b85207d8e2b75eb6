"""What stands against removal whatever a clause says: open runs, holds, a missing notice, the
other removals of the same run."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from catalogue.ground.calendar import Span
from policies.facts import HoldFact, PolicyFact, RunFacts
from policies.judgement import judge, simultaneous
from tests.policies.cases import (
    BERLIN,
    CLOSED,
    DAY,
    DULL,
    MARKED,
    NOW,
    ONLINE,
    STANDARD,
    a_run,
    berlin,
    mas,
    noticed,
    off,
    on,
    only,
    replica,
    said,
    tap,
)

# ---------------------------------------------------------------- hard stops


@pytest.mark.parametrize(
    ("status", "removable"), [("open", False), ("closed", True), ("aborted", True)]
)
def test_an_open_run_is_left_alone(status: str, removable: bool) -> None:
    verdict = said(on, a_run(on, quality="not_interesting", status=status))
    assert verdict.removable is removable
    assert (verdict.reasons[0] == "Kept: the run is still open.") is not removable
    assert (verdict.remove_at is None) is not removable


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("expected", "it has not arrived"),
        ("copying", "it is being copied"),
        ("copied", "it has not been verified"),
        ("removed", "it has been removed"),
        ("lost", "it is lost"),
        ("corrupt", "it is corrupt, which a person looks into"),
        ("verified", None),
        ("scheduled", None),
        ("trashed", None),
    ],
)
def test_only_a_verified_replica_is_removed_as_a_copy(state: str, words: str | None) -> None:
    it = replace(on, state=state)
    verdict = said(it, a_run(it, quality="not_interesting"))
    assert verdict.removable is (words is None)
    if words:
        assert verdict.reasons[0] == f"Not to be removed as a copy: {words}."


def test_a_hold_keeps_and_is_named() -> None:
    hold = HoldFact("hk", "needed for the paper", None)
    verdict = said(on, a_run(holds=(hold,)))
    assert (verdict.removable, verdict.keep_until, verdict.remove_at) == (False, None, None)
    assert verdict.reasons[0] == "Kept: held by hk: needed for the paper."


def test_a_hold_with_an_end_keeps_until_then() -> None:
    until = berlin(2026, 12, 3, 14, 0)
    run = a_run(holds=(HoldFact("hk", "Paper.", until),))
    verdict = said(on, run)
    assert verdict.reasons[0] == "Kept: held by hk until 3 December 2026, 14:00: Paper."
    assert verdict.keep_until == until
    assert verdict.remove_at == berlin(2026, 12, 10, 14, 0)
    assert said(on, run, until - timedelta(seconds=1)).removable is False
    assert said(on, run, until).removable is True
    assert said(tap, run).keep_until == berlin(2037, 6, 2, 8, 0)


def test_of_several_holds_each_is_named_and_the_last_decides() -> None:
    until = berlin(2026, 12, 3, 14, 0)
    over = HoldFact("lt", "over", NOW)
    early = HoldFact("hk", "paper", until - DAY)
    late = HoldFact("pm", "thesis", until)
    verdict = said(on, a_run(holds=(over, late, early)))
    assert verdict.reasons[:2] == (
        "Kept: held by pm until 3 December 2026, 14:00: thesis.",
        "Kept: held by hk until 2 December 2026, 14:00: paper.",
    )
    assert "held by lt" not in " ".join(verdict.reasons)
    assert verdict.keep_until == until


def test_a_hold_on_some_kinds_keeps_those() -> None:
    proc = replica(9, "offline-1", "offline", kind="PROC")
    hold = HoldFact("hk", "paper", None, kinds=frozenset({"PROC"}))
    run = a_run(on, proc, quality="not_interesting", holds=(hold,))
    assert said(on, run).removable
    assert not said(proc, run).removable


# ---------------------------------------------------------------- notice


def test_bytes_go_when_the_grace_since_the_notice_is_over() -> None:
    it, run = noticed(NOW)
    due = berlin(2026, 11, 30, 9, 0)
    verdict = said(it, run, NOW)
    assert (verdict.removable, verdict.noticed, verdict.remove_at) == (True, True, due)
    assert verdict.reasons[1] == (
        "Bytes may go on 30 November 2026, 09:00 at the earliest; notice was given on"
        " 23 November 2026, 09:00."
    )
    assert not said(it, run, due - timedelta(seconds=1)).may_go(due - timedelta(seconds=1))
    assert said(it, run, due).may_go(due)


def test_without_a_notice_nothing_goes() -> None:
    run = a_run(on, quality="not_interesting")
    policy = only(DULL, grace=Span(0, "days"))
    verdict = said(on, run, NOW, policy)
    assert verdict.removable
    assert verdict.remove_at == NOW
    assert "upon a notice that has yet to be given." in verdict.reasons[1]
    assert not verdict.may_go(NOW)
    it, run = noticed(NOW)
    assert said(it, run, NOW, policy).may_go(NOW)


def test_what_is_not_removable_does_not_go() -> None:
    it, run = noticed(NOW)
    verdict = said(it, run, NOW + 30 * DAY)
    assert verdict.may_go(NOW + 30 * DAY)
    assert not replace(verdict, removable=False).may_go(NOW + 30 * DAY)
    assert not replace(verdict, remove_at=None).may_go(NOW + 30 * DAY)


def test_a_notice_does_not_shorten_the_time_to_keep() -> None:
    it, run = noticed(NOW)
    policy = only(DULL, keep=Span(30, "days"))
    assert said(it, run, NOW, policy).remove_at == MARKED + 30 * DAY


def test_a_notice_from_before_the_present_mark_does_not_count() -> None:
    it, run = noticed(MARKED - timedelta(minutes=1))
    verdict = said(it, run, NOW)
    assert (verdict.removable, verdict.noticed) == (True, False)
    assert verdict.remove_at == berlin(2026, 11, 30, 9, 0)
    assert verdict.reasons[1] == (
        "The notice of 22 November 2026, 14:20 came before the present mark and does not count."
    )
    at_the_mark, run = noticed(MARKED)
    assert said(at_the_mark, run, NOW).noticed
    early, run = noticed(CLOSED - timedelta(minutes=1))
    assert not said(early, replace(run, assessed_at=CLOSED - DAY), NOW).noticed


def test_a_date_that_was_named_is_kept_to_when_the_grace_is_shortened() -> None:
    promised = berlin(2026, 12, 24, 9, 0)
    it, run = noticed(NOW, announced_for=promised)
    assert said(it, run, NOW).remove_at == promised
    hasty, run = noticed(NOW, announced_for=NOW)
    assert said(hasty, run, NOW).remove_at == berlin(2026, 11, 30, 9, 0)


def test_seconds_are_said_where_seconds_count() -> None:
    policy = only(DULL, keep=Span(20, "seconds"), grace=Span(10, "seconds"))
    verdict = said(on, a_run(on, quality="not_interesting"), MARKED, policy)
    assert "until 22 November 2026, 14:21:20: RAW" in verdict.reasons[0]
    assert "on 22 November 2026, 14:21:30 at the earliest, ten seconds" in verdict.reasons[1]


# ---------------------------------------------------------------- together


def removable(policy: PolicyFact, run: RunFacts) -> list[int | str]:
    return [v.replica for v in simultaneous(policy, run, NOW, BERLIN) if v.removable]


FREE = replace(ONLINE, tiers=frozenset(), remaining_tiers=frozenset(), minimum_replicas=1)


def test_of_two_copies_one_may_go_the_one_on_the_dearer_tier() -> None:
    policy = only(FREE)
    assert removable(policy, a_run(tap, on)) == [1]
    assert removable(policy, a_run(on)) == []
    assert removable(policy, a_run(tap, mas, off, on)) == [1, 2, 3]


def test_all_of_a_not_interesting_run_may_go_together() -> None:
    assert removable(STANDARD, a_run(tap, on, off, quality="not_interesting")) == [1, 2, 4]


def test_a_copy_that_another_removal_counts_on_is_kept() -> None:
    """The online clause wants two others, the offline clause one: both went if judged alone."""
    two = replace(FREE, order=1, tiers=frozenset({"online"}), minimum_replicas=2)
    one = replace(FREE, order=2, tiers=frozenset({"offline"}), minimum_replicas=1)
    policy = PolicyFact("Standard", 3, (two, one))
    run = a_run(on, off, tap)
    assert all(judge(policy, run, r, NOW, BERLIN).removable for r in (on, off))
    first, second, _ = simultaneous(policy, run, NOW, BERLIN)
    assert (first.removable, second.removable) == (True, False)
    assert (second.keep_until, second.remove_at) == (None, None)
    assert second.reasons[0] == (
        "Kept: it must remain when the replica kept online so far (online-1) goes."
    )


def test_what_is_scheduled_already_does_not_count_for_the_others() -> None:
    leaving = replace(tap, state="scheduled", notice_at=NOW)
    assert removable(only(FREE), a_run(leaving, on)) == [4]


# ---------------------------------------------------------------- the module


def test_the_rules_import_without_django() -> None:
    code = (
        "import sys; sys.modules['django'] = None; sys.modules['rest_framework'] = None\n"
        "import policies.judgement, catalogue.constants.selection, catalogue.ground.inputs"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="now needs a zone"):
        said(on, now=datetime(2026, 11, 23, 9, 0))
