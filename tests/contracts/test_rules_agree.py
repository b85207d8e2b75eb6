"""The rule for lists is the rule for one row: for random people, offices, memberships, dates,
tokens and programs, on proposals under embargo, public, open and withdrawn, with all that belongs
to them.

What somebody may see of a row is asked three ways: of the list, of the row, and of the page that
says why. All three have to say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalogue.ground import access as words
from catalogue.ground import journal
from catalogue.ground.actor import VISITOR, Actor
from catalogue.ground.models import Appointment, Doi, Entry, Job, Program
from proposals import access, approvals, listings, queries, reasons
from proposals.models import Membership, Proposal
from runs import access as runs
from runs import lookup
from runs import queries as run_queries
from runs.models import DataGroup, File, Replica, Run
from tests.factories import BEGIN, Facility, InstrumentFactory, UserFactory

NOW = BEGIN + timedelta(hours=1)
PERMISSIONS = [p for p in words.VOCABULARY if p != words.SYSTEM]
ROLES = (*words.GRANTS,)
AT_INSTRUMENT = ("local_contact", "instrument_scientist", "instrument_leader", "deputy_leader")
EVERYWHERE = ("user_office", "data_manager", "auditor")
SCOPES = st.one_of(st.none(), st.frozensets(st.sampled_from(sorted(words.SCOPES)), max_size=3))
DAYS = st.sampled_from([None, -400, -1, 0, 1, 9])

# state, kind, DOI, access, withdrawn: what decides whether everybody may know of it.
STANDINGS = st.tuples(
    st.sampled_from(["A", "F", "FR", "WCLD", "CLO"]),
    st.sampled_from(["commissioning", "commissioning", "test"]),
    st.sampled_from([None, "draft", "registered", "findable", "findable"]),
    st.sampled_from(["embargoed", "open"]),
    st.sampled_from([False, False, True]),
)


@pytest.fixture
def world(facility: Facility) -> Iterator[list[Proposal]]:
    """Three proposals, one of another instrument, each with a run of every mark, files of open and
    other kinds and copies."""
    with time_machine.travel(NOW, tick=False):
        for n in range(3):
            if n == 2:
                facility.instrument = InstrumentFactory(identifier="FXE")
            proposal = facility.proposal(kind="commissioning", state="A")
            for quality in ("good", "unclear", "not_interesting", ""):
                run = facility.run(proposal, files=1)
                at = NOW if quality else None
                Run.objects.filter(pk=run.pk).update(quality=quality, assessed_at=at)
                other = DataGroup.objects.create(run=run, experiment=run.experiment, kind="UNK",
                                                 created_at=NOW)  # fmt: skip
                File.objects.create(data_group=other, name="n.txt", bytes=1, registered_at=NOW)
        yield list(Proposal.objects.all())


def _stand(proposal: Proposal, data: st.DataObject) -> None:
    """Put the proposal anywhere a proposal can stand; behind the door's back, as rows."""
    state, kind, doi, open_to, withdrawn = data.draw(STANDINGS, f"{proposal.number} stands")
    named = None
    if doi is not None:
        named, _ = Doi.objects.get_or_create(name=f"10.5072/{proposal.number}",
                                             defaults={"proposal": proposal.number})  # fmt: skip
        Doi.objects.filter(pk=named.pk).update(state=doi)
    ends = data.draw(DAYS, "the team ends")
    Proposal.objects.filter(pk=proposal.pk).update(
        state=state, kind=kind, doi=named, access=open_to, released_at=NOW,
        withdrawn_at=NOW if withdrawn else None,
        team_until=None if ends is None else access.today() + timedelta(days=ends),
    )  # fmt: skip
    last = proposal.runs.order_by("pk").first()
    gone = data.draw(st.booleans(), "a run is withdrawn")
    Run.objects.filter(pk=last.pk).update(withdrawn_at=NOW if gone else None)


def _somebody(facility: Facility, world: list[Proposal], data: st.DataObject) -> Actor:
    if data.draw(st.integers(0, 9), "a visitor") == 0:
        return VISITOR
    person = UserFactory(
        is_active=data.draw(st.sampled_from([True, True, True, False]), "active"),
        is_service=data.draw(st.sampled_from([False, False, True]), "service"),
        is_staff=data.draw(st.booleans(), "the flag"),
    )

    def day(what: str) -> object:
        found = data.draw(DAYS, what)
        return None if found is None else access.today() + timedelta(days=found)

    for proposal in world:
        if data.draw(st.booleans(), "member"):
            Membership.objects.create(
                proposal=proposal, user=person, added_at=NOW,
                role=data.draw(st.sampled_from(["member", "deputy", "proposer"]), "as"),
                data_access=data.draw(st.integers(0, 2), "data access"), until=day("until"),
            )  # fmt: skip
    for role in data.draw(st.sets(st.sampled_from(EVERYWHERE), max_size=1), "office"):
        Appointment.objects.create(user=person, role=role, until=day("office until"))
    for role in data.draw(st.sets(st.sampled_from(AT_INSTRUMENT), max_size=2), "at"):
        place = data.draw(st.sampled_from(world), "where").instrument
        Appointment.objects.create(user=person, role=role, instrument=place, until=day("there"))
    actor = Actor.of(person, face="api", scopes=data.draw(SCOPES, "scopes"))
    if actor.scopes is not None and data.draw(st.booleans(), "through a program"):
        actor = replace(actor, through=Program(name="DAQ"))
    return actor


@pytest.mark.django_db
@settings(
    max_examples=60,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes here
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_lists_and_rows_agree(
    facility: Facility, world: list[Proposal], data: st.DataObject
) -> None:
    with time_machine.travel(NOW, tick=False):
        for proposal in world:
            _stand(proposal, data)
        check(_somebody(facility, world, data))


def check(actor: Actor) -> None:
    """Every list against every row, for one person."""
    rows = list(Proposal.objects.select_related("instrument", "doi"))
    allowed = {p.pk: access.allowed_on(actor, p) for p in rows}
    for permission in PERMISSIONS:
        held = access.holding(actor, permission)
        listed = set(Proposal.objects.filter(held).values_list("pk", flat=True))
        assert listed == {pk for pk, may in allowed.items() if permission in may}, permission
    for p in rows:
        story = reasons.why(actor, p)
        assert {a.permission for a in story.answers if a.allowed} == allowed[p.pk]
        assert all(bool(a.reasons) == a.allowed for a in story.answers)
        assert all(a.allowed or a.who for a in story.answers)
    everywhere = {a.permission for a in reasons.why(actor, None).answers if a.allowed}
    assert everywhere == words.facility_wide(actor, access.today())
    sees = {pk for pk, may in allowed.items() if words.SEE_METADATA in may}
    public = {p.pk for p in rows if p.is_public}
    assert set(Proposal.objects.filter(access.public()).values_list("pk", flat=True)) == public
    _same(access.visible(actor), sees | public)
    _same(listings.proposals(actor), sees | public)
    _runs(actor, allowed, sees)
    _data(actor, allowed, sees)
    _told(actor, allowed)


def _same(found: object, expected: set[int]) -> None:
    ids = [row.pk for row in found]  # type: ignore[attr-defined]
    assert len(ids) == len(set(ids)), "a row comes twice"
    assert set(ids) == expected


def _runs(actor: Actor, allowed: dict[int, frozenset[str]], sees: set[int]) -> None:
    every = list(Run.objects.select_related("proposal__doi", "proposal__instrument"))
    opened = {r.pk for r in every if runs.is_open(r)}
    assert set(Run.objects.filter(runs.open_runs()).values_list("pk", flat=True)) == opened
    _same(runs.visible(actor), {r.pk for r in every if r.proposal_id in sees} | opened)
    _same(runs.readable(actor), {r.pk for r in every if runs.may_read_data(actor, r)})
    _same(lookup.runs(actor), {r.pk for r in every if r.proposal_id in sees})
    for run in every:
        may = words.SEE_DATA in allowed[run.proposal_id] or run.pk in opened
        assert runs.may_read_data(actor, run) == may


def _data(actor: Actor, allowed: dict[int, frozenset[str]], sees: set[int]) -> None:
    groups = list(DataGroup.objects.select_related("run__proposal"))
    inside = {g.pk for g in groups if g.run.proposal_id in sees}
    _same(runs.visible_groups(actor), inside)
    _same(lookup.groups(actor), inside)
    _same(lookup.replicas(actor), {
        r.pk for r in Replica.objects.all() if r.data_group_id in inside
    })  # fmt: skip
    for file in File.objects.select_related("data_group__run__proposal__doi",
                                            "data_group__run__proposal__instrument"):  # fmt: skip
        run = file.data_group.run
        shown = runs.visible(actor).filter(pk=run.pk).exists() and run_queries.files_shown(
            actor, run
        ).filter(pk=file.pk).exists()  # fmt: skip
        may_read = runs.may_read_file(actor, file)
        if may_read:
            assert shown or words.SEE_METADATA not in allowed[run.proposal_id], "read, not listed"
        if not may_read and shown:
            assert words.SEE_METADATA in allowed[run.proposal_id], "listed, though not theirs"
        if file.data_group.kind not in runs.OPEN_KINDS:
            assert may_read == (words.SEE_DATA in allowed[run.proposal_id])


def _told(actor: Actor, allowed: dict[int, frozenset[str]]) -> None:
    """The journal, the feed of events, jobs, and what takes two."""
    numbers = {p.number for p in Proposal.objects.all() if words.SEE_JOURNAL in allowed[p.pk]}
    everything = words.SEE_JOURNAL in words.facility_wide(actor, access.today())
    for found, rows in (
        (queries.events(actor), Entry.objects.all()),
        (queries.jobs(actor), Job.objects.all()),
        (approvals.visible(actor), approvals.Approval.objects.all()),
    ):
        told = {r.pk for r in rows if everything or r.proposal in numbers}
        _same(found, told)
    for p in Proposal.objects.all():
        story = queries.story(actor, p)
        assert story.exists() == (p.number in numbers and journal.of_proposal(p.number).exists())
