"""The verbs on runs. Each is one transaction, made by somebody, told in the journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import transaction

from catalogue.ground import access as words
from catalogue.ground import calendar, clock, journal
from catalogue.ground.actor import SCHEDULE, WORKER, Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.lifecycle import Consequence, advance
from catalogue.ground.lifecycle.foresight import Answer
from catalogue.ground.models import Technique
from catalogue.ground.refusal import Refused
from proposals import access
from proposals.models import Experiment, Proposal, Sample
from runs import queries
from runs.access import OPEN_QUALITIES
from runs.many import Outcome, each
from runs.models import Assessment, CauseTag, Run, RunNumber


@transaction.atomic
def next_number(proposal: Proposal, *, by: Actor) -> int:
    """Hand out the next run number of the proposal; nobody else gets it."""
    access.require(by, words.DAQ, proposal)
    row = Proposal.objects.select_for_update().get(pk=proposal.pk)
    _takes_data(row)
    number = row.last_run_number + 1
    if number > 9999:
        raise Refused(f"{row.label} has used all its run numbers up to 9999.")
    row.last_run_number = number
    row.save(update_fields=["last_run_number"])
    RunNumber.objects.create(proposal=row, number=number, asked_by=by.name, at=clock.now())
    return number


def _takes_data(proposal: Proposal) -> None:
    if proposal.state != Proposal.State.ACTIVE:
        state = proposal.get_state_display().lower()
        raise Refused(
            f"{proposal.label} is {state}; data are taken while it is active.",
            kind="state",
            who="the local contact",
        )


@transaction.atomic
def register(
    proposal: Proposal,
    *,
    number: int,
    begin_at: datetime,
    by: Actor,
    experiment: Experiment | None = None,
    sample: Sample | None = None,
    techniques: list[Technique] | None = None,
    first_train: int | None = None,
    alias: str = "",
    comment: str = "",
) -> Run:
    """A new open run. A number that was not handed out is taken if it is free; one that has a
    run already is refused. Where the proposal marks by itself, the run is marked Good."""
    access.require(by, words.DAQ, proposal)
    row = Proposal.objects.select_for_update().get(pk=proposal.pk)
    _takes_data(row)
    if Run.objects.filter(proposal=row, number=number).exists():
        raise Invalid("number", f"run {number:04d} of {row.folder} exists already", number)
    for name, owned in (("experiment", experiment), ("sample", sample)):
        if owned is not None and owned.proposal_id != row.pk:
            raise Invalid(name, f"must belong to {row.label}", str(owned))
    now = clock.now()
    run = Run.objects.create(
        proposal=row, number=number, begin_at=begin_at, experiment=experiment, sample=sample,
        first_train=first_train, alias=alias, comment=comment, heartbeat_at=now, created_at=now,
    )  # fmt: skip
    for technique in techniques or []:
        run.techniques.add(technique)  # they are told in the order in which they were added
    if number > row.last_run_number:
        row.last_run_number = number
        row.save(update_fields=["last_run_number"])
    facts = {"experiment": experiment.name if experiment else "", "begin": begin_at}
    journal.write(run, "register", by=by, after=run.status, facts=facts)
    if row.assesses_by_itself:
        assess(run, quality=Run.Quality.GOOD, by=WORKER, automatic=True)
    return run


@transaction.atomic
def heartbeat(run: Run, *, by: Actor, size: int, last_train: int | None = None) -> Run:
    """The DAQ tells how far an open run is: trains and bytes so far. Not journaled."""
    access.require(by, words.DAQ, run.proposal)
    row = Run.objects.select_for_update().get(pk=run.pk)
    if row.status != Run.Status.OPEN:
        raise Refused(f"{run.label} is {row.status}; only an open run has a heartbeat.", "state")
    if last_train is not None and row.first_train is not None and last_train < row.first_train:
        raise Invalid("last_train", f"must not be before the first train {row.first_train}",
                      last_train)  # fmt: skip
    row.heartbeat_at = clock.now()
    row.heartbeat_bytes = size
    row.last_train = last_train if last_train is not None else row.last_train
    row.save(update_fields=["heartbeat_at", "heartbeat_bytes", "last_train"])
    return row


def close(
    run: Run,
    *,
    end_at: datetime,
    by: Actor,
    first_train: int | None = None,
    last_train: int | None = None,
    timeout: bool = False,
) -> Run:
    """No more data come for this run. From now on its mark takes effect."""
    first = first_train if first_train is not None else run.first_train
    last = last_train if last_train is not None else run.last_train
    if end_at < run.begin_at:
        raise Invalid("end_at", "a run must not end before it begins", end_at)
    if first is not None and last is not None and last < first:
        raise Invalid("last_train", f"must not be before the first train {first}", last)
    advance(
        run.close, by=by, end_at=end_at, timeout=timeout,
        first_train=first_train, last_train=last_train,
    )  # fmt: skip
    return run


def abort(run: Run, *, by: Actor, reason: str, end_at: datetime | None = None) -> Run:
    """The run ended without being of use; its data are kept like those of any other."""
    end = end_at or clock.now()
    if end < run.begin_at:
        raise Invalid("end_at", "a run must not end before it begins", end)
    advance(run.abort, by=by, reason=reason, end_at=end)
    return run


@transaction.atomic
def assess(
    run: Run,
    *,
    quality: str,
    by: Actor,
    comment: str = "",
    automatic: bool = False,
    seen: int | None = None,
) -> Assessment:
    """Mark a run Good, Unclear or Not interesting. A new mark replaces the old one, which stays in
    the history; the mark of an open run takes effect at its close.

    `seen` is the id of the last assessment that the sender knew of (0: none), where that is known:
    a mark set meanwhile by somebody else refuses this one, and one that says the same already is
    given back, so that a form sent twice marks once.
    """
    marks = [q for q in Run.Quality.values if q]
    if quality not in marks:
        raise Invalid("quality", "must be one of " + ", ".join(marks), quality)
    if seen is not None:
        access.require(by, words.ASSESS, run.proposal)
        there = _marked_meanwhile(run, quality, seen)
        if there is not None:
            return there
    now = clock.now()
    told = advance(run.assess, by=by, reason=comment, mark=quality, at=now, name=by.name)
    return Assessment.objects.create(
        run=run, quality=quality, previous=told.before, by=by.user, by_name=by.name,
        automatic=automatic, at=now, comment=comment,
    )  # fmt: skip


def _marked_meanwhile(run: Run, quality: str, seen: int) -> Assessment | None:
    """The mark that says the same already, if there is one. Raises `Refused` where the run was
    marked otherwise since the sender saw it. Its row is locked from here on."""
    row = Run.objects.select_for_update(of=("self",)).get(pk=run.pk)
    last: Assessment | None = row.assessments.first()
    if last is None or row.quality == "":
        return None
    if row.quality == quality == last.quality:
        return last
    if last.pk != seen:
        when = calendar.say_when(last.at, clock.facility_zone())
        raise Refused(
            f"{last.by_name} marked it {row.get_quality_display()} on {when}, "
            "after the page you marked it on was made.",
            kind="stale",
            who="whoever marks it again",
            details={"assessment": last.pk},
        )
    return None


def undo_mark(run: Run, *, by: Actor, seen: int) -> Assessment:
    """Mark a run as it was before its last mark, which is the one the sender has `seen`. A new
    mark, never an erased one; the first mark of a run has none before it to go back to."""
    last: Assessment | None = run.assessments.first()
    if last is None or not last.previous:
        raise Refused("It had no mark before; a mark can be changed, not taken away.", kind="state")
    return assess(run, quality=last.previous, by=by, comment="Undone.", seen=seen)


def assess_many(
    runs: Sequence[Run],
    *,
    quality: str,
    by: Actor,
    comment: str = "",
    seen: Mapping[int, int | None] = MappingProxyType({}),
) -> list[Outcome]:
    """Mark many runs, each for itself (see `runs.many`); `seen` by run number, as in `assess`."""
    return each(
        runs,
        lambda run: assess(run, quality=quality, by=by, comment=comment, seen=seen.get(run.number)),
    )


@transaction.atomic
def describe(
    run: Run, *, by: Actor, causes: Collection[CauseTag], more: bool = False, **said: Any
) -> None:
    """Causes and all that `edit` changes, together or not at all."""
    edit(run, by=by, **said)
    if causes or not more:
        set_causes(run, causes=causes, by=by, more=more)


@transaction.atomic
def set_causes(
    run: Run, *, causes: Collection[CauseTag], by: Actor, more: bool = False
) -> list[CauseTag]:
    """Say why a run is as it is, apart from its mark; with `more`, besides what was said before.
    The tags that it has by now."""
    access.require(by, words.ASSESS, run.proposal)
    row = Run.objects.select_for_update().get(pk=run.pk)
    before = set(row.causes.all())
    now = before | set(causes) if more else set(causes)
    if now != before:
        row.causes.set(now)
        facts = {"causes": _names(now), "before": _names(before)}
        journal.write(row, "set causes", by=by, facts=facts)
    return sorted(now, key=lambda tag: tag.name)


def _names(tags: Collection[CauseTag]) -> list[str]:
    return sorted(tag.name for tag in tags)


@transaction.atomic
def edit(
    run: Run,
    *,
    by: Actor,
    experiment: Experiment | None = None,
    sample: Sample | None = None,
    comment: str | None = None,
    alias: str | None = None,
    techniques: Sequence[Technique] | None = None,
    clear: Collection[str] = (),
    seen: str | None = None,
    seen_comment: str | None = None,
) -> Run:
    """Change what people say of a run; what is not given stays. `clear` names those of experiment
    and sample that are taken away. `seen` is the edition that the sender changes, where that is
    known (`queries.edition`): another one is not written over; `seen_comment` is the same of the
    comment alone, where no more is changed."""
    access.require(by, words.EDIT, run.proposal)
    row = Run.objects.select_for_update().get(pk=run.pk)
    overtaken = seen is not None and queries.edition(row) != seen
    # One that says what is wanted already was sent twice.
    if seen_comment is not None and comment != row.comment:
        overtaken |= queries.comment_edition(row) != seen_comment
    if overtaken:
        raise Refused(
            f"Run {row.number:04d} was changed by somebody else meanwhile.",
            kind="stale",
            who="whoever changes it again",
        )
    wanted: dict[str, Any] = {
        "experiment": experiment, "sample": sample, "comment": comment, "alias": alias,
    }  # fmt: skip
    changes = {name: value for name, value in wanted.items() if value is not None}
    for name in ("experiment", "sample"):
        if name in changes and changes[name].proposal_id != row.proposal_id:
            raise Invalid(name, f"must belong to {row.proposal.label}", str(changes[name]))
    changes |= dict.fromkeys(clear)
    for name, new in changes.items():
        setattr(run, name, new)
    changes = {name: new for name, new in changes.items() if getattr(row, name) != new}
    for name, new in changes.items():
        setattr(row, name, new)
    if changes:
        row.save(update_fields=list(changes))
    if techniques is not None and set(techniques) != set(row.techniques.all()):
        row.techniques.set(techniques)
        changes["techniques"] = [t.identifier for t in techniques]
    if changes:
        told = {k: v if k == "techniques" else str(v or "") for k, v in changes.items()}
        journal.write(row, "edit", by=by, facts=told)
    return run


def close_silent(now: datetime) -> int:
    """Close the runs whose heartbeat stopped long ago, marked so; part of the schedule."""
    done = 0
    for run in queries.runs_to_close(now).select_related("proposal"):
        try:
            close(run, end_at=max(run.heartbeat_at or now, run.begin_at), by=SCHEDULE, timeout=True)
        except Refused:
            continue  # closed, or heard of, meanwhile
        done += 1
    return done


@transaction.atomic
def withdraw(run: Run, *, by: Actor, reason: str) -> Run:
    """Mark a run that was made by mistake; nothing is deleted."""
    access.require(by, words.EDIT, run.proposal)
    if not reason.strip():
        raise Refused("Withdrawing a run needs a reason.", kind="reason")
    row = Run.objects.select_for_update(of=("self",)).select_related("proposal").get(pk=run.pk)
    problem = _why_it_stands(row)
    if problem is not None:
        raise problem
    row.withdrawn_at = run.withdrawn_at = clock.now()
    row.save(update_fields=["withdrawn_at"])
    journal.write(run, "withdraw", by=by, reason=reason)
    return run


def explain_withdrawal(run: Run, allowed: Collection[str]) -> list[Answer]:
    """What `withdraw` would bring about for somebody who may do this, or why it is refused."""
    problem = access.why_not(allowed, words.EDIT, run.proposal) or _why_it_stands(run)
    if problem is not None:
        return [problem]
    return [
        Consequence(
            "Nothing is deleted: files and marks stay, and what the policy says of its data."
        ),
        Consequence("It takes no mark any more, and is never among the open data."),
        Consequence("This cannot be undone."),
    ]


def _why_it_stands(run: Run) -> Refused | None:
    label = f"{run.label[:1].upper()}{run.label[1:]}"
    if run.withdrawn_at is not None:
        return Refused(f"{label} is withdrawn already.", kind="state")
    if run.status == Run.Status.OPEN:
        return Refused(
            f"{label} is open: the DAQ writes into it. It is closed or aborted first.", kind="state"
        )
    if run.proposal.access == Proposal.Access.OPEN and run.quality in OPEN_QUALITIES:
        return Refused(f"The data of {run.label} are open; what was published stays.")
    return None
