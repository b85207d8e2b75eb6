"""Selection of constants by time: the field's rules one by one, then properties against the plain
text of those rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.constants.selection import (
    Version,
    by_distance,
    candidates,
    choose,
    closest,
    holding,
    prior,
)

START = datetime(2026, 11, 22, tzinfo=UTC)


def hour(n: float) -> datetime:
    return START + timedelta(hours=n)


def version(number: int = 1, begin: float = 0, **facts: Any) -> Version:
    given = {"constant": 1, "unit": "A", "created_at": hour(0), **facts}
    return Version(id=number, begin_at=hour(begin), **given)


def ids(versions: list[Version]) -> list[int]:
    return [v.id for v in versions]


def id_of(found: Version | None) -> int | None:
    return found.id if found else None


def test_prior_is_the_last_that_had_begun() -> None:
    some = [version(1, 0), version(2, 5), version(3, 10)]
    assert [id_of(prior(some, hour(at))) for at in (-1, 0, 4.99, 5, 9, 10, 99)] == [
        *(None, 1, 1, 2, 2, 3, 3),
    ]


def test_closest_may_begin_later() -> None:
    some = [version(1, 0), version(2, 5)]
    assert [id_of(closest(some, hour(at))) for at in (-9, 2, 3, 9)] == [1, 1, 2, 2]
    assert id_of(closest(some, hour(2.5))) == 1  # of two as near the one that had begun
    assert closest([], hour(0)) is None


def test_neither_asks_whether_the_validity_has_ended() -> None:
    ended = version(1, 0, end_at=hour(1), good=False)
    assert prior([ended], hour(9)) == closest([ended], hour(9)) == ended


def test_our_own_engine_takes_what_is_good_and_has_not_ended() -> None:
    old, bad, ended = version(1, 0), version(2, 1, good=False), version(3, 2, end_at=hour(3))
    assert [id_of(holding([old, bad, ended], hour(at))) for at in (1.5, 2, 2.99, 3)] == [1, 3, 3, 1]


def test_of_several_that_began_together_the_one_made_last_then_the_id() -> None:
    first, again = version(1, 1), version(2, 1, created_at=hour(5))
    twin = version(3, 1, created_at=hour(5))
    for strategy in (prior, closest):
        assert strategy([again, first], hour(2)) == strategy([first, again], hour(2)) == again
        assert strategy([twin, again], hour(2)) == strategy([again, twin], hour(2)) == twin


def test_by_distance_runs_from_the_nearest() -> None:
    some = [version(1, 0), version(2, 5), version(3, 4), version(4, 20)]
    assert ids(by_distance(some, hour(4.5))) == [3, 2, 1, 4]


def test_what_is_not_deployed_or_not_known_yet_is_no_candidate() -> None:
    some = [version(1), version(2, deployed=False), version(3, created_at=hour(9))]
    assert ids(candidates(some)) == [1, 3]
    assert ids(candidates(some, snapshot_at=hour(8.99))) == [1]
    assert ids(candidates(some, snapshot_at=hour(9))) == [1, 3]


def test_a_later_group_counts_only_where_an_earlier_gives_nothing() -> None:
    own, general = version(1, 0, constant="own"), version(2, 5, constant="general")

    def chosen(at: float, *versions: Version, **facts: Any) -> int | None:
        asked: dict[str, Any] = {"unit": "A", "strategy": prior, **facts}
        return id_of(choose(versions, preferences=[{"own"}, {"general"}], at=hour(at), **asked))

    assert chosen(9, own, general) == 1  # though the other is newer
    assert chosen(9, general) == 2
    assert chosen(9, general, unit="B") is None
    assert chosen(-1, own, general) is None
    assert chosen(9, own, general, snapshot_at=hour(-1)) is None
    late = version(3, 8, constant="own")
    assert chosen(6, late, general) == 2
    assert chosen(6, late, general, strategy=closest) == 3


# ---------------------------------------------------------------- properties

hours = st.integers(0, 6).map(hour)


@st.composite
def versions(draw: st.DrawFn) -> list[Version]:
    return [
        Version(
            id=number,
            constant=draw(st.sampled_from([1, 2, 3])),
            unit=draw(st.sampled_from(["A", "B"])),
            begin_at=draw(hours),
            created_at=draw(hours),
            end_at=draw(st.none() | hours),
            deployed=draw(st.sampled_from([True, True, False])),
            good=draw(st.sampled_from([True, True, False])),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


groups = st.permutations([1, 2, 3]).flatmap(
    lambda order: st.integers(0, 3).map(lambda cut: [set(order[:cut]), set(order[cut:])])
)
strategies = st.sampled_from([prior, closest, holding])


@given(versions(), hours)
def test_prior_has_begun_and_none_that_has_is_later(some: list[Version], at: datetime) -> None:
    found = prior(some, at)
    begun = [v for v in some if v.begin_at <= at]
    assert (found is None) is (not begun)
    assert found is None or all(v.begin_at <= found.begin_at <= at for v in begun)


@given(versions(), hours)
def test_none_is_nearer_than_the_closest(some: list[Version], at: datetime) -> None:
    found = closest(some, at)
    assert (found is None) is (not some)
    if found is not None:
        assert all(abs(found.begin_at - at) <= abs(v.begin_at - at) for v in some)
        assert by_distance(some, at)[0] == found
    away = [abs(v.begin_at - at) for v in by_distance(some, at)]
    assert away == sorted(away)
    assert len(away) == len(some)


@given(versions(), groups, strategies, hours, st.none() | hours, st.randoms())
def test_the_order_of_rows_does_not_matter(
    some: list[Version], preferred: Any, strategy: Any, at: datetime, known: Any, random: Any
) -> None:
    asked = {
        "unit": "A", "preferences": preferred, "strategy": strategy, "at": at, "snapshot_at": known,
    }  # fmt: skip
    assert choose(some, **asked) == choose(random.sample(some, len(some)), **asked)


@given(versions(), groups, strategies, hours, st.none() | hours)
def test_the_chosen_one_is_of_the_first_group_that_gives_any(
    some: list[Version], preferred: Any, strategy: Any, at: datetime, known: Any
) -> None:
    found = choose(
        some, unit="A", preferences=preferred, strategy=strategy, at=at, snapshot_at=known
    )
    mine = [
        v for v in some if v.unit == "A" and v.deployed and (known is None or v.created_at <= known)
    ]
    first = [v for v in mine if v.constant in preferred[0]]
    second = [v for v in mine if v.constant in preferred[1]]
    assert found == (strategy(first, at) or strategy(second, at))


@given(versions(), strategies, hours)
def test_what_is_not_chosen_does_not_matter(
    some: list[Version], strategy: Any, at: datetime
) -> None:
    found = strategy(some, at)
    for other in some:
        if other != found:
            assert strategy([v for v in some if v != other], at) == found


@pytest.mark.parametrize("strategy", [prior, closest, holding])
def test_of_nothing_nothing_is_chosen(strategy: Any) -> None:
    assert strategy([], hour(0)) is None
