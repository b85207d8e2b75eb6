"""Positions of the journal: whatever commits in whatever order, who reads on from where they
stopped is told everything once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue.ground import journal
from catalogue.ground.lifecycle import schedule
from catalogue.ground.models import Entry, JournalHead

AT = datetime(2026, 11, 22, tzinfo=UTC)
THING = {"subject_type": "runs.run", "subject_id": 1, "subject_label": "run", "move": "assess"}


def _commit(*ids: int) -> None:
    """Entries with these ids become visible together; ids were drawn before, in any order."""
    Entry.objects.bulk_create(
        Entry(pk=pk, at=AT, actor_name="somebody", face="api", **THING) for pk in ids
    )


class Reader:
    """A program that follows the journal, `most` entries at a time."""

    def __init__(self) -> None:
        self.place = journal.reach()
        self.told: list[int] = []
        self.positions: list[int] = []

    def poll(self, most: int = 3) -> None:
        until = journal.reach()
        rows = list(journal.between(Entry.objects.all(), self.place, until)[:most])
        self.told += [row.pk for row in rows]
        self.positions += [row.position or 0 for row in rows]
        self.place = self.positions[-1] if len(rows) == most else until

    def catch_up(self) -> None:
        seen = -1
        while seen < len(self.told):
            seen = len(self.told)
            self.poll()


@pytest.mark.django_db
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_commits_out_of_order_are_told_once_in_one_order(data: st.DataObject) -> None:
    """Transactions take ids and commit in another order; some roll back; two readers poll and the
    schedule numbers in between."""
    Entry.objects.all().delete()
    ids = data.draw(st.lists(st.integers(1, 10**6), unique=True, max_size=30), "ids by commit")
    steps = data.draw(st.lists(st.integers(1, 4), min_size=1), "entries of each transaction")
    first, second = Reader(), Reader()
    committed: list[int] = []
    for size in steps:
        batch, ids = ids[:size], ids[size:]
        _commit(*batch)
        committed += batch
        for act in data.draw(st.lists(st.sampled_from(["first", "second", "sweep", "few"]))):
            if act == "sweep":
                journal.number_all(AT)
            elif act == "few":
                journal.number_committed(most=2)
            else:
                (first if act == "first" else second).poll()
    first.catch_up()
    second.catch_up()
    assert sorted(first.told) == sorted(committed)
    assert second.told == first.told
    for reader in (first, second):
        assert all(a < b for a, b in zip(reader.positions, reader.positions[1:], strict=False))


@pytest.mark.django_db
def test_what_is_committed_together_keeps_the_order_of_its_ids() -> None:
    _commit(30, 10, 20)
    reader = Reader()
    assert list(journal.between(Entry.objects.all(), 0, reader.place).values_list("pk")) == [
        (10,), (20,), (30,),
    ]  # fmt: skip


@pytest.mark.django_db
def test_positions_have_no_gaps_and_are_never_given_anew() -> None:
    _commit(5, 6)
    assert journal.number_committed() == 2
    before = dict(Entry.objects.values_list("pk", "position"))
    _commit(1, 2, 3)
    assert journal.number_committed(most=2) == 2
    assert journal.number_committed(most=2) == 1
    assert journal.number_committed(most=2) == 0
    after = dict(Entry.objects.values_list("pk", "position"))
    assert {pk: after[pk] for pk in before} == before
    assert sorted(p for p in after.values() if p) == [1, 2, 3, 4, 5]
    assert JournalHead.objects.get().position == 5


@pytest.mark.django_db
def test_the_sweep_numbers_what_nobody_has_read() -> None:
    _commit(1, 2)
    assert "catalogue.ground.journal.number_all" in schedule.timed()
    assert schedule.sweep()["catalogue.ground.journal.number_all"] == 2
    assert not Entry.objects.filter(position=None).exists()


@pytest.mark.django_db
def test_it_costs_one_query_to_know_that_nothing_is_new() -> None:
    _commit(1)
    journal.reach()
    with CaptureQueriesContext(connection) as asked:
        assert journal.reach() == 1
        assert journal.number_all(AT) == 0
    assert len(asked) == 2


@pytest.mark.django_db
def test_without_its_head_the_journal_goes_on_where_it_was() -> None:
    """A copy of the journal may come without the row that knows how far it is."""
    _commit(1, 2, 3)
    reader = Reader()
    reader.catch_up()
    journal.reach()
    place = reader.place
    JournalHead.objects.all().delete()
    assert journal.reach() == place == 3
    JournalHead.objects.all().delete()
    _commit(5, 4)
    reader.catch_up()
    assert reader.told == [4, 5]
    assert list(Entry.objects.order_by("position").values_list("position", flat=True)) == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip
