"""The words a facility chooses from: kinds of data, of runs, of samples, units, topics …"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from catalogue.faces.mymdc.columns import Column, flag, text
from catalogue.faces.mymdc.resource import Unique
from catalogue.faces.mymdc.table import Table
from catalogue.ground.models import (
    DataKind,
    DataType,
    ExperimentType,
    Facility,
    InstrumentType,
    ParameterType,
    SampleType,
    Topic,
    Unit,
)
from catalogue.ground.models.recorded import Recorded

NAME = text("name", 60, required=True, lookup="name")
IDENTIFIER = text("identifier", 120, required=True, lookup="identifier")
AVAILABLE = flag("flg_available", write="available", read="available", default=True, empty=True)
DESCRIPTION = text("description")
NAMED_ONCE = (Unique(("identifier",)), Unique(("name",)))


def _terms(named: str, one: str, table: type[Recorded], *more: Column) -> type[Table]:
    """A resource whose rows have a name and an identifier."""

    class Terms(Table):
        path: ClassVar[str] = named
        wrapper: ClassVar[str] = one
        model: ClassVar[type[Recorded]] = table
        columns: ClassVar[Sequence[Column]] = (NAME, IDENTIFIER, AVAILABLE, DESCRIPTION, *more)
        unique: ClassVar[Sequence[Unique]] = NAMED_ONCE

    return Terms


class Topics(Table):
    path = "topics"
    wrapper = "topic"
    model = Topic
    columns = (NAME, AVAILABLE, DESCRIPTION)
    unique = (Unique(("name",)),)


class Units(Table):
    path = "units"
    wrapper = "unit"
    model = Unit
    columns = (
        NAME,
        IDENTIFIER,
        text("symbol", 32, required=True, lookup="symbol"),
        text("origin", 60, required=True),
        AVAILABLE,
        DESCRIPTION,
    )
    unique = NAMED_ONCE


RESOURCES: tuple[type[Table], ...] = (
    _terms("data_group_types", "data_group_type", DataKind),
    _terms("data_types", "data_type", DataType),
    _terms("experiment_types", "experiment_type", ExperimentType),
    _terms("facilities", "facility", Facility, text("doi", 255, lookup="doi")),
    _terms("instrument_types", "instrument_type", InstrumentType),
    _terms("parameter_types", "parameter_type", ParameterType),
    _terms(
        "sample_types",
        "sample_type",
        SampleType,
        text(
            "flg_proposal_system",
            32,
            read="proposal_system",
            write="proposal_system",
            lookup="proposal_system",
        ),
    ),
    Topics,
    Units,
)
