"""The tree `/calibration/api/`: the constants catalogue as the field's programs know it."""

from __future__ import annotations

from django.urls import URLPattern

from catalogue.faces.mymdc.calcat.conditions import Conditions
from catalogue.faces.mymdc.calcat.constants import Constants
from catalogue.faces.mymdc.calcat.tables import (
    Calibrations,
    Detectors,
    DetectorTypes,
    Instruments,
    Parameters,
    Reports,
    Units,
    me,
)
from catalogue.faces.mymdc.calcat.units import Units as DetectorUnits
from catalogue.faces.mymdc.calcat.versions import Versions
from catalogue.faces.mymdc.resource import Resource, at

RESOURCES: tuple[type[Resource], ...] = (
    DetectorTypes,
    Detectors,
    DetectorUnits,
    Parameters,
    Calibrations,
    Conditions,
    Constants,
    Versions,
    Reports,
    Instruments,
    Units,
)


def urls() -> list[URLPattern]:
    """The addresses below `/calibration/api/`."""
    return [at("me", get=me), *(url for resource in RESOURCES for url in resource().urls())]
