"""Columns that the resources of the constants catalogue share."""

from __future__ import annotations

import math
from typing import Any

from django.db.models import QuerySet

from catalogue.faces.mymdc.columns import Column, flag, refers, text
from catalogue.faces.mymdc.columns import shown as told
from catalogue.ground.actor import Actor
from catalogue.ground.models import Unit
from runs.constants import reading

LONGEST = 255


def name(longest: int = LONGEST, **more: Any) -> Column:
    return text("name", longest, lookup="name", required=True, **more)


def said(column: str, longest: int | None = LONGEST, **more: Any) -> Column:
    """An optional text: null is given back as null, and "" as ""."""
    return text(column, longest, **{"empty": None, **more})


def yes(column: str, read: str, default: bool = True, **more: Any) -> Column:
    """A flag that is never null."""
    return flag(column, read=read, write=read, default=default, empty=default, **more)


def available() -> Column:
    return yes("flg_available", "available")


def description() -> Column:
    return said("description", None)


def entered() -> tuple[Column, Column]:
    """When a row was entered and changed last."""
    return told("created_at", "created_at"), told("updated_at", "updated_at")


def units(actor: Actor) -> QuerySet[Unit]:
    return reading.all_of(Unit)


def unit_id(**more: Any) -> Column:
    return refers("unit_id", units, write="unit", lookup="unit", required=True, **more)


def finite(value: float | None) -> float | None:
    """A number that JSON can hold, else none."""
    return value if value is not None and math.isfinite(value) else None
