"""A proposal: the unit of access, of embargo and of publication, and its moves."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django_fsm import GET_STATE, FSMField

from catalogue.ground.models import Doi, Instrument, Store, Thing, move
from catalogue.ground.models.facility import Cycle, Technique

PREPARATION = ("N", "WLC", "LDC", "WFC", "FDC", "WDC", "DDC")
RUNNING = ("A", "I")
REVIEWED = ("FR", "WCLD", "CLO")


class Proposal(Thing):
    """One accepted proposal: the unit of access, of embargo and of publication."""

    class Kind(models.TextChoices):
        USER = "user", "User"
        COMMISSIONING = "commissioning", "Commissioning"
        TEST = "test", "Test"

    class State(models.TextChoices):
        NEW = "N", "New"
        WAITING_DIRECTORY = "WLC", "Waiting for LDAP configuration"
        DIRECTORY_DONE = "LDC", "LDAP configuration done"
        WAITING_FOLDERS = "WFC", "Waiting for folder configuration"
        FOLDERS_DONE = "FDC", "Folder configuration done"
        WAITING_DAQ = "WDC", "Waiting for DAQ configuration"
        DAQ_DONE = "DDC", "DAQ configuration done"
        READY = "R", "Ready"
        ACTIVE = "A", "Active"
        IDLE = "I", "Idle"
        FINISHED = "F", "Finished"
        REVIEWED = "FR", "Finished and reviewed"
        CLOSING = "WCLD", "Waiting for removal of the online folders"
        CLOSED = "CLO", "Closed"
        CANCELLED = "C", "Cancelled"

    class Access(models.TextChoices):
        EMBARGOED = "embargoed", "Under embargo"
        OPEN = "open", "Open"

    number = models.PositiveIntegerField(unique=True)
    title = models.CharField(max_length=500)
    abstract = models.TextField(blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.USER)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="proposals")
    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="proposals")
    derived_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="derived"
    )
    state = FSMField(default=State.NEW, choices=State.choices, max_length=4, protected=True)
    state_since = models.DateTimeField()
    access = FSMField(
        default=Access.EMBARGOED, choices=Access.choices, max_length=16, protected=True
    )
    metadata_public = models.BooleanField(default=True)
    release_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    team_until = models.DateField(
        null=True, blank=True, help_text="Last day of the team's access: a year after the beamtime."
    )
    team_prolonged_until = models.DateField(
        null=True, blank=True, help_text="Until when its leader prolonged that access."
    )
    consented_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    consented_at = models.DateTimeField(null=True, blank=True)
    assesses_by_itself = models.BooleanField(default=False)
    calibrates_by_itself = models.BooleanField(default=True)
    techniques = models.ManyToManyField(Technique, blank=True)
    keywords = models.CharField(max_length=500, blank=True)
    logbook = models.URLField(blank=True)
    meeting = models.CharField(max_length=512, blank=True, help_text="Where the team meets online.")
    url = models.CharField(max_length=512, blank=True, help_text="Its page in the user portal.")
    description = models.TextField(blank=True)
    available = models.BooleanField(default=True, help_text="Offered by programs that list it.")
    begin_at = models.DateTimeField(null=True, blank=True)
    end_at = models.DateTimeField(null=True, blank=True)
    beamtime_begin_at = models.DateTimeField(null=True, blank=True)
    beamtime_end_at = models.DateTimeField(null=True, blank=True)
    main_proposer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    local_contact = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    local_data_contact = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    experiment_data_contact = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    origin_store = models.ForeignKey(
        Store,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Where its data are first written.",
    )
    # What the user portal and its programs agree on; the catalogue keeps it and gives it back.
    data_path = models.CharField(
        max_length=512, blank=True, help_text="The path its programs were told when it was made."
    )
    proposal_system = models.CharField(max_length=32, blank=True)
    preferred_output = models.CharField(max_length=8, default="R", help_text="R raw, P corrected.")
    cloneable = models.CharField(max_length=8, default="NC")
    visibility = models.CharField(max_length=32, blank=True)
    archive_notice = models.CharField(max_length=8, blank=True)
    archive_expected_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    data_plan_comments = models.TextField(blank=True)
    delivered_shifts = models.PositiveSmallIntegerField(null=True, blank=True)
    preparation_shifts = models.PositiveSmallIntegerField(null=True, blank=True)
    scheduled_shifts = models.PositiveSmallIntegerField(null=True, blank=True)
    daq_configuration = models.JSONField(default=dict, blank=True)
    last_run_number = models.PositiveIntegerField(default=0)
    doi = models.OneToOneField(
        Doi, null=True, blank=True, on_delete=models.PROTECT, related_name="of_proposal"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-number"]
        indexes: ClassVar = [
            models.Index(fields=["state", "instrument"], name="proposal_state"),
            models.Index(fields=["release_at"], name="proposal_release"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="proposal_number_in_range",
                condition=models.Q(number__gte=0, number__lte=999999),
            ),
            models.UniqueConstraint(
                fields=["instrument"],
                name="one_active_user_proposal_per_instrument",
                condition=models.Q(state="A", kind="user"),
            ),
            models.CheckConstraint(
                name="proposal_open_since",
                condition=~models.Q(access="open") | models.Q(released_at__isnull=False),
            ),
            models.CheckConstraint(
                name="proposal_not_derived_from_itself",
                condition=models.Q(derived_from__isnull=True)
                | ~models.Q(derived_from=models.F("id")),
            ),
            models.UniqueConstraint(
                fields=["url"], name="proposal_url_once", condition=~models.Q(url="")
            ),
        ]

    def __str__(self) -> str:
        return self.folder

    @property
    def folder(self) -> str:
        """The proposal's folder name, e.g. "p900054"."""
        return f"p{self.number:06d}"

    @property
    def path(self) -> str:
        """The proposal's folder inside a store, e.g. "SPB/202601/p900060"."""
        return f"{self.instrument.identifier}/{self.cycle.identifier}/{self.folder}"

    @property
    def label(self) -> str:
        return f"proposal {self.number:06d}"

    @property
    def proposal_number(self) -> int:
        return self.number

    @property
    def is_public(self) -> bool:
        """Whether everybody may read what it is: reviewed, with a findable DOI, not withdrawn.
        `proposals.access.public` is the same of rows."""
        return (
            self.state in REVIEWED
            and self.kind != self.Kind.TEST
            and self.doi is not None
            and self.doi.state == Doi.State.FINDABLE
            and self.withdrawn_at is None
        )

    @property
    def is_open(self) -> bool:
        """Whether everybody may read the data of its open runs: the embargo is over.
        `proposals.access.open_to_all` is the same of rows."""
        return self.access == self.Access.OPEN and self.is_public

    # The preparation steps. Each "done" is reported by the job or program that did it.

    @move(state, source="N", target="WLC", label="Prepare beamtime", by="take a proposal to ready")
    def prepare(self, *, at: datetime) -> None:
        self.state_since = at

    @move(state, source="WLC", target="LDC", label="LDAP configured", by="system")
    def directory_configured(self, *, at: datetime) -> None:
        self.state_since = at

    @move(state, source="LDC", target="WFC", label="Make folders", by="take a proposal to ready")
    def request_folders(self, *, at: datetime) -> None:
        self.state_since = at

    @move(state, source="WFC", target="FDC", label="Folders made", by="system")
    def folders_made(self, *, at: datetime) -> None:
        self.state_since = at

    @move(state, source="FDC", target="WDC", label="Ask the DAQ", by="take a proposal to ready")
    def request_daq(self, *, at: datetime) -> None:
        self.state_since = at

    @move(state, source="WDC", target="DDC", label="DAQ configured", by="report for the DAQ")
    def daq_configured(self, *, at: datetime, configuration: dict[str, Any]) -> None:
        self.state_since = at
        self.daq_configuration = configuration

    @move(state, source="DDC", target="R", label="Declare ready", by="take a proposal to ready")
    def declare_ready(self, *, at: datetime) -> None:
        self.state_since = at

    @move(
        state,
        source=["R", "I"],
        target="A",
        label="Activate",
        by="start, pause and finish the beamtime",
        undo="pause",
    )
    def activate(self, *, at: datetime) -> None:
        self.state_since = at

    @move(
        state,
        source="A",
        target="I",
        label="Pause",
        by="start, pause and finish the beamtime",
        undo="activate",
    )
    def pause(self, *, at: datetime) -> None:
        self.state_since = at

    @move(
        state,
        source=["A", "I"],
        target="F",
        label="Finish beamtime",
        by="start, pause and finish the beamtime",
    )
    def finish(self, *, at: datetime) -> None:
        self.state_since = at

    @move(state, source="F", target="FR", label="Review", by="review the proposal")
    def review(self, *, at: datetime, release_at: datetime | None) -> None:
        self.state_since = at
        if release_at is not None and (self.release_at is None or self.release_at < release_at):
            self.release_at = release_at  # a day to which it was postponed before stands

    @move(state, source="FR", target="WCLD", label="Close", by="close the proposal")
    def close(self, *, at: datetime) -> None:
        self.state_since = at

    @move(state, source="WCLD", target="CLO", label="Closed", by="system")
    def folders_removed(self, *, at: datetime) -> None:
        self.state_since = at

    @move(
        state,
        source=[*PREPARATION, "R"],
        target="C",
        label="Cancel",
        by="cancel a proposal",
        reason=True,
    )
    def cancel(self, *, at: datetime) -> None:
        self.state_since = at

    @move(
        state,
        source="*",
        target=GET_STATE(lambda self, *, to, at: to, states=[s.value for s in State]),
        label="Adopt reported state",
        by="adopt a reported state",
    )
    def adopt(self, *, to: str, at: datetime) -> None:
        self.state_since = at

    # Who may read the data.

    @move(
        access,
        source="embargoed",
        target="embargoed",
        label="Consent to early release",
        by="consent to early release",
    )
    def consent(self, *, at: datetime, person: Any) -> None:
        self.consented_by = person
        self.consented_at = at

    @move(access, source="embargoed", target="open", label="Release early", by="release data")
    def release_early(self, *, at: datetime) -> None:
        self.released_at = at

    @move(access, source="embargoed", target="open", label="Release", by="system")
    def release(self, *, at: datetime) -> None:
        self.released_at = at

    @move(
        access,
        source="embargoed",
        target="embargoed",
        label="Postpone release",
        by="release data",
        reason=True,
    )
    def postpone(self, *, until: datetime) -> None:
        self.release_at = until
