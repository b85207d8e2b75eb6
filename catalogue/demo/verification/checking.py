"""Checks as values, done in several processes and told one to a line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """What one piece of a check found: `faults` name what is wrong, `counts` say how much was
    looked at, in words as keys."""

    faults: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """`what` holds if `look` finds no fault in any of `pieces`, each a tuple of its arguments.

    `look` is called in another process. A check without pieces has found nothing to look at, which
    is a fault unless `may_be_empty`.
    """

    what: str
    look: Callable[..., Found]
    pieces: Sequence[tuple[Any, ...]]
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    what: str
    faults: tuple[str, ...]
    counts: dict[str, int]
    seconds: float

    def __str__(self) -> str:
        counted = ", ".join(_say(count, of) for of, count in self.counts.items())
        head = f"{'FAILED' if self.faults else 'ok':<7}{self.what}"
        lines = [f"{head}: {counted} ({self.seconds:.1f} s)" if counted else head]
        return "\n".join([*lines, *(f"       {fault}" for fault in self.faults)])


def _say(count: int, of: str) -> str:
    return f"{count / 1e6:.1f} MB" if of == "bytes" else f"{count} {of}"


def do(checks: Iterable[Check], *, processes: int | None = None) -> Iterable[Verdict]:
    """Do all checks, as many at a time as there are processors; verdicts in the order given."""
    with ProcessPoolExecutor(processes or os.cpu_count()) as pool:
        begun = [(c, [pool.submit(_timed, c.look, piece) for piece in c.pieces]) for c in checks]
        for check, futures in begun:
            yield _verdict(check, futures)


def _timed(look: Callable[..., Found], piece: tuple[Any, ...]) -> tuple[Found, float]:
    began = time.monotonic()
    return look(*piece), time.monotonic() - began


def _verdict(check: Check, futures: Sequence[Future[tuple[Found, float]]]) -> Verdict:
    faults: list[str] = []
    counts: dict[str, int] = {}
    seconds = 0.0
    for future in futures:
        try:
            found, took = future.result()
        except Exception as error:  # noqa: BLE001 - whatever a tool raises is its verdict
            faults.append(f"{type(error).__name__}: {error}")
            continue
        faults += found.faults
        seconds += took
        for of, count in found.counts.items():
            counts[of] = counts.get(of, 0) + count
    if not futures and not check.may_be_empty:
        faults.append("There was nothing to look at.")
    return Verdict(check.what, tuple(faults), counts, seconds)
