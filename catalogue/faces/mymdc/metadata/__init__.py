"""`/metadata/api/`: proposals, runs and their data."""

from django.urls import URLPattern

from catalogue.faces.mymdc.metadata import (
    contents,
    daq,
    data,
    facility,
    files,
    identifiers,
    numbered,
    people,
    proposals,
    runs,
    team,
    values,
    vocabularies,
)
from catalogue.faces.mymdc.resource import Resource

RESOURCES: tuple[type[Resource], ...] = (
    *vocabularies.RESOURCES,
    *facility.RESOURCES,
    *people.RESOURCES,
    *proposals.RESOURCES,
    *numbered.RESOURCES,
    *team.RESOURCES,
    *contents.RESOURCES,
    *daq.RESOURCES,
    *identifiers.RESOURCES,
    *runs.RESOURCES,
    *data.RESOURCES,
    *files.RESOURCES,
    *values.RESOURCES,
)


def urls() -> list[URLPattern]:
    """The addresses below `/metadata/api/`."""
    return [url for resource in RESOURCES for url in resource().urls()]
