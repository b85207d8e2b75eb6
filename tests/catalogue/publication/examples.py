"""A proposal's data as a publication: the facility's published example, with invented people."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

from catalogue.publication.resource import (
    Access,
    Contact,
    Dates,
    FileFact,
    Grant,
    Instrument,
    License,
    Organization,
    Period,
    Person,
    Related,
    Resource,
    RunFact,
    Technique,
)

XFEL = Organization("European XFEL", "https://ror.org/01wp2jz98", "https://www.xfel.eu")
DESY = Organization("Deutsches Elektronen-Synchrotron DESY", "https://ror.org/01js2sh04")
PROPOSER = Person("Josiah", "Carberry", "0000-0002-1825-0097", (DESY,), "principal investigator")
SCIENTIST = Person("Zoë", "Müller-Ångström", "0000-0001-5109-3700", (XFEL, DESY))
SFX = Technique("PaNET01168", "serial femtosecond crystallography")
CREATED = date(2026, 11, 22)

RESOURCE = Resource(
    doi="10.5072/XFEL.EU-DATA-002012-00",
    url="https://catalogue.example/data/002012",
    title="Serial Femtosecond Crystallography at MHz repetition rates",
    abstract="Microcrystals of lysozyme in a liquid jet.\n\nFirst <experiment> at 1.1 MHz & after.",
    creators=(PROPOSER, SCIENTIST),
    contact=Contact("Data management", "https://www.xfel.eu/data", "data@xfel.example"),
    publisher=XFEL,
    publication_year=2021,
    facility=XFEL,
    proposal=2012,
    dates=Dates(
        collected=(
            Period(date(2017, 9, 14), date(2017, 9, 19)),
            Period(date(2018, 3, 29), date(2018, 4, 2)),
        ),
        submitted=date(2018, 6, 1),
        issued=date(2018, 6, 4),
        available=date(2021, 4, 2),
    ),
    license=License(
        "CC-BY-4.0",
        "https://creativecommons.org/licenses/by/4.0/",
        "Creative Commons Attribution 4.0 International",
        "Share and adapt, with credit.",
    ),
    access=Access.OPEN,
    instruments=(Instrument("SPB/SFX", url="https://www.xfel.eu/spb", description="Imaging"),),
    techniques=(SFX,),
    related=(Related("10.1038/s41467-018-06156-7", "IsCitedBy", title="Megahertz SFX"),),
    grants=(Grant(DESY, "H2020-1", "A grant", "https://grants.example/1"),),
    keywords=("lysozyme", "liquid jet"),
    sizes=("3 files", "60 bytes"),
    formats=("application/x-hdf5",),
)

RUNS = (
    RunFact(
        number=1,
        kind="LCP SFX",
        sample="lysozyme",
        techniques=(SFX,),
        quality="Good",
        began_at=datetime(2017, 9, 14, 20, 0, tzinfo=UTC),
        ended_at=datetime(2017, 9, 14, 20, 5, tzinfo=UTC),
    ),
    RunFact(number=2, kind="Test DAQ"),
)


def content_of(fact: FileFact) -> bytes:
    """The bytes of a file made by `fact`."""
    return f"bytes of {fact.path}".encode()


def fact(path: str, *, run: int | None = 1, kind: str = "RAW") -> FileFact:
    """A file whose bytes are known (`content_of`)."""
    content = f"bytes of {path}".encode()
    return FileFact(
        path=path,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        description=f"{kind} file {path}",
        encoding_format="application/x-hdf5",
        run=run,
        kind=kind,
    )


FILES = (
    fact("RAW-R0001-DA01-S00000.h5"),
    fact("RAW-R0001-AGIPD00-S00000.h5"),
    fact("CORR-R0001-AGIPD00-S00000.h5", kind="PROC"),
    fact("RAW-R0002-DA01-S00000.h5", run=2),
)


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Write `files` (path in the folder to content)."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
