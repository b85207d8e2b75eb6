"""Constants from a dark run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from catalogue.ports.engines import agipd, constants, exdf, options, rawdata, report
from catalogue.ports.engines.constants import DarkSums, UnitConstants
from catalogue.ports.engines.contract import (
    DarkReceipt,
    DarkRequest,
    MadeConstant,
    Progress,
    RawFile,
)
from catalogue.ports.engines.embedded import NAME, VERSION
from catalogue.ports.engines.files import Products, checked_raw, reading
from catalogue.ports.engines.record import CHARACTERISE, Facts, without_places
from catalogue.ports.engines.software import versions
from catalogue.ports.outcome import Permanent


@dataclass(slots=True)
class _Unit:
    """What one unit's dark files came to."""

    name: str
    sums: DarkSums
    trains: set[int]
    run: int


def characterise(request: DarkRequest, products: Products, progress: Progress) -> DarkReceipt:
    """Offset, Noise and BadPixels of every unit asked for, and the report."""
    configuration = options.complete(request.configuration, options.DARK)
    files = rawdata.of_units(request.files, request.units)
    control = rawdata.control_files(request.files)
    condition = rawdata.condition(request.raw_folder, control)
    used = [*control, *(raw for parts in files.values() for raw in parts)]
    made: list[MadeConstant] = []
    results: dict[str, UnitConstants] = {}
    for done, (unit, parts) in enumerate(files.items()):
        progress(0.9 * done / len(files), f"{unit}: {len(parts)} files")
        result = _sum_up(request, unit, parts)
        _enough(result, configuration["minimum_frames"])
        results[unit] = constants.from_dark(result.sums, configuration)
        made.extend(_write(request, result, results[unit], condition, products))
    progress(0.9, "writing the report")
    facts = Facts(
        task=CHARACTERISE,
        request=without_places(request),
        inputs=tuple(used),
        produced=tuple(each.file for each in made),
        values={},
        condition=condition,
        configuration=configuration,
        software=versions(),
    )
    name = report.name_of(facts)
    report.dark(products.start(name), facts, results)
    produced = products.finish(name)
    products.publish()
    progress(1.0, "done")
    return DarkReceipt(tuple(made), produced, facts.software, configuration)


def _sum_up(request: DarkRequest, unit: str, parts: list[RawFile]) -> _Unit:
    source = agipd.raw_source(request.detector, agipd.module_number(unit))
    result = _Unit(unit, DarkSums(), set(), 0)
    for raw in parts:
        with reading(checked_raw(request.raw_folder, raw), raw.path) as file:
            result.run = int(exdf.read_metadata(file)["runNumber"])
            module = rawdata.ModuleFile.read(file, source)
            good = module.trusted()
            result.trains.update(int(train) for train in module.train_ids[good])
            for which, frames in module.frames():
                cells = np.where(good[which], module.cells[which].astype(np.int64), -1)
                for cell in sorted({int(each) for each in cells} - {-1}):
                    result.sums.add(cell, frames[cells == cell])
    return result


def _enough(unit: _Unit, minimum: int) -> None:
    sums, needed = unit.sums, max(minimum, 2)
    if sums.fewest < needed:
        raise Permanent(
            f"{unit.name} has {sums.fewest} dark frames in a memory cell, {needed} are needed",
            unit=unit.name,
            frames={str(cell): each.n for cell, each in sorted(sums.cells.items())},
        )


def _write(
    request: DarkRequest,
    result: _Unit,
    made: UnitConstants,
    condition: Mapping[str, float],
    products: Products,
) -> list[MadeConstant]:
    unit = result.name
    physical = request.physical_units.get(unit, unit)
    first, last = min(result.trains), max(result.trains)
    facts: dict[str, Any] = {
        **{f"condition {name}": value for name, value in condition.items()},
        "detector": request.detector,
        "first_train": np.uint64(first),
        "last_train": np.uint64(last),
        "engine": f"{NAME} {VERSION}",
    }
    written = []
    for kind in constants.KINDS:
        dataset = constants.dataset_of(physical, kind)
        name = f"{unit}-{kind}-R{result.run:04d}.h5"
        constants.write(products.start(name), dataset, kind, made, facts)
        written.append(
            MadeConstant(
                unit=unit,
                physical_unit=physical,
                kind=kind,
                file=products.finish(name),
                dataset=dataset,
                condition=condition,
                from_trains=(first, last),
                n_frames=result.sums.frames,
            )
        )
    return written
