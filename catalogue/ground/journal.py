"""Writing and reading the journal, and the order in which readers are told of it.

No entry is ever changed or deleted; it only gets its position once it is committed. Transactions
commit in another order than they draw ids, so a reader who remembers the highest id it saw would
miss an entry with a lower one. Positions are given under the lock of one row to what is committed
by then, oldest first: whoever sees a position sees all before it, for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction

from catalogue.ground import clock
from catalogue.ground.actor import Actor
from catalogue.ground.models import Entry, JournalHead, Recorded

AT_ONCE = 10_000
"""Entries that get their position in one transaction."""


def write(
    thing: Recorded,
    move: str,
    *,
    by: Actor,
    before: str = "",
    after: str = "",
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> Entry:
    """Tell one thing that happened to `thing`, in the transaction in which it happens."""
    return Entry.objects.create(
        at=at or clock.now(),
        actor=by.user,
        actor_name=by.name,
        on_behalf=by.on_behalf,
        program=by.through,
        program_name=by.through.name if by.through is not None else "",
        face=by.face,
        subject_type=thing._meta.label_lower,
        subject_id=thing.pk,
        subject_label=thing.label[:200],
        proposal=thing.proposal_number,
        run=getattr(thing, "run_number", None),
        move=move,
        before=before,
        after=after,
        reason=reason,
        facts=plain(facts or {}),
    )


def of(thing: models.Model) -> models.QuerySet[Entry]:
    """The story of one row, newest first."""
    return Entry.objects.filter(subject_type=thing._meta.label_lower, subject_id=thing.pk)


def of_proposal(number: int) -> models.QuerySet[Entry]:
    """The story of a proposal with all that belongs to it, newest first."""
    return Entry.objects.filter(proposal=number)


def number_committed(most: int = AT_ONCE) -> int:
    """Give the next positions to entries that are committed and have none, the oldest first; how
    many there were. Not inside a transaction: others wait for it."""
    with transaction.atomic(durable=True):
        if not JournalHead.objects.filter(pk=1).exists():
            JournalHead.objects.get_or_create(pk=1, defaults={"position": _highest()})
        head = JournalHead.objects.select_for_update().get(pk=1)
        # A statement of its own after the lock: its snapshot holds all that was numbered before.
        with connection.cursor() as cursor:
            cursor.execute(_NUMBER, [head.position, most])
            numbered = max(int(cursor.rowcount), 0)
        if numbered:
            head.position += numbered
            head.save(update_fields=["position"])
    return numbered


def _highest() -> int:
    """The highest position of all entries: where a journal goes on whose head is not there, since
    it is new or came without it from somewhere else."""
    highest: int | None = Entry.objects.aggregate(highest=models.Max("position"))["highest"]
    return highest or 0


_NUMBER = """
    UPDATE ground_entry SET position = %s + fresh.place
    FROM (
        SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS place
        FROM ground_entry WHERE position IS NULL ORDER BY id LIMIT %s
    ) AS fresh
    WHERE ground_entry.id = fresh.id
"""


def number_all(now: datetime) -> int:
    """Give positions to all that waits for one; part of the schedule, so that a reader who comes
    rarely does not have to."""
    done = 0
    while _reach()[1]:
        numbered = number_committed()
        done += numbered
        if not numbered:
            break  # somebody else was faster
    return done


def reach() -> int:
    """How far the journal can be told: the highest position, after what is committed by now got
    its own (a batch of it, if that is much). One query where nothing is new."""
    position, waiting = _reach()
    if waiting:
        number_committed()
        position = _reach()[0]
    return position


def position_now() -> models.Subquery:
    """The highest position given, to be read within another query."""
    return models.Subquery(
        JournalHead.objects.filter(pk=1).values("position"), models.BigIntegerField()
    )


def _reach() -> tuple[int, bool]:
    """The highest position, and whether there are entries without one."""
    without = Entry.objects.filter(position__isnull=True).order_by()
    row = (
        JournalHead.objects.annotate(waiting=models.Exists(without))
        .values_list("position", "waiting")
        .first()
    )
    return row or (0, True)


def between(found: models.QuerySet[Entry], after: int, until: int) -> models.QuerySet[Entry]:
    """Those of `found` behind one position up to another, in the order of positions."""
    return found.filter(position__gt=after, position__lte=until).order_by("position")


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: rows by their label, times as ISO 8601."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Recorded):
        return value.label
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
