"""The story of a run: entries of the journal made into steps, none lost, none told twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from catalogue.ground.models import Entry, Job
from runs.story import Place, Step, Taken, ahead, compose
from runs.story.acts import CALIBRATIONS, COPIES

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
PLACES = {
    1: Place("RAW", "online storage", "online"),
    2: Place("RAW", "offline storage", "offline"),
    3: Place("RAW", "tape", "tape"),
}
TAKEN = Taken(NOW, NOW + timedelta(minutes=5), 1000, 3999, "closed")


def entry(
    minute: float, move: str, subject: str = "runs.replica", pk: int = 2, **more: Any
) -> Entry:
    more = {"actor_name": "catalogue", "subject_label": "RAW", "facts": {}, **more}
    at = NOW + timedelta(minutes=minute)
    return Entry(at=at, move=move, subject_type=subject, subject_id=pk, **more)


def told(*entries: Entry, taken: Taken = TAKEN) -> list[Step]:
    """All steps but the DAQ's."""
    return [s for s in compose(taken, entries, PLACES) if s.icon != "record"]


def test_a_run_says_how_it_was_taken() -> None:
    of_run = [
        entry(0, "register", "runs.run", 7, actor_name="DAQ"),
        entry(5, "close", "runs.run", 7, actor_name="Ada"),
    ]
    (step,) = compose(TAKEN, of_run, {})
    assert (step.title, step.by, step.seconds) == ("Data taken", "DAQ", 300)
    assert step.lines == ("3\u202f000 trains, 1000 to 3999", "ended by Ada")


def test_a_silent_run_says_since_when() -> None:
    silent = Taken(NOW, None, 1000, None, "open", silent_since=NOW + timedelta(minutes=2))
    (step,) = compose(silent, [], {})
    assert (step.title, step.going, step.tone) == ("Data are being taken", True, "warn")
    assert step.lines[1] == "no word from the DAQ since 20 November 2026, 09:02"


def test_a_copy_is_one_step_with_its_length() -> None:
    (step,) = told(entry(6, "copy"), entry(10, "verify", facts={"size": 3000, "files": 3}))
    assert step.title == "RAW copied to offline storage and read back"
    assert (step.chapter, step.seconds, step.lines) == ("Migration", 240, ("3.0 kB",))


def test_a_copy_that_goes_on_or_was_taken_back_says_so() -> None:
    (going,) = told(entry(6, "copy", pk=3))
    assert (going.title, going.going, going.chapter) == (
        "RAW is being copied to tape", True, "Archiving",
    )  # fmt: skip
    (back,) = told(entry(6, "copy"), entry(7, "take_back", reason="Not interesting"))
    assert (back.title, back.why, back.going) == (
        "Copy of RAW to offline storage taken back", "Not interesting", False,
    )  # fmt: skip


def test_what_was_read_back_again_is_no_copy() -> None:
    (step,) = told(entry(6, "verify", pk=3))
    assert (step.title, step.seconds) == ("RAW read back on tape, whole", None)


def test_a_removal_is_announced_and_made_or_taken_back() -> None:
    announced = entry(
        7, "schedule_removal", pk=1,
        facts={"remove_at": "2026-12-03T13:00:00+00:00", "reason": "Two copies are safe."},
    )  # fmt: skip
    first, kept = told(announced, entry(9, "keep", pk=1, reason="held"))
    assert first.lines == ("for 3 December 2026, 14:00",)
    assert first.why == "Two copies are safe."
    assert (kept.title, kept.why) == ("Removal of RAW from online storage taken back", "held")
    _, removed = told(announced, entry(9, "remove", pk=1), entry(20, "purge", pk=1))
    assert (removed.title, removed.seconds) == ("RAW removed from online storage", None)
    assert removed.lines == ("gone for good 20 November 2026, 09:20",)
    _, trashed = told(announced, entry(9, "remove", pk=1))
    assert trashed.going


def test_a_calibration_is_one_step_with_what_held_it() -> None:
    of = {"subject": "runs.calibration", "pk": 5}
    (step,) = told(
        entry(11, "request", **of, actor_name="hk", facts={"detector": "AGIPD"}),
        entry(12, "hold", **of, reason="No constants for AGIPD00."),
        entry(20, "ask_again", **of),
        entry(21, "begin", **of),
        entry(25, "available", **of),
    )
    assert (step.title, step.by, step.seconds) == ("Calibration made corrected data", "hk", 840)
    assert [line.partition(" 20")[0] for line in step.lines] == [
        "waited from", "asked for again", "begun",
    ]  # fmt: skip
    (failed,) = told(entry(11, "request", **of), entry(12, "fail", **of, reason="The disk is full"))
    assert (failed.title, failed.why, failed.tone) == (
        "Calibration failed", "The disk is full", "bad",
    )  # fmt: skip


def test_marks_say_by_whom_why_and_what_was_before() -> None:
    first, second = told(
        entry(6, "assess", "runs.run", 7, actor_name="hk", after="good"),
        entry(8, "assess", "runs.run", 7, actor_name="ab", before="good", after="unclear",
              reason="few hits"),
    )  # fmt: skip
    assert (first.title, first.by, first.lines) == ("Marked Good", "hk", ())
    assert (second.title, second.why, second.lines) == (
        "Marked Unclear",
        "few hits",
        ("before: Good",),
    )


def test_files_registered_bit_by_bit_are_one_step() -> None:
    bits = [
        entry(n, "register files", "runs.run", 7, actor_name="DAQ",
              facts={"kind": "RAW", "files": 2, "bytes": 1000})
        for n in range(4)
    ]  # fmt: skip
    (step,) = told(*bits)
    assert (step.title, step.lines) == ("8 RAW files registered", ("4.0 kB", "in 4 calls"))
    assert step.seconds == 180
    scanned = entry(9, "register files", "runs.run", 7, facts={"files": 1, "found": "scan"})
    assert told(*bits, scanned)[-1].title == "1 file found by a scan"


MOVES = st.one_of(
    st.tuples(st.just("runs.replica"), st.sampled_from([*COPIES, "written", "whatever"])),
    st.tuples(st.just("runs.calibration"), st.sampled_from([*CALIBRATIONS, "adopt"])),
    st.tuples(st.just("runs.run"), st.sampled_from(["assess", "edit", "register files", "close"])),
    st.tuples(st.just("gone.table"), st.just("vanish")),
)


@given(st.lists(st.tuples(MOVES, st.integers(1, 4), st.integers(0, 600)), max_size=40))
def test_whatever_the_journal_holds_it_is_told_in_order(
    acts: list[tuple[tuple[str, str], int, int]],
) -> None:
    entries = [
        entry(minute, move, subject, pk, after="good" if move == "assess" else "")
        for (subject, move), pk, minute in acts
    ]
    steps = compose(TAKEN, entries, PLACES)
    assert [s.at for s in steps] == sorted(s.at for s in steps)
    assert len(steps) <= len(entries) + 1
    assert sum(s.chapter == "Mark" for s in steps) == sum(e.move == "assess" for e in entries)
    assert all(s.title and "{" not in s.title for s in steps)
    last = {(s, m) for (s, m), _, _ in acts}
    for lone in [("gone.table", "vanish"), ("runs.run", "edit"), ("runs.calibration", "adopt")]:
        told_of = [s for s in steps if s.chapter == "Other" and s.icon == "dot"]
        assert lone not in last or told_of


def job(pk: int, state: str, *, after: float = 0, **more: Any) -> Job:
    more = {"name": "runs.remove_replica", "subject_type": "runs.replica", "subject_id": 1, **more}
    return Job(pk=pk, state=state, after=NOW + timedelta(minutes=after), **more)


def test_what_is_to_come_says_when_or_who_must_act() -> None:
    found = ahead(
        [
            job(1, "waiting", after=60),
            job(2, "done"),
            job(3, "held", reason="The disk is full.", who="data manager"),
            job(4, "claimed", progress=0.62, name="runs.migrate", subject_type="runs.run"),
            job(5, "waiting", after=-1, name="runs.calibrate", subject_type="runs.calibration"),
        ],
        PLACES,
        NOW,
    )
    assert [(a.job, a.state) for a in found] == [
        (4, "claimed"), (3, "held"), (5, "waiting"), (1, "due"),
    ]  # fmt: skip
    assert found[3].title == "Remove a copy: RAW, online storage"
    assert found[3].at == NOW + timedelta(hours=1)
    assert (found[1].why, found[1].who) == ("The disk is full.", "data manager")
