"""Runs as the run table shows them: where their data are, how far their calibration is; and the
marks with what follows from each, which is asked of the door for the run that somebody looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from catalogue.ground import access as words
from catalogue.ground import clock
from catalogue.ground.actor import Actor
from catalogue.ground.lifecycle import explain_many
from catalogue.ground.refusal import Refused
from runs import overviews, queries, tabled
from runs.guards import why_not_calibrated_by_itself
from runs.models import Calibration, Replica, Run

TIERS = (
    ("online", "on", "Online"),
    ("offline", "off", "Offline"),
    ("mass_storage", "mas", "Mass storage"),
    ("tape", "tap", "Tape"),
)
# Value, word, the same for a narrow column, and icon of each mark.
MARKS = (
    (Run.Quality.GOOD, "Good", "Good", "check"),
    (Run.Quality.UNCLEAR, "Unclear", "Unclear", "question"),
    (Run.Quality.NOT_INTERESTING, "Not interesting", "Not int.", "minus"),
)
RIGHTS = (
    ("may_mark", words.ASSESS),
    ("may_edit", words.EDIT),
    ("may_calibrate", words.CALIBRATE),
    ("may_switch", words.SWITCH),
)
_TELLING = (
    *("corrupt", "lost", "scheduled", "trashed", "copying", "copied", "verified"),
    *("expected", "removed"),
)


@dataclass(frozen=True, slots=True)
class Tier:
    """One column of "where the data are": the replicas there, one of each group."""

    short: str
    name: str
    replicas: tuple[Replica, ...]

    @property
    def going_at(self) -> datetime | None:
        """When the next of them goes."""
        dates = [r.remove_at for r in self.replicas if r.state == "scheduled" and r.remove_at]
        return min(dates, default=None)


@dataclass(frozen=True, slots=True)
class Mark:
    """One of the three buttons: what follows if it is pressed, or why it may not be."""

    value: str
    word: str
    short: str
    icon: str
    pressed: bool
    answers: Sequence[Any]

    @property
    def refused(self) -> Refused | None:
        first = self.answers[0] if self.answers else None
        return first if isinstance(first, Refused) else None

    @property
    def says(self) -> str:
        """What follows, in one line."""
        return " ".join(getattr(a, "text", "") or str(a) for a in self.answers)


@dataclass(frozen=True, slots=True)
class Row:
    """A run with all that its row shows."""

    run: Run
    tiers: tuple[Tier, ...]
    calibration: Calibration | None
    job: Any
    silent: bool
    marks: tuple[Mark, ...] = ()
    techniques: Sequence[str] = ()
    causes: Sequence[str] = ()
    last: Mapping[str, Any] = field(default_factory=dict)

    @property
    def length(self) -> timedelta | None:
        """How long the run took; of an open one, how long it has been going on."""
        end = self.run.end_at or clock.now()
        return end - self.run.begin_at if end > self.run.begin_at else None

    @property
    def size(self) -> int:
        """Its bytes: what is registered, of an open run what the DAQ told last if that is more."""
        return max(self.run.bytes, self.run.heartbeat_bytes if self.run.status == "open" else 0)

    @property
    def seen(self) -> int:
        """The mark that its reader knows of."""
        return int(self.last["id"]) if self.last else 0

    @property
    def before(self) -> str:
        """The mark that it had before, in words; empty where there was none."""
        previous = self.last["previous"] if self.last else ""
        return str(Run.Quality(previous).label) if previous else ""

    @property
    def may_mark(self) -> bool:
        return all(m.refused is None or m.refused.kind != "permission" for m in self.marks)

    @property
    def refused(self) -> Refused | None:
        """Why it cannot be marked at all."""
        refusals = [m.refused for m in self.marks]
        return refusals[0] if refusals and all(refusals) else None

    @property
    def no_calibration(self) -> str:
        """Why none starts by itself; empty where one may."""
        if self.run.experiment is not None and self.run.experiment.type.is_dark:
            return "dark run"
        if not self.run.proposal.calibrates_by_itself:
            return "off"
        return why_not_calibrated_by_itself(self.run)


def table_rows(runs: Sequence[Run]) -> list[Row]:
    """Rows of the table, for runs as `tabled` reads them."""
    parts = tabled.parts(runs)
    return [
        Row(
            run=run,
            tiers=tiers_of(parts[run.pk].replicas),
            calibration=parts[run.pk].calibration,
            job=parts[run.pk].job,
            silent=queries.is_silent(run),
            techniques=sorted(parts[run.pk].techniques),
            causes=sorted(parts[run.pk].causes),
            last=getattr(run, "last_mark", None) or {},
        )
        for run in runs
    ]


def rows(runs: Sequence[Run], actor: Actor, allowed: frozenset[str]) -> list[Row]:
    """Rows with what follows from each mark, for runs which carry what `queries.listed` fetches
    with them. The number of queries does not depend on how many there are."""
    told = foretold(runs, actor) if words.ASSESS in allowed else {}
    newest = {run.pk: _newest(run) for run in runs}
    jobs = overviews.working_on(c for c in newest.values() if c is not None)
    return [
        Row(
            run=run,
            marks=told.get(run.pk, ()),
            tiers=tiers_of(r for g in run.data_groups.all() for r in _replicas(g)),
            calibration=(calibration := newest[run.pk]),
            job=jobs.get(calibration.pk) if calibration else None,
            silent=queries.is_silent(run),
        )
        for run in runs
    ]


def _newest(run: Run) -> Calibration | None:
    return max(run.calibrations.all(), key=lambda c: c.pk, default=None)


def foretold(runs: Sequence[Run], actor: Actor) -> dict[int, tuple[Mark, ...]]:
    """By run id, the three marks with what the door answers to each."""
    answers: dict[str, Mapping[int, Any]] = {}
    for value, *_ in MARKS:
        facts = {"mark": value, "at": clock.now(), "name": actor.name}
        answers[value] = explain_many([Run.assess], runs, actor, **facts)
    return {
        run.pk: tuple(
            Mark(value, word, short, icon, run.quality == value, answers[value][run.pk]["assess"])
            for value, word, short, icon in MARKS
        )
        for run in runs
    }


def _replicas(group: Any) -> Iterable[Replica]:
    for replica in group.replicas.all():
        replica.data_group = group
        yield replica


def tiers_of(replicas: Iterable[Replica]) -> tuple[Tier, ...]:
    """Where data are by tier, raw data first: of several replicas of one group in one tier, the
    one that tells most."""
    there: dict[tuple[str, int], list[Replica]] = {}
    for replica in replicas:
        there.setdefault((replica.store.tier, replica.data_group_id), []).append(replica)
    return tuple(
        Tier(short, name, tuple(sorted(
            (_most_telling(found) for (where, _), found in there.items() if where == tier),
            key=lambda replica: _ORDER.get(replica.data_group.kind, len(_ORDER)),
        )))
        for tier, short, name in TIERS
    )  # fmt: skip


_ORDER = {"RAW": 0, "PROC": 1}


def _most_telling(there: Sequence[Replica]) -> Replica:
    # One that was removed says nothing where another has come since.
    live = [r for r in there if r.state not in ("removed", "expected")] or there
    return min(live, key=lambda r: _TELLING.index(r.state))
