"""From entries to steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from catalogue.ground.calendar import say_when
from catalogue.ground.clock import facility_zone
from catalogue.ground.models import Entry
from catalogue.ground.telling import told
from catalogue.ground.words import bytes_text, count_text
from runs.story.acts import CALIBRATIONS, COPIES
from runs.story.steps import Place, Step, Taken, Telling

REPLICA, RUN = "runs.replica", "runs.run"
ASKED = {"runs.calibration": "Calibration", "runs.darkrequest": "New constants"}
_MARKS = {"good": ("check", "good"), "unclear": ("question", "warn")}
# Told by the run's own facts, or by the files that were registered with it.
_SAID_OTHERWISE = {(RUN, "register"), (RUN, "close"), (RUN, "abort"), (REPLICA, "written")}


def compose(taken: Taken, entries: Iterable[Entry], places: Mapping[int, Place]) -> list[Step]:
    """The steps in the order in which they began; `places` by the ids of the replicas."""
    ordered = sorted(entries, key=lambda e: (e.at, e.pk or 0))
    telling, files = Telling(), _Files()
    for entry in ordered:
        if (entry.subject_type, entry.move) in _SAID_OTHERWISE:
            continue
        if entry.move == "register files":
            files.tell(telling.steps, entry)
        elif entry.subject_type == REPLICA and entry.move in COPIES:
            _copy(telling, entry, places)
        elif entry.subject_type in ASKED and entry.move in CALIBRATIONS:
            name = str(entry.facts.get("detector") or "")
            what = ASKED[entry.subject_type] + (f" for {name}" if name else "")
            words = {**_words(entry), "what": what}
            telling.tell(entry, CALIBRATIONS[entry.move], words, "Calibration")
        else:
            telling.steps.append(_mark(entry) if entry.move == "assess" else _plain(entry))
    return sorted([_taking(taken, ordered), *telling.steps], key=lambda step: step.at)


def _words(entry: Entry) -> dict[str, str]:
    size = entry.facts.get("size")
    return {
        "at": say_when(entry.at, facility_zone()),
        "by": entry.actor_name,
        "reason": entry.reason,
        "size": bytes_text(size) if isinstance(size, int) and size > 0 else "",
        "remove_at": _moment(entry.facts.get("remove_at")),
    }


def _copy(telling: Telling, entry: Entry, places: Mapping[int, Place]) -> None:
    place = places.get(entry.subject_id) or Place(entry.subject_label, "its store", "")
    there = f"on {place.where}" if place.where == "tape" else f"in {place.where}"
    words = {**_words(entry), "kind": place.kind, "where": place.where, "there": there}
    chapter = "Migration" if place.tier == "offline" else "Archiving"
    telling.tell(entry, COPIES[entry.move], words, chapter)


def _taking(taken: Taken, entries: Sequence[Entry]) -> Step:
    """The DAQ's part, from the run's own facts; who and why from the journal, where it is told."""
    of_run = [e for e in entries if e.subject_type == RUN]
    began = next((e for e in of_run if e.move == "register"), None)
    ended = next((e for e in reversed(of_run) if e.move in ("close", "abort")), None)
    lines = [*_trains(taken)]
    if taken.silent_since is not None:
        lines.append(f"no word from the DAQ since {say_when(taken.silent_since, facility_zone())}")
    if taken.ended_by_timeout:
        lines.append("closed by time-out: its heartbeat had stopped")
    if ended is not None and began is not None and ended.actor_name != began.actor_name:
        lines.append(f"ended by {ended.actor_name}")
    titles = {"open": "Data are being taken", "aborted": "Data taken, aborted"}
    warned = taken.silent_since is not None or taken.ended_by_timeout
    return Step(
        chapter="DAQ",
        title=titles.get(taken.status, "Data taken"),
        at=taken.begin_at,
        until=taken.end_at,
        going=taken.status == "open",
        by=began.actor_name if began else "",
        why=ended.reason if ended else "",
        lines=tuple(lines),
        icon="record",
        tone="bad" if taken.status == "aborted" else "warn" if warned else "quiet",
    )


def _trains(taken: Taken) -> list[str]:
    if taken.first_train and taken.last_train:
        many = count_text(taken.last_train - taken.first_train + 1, "train")
        return [f"{many}, {taken.first_train} to {taken.last_train}"]
    return [f"from train {taken.first_train}"] if taken.first_train else []


def _mark(entry: Entry) -> Step:
    line = told(entry)
    icon, tone = _MARKS.get(entry.after, ("minus", "quiet"))
    return Step(
        chapter="Mark",
        title=f"Marked {line.after}" if line.after else "Marked anew, the same",
        at=entry.at,
        by=entry.actor_name,
        why=entry.reason,
        lines=(f"before: {line.before}",) if entry.before and line.before else (),
        icon=icon,
        tone=tone,
    )


@dataclass(slots=True)
class _Files:
    """Files that one program registers bit by bit, with nothing in between, are one step."""

    last: tuple[int, str, str] | None = None
    files: int = 0
    bytes: int = 0
    calls: int = 0

    def tell(self, steps: list[Step], entry: Entry) -> None:
        kind = str(entry.facts.get("kind") or "")
        going_on = self.last == (len(steps), kind, entry.actor_name)
        if not going_on:
            self.files = self.bytes = self.calls = 0
        self.files += _number(entry, "files")
        self.bytes += _number(entry, "bytes")
        self.calls += 1
        step = self._step(entry, kind)
        if going_on:
            steps[-1] = replace(step, at=steps[-1].at, until=entry.at)
        else:
            steps.append(step)
        self.last = (len(steps), kind, entry.actor_name)

    def _step(self, entry: Entry, kind: str) -> Step:
        how = "found by a scan" if entry.facts.get("found") == "scan" else "registered"
        title = f"{count_text(self.files, f'{kind} file'.strip())} {how}"
        lines = [bytes_text(self.bytes)] if self.bytes else []
        lines += [f"in {self.calls} calls"] if self.calls > 1 else []
        by = entry.actor_name
        return Step("DAQ", title, entry.at, by=by, lines=tuple(lines), icon="box")


def _number(entry: Entry, name: str) -> int:
    value = entry.facts.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def _plain(entry: Entry) -> Step:
    """An entry as the journal tells it."""
    line = told(entry)
    return Step(
        chapter="Other",
        title=f"{line.act}: {line.after}" if line.after else line.act,
        at=entry.at,
        by=entry.actor_name,
        why=entry.reason,
        lines=tuple(f"{name} {value}" for name, value in line.facts),
    )


def _moment(value: object) -> str:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return ""
    if moment is None or moment.utcoffset() is None:
        return ""
    return say_when(moment, facility_zone())
