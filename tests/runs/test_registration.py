"""One row of a bulk registration, as properties; and the totals of a run."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.db.models import Sum
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ground.inputs import Invalid
from proposals.models import Proposal
from runs import live, registration, summing
from runs.models import File, Run
from tests.calling import Callers, done, refused
from tests.factories import Facility
from tests.visiting import Visitor

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(["name", "bytes", "sha256", "adler32", "kind", ""])


@given(st.dictionaries(names, anything) | anything)
def test_any_row_is_read_or_refused(given_row: Any) -> None:
    with suppress(Invalid):
        row = registration.row(given_row)
        assert given_row.keys() <= {"name", "bytes", "sha256", "adler32"}
        assert len(row.sha256) == 64


@given(
    st.text("abcdefABCDEF0123456789", min_size=64, max_size=64),
    st.integers(0, 2**63 - 1),
    st.none() | st.text("abcdef0123456789", min_size=8, max_size=8),
)
def test_a_good_row_is_taken_as_it_is(sha256: str, size: int, adler32: str | None) -> None:
    given_row: dict[str, Any] = {"name": "a.h5", "bytes": size, "sha256": sha256}
    if adler32 is not None:
        given_row["adler32"] = adler32
    row = registration.row(given_row)
    assert row == ("a.h5", size, sha256.lower(), adler32 or "")


@pytest.mark.parametrize("calls", [[1, 1, 1], [3], [5001, 2], [0, 4]])
def test_what_a_run_claims_is_the_sum_of_its_files(
    facility: Facility, proposal: Proposal, calls: list[int]
) -> None:
    run = facility.run(proposal, files=0, closed=False)
    number = 0
    for count in calls:
        rows = [{"name": f"f{number + n}", "bytes": n, "sha256": f"{n:064x}"} for n in range(count)]
        number += max(count - 1, 0)  # the last of each call comes again in the next
        rows = [{**row, "bytes": 7, "sha256": "0" * 64} for row in rows]
        registration.register(run, kind="RAW", files=iter(rows), by=facility.daq)
    run.refresh_from_db()
    files = File.objects.filter(data_group__run=run)
    assert run.file_count == files.count()
    assert run.bytes == (files.aggregate(n=Sum("bytes"))["n"] or 0)
    for group in run.data_groups.all():
        replica = group.replicas.get()
        assert (group.file_count, group.bytes) == (run.file_count, run.bytes)
        assert (replica.file_count, replica.bytes) == (run.file_count, run.bytes)


def test_nothing_is_left_of_a_call_that_breaks_off(facility: Facility, run: Run) -> None:
    def rows() -> Any:
        yield from ({"name": f"g{n}", "bytes": 1, "sha256": "0" * 64} for n in range(6000))
        raise ConnectionResetError

    before = File.objects.count()
    with pytest.raises(ConnectionResetError):
        registration.register(run, kind="RAW", files=rows(), by=facility.daq)
    assert File.objects.count() == before


BIG = 2**63 - 1


def test_what_a_run_holds_in_all_has_64_bits(run: Run, callers: Callers) -> None:
    one = f"proposals/{run.proposal.number}/runs/{run.number}/files"
    before = File.objects.count()

    def body(*sizes: int, kind: str = "RAW") -> dict[str, Any]:
        rows = [{"name": f"{n}.h5", "bytes": b, "sha256": "ab" * 32} for n, b in enumerate(sizes)]
        return {"kind": kind, "files": rows}

    for given_body in (body(BIG), body(BIG, BIG), body(BIG, kind="PROC")):
        refused(callers.daq.post(one, given_body), 422, "bytes")
        assert File.objects.count() == before
    done(callers.daq.post(one, body(BIG - run.bytes)), 201)


def test_what_runs_hold_together_may_be_more(
    facility: Facility, run: Run, callers: Callers
) -> None:
    """A slip of one program must not break the pages of all runs, nor that of the storage."""
    runs = f"proposals/{run.proposal.number}/runs"
    other = facility.run(run.proposal)
    for each in (run, other):
        huge = [{"name": "huge.h5", "bytes": BIG - each.bytes, "sha256": "ab" * 32}]
        done(callers.daq.post(f"{runs}/{each.number}/files", {"kind": "RAW", "files": huge}), 201)
    for _ in range(2):
        number = done(callers.daq.post(f"{runs}/next-number"), 201)["number"]
        done(callers.daq.post(runs, {"number": number, "begin_at": "2026-11-20T09:00:00Z"}), 201)
        far = {"bytes": BIG, "last_train": BIG}
        done(callers.daq.post(f"{runs}/{number}/heartbeat", far))
    of_it = f"/proposals/{run.proposal.number:06d}"
    for path in (f"{of_it}/runs", f"{of_it}/repositories", of_it, "/storage"):
        Visitor(facility.staff.user).get(path)
    assert summing.of_proposal(run.proposal)["bytes"] > BIG
    assert live.pulse(run.proposal.number, 0).beats
