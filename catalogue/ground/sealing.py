"""Sealing the journal: hashes chained along the positions of its entries, and checking them.

A move writes its entry and is done; positions are given to what is committed (`journal`), and the
sealer follows behind, in batches of its own, so no move ever waits for the chain. What the sealer
knows (how far it came, with which hash) is one row, changed in the transaction that seals the
batch: killed anywhere, it goes on where the last batch ended; two at once seal one after the other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, QuerySet, Subquery

from catalogue.ground import chain, clock
from catalogue.ground.models import Entry, JournalHead, JournalSeal

log = logging.getLogger(__name__)

AT_ONCE = 500
"""Entries sealed in one transaction."""

IN_A_ROUND = 20_000
"""Entries sealed by one round of the schedule, which has other things to do."""

_COLUMNS = (
    *("position", "id", "at", "actor_id", "actor_name", "on_behalf_id", "program_id"),
    *("program_name", "face", "subject_type", "subject_id", "subject_label", "proposal", "run"),
    *("move", "before", "after", "reason", "facts", "seal_previous", "seal_hash"),
)
_NAMES = tuple(name.removesuffix("_id") if name != "subject_id" else name for name in _COLUMNS)
_SEAL = """
    UPDATE ground_entry SET seal_previous = %s, seal_hash = %s
    WHERE id = %s AND position = %s AND seal_hash = ''
"""


class Broken(Exception):
    """The chain cannot be continued: what lies beyond its end does not follow from it."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """How far the journal is sealed: position, hash, when that was done; `waiting` entries have no
    seal yet."""

    position: int
    hash: str
    at: datetime | None
    waiting: int

    @property
    def anchor(self) -> str:
        """What is worth to be kept elsewhere: nobody can rewrite the chain up to there unseen."""
        return f"{self.position}:{self.hash}"


def rows(found: QuerySet[Entry]) -> QuerySet[Entry, dict[str, Any]]:
    """Entries as plain rows, for the chain and for exports; `found` gives the order."""
    values: QuerySet[Entry, dict[str, Any]] = found.values(*_COLUMNS)
    return values


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the chain hashes it and an export tells it: JSON values, its time in UTC."""
    entry = {name: row[column] for name, column in zip(_NAMES, _COLUMNS, strict=True)}
    moment: datetime = entry["at"]
    entry["at"] = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return entry


def in_order(found: QuerySet[Entry], *, batch: int = 2000) -> Iterator[dict[str, Any]]:
    """The numbered entries of `found` by position, read in batches: however many there are, few are
    held at once, and no transaction stays open meanwhile."""
    last: int | None = None
    numbered = found.filter(position__isnull=False).order_by("position")
    while True:
        behind = numbered if last is None else numbered.filter(position__gt=last)
        batch_of = [plain(row) for row in rows(behind)[:batch]]
        yield from batch_of
        if len(batch_of) < batch:
            return
        last = batch_of[-1]["position"]


def status() -> Sealed:
    """How far the journal is sealed now."""
    seal = JournalSeal.objects.filter(pk=1)
    fresh = Entry.objects.filter(position__isnull=True).order_by().values("position")
    head = JournalHead.objects.annotate(
        sealed=Subquery(seal.values("position")),
        digest=Subquery(seal.values("hash")),
        sealed_at=Subquery(seal.values("at")),
        fresh=Subquery(fresh.annotate(n=Count("pk")).values("n")),
    )
    found = head.values_list("position", "sealed", "digest", "sealed_at", "fresh").first()
    if found is None:
        return Sealed(0, chain.BEGINNING, None, Entry.objects.count())
    numbered, sealed, digest, at, waiting = found
    return Sealed(
        position=sealed or 0,
        hash=digest or chain.BEGINNING,
        at=at,
        waiting=numbered - (sealed or 0) + (waiting or 0),
    )


def seal_some(most: int = AT_ONCE) -> int:
    """Seal the next numbered entries, the oldest first; how many. Nothing where another sealer is
    at it. Not inside a transaction. Raises `Broken`."""
    with transaction.atomic(durable=True):
        head = _head()
        if head is None:
            return 0
        behind = Entry.objects.filter(position__gt=head.position).order_by("position")
        fresh = [plain(row) for row in rows(behind)[:most]]
        seals: list[tuple[str, str, int, int]] = []
        for entry in fresh:
            if entry["seal_hash"]:
                _follow_sealed(head, entry)
                continue
            entry["seal_previous"] = head.hash
            head.hash, head.position = chain.seal(entry), entry["position"]
            seals.append((entry["seal_previous"], head.hash, entry["id"], head.position))
        if seals:
            with connection.cursor() as cursor:
                cursor.executemany(_SEAL, seals)
                if 0 <= cursor.rowcount < len(seals):
                    raise Broken("Entries changed while they were sealed.")
        if fresh:
            head.at = clock.now()
            head.save(update_fields=["position", "hash", "at"])
    return len(fresh)


def _head() -> JournalSeal | None:
    """The sealer's own row, locked; None where another sealer has it. A journal that came without
    it from somewhere else goes on behind its last seal."""
    if not JournalSeal.objects.filter(pk=1).exists():
        last = Entry.objects.exclude(seal_hash="").filter(position__isnull=False)
        highest = last.order_by("-position").values_list("position", "seal_hash").first()
        position, digest = highest or (0, chain.BEGINNING)
        if highest is not None:
            log.error("The journal's seal had lost its head; it goes on behind %s.", position)
        values = {"position": position, "hash": digest, "at": clock.now()}
        JournalSeal.objects.get_or_create(pk=1, defaults=values)
    return JournalSeal.objects.select_for_update(skip_locked=True).filter(pk=1).first()


def _follow_sealed(head: JournalSeal, entry: dict[str, Any]) -> None:
    """Beyond the head lies an entry that has its seal: the head was set back. Go on along it."""
    if entry["seal_previous"] != head.hash or chain.seal(entry) != entry["seal_hash"]:
        raise Broken(f"Position {entry['position']} is sealed, but not behind {head.position}.")
    head.hash, head.position = entry["seal_hash"], entry["position"]


def seal_all(now: datetime) -> int:
    """Seal what is numbered and has no seal; part of the schedule, after the numbering."""
    done = 0
    while done < IN_A_ROUND and _more():
        sealed = seal_some()
        if not sealed:
            break  # another sealer is at it
        done += sealed
    return done


def _more() -> bool:
    """Whether a numbered entry waits for its seal; one query."""
    head = JournalSeal.objects.filter(pk=1).values("position")
    numbered = JournalHead.objects.annotate(sealed=head[:1]).values_list("position", "sealed")
    position, sealed = numbered.first() or (0, None)
    return bool(position > (sealed or 0))


def verify(expected: dict[int, str] | None = None) -> chain.Chain:
    """Follow the whole chain; memory does not grow with the journal, and the sealer may go on
    meanwhile. `expected` are hashes by position that were kept elsewhere."""
    before = JournalSeal.objects.filter(pk=1).first()
    numbered = JournalHead.objects.filter(pk=1).values_list("position", flat=True).first() or 0
    sealed = before.position if before is not None else 0
    found = chain.Chain(sealed, expected=dict(expected or {}))
    known = before.hash if before is not None else chain.BEGINNING
    if sealed and found.expected.setdefault(sealed, known) != known:
        text = f"The journal's head has another hash for {sealed} than was remembered."
        found.fault(sealed, None, "anchor", text)
    for entry in in_order(Entry.objects.all()):
        found.follow(entry)
    found.end(least=max(numbered, sealed))
    _beyond_the_head(found)
    found.unsealed += _without_position(found)
    return found


def _beyond_the_head(found: chain.Chain) -> None:
    """A seal that the sealer does not know of: the head was set back or taken away. Of the two, the
    entries are asked first: the sealer changes both at once, and may be at it."""
    with_seal = Entry.objects.exclude(seal_hash="").filter(position__gt=found.sealed_until)
    furthest = with_seal.order_by("-position").values_list("position", flat=True).first()
    head = JournalSeal.objects.filter(pk=1).values_list("position", flat=True).first() or 0
    if furthest is not None and furthest > head:
        text = f"Position {furthest} is sealed; the journal's head, at {head}, does not know of it."
        found.fault(furthest, None, "head", text)


def _without_position(found: chain.Chain) -> int:
    """Entries that wait for their position; one that has a seal has lost it."""
    waiting = Entry.objects.filter(position__isnull=True)
    for number in waiting.exclude(seal_hash="").values_list("pk", flat=True)[: chain.TOLD]:
        text = f"Entry {number} has a seal and no position: its position was taken away."
        found.fault(None, number, "missing", text)
    return waiting.filter(seal_hash="").count()


def header(found: Sealed, *, narrowed: dict[str, str], until: int) -> dict[str, Any]:
    """The first line of an export."""
    return {
        "format": chain.FORMAT,
        "made_at": clock.now().isoformat(timespec="seconds"),
        "sealed": {"position": found.position, "hash": found.hash},
        "positions": until,
        "narrowed": narrowed,
    }
