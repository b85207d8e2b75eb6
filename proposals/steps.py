"""The way of a proposal as a diagram: which steps are behind it, where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from proposals.models import Proposal

# Name of the step, and the states that belong to it in their order. A step is behind a proposal
# when it stands in one that comes later, whatever it skipped.
WAY: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("New", ("N",)),
    ("Accounts", ("WLC", "LDC")),
    ("Folders", ("WFC", "FDC")),
    ("DAQ", ("WDC", "DDC")),
    ("Ready", ("R",)),
    ("Beamtime", ("A", "I")),
    ("Finished", ("F",)),
    ("Reviewed", ("FR",)),
    ("Closing", ("WCLD",)),
    ("Closed", ("CLO",)),
)


@dataclass(frozen=True, slots=True)
class Step:
    """`place` is "done", "here" or "ahead"; `word` is the state, where the proposal stands here;
    `at` is when it came to the step."""

    name: str
    place: str
    word: str
    at: datetime | None


def steps(proposal: Proposal, reached: Mapping[str, datetime]) -> list[Step]:
    """The steps of `proposal`; a cancelled one ends with the step it was cancelled at."""
    cancelled = proposal.state == Proposal.State.CANCELLED
    here = _index(proposal.state)
    if cancelled:
        here = max((_index(s) for s in reached if s != "C"), default=0)
    way = WAY[: here + 1] if cancelled else WAY
    found = [_step(n, name, states, here, reached) for n, (name, states) in enumerate(way)]
    if cancelled:
        last = Step("Cancelled", "here", "Cancelled", reached.get("C"))
        return [_passed(s) for s in found] + [last]
    return [
        Step(s.name, s.place, proposal.get_state_display(), proposal.state_since)
        if s.place == "here"
        else s
        for s in found
    ]


def _index(state: str) -> int:
    return next((n for n, (_, states) in enumerate(WAY) if state in states), 0)


def _step(
    n: int, name: str, states: tuple[str, ...], here: int, reached: Mapping[str, datetime]
) -> Step:
    place = "done" if n < here else "here" if n == here else "ahead"
    # The beamtime counts from its first activation, a step of preparation from when it was done.
    dates = [reached[s] for s in states if s in reached]
    at = (dates[0] if "A" in states else max(dates)) if dates and n <= here else None
    return Step(name, place, "", at)


def _passed(step: Step) -> Step:
    return Step(step.name, "done", "", step.at)
