"""Comparing a list of files with what is registered, without registering anything: so a program
that was stopped finds out what is left to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from catalogue.ground import inputs
from catalogue.ground.inputs import Invalid
from runs.models import File, Run

# SQLite allows a bounded number of parameters in one statement.
CHUNK = 900
FACTS = {"bytes": inputs.byte_size, "sha256": inputs.sha256, "adler32": inputs.adler32}


@dataclass(frozen=True, slots=True)
class Differing:
    """A file that is not registered as it was told: `missing`, `conflicting` in `field` with what
    is `registered`, or `invalid` by a `rule`. `row` counts from 0."""

    row: int
    name: str | None
    state: str
    field: str | None = None
    rule: str | None = None
    registered: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Compared:
    """How many files are in which state, and the first of those that are not registered so."""

    registered: int = 0
    missing: int = 0
    conflicting: int = 0
    invalid: int = 0
    files: list[Differing] = field(default_factory=list)
    more: bool = False


def compare(run: Run, *, kind: str, files: Iterable[Any], most: int) -> Compared:
    """Compare `files` (name and, as far as given, bytes and checksums) with the registered files of
    this kind of the run; at most `most` of those that differ are told one by one."""
    found = Compared()
    for start, chunk in _chunks(files):
        for differing in _differing(run, kind, start, chunk):
            if differing is None:
                found.registered += 1
                continue
            setattr(found, differing.state, getattr(found, differing.state) + 1)
            if len(found.files) < most:
                found.files.append(differing)
            else:
                found.more = True
    return found


def _chunks(files: Iterable[Any]) -> Iterator[tuple[int, list[Any]]]:
    stream = iter(files)
    start = 0
    while chunk := list(islice(stream, CHUNK)):
        yield start, chunk
        start += len(chunk)


def _differing(run: Run, kind: str, start: int, chunk: list[Any]) -> Iterator[Differing | None]:
    """Of each row how it differs from what is registered, or None."""
    read = [_read(given) for given in chunk]
    names = [facts["name"] for facts in read if not isinstance(facts, Invalid)]
    rows = File.objects.filter(data_group__run=run, data_group__kind=kind, name__in=names)
    known = {row["name"]: row for row in rows.values("name", *FACTS)}
    for number, facts in enumerate(read, start):
        if isinstance(facts, Invalid):
            yield Differing(number, None, "invalid", field=facts.field, rule=facts.rule)
        else:
            yield _against(number, facts, known.get(facts["name"]))


def _read(given: Any) -> dict[str, Any] | Invalid:
    """One row from outside: its facts, or what is wrong with it."""
    try:
        if not isinstance(given, dict):
            raise Invalid("files", "each file must be an object", given)
        unknown = next((key for key in given if key != "name" and key not in FACTS), None)
        if unknown is not None:
            raise Invalid(str(unknown)[:200], "is not a field of a file", None)
        facts = {"name": inputs.plain_name(given.get("name"))}
        told = {key: value for key, value in given.items() if key in FACTS and value is not None}
        return facts | {key: FACTS[key](value) for key, value in told.items()}
    except Invalid as fault:
        return fault


def _against(
    number: int, facts: dict[str, Any], there: Mapping[str, Any] | None
) -> Differing | None:
    if there is None:
        return Differing(number, facts["name"], "missing")
    for key in FACTS:
        # Not every writer gave every checksum: what is not known cannot differ.
        if key in facts and there[key] != "" and facts[key] != there[key]:
            registered = {k: there[k] for k in FACTS}
            return Differing(number, facts["name"], "conflicting", key, None, registered)
    return None
