"""Pages by cursor, and the filters of lists."""

from __future__ import annotations

from typing import Any

import pytest

from proposals.commands import add_sample
from proposals.models import Proposal
from runs import calibrating, commands
from tests.calling import Caller, Callers, done, refused
from tests.factories import Facility


def _walk(caller: Caller, path: str) -> list[Any]:
    """All rows of a list, page after page."""
    rows, following = [], path
    while following:
        answer = done(caller.get(following))
        rows += answer["results"]
        following = answer["next"]
    return rows


@pytest.fixture
def numbers(callers: Callers, proposal: Proposal) -> list[int]:
    """Seven runs."""
    path = f"proposals/{proposal.number}/runs"
    for number in range(1, 8):
        body = {"number": number, "begin_at": "2026-11-20T09:00:00Z"}
        done(callers.daq.post(path, body), 201)
    return list(range(1, 8))


@pytest.mark.parametrize("size", [1, 2, 6, 7, 8, 1000])
def test_pages_hold_every_row_once(
    callers: Callers, proposal: Proposal, numbers: list[int], size: int
) -> None:
    found = _walk(callers.leader, f"proposals/{proposal.number}/runs?page_size={size}")
    assert [r["number"] for r in found] == numbers[::-1]


LISTS = [
    *(f"proposals/{{n}}/{name}" for name in ("runs", "replicas", "data-groups", "calibrations")),
    *("proposals/{n}/samples", "proposals", "jobs", "constants", "cycles", "detectors"),
]


@pytest.mark.parametrize("path", LISTS)
def test_every_order_is_given_by_the_page(
    facility: Facility, callers: Callers, proposal: Proposal, document: dict[str, Any], path: str
) -> None:
    """By each key that the document names, up and down, the same rows as on one page."""
    facility.detector()
    for _ in range(3):
        facility.proposal()
        run = facility.run(proposal)
        commands.assess(run, quality="good", by=facility.staff)
        calibrating.request_calibration(run, by=facility.staff)
        add_sample(proposal, name=f"sample {run.number}", by=facility.staff)
    place = path.format(n=proposal.number)
    spoken = document["paths"]["/api/v1/" + path.format(n="{number}")]["get"]["parameters"]
    orders = next(p["schema"]["enum"] for p in spoken if p["name"] == "order")
    assert {f"-{order}" for order in orders if order[0] != "-"} <= set(orders)
    for order in orders:
        whole = done(callers.staff.get(f"{place}?order={order}&page_size=1000"))
        assert whole["next"] is None
        walked = _walk(callers.staff, f"{place}?order={order}&page_size=1")
        assert walked == whole["results"], order


def test_rows_that_arrive_meanwhile_neither_repeat_nor_hide_others(
    callers: Callers, proposal: Proposal, numbers: list[int]
) -> None:
    path = f"proposals/{proposal.number}/runs"
    first = done(callers.leader.get(f"{path}?page_size=3"))
    body = {"number": 20, "begin_at": "2026-11-20T09:00:00Z"}
    done(callers.daq.post(path, body), 201)
    second = done(callers.leader.get(first["next"]))
    assert [r["number"] for r in first["results"] + second["results"]] == [7, 6, 5, 4, 3, 2]


def test_filters_stay_on_the_way(callers: Callers, proposal: Proposal, numbers: list[int]) -> None:
    path = f"proposals/{proposal.number}/runs?runs=1-3,6&page_size=1"
    assert [r["number"] for r in _walk(callers.leader, path)] == [6, 3, 2, 1]


@pytest.mark.parametrize("size", ["0", "1001", "100000", "-1", "1.5", "many", "", "9" * 30, "٣"])
def test_the_size_of_a_page_has_bounds(callers: Callers, size: str) -> None:
    refused(callers.staff.get(f"proposals?page_size={size}"), 422, "page_size")


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "%00", "a:b:c", "x" * 3000])
def test_a_made_up_cursor_is_refused(callers: Callers, cursor: str) -> None:
    refused(callers.staff.get(f"proposals?cursor={cursor}"), 422, "cursor")


def test_a_cursor_opens_its_own_list_only(
    callers: Callers, proposal: Proposal, numbers: list[int]
) -> None:
    path = f"proposals/{proposal.number}/runs"
    following = done(callers.leader.get(f"{path}?page_size=1"))["next"]
    cursor = following.partition("cursor=")[2].partition("&")[0]
    refused(callers.leader.get(f"proposals/{proposal.number}/journal?cursor={cursor}"), 422)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("proposals?colour=blue", "colour"),
        ("proposals?instrument=XYZ", "instrument"),
        ("proposals?instrument=1", "instrument"),
        ("proposals?state=Z", "state"),
        ("proposals?kind=holiday", "kind"),
        ("proposals?q=%00", "q"),
        ("proposals?q=" + "x" * 2001, "q"),
        ("jobs?proposal=1234567", "proposal"),
        ("jobs?proposal=abc", "proposal"),
        ("jobs?state=lost", "state"),
        ("stores?tier=tape", "tier"),
        ("me?x=1", "x"),
    ],
)
def test_bad_filters_are_named(callers: Callers, path: str, field: str) -> None:
    refused(callers.staff.get(path), 422, field)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("q=900100", 1),
        ("q=Study", 2),
        ("q=nothing+of+the+kind", 0),
        ("instrument=SPB", 2),
        ("cycle=202601", 2),
        ("state=A", 1),
        ("state=A&state=N", 2),
        ("kind=test", 0),
        ("access=open", 0),
    ],
)
def test_proposals_are_narrowed(
    facility: Facility, callers: Callers, proposal: Proposal, query: str, found: int
) -> None:
    facility.proposal()
    assert len(done(callers.staff.get(f"proposals?{query}"))["results"]) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("runs=1", [1]), ("runs=2-9", [3, 2]), ("status=open", [3]), ("quality=good", [1]),
        ("quality=none", [3, 2]), ("quality=none&quality=good", [3, 2, 1]),
        ("experiment=Dark", [2]), ("sample=none", []),
    ],
)  # fmt: skip
def test_runs_are_narrowed(
    facility: Facility, callers: Callers, proposal: Proposal, query: str, found: list[int]
) -> None:
    first = facility.run(proposal)
    facility.run(proposal, type_name="Dark")
    facility.run(proposal, closed=False)
    path = f"proposals/{proposal.number}/runs"
    done(callers.leader.post(f"{path}/{first.number}/assess", {"quality": "good"}))
    answer = done(callers.leader.get(f"{path}?{query}"))
    assert [r["number"] for r in answer["results"]] == found


def test_a_filter_without_a_value_does_not_give_the_whole_list(callers: Callers) -> None:
    for query in ("access=", "q=%20", "state=&state=A", "instrument="):
        refused(callers.staff.get(f"proposals?{query}"), 422, query.partition("=")[0])
