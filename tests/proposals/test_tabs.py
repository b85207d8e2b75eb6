"""The tabs of a proposal whose data are its own: what each shows to whom, what is typed there, and
what becomes of it when somebody else was faster."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from catalogue.ground import access as words
from catalogue.ground import pages
from catalogue.ground.actor import Actor
from catalogue.ground.models import Entry, SampleType, Technique
from proposals import commands, content, withdrawing
from proposals.models import Proposal
from tests.factories import BEGIN, ExperimentTypeFactory, Facility
from tests.visiting import People, Visitor, queries_of, sound

NASTY = "<script>alert(1)</script> \u202egnorw\u202c 😀 \"'&"
TABS = ["General", "Public Information", "Runs", "Samples", "Logbook", "Team", "Repositories",
        "Calibration Constants", "Publication", "Data Management Plan", "History"]  # fmt: skip


@pytest.fixture
def staff(facility: Facility) -> Visitor:
    return Visitor(facility.staff.user)


def seen_on(html: str) -> str:
    """The version that the only form of a page with one knows of."""
    return html.split('seen" value="')[1].split('"', maxsplit=1)[0]


def test_the_tabs_stand_in_the_order_of_the_facility(facility: Facility) -> None:
    proposal = facility.proposal()
    html = Visitor(facility.leader).get(f"/proposals/{proposal.number}")
    places = [html.index(f'">{label}</a>') for label in TABS]
    assert places == sorted(places)


def test_every_tab_is_for_those_who_may_see_the_proposal(facility: Facility) -> None:
    """All tabs that any app declares, for everybody who stands to the proposal in some way."""
    proposal = facility.proposal(state="A")
    facility.run(proposal)
    people = People(facility, proposal)
    inside = [people.data_manager, people.local_contact, people.user_office, people.auditor,
              people.principal, people.worker, people.reader]  # fmt: skip
    every = pages.tabs(frozenset({t.permission for t in pages._tabs.values()}))
    assert [t.label for t in every if t.label in TABS] == TABS
    for tab in every:
        if tab.permission == words.PREPARE:
            continue  # groups and folders are for those who make them: test_preparation.py
        path = reverse(tab.url, args=[proposal.number])
        for user in inside:
            sound(Visitor(user).get(path))
        Visitor(people.stranger).get(path, 404)
        Visitor().get(path, 302)


class TestBeamtimes:
    TIMES = {"begin_at": "2027-02-01T08:00", "end_at": "2027-02-03T08:00", "description": "blue"}

    def test_given_moved_and_given_back(self, facility: Facility, staff: Visitor) -> None:
        proposal = facility.proposal()
        path = f"/proposals/{proposal.number}/beamtimes"
        html = staff.said(f"{path}/add", **self.TIMES)
        assert "1 February 2027, 08:00" in sound(html).text
        made = proposal.beamtimes.get(description="blue")
        staff.post(f"{path}/{made.pk}", **{**self.TIMES, "end_at": "2027-02-04T08:00"})
        made.refresh_from_db()
        assert made.end_at.isoformat() == "2027-02-04T07:00:00+00:00"
        staff.post(f"{path}/{made.pk}/remove")
        assert not proposal.beamtimes.filter(pk=made.pk).exists()

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"end_at": "2027-01-01T08:00"}, "Ends: The beamtime must end after it begins."),
            ({"begin_at": ""}, "Begins: This field is required."),
            ({"begin_at": "tomorrow"}, "Begins: Enter a date and a time"),
            ({"begin_at": "2027-03-28T02:30", "end_at": "2027-03-29T08:00"}, "skips this time"),
            ({"begin_at": "2026-11-20T10:00"}, "The proposal has a beamtime at that time already"),
        ],
    )
    def test_what_is_wrong_stands_at_the_field_and_above(
        self, facility: Facility, staff: Visitor, change: dict[str, str], said: str
    ) -> None:
        path = f"/proposals/{facility.proposal().number}/beamtimes/add"
        html = staff.post(path, 422, **{**self.TIMES, **change}).content.decode()
        text = " ".join(sound(html).text.split())
        assert said in text
        assert "blue" in html, "what was typed is kept"
        assert Entry.objects.filter(move="add beamtime").count() == 1

    def test_user_proposals_never_overlap_others_confirm_it(
        self, facility: Facility, staff: Visitor
    ) -> None:
        facility.proposal()
        taken = {"begin_at": "2026-11-21T08:00", "end_at": "2026-11-22T08:00"}
        user = facility.proposal()
        html = staff.post(f"/proposals/{user.number}/beamtimes/add", 409, **taken).content.decode()
        assert "is given to" in html
        assert "despite_overlap" not in html
        other = facility.proposal(kind="commissioning")
        path = f"/proposals/{other.number}/beamtimes/add"
        html = staff.post(path, 409, **taken).content.decode()
        assert 'name="despite_overlap"' in html
        staff.post(path, **taken, despite_overlap="on")
        assert other.beamtimes.count() == 2

    def test_what_was_entered_by_mistake_keeps_no_beam(
        self, facility: Facility, staff: Visitor
    ) -> None:
        mistake, right = facility.proposal(), facility.proposal()
        taken = {"begin_at": "2026-11-21T08:00", "end_at": "2026-11-22T08:00"}
        path = f"/proposals/{right.number}/beamtimes/add"
        staff.post(path, 409, **taken)
        withdrawing.withdraw(mistake, by=facility.staff, reason="entered twice")
        staff.post(path, **taken)
        assert right.beamtimes.count() == 2

    def test_they_stay_after_the_review(self, facility: Facility, staff: Visitor) -> None:
        with time_machine.travel(BEGIN, tick=False):
            proposal = facility.proposal(state="FR")
        html = staff.get(f"/proposals/{proposal.number}")
        assert "counted from its beamtimes" in sound(html).text
        assert "Add a beamtime" not in html

    @pytest.mark.parametrize("who", ["principal", "reader", "auditor"])
    def test_they_are_not_everybodys(self, facility: Facility, who: str) -> None:
        proposal = facility.proposal()
        visitor = Visitor(getattr(People(facility, proposal), who))
        block = proposal.beamtimes.get()
        assert "Add a beamtime" not in visitor.get(f"/proposals/{proposal.number}")
        path = f"/proposals/{proposal.number}/beamtimes"
        visitor.post(f"{path}/add", 403, **self.TIMES)
        visitor.post(f"{path}/{block.pk}", 403, **self.TIMES)
        visitor.post(f"{path}/{block.pk}/remove", 403)

    def test_one_of_another_proposal_is_not_there(self, facility: Facility, staff: Visitor) -> None:
        mine, other = facility.proposal(), facility.proposal()
        path = f"/proposals/{mine.number}/beamtimes/{other.beamtimes.get().pk}"
        staff.get(path, 404)
        staff.post(f"{path}/remove", 404)
        staff.get(f"/proposals/{mine.number}/beamtimes/{'9' * 18}", 404)


class TestWithdrawing:
    def test_it_asks_for_reason_and_number_and_leaves_a_tombstone(
        self, facility: Facility, staff: Visitor
    ) -> None:
        proposal = facility.proposal()
        path = f"/proposals/{proposal.number}"
        assert "This cannot be undone." in sound(staff.get(f"{path}/withdraw")).text
        for wrong in ({"number": "900101"}, {"reason": ""}, {"number": "all"}):
            fields = {"number": "p900100", "reason": "entered twice", **wrong}
            staff.post(f"{path}/withdraw", 422, **fields)
        staff.post(f"{path}/withdraw", number="p900100", reason=f"entered twice {NASTY}")
        for tab in ("", "/public", "/samples", "/team", "/history", "/runs", "/plan"):
            text = sound(staff.get(f"{path}{tab}")).text
            assert "p900100 was withdrawn" in text
            assert "entered twice <script>" in text
        again = staff.post(f"{path}/withdraw", 409, number="900100", reason="again")
        assert "is withdrawn already" in again.content.decode()
        assert Entry.objects.filter(move="withdraw").count() == 1
        assert Proposal.objects.count() == 1

    def test_not_while_the_daq_writes_into_it(self, facility: Facility, staff: Visitor) -> None:
        proposal = facility.proposal(state="A")
        path = f"/proposals/{proposal.number}"
        assert "Pause or finish it first." in sound(staff.get(path)).text
        staff.post(f"{path}/withdraw", 409, number="900100", reason="by mistake")
        proposal.refresh_from_db()
        assert proposal.withdrawn_at is None

    def test_the_team_does_not(self, facility: Facility) -> None:
        proposal = facility.proposal()
        leader = Visitor(facility.leader)
        path = f"/proposals/{proposal.number}/withdraw"
        leader.post(path, 403, number="900100", reason="by mistake")
        assert "withdraw" not in leader.get(f"/proposals/{proposal.number}")


class TestPublic:
    def test_staff_keep_the_record_and_the_team_its_words(self, facility: Facility) -> None:
        proposal = facility.proposal()
        people = People(facility, proposal)
        path = f"/proposals/{proposal.number}/public"
        technique = Technique.objects.create(identifier="PaNET01168", name="SFX")
        record = {"record-title": NASTY, "record-abstract": "a\r\nb", "record-metadata_public": ""}
        about = {"about-keywords": "lysozyme, <b>", "about-techniques": str(technique.pk)}
        staff, worker = Visitor(people.local_contact), Visitor(people.worker)
        html = staff.said(f"{path}/record", **record)
        worker.post(f"{path}/about", **about)
        for odd in (str(2**63), "9" * 30, "-1", "one"):
            worker.post(f"{path}/about", 422, **{**about, "about-techniques": odd})
        worker.post(f"{path}/record", 403, **record)
        Visitor(people.user_office).post(f"{path}/about", 403, **about)
        proposal.refresh_from_db()
        assert (proposal.title, proposal.abstract) == (NASTY, "a\nb")
        assert proposal.metadata_public is False
        assert proposal.keywords == "lysozyme, <b>"
        html = worker.get(path)
        assert "<script>alert(1)" not in html
        assert "lysozyme, <b>" in sound(html).text

    def test_of_two_versions_both_are_shown_and_either_can_stay(
        self, facility: Facility, staff: Visitor
    ) -> None:
        proposal = facility.proposal()
        path = f"/proposals/{proposal.number}/public"
        seen = seen_on(staff.get(path))
        content.amend(proposal, to={"title": "Theirs"}, by=facility.staff)
        mine = {"record-seen": seen, "record-title": "Mine", "record-abstract": "",
                "record-metadata_public": "on"}  # fmt: skip
        html = staff.post(f"{path}/record", 409, **mine).content.decode()
        text = sound(html).text
        assert "Theirs" in text
        assert "Mine" in text
        proposal.refresh_from_db()
        assert proposal.title == "Theirs"
        staff.post(f"{path}/record", **{**mine, "record-seen": seen_on(html)})
        proposal.refresh_from_db()
        assert proposal.title == "Mine"

    def test_the_record_stands_after_the_review(self, facility: Facility, staff: Visitor) -> None:
        with time_machine.travel(BEGIN, tick=False):
            proposal = facility.proposal(state="FR")
        path = f"/proposals/{proposal.number}/public"
        assert "is reviewed; its record is published as it is" in staff.get(path)
        staff.post(f"{path}/record", 409, **{"record-title": "Another"})

    def test_a_technique_of_the_facilitys_own_is_a_keyword(
        self, facility: Facility, staff: Visitor
    ) -> None:
        proposal = facility.proposal()
        own = Technique.objects.create(identifier="OURS-1", name="Our own way")
        content.amend(proposal, to={"techniques": [own]}, by=facility.staff)
        assert "Our own way" in sound(staff.get(f"/proposals/{proposal.number}/publication")).text

    def test_what_cannot_be_published_is_told_and_no_fault(
        self, facility: Facility, staff: Visitor
    ) -> None:
        proposal = facility.proposal()
        facility.leader.orcid = "0000"
        facility.leader.save()
        for tab in ("public", "publication"):
            text = sound(staff.get(f"/proposals/{proposal.number}/{tab}")).text
            assert "not an ORCID identifier" in text


class TestSamples:
    @pytest.fixture
    def proposal(self, facility: Facility) -> Proposal:
        return facility.proposal(state="A")

    def test_made_changed_and_removed(self, facility: Facility, proposal: Proposal) -> None:
        worker = Visitor(People(facility, proposal).worker)
        kind = SampleType.objects.create(name="Solid", identifier="SOLID")
        path = f"/proposals/{proposal.number}/samples"
        form = {"samples-name": NASTY, "samples-type": str(kind.pk), "samples-url": "",
                "samples-description": "grown"}  # fmt: skip
        html = worker.said(f"{path}/add", **form)
        assert NASTY.split(maxsplit=1)[0] in sound(html).text
        assert "<script>alert(1)" not in html
        sample = proposal.samples.get(name=NASTY)
        assert sample.type == kind
        edit = {"name": "KR2", "type": "", "url": "https://example.org/", "description": ""}
        worker.post(f"{path}/{sample.pk}", **edit)
        sample.refresh_from_db()
        assert (sample.name, sample.type, sample.url) == ("KR2", None, "https://example.org/")
        worker.post(f"{path}/{sample.pk}/remove")
        assert not proposal.samples.exists()

    def test_a_name_is_given_once(self, facility: Facility, proposal: Proposal) -> None:
        commands.add_sample(proposal, name="KR2", by=facility.staff)
        other = commands.add_sample(proposal, name="KR3", by=facility.staff)
        visitor = Visitor(facility.leader)
        path = f"/proposals/{proposal.number}/samples"
        html = visitor.post(f"{path}/add", 422, **{"samples-name": "KR2"}).content.decode()
        assert "has one of that name already" in sound(html).text
        visitor.post(f"{path}/{other.pk}", 422, name="KR2")

    @pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://example.org", "not one"])
    def test_addresses_are_of_the_web(
        self, facility: Facility, proposal: Proposal, url: str
    ) -> None:
        path = f"/proposals/{proposal.number}/samples/add"
        form = {"samples-name": "KR2", "samples-url": url}
        sound(Visitor(facility.leader).post(path, 422, **form).content.decode())

    def test_what_data_are_of_says_so_and_stays(
        self, facility: Facility, proposal: Proposal
    ) -> None:
        facility.run(proposal)
        visitor = Visitor(facility.leader)
        experiment = proposal.experiments.get()
        path = f"/proposals/{proposal.number}"
        assert "kept: 1 run" in sound(visitor.get(f"{path}/samples")).text
        html = visitor.post(f"{path}/experiments/{experiment.pk}/remove", 409).content.decode()
        assert "There are data of LCP SFX." in sound(html).text

    def test_run_types_are_made_of_those_of_the_facility(
        self, facility: Facility, proposal: Proposal
    ) -> None:
        visitor = Visitor(facility.leader)
        dark = ExperimentTypeFactory(name="Dark")
        path = f"/proposals/{proposal.number}/experiments"
        visitor.post(f"{path}/add", 422, **{"experiments-name": "Dark at noon"})
        form = {"experiments-name": "Dark at noon", "experiments-type": str(dark.pk)}
        visitor.post(f"{path}/add", **form)
        made = proposal.experiments.get()
        form = {"name": "Dark", "type": str(dark.pk), "description": "the first of the day"}
        visitor.post(f"{path}/{made.pk}", **form)
        made.refresh_from_db()
        assert (made.name, made.description) == ("Dark", "the first of the day")

    def test_readers_look_and_touch_nothing(self, facility: Facility, proposal: Proposal) -> None:
        sample = commands.add_sample(proposal, name="KR2", by=facility.staff)
        reader = Visitor(People(facility, proposal).reader)
        path = f"/proposals/{proposal.number}/samples"
        assert "Add a sample" not in reader.get(path)
        reader.post(f"{path}/add", 403, **{"samples-name": "mine"})
        reader.post(f"{path}/{sample.pk}", 403, name="mine")
        reader.post(f"{path}/{sample.pk}/remove", 403)


# tab -> queries, with session, person and rights included
FROZEN = {"public": 11, "samples": 15}


def test_many_rows_take_as_many_queries_as_few(facility: Facility, staff: Visitor) -> None:
    """The numbers are frozen: one that grows is looked at, not raised."""
    proposal = facility.proposal(state="A")
    by = Actor.of(facility.leader, face="page")

    def grow(number: int) -> None:
        for n in range(number):
            commands.add_sample(proposal, name=f"S{number}-{n}", by=by)
            facility.run(proposal, type_name=f"Type {number}-{n}")
            facility.person()
        commands.add_beamtime(
            proposal, begin_at=BEGIN + timedelta(days=100 + number),
            end_at=BEGIN + timedelta(days=100 + number, hours=8), by=facility.staff,
        )  # fmt: skip

    grow(2)
    few = {tab: queries_of(staff, f"/proposals/{proposal.number}/{tab}") for tab in FROZEN}
    grow(7)
    many = {tab: queries_of(staff, f"/proposals/{proposal.number}/{tab}") for tab in FROZEN}
    assert many == few
    assert few == FROZEN


def test_a_double_click_makes_a_move_once(facility: Facility, staff: Visitor) -> None:
    proposal = facility.proposal(state="A")
    for _ in range(2):
        staff.post(f"/proposals/{proposal.number}/moves/pause", once="mark")
    assert "That was sent twice and done once." in staff.get(f"/proposals/{proposal.number}")
    assert Entry.objects.filter(move="pause").count() == 1
