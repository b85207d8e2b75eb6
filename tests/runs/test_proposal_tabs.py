"""The tabs of a proposal whose data are its runs': logbook, repositories, publication, plan; and
withdrawing a run."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ground import lifecycle
from catalogue.ground.actor import WORKER, Actor
from catalogue.ground.models import Entry
from proposals import commands as proposals
from proposals import declared
from proposals.models import Proposal
from runs import commands, matrix, packaging, planned, shifts
from runs.models import Replica
from tests.factories import BEGIN, Facility
from tests.visiting import People, Visitor, queries_of, sound

NASTY = "<script>alert(1)</script> \u202egnorw 😀"
NOW = BEGIN + timedelta(hours=1)


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    """An active proposal, at nine in the morning of its first day."""
    with time_machine.travel(BEGIN, tick=False):
        return facility.proposal(state="A", calibrates_by_itself=False)


@pytest.fixture
def leader(facility: Facility, proposal: Proposal) -> Visitor:
    return Visitor(facility.leader)


class TestLogbook:
    def test_the_shifts_tell_marks_and_comments(
        self, facility: Facility, proposal: Proposal, leader: Visitor
    ) -> None:
        by = Actor.of(facility.leader, face="page")
        with time_machine.travel(NOW, tick=False):
            run = facility.run(proposal)
            commands.assess(run, quality="good", comment=NASTY, by=by)
        with time_machine.travel(NOW + timedelta(hours=15), tick=False):  # one at night
            commands.edit(run, comment="the jet is <b>stable</b>", by=by)
        html = leader.get(f"/proposals/{proposal.number}/logbook")
        text = " ".join(sound(html).text.split())
        assert "20 November 2026" in text, "the night belongs to the day it began on"
        assert "07:00–15:00" in text
        assert "23:00–07:00" in text
        assert "15:00–23:00" not in text, "nothing happened then"
        assert "<script>alert(1)</script>" not in html
        assert "the jet is <b>stable</b>" in text
        alone = sound(leader.get(f"/proposals/{proposal.number}/logbook?only=said")).text
        assert "Registered" not in alone
        assert "the jet is <b>stable</b>" in alone

    def test_days_lead_to_the_next_with_anything_to_tell(
        self, facility: Facility, proposal: Proposal, leader: Visitor
    ) -> None:
        with time_machine.travel(NOW + timedelta(days=3), tick=False):
            facility.run(proposal)
        path = f"/proposals/{proposal.number}/logbook"
        assert "?day=2026-11-20" in leader.get(path)
        assert "?day=2026-11-23" in leader.get(f"{path}?day=2026-11-20")
        for odd in ("2026-13-01", "soon", "0001-01-01", "9999-12-31", "%00"):
            assert "23 November 2026" in leader.get(f"{path}?day={odd}")
        assert "Nothing was marked" in leader.get(f"{path}?day=2026-11-21")

    def test_the_link_is_the_teams(
        self, facility: Facility, proposal: Proposal, leader: Visitor
    ) -> None:
        path = f"/proposals/{proposal.number}/logbook"
        leader.post(f"{path}/link", 422, logbook="javascript:alert(1)")
        leader.post(f"{path}/link", logbook="https://logbook.example.org/?p=1&x=<b>")
        assert "Open the logbook" in leader.get(path)
        reader = Visitor(People(facility, proposal).reader)
        reader.post(f"{path}/link", 403, logbook="https://example.org")
        assert "Keep the link" not in reader.get(path)

    @pytest.mark.parametrize(
        ("moment", "day"),
        [("2026-11-20T05:59", 19), ("2026-11-20T06:00", 20), ("2026-11-21T05:59", 20)],
    )
    def test_a_day_begins_with_its_first_shift(self, moment: str, day: int) -> None:
        at = BEGIN.fromisoformat(f"{moment}+00:00")  # 07:00 in Hamburg is 06:00 in UTC
        assert shifts.day_of(at) == date(2026, 11, day)

    def test_the_day_of_the_clock_change_has_its_hours(self) -> None:
        begin, end = shifts.bounds(date(2026, 10, 24))
        assert end - begin == timedelta(hours=25)


class TestRepositories:
    def test_the_matrix_says_where_what_is(
        self, facility: Facility, proposal: Proposal, leader: Visitor
    ) -> None:
        run, unmarked = facility.run(proposal), facility.run(proposal)
        commands.assess(run, quality="good", by=facility.staff)
        lifecycle.perform_due()
        totals = {t.store.identifier: t for t in matrix.totals(proposal)}
        assert {name: t.verified for name, t in totals.items()} == {
            "online": 0, "offline": 1, "mass_storage": 1,
        }  # fmt: skip
        assert totals["offline"].raw_bytes == 3000
        line = matrix.lines([run], [totals["offline"].store])[0]
        assert line.cells[0][1] is not None
        assert line.cells[0][1].state == "verified"
        path = f"/proposals/{proposal.number}/repositories"
        html = leader.get(path)
        sound(html)
        assert html.count('data-state="verified"') == 2
        for query, shown in (("", {1, 2}), ("?not_in=offline", {2}), ("?not_in=any", {2}),
                             ("?not_in=nonsense", {1, 2}), ("?page=9999", {1, 2})):  # fmt: skip
            html = leader.get(path + query)
            assert {n for n in (1, 2) if f'/runs/{n:04d}"' in html} == shown, query
        assert unmarked.quality == ""

    def test_a_lost_copy_is_counted_and_the_best_of_several_is_shown(
        self, facility: Facility, proposal: Proposal
    ) -> None:
        run = facility.run(proposal)
        commands.assess(run, quality="good", by=facility.staff)
        lifecycle.perform_due()
        replica = Replica.objects.get(store=facility.stores["offline"], data_group__run=run)
        lifecycle.advance(replica.report_lost, by=WORKER, at=NOW, reason="the disk burnt")
        totals = {t.store.identifier: t for t in matrix.totals(proposal)}
        assert totals["offline"].broken == 1
        assert totals["offline"].verified == 0

    def test_queries_do_not_grow_with_runs(
        self, facility: Facility, proposal: Proposal, leader: Visitor
    ) -> None:
        def grow(count: int) -> dict[str, int]:
            for _ in range(count):
                commands.assess(facility.run(proposal), quality="good", by=facility.staff)
            lifecycle.perform_due()
            return {t: queries_of(leader, f"/proposals/{proposal.number}/{t}") for t in FROZEN}

        few = grow(2)
        assert grow(4) == few
        assert few == FROZEN


# tab -> queries, with session, person and rights included
FROZEN = {"repositories": 12, "logbook": 11, "publication": 11, "plan": 9}


class TestPublication:
    def test_the_way_to_open_data_and_a_package(
        self, facility: Facility, proposal: Proposal, leader: Visitor
    ) -> None:
        path = f"/proposals/{proposal.number}/publication"
        staff = Visitor(facility.staff.user)
        with time_machine.travel(NOW, tick=False):
            commands.assess(facility.run(proposal), quality="good", by=facility.staff)
            lifecycle.perform_due()
            assert "as the beamtimes are now" in sound(leader.get(path)).text
            refused = leader.post(f"{path}/package", 409).content.decode()
            assert "a package holds open data" in sound(refused).text
            proposals.finish(proposal, by=facility.staff)
            proposals.review(proposal, by=facility.staff)
            lifecycle.perform_due()
            move = f"/proposals/{proposal.number}/moves"
            assert leader.post(f"{move}/consent", next=path)["Location"] == path
            assert "Ada" in sound(staff.get(path)).text
            staff.post(f"{move}/release-early", next=path)
            html = leader.get(path)
            assert "3 files of 1 run are copied" in sound(html).text
            leader.post(f"{path}/package", once="mark")
            leader.post(f"{path}/package", once="mark")
            assert "One is being made" in sound(leader.get(path)).text
            lifecycle.perform_due()
            text = sound(leader.get(path)).text
        made = proposal.packages.get()
        assert made.state == "ready"
        assert made.manifest_sha256 in text
        assert "sha256sum -c manifest-sha256.txt" in text
        assert Entry.objects.filter(move="request", subject_type="runs.package").count() == 1

    def test_the_record_is_shown_valid_before_there_is_a_doi(self, leader: Visitor) -> None:
        text = sound(leader.get("/proposals/900100/publication")).text
        assert '"doi": "10.5072/XFEL.EU-DATA-900100-00"' in text
        assert "Valid against DataCite's schema 4.5" in text

    def test_who_may_not_ask_is_told_who_may(self, facility: Facility, proposal: Proposal) -> None:
        office = Visitor(People(facility, proposal).auditor)
        text = sound(office.get(f"/proposals/{proposal.number}/publication")).text
        assert "To ask for packages is for" in text
        office.post(f"/proposals/{proposal.number}/publication/package", 403)

    def test_what_is_foretold_is_what_is_made(self, facility: Facility, proposal: Proposal) -> None:
        with time_machine.travel(NOW, tick=False):
            for quality in ("good", "unclear", "not_interesting"):
                commands.assess(facility.run(proposal), quality=quality, by=facility.staff)
            lifecycle.perform_due()
            proposals.finish(proposal, by=facility.staff)
            proposals.review(proposal, by=facility.staff)
            proposals.consent(proposal, by=Actor.of(facility.leader, face="page"))
            proposals.release_early(proposal, by=facility.staff)
            [foretold] = packaging.explain(proposal, frozenset({"ask for packages"}))
            packaging.request_package(proposal, by=facility.staff)
            lifecycle.perform_due()
        assert getattr(foretold, "bytes", None) == 6000
        assert "6 files of 2 runs" in foretold.text  # type: ignore[union-attr]
        assert proposal.packages.get().file_count >= 6


class TestPlan:
    FORM = {"name": "Plan", "raw_size": "1,5 TB", "proc_size": "300 GB", "collection_hours": "60"}

    def test_made_changed_and_compared(
        self, facility: Facility, proposal: Proposal, leader: Visitor
    ) -> None:
        facility.run(proposal)
        path = f"/proposals/{proposal.number}/plan"
        assert "Make a plan" in leader.get(path)
        leader.post(f"{path}/change", **self.FORM)
        leader.post(f"{path}/change", **{**self.FORM, "raw_size": "2 TB"})
        assert [p.raw_size for p in proposal.plans.all()] == ["2 TB"]
        text = sound(leader.get(path)).text
        assert "2 TB" in text
        assert "3.0 kB" in text
        rows = list(csv.reader(io.StringIO(leader.get(f"{path}/numbers.csv"))))
        assert rows[1] == ["Raw data", "bytes", "2e+12", "3000", "2 TB"]
        assert ["Hours of measurement", "hours", "60", "0.083", "60"] in rows
        answer = leader.client.get(f"{path}/plot.svg?scheme=dark")
        assert answer["Content-Type"] == "image/svg+xml"
        assert b"<svg" in answer.content

    @pytest.mark.parametrize(
        "wrong",
        [{"raw_size": "1.5"}, {"raw_size": "much"}, {"proc_size": "-1 TB"}, {"name": ""},
         {"collection_hours": "many"}, {"user_nodes_cpu": "1e9"}, {"description": "a\x00"}],
    )  # fmt: skip
    def test_bad_values_are_told_and_kept(self, leader: Visitor, wrong: dict[str, str]) -> None:
        path = "/proposals/900100/plan/change"
        html = leader.post(path, 422, **{**self.FORM, **wrong}).content.decode()
        assert "Nothing was changed." in sound(html).text
        assert "1,5 TB" in html or "raw_size" in wrong

    def test_a_plan_that_somebody_changed_is_shown_in_both_versions(
        self, facility: Facility, proposal: Proposal, leader: Visitor
    ) -> None:
        path = f"/proposals/{proposal.number}/plan/change"
        leader.post(path, **self.FORM)
        seen = leader.get(path).split('seen" value="', 1)[1].split('"', 1)[0]
        declared.change(proposal.plans.get(), to={"raw_size": "9 TB"}, by=facility.staff)
        html = leader.post(path, 409, seen=seen, **self.FORM).content.decode()
        text = sound(html).text
        assert "9 TB" in text
        assert "1,5 TB" in text

    def test_others_read_it_and_nobody_outside(
        self, facility: Facility, proposal: Proposal
    ) -> None:
        people = People(facility, proposal)
        path = f"/proposals/{proposal.number}/plan"
        reader = Visitor(people.reader)
        assert "Make a plan" not in reader.get(path)
        reader.post(f"{path}/change", 403, **self.FORM)
        for part in ("", "/plot.svg", "/numbers.csv", "/change"):
            Visitor(people.stranger).get(path + part, 404)

    def test_a_bare_number_is_shown_and_not_compared(
        self, facility: Facility, proposal: Proposal, leader: Visitor
    ) -> None:
        facts = {"name": "=cmd()", "identifier": "D", "raw_size": "=1+1", "proc_size": "300"}
        declared.add_plan(proposal, facts=facts, by=facility.staff)
        text = sound(leader.get(f"/proposals/{proposal.number}/plan")).text
        assert "no unit told" in text
        table = leader.get(f"/proposals/{proposal.number}/plan/numbers.csv")
        assert "'=1+1" in table, "no spreadsheet takes it for a formula"

    @given(st.text(max_size=20))
    def test_any_text_is_a_size_or_none(self, text: str) -> None:
        found = planned.size_told(text)
        assert found is None or found >= 0

    @pytest.mark.parametrize(
        ("text", "bytes_"),
        [("1,5 TB", 1_500_000_000_000), ("300GB", 300_000_000_000), ("7 B", 7), ("1.5", None)],
    )
    def test_sizes_are_powers_of_ten(self, text: str, bytes_: int | None) -> None:
        assert planned.size_told(text) == bytes_


class TestWithdrawingARun:
    def test_with_a_reason_and_its_consequences_first(
        self, facility: Facility, proposal: Proposal, leader: Visitor
    ) -> None:
        run = facility.run(proposal)
        path = f"/proposals/{proposal.number}/runs/{run.number}/withdraw"
        assert "It takes no mark any more" in sound(leader.get(path)).text
        leader.post(path, 422, reason=" ")
        leader.post(path, reason="the shutter was closed")
        run.refresh_from_db()
        assert run.withdrawn_at is not None
        again = leader.post(path, 409, reason="again").content.decode()
        assert "is withdrawn already" in sound(again).text
        assert Entry.objects.filter(move="withdraw").count() == 1

    def test_not_while_it_is_open(
        self, facility: Facility, proposal: Proposal, leader: Visitor
    ) -> None:
        run = facility.run(proposal, closed=False)
        path = f"/proposals/{proposal.number}/runs/{run.number}/withdraw"
        assert "the DAQ writes into it" in sound(leader.get(path)).text
        leader.post(path, 409, reason="by mistake")

    def test_who_only_reads_does_not(self, facility: Facility, proposal: Proposal) -> None:
        run = facility.run(proposal)
        people = People(facility, proposal)
        path = f"/proposals/{proposal.number}/runs/{run.number}/withdraw"
        Visitor(people.reader).post(path, 403, reason="by mistake")
        Visitor(people.stranger).post(path, 404, reason="by mistake")

    def test_what_was_published_stays(self, facility: Facility, proposal: Proposal) -> None:
        with time_machine.travel(NOW, tick=False):
            run = facility.run(proposal)
            commands.assess(run, quality="good", by=facility.staff)
            lifecycle.perform_due()
            proposals.finish(proposal, by=facility.staff)
            proposals.review(proposal, by=facility.staff)
            proposals.consent(proposal, by=Actor.of(facility.leader, face="page"))
            proposals.release_early(proposal, by=facility.staff)
        path = f"/proposals/{proposal.number}/runs/{run.number}/withdraw"
        html = Visitor(facility.staff.user).post(path, 409, reason="by mistake").content.decode()
        assert "what was published stays" in sound(html).text
