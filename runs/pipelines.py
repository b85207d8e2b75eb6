"""What a calibration pipeline outside reports: its reports on corrections, and how far it is with
dark runs that it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.lifecycle import advance
from catalogue.ground.models import Detector
from catalogue.ground.refusal import Refused
from proposals import access
from proposals.models import Proposal
from runs.models import DarkRequest, Report, Run


@transaction.atomic
def add_report(run: Run, *, by: Actor, **facts: Any) -> Report:
    """A report of a correction of `run` that lies with the pipeline."""
    access.require(by, words.CALIBRATE, run.proposal)
    made = Report.objects.create(run=run, **facts)
    journal.write(made, "register", by=by, facts={"path": made.path})
    return made


@transaction.atomic
def change_report(report: Report, *, to: Mapping[str, Any], by: Actor) -> Report:
    """Change what is said of a report. One of ours stays as it is."""
    row = _own(report, by)
    changed = {name: value for name, value in to.items() if getattr(row, name) != value}
    if "run" in changed:
        access.require(by, words.CALIBRATE, changed["run"].proposal)
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        row.save(update_fields=list(changed))
        journal.write(row, "correct", by=by, facts=changed)
    return row


@transaction.atomic
def remove_report(report: Report, *, by: Actor) -> None:
    """Forget a report that lies with a pipeline outside."""
    row = _own(report, by)
    journal.write(row, "delete", by=by, facts={"path": row.path})
    row.delete()


def _own(report: Report, by: Actor) -> Report:
    row = Report.objects.select_for_update(of=("self",)).select_related("run__proposal")
    found = row.get(pk=report.pk)
    access.require(by, words.CALIBRATE, found.run.proposal)
    if found.artifact_id is not None:
        raise Refused(f"{found} was made by the catalogue itself.", kind="state")
    return found


@transaction.atomic
def ask_for_dark(
    proposal: Proposal, *, detector: Detector, by: Actor, to: str = "", **facts: Any
) -> DarkRequest:
    """A request for new constants that a pipeline outside is to answer, named in its words; `to` is
    the state that it is in already."""
    access.require(by, words.CALIBRATE, proposal)
    made = DarkRequest.objects.create(
        proposal=proposal, detector=detector, external=True, asked_by=by.name,
        created_at=clock.now(), **facts,
    )  # fmt: skip
    journal.write(made, "request", by=by, after=made.state, facts={"detector": str(detector)})
    _adopt(made, to, by)
    return made


@transaction.atomic
def report_dark(request: DarkRequest, *, to: Mapping[str, Any], by: Actor, state: str = "") -> None:
    """A pipeline outside says how far it is with a request. Ours are answered by our workers."""
    access.require(by, words.CALIBRATE, request.proposal)
    row = DarkRequest.objects.select_for_update().get(pk=request.pk)
    changed = {name: value for name, value in to.items() if getattr(row, name) != value}
    moves = state not in ("", row.state)
    if not row.external and (changed or moves):
        raise Refused("The catalogue itself makes constants for this request.", kind="state")
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        row.save(update_fields=list(changed))
        journal.write(row, "correct", by=by, facts=changed)
    _adopt(row, state, by)


def _adopt(request: DarkRequest, state: str, by: Actor) -> None:
    if state and state != request.state:
        advance(request.adopt, by=by, to=state, at=clock.now())


@transaction.atomic
def remove_dark(request: DarkRequest, *, by: Actor) -> None:
    """Forget a request that a pipeline outside was asked for."""
    access.require(by, words.CALIBRATE, request.proposal)
    row = DarkRequest.objects.select_for_update().get(pk=request.pk)
    if not row.external:
        raise Refused("The catalogue itself makes constants for this request.", kind="state")
    journal.write(row, "delete", by=by, before=row.state)
    row.delete()
