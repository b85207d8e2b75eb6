"""The one clock. Everything that asks what time it is asks here, so that a test can hold it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.conf import settings


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def facility_zone() -> ZoneInfo:
    """The zone in which the facility's days begin and end (setting FACILITY_TIME_ZONE)."""
    return ZoneInfo(settings.TIME_ZONE)
