"""Several files at once: threads that work, one caller who watches, and an end without remains."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from catalogue.ports.movers.contract import IsCancelled, OnProgress, Progress
from catalogue.ports.outcome import Cancelled, Permanent, PortError

Job = TypeVar("Job")
Result = TypeVar("Result")


class Stopped(Exception):
    """The others have failed or the work was cancelled: this thread cleans up and ends."""


class Watch:
    """What the threads tell the caller, and the caller the threads.

    `passes` is how often each byte passes: twice in a copy, once in a verification.
    """

    def __init__(self, *, files: int, volume: int, passes: int) -> None:
        self._files = files
        self._bytes = volume
        self._passes = passes
        self._lock = threading.Lock()
        self._files_done = 0
        self._passed = 0
        self._stop = threading.Event()

    def passed(self, count: int) -> None:
        """`count` bytes passed; raises Stopped when the work is to end. Called for each chunk."""
        if self._stop.is_set():
            raise Stopped
        with self._lock:
            self._passed += count

    def file_done(self) -> None:
        with self._lock:
            self._files_done += 1

    def stop(self) -> None:
        self._stop.set()

    def progress(self) -> Progress:
        with self._lock:
            # A file that grows or is read twice passes more bytes than the catalogue knows.
            done = min(self._passed // self._passes, self._bytes)
            return Progress(self._files_done, self._files, done, self._bytes)


class Crew:
    """Runs jobs on `threads` threads; looks at `cancelled` and tells `progress` each `interval`.

    Both are called in the caller's thread, which is the one that may use the database.
    """

    def __init__(
        self,
        *,
        threads: int,
        interval: float,
        progress: OnProgress | None,
        cancelled: IsCancelled | None,
    ) -> None:
        self._threads = threads
        self._interval = interval
        self._progress = progress
        self._cancelled = cancelled

    def run(
        self, jobs: Sequence[Job], work: Callable[[Job, Watch], Result], watch: Watch
    ) -> list[Result]:
        """The results in the order of the jobs, or the gravest failure, all threads ended."""
        self._look(watch)
        pool = ThreadPoolExecutor(max(1, min(self._threads, len(jobs))), thread_name_prefix="mover")
        futures = [pool.submit(self._one, work, job, watch) for job in jobs]
        try:
            waiting = set(futures)
            while waiting:
                done, waiting = wait(waiting, self._interval, return_when=FIRST_EXCEPTION)
                if any(future.exception() is not None for future in done):
                    break
                self._look(watch)
        except BaseException:
            watch.stop()
            raise
        finally:
            if any(future.done() and future.exception() for future in futures):
                watch.stop()
            pool.shutdown(wait=True, cancel_futures=True)
        _raise_gravest(futures)
        return [future.result() for future in futures]

    @staticmethod
    def _one(work: Callable[[Job, Watch], Result], job: Job, watch: Watch) -> Result:
        watch.passed(0)
        result = work(job, watch)
        watch.file_done()
        return result

    def _look(self, watch: Watch) -> None:
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("the work was taken back")
        if self._progress is not None:
            self._progress(watch.progress())


def _raise_gravest(futures: Sequence[Future[Result]]) -> None:
    """A bug before a Permanent before a Transient; who was merely stopped says nothing."""
    failures = [
        error
        for future in futures
        if not future.cancelled() and (error := future.exception()) is not None
    ]
    failures = [error for error in failures if not isinstance(error, Stopped)]
    if failures:
        raise min(failures, key=_gravity)


def _gravity(error: BaseException) -> int:
    if not isinstance(error, PortError):
        return 0
    return 1 if isinstance(error, Permanent) else 2
