"""Proposals of the past, entered as other systems reported them.

Each is made by the verbs, with its state adopted as reported. Review and release are the door's own
moves with the dates of then, so that DOI and landing page follow as they would have; the worker
does that work once it runs.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import transaction

from catalogue.demo import facility
from catalogue.demo.daq import RunSpec, RunWriter, WrittenFile
from catalogue.demo.facility import PastHold, PastProposal, PastRun
from catalogue.demo.loader.by import LOADER
from catalogue.ground import clock
from catalogue.ground.actor import Actor
from catalogue.ground.lifecycle import advance
from catalogue.ground.models import Cycle, ExperimentType, Instrument, Store, Technique, User
from policies import commands as policies
from proposals import commands, preparing, queries
from proposals.models import Membership, Proposal
from runs import commands as run_commands
from runs import registration
from runs.models import CauseTag, Run
from runs.queries import where_registered

# The detector of the past; a run has one module of it and three trains.
_SEED = 2017
_MODULES, _TRAINS, _RECORD_EVERY = 1, 30, 10
_FIRST_TRAIN = 10_000_000


def enter(past: PastProposal) -> None:
    """Enter one proposal with its team, beamtimes and runs; one that is there stays as it is."""
    proposal = _announced(past)
    if proposal.state != Proposal.State.NEW:
        return
    _make_folders(proposal)
    files = {run.number: _write_files(proposal, run) for run in past.runs}
    with transaction.atomic():
        _take_data(proposal, past, files)
        _finish(proposal, past)
        if past.hold is not None:
            _hold(proposal, past.hold)


@transaction.atomic
def _announced(past: PastProposal) -> Proposal:
    """The proposal with its people and dates, in state N."""
    there = Proposal.objects.filter(number=past.number).first()
    if there is not None:
        return there
    proposal = commands.create(
        number=past.number,
        title=past.title,
        abstract=past.abstract,
        instrument=Instrument.objects.get(identifier=past.instrument),
        cycle=Cycle.objects.get(identifier=past.cycle),
        kind=past.kind,
        derived_from=_origin(past),
        metadata_public=past.metadata_public,
        calibrates_by_itself=False,
        by=LOADER,
    )
    proposal.techniques.set(Technique.objects.filter(identifier=facility.SFX))
    for login, role, data_access in [
        (past.leader, Membership.Role.PI, Membership.DataAccess.WORK),
        *((login, Membership.Role.MEMBER, Membership.DataAccess.READ) for login in past.members),
    ]:
        user = User.objects.get(username=login)
        commands.add_member(proposal, user=user, role=role, data_access=data_access, by=LOADER)
    for begin_at, end_at in past.beamtimes:
        commands.add_beamtime(proposal, begin_at=begin_at, end_at=end_at, by=LOADER)
    return proposal


def _origin(past: PastProposal) -> Proposal | None:
    if past.derived_from is None:
        return None
    return Proposal.objects.get(number=past.derived_from)


def _make_folders(proposal: Proposal) -> None:
    """The proposal's folders, made as in its preparation: the runs' files go into them."""
    for _ in preparing.apply_folders(preparing.look(proposal)):
        pass


def _write_files(proposal: Proposal, run: PastRun) -> list[WrittenFile]:
    writer = RunWriter(_spec(proposal, run, where_registered()))
    return [f for sequence in range(writer.sequences) for f in writer.write_sequence(sequence)]


def _spec(proposal: Proposal, run: PastRun, store: Store) -> RunSpec:
    return RunSpec(
        folder=Path(store.mount) / proposal.path / "raw" / f"r{run.number:04d}",
        proposal=proposal.number,
        run=run.number,
        kind="data",
        trains=_TRAINS,
        first_train=_FIRST_TRAIN + 100_000 * run.number,
        began_at=run.began_at,
        seed=_SEED,
        sequences=1,
        record_every=_RECORD_EVERY,
        modules=_MODULES,
        sample=run.sample or "No Sample",
    )


def _take_data(proposal: Proposal, past: PastProposal, files: dict[int, list[WrittenFile]]) -> None:
    """Register the runs, while the proposal is active as it was then."""
    commands.adopt(proposal, state=Proposal.State.ACTIVE, by=LOADER, reason=_reason(past))
    for run in past.runs:
        _enter_run(proposal, run, files[run.number])


def _enter_run(proposal: Proposal, run: PastRun, files: list[WrittenFile]) -> None:
    spec = _spec(proposal, run, where_registered())
    kind = ExperimentType.objects.get(name=run.type.name)
    row: Run = run_commands.register(
        proposal,
        number=run.number,
        begin_at=spec.began_at,
        first_train=spec.first_train,
        experiment=commands.add_experiment(proposal, name=run.type.name, type=kind, by=LOADER),
        sample=commands.add_sample(proposal, name=run.sample, by=LOADER) if run.sample else None,
        techniques=list(Technique.objects.filter(identifier=facility.SFX)),
        by=LOADER,
    )
    registration.register(
        row,
        kind="RAW",
        files=[
            {"name": f.path.name, "bytes": f.bytes, "sha256": f.sha256, "adler32": f.adler32}
            for f in files
        ],
        by=LOADER,
    )
    run_commands.close(row, end_at=spec.ended_at, last_train=spec.last_train, by=LOADER)
    if run.quality:
        run_commands.assess(row, quality=run.quality, comment="As reported.", by=LOADER)
    if run.comment:
        run_commands.edit(row, comment=run.comment, by=LOADER)
    if run.causes:
        causes = CauseTag.objects.filter(name__in=run.causes)
        run_commands.set_causes(row, causes=list(causes), by=LOADER)


def _finish(proposal: Proposal, past: PastProposal) -> None:
    """From the end of the beamtime to where the proposal stands today."""
    reason = _reason(past)
    reviewed = past.reviewed_at is not None
    state = Proposal.State.FINISHED if reviewed else past.state
    commands.adopt(proposal, state=state, by=LOADER, reason=reason)
    if past.reviewed_at is None:
        return
    release_at = queries.embargo_end(proposal, settings.EMBARGO_YEARS)
    advance(proposal.review, by=LOADER, reason=reason, at=past.reviewed_at, release_at=release_at)
    if past.released_at is not None:
        advance(proposal.release, by=LOADER, reason=reason, at=past.released_at)


def _hold(proposal: Proposal, past: PastHold) -> None:
    """What stops removal, and what waits for a second person, for the pages that tell of them."""
    names = (past.by, past.asked_by)
    one, other = (Actor.of(User.objects.get(username=n), face="command") for n in names)
    placed = policies.hold(proposal, reason=past.reason, by=one)
    policies.ask_to_lift(placed, by=other, reason=past.why)


def _reason(past: PastProposal) -> str:
    begin = min(begin for begin, _ in past.beamtimes).astimezone(clock.facility_zone())
    return f"Demo history: as reported for the beamtime of {begin:%B %Y}, entered today."
