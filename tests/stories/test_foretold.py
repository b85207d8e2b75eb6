"""What is foretold for a mark is what the world does once the mark is made and the clock moves on:
copies, calibration, and each removal at the moment that was named, not earlier and not later."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from catalogue.ground import lifecycle
from catalogue.ground.lifecycle import Consequence
from catalogue.ground.models import DetectorUnit, Entry, Job
from policies.models import Clause
from runs import commands
from runs.models import Calibration, Replica, Run
from tests.factories import BEGIN, Facility

MARKS = ("good", "unclear", "not_interesting")
SECOND = timedelta(seconds=1)
COPIED = re.compile(r"RAW \(.*\) is copied to (.*)\.")
NOT_COPIED = re.compile(r"RAW is not copied to (.*)\.")
REMOVED = re.compile(r"RAW \(.*\) is removed from (.*) on .*\.")
BROUGHT_BACK = re.compile(r"RAW is brought back from the trash of (.*)\.")
TAKEN_BACK = re.compile(r"The removal from (.*) is taken back\.")


@dataclass(frozen=True)
class Life:
    """A run, the marks it had before (each so many hours after the one before, with the work done
    in between or not), and the one that is foretold."""

    type_name: str
    is_open: bool
    calibrates: bool
    grace: int
    keep: int
    before: tuple[tuple[str, int, bool], ...]
    mark: str


lives = st.builds(
    Life,
    type_name=st.sampled_from(["LCP SFX", "LCP SFX", "Dark"]),
    is_open=st.sampled_from([False, False, False, False, True]),
    calibrates=st.booleans(),
    grace=st.sampled_from([0, 1, 7]),
    keep=st.sampled_from([0, 0, 3]),
    before=st.lists(
        st.tuples(st.sampled_from(MARKS), st.sampled_from([1, 26, 80]), st.booleans()), max_size=3
    ).map(tuple),
    mark=st.sampled_from(MARKS),
)


def a_life(**what: Any) -> Life:
    """One in which each of the cases below is met, whatever is drawn besides."""
    usual = Life("LCP SFX", False, True, grace=1, keep=0, before=(), mark="good")
    return replace(usual, **what)


def replicas(run: Run) -> dict[str, Replica]:
    """Place -> the raw replica there; those that are gone for good left out."""
    found = Replica.objects.filter(data_group__run=run, data_group__kind="RAW")
    return {r.store.place: r for r in found.select_related("store") if r.state != "removed"}


def places(pattern: re.Pattern[str], foretold: list[Consequence]) -> dict[str, Consequence]:
    return {m[1]: said for said in foretold if (m := pattern.fullmatch(said.text)) is not None}


def live(facility: Facility, life: Life, now: time_machine.Coordinates) -> Run:
    """The run at the moment of the mark that is foretold."""
    for store in facility.stores.values():  # of a life before, whose rows are taken back
        shutil.rmtree(Path(store.mount) / ".trash", ignore_errors=True)
    Clause.objects.update(grace_count=life.grace)
    Clause.objects.filter(order=2).update(keep_count=life.keep)
    proposal = facility.proposal(
        state="A", kind="commissioning", calibrates_by_itself=life.calibrates
    )
    run = facility.run(proposal, type_name=life.type_name, closed=not life.is_open)
    for mark, hours, work_is_done in life.before:
        commands.assess(run, quality=mark, by=facility.staff)
        if work_is_done:
            lifecycle.perform_due()
        now.shift(timedelta(hours=hours))
    lifecycle.perform_due()
    return Run.objects.select_related("proposal", "experiment__type").get(pk=run.pk)


def test_what_is_foretold_for_a_mark_happens(facility: Facility) -> None:
    facility.policy()
    facility.detector()
    DetectorUnit.objects.all().delete()  # nothing to correct: what counts is that it is asked for
    seen: Counter[str] = Counter()

    # A life takes a second: a failing one is told as it was found, not made smaller for minutes.
    @settings(
        max_examples=30,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
    @given(lives)
    @example(a_life(mark="not_interesting"))
    @example(a_life(before=(("not_interesting", 26, True),), mark="not_interesting"))
    @example(a_life(mark="good"))
    @example(a_life(type_name="Dark", mark="unclear"))
    @example(a_life(is_open=True, mark="good"))
    @example(a_life(is_open=True, mark="not_interesting"))
    @example(a_life(before=(("good", 26, True),), mark="not_interesting"))
    @example(a_life(before=(("not_interesting", 1, True),), mark="good"))
    @example(a_life(before=(("good", 1, True), ("not_interesting", 80, True)), mark="unclear"))
    def look(life: Life) -> None:
        with (
            time_machine.travel(BEGIN + timedelta(hours=1), tick=False) as now,
            transaction.atomic(),
        ):
            run = live(facility, life, now)
            try_it(facility, run, life.mark, now, seen)
            transaction.set_rollback(True)

    look()
    for what in ("copied", "not copied", "removed", "kept", "calibrated", "open"):
        assert seen[what] >= 2, (what, seen)


def try_it(
    facility: Facility, run: Run, mark: str, now: time_machine.Coordinates, seen: Counter[str]
) -> None:
    at = datetime.now(tz=BEGIN.tzinfo)
    there = replicas(run)
    calibrations = run.calibrations.count()
    answers = lifecycle.explain(
        run.assess, run, facility.staff, mark=mark, at=at, name=facility.staff.name
    )
    if not there:
        assert [str(a) for a in answers] == ["Its data have been removed; the mark stays as it is."]
        return
    foretold = [a for a in answers if isinstance(a, Consequence)]
    assert foretold == answers
    said = " ".join(a.text for a in foretold)
    last = Entry.objects.latest("id").pk
    commands.assess(run, quality=mark, by=facility.staff)
    lifecycle.perform_due()
    after = replicas(run)
    seen["marked"] += 1
    if run.status == Run.Status.OPEN:
        seen["open"] += 1
        assert "The mark takes effect when the run is closed." in said
        assert {p: r.state for p, r in after.items()} == {p: r.state for p, r in there.items()}
        return
    for place in places(COPIED, foretold):
        seen["copied"] += 1
        assert after[place].state in ("verified", "scheduled")
    for place in places(NOT_COPIED, foretold):
        seen["not copied"] += 1
        assert place not in after or after[place].state == "copying"
    for place in places(TAKEN_BACK, foretold):
        seen["kept"] += 1
        assert after[place].state in ("verified", "scheduled")
    trashed = {place for place, replica in there.items() if replica.state == "trashed"}
    came = Entry.objects.filter(move="restore", pk__gt=last).values_list("subject_id", flat=True)
    assert {p for p, r in there.items() if r.pk in came} == set(places(BROUGHT_BACK, foretold))
    seen["kept"] += mark != "not_interesting"
    if "Calibration starts by itself once the copy is verified." in said:
        seen["calibrated"] += 1
        assert run.calibrations.exists()
    elif mark != "good" or "does not start by itself" in said:
        assert run.calibrations.count() == calibrations
    removals = places(REMOVED, foretold)
    if mark == "not_interesting":
        assert set(removals) == set(there) - trashed, "all that is there, and nothing else"
    _they_go_when_it_was_said(run, removals, after, now, seen)


def work_until(moment: datetime, now: time_machine.Coordinates) -> None:
    """Let the clock move on, with the work done when it is due."""
    while due := Job.objects.filter(state="waiting", after__lte=moment).order_by("after").first():
        now.move_to(max(due.after, datetime.now(tz=BEGIN.tzinfo)))
        lifecycle.perform_due()
        if Job.objects.filter(pk=due.pk, state="waiting", after=due.after).exists():
            break  # something before it in its lane is held
    now.move_to(moment)
    lifecycle.perform_due()


def _they_go_when_it_was_said(
    run: Run,
    removals: dict[str, Consequence],
    after: dict[str, Replica],
    now: time_machine.Coordinates,
    seen: Counter[str],
) -> None:
    for place, said in sorted(removals.items(), key=lambda item: item[1].when):
        seen["removed"] += 1
        assert said.bytes == after[place].data_group.bytes
        if said.when > datetime.now(tz=BEGIN.tzinfo):
            work_until(said.when - SECOND, now)
            replica = replicas(run)[place]
            assert (replica.state, replica.remove_at) == ("scheduled", said.when), "not before"
        work_until(max(said.when, datetime.now(tz=BEGIN.tzinfo)) + SECOND, now)
        found = replicas(run).get(place)
        assert found is None or found.state == "trashed", "and not after"


def test_calibrations_of_this_file_are_asked_for_by_the_catalogue(facility: Facility) -> None:
    """Else the property above would hold of nothing."""
    facility.detector()
    with time_machine.travel(BEGIN + timedelta(hours=1), tick=False):
        run = facility.run(facility.proposal(state="A"))
        commands.assess(run, quality="good", by=facility.staff)
        lifecycle.perform_due()
    assert Calibration.objects.get().automatic
