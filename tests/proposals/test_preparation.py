"""Groups and folders of a beamtime: made, kept in step with the team, looked at, put right."""

from __future__ import annotations

import os
import stat
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from catalogue.ground import lifecycle
from catalogue.ground.lifecycle import schedule
from catalogue.ground.models import Entry, Job, User
from catalogue.ground.refusal import Refused
from catalogue.ports.directory import directory
from proposals import access, commands, content, preparing, upkeep, withdrawing
from proposals.models import Drift, FolderRule, GroupRule, Membership, Preparation, Proposal
from tests.catalogue.ports.directory.test_command import PROGRAM
from tests.factories import BEGIN, Facility
from tests.visiting import People, Visitor, queries_of, sound


@pytest.fixture
def groups(tmp_path: Path, settings) -> Path:
    """A directory of groups, behind a program that keeps them in a book."""
    book = tmp_path / "book.json"
    book.write_text("{}")
    program = tmp_path / "groups.py"
    program.write_text(PROGRAM.format(book=book))
    settings.DIRECTORY, settings.DIRECTORY_COMMAND = "command", [sys.executable, str(program)]
    return book


def members(proposal: Proposal) -> tuple[str, ...] | None:
    found = directory().look(f"x{proposal.number:06d}-dmgt")
    return found.members if found else None


def folder(facility: Facility, proposal: Proposal, name: str = "raw") -> Path:
    return Path(facility.stores["online"].mount) / proposal.path / name


def held(name: str) -> Job:
    return Job.objects.get(name=name, state="held")


def test_a_beamtime_is_prepared_with_group_and_folders(facility: Facility, groups: Path) -> None:
    proposal = facility.proposal(state="R", prepared=True)
    login = facility.leader.username
    assert members(proposal) == (login,)
    row = Preparation.objects.get()
    assert row.groups == [{"name": "x900100-dmgt", "number": 5000, "members": [login]}]
    told = Entry.objects.get(move="write group")
    assert told.facts["added"] == [login]
    assert stat.S_IMODE(folder(facility, proposal).stat().st_mode) == 0o2750
    if os.geteuid() == 0:
        assert folder(facility, proposal).stat().st_gid == 5000
        assert row.not_done == []
        assert not row.drifts.exists()
    else:
        assert any("chgrp 5000" in line for line in row.not_done)
        assert {d.what for d in row.drifts.all()} == {"group"}


def test_without_a_directory_it_says_so_and_goes_on(facility: Facility) -> None:
    proposal = facility.proposal(state="R", prepared=True)
    job = Job.objects.get(name="proposals.configure_directory")
    (told,) = job.result["not_done"]
    assert told.startswith("No directory is configured: the group x900100-dmgt")
    row = Preparation.objects.get(proposal=proposal)
    assert row.groups == []
    assert "No directory is configured" in row.notes[0]
    assert not row.drifts.exists()
    assert not Job.objects.filter(name=upkeep.RENEW).exists()


def test_where_the_facility_wants_it_what_is_left_holds_the_preparation(
    facility: Facility, settings
) -> None:
    settings.PREPARATION_INCOMPLETE = "hold"
    proposal = facility.proposal()
    commands.prepare(proposal, by=facility.staff)
    lifecycle.perform_due()
    proposal.refresh_from_db()
    assert proposal.state == "WLC"
    job = held("proposals.configure_directory")
    assert "left to do" in job.reason
    assert "No directory is configured" in job.evidence["left"][0]


def test_the_group_follows_the_team(facility: Facility, groups: Path) -> None:
    proposal = facility.proposal(state="R", prepared=True)
    leader, person = facility.leader.username, facility.person()
    member = commands.add_member(proposal, user=person, by=facility.staff)
    lifecycle.perform_due()
    assert members(proposal) == tuple(sorted((leader, person.username)))
    content.change_member(member, to={"data_access": 0}, by=facility.staff)
    lifecycle.perform_due()
    assert members(proposal) == (leader,)
    content.change_member(member, to={"data_access": 2}, by=facility.staff)
    content.remove_member(member, by=facility.staff)
    lifecycle.perform_due()
    assert members(proposal) == (leader,)
    told = [e.facts for e in Entry.objects.filter(move="write group").order_by("id")]
    assert [(f["added"], f["taken out"]) for f in told] == [
        ([leader], []), ([person.username], []), ([], [person.username]),
    ]  # fmt: skip


def test_whose_time_is_over_is_taken_out_by_the_clock(facility: Facility, groups: Path) -> None:
    with time_machine.travel(BEGIN, tick=False) as clock:
        proposal = facility.proposal(state="R", prepared=True)
        person, closed = facility.person(), facility.person()
        last = BEGIN.date() + timedelta(days=2)
        commands.add_member(proposal, user=person, until=last, by=facility.staff)
        commands.add_member(proposal, user=closed, by=facility.staff)
        lifecycle.perform_due()
        everybody = sorted((facility.leader.username, person.username, closed.username))
        assert members(proposal) == tuple(everybody)
        clock.shift(timedelta(days=2))
        assert schedule.sweep()["proposals.upkeep.renew_due"] == 0
        clock.shift(timedelta(days=1))
        User.objects.filter(pk=closed.pk).update(is_active=False)  # as another program does it
        assert schedule.sweep()["proposals.upkeep.renew_due"] == 1
        lifecycle.perform_due()
        assert members(proposal) == (facility.leader.username,)
        assert schedule.sweep()["proposals.upkeep.renew_due"] == 0


@pytest.mark.parametrize("end", ["cancel", "close", "withdraw"])
def test_when_it_is_over_nobody_has_access_by_its_group(
    facility: Facility, groups: Path, end: str
) -> None:
    proposal = facility.proposal(state="FR" if end == "close" else "R", prepared=True)
    if end == "cancel":
        commands.cancel(proposal, by=facility.staff, reason="no beam")
    elif end == "withdraw":
        foretold = withdrawing.explain_withdrawal(
            proposal, access.allowed_on(facility.staff, proposal)
        )
        assert upkeep.EMPTIED in [str(getattr(one, "text", one)) for one in foretold]
        withdrawing.withdraw(proposal, by=facility.staff, reason="entered twice")
    else:
        commands.close(proposal, by=facility.staff)
    lifecycle.perform_due()
    proposal.refresh_from_db()
    assert proposal.state == {"cancel": "C", "close": "CLO", "withdraw": "R"}[end]
    assert members(proposal) == ()


def test_a_plan_is_done_as_it_was_shown_or_not_at_all(facility: Facility, groups: Path) -> None:
    proposal = facility.proposal(state="R", prepared=True)
    place = folder(facility, proposal, "usr")
    place.chmod(0o700)
    upkeep.ask_to_look(proposal, by=facility.staff)
    lifecycle.perform_due()
    row = Preparation.objects.get()
    assert [(d.what, d.found, d.wanted) for d in row.drifts.filter(what="mode")] == [
        ("mode", "0700", "2770")
    ]
    since = row.drifts.get(what="mode").since
    folder(facility, proposal, "scratch").chmod(0o711)
    with pytest.raises(Refused, match="has changed since"):
        upkeep.ask_to_apply(proposal, digest="0" * 64, by=facility.staff)
    upkeep.ask_to_apply(proposal, digest=row.digest, by=facility.staff)
    lifecycle.perform_due()
    assert stat.S_IMODE(place.stat().st_mode) == 0o700, "the world is another: nothing is done"
    row.refresh_from_db()
    assert "nothing was done" in row.not_done[0]
    assert row.drifts.filter(what="mode").count() == 2
    assert row.drifts.get(what="mode", thing__endswith="usr").since == since
    upkeep.ask_to_apply(proposal, digest=row.digest, by=facility.staff)
    lifecycle.perform_due()
    assert stat.S_IMODE(place.stat().st_mode) == 0o2770
    assert not Drift.objects.filter(what="mode").exists()


def test_a_link_in_the_way_is_told_and_nothing_is_touched(
    facility: Facility, tmp_path: Path
) -> None:
    proposal = facility.proposal(state="R", prepared=True)
    place = folder(facility, proposal, "red")
    place.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    place.symlink_to(elsewhere)
    upkeep.ask_to_look(proposal, by=facility.staff)
    lifecycle.perform_due()
    assert "links are never followed" in " ".join(Preparation.objects.get().notes)
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700


def test_drift_is_found_on_a_schedule(facility: Facility, settings) -> None:
    with time_machine.travel(BEGIN, tick=False) as clock:
        proposal = facility.proposal(state="R", prepared=True)
        folder(facility, proposal).chmod(0o777)
        assert schedule.sweep()["proposals.upkeep.look_due"] == 0
        clock.shift(timedelta(hours=settings.DRIFT_HOURS + 1))
        assert schedule.sweep()["proposals.upkeep.look_due"] == 1
        assert schedule.sweep()["proposals.upkeep.look_due"] == 0
        lifecycle.perform_due()
    (drift,) = Drift.objects.all()
    assert (drift.place, drift.what, drift.found) == ("online", "mode", "0777")


def test_the_template_is_rows_that_staff_edit(facility: Facility) -> None:
    FolderRule.objects.create(store=facility.stores["offline"], path="usr/Shared", mode="2775",
                              group="")  # fmt: skip
    proposal = facility.proposal(state="R", prepared=True)
    shared = Path(facility.stores["offline"].mount) / proposal.path / "usr/Shared"
    assert stat.S_IMODE(shared.stat().st_mode) == 0o2775
    assert not (folder(facility, proposal, "usr") / "Shared").exists()


def test_a_group_rule_that_the_form_would_refuse_is_not_followed(
    facility: Facility, groups: Path
) -> None:
    """One group for all proposals would let each team read the data of every other."""
    proposal = facility.proposal(state="R", prepared=True)
    GroupRule.objects.create(name="everybody")
    commands.add_member(proposal, user=facility.person(), by=facility.staff)
    lifecycle.perform_due()
    assert "must hold {number}" in held(upkeep.RENEW).reason
    assert directory().look("everybody") is None
    assert members(proposal) == (facility.leader.username,)


def test_a_folder_rule_that_is_not_followed_keeps_nobody_in_a_group(
    facility: Facility, groups: Path
) -> None:
    with time_machine.travel(BEGIN, tick=False) as clock:
        proposal = facility.proposal(state="R", prepared=True)
        person, until = facility.person(), BEGIN.date()
        commands.add_member(proposal, user=person, until=until, by=facility.staff)
        lifecycle.perform_due()
        FolderRule.objects.create(path="../elsewhere", mode="2775")
        clock.shift(timedelta(days=1))
        assert schedule.sweep()["proposals.upkeep.renew_due"] == 1
        lifecycle.perform_due()
        assert members(proposal) == (facility.leader.username,)
        upkeep.ask_to_look(proposal, by=facility.staff)
        lifecycle.perform_due()
        assert "../elsewhere” cannot be followed: path" in held(upkeep.LOOK).reason


def test_who_is_in_the_group_is_who_has_access(facility: Facility) -> None:
    """The one rule of who may read the data, and the one of who is in the group, agree."""
    proposal = facility.proposal()
    day = access.today()
    for until in (None, day, day - timedelta(days=1)):
        for team_until in (None, day, day - timedelta(days=1)):
            Proposal.objects.filter(pk=proposal.pk).update(team_until=team_until)
            proposal.refresh_from_db()
            person = facility.person()
            commands.add_member(proposal, user=person, until=until, by=facility.staff)
            member = Membership.objects.select_related("user").get(user=person)
            from catalogue.ground.actor import Actor  # why: only here

            roles = access.held_on(Actor.of(person, face="page"), proposal)
            assert preparing.has_access(member, proposal, day) == bool(roles)


def test_the_pages(facility: Facility, groups: Path) -> None:
    proposal = facility.proposal(state="R", prepared=True)
    people = People(facility, proposal)
    staff = Visitor(people.local_contact)
    page = f"/proposals/{proposal.number:06d}/preparation"
    sound(staff.get(page))
    folder(facility, proposal, "usr").chmod(0o700)
    staff.post(f"{page}/look")
    assert "A worker is at it" in staff.get(page)
    lifecycle.perform_due()
    html = staff.get(page)
    sound(html)
    assert "chmod 2770" in html
    listed = Visitor(people.data_manager).get("/proposals/drift")
    sound(listed)
    assert "0700" in listed
    assert "0700" not in Visitor(people.stranger).get("/proposals/drift")
    assert "Apply the plan" in html
    staff.post(f"{page}/apply", 409, plan="0" * 64)
    staff.post(f"{page}/apply", plan=Preparation.objects.get().digest)
    lifecycle.perform_due()
    assert stat.S_IMODE(folder(facility, proposal, "usr").stat().st_mode) == 0o2770
    for other in (people.principal, people.reader, people.auditor):
        Visitor(other).get(page, 403)
        Visitor(other).post(f"{page}/look", 403)
        Visitor(other).post(f"{page}/apply", 403, plan="")
    Visitor(people.stranger).get(page, 404)


# path (n: the proposal) -> queries, with session, person and rights included
FROZEN = {"/proposals/{n}/preparation": 15, "/proposals/drift": 6}


def test_many_differences_take_as_many_queries_as_few(facility: Facility, groups: Path) -> None:
    """The numbers are frozen: one that grows is looked at, not raised."""
    proposal = facility.proposal(state="R", prepared=True)
    staff = Visitor(facility.staff.user)
    paths = {path: path.format(n=proposal.number) for path in FROZEN}

    def differ(*names: str) -> dict[str, int]:
        for name in names:
            folder(facility, proposal, name).chmod(0o700)
        staff.post(f"/proposals/{proposal.number}/preparation/look")
        lifecycle.perform_due()
        return {path: queries_of(staff, real) for path, real in paths.items()}

    few = differ("usr")
    assert differ("scratch", "proc", "red") == few
    assert Drift.objects.count() >= 4
    assert few == FROZEN
