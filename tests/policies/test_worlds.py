"""The random worlds reach the cases that the properties are about, or they would prove little."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, seed, settings

from policies.judgement import judge, simultaneous
from tests.policies.worlds import World, worlds


def test_removal_and_every_reason_against_it_come_up() -> None:
    seen: Counter[str] = Counter()

    @seed(1)
    @settings(max_examples=1000, database=None)
    @given(worlds)
    def look(world: World) -> None:
        run, now = world.run, world.now
        verdicts = [judge(world.policy, run, r, now, world.zone) for r in run.replicas]
        for replica, verdict in zip(run.replicas, verdicts, strict=True):
            seen["replicas"] += 1
            seen["removable"] += verdict.removable
            seen["may go"] += verdict.may_go(now)
            seen["announced ahead"] += verdict.remove_at is not None and verdict.remove_at > now
            keeps_raw = verdict.removable and replica.kind == "RAW"
            seen["removable RAW " + (run.quality or "unmarked")] += keeps_raw
            for reason in verdict.reasons:
                for phrase in ("still open", "held by", "must remain", "no clause", "for ever"):
                    seen[phrase] += phrase in reason
        together = simultaneous(world.policy, run, now, world.zone)
        fewer = sum(v.removable for v in verdicts) - sum(v.removable for v in together)
        seen["fewer together"] += fewer > 0

    look()
    assert seen["replicas"] > 800
    assert seen["removable"] > seen["replicas"] / 20
    for what, often in seen.items():
        assert often >= 4, what
    expected = {"removable RAW " + q for q in ("good", "unclear", "unmarked", "not_interesting")}
    assert expected <= set(seen)
