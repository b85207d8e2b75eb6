"""Several at once: which failure is told, and that nobody is left at work."""

from __future__ import annotations

import threading

import pytest

from catalogue.ports.movers.crew import Crew, Watch
from catalogue.ports.movers.faults import in_words
from catalogue.ports.outcome import Cancelled, Permanent, Transient


def crew(*, threads: int = 4, **callbacks: object) -> Crew:
    told = {"progress": None, "cancelled": None} | callbacks
    return Crew(threads=threads, interval=0.01, **told)  # type: ignore[arg-type]


def watch(*, files: int = 1) -> Watch:
    return Watch(files=files, volume=files, passes=1)


def test_results_keep_their_order() -> None:
    assert crew().run(range(50), lambda job, watch: job * 2, watch()) == [n * 2 for n in range(50)]
    assert crew().run([], lambda job, watch: job, watch()) == []


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (Transient("later"), Permanent("wrong"), Permanent),
        (Permanent("wrong"), Transient("later"), Permanent),
        (Permanent("wrong"), ZeroDivisionError("bug"), ZeroDivisionError),
        (Transient("later"), KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_the_gravest_failure_is_told(
    first: BaseException, second: BaseException, told: type[BaseException]
) -> None:
    together = threading.Barrier(2, timeout=30)

    def work(job: BaseException, watch: Watch) -> None:
        together.wait()
        raise job

    with pytest.raises(told):
        crew(threads=2).run([first, second], work, watch(files=2))


def test_one_failure_stops_the_others() -> None:
    begun: list[int] = []
    at_work = threading.Barrier(2, timeout=30)

    def work(job: int, watch: Watch) -> None:
        begun.append(job)
        if job < 2:
            at_work.wait()
        if job == 0:
            raise Permanent("wrong")
        while True:
            watch.passed(1)

    before = threading.active_count()
    with pytest.raises(Permanent, match="wrong"):
        crew(threads=2).run(range(100), work, watch(files=100))
    assert threading.active_count() == before
    assert len(begun) < 100


def test_a_cancel_stops_all() -> None:
    begun = threading.Event()

    def work(job: int, watch: Watch) -> None:
        begun.set()
        while True:
            watch.passed(1)

    before = threading.active_count()
    with pytest.raises(Cancelled):
        crew(cancelled=begun.is_set).run(range(10), work, watch(files=10))
    assert threading.active_count() == before


def test_both_callbacks_come_in_the_callers_thread() -> None:
    threads: set[int] = set()

    def progress(_: object) -> None:
        threads.add(threading.get_ident())

    def cancelled() -> bool:
        threads.add(threading.get_ident())
        return False

    crew(progress=progress, cancelled=cancelled).run(range(9), lambda job, watch: job, watch())
    assert threads == {threading.get_ident()}


def test_progress_never_passes_the_whole() -> None:
    measure = Watch(files=1, volume=10, passes=2)
    measure.passed(7)
    assert measure.progress().bytes_done == 3
    measure.passed(100)
    assert measure.progress().bytes_done == 10


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (2_140_000_000, "2.14 GB"),
        (5 * 10**15, "5 PB"),
    ],
)
def test_bytes_in_words(count: int, words: str) -> None:
    assert in_words(count) == words
