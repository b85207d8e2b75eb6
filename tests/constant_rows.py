"""A small catalogue of constants for tests: kinds, parameters, conditions, versions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from catalogue.constants.conditions import Stored
from catalogue.ground.actor import COMMAND
from catalogue.ground.models import (
    CalibrationKind,
    CalibrationParameter,
    Condition,
    ConstantVersion,
    DetectorUnit,
)
from runs.constants import entering
from tests.factories import BEGIN


class Catalogue:
    """Enters rows by the verbs; everything has a default that a test may say otherwise."""

    def __init__(self) -> None:
        self.bias = self.parameter("Sensor Bias Voltage")
        self.cells = self.parameter("Memory cells", text=True)
        self.offset = entering.enter(CalibrationKind, by=COMMAND, name="Offset")
        self.noise = entering.enter(CalibrationKind, by=COMMAND, name="Noise")
        self._made = 0

    def parameter(self, name: str, **facts: Any) -> CalibrationParameter:
        return entering.enter(CalibrationParameter, by=COMMAND, name=name, **facts)

    def condition(
        self, *more: tuple[CalibrationParameter, float], bias: float = 300.0
    ) -> Condition:
        """300 ± 5 V, 352 memory cells."""
        values = {self.bias: Stored(bias, 5.0, 5.0), self.cells: Stored("0,1,2,")}
        values |= {parameter: Stored(value) for parameter, value in more}
        row, _ = entering.enter_condition(
            by=COMMAND,
            name=" ".join(f"{p} {one.value}" for p, one in values.items()),
            values=values,
        )
        return row

    def version(
        self, unit: DetectorUnit, condition: Condition, *, hours: float = 0,
        kind: CalibrationKind | None = None, **facts: Any,
    ) -> ConstantVersion:  # fmt: skip
        """Measured `hours` after BEGIN, and entered then."""
        self._made += 1
        begin: datetime = BEGIN + timedelta(hours=hours)
        constant = entering.constant_of(
            kind or self.offset, unit.detector_type, condition, by=COMMAND
        )
        given = {
            "name": f"version {self._made}", "file_name": "cal.h5", "path_to_file": "agipd",
            "data_set_name": "AGIPD/Offset/0", "created_at": begin, **facts,
        }  # fmt: skip
        return entering.enter_version(
            by=COMMAND, constant=constant, unit=unit, begin_at=begin, **given
        )

    def asked(self, bias: float = 302.0) -> dict[int, float | str]:
        return {self.bias.pk: bias, self.cells.pk: "0,1,"}
