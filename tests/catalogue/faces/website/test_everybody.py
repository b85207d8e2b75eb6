"""Every page for every kind of people: who sees it, that it is sound HTML, that the content
security policy leaves nothing to run or apply but the site's own files."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from catalogue.ground import lifecycle
from catalogue.ground.models import Job, User
from proposals.models import Proposal
from runs import calibrating, commands
from runs.models import Run
from tests.factories import Facility
from tests.visiting import People, Visitor, sound

EVERYBODY = ("/", "/sign-in", "/policy", "/data", "/help", "/search", "/search?q=Study")
SIGNED_IN = ("/proposals", "/jobs", "/jobs?state=open", "/storage", "/status", "/notices")
OF_ONE = (
    "/proposals/{n}",
    "/proposals/{n}/runs",
    "/proposals/{n}/runs?quality=none&runs=1-5",
    "/proposals/{n}/runs?runs=nonsense",
    "/proposals/{n}/runs/0001",
    "/proposals/{n}/runs/0002",
    "/proposals/{n}/runs/0001/kept",
    "/proposals/{n}/team",
    "/proposals/{n}/holds",
    "/proposals/{n}/holds?run=1",
    "/proposals/{n}/history",
)
INSIDERS = (
    *("data_manager", "local_contact", "leader_of_instrument", "user_office", "auditor"),
    *("principal", "worker", "reader"),
)
HOSTILE = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>&amp;"


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    """Active, with a Good run that was copied, a dark run, an open one, and a job that is held."""
    facility.policy()
    facility.detector()
    made = facility.proposal(state="A", abstract=HOSTILE)
    good, dark = facility.run(made), facility.run(made, type_name="Dark")
    facility.run(made, closed=False)
    commands.assess(good, quality="good", by=facility.staff, comment=HOSTILE)
    commands.edit(good, by=facility.staff, comment=HOSTILE)
    broken = facility.run(made)
    victim = min(facility.raw_folder(broken).iterdir())
    victim.write_bytes(b"x" * victim.stat().st_size)
    commands.assess(broken, quality="unclear", by=facility.staff)
    lifecycle.perform_due()
    calibrating.request_dark(dark, by=facility.staff)
    return made


@pytest.fixture
def people(facility: Facility, proposal: Proposal) -> People:
    return People(facility, proposal)


def _safe(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, path
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert "script-src 'self'" in policy
    html = answer.content.decode()
    assert HOSTILE not in html
    sound(html)


def test_insiders_see_every_page_of_their_proposal(people: People, proposal: Proposal) -> None:
    for who in INSIDERS:
        visitor = Visitor(getattr(people, who))
        for path in (*EVERYBODY, *SIGNED_IN, *OF_ONE):
            if path != "/sign-in":  # leads home
                _safe(visitor.client, path.format(n=f"{proposal.number:06d}"))


def test_others_find_nothing_there(people: People, proposal: Proposal) -> None:
    stranger = Visitor(people.stranger)
    for path in OF_ONE:
        sound(stranger.get(path.format(n=proposal.number), 404))
    for path in SIGNED_IN:
        html = sound(stranger.get(path)).text
        assert proposal.folder not in html
        assert proposal.title not in html
    job = Job.objects.filter(proposal=proposal.number).first()
    assert job is not None
    stranger.get(f"/jobs/{job.pk}", 404)
    stranger.post(f"/jobs/{job.pk}/retry", 404)
    stranger.post(f"/proposals/{proposal.number}/moves/finish", 404)
    stranger.post(f"/proposals/{proposal.number}/runs/1/assess", 404, quality="unclear")
    stranger.post(f"/proposals/{proposal.number}/holds/place", 404, reason="mine")
    stranger.get(f"/data/{proposal.number}", 404)


def test_what_is_not_there_and_what_is_not_for_them_look_the_same(
    people: People, proposal: Proposal
) -> None:
    stranger = Visitor(people.stranger)
    hidden = stranger.get(f"/proposals/{proposal.number:06d}/runs", 404)
    missing = stranger.get("/proposals/123456/runs", 404)
    texts = [re.sub(r"\b[0-9a-f]{8}\b", "ref", sound(h).text) for h in (hidden, missing)]
    assert texts[0].replace(f"{proposal.number:06d}", "N") == texts[1].replace("123456", "N")


def test_visitors_are_asked_to_sign_in_whether_or_not_it_is_there(proposal: Proposal) -> None:
    visitor = Visitor()
    for path in EVERYBODY:
        _safe(visitor.client, path)
    for number in (f"{proposal.number:06d}", "123456"):
        for path in OF_ONE:
            answer = visitor.client.get(path.format(n=number))
            assert answer.status_code == 302
            assert answer["Location"].startswith("/sign-in?next=/proposals/")
    for path in (*SIGNED_IN, "/jobs/1"):
        assert visitor.client.get(path)["Location"].startswith("/sign-in?next=")


def test_job_pages_are_sound_in_every_state(people: People, facility: Facility) -> None:
    states = set()
    for who in (people.data_manager, people.reader):
        for job in Job.objects.all():
            sound(Visitor(who).get(f"/jobs/{job.pk}"))
            states.add(job.state)
    assert {"done", "held", "waiting"} <= states


def test_a_form_without_the_sites_mark_is_refused(people: People, proposal: Proposal) -> None:
    visitor = Visitor(people.data_manager, enforcing=True)
    one = f"/proposals/{proposal.number}"
    for path in (
        *(f"{one}/moves/pause", f"{one}/runs/1/assess", f"{one}/runs/switch", f"{one}/team/add"),
        *(f"{one}/holds/place", f"{one}/runs/1/calibrate", "/jobs/1/cancel", "/scheme"),
        *("/zone", "/notices/choose"),
    ):
        answer = visitor.post(path, 403, quality="unclear", reason="none", name="pause")
        assert "Nothing was changed" in sound(answer.content.decode()).text
    proposal.refresh_from_db()
    assert proposal.state == "A"
    assert Run.objects.get(proposal=proposal, number=1).quality == "good"
    assert not proposal.holds.exists()


def test_acts_are_not_made_by_following_a_link(people: People, proposal: Proposal) -> None:
    one = f"/proposals/{proposal.number}"
    for path in (f"{one}/moves/pause", f"{one}/runs/1/assess", "/jobs/1/retry", "/scheme"):
        assert Visitor(people.data_manager).client.get(path).status_code == 405


def test_hostile_names_are_shown_as_they_are_written(facility: Facility) -> None:
    proposal = facility.proposal(state="A")
    Proposal.objects.filter(pk=proposal.pk).update(title=HOSTILE, keywords=HOSTILE)
    user = User.objects.get(pk=facility.staff.user.pk)
    User.objects.filter(pk=user.pk).update(last_name=HOSTILE[:150], affiliation=HOSTILE)
    facility.run(proposal, type_name="Dark")
    visitor = Visitor(user)
    for path in ("/", "/proposals", *OF_ONE[:1], "/proposals/{n}/team", "/proposals/{n}/runs"):
        html = visitor.get(path.format(n=proposal.number))
        assert HOSTILE in sound(html).text
        assert "<script>alert" not in html
