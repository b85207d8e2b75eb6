"""The verbs on calibrations, dark run requests and packages: asking for them, and asking again."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.jobs import enqueue
from catalogue.ground.lifecycle import World, advance
from catalogue.ground.models import Detector, DetectorUnit
from catalogue.ground.refusal import Refused
from proposals import access
from runs import plans, queries
from runs.models import Calibration, DarkRequest, Run


@transaction.atomic
def request_calibration(
    run: Run,
    *,
    by: Actor,
    detector: Detector | None = None,
    units: Sequence[DetectorUnit] = (),
    automatic: bool = False,
) -> Calibration:
    """Ask for the correction of a run, by default of the whole of its instrument's detector.
    While one is open, asking again gives that one."""
    access.require(by, words.CALIBRATE, run.proposal)
    detector = _detector(run, detector)
    for unit in units:
        if unit.detector_id != detector.pk:
            raise Invalid("units", f"must belong to {detector}", unit.physical_name)
    row = _locked(run)
    if (refusal := _not_to_calibrate(row)) is not None:
        raise refusal
    there = row.calibrations.filter(detector=detector, state__in=["requested", "running", "held"])
    if found := there.first():
        return found
    made = Calibration.objects.create(
        run=row, detector=detector, asked_by=by.name, automatic=automatic, created_at=clock.now()
    )
    made.units.set(units)
    journal.write(made, "request", by=by, after=made.state, facts={"detector": str(detector)})
    enqueue(list(plans.calibration(made, World(by=by))), by=by)
    return made


@transaction.atomic
def request_for(run: Run, *, detectors: Sequence[Detector], by: Actor) -> list[Calibration]:
    """Ask for the correction of a run for each of these detectors; one that is held is tried
    anew."""
    made = [request_calibration(run, by=by, detector=detector) for detector in detectors]
    for calibration in made:
        if calibration.state == Calibration.State.HELD:
            ask_again(calibration, by=by)
    return made


def _locked(run: Run) -> Run:
    """The run's row, locked alone: the run type beside it may be missing."""
    rows = Run.objects.select_for_update(of=("self",))
    found: Run = rows.select_related("experiment__type", "proposal").get(pk=run.pk)
    return found


def _detector(run: Run, named: Detector | None) -> Detector:
    found = named or queries.detector_of(run.proposal)
    if found is None:
        raise Invalid("detector", f"{run.proposal.instrument} has none in the catalogue", None)
    return found


def _not_to_calibrate(run: Run) -> Refused | None:
    if run.status == Run.Status.OPEN:
        return Refused(f"{_capital(run.label)} is still open.", kind="state")
    if run.experiment is not None and run.experiment.type.is_dark:
        return Refused(f"{_capital(run.label)} is a dark run: ask for new constants instead.")
    if not run.data_groups.filter(kind="RAW", file_count__gt=0).exists():
        return Refused(f"{_capital(run.label)} has no raw files.")
    return None


def _not_to_characterise(run: Run) -> Refused | None:
    if run.experiment is None or not run.experiment.type.is_dark:
        return Refused(f"{_capital(run.label)} is not a dark run.")
    if run.status == Run.Status.OPEN:
        return Refused(f"{_capital(run.label)} is still open.", kind="state")
    return None


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]


def why_not_calibration(run: Run, *, by: Actor) -> Refused | None:
    """Why `by` cannot ask for the calibration of `run` now, or None: the dry run of the verb."""
    return _foretold(run, by) or _not_to_calibrate(run)


def why_not_dark(run: Run, *, by: Actor) -> Refused | None:
    """Why `by` cannot ask for constants from `run` now, or None."""
    return _foretold(run, by) or _not_to_characterise(run)


def _foretold(run: Run, by: Actor) -> Refused | None:
    refusal = access.refusal(by, words.CALIBRATE, run.proposal)
    if refusal is None and queries.detector_of(run.proposal) is None:
        return Refused(
            f"{run.proposal.instrument} has no detector in the catalogue.", who="a data manager"
        )
    return refusal


@transaction.atomic
def request_dark(run: Run, *, by: Actor, detector: Detector | None = None) -> DarkRequest:
    """Ask for new constants from a dark run. While a request is open, asking again gives that."""
    access.require(by, words.CALIBRATE, run.proposal)
    detector = _detector(run, detector)
    row = _locked(run)
    if (refusal := _not_to_characterise(row)) is not None:
        raise refusal
    there = row.dark_requests.filter(detector=detector, state__in=["requested", "running"])
    if found := there.first():
        return found
    made = DarkRequest.objects.create(
        proposal=row.proposal,
        run=row,
        detector=detector,
        asked_by=by.name,
        created_at=clock.now(),
    )
    journal.write(made, "request", by=by, after=made.state, facts={"detector": str(detector)})
    enqueue(list(plans.dark(made, World(by=by))), by=by)
    return made


def ask_again(calibration: Calibration, *, by: Actor, reason: str = "") -> Calibration:
    """Try a held or failed calibration once more."""
    advance(calibration.ask_again, by=by, reason=reason)
    return calibration
