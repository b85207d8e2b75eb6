"""Jobs: acting on many at once, the log of one, and how they went over time."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
import time_machine

from catalogue.ground import clock
from catalogue.ground.actor import Actor
from catalogue.ground.lifecycle import Refused, explain
from catalogue.ground.models import Job, JobAttempt
from proposals import job_lists
from proposals.models import Proposal
from tests.factories import BEGIN, Facility
from tests.visiting import People, Visitor, queries_of, sound


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    return facility.proposal()


@pytest.fixture
def people(facility: Facility, proposal: Proposal) -> People:
    return People(facility, proposal)


def make(proposal: Proposal, state: str = "held", **named: object) -> Job:
    number = Job.objects.count()
    return Job.objects.create(
        **{
            "name": "runs.migrate", "lane": f"lane {number}", "subject_type": "proposals.proposal",
            "subject_id": proposal.pk, "subject_label": f"thing {number}", "asked_by": "a <b>",
            "proposal": proposal.number, "after": BEGIN, "created_at": BEGIN, "state": state,
            "reason": "The disk is full." if state == "held" else "",
            "who": "data manager" if state == "held" else "",
            **named,
        }
    )  # fmt: skip


def attempt(job: Job, end: str, ended: object = None, **named: object) -> JobAttempt:
    at = ended or clock.now()
    return JobAttempt.objects.create(
        job=job, claim=f"claim {JobAttempt.objects.count()}", began_at=at - timedelta(seconds=70),
        ended_at=at if end else None, end=end, **named,
    )  # fmt: skip


def states() -> list[str]:
    return list(Job.objects.order_by("pk").values_list("state", flat=True))


def test_many_are_retried_each_with_its_own_outcome(proposal: Proposal, people: People) -> None:
    held, done, waiting = (make(proposal, s) for s in ("held", "done", "waiting"))
    staff = Visitor(people.local_contact)
    ids = [held.pk, done.pk, waiting.pk]
    html = staff.post("/jobs/act", 200, act="retry", job=ids, reason="space made").content.decode()
    seen = sound(html)
    assert "waits for a worker now" in seen.text
    assert "is done; “Retry” is possible from held." in seen.text
    assert states() == ["waiting", "done", "waiting"]
    again = staff.post("/jobs/act", 409, act="retry", job=ids).content.decode()
    assert sound(again).text.count("is possible from held") == 3
    assert f"value='{waiting.pk}' checked" in again, "what was refused stays picked"


def test_holding_and_cancelling_many_needs_a_reason(proposal: Proposal, people: People) -> None:
    rows = [make(proposal, "waiting") for _ in range(3)]
    staff = Visitor(people.data_manager)
    ids = [row.pk for row in rows]
    for act, word in (("hold", "Hold"), ("cancel", "Cancel")):
        refused = staff.post("/jobs/act", 409, act=act, job=ids, reason=" ").content.decode()
        assert sound(refused).text.count(f"“{word}” needs a reason.") == 3
    staff.post("/jobs/act", 200, act="hold", job=ids[:2], reason="night <b>")
    assert states() == ["held", "held", "waiting"]
    staff.post("/jobs/act", 200, act="retry", job=ids[:1])
    staff.post("/jobs/act", 200, act="cancel", job=ids, reason="not wanted")
    assert states() == ["cancelled"] * 3


def test_all_that_the_address_shows_are_acted_on(proposal: Proposal, people: People) -> None:
    for _ in range(60):
        make(proposal)
    other = make(proposal, name="runs.archive")
    staff = Visitor(people.data_manager)
    staff.post("/jobs/act?state=held&name=runs.migrate", 200, act="retry", all="yes")
    assert list(Job.objects.filter(state="held")) == [other]


@pytest.mark.parametrize(
    "fields",
    [
        {"act": "retry"},
        {"act": "retry", "job": ["x", "-1", "9" * 40, "9" * 5000]},
        {"act": "retry", "job": "0"},
    ],
)
def test_nothing_picked_is_said(people: People, fields: dict[str, object]) -> None:
    html = Visitor(people.data_manager).post("/jobs/act", 409, **fields).content.decode()
    assert "No job was picked. Nothing was done." in sound(html).text


def test_an_unknown_act_is_refused(people: People) -> None:
    Visitor(people.data_manager).post("/jobs/act", 422, act="delete")
    Visitor(people.data_manager).post("/jobs/act", 422, act="retry", reason="nul \x00")


def test_who_may_act_on_which(facility: Facility, proposal: Proposal, people: People) -> None:
    job = make(proposal)
    for who in (people.data_manager, people.local_contact, people.leader_of_instrument):
        assert f"value='{job.pk}'" in Visitor(who).get("/jobs")
    for who in (people.reader, people.worker, people.principal, people.auditor, people.user_office):
        visitor = Visitor(who)
        seen = sound(visitor.get("/jobs"))
        assert "To hold, retry and cancel jobs is for the local contact" in seen.text
        assert "Retry or release" not in seen.text
        refused = visitor.post("/jobs/act", 409, act="retry", job=[job.pk]).content.decode()
        assert "Can be changed by the local contact" in sound(refused).text
    stranger = Visitor(people.stranger)
    assert (
        "No job was picked"
        in stranger.post("/jobs/act", 409, act="retry", job=job.pk).content.decode()
    )
    assert states() == ["held"]
    for path in ("/jobs/rates", "/jobs/rates.svg", "/jobs/rates.csv"):
        assert Visitor().get(path, 302) == ""
    Visitor(people.data_manager, enforcing=True).post("/jobs/act", 403, act="retry", job=job.pk)


def test_the_rule_of_the_list_is_the_rule_of_the_door(
    facility: Facility, proposal: Proposal, people: People
) -> None:
    """The boxes stand where the door would not refuse for rights."""
    other = facility.proposal()
    of_nobody = make(proposal)
    Job.objects.filter(pk=of_nobody.pk).update(proposal=None)
    of_nobody.refresh_from_db()
    rows = [make(proposal), make(other), of_nobody]
    for name, who in vars(people).items():
        by = Actor.of(who, face="page")
        seen = {j.pk: j.may_act for j in job_lists.listed(by)}
        for row in rows:
            first = explain(row.retry, by=by)[:1]
            refused = bool(
                first and isinstance(first[0], Refused) and first[0].kind == "permission"
            )
            if row.pk in seen:
                assert bool(seen[row.pk]) is not refused, (name, row.proposal)


def test_how_things_stand_is_said_above_the_list(proposal: Proposal, people: People) -> None:
    make(proposal)
    make(proposal, who="instrument scientist")
    make(proposal, "waiting")
    make(proposal, "waiting", after=clock.now() + timedelta(days=3))
    seen = sound(Visitor(people.reader).get("/jobs"))
    assert "1 for a data manager" in seen.text
    assert "1 for an instrument scientist" in seen.text
    assert "/jobs?state=held" in seen.links
    stranger = job_lists.standing(Actor.of(people.stranger, face="page"))
    assert (stranger.held, stranger.waiting, stranger.later) == (0, 0, 0)


def test_the_log_of_a_job_tells_each_attempt(proposal: Proposal, people: People) -> None:
    job = make(proposal)
    attempt(job, "waiting", reason="No <network>.", evidence={"bytes": 1500}, worker="node7:31")
    attempt(job, "held", reason="The disk is full.")
    seen = sound(Visitor(people.reader).get(f"/jobs/{job.pk}"))
    for text in ("No <network>.", "1.5 kB", "node7:31", "1 min 10 s", "To be tried again", "Held"):
        assert text in seen.text


def test_a_job_says_what_it_waits_behind(proposal: Proposal, people: People) -> None:
    first = make(proposal, lane="same")
    second = make(proposal, "waiting", lane="same")
    seen = sound(Visitor(people.reader).get(f"/jobs/{second.pk}"))
    assert f"It waits behind job {first.pk}" in seen.text
    assert "It waits behind" not in Visitor(people.reader).get(f"/jobs/{first.pk}")


def test_a_waiting_job_is_held_and_released_on_its_page(proposal: Proposal, people: People) -> None:
    job = make(proposal, "waiting")
    staff = Visitor(people.local_contact)
    refused = staff.post(f"/jobs/{job.pk}/hold", 422, reason="").content.decode()
    assert "“Hold” needs a reason." in sound(refused).text
    assert "the job is held." in staff.said(f"/jobs/{job.pk}/hold", reason="wait for the night")
    job.refresh_from_db()
    assert (job.state, job.who) == ("held", people.local_contact.full_name)
    assert "it waits for a worker now." in staff.said(f"/jobs/{job.pk}/retry")
    Visitor(people.reader).post(f"/jobs/{job.pk}/hold", 403, reason="mine")


def test_rates_count_what_ended_when(
    facility: Facility, proposal: Proposal, people: People
) -> None:
    job, hidden = make(proposal), make(facility.proposal(), name="runs.archive")
    with time_machine.travel(BEGIN, tick=False):
        attempt(job, "done", BEGIN - timedelta(minutes=10))
        attempt(job, "held", BEGIN - timedelta(minutes=20))
        attempt(job, "silent", BEGIN - timedelta(hours=30))
        attempt(job, "done", BEGIN - timedelta(days=20))
        attempt(job, "")
        attempt(hidden, "held", BEGIN - timedelta(minutes=1))
        reader = Visitor(people.reader)
        seen = sound(reader.get("/jobs/rates"))
        assert "3 attempts ended, 2 of them failed" in seen.text
        assert (
            "Copy to the archive" not in sound(reader.get("/jobs/rates")).text.split("By what")[1]
        )
        assert "4 attempts ended" in sound(reader.get("/jobs/rates?per=day")).text
        assert "0 attempts ended" in sound(reader.get("/jobs/rates?name=runs.archive")).text
        rows = list(csv.DictReader(io.StringIO(reader.get("/jobs/rates.csv?per=hour"))))
        assert len(rows) == 48
        (hour,) = [r for r in rows if r["begin"] == "2026-11-20T08:00+01:00"]
        assert (hour["Done"], hour["Held"], hour["Silent"]) == ("1", "1", "0")
        for scheme in ("light", "dark"):
            answer = reader.client.get(f"/jobs/rates.svg?per=day&scheme={scheme}")
            assert answer.headers["Content-Type"] == "image/svg+xml"
            assert "private" in answer.headers["Cache-Control"]
        for bad in ("per=year", "name=nonsense"):
            reader.get(f"/jobs/rates?{bad}", 422)
        reader.get("/jobs/rates.svg?scheme=pink", 422)


@pytest.mark.parametrize("moment", ["2026-03-29T12:00:00Z", "2026-10-25T12:00:00Z"])
def test_hours_are_whole_when_the_clock_is_changed(
    facility: Facility, proposal: Proposal, moment: str
) -> None:
    job = make(proposal)
    with time_machine.travel(moment, tick=False):
        for n in range(48):
            attempt(job, "done", clock.now() - timedelta(hours=n))
        hours = job_lists.rates(facility.staff, "hour")
        days = job_lists.rates(facility.staff, "day")
    assert [h.total for h in hours] == [1] * 48
    assert sum(d.total for d in days) == 48
    assert len(days) == 30


@pytest.mark.parametrize("role", ["data_manager", "local_contact"])
def test_the_lists_ask_as_often_for_many_as_for_few(facility: Facility, role: str) -> None:
    proposal = facility.proposal()
    visitor = Visitor(facility.person(role, instrument=role == "local_contact"))
    first = make(proposal)
    attempt(first, "held")
    paths = {"/jobs": 10, f"/jobs/{first.pk}": 22, "/jobs/rates": 7, "/jobs/rates.csv": 4}
    few = {path: queries_of(visitor, path) for path in paths}
    for _ in range(20):
        attempt(make(facility.proposal(kind="commissioning")), "held")
        attempt(first, "waiting")
    assert {path: queries_of(visitor, path) for path in paths} == few
    assert all(few[path] <= most for path, most in paths.items()), few
