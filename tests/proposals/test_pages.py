"""The pages of proposals: what is offered to whom, moves made and refused, the team, the list."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import clock, lifecycle
from proposals import commands
from proposals.models import Proposal
from tests.factories import BEGIN, Facility
from tests.visiting import People, Visitor, queries_of, sound

NOW = BEGIN + timedelta(hours=1)


@pytest.fixture
def staff(facility: Facility) -> Visitor:
    return Visitor(facility.staff.user)


def buttons(html: str) -> dict[str, bool]:
    """Verb on a button -> whether it may be pressed."""
    found = {}
    for part in html.split("<button")[1:]:
        tag, _, rest = part.partition(">")
        found[rest.partition("<")[0].strip()] = "disabled" not in tag
    return found


def test_a_new_proposal_says_what_it_lacks_beside_the_button(
    facility: Facility, staff: Visitor
) -> None:
    proposal = commands.create(
        number=900500, title="Bare", instrument=facility.instrument, cycle=facility.cycle,
        by=facility.staff,
    )  # fmt: skip
    html = staff.get("/proposals/900500")
    assert buttons(html)["Prepare beamtime"] is False
    assert "It has no beamtime yet: enter its dates first." in sound(html).text
    refused = staff.post("/proposals/900500/moves/prepare", 409).content.decode()
    assert "It has no beamtime yet" in sound(refused).text
    proposal.refresh_from_db()
    assert proposal.state == "N"


def test_preparation_from_the_page_to_ready(facility: Facility, staff: Visitor) -> None:
    proposal = facility.proposal()
    path = f"/proposals/{proposal.number:06d}"
    html = staff.get(path)
    assert buttons(html)["Prepare beamtime"] is True
    assert "folders are made in online, offline" in html
    said = staff.said(f"{path}/moves/prepare")
    assert "is now: waiting for LDAP configuration." in sound(said).text
    lifecycle.perform_due()
    waiting = sound(staff.get(path)).text
    assert "The DAQ program reports here" in waiting
    assert "No directory is configured" in waiting, "what preparation could not do"
    proposal.refresh_from_db()
    commands.confirm_daq(proposal, configuration={"writers": 16}, by=facility.daq)
    assert "16" in staff.get(path)
    assert "is now: ready." in staff.said(f"{path}/moves/declare-ready")


def test_programs_moves_are_no_buttons(facility: Facility, staff: Visitor) -> None:
    path = f"/proposals/{facility.proposal().number}"
    for name in ("adopt", "confirm-daq", "nonsense"):
        staff.post(f"{path}/moves/{name}", 404)


def test_cancelling_needs_a_reason_and_keeps_what_was_typed(
    facility: Facility, staff: Visitor
) -> None:
    proposal = facility.proposal()
    path = f"/proposals/{proposal.number}/moves/cancel"
    empty = staff.post(path, 422, **{"cancel-reason": "  "}).content.decode()
    assert "This field is required." in sound(empty).text
    assert "<details open" in empty
    said = staff.said(path, **{"cancel-reason": "The sample did not grow."})
    assert "is now: cancelled." in sound(said).text
    history = sound(staff.get(f"/proposals/{proposal.number}/history")).text
    assert "“The sample did not grow.”" in history
    assert "(it stands here)" in said


def test_a_reader_is_told_who_may_make_the_move(facility: Facility) -> None:
    proposal = facility.proposal(state="A")
    people = People(facility, proposal)
    visitor = Visitor(people.reader)
    html = visitor.get(f"/proposals/{proposal.number}")
    assert "Pause" not in buttons(html)
    assert "To start, pause and finish the beamtime is for the local contact" in html
    refused = visitor.post(f"/proposals/{proposal.number}/moves/pause", 403).content.decode()
    sound(refused)
    proposal.refresh_from_db()
    assert proposal.state == "A"


def test_pausing_offers_the_way_back(facility: Facility) -> None:
    proposal = facility.proposal(state="A")
    visitor = Visitor(People(facility, proposal).local_contact)
    assert buttons(visitor.said(f"/proposals/{proposal.number}/moves/pause"))["Activate"] is True


def test_two_moves_at_once_one_is_refused_with_the_state_of_now(
    facility: Facility, staff: Visitor
) -> None:
    proposal = facility.proposal(state="A")
    path = f"/proposals/{proposal.number}/moves/pause"
    staff.post(path)
    assert "is idle" in staff.post(path, 409).content.decode()


def test_release_takes_two_people_and_a_review(facility: Facility, staff: Visitor) -> None:
    with time_machine.travel(NOW, tick=False):
        proposal = facility.proposal(state="F")
        path = f"/proposals/{proposal.number}"
        assert "Release early" not in staff.get(path), "not before the review"
        review = staff.get(path)
        assert "runs without assessment: 0" in review, "the checklist stands beside the button"
        staff.post(f"{path}/moves/review")
        assert buttons(staff.get(path))["Release early"] is False
        assert "needs the consent of the principal investigator" in staff.get(path)
        said = Visitor(facility.leader).said(f"{path}/moves/consent")
        assert "consent to early release" in said
        staff.post(f"{path}/moves/release-early")
    proposal.refresh_from_db()
    assert proposal.access == "open"


def test_postponing_counts_days_in_the_facilitys_zone(facility: Facility, staff: Visitor) -> None:
    with time_machine.travel(NOW, tick=False):
        proposal = facility.proposal(state="FR")
        path = f"/proposals/{proposal.number}/moves/postpone"
        past = {"postpone-until": "2026-01-01", "postpone-reason": "a thesis"}
        assert "must lie in the future" in staff.post(path, 409, **past).content.decode()
        staff.post(path, 422, **{"postpone-until": "soon", "postpone-reason": "a thesis"})
        staff.post(path, **{"postpone-until": "2031-06-01", "postpone-reason": "a thesis"})
    proposal.refresh_from_db()
    assert proposal.release_at is not None
    local = proposal.release_at.astimezone(clock.facility_zone())
    assert (local.year, local.month, local.day, local.hour) == (2031, 6, 1, 0)


def test_the_team_is_managed_by_its_leader(facility: Facility) -> None:
    proposal = facility.proposal()
    people = People(facility, proposal)
    path = f"/proposals/{proposal.number}/team"
    leader = Visitor(people.principal)
    form = {"login": people.stranger.username, "role": "member", "data_access": "2", "until": ""}
    assert people.stranger.full_name in leader.said(f"{path}/add", **form)
    assert proposal.memberships.get(user=people.stranger).data_access == 2
    for wrong in ({"login": "nobody"}, {"role": "pi"}, {"data_access": "9"}, {"until": "soon"}):
        refused = leader.post(f"{path}/add", 422, **(form | wrong)).content.decode()
        assert "errorlist" in refused
        sound(refused)
    reader = Visitor(people.reader)
    assert "Put into the team" not in reader.get(path)
    reader.post(f"{path}/add", 403, **form)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"900100", "900101", "900102"}),
        ("q=900101", {"900101"}),
        ("q=p900101", {"900101"}),
        ("q=Study", {"900100", "900101", "900102"}),
        ("q=%00", set()),  # said to be wrong beside the field
        ("phase=running", {"900102"}),
        ("phase=preparing", {"900100", "900101"}),
        ("phase=nonsense", set()),
        ("kind=test", set()),
        ("access=embargoed&page=99999", {"900100", "900101", "900102"}),
        ("sort=title", {"900100", "900101", "900102"}),
        ("sort=password", {"900100", "900101", "900102"}),
    ],
)
def test_the_list_is_narrowed_by_its_address(
    facility: Facility, staff: Visitor, query: str, found: set[str]
) -> None:
    for state in ("N", "N", "A"):
        facility.proposal(state=state)
    html = staff.get(f"/proposals?{query}")
    sound(html)
    shown = {n for n in ("900100", "900101", "900102") if f"/proposals/{n}" in html}
    assert shown == found


# path (n: the proposal) -> queries, with session, person and rights included
FROZEN = {
    "/": 28,
    "/proposals": 10,  # of them: which places the reader's offices open, and who may make new ones
    "/proposals/{n}": 18,
    "/proposals/{n}/team": 8,
    "/proposals/{n}/history": 13,
}


def test_many_rows_take_as_many_queries_as_few(facility: Facility, staff: Visitor) -> None:
    """The numbers are frozen: one that grows is looked at, not raised."""
    first = facility.proposal(state="R")
    facility.proposal(state="R")
    commands.add_member(first, user=facility.person(), by=facility.staff)
    paths = {path: path.format(n=first.number) for path in FROZEN}
    few = {path: queries_of(staff, real) for path, real in paths.items()}
    for n in range(8):
        facility.proposal(state="R" if n < 3 else "N")
        commands.add_member(first, user=facility.person(), by=facility.staff)
    assert {path: queries_of(staff, real) for path, real in paths.items()} == few
    assert few == FROZEN


def test_the_list_is_shown_by_the_page(facility: Facility, staff: Visitor) -> None:
    for number in range(52):
        commands.create(
            number=number, title=f"Study {number}", instrument=facility.instrument,
            cycle=facility.cycle, by=facility.staff,
        )  # fmt: skip
    first, second = staff.get("/proposals?sort=number"), staff.get("/proposals?sort=number&page=2")
    assert "1–50 of 52" in first
    assert "/proposals/000049" in first
    assert "/proposals/000051" not in first
    assert "/proposals/000051" in second
    assert Proposal.objects.count() == 52
