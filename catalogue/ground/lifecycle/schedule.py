"""The one schedule: what is due by the clock, and the repair of what was lost."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.utils.module_loading import import_string

from catalogue.ground import clock, health, jobs
from catalogue.ground.lifecycle import work

log = logging.getLogger(__name__)

Timed = Callable[[datetime], int]
_timed: list[str] = []

# How many hints one sweep sends at most; the rest is found by the next one.
HINTS = 500


def on_schedule(name: str) -> None:
    """Name a function (now) -> number of moves made, to be called at every sweep."""
    if name not in _timed:
        _timed.append(name)


def timed() -> list[str]:
    """The names of all that happens by the clock."""
    return list(_timed)


def sweep() -> dict[str, int]:
    """One round: leases that ran out, moves that are due, hints for all jobs that wait.

    Idempotent, and safe to run from several places at once. Returns what was done, by name.
    """
    now = clock.now()
    done = {"leases lapsed": work.lapse(now)}
    for name in _timed:
        try:
            function: Timed = import_string(name)
            done[name] = function(now)
        except Exception:  # one timed rule that fails must not keep the others from their time
            log.exception("%s failed", name)
            done[name] = -1
    waiting = list(jobs.due(now).values_list("pk", flat=True)[:HINTS])
    jobs.dispatch(waiting)
    done["hints sent"] = len(waiting)
    health.note(health.SCHEDULE, facts=done)
    return done
