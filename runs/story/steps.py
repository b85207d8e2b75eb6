"""The parts of a story: steps, and the telling in which those that go on are found again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from catalogue.ground.models import Entry


@dataclass(frozen=True, slots=True)
class Place:
    """What a replica is of, and where: "RAW", "offline storage", tier "offline"."""

    kind: str
    where: str
    tier: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What the run says of its own taking."""

    begin_at: datetime
    end_at: datetime | None
    first_train: int | None
    last_train: int | None
    status: str
    silent_since: datetime | None = None
    ended_by_timeout: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `until` is when it was over, `going` that it is not; `icon` and `tone` are those of
    states. `lines` are further facts, `why` the reason that was given."""

    chapter: str
    title: str
    at: datetime
    until: datetime | None = None
    going: bool = False
    by: str = ""
    why: str = ""
    lines: tuple[str, ...] = ()
    icon: str = "dot"
    tone: str = "quiet"

    @property
    def seconds(self) -> float | None:
        """How long it took; None for what takes no time."""
        if self.until is None or self.until <= self.at:
            return None
        return (self.until - self.at).total_seconds()


@dataclass(frozen=True, slots=True)
class Rule:
    """How a step is told: its title and lines are templates of the words that its entry gives."""

    title: str
    icon: str
    tone: str = "quiet"
    chapter: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """What a move means for the story: it `begins` something, `ends` it (and `takes` says whether
    how long that took is worth telling), or adds a `line` to what goes on. `alone` is how it is
    told where nothing of the kind goes on, as when the beginning is not among the entries."""

    rule: Rule
    begins: str = ""
    ends: str = ""
    takes: bool = True
    line: str = ""
    alone: Rule | None = None


@dataclass(slots=True)
class Telling:
    """The steps so far, and which of them go on: by row and by what goes on there."""

    steps: list[Step] = field(default_factory=list)
    _going: dict[tuple[str, int, str], int] = field(default_factory=dict)

    def tell(self, entry: Entry, act: Act, words: Mapping[str, str], chapter: str) -> None:
        """One more entry."""
        about = (entry.subject_type, entry.subject_id)
        going = self._going.get((*about, act.ends or act.begins))
        if act.line and going is not None:
            step = self.steps[going]
            self.steps[going] = replace(step, lines=(*step.lines, act.line.format_map(words)))
        elif act.ends and going is not None:
            self.steps[going] = _ended(self.steps[going], entry, act, words)
            del self._going[(*about, act.ends)]
        else:
            if act.begins:
                self._going[(*about, act.begins)] = len(self.steps)
            step = told_by(act.alone or act.rule, entry, words, chapter)
            self.steps.append(replace(step, going=bool(act.begins)))


def told_by(rule: Rule, entry: Entry, words: Mapping[str, str], chapter: str) -> Step:
    """A step of its own for an entry."""
    return Step(
        chapter=rule.chapter or chapter,
        title=rule.title.format_map(words),
        at=entry.at,
        by=entry.actor_name,
        why=entry.reason or str(entry.facts.get("reason") or ""),
        lines=_lines(rule, words),
        icon=rule.icon,
        tone=rule.tone,
    )


def _ended(step: Step, entry: Entry, act: Act, words: Mapping[str, str]) -> Step:
    return replace(
        step,
        title=act.rule.title.format_map(words),
        until=entry.at if act.takes else None,
        going=False,
        why=entry.reason or step.why,
        lines=(*step.lines, *_lines(act.rule, words)),
        icon=act.rule.icon,
        tone=act.rule.tone,
    )


def _lines(rule: Rule, words: Mapping[str, str]) -> tuple[str, ...]:
    """Those that have something to say."""
    return tuple(line for each in rule.lines if (line := each.format_map(words).strip()))
