"""Strict input: every fault of a body is told at once, and a field nobody knows is one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import SkipField, empty

from catalogue.ground.endpoints.faults import Faults
from catalogue.ground.endpoints.fields import Text
from catalogue.ground.inputs import Invalid

MOST_TOLD = 20
"""Fields nobody knows that are named in one answer; a body may have hundreds of thousands."""

_RULES = {"required": "is required", "null": "must not be null"}


class Input(serializers.Serializer[Any]):
    """The body of a call, apart from what is answered. Raises `Faults`."""

    def run_validation(self, data: Any = empty) -> Any:
        if not isinstance(data, Mapping):
            raise Faults([Invalid("body", "must be a JSON object", data)])
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        unknown = ((name, value) for name, value in data.items() if name not in self.fields)
        faults = [
            Invalid(str(name)[:200], "is not a field of this call", value)
            for name, value in islice(unknown, MOST_TOLD)
        ]
        found: dict[str, Any] = {}
        for name, field in self.fields.items():
            try:
                found[name] = field.run_validation(field.get_value(data))
            except Invalid as fault:
                faults.append(fault)
            except ValidationError as fault:
                codes = fault.get_codes()
                code = codes[0] if isinstance(codes, list) else ""
                faults.append(Invalid(name, _RULES.get(str(code), str(fault)), data.get(name)))
            except SkipField:
                continue
        if faults:
            raise Faults(faults)
        return found


class Nothing(Input):
    """A call without facts."""


class Reason(Input):
    """A reason; where one is needed and none is given the door itself says so."""

    reason = Text(2000, blank=True, required=False)
