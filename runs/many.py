"""One act on many runs.

Each run has a transaction of its own: what is refused of one takes nothing back of the others, and
nobody who marks another run waits until fifty are done. What came of each is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from catalogue.ground.inputs import Invalid
from catalogue.ground.refusal import Refused
from runs.models import Run


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an act on one run: what the verb gave back, or why it was refused."""

    run: Run
    gave: Any = None
    refusal: Refused | None = None


def each(runs: Iterable[Run], act: Callable[[Run], Any]) -> list[Outcome]:
    """`act`, a verb, on every one of `runs`."""
    return [_one(run, act) for run in runs]


def _one(run: Run, act: Callable[[Run], Any]) -> Outcome:
    try:
        return Outcome(run, gave=act(run))
    except Refused as refusal:
        return Outcome(run, refusal=refusal)
    except Invalid as fault:
        return Outcome(run, refusal=Refused(f"{fault.field}: {fault.rule}.", kind="reason"))
