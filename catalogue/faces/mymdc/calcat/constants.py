"""Calibration constants (CC): one calibration for one detector type under one condition."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import URLPattern

from catalogue.faces.mymdc.calcat import columns as c
from catalogue.faces.mymdc.calcat.asked import number_of, numbers_of
from catalogue.faces.mymdc.calcat.kept import Kept
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import refers
from catalogue.faces.mymdc.errors import Missing
from catalogue.faces.mymdc.resource import ITEM, Unique, at
from catalogue.ground.actor import Actor
from catalogue.ground.models import CalibrationKind, Condition, Constant, DetectorType
from runs.constants import reading


def _types(actor: Actor) -> QuerySet[DetectorType]:
    return reading.detector_types()


def _kinds(actor: Actor) -> QuerySet[CalibrationKind]:
    return reading.kinds()


def _conditions(actor: Actor) -> QuerySet[Condition]:
    return reading.all_of(Condition)


class Constants(Kept):
    path, wrapper, kind = "calibration_constants", "calibration_constant", Constant
    found = staticmethod(reading.constants)
    columns = (
        c.name(),
        refers(
            "detector_type_id", _types,
            write="detector_type", lookup="detector_type", required=True,
        ),
        refers(
            "calibration_id", _kinds, read="kind_id", write="kind", lookup="kind", required=True
        ),
        refers("condition_id", _conditions, write="condition", lookup="condition", required=True),
        c.yes("flg_auto_approve", "auto_approve"),
        c.available(),
        c.description(),
        *c.entered(),
    )  # fmt: skip
    unique = (
        Unique(("name",)),
        Unique(
            ("detector_type_id", "calibration_id", "condition_id"),
            told=("detector_type", "calibration", "condition"),
        ),
    )

    def more(self) -> list[URLPattern]:
        calibration = f"calibrations/{ITEM}"
        return [
            at(f"{calibration}/get_calibration_constant", get=self.of_condition),
            at(f"{calibration}/get_all_calibration_constants", get=self.of_conditions),
        ]

    def of_condition(self, call: Call, pk: str) -> Answer:
        """The constant of a calibration, a detector type and a condition."""
        rows = self._of(call, pk, [number_of(call, "condition_id")])
        if not rows:
            raise Missing
        return Answer(rows[0])

    def of_conditions(self, call: Call, pk: str) -> Answer:
        """The same for several conditions."""
        rows = self._of(call, pk, list(numbers_of(call, "condition_ids")))
        if not rows:
            raise Missing
        return Answer(rows)

    def _of(self, call: Call, pk: str, conditions: list[Any]) -> list[dict[str, Any]]:
        rows = self.rows(call.actor).filter(
            kind__in=numbers_of(call, "calibration_id", pk),
            detector_type=number_of(call, "detector_type_id"),
            condition__in=conditions,
        )
        return self.shown(list(rows.order_by("pk")))
