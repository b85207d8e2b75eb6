"""What our own engine takes from the catalogue of constants for a run, and what it adds from a
dark run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath

from catalogue.constants import selection
from catalogue.constants.conditions import Stored
from catalogue.ground import clock
from catalogue.ground.actor import WORKER
from catalogue.ground.models import (
    CalibrationKind,
    CalibrationParameter,
    Condition,
    ConditionParameter,
    Constant,
    ConstantVersion,
    Detector,
    DetectorUnit,
    Store,
)
from catalogue.ports.engines.contract import MadeConstant, UnitConstant
from catalogue.ports.movers import Entry
from runs.constants import choosing, entering
from runs.models import DarkRequest

Place = tuple[Store, str, Entry]
"""Where the file of a constant is kept: the store, the folder in it, and the file."""


def select(
    detector: Detector, units: Sequence[DetectorUnit], kinds: Sequence[str], *, at: datetime
) -> tuple[list[ConstantVersion], tuple[tuple[str, str], ...]]:
    """The versions that hold for these units at `at`, and the (unit, kind) pairs without one.

    The operating condition of a run is not registered yet; the one under which the detector was
    characterised last stands for it.
    """
    measured = {kind.name: kind for kind in CalibrationKind.objects.filter(name__in=kinds)}
    found = choosing.by_condition(
        _last_condition(detector, at), list(measured.values()), units,
        strategy=selection.holding, at=at,
    )  # fmt: skip
    rows = {row.pk: row for row in choosing.told(found.values())}
    chosen: list[ConstantVersion] = []
    missing: list[tuple[str, str]] = []
    for unit in units:
        for name in kinds:
            kind = measured.get(name)
            version = rows.get(found.get((unit.pk, kind.pk), 0)) if kind is not None else None
            if version is None or version.store is None:
                missing.append((unit.aggregator or unit.physical_name, name))
            else:
                chosen.append(version)
    return chosen, tuple(missing)


def _last_condition(detector: Detector, at: datetime) -> choosing.Values:
    """The values of the condition under which a unit of the detector was last measured by then,
    without what binds it to that unit."""
    newest = (
        ConstantVersion.objects.filter(
            unit__detector=detector, deployed=True, good_quality=True, begin_at__lte=at
        )
        .order_by("-begin_at", "-created_at", "-pk")
        .values_list("constant__condition", flat=True)
        .first()
    )
    rows = ConditionParameter.objects.filter(condition=newest).exclude(
        parameter__name=choosing.BINDING
    )
    return {row.parameter_id: choosing.value_of(row).value for row in rows}


def behind(detector: Detector) -> dict[str, DetectorUnit]:
    """The units of a detector by the aggregator that writes their files; the others have none."""
    return {unit.aggregator: unit for unit in detector.units.all() if unit.aggregator}


def as_input(version: ConstantVersion) -> UnitConstant:
    """A version as an engine is given it; its file has to be one that we keep."""
    assert version.store is not None
    return UnitConstant(
        unit=version.unit.aggregator or "",
        physical_unit=version.unit.physical_name,
        kind=version.constant.kind.name,
        version=version.name,
        path=str(Path(version.store.mount) / version.path),
        sha256=version.sha256,
    )


def add(
    request: DarkRequest,
    made: Sequence[MadeConstant],
    store: Store,
    folder: str,
    kept: Mapping[str, Entry],
) -> list[ConstantVersion]:
    """New versions from a dark run request, valid from the begin of its run; made twice from the
    same request they are the same rows."""
    units = behind(request.detector)
    return [_version(request, c, units[c.unit], (store, folder, kept[c.file.path])) for c in made]


def _version(
    request: DarkRequest, made: MadeConstant, unit: DetectorUnit, place: Place
) -> ConstantVersion:
    store, folder, file = place
    run = request.run
    path = PurePosixPath(folder, file.path)
    # Known by where we keep it, for anybody who keeps the catalogue may use any name.
    ours = ConstantVersion.objects.filter(store=store, path=str(path), data_set_name=made.dataset)
    if there := ours.first():
        return there
    # Read by every team that uses it, so it does not say whose dark run it came from.
    name = f"{made.unit}-{made.kind}-{run.begin_at:%Y%m%dT%H%M%S}-{request.pk}"
    if ConstantVersion.objects.filter(name=name).exists():
        name = entering.unlike(name, f"{store.pk} {path} {made.dataset}")
    constant = _constant(unit, made)
    return entering.enter_version(
        by=WORKER,
        name=name,
        constant=constant,
        unit=unit,
        file_name=path.name,
        path_to_file=str(path.parent),
        data_set_name=made.dataset,
        begin_at=_free(constant, unit, run.begin_at),
        begin_validity_at=run.begin_at,
        store=store,
        path=str(path),
        bytes=file.bytes,
        sha256=file.sha256 or "",
        created_at=clock.now(),
    )


def _free(constant: Constant, unit: DetectorUnit, begin_at: datetime) -> datetime:
    """`begin_at`, or some microseconds later: the field knows one version for each moment. Those
    made again from the same run come after the first, and so are taken."""
    taken = set(constant.versions.filter(unit=unit).values_list("begin_at", flat=True))
    while begin_at in taken:
        begin_at += timedelta(microseconds=1)
    return begin_at


def _constant(unit: DetectorUnit, made: MadeConstant) -> Constant:
    kind, _ = CalibrationKind.objects.get_or_create(name=made.kind)
    condition = _condition(made.condition)
    return entering.constant_of(kind, unit.detector_type, condition, by=WORKER)


def _condition(values: Mapping[str, float]) -> Condition:
    """The condition with exactly these values and the parameters' own deviations."""
    wanted: dict[CalibrationParameter, Stored] = {}
    for name, value in values.items():
        parameter, _ = CalibrationParameter.objects.get_or_create(name=name)
        wanted[parameter] = Stored(
            float(value),
            parameter.default_lower_deviation or 0.0,
            parameter.default_upper_deviation or 0.0,
        )
    text = ", ".join(f"{k} {v:g}" for k, v in sorted(values.items())) or "any"
    facts = repr(sorted((parameter.pk, one) for parameter, one in wanted.items()))
    condition, _ = entering.enter_condition(
        by=WORKER, name=entering.unlike(text, facts), values=wanted
    )
    return condition
