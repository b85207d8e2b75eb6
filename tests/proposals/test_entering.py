"""Entering proposals: the dry run tells what the import does, all or nothing, and again changes
nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from catalogue.ground import clock
from catalogue.ground.actor import Actor
from catalogue.ground.models import Entry, Job
from catalogue.ground.refusal import Refused
from proposals import entering
from proposals.entering import Line, Report
from proposals.models import Beamtime, Membership, Proposal
from tests.factories import BEGIN, CycleFactory, Facility, InstrumentFactory


def rows(*given: dict[str, str]) -> list[Line]:
    base = {"title": "A study", "instrument": "SPB", "cycle": "202601"}
    return [Line(n, {**base, **cells}) for n, cells in enumerate(given, start=2)]


def moment(days: float) -> str:
    local = (BEGIN + timedelta(days=days)).astimezone(clock.facility_zone())
    return local.strftime("%Y-%m-%d %H:%M")


def enter(by: Actor, *given: dict[str, str], dry: bool = False, **named: bool) -> Report:
    return entering.enter(rows(*given), by=by, dry=dry, source="round.csv", **named)


def world() -> tuple[int, ...]:
    tables = (Proposal, Beamtime, Membership, Entry, Job)
    return tuple(table.objects.count() for table in tables)


def beam(begin: float, end: float) -> dict[str, str]:
    return {"beamtime_begin": moment(begin), "beamtime_end": moment(end)}


def columns(report: Report, at: int = 0) -> list[str]:
    return [p.column for p in report.lines[at].problems]


def test_a_sheet_is_entered_by_the_verbs_and_told(facility: Facility) -> None:
    ada = facility.person()
    done = enter(
        facility.staff,
        {"number": "900300", "leader": ada.username, **beam(0, 3)},
        {
            "number": "p900301",
            "leader": ada.email.upper(),
            "kind": "test",
            "derived_from": "900300",
        },
        {"number": "900300", "leader": ada.username, **beam(10, 12)},
    )
    assert done.kept
    assert [line.did for line in done.lines] == ["made", "made", "added"]
    first, second = (Proposal.objects.get(number=n) for n in (900300, 900301))
    assert first.beamtimes.count() == 2
    assert first.memberships.get(role="pi").user == ada
    assert (second.kind, second.derived_from) == ("test", first)
    told = set(Entry.objects.filter(proposal=900300).values_list("move", flat=True))
    assert told == {"create", "add beamtime", "add member", "import"}
    imported = Entry.objects.get(proposal=900301, move="import")
    assert imported.facts == {"file": "round.csv", "line": 3}


def test_a_dry_run_tells_the_same_and_leaves_nothing(facility: Facility) -> None:
    facility.proposal(number=900100)
    given = (
        {"number": "900300", **beam(20, 22)},
        {"number": "900301", **beam(21, 23)},
        {"number": "900302", "leader": "nobody"},
        {"number": "900100", "title": "Study 900100"},
        {"number": "x"},
    )
    before = world()
    tried = enter(facility.staff, *given, dry=True)
    assert world() == before
    done = enter(facility.staff, *given)
    assert world() == before
    assert not tried.kept
    assert not done.kept
    assert tried.lines == done.lines
    assert [line.did for line in tried.lines] == ["made", "refused", "refused", "there", "refused"]
    assert "is given to proposal 900300" in tried.lines[1].problems[0].rule


def test_one_bad_line_refuses_all(facility: Facility) -> None:
    before = world()
    done = enter(facility.staff, {"number": "900300"}, {"number": "900301", "cycle": "190001"})
    assert (done.made, done.refused, done.kept) == (1, 1, False)
    assert columns(done, 1) == ["cycle"]
    assert world() == before


def test_sent_again_nothing_changes(facility: Facility) -> None:
    given = (
        {"number": "900300", "leader": facility.person().username, **beam(0, 3), "kind": "user"},
        {"number": "900301", "abstract": "Words\nand lines", "metadata_public": "no"},
    )
    enter(facility.staff, *given)
    before = world()
    done = enter(facility.staff, *given)
    assert done.kept
    assert [line.did for line in done.lines] == ["there", "there"]
    assert world() == before


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("title", "another"),
        ("kind", "test"),
        ("abstract", "other words"),
        ("metadata_public", "no"),
        ("leader", "somebody"),
        ("beamtime_begin", ""),
        ("instrument", "MID"),
        ("cycle", "202602"),
        ("derived_from", "900100"),
    ],
)
def test_what_is_there_otherwise_is_a_conflict_that_names_it(
    facility: Facility, column: str, said: str
) -> None:
    InstrumentFactory(identifier="MID")
    CycleFactory(identifier="202602")
    facility.proposal(number=900100)
    other = facility.person()
    given = {"number": "900300", "leader": facility.person().username, **beam(20, 23)}
    enter(facility.staff, given)
    change = {column: other.username if said == "somebody" else said}
    if column == "beamtime_begin":
        change = beam(30, 31)
    before = world()
    done = enter(facility.staff, given | change)
    assert columns(done) == [column]
    assert "there is already p900300, with: " in done.lines[0].problems[0].rule
    assert world() == before


def test_all_that_is_wrong_with_a_line_is_told_at_once(facility: Facility) -> None:
    facility.proposal(number=900100)
    done = enter(
        facility.staff,
        {"number": "1000000", "title": "", "kind": "guest"},
        {"number": "900300", "cycle": "x", "leader": "nobody", "derived_from": "5"},
        {"number": "900301", **beam(1, 2), "leader": "nobody"},
    )
    assert columns(done, 0) == ["number", "title", "kind"]
    assert columns(done, 1) == ["cycle", "leader", "derived_from"]
    assert columns(done, 2) == ["leader"]


def test_beam_of_others_is_not_given_away(facility: Facility) -> None:
    facility.proposal(number=900100)
    user = enter(facility.staff, {"number": "900300", **beam(1, 2)})
    assert columns(user) == ["beamtime_begin"]
    assert not user.lines[0].confirmable
    given = {"number": "900300", "kind": "commissioning", **beam(1, 2)}
    refused = enter(facility.staff, given)
    assert refused.lines[0].confirmable
    assert enter(facility.staff, given, despite_overlap=True).kept
    backwards = enter(facility.staff, {"number": "900301", **beam(40, 39)})
    assert columns(backwards) == ["beamtime_end"]


def test_who_may_make_proposals_where(facility: Facility) -> None:
    InstrumentFactory(identifier="MID")
    local = Actor.of(facility.person("local_contact", instrument=True), face="page")
    office = Actor.of(facility.person("user_office"), face="page")
    here, there = {"number": "900300"}, {"number": "900301", "instrument": "MID"}
    assert columns(enter(local, there)) == ["instrument"]
    assert enter(local, here).kept
    assert enter(office, there).kept
    for role in ("", "auditor"):
        with pytest.raises(Refused, match="Proposals are made by"):
            enter(Actor.of(facility.person(role), face="page"), here)


def test_who_may_not_see_a_proposal_is_not_told_what_it_is(facility: Facility) -> None:
    """A local contact knows those of the own instrument, and that a number is taken."""
    InstrumentFactory(identifier="MID")
    enter(facility.staff, {"number": "900300", "instrument": "MID", "title": "Secret"})
    local = Actor.of(facility.person("local_contact", instrument=True), face="page")
    (line,) = enter(local, {"number": "900300"}).lines
    assert [p.rule for p in line.problems] == ["there is already a proposal 900300"]
    (line,) = enter(local, {"number": "900301", "derived_from": "900300"}).lines
    assert [p.rule for p in line.problems] == ["you may see no proposal of this number"]


def test_a_line_that_is_taken_back_leaves_its_number_to_another(facility: Facility) -> None:
    done = enter(
        facility.staff,
        {"number": "900300", **beam(5, 4)},
        {"number": "900300", **beam(4, 5)},
        dry=True,
    )
    assert [line.did for line in done.lines] == ["refused", "made"]
