"""The beamtime board: where proposals stand, what waits for whom and since when."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import access as words
from catalogue.ground.models import Appointment, Job
from proposals import board, commands
from proposals.models import Proposal
from tests.factories import BEGIN, CycleFactory, Facility, InstrumentFactory
from tests.visiting import Visitor, queries_of, sound


@pytest.fixture
def proposals(facility: Facility) -> dict[str, Proposal]:
    """One in each of several states."""
    with time_machine.travel(BEGIN - timedelta(days=3), tick=False):
        made = {state: facility.proposal(state=state) for state in ("N", "R", "F", "FR")}
        made["A"] = facility.proposal(state="A", number=900110)
    return made


def test_every_state_has_a_lane() -> None:
    lanes = [state for _, states in board.COLUMNS for state in states]
    assert sorted(lanes) == sorted(Proposal.State.values)


def test_proposals_stand_in_their_lanes_with_what_they_wait_for(
    facility: Facility, proposals: dict[str, Proposal]
) -> None:
    with time_machine.travel(BEGIN, tick=False):
        html = Visitor(facility.person("user_office")).get("/proposals/board?instrument=SPB")
    seen = sound(html)
    for proposal in proposals.values():
        assert f"/proposals/{proposal.number}#moves" in seen.links
    lane = html.partition('id="lane-1"')[2].partition('id="lane-2"')[0]
    assert proposals["N"].folder in lane
    assert "Waits for you" in lane
    assert "to be prepared" in lane
    assert "(3 days)" in lane
    finished = html.partition('id="lane-5"')[2].partition('id="lane-6"')[0]
    assert "to be reviewed, for the instrument leader" in finished
    running = html.partition('id="lane-4"')[2].partition('id="lane-5"')[0]
    assert "Waits" not in running
    assert "Next beam" in running


def test_a_beamtime_that_is_over_waits_for_who_may_finish_it(
    facility: Facility, proposals: dict[str, Proposal]
) -> None:
    end = proposals["A"].beamtimes.get().end_at
    found = board.waits(proposals["A"], end + timedelta(days=2))
    assert found is not None
    assert (found.since, found.days) == (end, 2)
    assert found.who == "instrument staff"


def test_a_block_that_was_finished_sooner_is_over(
    facility: Facility, proposals: dict[str, Proposal]
) -> None:
    with time_machine.travel(proposals["A"].beamtimes.get().begin_at, tick=False):
        visitor = Visitor(facility.staff.user)
        assert "Beam now, until" in sound(visitor.get("/proposals/board?instrument=SPB")).text
        commands.finish(proposals["A"], by=facility.staff)
        text = sound(visitor.get("/proposals/board?instrument=SPB")).text
    assert "Beam now" not in text
    assert "Beam was" in text


def test_who_may_in_few_words_is_what_the_table_grants() -> None:
    assert board.who_may(words.PREPARE) == "instrument staff or the user office"
    assert board.who_may(words.OPERATE) == "instrument staff"
    assert board.who_may(words.REVIEW) == "the instrument leader"
    assert board.who_may(words.RELEASE) == "data managers"


def test_held_jobs_are_on_the_card(facility: Facility, proposals: dict[str, Proposal]) -> None:
    Job.objects.create(
        name="runs.migrate", lane="x", subject_type="runs.run", subject_id=1, proposal=900101,
        subject_label="x", after=BEGIN, created_at=BEGIN, asked_by="x", state="held", reason="disk",
    )  # fmt: skip
    seen = sound(Visitor(facility.staff.user).get("/proposals/board"))
    assert "1 job held" in seen.text
    assert "/jobs?proposal=900101&state=held" in seen.links


def test_the_board_is_narrowed_by_its_address(
    facility: Facility, proposals: dict[str, Proposal]
) -> None:
    other = InstrumentFactory(identifier="MID")
    CycleFactory(identifier="202602")
    commands.create(number=5, title="x", instrument=other, cycle=facility.cycle, by=facility.staff)
    visitor = Visitor(facility.staff.user)

    def shown(query: str) -> set[str]:
        links = sound(visitor.get(f"/proposals/board?{query}")).links
        return {x[11:17] for x in links if x.endswith("#moves")}

    assert "000005" not in shown("instrument=SPB&cycle=202601")
    assert shown("instrument=MID&cycle=") == {"000005"}
    assert shown("instrument=&cycle=202602") == set()
    assert len(shown("instrument=&cycle=202601")) == 6
    assert shown("instrument=NOWHERE") == set()
    assert shown("instrument=&waits=me") == {"000005", "900100", "900101", "900102"} | (
        {"900110"} if proposals["A"].beamtimes.get().end_at < BEGIN else set()
    )


def test_everybody_begins_at_their_own_instrument(
    facility: Facility, proposals: dict[str, Proposal]
) -> None:
    other = InstrumentFactory(identifier="MID")
    commands.create(number=5, title="x", instrument=other, cycle=facility.cycle, by=facility.staff)
    user = facility.person()
    Appointment.objects.create(user=user, role="local_contact", instrument=other)
    seen = sound(Visitor(user).get("/proposals/board"))
    assert "/proposals/000005#moves" in seen.links
    assert not any("9001" in link for link in seen.links)


def test_nobody_sees_more_there_than_elsewhere(
    facility: Facility, proposals: dict[str, Proposal]
) -> None:
    stranger = Visitor(facility.person())
    assert "No proposal that you may see is here." in sound(stranger.get("/proposals/board")).text
    leader = Visitor(proposals["F"].memberships.get().user)
    links = sound(leader.get("/proposals/board?instrument=SPB&cycle=202601")).links
    assert [x for x in links if x.endswith("#moves")] == [
        f"/proposals/{proposals['F'].number}#moves"
    ]


@pytest.mark.parametrize("role", ["data_manager", "local_contact", "user_office"])
def test_the_board_asks_as_often_for_many_as_for_few(facility: Facility, role: str) -> None:
    facility.proposal()
    visitor = Visitor(facility.person(role, instrument=role == "local_contact"))
    path = "/proposals/board?instrument=SPB&cycle=202601"
    few = queries_of(visitor, path)
    for _ in range(4):
        facility.proposal()
    assert queries_of(visitor, path) == few
    assert few <= 20
