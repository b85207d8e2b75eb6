"""The facility: instruments, cycles, techniques, run types, a detector, stores and their routes."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from catalogue.demo import facility
from catalogue.ground import clock
from catalogue.ground.models import (
    Cycle,
    Detector,
    DetectorInstrument,
    DetectorType,
    DetectorUnit,
    ExperimentType,
    Instrument,
    Recorded,
    Route,
    Store,
    Technique,
    Topic,
)
from catalogue.ports.engines import agipd
from runs.models import CauseTag


def enter_facility(today: date) -> None:
    """What does not change with the folder the demo lies in; the cycle of `today` is added."""
    for identifier, name, topic in facility.INSTRUMENTS:
        place = Topic.objects.get_or_create(name=topic)[0]
        _enter(Instrument, {"name": name, "topic": place}, identifier=identifier)
    for cycle, begins, ends in (*facility.CYCLES, _cycle(today)):
        Cycle.objects.get_or_create(
            identifier=cycle,
            instrument=None,
            defaults={"begin_at": _midnight(begins), "end_at": _midnight(ends)},
        )
    for panet, name in facility.TECHNIQUES:
        _enter(Technique, {"name": name}, identifier=panet)
    for kind in facility.RUN_TYPES:
        _enter(
            ExperimentType,
            {
                "identifier": kind.name.upper().replace(" ", "_"),
                "is_dark": kind.is_dark,
                "calibrates_by_itself": kind.calibrates,
            },
            name=kind.name,
        )
    for cause in facility.CAUSES:
        CauseTag.objects.get_or_create(name=cause)
    _enter_detector()


def _enter(table: type[Recorded], values: dict[str, Any], **key: str) -> None:
    """A row with these values. One that has them is left alone: its history tells of changes."""
    row, made = table._default_manager.get_or_create(**key, defaults=values)
    changed = {n: v for n, v in values.items() if not made and getattr(row, n) != v}
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        row.save(update_fields=list(changed))


def _cycle(today: date) -> tuple[str, date, date]:
    first, last = ((1, 1), (6, 30)) if today.month <= 6 else ((7, 1), (12, 31))
    return facility.cycle_of(today), date(today.year, *first), date(today.year, *last)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, clock.facility_zone())


def _enter_detector() -> None:
    kind, _ = DetectorType.objects.get_or_create(name=facility.DETECTOR_TYPE)
    spb = Instrument.objects.get(identifier="SPB")
    detector, _ = Detector.objects.get_or_create(
        identifier=facility.DETECTOR,
        defaults={
            "name": facility.DETECTOR,
            "karabo_name": facility.DETECTOR,
            "number_of_modules": facility.MODULES,
            "first_module_index": 0,
        },
    )
    DetectorInstrument.objects.get_or_create(detector=detector, instrument=spb)
    for module in range(facility.MODULES):
        DetectorUnit.objects.get_or_create(
            detector=detector,
            aggregator=agipd.unit_name(module),
            defaults={
                "physical_name": f"AGIPD_SIV1_AGIPDV11_M{301 + module}",
                "detector_type": kind,
                "module_number": module,
            },
        )


def enter_stores(below: Path, way: str) -> None:
    """Every store is a folder; where the demo's folder was moved, the mounts move with it."""
    for store in facility.STORES:
        mount = below / store.identifier
        mount.mkdir(parents=True, exist_ok=True)
        # Movers take an empty mount point for a store that is not mounted.
        (mount / facility.MARK).write_text(f"{store.identifier}\n")
        _enter(
            Store,
            {
                "name": store.name,
                "mount": str(mount),
                "tier": store.tier,
                "agent": store.agent(way),
                # Programs name a store's agent, ours too.
                "agent_identifier": f"demo-{store.identifier}",
                "rank": store.rank,
                "prepares_folders": store.prepares_folders,
                "trash_seconds": store.trash_seconds,
                "quota_bytes": store.quota_bytes,
            },
            identifier=store.identifier,
        )
    for purpose, kind, source, destination in facility.ROUTES:
        Route.objects.get_or_create(
            purpose=purpose,
            kind=kind,
            source=Store.objects.get(identifier=source),
            destination=Store.objects.get(identifier=destination),
        )
