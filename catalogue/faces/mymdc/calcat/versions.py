"""Versions of calibration constants (CCV), and how one is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import URLPattern

from catalogue.constants import selection
from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.calcat import columns as c
from catalogue.faces.mymdc.calcat import units
from catalogue.faces.mymdc.calcat.asked import moment_of, number_of, numbers_of
from catalogue.faces.mymdc.calcat.conditions import asked
from catalogue.faces.mymdc.calcat.constants import Constants
from catalogue.faces.mymdc.calcat.kept import Kept
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import Column, integer, moment, refers, text
from catalogue.faces.mymdc.errors import Missing, Wrong
from catalogue.faces.mymdc.resource import ITEM, Unique, at
from catalogue.ground import clock
from catalogue.ground.actor import Actor
from catalogue.ground.models import (
    Constant,
    ConstantReport,
    ConstantVersion,
    DetectorUnit,
)
from runs.constants import choosing, entering, reading


def _constants(actor: Actor) -> QuerySet[Constant]:
    return reading.constants()


def _units(actor: Actor) -> QuerySet[DetectorUnit]:
    return reading.units()


def _reports(actor: Actor) -> QuerySet[ConstantReport]:
    return reading.reports()


SCALARS: tuple[Column, ...] = (
    c.name(60),
    text("file_name", c.LONGEST, required=True),
    text("path_to_file", 1024, required=True),
    text("data_set_name", 512, required=True),
    c.yes("flg_deployed", "deployed"),
    c.yes("flg_good_quality", "good_quality"),
    moment("begin_validity_at"),
    moment("end_validity_at"),
    moment("begin_at", lookup="begin_at", required=True),
    integer("start_idx"),
    integer("end_idx"),
    c.said("raw_data_location", None),
    refers("report_id", _reports, write="report", lookup="report"),
    c.description(),
)
"""The clients give every member that is no object to a constructor, so there are no others."""


class Versions(Kept):
    path, wrapper, kind = (
        "calibration_constant_versions",
        "calibration_constant_version",
        (ConstantVersion),
    )
    found = staticmethod(reading.versions)
    verbs = frozenset({"index", "create", "show", "update"})
    columns = (
        *SCALARS,
        refers(
            "calibration_constant_id", _constants,
            read="constant_id", write="constant", lookup="constant", required=True, fixed=True,
        ),
        refers(
            "physical_detector_unit_id", _units,
            read="unit_id", write="unit", lookup="unit", required=True, fixed=True,
        ),
        Column("report.file_path", wire.text, write=None, lookup="report__file_path"),
    )  # fmt: skip
    unique = (
        Unique(("name",)),
        Unique(("calibration_constant_id", "physical_detector_unit_id", "begin_at")),
    )

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return entering.enter_version(by=call.actor, **values)

    def shown(self, rows: Sequence[ConstantVersion]) -> list[Any]:
        return [_shown(row) for row in rows]

    def more(self) -> list[URLPattern]:
        constant = f"calibration_constants/{ITEM}"
        return [
            at(f"{constant}/get_version", get=self.prior),
            at(f"{constant}/get_prior_in_time_version", get=self.prior),
            at(f"{constant}/get_closest_version", get=self.closest),
            at(f"{constant}/get_closest_version_by_detector", get=self.closest_by_detector),
            at(f"{constant}/get_all_versions", get=self.all),
            at(f"{self.path}/get_by_detector_conditions", get=self.by_detector_conditions),
        ]

    # The actions: constants are named by `calibration_constant_ids`, else by the address.

    def prior(self, call: Call, pk: str) -> Answer:
        """The version that began last, at `event_at` or before."""
        return self._one(call, pk, selection.prior)

    def closest(self, call: Call, pk: str) -> Answer:
        """The version that began nearest to `event_at`."""
        return self._one(call, pk, selection.closest)

    def _one(self, call: Call, pk: str, strategy: selection.Strategy) -> Answer:
        unit = number_of(call, "physical_detector_unit_id")
        return Answer(self._found(call, pk, [] if unit is None else [unit], strategy)[0])

    def closest_by_detector(self, call: Call, pk: str) -> Answer:
        """The same for each unit of a detector, or for the one behind `karabo_da`."""
        detector = reading.detectors().filter(pk__in=numbers_of(call, "detector_id")).first()
        there = reading.mounted(detector, aggregators=_aggregators(call)) if detector else []
        mounted = [one.unit.pk for one in there]
        return Answer(self._found(call, pk, mounted, selection.closest))

    def _found(
        self, call: Call, pk: str, mounted: list[int], strategy: selection.Strategy
    ) -> list[Any]:
        by_unit = choosing.of_constants(
            numbers_of(call, "calibration_constant_ids", pk), mounted,
            strategy=strategy, at=_at(call, "event_at"), snapshot_at=_at(call, "snapshot_at"),
        )  # fmt: skip
        return self._told(by_unit[unit] for unit in mounted if unit in by_unit)

    def all(self, call: Call, pk: str) -> Answer:
        """All versions for a unit, from the nearest in time on."""
        unit = number_of(call, "physical_detector_unit_id")
        ids = choosing.by_time(
            numbers_of(call, "calibration_constant_ids", pk), unit or 0,
            at=_at(call, "event_at"), snapshot_at=_at(call, "snapshot_at"),
        ) if unit is not None else []  # fmt: skip
        return Answer(self._told(ids))

    def _told(self, ids: Iterable[int]) -> list[Any]:
        rows = self.shown(choosing.told(ids))
        if not rows:
            raise Missing
        return rows

    def by_detector_conditions(self, call: Call) -> Answer:
        """For each unit of a detector and each calibration that is asked for the version under a
        condition that accepts the values in the body."""
        wanted = asked(call)
        name = call.query.get("detector_identifier") or ""
        detector = reading.detectors().filter(identifier=name).first()
        if wanted.unknown or detector is None:
            return Answer([])
        there = reading.mounted(
            detector, at=moment_of(call, "pdu_snapshot_at"), aggregators=_aggregators(call)
        )
        by_id = reading.kinds().in_bulk(numbers_of(call, "calibration_id"))
        kinds = [by_id[n] for n in numbers_of(call, "calibration_id") if n in by_id]
        found = choosing.by_condition(
            wanted.plain, kinds, [one.unit for one in there],
            strategy=_strategy(call), at=_at(call, "event_at"),
            snapshot_at=moment_of(call, "snapshot_at"),
        )  # fmt: skip
        order = [(one.unit.pk, kind.pk) for one in there for kind in kinds]
        return Answer(self.shown(choosing.told(found[key] for key in order if key in found)))


def _aggregators(call: Call) -> list[str]:
    named = call.query.get("karabo_da")
    return [named] if named else []


def _at(call: Call, name: str) -> datetime:
    return moment_of(call, name) or clock.now()


def _strategy(call: Call) -> selection.Strategy:
    # the published client misspells the name
    named = call.query.get("begin_at_strategy") or call.query.get("begin_strategy_at") or "closest"
    if named not in selection.STRATEGIES:
        words = ", ".join(selection.STRATEGIES)
        raise Wrong({"begin_at_strategy": [f"must be one of {words}"]})
    return selection.STRATEGIES[named]


def _shown(row: ConstantVersion) -> dict[str, Any]:
    return {
        "id": row.pk,
        **{column.name: column.of(row) for column in SCALARS},
        "created_at": wire.shown(row.created_at),
        "view_url": f"{settings.SITE_URL}/api/v1/constants/{row.pk}",
        "calibration_constant": Constants().shown([row.constant])[0],
        "physical_detector_unit": units.nested(row.unit, row.begin_at),
    }
