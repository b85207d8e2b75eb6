"""The demo facility as plain values: what the loader enters and the scripted beamtime relies on.

Instruments, cycles and the numbers and titles of the proposals are the facility's published
examples; the people are invented, and so is what their proposals found.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")

# ---------------------------------------------------------------- people

PASSWORD = "only-for-the-demo"  # published: every demo login has it


AFFILIATION, AFFILIATION_ROR = "European XFEL", "https://ror.org/01wp2jz98"


@dataclass(frozen=True, slots=True)
class Somebody:
    """A demo login. `office` is a role of the facility, `at` the instrument it is held at. The
    ORCIDs are well-formed, and beyond the blocks from which real ones are given out."""

    login: str
    first: str
    last: str
    orcid: str
    does: str
    office: str = ""
    at: str = ""

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def email(self) -> str:
        return f"{self.login}@demo.example"


PEOPLE = (
    Somebody("keller", "Hanna", "Keller", "0009-0099-0000-0013", "principal investigator"),
    Somebody("moreau", "Luc", "Moreau", "0009-0099-0000-0021", "main proposer"),
    Somebody("weber", "Jan", "Weber", "0009-0099-0000-011X", "deputy of the investigator"),
    Somebody("okafor", "Chidi", "Okafor", "0009-0099-0000-003X", "scientist on shift"),
    Somebody("lindqvist", "Maja", "Lindqvist", "0009-0099-0000-0048", "reads the data"),
    Somebody(
        "contact", "Ines", "Duarte", "0009-0099-0000-0056", "local contact", "local_contact", "SPB"
    ),
    Somebody(
        *("nowak", "Piotr", "Nowak", "0009-0099-0000-0064", "at SPB"),
        *("instrument_scientist", "SPB"),
    ),
    Somebody(
        *("leader", "Aiko", "Tanaka", "0009-0099-0000-0072", "reviews at SPB"),
        *("instrument_leader", "SPB"),
    ),
    Somebody(
        *("rossi", "Carla", "Rossi", "0009-0099-0000-0128", "deputy leader at SPB"),
        *("deputy_leader", "SPB"),
    ),
    Somebody("office", "Ruth", "Alvarez", "0009-0099-0000-0080", "user office", "user_office"),
    Somebody("manager", "Tom", "Berg", "0009-0099-0000-0099", "data manager", "data_manager"),
    Somebody("auditor", "Vera", "Simic", "0009-0099-0000-0101", "auditor", "auditor"),
)


@dataclass(frozen=True, slots=True)
class Program:
    """A service account and the scopes of its token."""

    login: str
    name: str
    scopes: tuple[str, ...]

    @property
    def email(self) -> str:
        return f"{self.login}@demo.example"


DAQ = Program("daq-spb", "SPB DAQ", ("daq",))
TRANSFER = Program("transfer", "Transfer service", ("transfer",))
PROGRAMS = (
    DAQ,
    TRANSFER,
    Program("reporting", "User office's system", ("adopt",)),
)

# Which program records and which one copies to the offline store: those of the demo's script and of
# our worker, or two that speak through the published `metadata_client`, each with an OAuth2
# application that acts for the service account of the same work.
NATIVE, METADATA_CLIENT = "native", "metadata_client"
WAYS = (NATIVE, METADATA_CLIENT)
CLIENT_PROGRAMS = (DAQ, TRANSFER)

# ---------------------------------------------------------------- the facility

INSTRUMENTS = (
    ("SPB", "Single Particles, Biomolecules & Serial Femtosecond Crystallography", "SA1"),
    ("FXE", "Femtosecond X-ray Experiments", "SA1"),
    ("MID", "Materials Imaging and Dynamics", "SA2"),
    ("HED", "High Energy Density Science", "SA2"),
    ("SCS", "Spectroscopy and Coherent Scattering", "SA3"),
    ("SQS", "Small Quantum Systems", "SA3"),
)
CYCLES = (
    ("201701", date(2017, 9, 1), date(2018, 6, 30)),
    ("202301", date(2023, 1, 1), date(2023, 6, 30)),
    ("202501", date(2025, 1, 1), date(2025, 6, 30)),
)
# From the PaNET ontology (ExPaNDS, https://doi.org/10.5281/zenodo.4806026), CC-BY 4.0.
TECHNIQUES = (
    ("PaNET01168", "serial femtosecond crystallography"),
    ("PaNET01309", "time resolved serial femtosecond crystallography"),
    ("PaNET01188", "small angle x-ray scattering"),
    ("PaNET01183", "resonant inelastic x-ray scattering"),
    ("PaNET01196", "x-ray absorption spectroscopy"),
    ("PaNET01200", "x-ray emission spectroscopy"),
    ("PaNET01205", "x-ray photon correlation spectroscopy"),
    ("PaNET01216", "x-ray diffraction"),
)
SFX = "PaNET01168"


@dataclass(frozen=True, slots=True)
class RunType:
    """`calibrates`: whether automatic calibration may start for runs of this type."""

    name: str
    is_dark: bool = False
    calibrates: bool = True


DARK = RunType("Dark", is_dark=True, calibrates=False)
TEST_DAQ = RunType("Test DAQ", calibrates=False)
LCP_SFX = RunType("LCP SFX")
RUN_TYPES = (DARK, TEST_DAQ, LCP_SFX, RunType("Water jet"), RunType("Calibration"))

# Why a run is as it is, apart from its mark.
CAUSES = (
    *("alignment", "beam lost", "beam unstable", "detector fault", "jet unstable"),
    *("shutter closed", "wrong sample", "wrong settings"),
)

DETECTOR = "SPB_DET_AGIPD1M-1"
DETECTOR_TYPE = "AGIPD-Type"
MODULES = 16


MARK = ".store"  # a file at the mount point of each store, which shows that it is mounted


@dataclass(frozen=True, slots=True)
class Storage:
    """A store, as a folder below the demo's data. `trash_seconds`: as the policy, in seconds."""

    identifier: str
    name: str
    tier: str
    rank: int
    prepares_folders: bool = False
    trash_seconds: int = 3
    quota_bytes: int | None = None

    def agent(self, way: str) -> str:
        """Who brings data here: a mover of ours, or a program that reports."""
        outside = way == METADATA_CLIENT and self.identifier == BROUGHT_BY_TRANSFER
        return "external" if outside else "posix"


BROUGHT_BY_TRANSFER = "offline"
STORES = (
    Storage(
        "online",
        "Online store at the instruments",
        "online",
        10,
        prepares_folders=True,
        quota_bytes=2 * 10**9,
    ),
    Storage(
        "offline",
        "Offline store for analysis",
        "offline",
        20,
        prepares_folders=True,
        quota_bytes=5 * 10**9,
    ),
    Storage("mass_storage", "Mass storage", "mass_storage", 30),
    Storage("export", "Export to readers", "export", 40),
    Storage("constants", "Calibration constants", "offline", 50),
    Storage("artifacts", "Reports and previews", "offline", 60),
)
# Purpose, kind of data, from, to.
ROUTES = (
    ("migrate", "RAW", "online", "offline"),
    ("archive", "RAW", "offline", "mass_storage"),
    ("archive", "PROC", "offline", "mass_storage"),
)

# ---------------------------------------------------------------- proposals of the past


def local(year: int, month: int, day: int, hour: int = 8) -> datetime:
    """A moment by the facility's clock."""
    return datetime(year, month, day, hour, tzinfo=ZONE)


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run of the past: its files are small, from one detector module."""

    number: int
    type: RunType
    began_at: datetime
    quality: str = ""
    sample: str = ""
    causes: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastHold:
    """A hold that `by` placed, and that `asked_by` asks to lift: it waits for a second person."""

    by: str
    reason: str
    asked_by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastProposal:
    """A proposal that the demo facility has from before, as other systems reported it."""

    number: int
    title: str
    abstract: str
    instrument: str
    cycle: str
    state: str
    beamtimes: tuple[tuple[datetime, datetime], ...]
    kind: str = "user"
    derived_from: int | None = None
    metadata_public: bool = True
    reviewed_at: datetime | None = None
    released_at: datetime | None = None
    leader: str = "keller"
    members: tuple[str, ...] = ("okafor", "moreau")
    runs: tuple[PastRun, ...] = ()
    hold: PastHold | None = None


MHZ = "Serial Femtosecond Crystallography at MHz repetition rates"
PAST = (
    PastProposal(
        number=2012,
        title=MHZ,
        abstract="The first user experiment at the instrument: diffraction of protein "
        "microcrystals in a liquid jet, at pulse repetition rates of more than one megahertz.",
        instrument="SPB",
        cycle="201701",
        state="FR",
        beamtimes=(
            (local(2017, 9, 14), local(2017, 9, 19)),
            (local(2018, 3, 29), local(2018, 4, 2)),
        ),
        reviewed_at=local(2018, 5, 28, 14),
        released_at=local(2021, 4, 2),
        runs=(
            PastRun(57, LCP_SFX, local(2017, 9, 16, 21), "good", "lysozyme"),
            PastRun(
                *(58, LCP_SFX, local(2017, 9, 16, 22), "unclear", "lysozyme", ("beam lost",)),
                comment="no beam from the second half on; the jet was fine",
            ),
        ),
    ),
    PastProposal(
        number=3493,
        title=f"{MHZ} (derived from proposal 002012)",
        abstract="A further analysis of the data of an earlier proposal, with the beamtime that "
        "completed them.",
        instrument="SPB",
        cycle="202501",
        state="FR",
        beamtimes=((local(2025, 4, 8), local(2025, 4, 11)),),
        derived_from=2012,
        reviewed_at=local(2025, 6, 2, 10),
        runs=(PastRun(12, LCP_SFX, local(2025, 4, 9, 3), "good", "lysozyme"),),
        hold=PastHold(
            by="contact",
            reason="The detector group compares its gain with that of later runs.",
            asked_by="manager",
            why="The comparison was finished in spring.",
        ),
    ),
    PastProposal(
        number=3492,
        title="Sample delivery at MHz repetition rates (derived from proposal 002012)",
        abstract="Jets and injectors for crystals of membrane proteins, after an earlier proposal.",
        instrument="SPB",
        cycle="202501",
        state="FR",
        beamtimes=((local(2025, 5, 6), local(2025, 5, 8)),),
        derived_from=2012,
        metadata_public=False,
        reviewed_at=local(2025, 6, 16, 10),
        leader="moreau",
        members=("lindqvist",),
        runs=(PastRun(7, LCP_SFX, local(2025, 5, 7, 2), "good", "bacteriorhodopsin"),),
    ),
    PastProposal(
        number=900054,
        title="Commissioning of the 1-megapixel detector",
        abstract="Test runs of detector and data acquisition.",
        instrument="SPB",
        cycle="202301",
        state="I",
        kind="commissioning",
        beamtimes=((local(2023, 2, 20), local(2023, 2, 24)),),
        leader="nowak",
        members=("contact",),
        runs=(
            PastRun(1, TEST_DAQ, local(2023, 2, 21, 9)),
            PastRun(2, TEST_DAQ, local(2023, 2, 21, 10)),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class ComingProposal:
    """A proposal that was accepted and waits for its preparation; its beamtime is so many days
    ahead of the day on which the demo is entered."""

    number: int
    title: str
    instrument: str
    days_ahead: int
    kind: str = "user"
    leader: str = ""


COMING = (
    ComingProposal(
        900061, "Conformational landscapes of a single virus particle", "SPB", 24, leader="moreau"
    ),
    ComingProposal(900062, "Jets for crystals that are scarce", "SPB", 45, leader="lindqvist"),
    ComingProposal(900063, "Commissioning of the second interaction region", "SPB", 60,
                   kind="commissioning"),
    ComingProposal(900064, "Spin crossover followed by its X-ray emission", "FXE", 31,
                   leader="moreau"),
)  # fmt: skip

# ---------------------------------------------------------------- the proposal that is played

PLAYED = 900060
TITLE = "Structure of a light-driven ion pump by serial crystallography at MHz repetition rates"
ABSTRACT = (
    "Microcrystals of a membrane protein are brought into the beam in a lipidic cubic phase, and "
    "diffraction is recorded at more than a million pulses a second."
)
TEAM = (
    ("keller", "pi", 2),
    ("moreau", "proposer", 2),
    ("weber", "deputy", 2),
    ("okafor", "member", 2),
    ("lindqvist", "member", 1),
)


def cycle_of(day: date) -> str:
    """The cycle in which `day` lies, e.g. "202602"."""
    return f"{day.year}{1 if day.month <= 6 else 2:02d}"


def logins() -> list[dict[str, str]]:
    """What the sign-in page of the demo shows."""
    return [
        {"login": one.login, "password": PASSWORD, "name": one.name, "role": one.does}
        for one in PEOPLE
    ]
