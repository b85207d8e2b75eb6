"""One request from its files to its receipt: what they hold first, then pictures of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from catalogue.ports.engines import agipd, exdf, picture
from catalogue.ports.engines.contract import Progress, RawFile
from catalogue.ports.engines.files import Products, below, reading
from catalogue.ports.outcome import Permanent
from catalogue.ports.pictures import drawing, frames
from catalogue.ports.pictures.contents import Contents, gaps_in, sources_in
from catalogue.ports.pictures.contract import (
    DETECTOR,
    MODULES_CSV,
    TRAINS,
    TRAINS_CSV,
    LookReceipt,
    LookRequest,
    Module,
    Pictures,
    is_exdf,
)

NO_DETECTOR = "There is no picture: the files hold no images of a detector that we can lay out."
NO_FRAMES = "There is no picture: no train has an image."
_FIRST = 0.3  # of the work: the pass over METADATA and INDEX


@dataclass(slots=True)
class _Images:
    """Where the images of one detector lie, and which trains have one."""

    files: list[tuple[RawFile, frames.ModuleSource]] = field(default_factory=list)
    ids: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))


def look(request: LookRequest, products: Products, progress: Progress) -> LookReceipt:
    """Two passes: over the heads of all files, and over some frames of a detector's."""
    contents, detectors, unread = _heads(request, progress)
    gaps, missing = gaps_in(contents.ids)
    made, why_none = _pictures(request, detectors, unread, products, progress)
    products.publish()
    progress(1.0, "done")
    ids = contents.ids
    return LookReceipt(
        trains=len(ids),
        first_train=int(ids[0]) if len(ids) else 0,
        last_train=int(ids[-1]) if len(ids) else 0,
        missing=missing,
        gaps=tuple(gaps),
        sources=contents.sources(),
        pictures=tuple(made),
        why_none=why_none,
        unread=tuple(unread),
    )


def _heads(
    request: LookRequest, progress: Progress
) -> tuple[Contents, dict[str, _Images], list[str]]:
    contents, detectors, unread = Contents(), dict[str, _Images](), list[str]()
    for done, raw in enumerate(request.files):
        progress(_FIRST * done / len(request.files), raw.path)
        if not is_exdf(raw.path):
            continue
        with _leaving_out(unread, raw), reading(_there(request.folder, raw), raw.path) as file:
            contents.add(file)
            _note_images(file, raw, detectors)
    return contents, detectors, unread


@contextmanager
def _leaving_out(unread: list[str], raw: RawFile) -> Iterator[None]:
    """A file that is not what it should be is named and left out; the rest can still be told of."""
    try:
        yield
    except Permanent as problem:
        why = problem.reason.removeprefix(raw.path).lstrip(": ")
        unread.append(f"{raw.path}: {why}")
    except (KeyError, ValueError, TypeError, RuntimeError) as problem:
        unread.append(f"{raw.path}: not as the format has it ({problem})")


def _there(folder: str, raw: RawFile) -> Path:
    """The file, where it is as long as it was registered. Its checksum was compared when its copy
    was read back; a picture does not read a run once more for that."""
    path = below(folder, raw.path)
    if path.is_symlink() or not path.is_file():
        raise Permanent("it is not there", file=raw.path)
    if path.stat().st_size != raw.bytes:
        raise Permanent("it is not as long as the file that was registered", file=raw.path)
    return path


def _note_images(file: h5py.File, raw: RawFile, detectors: dict[str, _Images]) -> None:
    for name, (_, groups) in sources_in(file).items():
        module = frames.module_of(name)
        if module is None or "image" not in groups:
            continue
        trains = exdf.read_trains(file)
        counts = exdf.read_counts(file, f"{name}/image", trains)
        found = detectors.setdefault(module.detector, _Images())
        found.files.append((raw, module))
        found.ids = np.union1d(found.ids, trains.ids[: len(counts)][counts > 0])


def _pictures(
    request: LookRequest,
    detectors: dict[str, _Images],
    unread: list[str],
    products: Products,
    progress: Progress,
) -> tuple[list[Pictures], str]:
    if not detectors:
        return [], NO_DETECTOR
    # Of several the one with most images; the sources tell of all.
    name, images = max(detectors.items(), key=lambda item: (len(item[1].files), item[0]))
    sums = frames.Frames(frames.chosen(images.ids, request.most_trains), request.frames_per_train)
    for done, (raw, module) in enumerate(images.files):
        progress(_FIRST + (0.95 - _FIRST) * done / len(images.files), raw.path)
        with _leaving_out(unread, raw), reading(_there(request.folder, raw), raw.path) as file:
            sums.add(file, module)
    if not np.isfinite(sums.intensities()).any():
        return [], NO_FRAMES
    return [_drawn(request, name, images, sums, products)], ""


def _drawn(
    request: LookRequest, name: str, images: _Images, sums: frames.Frames, products: Products
) -> Pictures:
    means = sums.images()
    canvas = picture.laid_out(means)
    low, high = picture.span_of(canvas.values)
    modules = [_module(n, image, sums.frames_of(n)) for n, image in means.items()]
    values = sums.intensities()
    drawn = drawing.detector(canvas, list(means), low, high, sums.unit)
    drawn.save(products.start(DETECTOR), format="PNG")
    svg = drawing.trains(
        sums.trains, values, sums.unit, title=f"Intensity per train, {request.label}"
    )
    products.start(TRAINS).write_text(svg, encoding="utf-8")
    head = ("module", "aggregator", "frames", "mean", "low", "high", "pixels without a value")
    rows = ((m.number, agipd.unit_name(m.number), m.frames, m.mean, m.low, m.high, m.bad_pixels)
            for m in modules)  # fmt: skip
    products.start(MODULES_CSV).write_text(_csv(head, rows), encoding="utf-8")
    pairs = ((int(i), float(v)) for i, v in zip(sums.trains, values, strict=True) if np.isfinite(v))
    products.start(TRAINS_CSV).write_text(
        _csv(("train", f"mean of its pixels / {sums.unit}"), pairs), encoding="utf-8"
    )
    return Pictures(
        detector=name,
        unit=sums.unit,
        modules=tuple(modules),
        low=low,
        high=high,
        trains=len(images.ids),
        trains_read=len(sums.trains),
        frames=sum(m.frames for m in modules),
        files=tuple(products.finish(each) for each in (DETECTOR, TRAINS, MODULES_CSV, TRAINS_CSV)),
    )


def _module(number: int, image: frames.Image, n: int) -> Module:
    good = image[np.isfinite(image)]
    low, high = np.percentile(good, (0.5, 99.5)) if good.size else (0.0, 0.0)
    mean = float(good.mean()) if good.size else 0.0
    return Module(number, n, mean, float(low), float(high), int(image.size - good.size))


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    for row in rows:
        writer.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in row])
    return text.getvalue()
