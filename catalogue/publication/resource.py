"""The facts a publication is made of, as plain frozen values.

Whoever has them (an app's `describe`) fills these in; every format is a function of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from urllib.parse import quote

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_ORCID = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]")
_ROR = re.compile(r"https://ror\.org/0[a-z0-9]{6}\d{2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PANET = re.compile(r"PaNET\d{5}")
# The complement of XML 1.0's production Char, and the C1 controls that it discourages.
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BETWEEN_WORDS = re.compile(r"[^\w]+")

_FOLDERS = {"RAW": "raw", "PROC": "proc", "REDU": "red"}


class Access(StrEnum):
    """What a reader from outside may have today."""

    OPEN = "open"
    EMBARGOED = "embargoed"
    METADATA_ONLY = "metadata only"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Organization:
    """`ror` is the whole URL, `https://ror.org/…`."""

    name: str
    ror: str | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        if not visible(self.name):
            raise ValueError("an organization needs a name")
        if self.ror is not None and not _ROR.fullmatch(self.ror):
            raise ValueError(f"not a ROR identifier: {self.ror!r}")

    @property
    def uri(self) -> str:
        """Its identifier in linked data: ROR, else its page, else a name within the document."""
        return self.ror or self.url or f"#organization-{slug(self.name)}"

    @property
    def page(self) -> str | None:
        """Where to read about it."""
        return self.url or self.ror


@dataclass(frozen=True, slots=True)
class Person:
    """`orcid` is the bare identifier, `0000-0002-1825-0097`; `role` is in the facility's words."""

    given: str
    family: str
    orcid: str | None = None
    affiliations: tuple[Organization, ...] = ()
    role: str = ""

    def __post_init__(self) -> None:
        if not visible(self.name):
            raise ValueError("a person needs a name")
        if self.orcid is not None and not (_ORCID.fullmatch(self.orcid) and _checks(self.orcid)):
            raise ValueError(f"not an ORCID identifier: {self.orcid!r}")

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}".strip()

    @property
    def sort_name(self) -> str:
        """`Family, Given`, as registrars and citations want it."""
        return ", ".join(part for part in (self.family.strip(), self.given.strip()) if part)

    @property
    def orcid_url(self) -> str | None:
        return f"https://orcid.org/{self.orcid}" if self.orcid else None

    @property
    def uri(self) -> str:
        """The ORCID's URL, else a name within the document; the place tells namesakes apart."""
        place = self.affiliations[0].name if self.affiliations else ""
        return self.orcid_url or f"#person-{slug(f'{self.name} {place}')}"


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom a reader may ask. `url` is a page (http or https), required by DataCrate 1.0."""

    name: str
    url: str
    email: str | None = None

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"a contact's url is a page on the web, not {self.url!r}")

    @property
    def uri(self) -> str:
        return f"mailto:{self.email}" if self.email else f"#contact-{slug(self.name)}"


@dataclass(frozen=True, slots=True)
class Instrument:
    """`pid` is a persistent URL of the instrument (a DOI's URL, a handle), if it has one."""

    name: str
    pid: str | None = None
    url: str | None = None
    description: str = ""

    @property
    def uri(self) -> str:
        return self.pid or self.url or f"#instrument-{slug(self.name)}"


@dataclass(frozen=True, slots=True)
class Technique:
    """`panet` is the term's identifier in the PaNET ontology, `PaNET01168`."""

    panet: str
    name: str

    def __post_init__(self) -> None:
        if not _PANET.fullmatch(self.panet):
            raise ValueError(f"not a PaNET identifier: {self.panet!r}")

    @property
    def uri(self) -> str:
        return f"http://purl.org/pan-science/PaNET/{self.panet}"


@dataclass(frozen=True, slots=True)
class License:
    """`id` is the SPDX identifier (`CC-BY-4.0`); `url` is the licence's own page."""

    id: str
    url: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Related:
    """Another work: `relation` is DataCite's word, said of this resource (`IsDerivedFrom`)."""

    identifier: str
    relation: str
    identifier_type: str = "DOI"
    title: str = ""
    resource_type: str | None = None

    @property
    def uri(self) -> str:
        if self.identifier_type == "DOI":
            return doi_url(self.identifier)
        return self.identifier


@dataclass(frozen=True, slots=True)
class Grant:
    funder: Organization
    number: str = ""
    title: str = ""
    url: str | None = None

    @property
    def uri(self) -> str:
        return self.url or f"#grant-{slug(f'{self.funder.name} {self.number} {self.title}')}"


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, both included."""

    begin: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.begin:
            raise ValueError(f"a period that ends ({self.end}) before it begins ({self.begin})")

    def __str__(self) -> str:
        return f"{self.begin.isoformat()}/{self.end.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """`available` is the day the data open (past or to come); `issued` the day of publication."""

    collected: tuple[Period, ...] = ()
    submitted: date | None = None
    issued: date | None = None
    available: date | None = None
    updated: date | None = None
    withdrawn: date | None = None

    @property
    def span(self) -> Period | None:
        """From the first day of the first beamtime to the last day of the last."""
        if not self.collected:
            return None
        return Period(
            min(period.begin for period in self.collected),
            max(period.end for period in self.collected),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A proposal's data as the world sees them.

    `url` is the landing page, `doi` the bare DOI (`10.5072/XFEL.EU-DATA-002012-00`) or None before
    there is one, `kind` says in words what it is, `sizes` and `formats` are for people.
    """

    doi: str | None
    url: str
    title: str
    abstract: str
    creators: tuple[Person, ...]
    contact: Contact
    publisher: Organization
    publication_year: int
    facility: Organization
    proposal: int
    dates: Dates
    license: License
    access: Access
    kind: str = "Experimental data"
    instruments: tuple[Instrument, ...] = ()
    techniques: tuple[Technique, ...] = ()
    contributors: tuple[Person, ...] = ()
    related: tuple[Related, ...] = ()
    grants: tuple[Grant, ...] = ()
    keywords: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    language: str = "en"
    version: str = ""
    sizes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.doi is not None and not _DOI.fullmatch(self.doi):
            raise ValueError(f"not a DOI: {self.doi!r}")
        if not visible(self.title):
            raise ValueError("a resource needs a title")
        if not self.creators:
            raise ValueError("a resource needs a creator")

    @property
    def doi_url(self) -> str | None:
        return doi_url(self.doi) if self.doi else None

    @property
    def uri(self) -> str:
        """What others should link to: the DOI's URL, or the landing page before there is one."""
        return self.doi_url or self.url

    @property
    def description(self) -> str:
        """The abstract, or a sentence made of the other facts where there is none."""
        if visible(self.abstract):
            return self.abstract.strip()
        where = ", ".join(instrument.name for instrument in self.instruments)
        place = f"{where} at {self.facility.name}" if where else self.facility.name
        return f"{self.title}. {self.kind} of proposal {self.proposal:06d}, taken at {place}."

    @property
    def citation(self) -> str:
        """As DataCite recommends it: creators (year). Title. Version. Publisher. Type. URL"""
        people = "; ".join(person.sort_name for person in self.creators)
        parts = [
            f"{people} ({self.publication_year})",
            self.title.strip(),
            f"Version {self.version}" if self.version else "",
            self.publisher.name,
            "Dataset",
        ]
        return ". ".join(part.rstrip(".") for part in parts if part) + f". {self.uri}"


@dataclass(frozen=True, slots=True)
class FileFact:
    """One file to be published.

    `path` is its name within the folder of its data group (`RAW-R0001-DA01-S00000.h5`), `kind` the
    data group's kind (`RAW`, `PROC` …; empty for a file that stands beside the data groups).
    """

    path: str
    bytes: int
    sha256: str
    description: str
    encoding_format: str
    run: int | None
    kind: str

    def __post_init__(self) -> None:
        if self.bytes < 0:
            raise ValueError(f"{self.path}: a size below zero")
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"{self.path}: a sha256 has 64 hexadecimal digits in lower case")

    @property
    def folder(self) -> str:
        """Its folder in a package, with a trailing slash (`raw/r0001/`), empty at the root."""
        kind = _FOLDERS.get(self.kind, self.kind.lower())
        run = f"r{self.run:04d}" if self.run is not None else ""
        return "".join(f"{part}/" for part in (kind, run) if part)

    @property
    def place(self) -> str:
        """Its path in a package: `raw/r0001/RAW-R0001-DA01-S00000.h5`."""
        return self.folder + self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFact:
    """One run; `kind` is its experiment type ("LCP SFX"), `quality` its assessment in words."""

    number: int
    kind: str = ""
    sample: str = ""
    techniques: tuple[Technique, ...] = ()
    quality: str = ""
    began_at: datetime | None = None
    ended_at: datetime | None = None
    instruments: tuple[Instrument, ...] = ()

    @property
    def uri(self) -> str:
        return f"#run-{self.number:04d}"


def doi_url(doi: str) -> str:
    """The resolver's address of a bare DOI; what a URL cannot hold is percent-encoded."""
    return "https://doi.org/" + quote(doi, safe="/:;()._-~!$'*+,=@")


def visible(text: str) -> str:
    """`text` without what XML cannot hold (control characters, lone surrogates), stripped."""
    return _NOT_IN_XML.sub("", text).strip()


def slug(text: str) -> str:
    """`text` as the end of an identifier within a document: lower case, words joined by hyphens."""
    return _BETWEEN_WORDS.sub("-", text.strip().lower()).strip("-")


def _checks(orcid: str) -> bool:
    """ISO 7064 mod 11-2 over the first fifteen digits."""
    digits = orcid.replace("-", "")
    total = 0
    for digit in digits[:15]:
        total = (total + int(digit)) * 2
    expected = (12 - total % 11) % 11
    return digits[15] == ("X" if expected == 10 else str(expected))
