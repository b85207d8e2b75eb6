"""Looking at the stores, from the workers: are they mounted, how much is free.

A store that hangs hangs whoever looks. So each is looked at in a thread of its own, which nobody
waits for longer than a moment, and no second look begins while the first has not come back.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

from catalogue.ground import health
from catalogue.ground.models import Store
from catalogue.ports.movers import mover_for
from catalogue.ports.outcome import PortError

EVERY = timedelta(minutes=1)
PATIENCE = 2.0
"""Seconds that one store may keep the schedule waiting."""


class _Look:
    """One look at one mount point; without any row, so that its thread needs no database."""

    def __init__(self, agent: str, mount: str) -> None:
        self.free: int | None = None
        self.problem = ""
        self._agent, self._mount = agent, Path(mount)
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self) -> None:
        try:
            self.free = mover_for(self._agent).free_bytes(self._mount)
        except (PortError, OSError) as problem:
            self.problem = str(problem)


_hanging: dict[int, _Look] = {}


def look_at_stores(now: datetime) -> int:
    """Leave a sign of every store that our own movers use, once a minute; part of the schedule.
    Returns how many were looked at."""
    known = {sign.name: sign.at for sign in health.stores()}
    done = 0
    for store in Store.objects.exclude(agent=Store.EXTERNAL).filter(available=True):
        name = f"{health.STORE}{store.identifier}"
        if name in known and now - known[name] < EVERY:
            continue
        free, problem = _seen(store)
        facts = {"free": free} if free is not None else {}
        health.note(name, well=not problem, says=problem, facts=facts)
        done += 1
    return done


def _seen(store: Store) -> tuple[int | None, str]:
    """Free bytes, or what is wrong."""
    look = _hanging.pop(store.pk, None)
    if look is None or not look.thread.is_alive():
        look = _Look(store.agent, store.mount)
    look.thread.join(PATIENCE)
    if look.thread.is_alive():
        _hanging[store.pk] = look
        return None, "It does not answer: whoever reads there waits."
    return look.free, look.problem
