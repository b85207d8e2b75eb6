"""RAW to PROC: the offset of each pixel and memory cell taken off, bad pixels masked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from catalogue.ports.engines import agipd, constants, exdf, options, rawdata, report
from catalogue.ports.engines.constants import Loaded
from catalogue.ports.engines.contract import (
    CorrectionReceipt,
    CorrectionRequest,
    ProducedFile,
    Progress,
    RawFile,
    UnitConstant,
)
from catalogue.ports.engines.embedded import NAME, VERSION
from catalogue.ports.engines.files import Products, checked_raw, reading
from catalogue.ports.engines.record import CORRECT, Facts, named, without_places
from catalogue.ports.engines.software import versions
from catalogue.ports.outcome import Permanent


@dataclass(slots=True)
class Mean:
    """The mean corrected image of one module; a pixel that is always masked has none."""

    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros(agipd.SHAPE))
    n: NDArray[np.int64] = field(default_factory=lambda: np.zeros(agipd.SHAPE, np.int64))

    def add(self, frames: NDArray[np.float32], mask: NDArray[np.uint32]) -> None:
        """Frame by frame, so that the sum does not depend on how frames are batched."""
        for frame, bad in zip(frames, mask, strict=True):
            good = bad == 0
            self.total += np.where(good, frame, 0)
            self.n += good

    def image(self) -> NDArray[np.float64]:
        """NaN where there is no good value."""
        shown = np.full(agipd.SHAPE, np.nan)
        np.divide(self.total, self.n, out=shown, where=self.n > 0)
        return shown


@dataclass(frozen=True, slots=True)
class _Unit:
    """What one unit is corrected with; `bad` is missing where nothing is to be masked."""

    source: str
    target: str
    offset: Loaded
    bad: Loaded | None
    used: tuple[UnitConstant, ...]


def correct(
    request: CorrectionRequest, products: Products, progress: Progress
) -> CorrectionReceipt:
    """One corrected file for each RAW file of the units asked for, and the report."""
    configuration = options.complete(request.configuration, options.CORRECTION)
    files = rawdata.of_units(request.files, request.units)
    chosen = _choose(request, list(files), mask=configuration["mask_bad_pixels"])
    control = rawdata.control_files(request.files)
    condition = rawdata.condition(request.raw_folder, control)
    work = [(unit, raw) for unit, parts in files.items() for raw in parts]
    made: list[ProducedFile] = []
    values: dict[str, str] = {}
    means = {unit: Mean() for unit in files}
    loaded: _Unit | None = None
    for done, (unit, raw) in enumerate(work):
        progress(0.9 * done / len(work), raw.path)
        if loaded is None or loaded.used != chosen[unit]:
            loaded = _load(request.detector, unit, chosen[unit])
        name = str(_corrected_name(raw))
        source = checked_raw(request.raw_folder, raw)
        with reading(source, raw.path) as file, exdf.create(products.start(name)) as target:
            module = rawdata.ModuleFile.read(file, loaded.source)
            _write_head(target, module, loaded, raw, configuration)
            image = _make_image(target, loaded.target, module, configuration["compression"])
            values[name] = _fill(image, module, loaded, means[unit])
        made.append(products.finish(name))
    progress(0.9, "writing the report")
    used = tuple(constant for unit in files for constant in chosen[unit])
    facts = Facts(
        task=CORRECT,
        request=without_places(request),
        inputs=(*control, *(raw for _, raw in work)),
        produced=tuple(made),
        values=values,
        condition=condition,
        configuration=configuration,
        software=versions(),
    )
    name = report.name_of(facts)
    pictures = {agipd.module_number(unit): mean.image() for unit, mean in means.items()}
    report.correction(products.start(name), facts, used, pictures)
    produced = products.finish(name)
    products.publish()
    progress(1.0, "done")
    return CorrectionReceipt(tuple(made), produced, facts.software, configuration, used)


def _corrected_name(raw: RawFile) -> exdf.FileName:
    name = exdf.FileName.parse(Path(raw.path).name)
    return exdf.FileName("CORR", name.run, name.aggregator, name.sequence)


def _choose(
    request: CorrectionRequest, units: list[str], *, mask: bool
) -> dict[str, tuple[UnitConstant, ...]]:
    """The constants each unit needs; Permanent names units without, or with two of a kind."""
    needed = (constants.OFFSET, constants.BAD_PIXELS) if mask else (constants.OFFSET,)
    chosen: dict[str, tuple[UnitConstant, ...]] = {}
    missing: dict[str, list[str]] = {}
    for unit in units:
        mine = [each for each in request.constants if each.unit == unit and each.kind in needed]
        kinds = [each.kind for each in mine]
        twice = sorted({kind for kind in kinds if kinds.count(kind) > 1})
        if twice:
            raise Permanent(f"{unit} has two constants {twice[0]}", unit=unit, kinds=twice)
        lacking = [kind for kind in needed if kind not in kinds]
        if lacking:
            missing[unit] = lacking
        chosen[unit] = tuple(sorted(mine, key=lambda each: needed.index(each.kind)))
    if missing:
        raise Permanent(
            f"no constants for {', '.join(missing)}", missing=list(missing), missing_kinds=missing
        )
    return chosen


def _load(detector: str, unit: str, chosen: tuple[UnitConstant, ...]) -> _Unit:
    number = agipd.module_number(unit)
    arrays = {each.kind: constants.load(each) for each in chosen}
    return _Unit(
        source=agipd.raw_source(detector, number),
        target=agipd.corrected_source(detector, number),
        offset=arrays[constants.OFFSET],
        bad=arrays.get(constants.BAD_PIXELS),
        used=chosen,
    )


def _fill(image: h5py.Group, module: rawdata.ModuleFile, unit: _Unit, mean: Mean) -> str:
    """Writes the corrected frames; returns the sha256 of their pixel values and masks."""
    digest = hashlib.sha256()
    name = unit.used[0].version
    for which, frames in module.frames():
        places = unit.offset.places(module.cells[which], name=name)
        corrected = frames.astype(np.float32) - unit.offset.array[places]
        mask = np.zeros(frames.shape, np.uint32)
        if unit.bad is not None:
            mask = unit.bad.array[unit.bad.places(module.cells[which], name=name)]
        image["data"][which] = corrected
        image["mask"][which] = mask
        # A scalar here is written row by row, forty times slower.
        image["gain"][which] = np.zeros(frames.shape, np.uint8)
        mean.add(corrected, mask)
        digest.update(corrected.tobytes())
        digest.update(mask.tobytes())
    return digest.hexdigest()


def _write_head(
    target: h5py.File,
    module: rawdata.ModuleFile,
    unit: _Unit,
    raw: RawFile,
    configuration: Mapping[str, Any],
) -> None:
    """METADATA and INDEX. The RAW source's name stays as a link to the corrected data, as older
    programs ask for it."""
    metadata = exdf.read_metadata(module.file)
    provenance = {
        "calibrationEngine": f"{NAME} {VERSION}",
        "calibrationInput": json.dumps({"file": Path(raw.path).name, "sha256": raw.sha256}),
        "calibrationConstants": json.dumps([named(each) for each in unit.used]),
        "calibrationConfiguration": json.dumps(dict(configuration), sort_keys=True),
    }
    sources = [f"INSTRUMENT/{name}/image" for name in (unit.target, unit.source)]
    exdf.write_metadata(target, sources, {**metadata, **provenance})
    exdf.write_trains(target, module.trains)
    exdf.write_index(target, f"{unit.target}/image", module.counts)
    for root in ("INDEX", "INSTRUMENT"):
        exdf.group(target, f"{root}/{unit.target}")
        above, _, name = f"{root}/{unit.source}".rpartition("/")
        exdf.group(target, above)[name] = h5py.SoftLink(f"/{root}/{unit.target}")


def _make_image(
    target: h5py.File, source: str, module: rawdata.ModuleFile, compression: int
) -> h5py.Group:
    image = exdf.group(target, f"INSTRUMENT/{source}/image")
    exdf.put(image, "trainId", module.train_ids)
    exdf.put(image, "pulseId", module.pulses)
    exdf.put(image, "cellId", module.cells)
    shape = (len(module.cells), *agipd.SHAPE)
    # h5py refuses chunks where there is no frame.
    chunked: dict[str, Any] = {"chunks": (1, *agipd.SHAPE)} if len(module.cells) else {}
    packed = {**chunked, "compression": "gzip", "compression_opts": compression} if chunked else {}
    for name, dtype, how in (
        ("data", "f4", chunked),
        ("mask", "u4", packed),
        ("gain", "u1", packed),
    ):
        exdf.put(image, name, None, shape=shape, dtype=dtype, **how)
    image["data"].attrs["unit"] = np.bytes_("ADU")
    return image
