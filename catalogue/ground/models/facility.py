"""The facility: instruments, cycles, techniques, run types, and the stores with their routes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from simple_history.models import HistoricalRecords

from catalogue.ground.models.recorded import Recorded
from catalogue.ground.models.reference import Facility, InstrumentType, Term, Topic

TIERS = [
    ("online", "Online"),
    ("offline", "Offline"),
    ("mass_storage", "Mass storage"),
    ("tape", "Tape"),
    ("export", "Export"),
    ("elsewhere", "Elsewhere"),
]
KINDS = [
    ("RAW", "Raw"),
    ("CAL", "Calibration constants"),
    ("PROC", "Corrected"),
    ("REDU", "Reduced"),
    ("SIM", "Simulated"),
    ("UNK", "Unknown"),
]


class Technique(Recorded):
    """A technique, of the PaNET ontology (ExPaNDS, CC-BY 4.0) or of the facility's own."""

    identifier = models.CharField(max_length=120, unique=True, help_text="The PaNET id, if any.")
    name = models.CharField(max_length=160, unique=True)
    url = models.CharField(max_length=512, blank=True)
    available = models.BooleanField(default=True)
    practised = models.BooleanField(default=False, help_text="Possible at this facility.")
    description = models.TextField(blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Instrument(Recorded):
    identifier = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    facility = models.ForeignKey(Facility, null=True, blank=True, on_delete=models.PROTECT)
    type = models.ForeignKey(InstrumentType, null=True, blank=True, on_delete=models.PROTECT)
    topic = models.ForeignKey(Topic, null=True, blank=True, on_delete=models.PROTECT)
    store = models.ForeignKey(
        "ground.Store",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Where its DAQ writes.",
    )
    techniques = models.ManyToManyField(Technique, blank=True, related_name="instruments")
    url = models.CharField(max_length=512, blank=True)
    doi = models.CharField("DOI", max_length=255, blank=True)
    available = models.BooleanField(default=True)
    description = models.TextField(blank=True)
    daq_host = models.CharField(max_length=120, blank=True)
    system_user = models.CharField(max_length=60, blank=True)
    has_online_resource = models.BooleanField(default=False)
    online_script = models.CharField(max_length=255, blank=True)

    history = HistoricalRecords(m2m_fields=[techniques])

    class Meta:
        ordering: ClassVar = ["identifier"]

    def __str__(self) -> str:
        return self.identifier


class Cycle(Recorded):
    """A proposal round, of one instrument or (without one) of all; a beamtime may lie outside."""

    identifier = models.CharField(max_length=16)
    instrument = models.ForeignKey(
        Instrument, null=True, blank=True, on_delete=models.PROTECT, related_name="cycles"
    )
    begin_at = models.DateTimeField(null=True, blank=True)
    end_at = models.DateTimeField(null=True, blank=True)
    call_begin_at = models.DateTimeField(null=True, blank=True)
    call_end_at = models.DateTimeField(null=True, blank=True)
    url = models.CharField(max_length=512, blank=True)
    available = models.BooleanField(default=True)
    proposal_system = models.CharField(max_length=32, blank=True)
    description = models.TextField(blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering: ClassVar = ["identifier"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["identifier", "instrument"], name="cycle_once", nulls_distinct=False
            ),
            models.UniqueConstraint(
                fields=["url"], name="cycle_url_once", condition=~models.Q(url="")
            ),
            models.CheckConstraint(
                name="cycle_begins_before_it_ends",
                condition=models.Q(begin_at__isnull=True)
                | models.Q(end_at__isnull=True)
                | models.Q(begin_at__lte=models.F("end_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.identifier


class ExperimentType(Term):
    """A run type of the facility, e.g. "LCP SFX", "Test DAQ", "Dark"."""

    is_dark = models.BooleanField(default=False)
    calibrates_by_itself = models.BooleanField(
        default=True, help_text="Whether automatic calibration may start for runs of this type."
    )


class Store(Recorded):
    """A place that holds data. The API says repository."""

    EXTERNAL: ClassVar = "external"

    identifier = models.CharField(max_length=120, unique=True)
    name = models.CharField(max_length=120, unique=True)
    mount = models.CharField(max_length=512, help_text="Absolute path of the mount point.")
    tier = models.CharField(max_length=16, choices=TIERS)
    agent = models.CharField(
        max_length=32,
        default="posix",
        help_text="Who moves bytes here: a mover of ours, or a program that reports (external).",
    )
    agent_identifier = models.CharField(
        max_length=120, blank=True, help_text="What the external transfer program calls it."
    )
    agent_url = models.CharField(max_length=255, blank=True)
    kind = models.CharField(
        max_length=60, blank=True, help_text="The kind of data it is for; empty: any."
    )
    context = models.CharField(max_length=32, blank=True, help_text="As its programs call it.")
    image_url = models.CharField(max_length=512, blank=True)
    available = models.BooleanField(default=True)
    description = models.TextField(blank=True)
    rank = models.SmallIntegerField(default=0)
    quota_bytes = models.BigIntegerField(null=True, blank=True)
    prepares_folders = models.BooleanField(
        default=False, help_text="Proposal folders are made here before a beamtime."
    )
    trash_seconds = models.PositiveIntegerField(
        default=7 * 86400, help_text="How long removed data stay in the store's trash."
    )

    history = HistoricalRecords()

    class Meta:
        ordering: ClassVar = ["rank", "identifier"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="store_quota_positive",
                condition=models.Q(quota_bytes__isnull=True) | models.Q(quota_bytes__gt=0),
            ),
            models.UniqueConstraint(
                fields=["agent_identifier"],
                name="store_agent_once",
                condition=~models.Q(agent_identifier=""),
            ),
            models.UniqueConstraint(
                fields=["agent_url"],
                name="store_agent_url_once",
                condition=~models.Q(agent_url=""),
            ),
        ]

    def __str__(self) -> str:
        return self.identifier

    @property
    def is_external(self) -> bool:
        """Whether programs of the facility move the bytes here, and report what they did."""
        return self.agent == self.EXTERNAL

    @property
    def place(self) -> str:
        """Where it is, within a sentence: "online storage", "mass storage", "tape"."""
        words = str(self.get_tier_display()).lower()
        return words if words.endswith(("storage", "tape")) else f"{words} storage"


class Route(models.Model):
    """Where data of one kind go next: once a replica in `source` is wanted elsewhere.

    `purpose` "migrate" is asked for by the assessment of a run, "archive" by the verification of
    a replica in `source`.
    """

    PURPOSES: ClassVar = [("migrate", "Migration"), ("archive", "Archiving")]

    purpose = models.CharField(max_length=16, choices=PURPOSES)
    kind = models.CharField(max_length=8, choices=KINDS)
    source = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="routes_from")
    destination = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="routes_to")

    history = HistoricalRecords()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["purpose", "kind", "source", "destination"], name="route_once"
            ),
            models.CheckConstraint(
                name="route_leads_elsewhere",
                condition=~models.Q(source=models.F("destination")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.kind}: {self.source} to {self.destination}"
