"""What no policy and no facts may bring about: the invariants, tried with random worlds.

The rules are told a second time in `retold`, in other words and without the code that is tested.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from catalogue.ground.calendar import add
from policies.facts import STATES, TIERS, HoldFact
from tests.policies.retold import (
    SECOND,
    ageless,
    allowed,
    changed,
    deciding,
    end_of,
    enough_remain,
    governing,
    moments_that_matter,
    remaining,
    required,
    together,
    verdict_of,
    with_replica,
)
from tests.policies.worlds import World, crowds, holds, hour, hours, moments, worlds

many = settings(max_examples=100)
more = settings(max_examples=300)


# ---------------------------------------------------------------- what may never happen


@many
@given(worlds)
def test_nothing_of_an_open_run_is_removable(world: World) -> None:
    for replica in world.run.replicas:
        verdict = verdict_of(changed(world, status="open"), replica)
        assert not verdict.removable
        assert verdict.remove_at is None


@many
@given(worlds)
def test_what_is_removable_leaves_the_copies_that_are_asked_for(world: World) -> None:
    for replica in world.run.replicas:
        if verdict_of(world, replica).removable:
            clauses = governing(world, replica)
            assert clauses
            for clause in clauses:
                left = remaining(world, replica, clause, set())
                assert left >= required(world, replica, clause)


@many
@given(worlds)
def test_nothing_is_removable_under_a_hold(world: World) -> None:
    for replica in world.run.replicas:
        active = [
            hold
            for hold in world.run.holds
            if (replica.kind in hold.kinds or not hold.kinds)
            and not (hold.until is not None and hold.until <= world.now)
        ]
        verdict = verdict_of(world, replica)
        if active:
            assert not verdict.removable
        for hold in active:
            named = [r for r in verdict.reasons if f"held by {hold.by}" in r]
            assert any(hold.reason.rstrip(".") in reason for reason in named)


@many
@given(worlds)
def test_a_hold_stops_the_kinds_it_names_and_no_others(world: World) -> None:
    for replica in world.run.replicas:
        before = verdict_of(world, replica)
        for kinds, stops in (({replica.kind}, True), (set(), True), ({"SIM", "UNK"}, False)):
            hold = HoldFact("hk", "paper", None, frozenset(kinds))
            after = verdict_of(changed(world, holds=(*world.run.holds, hold)), replica)
            assert not after.removable if stops else after == before


@many
@given(worlds)
def test_only_a_verified_replica_is_removable(world: World) -> None:
    for replica in world.run.replicas:
        if replica.state not in {"verified", "scheduled", "trashed"}:
            assert not verdict_of(world, replica).removable


@many
@given(worlds, st.data())
def test_a_missing_mark_never_makes_removable_what_unclear_would_keep(
    world: World, data: st.DataObject
) -> None:
    dull = "not_interesting"
    marks = st.sampled_from([{""}, {"unclear"}, {dull}, {"unclear", ""}, {dull, ""}, set()])
    clauses = tuple(replace(c, qualities=frozenset(data.draw(marks))) for c in world.policy.clauses)
    world = changed(world, policy=replace(world.policy, clauses=clauses))
    unmarked = changed(world, quality="")
    for replica in world.run.replicas:
        if verdict_of(unmarked, replica).removable:
            assert verdict_of(changed(world, quality="unclear"), replica).removable


@many
@given(worlds)
def test_what_no_clause_speaks_of_is_kept_for_ever(world: World) -> None:
    for replica in world.run.replicas:
        verdict = verdict_of(world, replica)
        if deciding(world, replica, world.run.quality or "unclear") is None:
            assert not verdict.removable
            assert verdict.keep_until is None
            assert verdict.remove_at is None


@many
@given(worlds)
def test_the_first_clause_that_speaks_decides(world: World) -> None:
    for replica in world.run.replicas:
        if world.run.quality:
            clause = deciding(world, replica, world.run.quality)
            assert verdict_of(world, replica).clause == (clause.order if clause else None)
            if clause:
                alone = replace(world.policy, clauses=(clause,))
                assert verdict_of(changed(world, policy=alone), replica) == verdict_of(
                    world, replica
                )


@many
@given(worlds)
def test_nothing_is_removable_before_its_time(world: World) -> None:
    """Not a second before; and never, where the clause names no time or its event has not come."""
    for replica in world.run.replicas:
        for clause in governing(world, replica):
            end = end_of(world, replica, clause)
            just_before = hour(100_000) if end is None else end - SECOND
            assert not verdict_of(changed(world, now=just_before), replica).removable


@many
@given(worlds)
def test_bytes_go_only_after_a_notice_and_its_grace(world: World) -> None:
    for replica in world.run.replicas:
        if replica.notice_at is None:
            assert not verdict_of(world, replica).may_go(world.now)
            continue
        moments_too_early = [
            add(replica.notice_at, clause.grace, world.zone) - SECOND
            for clause in governing(world, replica)
        ]
        if replica.announced_for is not None:
            moments_too_early.append(replica.announced_for - SECOND)
        for early in moments_too_early:
            assert not verdict_of(changed(world, now=early), replica).may_go(early)
        for since in (world.run.assessed_at, world.run.closed_at):
            if since is not None and replica.notice_at < since:
                assert not verdict_of(world, replica).may_go(world.now)


@many
@given(worlds)
def test_a_spoilt_copy_is_no_copy(world: World) -> None:
    """Whatever was removable because of its copies is not once all of them are spoilt."""
    spoilings: list[dict[str, Any]] = [
        *({"state": state} for state in STATES if state != "verified"),
        {"verified_at": None},
        {"verified_at": world.now + SECOND},
        {"store": "here"},
        {"store": "there"},
    ]
    for replica in world.run.replicas:
        it = replace(replica, store="here")
        most = max((required(world, it, c) for c in governing(world, it)), default=0)
        for spoilt in spoilings:
            others = [replace(r, **spoilt) for r in world.run.replicas if r.id != it.id]
            left = 1 if spoilt.get("store") == "there" else 0  # all of them in one store are one
            if most > left:
                assert not verdict_of(changed(world, replicas=(it, *others)), it).removable


# ---------------------------------------------------------------- the rules told a second time


@more
@given(worlds)
def test_removable_is_what_the_rules_allow_and_no_less(world: World) -> None:
    for moment in set(moments_that_matter(world)):
        for now in (moment - SECOND, moment, moment + SECOND):
            then = changed(world, now=now)
            for replica in world.run.replicas:
                assert verdict_of(then, replica).removable == allowed(then, replica)


# ---------------------------------------------------------------- monotone


@many
@given(worlds, holds, holds)
def test_one_more_hold_never_makes_anything_removable(world: World, over: Any, hold: Any) -> None:
    world = changed(world, holds=(*world.run.holds, replace(over, until=world.now)))
    held = changed(world, holds=(*world.run.holds, hold))
    for replica in world.run.replicas:
        before, after = verdict_of(world, replica), verdict_of(held, replica)
        assert before.removable or not after.removable
        keeps = hold.until is None or hold.until > world.now
        assert not (keeps and after.removable and replica.kind in (hold.kinds or {replica.kind}))
        assert before.may_go(world.now) or not after.may_go(world.now)
        assert (
            before.remove_at is None
            or after.remove_at is None
            or (before.remove_at <= after.remove_at)
        )


@many
@given(worlds, st.data())
def test_one_replica_less_never_makes_another_removable(world: World, data: st.DataObject) -> None:
    assume(len(world.run.replicas) > 1)
    gone = data.draw(st.sampled_from(world.run.replicas))
    state = data.draw(st.sampled_from([s for s in STATES if s != "verified"]))
    without = changed(world, replicas=tuple(r for r in world.run.replicas if r != gone))
    spoilt = with_replica(world, replace(gone, state=state))
    for replica in world.run.replicas:
        if replica != gone and not verdict_of(world, replica).removable:
            assert not verdict_of(without, replica).removable
            assert not verdict_of(spoilt, replica).removable


@many
@given(worlds, moments)
def test_time_alone_never_takes_back_what_is_removable(world: World, other: Any) -> None:
    world = ageless(world)
    later = changed(world, now=max(world.now, other))
    for replica in world.run.replicas:
        now_, then = verdict_of(world, replica), verdict_of(later, replica)
        assert then.removable or not now_.removable
        assert then.may_go(later.now) or not now_.may_go(world.now)


@many
@given(worlds, moments)
def test_only_old_verifications_take_back_what_is_removable(world: World, other: Any) -> None:
    later = changed(world, now=max(world.now, other))
    for replica in world.run.replicas:
        if verdict_of(world, replica).removable and not verdict_of(later, replica).removable:
            assert any(", verified within " in r for r in verdict_of(later, replica).reasons)


@many
@given(worlds, hours)
def test_a_later_verification_of_another_never_takes_back(world: World, when: Any) -> None:
    """Checking a copy again does no harm to what was removable because of it."""
    for replica in world.run.replicas:
        assume(when <= world.now)
        if verdict_of(world, replica).removable:
            fresh = tuple(
                replace(r, verified_at=max(r.verified_at, min(when, world.now)))
                if r.id != replica.id and r.verified_at and r.verified_at <= world.now
                else r
                for r in world.run.replicas
            )
            assert verdict_of(changed(world, replicas=fresh), replica).removable


# ---------------------------------------------------------------- what is foretold


@many
@given(worlds)
def test_the_dates_of_a_verdict_agree(world: World) -> None:
    for replica in world.run.replicas:
        verdict = verdict_of(world, replica)
        assert verdict.replica == replica.id
        assert verdict.policy == "Standard, version 3"
        if verdict.removable:
            assert verdict.keep_until is not None
            assert verdict.keep_until <= world.now
            assert verdict.remove_at is not None
        elif verdict.keep_until is not None:
            assert verdict.keep_until > world.now
        if verdict.remove_at is not None:
            assert verdict.keep_until is not None
            assert verdict.keep_until <= verdict.remove_at
        if verdict.remove_at is not None and not verdict.noticed:
            assert verdict.remove_at >= world.now


@many
@given(worlds)
def test_the_foretold_date_is_the_first_on_which_bytes_may_go(world: World) -> None:
    world = ageless(world)
    for replica in world.run.replicas:
        verdict = verdict_of(world, replica)
        if verdict.remove_at is None or verdict.keep_until is None:
            continue
        if not verdict.noticed:  # give it as soon as it can count
            notice = max(verdict.keep_until, world.now)
            since = [m for m in (world.run.assessed_at, world.run.closed_at) if m]
            if any(notice < moment for moment in since):
                continue
            replica = replace(replica, notice_at=notice, announced_for=None)  # noqa: PLW2901
        due = with_replica(changed(world, now=max(verdict.remove_at, world.now)), replica)
        assert verdict_of(due, replica).may_go(due.now)
        early = changed(due, now=verdict.remove_at - SECOND)
        if early.now >= world.now:
            assert not verdict_of(early, replica).may_go(early.now)


@many
@given(worlds, moments)
def test_where_no_date_is_foretold_time_does_not_bring_it(world: World, other: Any) -> None:
    world = ageless(world)
    later = changed(world, now=max(world.now, other))
    for replica in world.run.replicas:
        if verdict_of(world, replica).remove_at is None:
            assert not verdict_of(later, replica).removable


@many
@given(worlds)
def test_reasons_are_sentences(world: World) -> None:
    for replica in world.run.replicas:
        verdict = verdict_of(world, replica)
        assert verdict.reasons
        for reason in verdict.reasons:
            assert reason[0].isupper()
            assert reason.endswith(".")
            assert not reason.endswith("..")
            assert "None" not in reason
        kept = [r for r in verdict.reasons if r.startswith(("Kept", "Not to be removed"))]
        assert bool(kept) != verdict.removable


@given(worlds)
def test_the_zone_of_a_fact_does_not_matter(world: World) -> None:
    from_utc = [verdict_of(world, r) for r in world.run.replicas]
    there = replace(world, now=world.now.astimezone(world.zone))
    assert [verdict_of(there, r) for r in world.run.replicas] == from_utc
    assert all(r.verified_at is None or r.verified_at.tzinfo is UTC for r in there.run.replicas)


# ---------------------------------------------------------------- together, and one after another


@many
@given(worlds)
def test_all_that_are_removable_may_go_together(world: World) -> None:
    assert enough_remain(world)


@more
@given(crowds)
def test_of_many_that_may_go_none_takes_what_another_leaves_behind(world: World) -> None:
    assert enough_remain(world)


@more
@given(crowds)
def test_together_allows_no_more_than_alone_and_the_first_of_it(world: World) -> None:
    alone = {r.id: verdict_of(world, r) for r in world.run.replicas}
    verdicts = together(world)
    assert sorted(v.replica for v in verdicts) == sorted(alone)
    assert all(alone[v.replica].removable for v in verdicts if v.removable)
    first = next((v for v in verdicts if alone[v.replica].removable), None)
    assert first is None or first.removable
    for verdict in verdicts:
        if not verdict.removable:
            assert verdict.remove_at is None or not alone[verdict.replica].removable
            assert not verdict.may_go(world.now)


@many
@given(worlds)
def test_together_is_judged_from_the_tier_first_given_up(world: World) -> None:
    by_id = {r.id: r for r in world.run.replicas}
    ranks = [TIERS.index(by_id[v.replica].tier) for v in together(world)]
    assert ranks == sorted(ranks)


@many
@given(worlds, st.randoms())
def test_the_order_of_rows_does_not_matter(world: World, random: Any) -> None:
    shuffled = random.sample(world.run.replicas, len(world.run.replicas))
    assert together(changed(world, replicas=tuple(shuffled))) == together(world)


@many
@given(worlds, st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=8))
def test_no_sequence_of_removals_takes_the_last_verified_raw(
    world: World, steps: list[tuple[int, int]]
) -> None:
    """Time passes, and whatever may be announced or removed is, one after another."""

    def verified(of: World) -> int:
        return sum(r.kind == "RAW" and r.state == "verified" for r in of.run.replicas)

    assume(world.run.quality != "not_interesting")
    had = verified(world)
    for pick, pause in steps:
        world = changed(world, now=world.now + timedelta(hours=pause))
        replica = world.run.replicas[pick % len(world.run.replicas)]
        verdict = verdict_of(world, replica)
        if verdict.may_go(world.now):
            world = with_replica(world, replace(replica, state="removed"))
        elif verdict.removable and replica.state == "verified":
            announced = replace(replica, state="scheduled", notice_at=world.now)
            world = with_replica(world, announced)
    assert verified(world) >= min(had, 1)
