"""The event feed: what happened, once each, in one order, for those who may know."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue.ground import journal, lifecycle
from catalogue.ground.models import Entry
from proposals.models import Proposal
from runs.models import Run
from tests.calling import Caller, Callers, done, refused
from tests.factories import Facility


def _all(caller: Caller, query: str = "", limit: int = 7) -> list[dict[str, Any]]:
    """Every event from the beginning, page by page."""
    found: list[dict[str, Any]] = []
    told = done(caller.get(f"events?limit={limit}{query}"))
    while True:
        assert len(told["events"]) <= limit
        found += told["events"]
        if not told["more"]:
            return found
        told = done(caller.get(f"events?limit={limit}{query}&after={told['next']}"))


def test_everything_is_told_once_from_the_beginning(run: Run, callers: Callers) -> None:
    told = _all(callers.staff)
    assert [e["id"] for e in told] == sorted(Entry.objects.values_list("pk", flat=True))


def test_an_event_says_what_happened_to_what_by_whom_and_where_it_is_found(
    run: Run, callers: Callers
) -> None:
    start = done(callers.leader.get("events?after=now"))
    assert start["events"] == []
    path = f"proposals/{run.proposal.number}/runs/{run.number}"
    done(callers.leader.post(f"{path}/assess", {"quality": "good", "comment": "sharp spots"}))
    told = done(callers.leader.get(f"events?after={start['next']}"))["events"]
    event = told[0]
    assert event["move"] == "assess"
    assert (event["before"], event["after"]) == ("", "good")
    assert event["reason"] == "sharp spots"
    assert event["actor"] == callers.leader.token.user.full_name
    assert event["on_behalf"] is None
    assert event["face"] == "api"
    subject = event["subject"]
    assert subject["kind"] == "run"
    assert (subject["proposal"], subject["run"]) == (run.proposal.number, run.number)
    assert done(callers.leader.get(subject["url"]))["quality"] == "good"


def test_every_address_in_it_leads_somewhere(
    facility: Facility, run: Run, callers: Callers
) -> None:
    facility.policy()
    one = f"proposals/{run.proposal.number}"
    done(callers.leader.post(f"{one}/holds", {"reason": "wanted"}), 201)
    facility.detector()
    done(callers.leader.post(f"{one}/runs/1/calibrations", {}), 201)
    lifecycle.perform_due()
    urls = {e["subject"]["kind"]: e["subject"]["url"] for e in _all(callers.staff)}
    assert {"proposal", "run", "replica", "hold", "calibration", "job"} <= urls.keys()
    for kind, url in urls.items():
        if url is not None:
            done(callers.staff.get(url))
        else:
            assert kind not in ("proposal", "run", "replica", "hold", "calibration", "job")


def test_who_polls_without_news_gets_none_and_keeps_the_place(run: Run, callers: Callers) -> None:
    first = done(callers.leader.get("events?limit=1000"))
    again = done(callers.leader.get(f"events?after={first['next']}"))
    assert again == {"events": [], "next": first["next"], "more": False}


def test_one_may_go_on_behind_any_event(run: Run, callers: Callers) -> None:
    told = _all(callers.staff)
    middle = len(told) // 2
    behind = done(callers.staff.get(f"events?limit=1000&after={told[middle]['cursor']}"))
    assert behind["events"] == told[middle + 1 :]


class TestWhoMayKnow:
    def test_a_team_is_told_of_its_own_proposal_only(
        self, facility: Facility, run: Run, callers: Callers
    ) -> None:
        other = facility.proposal(state="A", kind="commissioning")
        facility.run(other)
        mine = _all(callers.leader)
        assert mine
        assert {e["subject"]["proposal"] for e in mine} == {run.proposal.number}
        assert str(other.number) not in str(mine)
        assert len(mine) < len(_all(callers.staff))
        assert _all(callers.stranger) == []

    def test_a_filter_does_not_open_what_one_may_not_see(
        self, facility: Facility, run: Run, callers: Callers
    ) -> None:
        assert _all(callers.stranger, f"&proposal={run.proposal.number}") == []
        assert _all(callers.stranger, "&move=assess&kind=run") == []

    def test_what_is_of_no_proposal_is_for_the_facility_s_staff(
        self, facility: Facility, proposal: Proposal, callers: Callers
    ) -> None:
        entry = Entry.objects.first()
        assert entry is not None
        entry.pk, entry.proposal, entry.position, entry.move = None, None, None, "adopt policy"
        entry.save(force_insert=True)
        auditor = Caller(facility.person("auditor"))
        contact = Caller(facility.person("local_contact", instrument=True))
        assert [e["id"] for e in _all(auditor, "&move=adopt policy")] == [entry.pk]
        for who in (contact, callers.leader, callers.stranger):
            assert _all(who, "&move=adopt policy") == []

    def test_the_journal_is_not_for_visitors_nor_for_tokens_that_may_not_read(
        self, run: Run, callers: Callers
    ) -> None:
        refused(callers.visitor.get("events"), 401)
        assert _all(Caller(callers.staff.token.user, scopes=[])) == []

    def test_the_cursor_passes_over_what_one_may_not_see(
        self, facility: Facility, proposal: Proposal, callers: Callers
    ) -> None:
        before = done(callers.leader.get("events?limit=1000"))["next"]
        facility.run(facility.proposal(state="A", kind="commissioning"))
        after = done(callers.leader.get(f"events?after={before}"))
        assert after["events"] == []
        assert after["next"] != before
        assert after["next"] == done(callers.staff.get("events?after=now"))["next"]


class TestFilters:
    def test_by_proposal_kind_and_move(
        self, facility: Facility, run: Run, callers: Callers
    ) -> None:
        facility.run(facility.proposal(state="A", kind="commissioning"))
        everything = _all(callers.staff)
        number = run.proposal.number
        for query, keeps in (
            (f"&proposal={number}", lambda e: e["subject"]["proposal"] == number),
            ("&kind=run", lambda e: e["subject"]["kind"] == "run"),
            ("&kind=run&kind=job", lambda e: e["subject"]["kind"] in ("run", "job")),
            ("&move=register files", lambda e: e["move"] == "register files"),
        ):
            wanted = [e for e in everything if keeps(e)]
            assert wanted
            assert _all(callers.staff, query) == wanted

    @pytest.mark.parametrize(
        ("query", "field"),
        [("kind=thing", "kind"), ("after=e01", "after"), ("after=x", "after"), ("after=", "after"),
         ("after=e-1", "after"), ("limit=0", "limit"), ("limit=2000", "limit"), ("page=2", "page"),
         ("proposal=x", "proposal")],
    )  # fmt: skip
    def test_what_is_not_understood_is_named(
        self, run: Run, callers: Callers, query: str, field: str
    ) -> None:
        refused(callers.staff.get(f"events?{query}"), 422, field)

    def test_a_cursor_of_another_journal_is_refused(self, run: Run, callers: Callers) -> None:
        """As after a restored backup: going on from it would miss what comes until then."""
        end = int(done(callers.staff.get("events?after=now"))["next"][1:], 16)
        refused(callers.staff.get(f"events?after=e{end + 1:x}"), 422, "after")


def test_a_poll_without_news_costs_at_most_three_queries(run: Run, callers: Callers) -> None:
    for who in (callers.staff, callers.leader, callers.daq):
        place = done(who.get("events?limit=1000"))["next"]
        done(who.get(f"events?after={place}"))
        with CaptureQueriesContext(connection) as asked:
            done(who.get(f"events?after={place}"))
        beside = [q for q in asked.captured_queries if "ground_token" not in q["sql"]]
        assert len(beside) <= 3


def test_many_events_cost_as_many_queries_as_few(
    facility: Facility, run: Run, callers: Callers
) -> None:
    done(callers.staff.get("events?after=now"))
    counts = []
    for _ in range(2):
        journal.number_committed()
        with CaptureQueriesContext(connection) as asked:
            told = done(callers.staff.get("events?limit=1000"))["events"]
        counts.append((len(told), len(asked)))
        for _ in range(3):
            facility.run(facility.proposal(state="A", kind="commissioning"))
    assert counts[1][0] > 2 * counts[0][0]
    assert counts[0][1] == counts[1][1]
