"""Physical detector units (PDU), and which of them a detector has or had."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import URLPattern

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.calcat import columns as c
from catalogue.faces.mymdc.calcat.asked import moment_of, numbers_of
from catalogue.faces.mymdc.calcat.kept import Kept
from catalogue.faces.mymdc.calcat.tables import Detectors, DetectorTypes
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import integer, refers, shown, text
from catalogue.faces.mymdc.errors import Missing
from catalogue.faces.mymdc.resource import Unique, at
from catalogue.ground.actor import Actor
from catalogue.ground.models import Detector, DetectorType, DetectorUnit
from runs.constants import entering, reading


def _types(actor: Actor) -> QuerySet[DetectorType]:
    return reading.detector_types()


def _detectors(actor: Actor) -> QuerySet[Detector]:
    return reading.all_of(Detector)


class Units(Kept):
    path, wrapper, kind = "physical_detector_units", "physical_detector_unit", DetectorUnit
    found = staticmethod(reading.units)
    columns = (
        text("physical_name", c.LONGEST, lookup="physical_name", required=True, fixed=True),
        c.said("karabo_da", read="aggregator", write="aggregator", lookup="aggregator"),
        c.said("virtual_device_name"),
        integer("uuid", lookup="uuid"),
        shown("float_uuid", lambda row: c.finite(row.float_uuid)),
        refers(
            "detector_type_id", _types,
            write="detector_type", lookup="detector_type", required=True,
        ),
        refers("detector_id", _detectors, write="detector", lookup="detector"),
        integer("module_number"),
        c.available(),
        c.description(),
        *c.entered(),
    )  # fmt: skip
    unique = (
        Unique(("physical_name",)),
        Unique(("karabo_da", "detector_id"), told=("karabo_da",)),
        Unique(("uuid",)),
    )

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return entering.enter_unit(by=call.actor, **values)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        entering.edit_unit(row, by=call.actor, **values)

    def more(self) -> list[URLPattern]:
        return [at(f"{self.path}/get_all_by_detector", get=self.by_detector)]

    def by_detector(self, call: Call) -> Answer:
        """The units of a detector, as of `pdu_snapshot_at`, with detector and type."""
        detector = reading.detectors().filter(pk__in=numbers_of(call, "detector_id")).first()
        there = reading.mounted(detector, at=moment_of(call, "pdu_snapshot_at")) if detector else []
        if not there or detector is None:
            raise Missing
        nested = Detectors().shown([detector])[0]
        return Answer([_whole(self, mounted, nested) for mounted in there])


def _whole(units: Units, mounted: reading.Mounted, detector: dict[str, Any]) -> dict[str, Any]:
    place = mounted.place
    return {
        **units.shown([mounted.unit])[0],
        "detector_id": place.detector,
        "karabo_da": place.aggregator,
        "virtual_device_name": place.virtual_device_name,
        "module_number": place.module_number,
        "detector": detector,
        "detector_type": DetectorTypes().shown([mounted.unit.detector_type])[0],
    }


def nested(unit: DetectorUnit, begin_at: Any) -> dict[str, Any]:
    """A unit within a version, with where it was when that began."""
    was = reading.place_of(unit, begin_at, or_first=True)
    return {
        "id": unit.pk,
        "physical_name": unit.physical_name,
        "detector_type_id": unit.detector_type_id,
        "flg_available": unit.available,
        "description": unit.description,
        "created_at": wire.shown(unit.created_at),
        "updated_at": wire.shown(unit.updated_at),
        "karabo_da": unit.aggregator,
        "detector_id": unit.detector_id,
        "virtual_device_name": unit.virtual_device_name,
        "uuid": unit.uuid,
        "float_uuid": c.finite(unit.float_uuid),
        "module_number": unit.module_number,
        "karabo_da_at_ccv_begin_at": was.aggregator if was else None,
        "detector_id_at_ccv_begin_at": was.detector if was else None,
        "virtual_device_name_at_ccv_begin_at": was.virtual_device_name if was else None,
        "module_number_at_ccv_begin_at": was.module_number if was else None,
    }
