"""My work, jobs and storage: what waits for whom, what can be done about it, what lies where."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from catalogue.ground import clock, lifecycle
from catalogue.ground.actor import Actor
from catalogue.ground.models import Approval, Job
from policies import commands as policies
from proposals import commands, withdrawing
from proposals.models import Proposal
from runs import commands as run_commands
from runs.models import Run
from tests.factories import Facility
from tests.visiting import People, Visitor, queries_of, sound


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    facility.policy()
    return facility.proposal(state="A", calibrates_by_itself=False)


@pytest.fixture
def people(facility: Facility, proposal: Proposal) -> People:
    return People(facility, proposal)


@pytest.fixture
def held(facility: Facility, proposal: Proposal) -> Job:
    """A copy that is held because a byte of the run differs."""
    run = facility.run(proposal)
    victim = min(facility.raw_folder(run).iterdir())
    victim.write_bytes(b"x" * victim.stat().st_size)
    run_commands.assess(run, quality="good", by=facility.staff)
    lifecycle.perform_due()
    return Job.objects.get(state="held")


def test_my_work_tells_everybody_what_waits_for_them(
    facility: Facility, proposal: Proposal, people: People, held: Job
) -> None:
    facility.run(proposal)
    finished = facility.proposal(state="F", kind="commissioning")
    new = facility.proposal()
    worker = sound(Visitor(people.worker).get("/"))
    assert f"/proposals/{proposal.number}/runs?quality=none" in worker.links
    assert f"/jobs/{held.pk}" in worker.links
    assert f"/proposals/{proposal.number}/runs" in worker.links, "the beamtime that runs now"
    reader = sound(Visitor(people.reader).get("/"))
    assert f"/proposals/{proposal.number}/runs?quality=none" not in reader.links
    office = sound(Visitor(people.user_office).get("/"))
    assert f"/proposals/{new.number}#moves" in office.links
    assert f"/proposals/{finished.number}#moves" not in office.links
    leader = sound(Visitor(people.leader_of_instrument).get("/"))
    assert f"/proposals/{finished.number}#moves" in leader.links
    assert "to be reviewed" in leader.text
    stranger = sound(Visitor(people.stranger).get("/")).text
    assert proposal.folder not in stranger
    assert stranger.count("None.") == 5, "each part says what belongs there"


def asked(proposal: Proposal, leader: Actor, *, by: Actor) -> Approval:
    """A request to lift a hold, which takes a second person."""
    hold = policies.hold(proposal, reason="an audit", by=leader)
    return policies.ask_to_lift(hold, by=by, reason="the audit is over")


def test_what_takes_two_waits_for_who_may_agree(
    facility: Facility, proposal: Proposal, people: People
) -> None:
    leader = Actor.of(people.principal, face="page")
    address = f"/approvals#approval-{asked(proposal, leader, by=facility.staff).pk}"
    for user in (people.principal, people.worker, people.local_contact, people.data_manager):
        home = sound(Visitor(user).get("/"))
        assert address in home.links
        assert "“the audit is over”" in home.text
    for user in (facility.staff.user, people.reader, people.auditor, people.stranger):
        assert "Waits for you to agree" not in Visitor(user).get("/")


HOME_QUERIES = 30
"""Of the first page, however much waits there: frozen."""


def test_my_work_asks_the_database_as_often_for_much_as_for_little(
    facility: Facility, proposal: Proposal, people: People
) -> None:
    def grow(times: int) -> None:
        for _ in range(times):
            facility.run(proposal)
            run = facility.run(proposal)
            run_commands.assess(run, quality="not_interesting", by=facility.staff)
            other = facility.proposal(state="F", kind="commissioning")
            commands.add_member(other, user=people.worker, data_access=2, by=facility.staff)
            asked(other, Actor.of(facility.leader, face="page"), by=facility.staff)
        lifecycle.perform_due()

    grow(1)
    few = [queries_of(Visitor(w), "/") for w in (people.worker, people.data_manager)]
    grow(3)
    many = [queries_of(Visitor(w), "/") for w in (people.worker, people.data_manager)]
    assert many == few
    assert max(many) <= HOME_QUERIES


def test_my_work_says_since_when_and_what_will_go_and_open(
    facility: Facility, proposal: Proposal, people: People
) -> None:
    run = facility.run(proposal)
    run_commands.assess(run, quality="not_interesting", by=facility.staff)
    facility.run(proposal)
    lifecycle.perform_due()
    seen = sound(Visitor(people.worker).get("/"))
    words = " ".join(seen.text.split())
    assert "1 copy, 3.0 kB, the first on" in words
    assert "/proposals/900100/holds" in seen.links, "where they can be kept"
    assert re.search(r"Study 900100 since \d", words)
    reader = " ".join(sound(Visitor(people.reader).get("/")).text.split())
    assert "1 copy, 3.0 kB" not in reader, "who may not hold data cannot act on it"
    soon = clock.now() + timedelta(days=60)
    Proposal.objects.filter(pk=proposal.pk).update(state="FR", release_at=soon)
    assert "/proposals/900100#moves" in sound(Visitor(people.reader).get("/")).links
    assert "Embargo ends" in sound(Visitor(people.stranger).get("/")).text
    assert "/proposals/900100#moves" not in sound(Visitor(people.stranger).get("/")).links


def test_what_was_withdrawn_waits_for_nobody_and_says_so(
    facility: Facility, proposal: Proposal, people: People
) -> None:
    run, _ = facility.run(proposal), facility.run(proposal)
    commands.pause(proposal, by=facility.staff)
    visitor = Visitor(people.worker)
    address = f"/proposals/{proposal.number}/runs"
    assert {address, f"{address}?quality=none"} <= set(sound(visitor.get("/")).links)
    for path in ("/", "/proposals", f"/search?q={proposal.number}", f"{address}/0001"):
        assert "Withdrawn" not in sound(visitor.get(path)).text, path
    run_commands.withdraw(run, by=facility.staff, reason="the shutter was closed")
    for path in (address, f"{address}/0001", f"/search?q={proposal.number}+r1"):
        assert "Withdrawn" in sound(visitor.get(path)).text, path
    withdrawing.withdraw(proposal, by=facility.staff, reason="entered twice")
    home = sound(visitor.get("/"))
    assert not {address, f"{address}?quality=none"} & set(home.links)
    for path in ("/", "/proposals", f"/search?q=p{proposal.number}"):
        assert "Withdrawn" in sound(visitor.get(path)).text, path


def test_agreed_release_waits_for_those_who_may_release(facility: Facility) -> None:
    proposal = facility.proposal(state="FR")
    staff = Visitor(facility.staff.user)
    assert "early release is agreed" not in staff.get("/")
    Visitor(facility.leader).post(f"/proposals/{proposal.number}/moves/consent")
    assert "early release is agreed: to be released" in staff.get("/")
    assert "early release is agreed" not in Visitor(facility.leader).get("/")


def test_a_held_job_says_why_who_and_by_what_evidence(held: Job, people: People) -> None:
    reader = Visitor(people.reader)
    seen = sound(reader.get(f"/jobs/{held.pk}"))
    assert "sha256 in the catalogue is" in seen.text
    assert str(held.evidence["expected"]) in seen.text
    assert str(held.evidence["found"]) in seen.text
    assert "when a data manager has put right what stopped it" in seen.text
    assert "/proposals/900100/runs/0001" in seen.links
    assert "To hold, retry and cancel jobs is for the local contact" in seen.text


def test_who_may_not_touch_jobs_is_refused_on_the_page(held: Job, people: People) -> None:
    for who in (people.reader, people.worker, people.auditor):
        for act in ("retry", "cancel"):
            html = Visitor(who).post(f"/jobs/{held.pk}/{act}", 403, reason="mine").content.decode()
            sound(html)
    held.refresh_from_db()
    assert held.state == "held"


def test_a_held_job_is_let_go_again(
    facility: Facility, proposal: Proposal, held: Job, people: People
) -> None:
    staff = Visitor(people.local_contact)
    facility.write(Run.objects.get(proposal=proposal))
    said = staff.said(f"/jobs/{held.pk}/retry", reason="the byte was put back")
    assert "Copy to offline storage: it waits for a worker now." in sound(said).text
    assert "“the byte was put back”" in said
    lifecycle.perform_due()
    assert "Done" in sound(staff.get(f"/jobs/{held.pk}")).text
    refused = staff.post(f"/jobs/{held.pk}/retry", 409).content.decode()
    assert "is done; “Retry” is possible from held." in sound(refused).text


def test_cancelling_a_job_needs_a_reason(held: Job, people: People) -> None:
    staff = Visitor(people.data_manager)
    refused = staff.post(f"/jobs/{held.pk}/cancel", 422, reason=" ").content.decode()
    assert "“Cancel” needs a reason." in sound(refused).text
    staff.post(f"/jobs/{held.pk}/cancel", 422, reason="nul \x00")
    staff.post(f"/jobs/{held.pk}/cancel", 422, reason="x" * 2001)
    said = staff.said(f"/jobs/{held.pk}/cancel", reason="not wanted any more")
    assert "the job is cancelled." in sound(said).text


def test_an_open_job_page_looks_again_by_itself_a_done_one_does_not(
    held: Job, people: People
) -> None:
    visitor = Visitor(people.reader)
    done = Job.objects.filter(state="done").first()
    waiting = Job.objects.filter(state="waiting").first()
    assert done is not None
    assert "hx-trigger" not in visitor.get(f"/jobs/{done.pk}")
    part = visitor.get(f"/jobs/{held.pk}", htmx=True)
    assert part.strip().startswith('<div id="job"')
    if waiting is not None:
        assert 'hx-trigger="every 2s"' in visitor.get(f"/jobs/{waiting.pk}")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=held", True),
        ("state=open", True),
        ("state=done", False),
        ("name=runs.migrate", True),
        ("name=runs.archive", False),
        ("proposal=900100", True),
        ("proposal=1", False),
        ("proposal=-1", False),
        ("proposal=nonsense", False),
        ("q=sha256", True),
        ("q=nothing+of+the+kind", False),
        ("sort=-created_at", True),
        ("sort=nonsense&page=x", True),
    ],
)
def test_jobs_are_narrowed_by_their_address(
    held: Job, people: People, query: str, found: bool
) -> None:
    links = sound(Visitor(people.reader).get(f"/jobs?{query}")).links
    assert (f"/jobs/{held.pk}" in links) is found


def test_storage_counts_only_what_the_reader_may_see(
    facility: Facility, proposal: Proposal, people: People
) -> None:
    facility.run(proposal, files=2, size=1500)
    assert "3.0 kB" in Visitor(people.reader).get("/storage")
    stranger = sound(Visitor(people.stranger).get("/storage")).text
    assert "3.0 kB" not in stranger
    assert "0 B" in stranger


def test_storage_tells_what_goes_when_and_why(
    facility: Facility, proposal: Proposal, people: People
) -> None:
    run = facility.run(proposal)
    run_commands.assess(run, quality="not_interesting", by=facility.staff)
    lifecycle.perform_due()
    seen = sound(Visitor(people.reader).get("/storage"))
    assert "/proposals/900100/runs/0001" in seen.links
    assert "Data that are not interesting need not be kept." in seen.text
    assert "Scheduled for removal" in seen.text
    other = commands.create(
        number=1, title="x", instrument=facility.instrument, cycle=facility.cycle,
        by=facility.staff,
    )  # fmt: skip
    assert other.folder not in seen.text
