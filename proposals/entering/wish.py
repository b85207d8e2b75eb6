"""What somebody wants entered, read from the texts of a form or of a row; pure.

Only what a text means is said here. Whether it may be so is the verbs' to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from catalogue.ground import inputs
from catalogue.ground.inputs import Invalid

KINDS = ("user", "commissioning", "test")
_YES = frozenset({"yes", "y", "true", "1", "on", "x", "ja"})
_NO = frozenset({"no", "n", "false", "0", "off", "nein"})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a column: the rule, and who can change that where somebody can."""

    column: str
    rule: str
    who: str = ""
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """A proposal as it is wanted; `said` are the columns that say something."""

    number: int
    title: str
    instrument: str
    cycle: str
    leader: str = ""
    begin_at: datetime | None = None
    end_at: datetime | None = None
    derived_from: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    said: frozenset[str] = frozenset()


def wish(texts: Mapping[str, str], zone: tzinfo) -> Wish | list[Problem]:
    """What the texts say, or everything that is wrong with them. Moments without a zone are on the
    clock of `zone`."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for column, parse in _PARSERS.items():
        text = texts.get(column, "").strip()
        try:
            if text:
                found[column] = parse(text, column, zone)
            elif column in _NEEDED:
                problems.append(Problem(column, "is needed", missing=True))
        except Invalid as invalid:
            problems.append(Problem(column, invalid.rule))
    ends = {"beamtime_begin", "beamtime_end"}
    if len(ends & {c for c in ends if texts.get(c, "").strip()}) == 1:
        (other,) = (c for c in sorted(ends) if not texts.get(c, "").strip())
        problems.append(
            Problem(other, "is needed: a beamtime has a begin and an end", missing=True)
        )
    if problems:
        return problems
    return Wish(
        number=found["number"],
        title=found["title"],
        instrument=found["instrument"],
        cycle=found["cycle"],
        leader=found.get("leader", ""),
        begin_at=found.get("beamtime_begin"),
        end_at=found.get("beamtime_end"),
        derived_from=found.get("derived_from"),
        options={name: found[name] for name in _OPTIONS if name in found},
        said=frozenset(found),
    )


_DAY_FIRST = re.compile(
    r"^([0-9]{2})\.([0-9]{2})\.([0-9]{4})[ T]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)$"
)
Parse = Callable[[str, str, tzinfo], Any]


def _number(text: str, column: str, zone: tzinfo) -> int:
    digits = text[1:] if text[:1] in "pP" else text
    return inputs.proposal_number(digits, column)


def _line(longest: int) -> Parse:
    def parse(text: str, column: str, zone: tzinfo) -> str:
        found = inputs.free_text(text, longest, column)
        if "\n" in found or "\t" in found:
            raise Invalid(column, "must be one line", text)
        return found

    return parse


def _text(text: str, column: str, zone: tzinfo) -> str:
    return inputs.free_text(text, 20_000, column)


def _kind(text: str, column: str, zone: tzinfo) -> str:
    if text.lower() not in KINDS:
        raise Invalid(column, f"must be one of {', '.join(KINDS)}", text)
    return text.lower()


def _flag(text: str, column: str, zone: tzinfo) -> bool:
    word = text.lower()
    if word not in _YES | _NO:
        raise Invalid(column, "must be yes or no", text)
    return word in _YES


def _moment(text: str, column: str, zone: tzinfo) -> datetime:
    """A moment in UTC; without a zone it is on the facility's clock, which must show it once.
    Spreadsheets may write the day first, with full stops."""
    text = _DAY_FIRST.sub(r"\3-\2-\1 \4", text)
    try:
        return inputs.aware_time(text, column)
    except Invalid as invalid:
        if not invalid.rule.startswith("must name its zone"):
            raise Invalid(column, "must be a time like 2026-12-03 08:00", text) from None
    try:
        wall = datetime.fromisoformat(text.replace("t", "T"))
        first, second = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    except (ValueError, OverflowError):
        raise Invalid(column, "must be a time that exists", text) from None
    if first != second:
        rule = "is shown twice, or never, by the facility's clock that day: name the zone (+01:00)"
        raise Invalid(column, rule, text)
    return inputs.aware_time(wall.replace(tzinfo=zone).isoformat(), column)


_PARSERS: Mapping[str, Parse] = {
    "number": _number,
    "title": _line(500),
    "instrument": _line(60),
    "cycle": _line(16),
    "kind": _kind,
    "abstract": _text,
    "leader": _line(254),
    "beamtime_begin": _moment,
    "beamtime_end": _moment,
    "derived_from": _number,
    "metadata_public": _flag,
    "assesses_by_itself": _flag,
    "calibrates_by_itself": _flag,
}
_NEEDED = ("number", "title", "instrument", "cycle")
_OPTIONS = ("kind", "abstract", "metadata_public", "assesses_by_itself", "calibrates_by_itself")
