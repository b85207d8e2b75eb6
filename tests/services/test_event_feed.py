"""The event feed under concurrent writers, with real connections: transactions that are open at the
same time and commit in another order than they began."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalogue.ground import journal
from catalogue.ground.models import Entry
from proposals.models import Proposal
from tests.calling import Caller, done
from tests.factories import Facility

pytestmark = pytest.mark.services

WRITERS = 4


class Writer:
    """A thread with a connection of its own, which does what it is told, one thing at a time."""

    def __init__(self, proposal: Proposal, facility: Facility) -> None:
        self._proposal, self._by = proposal, facility.staff
        self._orders: queue.Queue[tuple[Callable[[], Any] | None, Future[Any]]] = queue.Queue()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        self.open: list[int] = []

    def _work(self) -> None:
        while True:
            order, answer = self._orders.get()
            if order is None:
                connection.close()
                answer.set_result(None)
                return
            try:
                answer.set_result(order())
            except BaseException as problem:  # noqa: BLE001 - told to the one who asked
                answer.set_exception(problem)

    def _do(self, order: Callable[[], Any] | None) -> Any:
        answer: Future[Any] = Future()
        self._orders.put((order, answer))
        return answer.result(timeout=30)

    def write(self) -> None:
        """One more entry, in the transaction that is open or a new one."""

        def act() -> int:
            if connection.get_autocommit():
                transaction.set_autocommit(False)
            return int(journal.write(self._proposal, "tested", by=self._by).pk)

        self.open.append(self._do(act))

    def end(self, how: Callable[[], None]) -> list[int]:
        """Commit or roll back; the entries of the transaction."""

        def act() -> None:
            if not connection.get_autocommit():
                how()
                transaction.set_autocommit(True)

        self._do(act)
        ended, self.open = self.open, []
        return ended

    def leave(self) -> None:
        self.end(transaction.rollback)
        self._do(None)
        self._thread.join()


class Feed:
    """A program that polls the feed over the API from the moment it was made."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._place = done(caller.get("events?after=now"))["next"]
        self.told: list[int] = []
        self.cursors: list[int] = []

    def poll(self, limit: int = 5) -> bool:
        told = done(self._caller.get(f"events?move=tested&limit={limit}&after={self._place}"))
        self._place = told["next"]
        self.told += [e["id"] for e in told["events"]]
        self.cursors += [int(e["cursor"][1:], 16) for e in told["events"]]
        return bool(told["more"] or told["events"])

    def check(self, committed: list[int]) -> None:
        """Everything once, nothing else, in an order that never went back."""
        while self.poll():
            pass
        assert sorted(self.told) == sorted(committed)
        assert all(a < b for a, b in zip(self.cursors, self.cursors[1:], strict=False))


@pytest.fixture
def proposal(site: Facility) -> Proposal:
    return site.proposal()


@pytest.fixture
def writers(site: Facility, proposal: Proposal) -> Iterator[list[Writer]]:
    made = [Writer(proposal, site) for _ in range(WRITERS)]
    yield made
    for writer in made:
        writer.leave()


STEPS = st.tuples(
    st.integers(0, WRITERS - 1),
    st.sampled_from(["write", "write", "commit", "commit", "roll back", "poll", "sweep"]),
)


@settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(STEPS, min_size=5, max_size=40))
def test_every_event_once_whoever_commits_first(
    site: Facility, writers: list[Writer], steps: list[tuple[int, str]]
) -> None:
    """A drawn schedule of writes, commits and roll-backs of transactions that are open at the same
    time, with readers and the schedule's numbering in between."""
    staff = Caller(site.staff.user)
    feed = Feed(staff)
    committed: list[int] = []
    for number, act in steps:
        if act == "write":
            writers[number].write()
        elif act == "commit":
            committed += writers[number].end(transaction.commit)
        elif act == "roll back":
            writers[number].end(transaction.rollback)
        elif act == "poll":
            feed.poll()
        else:
            journal.number_committed(most=3)
    while feed.poll():
        pass
    assert sorted(feed.told) == sorted(committed)  # also before those still open end
    for writer in writers:
        committed += writer.end(transaction.commit)
    feed.check(committed)


def test_a_late_commit_with_a_lower_id_is_not_missed(site: Facility, writers: list[Writer]) -> None:
    """The case that a reader who remembers the highest id would miss."""
    feed = Feed(Caller(site.staff.user))
    writers[0].write()
    writers[1].write()
    late, early = writers[0].open[0], writers[1].open[0]
    assert late < early
    committed = writers[1].end(transaction.commit)
    feed.poll()
    assert feed.told == [early]
    committed += writers[0].end(transaction.commit)
    feed.check(committed)
    assert feed.told == [early, late]


class Crowd:
    """Threads that do their work over and over until they are stopped."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._problems: list[BaseException] = []

    def add(self, work: Callable[[], object]) -> None:
        self._threads.append(threading.Thread(target=self._over_and_over, args=[work]))

    def _over_and_over(self, work: Callable[[], object]) -> None:
        try:
            while not self._stop.is_set():
                work()
        except BaseException as problem:  # noqa: BLE001 - told at the end
            self._problems.append(problem)
        finally:
            connection.close()

    def go(self, seconds: float) -> None:
        for thread in self._threads:
            thread.start()
        time.sleep(seconds)
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)
        assert self._problems == []


def test_with_everybody_at_once(site: Facility, proposal: Proposal) -> None:
    """Writers, numbering and readers, all at full speed for a second, nobody told what to do."""
    committed: list[int] = []
    feeds = [Feed(Caller(site.staff.user)) for _ in range(2)]

    def write(chance: random.Random) -> None:
        with transaction.atomic():
            amount = chance.randint(1, 3)
            made = [journal.write(proposal, "tested", by=site.staff).pk for _ in range(amount)]
            time.sleep(chance.random() / 100)
            back = chance.random() < 0.2
            transaction.set_rollback(back)
        committed.extend([] if back else made)

    crowd = Crowd()
    for seed in range(4):
        crowd.add(partial(write, random.Random(seed)))
    crowd.add(lambda: journal.number_committed(most=4))
    for feed in feeds:
        crowd.add(feed.poll)
    crowd.go(seconds=1.5)
    assert len(committed) > 50
    for feed in feeds:
        feed.check(committed)
    assert feeds[0].told == feeds[1].told
    positions = Entry.objects.order_by("position").values_list("position", flat=True)
    assert list(positions) == list(range(1, len(positions) + 1))
