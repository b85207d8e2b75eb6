"""The journal's chain: what is sealed can be checked, and what was done to it behind the
catalogue's back is found and named."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogue.ground import chain, exporting, journal, sealing
from catalogue.ground.lifecycle import schedule
from catalogue.ground.models import Entry, JournalHead, JournalSeal
from tests.catalogue.ground.journaled import AT, behind_its_back, entries, keeping, sealed

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]


def kinds() -> list[tuple[str, int | None]]:
    return [(f.kind, f.position) for f in sealing.verify().faults]


def test_every_field_of_an_entry_is_sealed() -> None:
    sealed(1)
    columns = {f.name for f in Entry._meta.concrete_fields} - {"seal_hash"}
    assert columns == set(chain.FIELDS)
    (row,) = sealing.in_order(Entry.objects.all())
    assert {*chain.FIELDS, "seal_hash"} == row.keys()


def test_a_sealed_journal_is_sound_and_goes_on() -> None:
    sealed(7)
    entries(3, first=8)
    found = sealing.verify()
    assert (found.fault_count, found.entries, found.sealed, found.unsealed) == (0, 7, 7, 3)
    assert sealing.status().waiting == 3
    journal.number_all(AT)
    assert sealing.verify().unsealed == 3
    assert sealing.seal_all(AT) == 3
    found = sealing.verify()
    assert (found.fault_count, found.entries, found.sealed, found.unsealed) == (0, 10, 10, 0)
    head = JournalSeal.objects.get()
    assert (head.position, head.hash) == (10, Entry.objects.get(position=10).seal_hash)
    assert Entry.objects.get(position=1).seal_previous == chain.BEGINNING


def test_the_schedule_numbers_and_then_seals() -> None:
    entries(3)
    timed = schedule.timed()
    steps = ["catalogue.ground.journal.number_all", "catalogue.ground.sealing.seal_all"]
    assert [t for t in timed if t in steps] == steps
    assert schedule.sweep()["catalogue.ground.sealing.seal_all"] == 3
    with CaptureQueriesContext(connection) as asked:
        assert sealing.seal_all(AT) == 0
    assert len(asked) == 1


def test_a_large_journal_is_sealed_and_read_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    entries(25)
    journal.number_all(AT)
    assert [sealing.seal_some(most=10) for _ in range(4)] == [10, 10, 5, 0]
    with CaptureQueriesContext(connection) as asked:
        assert len(list(sealing.in_order(Entry.objects.all(), batch=10))) == 25
    assert len(asked) == 3
    assert kinds() == []


CONTENT = {
    "at": "'2026-11-22 09:00:00+00:00'",
    "actor_id": "NULL",
    "actor_name": "'Somebody Else'",
    "on_behalf_id": "actor_id",
    "program_name": "'DAQ'",
    "face": "'api'",
    "subject_type": "'runs.replica'",
    "subject_id": "99",
    "subject_label": "'run 0099'",
    "proposal": "900055",
    "run": "NULL",
    "move": "'edit'",
    "before": "'good'",
    "after": "'not_interesting'",
    "reason": "'another reason'",
    "facts": "'{}'",
}


@pytest.mark.parametrize("column", CONTENT)
def test_a_changed_entry_is_found_and_named(column: str) -> None:
    sealed(5)
    entry = Entry.objects.get(position=3)
    with behind_its_back() as cursor:
        cursor.execute(
            f'UPDATE ground_entry SET "{column}" = {CONTENT[column]} '  # noqa: S608
            "WHERE position = 3"
        )
    assert kinds() == [("content", 3)]
    (fault,) = sealing.verify().faults
    assert f"Entry {entry.pk} at position 3" in str(fault)
    assert "content was changed" in str(fault)


def delete(cursor: Any) -> None:
    cursor.execute("DELETE FROM ground_entry WHERE position = 3")


def delete_first(cursor: Any) -> None:
    cursor.execute("DELETE FROM ground_entry WHERE position = 1")


def close_the_gap(cursor: Any) -> None:
    delete(cursor)
    cursor.execute("UPDATE ground_entry SET position = 3 WHERE position = 4")
    cursor.execute("UPDATE ground_entry SET position = 4 WHERE position = 5")
    cursor.execute("UPDATE ground_entry SET position = 5 WHERE position = 6")


def insert(cursor: Any) -> None:
    """In the place of one that is taken out."""
    delete(cursor)
    columns = ", ".join(f'"{c}"' for c in keeping.CONTENT if c not in ("id", "proposal"))
    cursor.execute(
        f"INSERT INTO ground_entry (proposal, position, seal_previous, seal_hash, {columns}) "  # noqa: S608
        f"SELECT 900055, 3, '', '', {columns} FROM ground_entry WHERE position = 2"
    )


def swap(cursor: Any) -> None:
    cursor.execute("UPDATE ground_entry SET position = -1 WHERE position = 2")
    cursor.execute("UPDATE ground_entry SET position = 2 WHERE position = 4")
    cursor.execute("UPDATE ground_entry SET position = 4 WHERE position = -1")


def take_seal(cursor: Any) -> None:
    cursor.execute("UPDATE ground_entry SET seal_hash = '', seal_previous = '' WHERE position = 3")


def take_position(cursor: Any) -> None:
    cursor.execute("UPDATE ground_entry SET position = NULL WHERE position = 3")


def before_the_first(cursor: Any) -> None:
    cursor.execute("UPDATE ground_entry SET position = -5 WHERE position = 1")


def cut_off(cursor: Any) -> None:
    cursor.execute("DELETE FROM ground_entry WHERE position >= 5")


def set_head_back(cursor: Any) -> None:
    cursor.execute("UPDATE ground_journalseal SET position = 4, hash = %s", ["0" * 64])


def take_head(cursor: Any) -> None:
    cursor.execute("DELETE FROM ground_journalseal")


def reseal_one(cursor: Any) -> None:
    """The content changed, and its own hash made to fit; those behind it still know the old one."""
    cursor.execute("UPDATE ground_entry SET reason = 'forged' WHERE position = 3")
    row = next(r for r in sealing.in_order(Entry.objects.filter(position=3)))
    cursor.execute("UPDATE ground_entry SET seal_hash = %s WHERE position = 3", [chain.seal(row)])


def rewrite(cursor: Any) -> None:
    """All hashes made anew from there on; the head as it was."""
    cursor.execute("UPDATE ground_entry SET reason = 'forged' WHERE position = 3")
    previous = Entry.objects.get(position=2).seal_hash
    for row in sealing.in_order(Entry.objects.filter(position__gte=3)):
        row["seal_previous"], previous = previous, chain.seal({**row, "seal_previous": previous})
        cursor.execute(
            "UPDATE ground_entry SET seal_previous = %s, seal_hash = %s WHERE position = %s",
            [row["seal_previous"], previous, row["position"]],
        )


@pytest.mark.parametrize(
    ("act", "found"),
    [
        (delete, [("missing", 3)]),
        (delete_first, [("missing", 1)]),
        (close_the_gap, [("content", 3), ("content", 4), ("content", 5), ("cut off", 6)]),
        (insert, [("no seal", 3)]),
        (swap, [("content", 2), ("content", 4)]),
        (take_seal, [("no seal", 3)]),
        (take_position, [("missing", 3), ("missing", None)]),
        (before_the_first, [("order", -5), ("missing", 1)]),
        (cut_off, [("cut off", 5)]),
        (set_head_back, [("anchor", 4), ("head", 6)]),
        (take_head, [("head", 6)]),
        (reseal_one, [("link", 4)]),
        (rewrite, [("anchor", 6)]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_was_done_behind_its_back(
    act: Callable[[Any], None], found: list[tuple[str, int | None]]
) -> None:
    sealed(6)
    with behind_its_back() as cursor:
        act(cursor)
    told = kinds()
    assert [f for f in told if f in found] == found, told
    assert told[0] == found[0], told


def test_an_anchor_kept_elsewhere_shows_a_chain_that_was_written_anew() -> None:
    sealed(6)
    kept = sealing.status()
    with behind_its_back() as cursor:
        rewrite(cursor)
        forged = Entry.objects.get(position=6).seal_hash
        cursor.execute("UPDATE ground_journalseal SET hash = %s", [forged])
    assert kinds() == []  # nothing inside the database can tell
    assert {f.kind for f in sealing.verify({kept.position: kept.hash}).faults} == {"anchor"}
    with behind_its_back() as cursor:
        cut_off(cursor)
        cursor.execute("UPDATE ground_journalseal SET position = 4, hash = %s", [
            Entry.objects.get(position=4).seal_hash])  # fmt: skip
        cursor.execute("UPDATE ground_journalhead SET position = 4")
    assert kinds() == []
    (fault,) = sealing.verify({kept.position: kept.hash}).faults
    assert fault.kind == "cut off"


def rows_of(count: int) -> list[dict[str, Any]]:
    """A sealed chain, made by nothing but the chain's own function."""
    made: list[dict[str, Any]] = []
    for n in range(1, count + 1):
        row: dict[str, Any] = dict.fromkeys(chain.FIELDS, "") | {
            "position": n, "id": 100 + n, "facts": {"n": n}, "run": n % 3,
            "seal_previous": made[-1]["seal_hash"] if made else chain.BEGINNING,
        }  # fmt: skip
        made.append({**row, "seal_hash": chain.seal(row)})
    return made


def tampered(data: st.DataObject, rows: list[dict[str, Any]]) -> None:
    """One thing that somebody could do to stored rows; hashes may be made anew."""
    act = data.draw(st.sampled_from(["change", "drop", "double", "swap", "cut", "reseal"]))
    at = data.draw(st.integers(0, len(rows) - 1)) if rows else 0
    if not rows:
        return
    if act == "change":
        name = data.draw(st.sampled_from([*chain.FIELDS, "seal_hash"]))
        numbers = st.sampled_from([0, 7, -1])
        texts = st.sampled_from(["", "x", "0" * 64])
        value = data.draw(numbers if name in ("position", "id") else texts)
        rows[at] = {**rows[at], name: value}
    elif act == "drop":
        del rows[at]
    elif act == "double":
        rows.insert(at, dict(rows[at]))
    elif act == "swap":
        other = data.draw(st.integers(0, len(rows) - 1))
        one, two = rows[at]["position"], rows[other]["position"]
        rows[at], rows[other] = {**rows[other], "position": one}, {**rows[at], "position": two}
    elif act == "cut":
        del rows[at:]
    else:
        for n in range(at, len(rows)):
            previous = rows[n - 1]["seal_hash"] if n else chain.BEGINNING
            row = {**rows[n], "position": n + 1, "seal_previous": previous}
            rows[n] = {**row, "seal_hash": chain.seal(row)}


@settings(max_examples=300)
@given(data=st.data(), acts=st.integers(1, 4))
def test_whatever_is_done_to_sealed_rows_is_found(data: st.DataObject, acts: int) -> None:
    """Rows that are not what they were, in any way, break a chain whose head is known."""
    original = rows_of(6)
    rows = [dict(row) for row in original]
    for _ in range(acts):
        tampered(data, rows)
    rows.sort(key=lambda row: int(row["position"]))
    found = chain.Chain(6, expected={6: original[-1]["seal_hash"]})
    for row in rows:
        found.follow(row)
    found.end(least=6)
    if not found.fault_count:
        assert [row for row in rows if row["position"] <= 6] == original
    if rows == original:
        assert found.faults == []


@pytest.mark.parametrize("damage", ["head", "seal"])
def test_the_sealer_goes_on_where_it_was(damage: str) -> None:
    """Its row may be set back or lost with a copy of the database; what has a seal keeps it."""
    sealed(6)
    if damage == "head":
        third = Entry.objects.get(position=3)
        JournalSeal.objects.update(position=3, hash=third.seal_hash)
    else:
        JournalSeal.objects.all().delete()
    entries(2, first=7)
    journal.number_all(AT)
    sealing.seal_all(AT)
    assert sealing.status().position == 8
    assert kinds() == []


def test_what_does_not_follow_is_not_sealed_over() -> None:
    sealed(6)
    JournalSeal.objects.update(position=3, hash="1" * 64)
    with pytest.raises(sealing.Broken, match="Position 4"):
        sealing.seal_some()
    assert JournalSeal.objects.get().position == 3


REFUSED = {
    "change of what is sealed": "UPDATE ground_entry SET reason = 'x' WHERE position = 2",
    "another seal": "UPDATE ground_entry SET seal_hash = 'x' WHERE position = 2",
    "another position": "UPDATE ground_entry SET position = 99 WHERE position = 2",
    "change of what waits": "UPDATE ground_entry SET reason = 'x' WHERE position IS NULL",
    "position taken back": "UPDATE ground_entry SET position = NULL WHERE position = 4",
    "deletion": "DELETE FROM ground_entry WHERE position = 2",
    "emptying": "TRUNCATE ground_entry CASCADE",
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_database_refuses(what: str) -> None:
    """… whoever asks: the statement as the application's own role could send it."""
    if what == "emptying" and connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has TRUNCATE")
    sealed(3)
    entries(1, first=4)
    journal.number_all(AT)
    entries(1, first=5)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in keeping.POSTGRES if connection.vendor == "postgresql" else keeping.SQLITE:
            if "TRIGGER journal_keeps_all" in statement:
                cursor.execute(statement)  # the one that the tests' database lacks
        with pytest.raises(DatabaseError, match="journal"), transaction.atomic():
            cursor.execute(REFUSED[what])
    assert kinds() == []
    journal.number_all(AT)
    assert sealing.seal_all(AT) == 2


def test_the_verbs_of_the_orm_are_refused_too() -> None:
    sealed(2)
    entry = Entry.objects.get(position=1)
    entry.reason = "better"
    with pytest.raises(DatabaseError, match="journal"), transaction.atomic():
        entry.save()
    assert Entry.objects.get(position=1).reason == "“why” 1"


def verify(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("verify_journal", *arguments, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_command_says_where_it_breaks_and_ends_so() -> None:
    sealed(4)
    code, told = verify()
    assert (code, told.splitlines()[0]) == (0, "4 entries, the whole journal.")
    _, kept = verify("--anchor")
    assert verify("--expect", kept.strip())[0] == 0
    with behind_its_back() as cursor:
        delete(cursor)
    code, told = verify()
    assert code == 1
    assert "BROKEN: Position 3 is missing" in told
    code, told = verify("--expect", f"2:{'0' * 64}")
    assert code == 1
    assert "was remembered with the hash" in told
    with pytest.raises(CommandError, match="not POSITION:HASH"):
        verify("--expect", "yesterday")


def test_a_remembered_hash_is_missed_where_all_seals_were_taken_away() -> None:
    """An entry changed, every seal emptied and the head taken away: until the sealer comes by,
    the journal looks as if nothing had been sealed yet. Who kept an anchor knows better."""
    sealed(4)
    kept = verify("--anchor")[1].strip()
    with behind_its_back() as cursor:
        cursor.execute("UPDATE ground_entry SET seal_hash = '', seal_previous = '', reason = 'x'")
    JournalSeal.objects.all().delete()
    assert verify()[0] == 0
    code, told = verify("--expect", kept)
    assert code == 1
    assert f"Position 4 was remembered with the hash {kept.partition(':')[2]}, and has none" in told


def offline(file: Path, *arguments: str) -> tuple[int, str]:
    """The checker as a program of its own: no Django, no database, none of our packages."""
    alone = file.parent / "chain.py"
    alone.write_bytes((ROOT / "catalogue/ground/chain.py").read_bytes())
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(alone), "check", str(file), *arguments],
        capture_output=True, text=True, env={}, cwd=file.parent, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def changed(file: Path, change: Callable[[list[dict[str, Any]]], None]) -> Path:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    change(rows)
    other = file.parent / "changed.ndjson"
    other.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return other


def test_an_export_is_checked_offline(tmp_path: Path) -> None:
    sealed(5)
    entries(2, first=6)
    file = tmp_path / "journal.ndjson"
    code, told = verify("--export", str(file))
    anchor = told.rpartition(" ")[2].strip()
    code, told = offline(file, "--expect", anchor)
    assert (code, told.splitlines()[:2]) == (
        0, ["7 entries, the whole journal.", "2 entries are not sealed yet."],
    )  # fmt: skip
    with pytest.raises(CommandError, match="not written over"):
        verify("--export", str(file))

    def edit(rows: list[dict[str, Any]]) -> None:
        rows[3]["actor_name"] = "Nobody"

    def drop(rows: list[dict[str, Any]]) -> None:
        del rows[3]

    def drop_end(rows: list[dict[str, Any]]) -> None:
        del rows[5:]

    def set_back(rows: list[dict[str, Any]]) -> None:
        del rows[5:]
        last = rows[-1]
        rows[0] |= {"sealed": {"position": last["position"], "hash": last["seal_hash"]}}
        rows[0]["positions"] = 4

    for change, fault in (
        (edit, "content was changed"), (drop, "Position 3 is missing"),
        (drop_end, "The end is cut off"),
    ):  # fmt: skip
        code, told = offline(changed(file, change))
        assert (code, fault in told) == (1, True), told
    assert offline(changed(file, set_back))[0] == 0
    assert offline(changed(file, set_back), "--expect", anchor)[0] == 1
    assert offline(changed(file, list.clear))[0] == 2


def test_a_narrowed_export_is_checked_as_far_as_it_can_be(tmp_path: Path) -> None:
    sealed(6)
    file = tmp_path / "part.ndjson"
    found = Entry.objects.filter(run__in=[2, 3, 5])
    file.write_bytes(b"".join(exporting.ndjson(found, narrowed={"run": "2,3,5"})))
    code, told = offline(file)
    assert (code, "what is left out cannot be checked" in told) == (0, True)

    def edit(rows: list[dict[str, Any]]) -> None:
        rows[3]["reason"] = ""

    assert offline(changed(file, edit))[0] == 1


def test_a_table_computes_nothing() -> None:
    Entry.objects.create(
        at=AT, actor_name="=HYPERLINK(1)", face="page", subject_type="a", subject_id=1,
        subject_label="x", move="edit", reason="@cmd, \"said\"\nso",
    )  # fmt: skip
    told = b"".join(exporting.as_csv(Entry.objects.all())).decode()
    assert "'=HYPERLINK(1)" in told
    assert '"\'@cmd, ""said""\nso"' in told


def test_positions_that_were_given_are_remembered_without_their_seals() -> None:
    """What was deleted before it was sealed leaves a gap, which no sealing closes."""
    sealed(3)
    entries(3, first=4)
    journal.number_all(AT)
    Entry.objects.filter(position__in=[5, 6]).delete()
    assert kinds() == [("cut off", 5)]
    entries(1, first=7)
    journal.number_all(AT)
    sealing.seal_all(AT)
    assert JournalHead.objects.get().position == 7
    assert kinds() == [("missing", 5)]
